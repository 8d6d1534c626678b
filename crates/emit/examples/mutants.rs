//! Writes, as JSON, every mutant of the rules and one database function that judges by all of them at once: each is a
//! rule of its own table, named by its number. `tests/database/mutants.test.mjs` runs it.

#[path = "../../../tests/mutants/mutations.rs"]
#[allow(dead_code)]
mod mutations;

use audience_gate::contract::rule::Expr;
use audience_gate::contract::rules::RULES;
use audience_gate::contract::{rule, vocabulary};
use audience_gate_emit::sql_judge;
use mutations::Mutant;
use rule::Rule;
use serde_json::json;

fn main() {
    let is_of_reader = |id| RULES.iter().any(|rule| rule.id == id && matches!(rule.must, Expr::Readable(_)));
    // The parse rules are applied before any other, so one mutant among them would hide all others.
    let mutants: Vec<Mutant> =
        mutations::mutants(RULES).into_iter().filter(|mutant| !is_of_reader(mutant.rule.id)).collect();
    let numbered =
        |(place, mutant): (usize, &Mutant)| Rule { id: place.to_string().leak(), ..mutations::copy(&mutant.rule) };
    let table: Vec<Rule> = mutants.iter().enumerate().map(numbered).collect();
    let names: Vec<_> = mutants.iter().map(|mutant| [mutant.rule.id, &mutant.change]).collect();
    println!("{}", json!({ "mutants": names, "sql": sql_judge::judges(&table).map(|unit| unit.text).concat() }));
}
