//! The contract as SQL: `audience_gate.violations()`, `audience_gate.row_violations()` and what they need.

use super::sql_expr::{BLANK, Source};
use super::{PREAMBLE, fingerprint, taxonomy_sql::quote};
use audience_gate::contract::personal_keys::{PERSONAL_WORDS, PSEUDONYM, names_personal_data};
use audience_gate::contract::rule::{Expr, List, Rule};
use audience_gate::contract::rules::{RULES, VERSION};
use audience_gate::contract::vocabulary::{Category, FIELDS, Field, Kind, TEXT_COLUMNS};
use audience_gate::gate::rejected::NO_SESSION;
use audience_gate::parse::number::INFINITE_DECIMAL;

const HELPERS: &str = include_str!("helpers.sql");
const AUDIT: &str = include_str!("audit.sql");
const JUDGE: &str = include_str!("judge.sql");
/// What a document must be read for before it is judged.
const PREPARED: &str = "  if {{email_is_text}} then
    email := audience_gate.normalised_email(event ->> 'email');
  end if;
  if {{occurred_at_is_text}} then
    occurred_at := audience_gate.moment(event ->> 'occurred_at');
  end if;
";
/// A column can hold infinity and years that RFC 3339 cannot write.
const STANDS_FOR_A_TIME: &str = "  occurred_at timestamptz := case
    when sent.occurred_at >= '0001-01-01 00:00+00' and sent.occurred_at < '10000-01-01 00:00+00' then sent.occurred_at
  end;
";

/// The whole migration.
pub fn render() -> String {
    format!(
        "-- {PREAMBLE}\n\n-- The validation contract, judged in the database.\n\n{}\n{}\n{}\n{}\n{}",
        immutable(
            "contract_fingerprint()",
            "text",
            &format!("select {}", quote(&fingerprint())),
            "The hash of the contract: engines with the same one judge alike."
        ),
        meaning(),
        judges(RULES),
        rule_text("reason", "Why a rule refuses: what is wrong, why it matters, what to send instead.", |rule| rule
            .reason),
        rule_text("path", "Where a rule looks, as a JSON pointer into the event.", |rule| rule.path)
            + "\n"
            + &filled(AUDIT),
    )
}

/// The constants of the contract that hand-written SQL needs.
pub fn constants() -> String {
    let seconds = |rule: &Rule| if let Expr::NoTwinWithin(seconds) = rule.must { Some(seconds) } else { None };
    let window = RULES.iter().find_map(seconds).unwrap_or_default();
    format!(
        "-- {PREAMBLE}\n\n-- The constants of the contract that the other migrations need.\n\n{}\n{}\n{}",
        immutable(
            "default_site()",
            "uuid",
            &format!("select {}::uuid", quote(&default_site())),
            "The site of an event that names none."
        ),
        immutable(
            "fire_window()",
            "interval",
            &format!("select interval '{window} seconds'"),
            "Events of one session, type, user and site less than this apart are a double fire."
        ),
        immutable(
            "placeholder_session()",
            "text",
            &format!("select {}", quote(NO_SESSION)),
            "The session of an audit row whose event had none that may be kept."
        ),
    )
}

fn default_site() -> String {
    audience_gate::registry::taxonomy::read()["default_site"]["id"].as_str().unwrap_or_default().into()
}

/// What the atoms mean, which is part of the fingerprint.
pub fn meaning() -> String {
    filled(HELPERS)
}

fn filled(template: &str) -> String {
    let (email, hash) = PSEUDONYM;
    let words: Vec<_> = PERSONAL_WORDS
        .lines()
        .map(|entry| if entry == email { format!("{email}(?! {hash} )") } else { entry.into() })
        .collect();
    template
        .replace("{{personal_words}}", &words.join("|"))
        .replace("{{telling_words}}", &telling_words())
        .replace("{{infinite}}", INFINITE_DECIMAL)
        .replace("{{version}}", VERSION)
        .replace("{{fields}}", &fields())
}

/// The top-level fields of an event.
pub fn fields() -> String {
    let keys: Vec<_> = FIELDS.iter().filter(|(field, ..)| !field.in_metadata()).map(|(_, key, _)| quote(key)).collect();
    format!("array[{}]", keys.join(", "))
}

/// The metadata keys that rules speak of, less any that would name personal data.
fn harmless_keys() -> String {
    let keys: Vec<_> = FIELDS
        .iter()
        .filter(|(field, key, _)| field.in_metadata() && !names_personal_data(key.as_bytes()))
        .map(|(_, key, _)| quote(key))
        .collect();
    format!("array[{}]", keys.join(", "))
}

fn immutable(signature: &str, returns: &str, body: &str, comment: &str) -> String {
    let parameters = signature.replace("rule_id text", "text");
    format!(
        "create or replace function audience_gate.{signature}\nreturns {returns}\nlanguage sql\nimmutable\nparallel safe\nset search_path = ''\nas $$\n  {body}\n$$;\ncomment on function audience_gate.{parameters} is {};\n",
        quote(comment)
    )
}

fn rule_text(name: &str, comment: &str, text: fn(&Rule) -> &'static str) -> String {
    let cases: String =
        RULES.iter().map(|rule| format!("    when {} then {}\n", quote(rule.id), quote(text(rule)))).collect();
    immutable(&format!("{name}(rule_id text)"), "text", &format!("select case rule_id\n{cases}  end"), comment)
}

