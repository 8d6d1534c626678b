//! Writes the judge once more, with a check of every mutant of the table at the start of its two methods.
//!
//! One build holds them all, in a crate of its own, so that nothing of this reaches the gate that ships.

#[allow(dead_code)]
#[path = "../../src/contract/limits.rs"]
mod limits;
#[allow(dead_code)]
#[path = "../../src/contract/rule.rs"]
mod rule;
#[allow(dead_code)]
#[path = "../../src/contract/rules.rs"]
mod rules;
#[allow(dead_code)]
#[path = "../../src/contract/vocabulary.rs"]
mod vocabulary;

#[path = "../../build/judge.rs"]
mod judge;
mod mutations;
#[path = "../../build/places.rs"]
mod places;

use judge::{mentions, needs_registry, violates};
use mutations::{Mutant, mutants};
use rule::Expr;
use rules::RULES;
use std::path::Path;

fn main() {
    for source in ["src/contract", "build", "tests/mutants"] {
        println!("cargo::rerun-if-changed=../../{source}");
    }
    let mut names = String::new();
    let mut looks = String::new();
    for (place, (mutant, code)) in written().into_iter().enumerate() {
        let category = match mutant.rule.category {
            Some(category) => format!("self.category == Some(Category::{category:?}) && "),
            None => String::new(),
        };
        let reads = RULES
            .iter()
            .any(|rule| rule.id == mutant.rule.id && mentions(rule, &|part| matches!(part, Expr::Readable(_))));
        names += &format!("({:?}, {:?}),\n", mutant.rule.id, mutant.change);
        looks +=
            &format!("if {reads} != self.event.faults().is_empty() && {category}{code} {{\nfound.push({place});\n}}\n");
    }
    let source = format!(
        "{}\n\
         #[allow(clippy::all)]\nimpl Judge<'_> {{\nfn look(&self) {{\nlet mut found = Vec::new();\n{looks}\
         VIOLATED.set(found);\n}}\n}}\n\
         std::thread_local! {{\n\
         static VIOLATED: std::cell::Cell<Vec<usize>> = const {{ std::cell::Cell::new(Vec::new()) }};\n}}\n\
         impl Violations {{\n\
         /// The rule and the change of every mutant.\n\
         pub const MUTANTS: &[(&str, &str)] = &[{names}];\n\
         /// The mutants that the last event violates, by their places.\n\
         pub fn of_mutants() -> Vec<usize> {{\nVIOLATED.take()\n}}\n}}\n",
        judge::judge(RULES, "self.look();\n") + &places::places(RULES),
    );
    let folder = std::env::var_os("OUT_DIR").unwrap_or_default();
    if let Err(error) = std::fs::write(Path::new(&folder).join("judge.rs"), source) {
        println!("cargo::error=cannot write the mutants: {error}");
    }
}

/// Every mutant with the condition under which it is violated, including those of the generator.
fn written() -> Vec<(Mutant, String)> {
    let of_table = mutants(RULES).into_iter().map(|mutant| {
        let code = violates(&mutant.rule);
        (mutant, code)
    });
    let of_generator = RULES.iter().filter(|rule| mentions(rule, &needs_registry)).map(|rule| {
        let code = violates(rule).replacen("self.context.registry.is_loaded && ", "", 1);
        (Mutant { change: "an unloaded registry is asked".into(), rule: mutations::copy(rule) }, code)
    });
    of_table.chain(of_generator).collect()
}
