//! The constants of the contract that TypeScript needs: one small module for the function, one for the pages.

use crate::PREAMBLE;
use audience_gate::contract::limits::{EMAIL_BYTES, REQUEST_BYTES, REQUEST_EVENTS, UTM_LENGTH};
use audience_gate::contract::vocabulary::CATEGORIES;

/// What the function needs.
pub fn of_function() -> String {
    module(&[
        ("The most events of one request.", "REQUEST_EVENTS", REQUEST_EVENTS.to_string()),
        ("The most bytes of one request, before and after compression.", "REQUEST_BYTES", grouped(REQUEST_BYTES)),
    ])
}

/// What the pages need.
pub fn of_pages() -> String {
    let categories: Vec<_> = CATEGORIES.iter().map(|name| format!("\"{name}\"")).collect();
    module(&[
        ("The most bytes of an e-mail address.", "EMAIL_BYTES", EMAIL_BYTES.to_string()),
        ("The most characters of a `utm_*` field.", "UTM_LENGTH", UTM_LENGTH.to_string()),
        ("The categories of events.", "CATEGORIES", format!("[{}] as const", categories.join(", "))),
    ])
}

fn module(constants: &[(&str, &str, String)]) -> String {
    let lines =
        constants.iter().map(|(meaning, name, value)| format!("\n/** {meaning} */\nexport const {name} = {value};\n"));
    format!("// {PREAMBLE}\n{}", lines.collect::<String>())
}

/// A number as TypeScript writes a long one.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join("_")
}