/// The functions that judge by a table of rules: a document as it was sent, and a row on its way into the table.
pub fn judges(rules: &[Rule]) -> String {
    let document = JUDGE
        .replace("{{name}}", "violations")
        .replace("{{event}}", "event jsonb")
        .replace("{{type}}", "jsonb")
        .replace("{{rights}}", "security definer\n")
        .replace(
            "{{comment}}",
            "The rules that an event violates, in order: event as its sender wrote it, caller visitor, user or trusted. Everything but repeats, which need the table.",
        );
    let row = JUDGE
        .replace("{{name}}", "row_violations")
        .replace("{{event}}", "sent public.audience_events")
        .replace("{{type}}", "public.audience_events")
        .replace("{{rights}}", "")
        .replace(
            "{{comment}}",
            "The rules that a row violates, in order: what violations() says of the same event, without asking what the types of the columns settle.",
        );
    judge(&document, Source::Document, rules) + "\n" + &judge(&row, Source::Row, rules)
}

/// One of them, its rules in the order of the table, those of one binding together.
fn judge(template: &str, source: Source, rules: &[Rule]) -> String {
    let (reading, judging): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| matches!(rule.must, Expr::Readable(_)));
    let mut statements = String::new();
    let mut rest = judging.as_slice();
    while let Some(first) = rest.first() {
        let is_alone = |rule: &Rule| asks_tables(&rule.must);
        let count = match is_alone(first) {
            true => 1,
            false => rest.iter().take_while(|rule| rule.category == first.category && !is_alone(rule)).count(),
        };
        let (group, others) = rest.split_at(count);
        rest = others;
        statements += &statement(source, group, first.category);
    }
    let columns: Vec<_> = TEXT_COLUMNS.iter().map(|field| source.text_only(*field)).collect();
    let (declared, prepared) = match source {
        Source::Document => ("  whole text := event::text;\n  email text;\n  occurred_at timestamptz;\n", PREPARED),
        Source::Row => (STANDS_FOR_A_TIME, ""),
    };
    template
        .replace("{{declared}}", declared)
        .replace("{{prepared}}", prepared)
        .replace("{{email_is_text}}", &source.sql(&Expr::Is(Field::Email, Kind::Text)))
        .replace("{{occurred_at_is_text}}", &source.sql(&Expr::Is(Field::OccurredAt, Kind::Text)))
        .replace("{{reading}}", &list(source, &reading, "  "))
        .replace("{{rules}}", &statements)
        .replace("{{columns}}", &columns.join(", "))
        .replace("{{metadata}}", &source.json(Field::Metadata))
        .replace("{{harmless_keys}}", &harmless_keys())
        .replace("{{category}}", &source.text_only(Field::EventCategory))
        .replace("{{event_type}}", &source.text_only(Field::EventType))
        .replace("{{site}}", &site(source))
}

fn site(source: Source) -> String {
    if source == Source::Row {
        return "sent.site_id".into();
    }
    let sound = source.sql(&Expr::Any(&[Expr::Uuid(Field::SiteId), Expr::Not(&Expr::Present(Field::SiteId))]));
    let default = quote(&default_site());
    format!(
        "case when {sound} then lower(coalesce(nullif(btrim(event ->> 'site_id', {BLANK}), ''), {default}))::uuid end"
    )
}

fn statement(source: Source, group: &[&Rule], category: Option<Category>) -> String {
    let indent = if category.is_some() { "    " } else { "  " };
    let mut out = String::new();
    if let Some(category) = category {
        out += &format!("  if category = {} then\n", quote(category.name()));
    }
    match group {
        [rule] if asks_tables(&rule.must) => {
            let refusal = format!(
                "if not {} then violated := violated || {}::text; end if;",
                source.sql(&rule.must),
                quote(rule.id)
            );
            out += &match source.sql(&rule.when).as_str() {
                "true" => format!("{indent}{refusal}\n"),
                when => format!("{indent}if {when} then\n{indent}  {refusal}\n{indent}end if;\n"),
            };
        }
        _ => out += &format!("{indent}violated := violated || {};\n", list(source, group, indent)),
    }
    if category.is_some() {
        out += "  end if;\n";
    }
    out
}

/// The ids of those rules of a group that apply and do not hold.
fn list(source: Source, group: &[&Rule], indent: &str) -> String {
    let cases: Vec<_> = group
        .iter()
        .map(|rule| (rule.id, source.sql(&rule.when), source.sql(&rule.must)))
        .filter(|(_, when, must)| when != "false" && must != "true" && when != must)
        .map(|(id, when, must)| {
            let applies = if when == "true" { String::new() } else { format!("{when} and ") };
            format!("\n{indent}  case when {applies}not {must} then {} end", quote(id))
        })
        .collect();
    format!("array_remove(array[{}\n{indent}]::text[], null)", cases.join(","))
}

/// Whether an expression reads a table, which Postgres runs as a query of its own.
fn asks_tables(expr: &Expr) -> bool {
    match expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(asks_tables),
        Expr::Not(part) => asks_tables(part),
        // The entry of the event's own type is looked up before any rule is asked.
        Expr::Listed(field, List::EventTypes) => *field != Field::EventType,
        Expr::Listed(_, List::States | List::RetentionRules) | Expr::NoBlockedJump | Expr::NoScoreKey => true,
        _ => false,
    }
}

/// Patterns of which one occurs in every text with a personal key, so that no key of another need be split: the last
/// word of more than two letters of every entry, less those that hold another. `ip` occurs in too many words and is looked for apart.
pub fn telling_words() -> String {
    let words: Vec<_> =
        PERSONAL_WORDS.lines().filter_map(|entry| entry.split(' ').rfind(|word| word.len() > 2)).collect();
    let mut patterns: Vec<_> = words
        .iter()
        .filter(|&&word| !words.iter().any(|other| other != &word && word.contains(other)))
        .map(|word| quote(&format!("%{word}%")))
        .collect();
    patterns.sort_unstable();
    patterns.dedup();
    patterns.join(", ")
}
