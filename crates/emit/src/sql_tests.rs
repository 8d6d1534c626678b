//! The examples of the table as pgTAP cases.

use super::{PREAMBLE, example, fingerprint, taxonomy_sql::quote};
use crate::taxonomy::{entries, read};
use audience_gate::contract::rule::Expr;
use audience_gate::contract::rules::RULES;
use audience_gate::contract::vocabulary::Fault;

/// The whole file.
pub fn render() -> String {
    let mut cases = String::new();
    let mut count = 0;
    for rule in RULES {
        let needs_text =
            matches!(rule.must, Expr::Readable(Fault::Json | Fault::Text | Fault::DuplicateKey | Fault::Number));
        let caller = if matches!(rule.must, Expr::OwnUser | Expr::TrustedCaller) { "visitor" } else { "trusted" };
        let mut case = |event: &str, caller: &str, expected: &str, name: &str| {
            count += 1;
            cases += &format!(
                "select is(\n  (audience_gate.violations({}, '{caller}', null, null, '2026-11-21 12:00+00'))[1],\n  {expected},\n  {}\n);\n",
                quote(event),
                quote(name)
            );
        };
        case(rule.accepts, "trusted", "null", &format!("{} lets its accepted example pass", rule.id));
        if !needs_text && !rule.must.is_of_the_store() {
            case(rule.rejects, caller, &quote(rule.id), &format!("{} refuses its rejected example", rule.id));
        }
    }
    for entry in entries(&read(), "event_types") {
        count += 1;
        cases += &format!(
            "select is(\n  audience_gate.violations({}, 'trusted', null, null, '2026-11-21 12:00+00'),\n  array[]::text[],\n  {}\n);\n",
            quote(&example::event(entry).to_string()),
            quote(&format!("the example of {} in EVENTS.md passes", entry["id"].as_str().unwrap_or_default()))
        );
    }
    format!(
        "-- {PREAMBLE}\n\nbegin;\nselect plan({});\n\n{cases}\nselect is(\n  audience_gate.contract_fingerprint(),\n  {},\n  'the database judges by the contract of this source'\n);\n\nselect * from finish();\nrollback;\n",
        count + 1,
        quote(&fingerprint())
    )
}
