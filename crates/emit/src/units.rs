//! The contract's SQL in units, each of which a release replaces as a whole.

use crate::sql_condition::WIDTH;

/// A function, a table, a trigger or the rows of a table, with its comments and grants.
pub struct Unit {
    /// Its name in `comment on`, such as `function audience_gate.depth(jsonb)`.
    pub name: String,
    /// Its statements, which can be run again.
    pub text: String,
}

impl Unit {
    /// The unit of such statements; the first `comment on` names it.
    pub fn new(text: &str) -> Unit {
        let text: String = text.trim_end().lines().map(wrapped).collect();
        let named = text.split_once("comment on ").and_then(|(_, rest)| rest.split_once(" is"));
        let name = named.map(|(name, _)| name.to_owned()).unwrap_or_default();
        let text = if needs_grants(&name, &text) { text + &grants(&name) } else { text };
        Unit { name, text }
    }

    /// The part that `create or replace` cannot change: the names of the parameters and the type of the result.
    pub fn declaration(&self) -> &str {
        self.text.split_once("\nlanguage ").map(|(declaration, _)| declaration).unwrap_or_default()
    }
}

/// The units of a template: each ends with the first blank line after its `comment on`.
pub fn units(template: &str) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut text = String::new();
    for line in template.lines().chain([""]) {
        if line.is_empty() && text.contains("\ncomment on ") {
            units.push(Unit::new(&std::mem::take(&mut text)));
        } else if !(line.is_empty() && text.is_empty()) {
            text += line;
            text += "\n";
        }
    }
    units
}

/// A line as it is, but with the text of a comment that is too wide broken between words, which SQL reads as one text.
fn wrapped(line: &str) -> String {
    let (head, text) = match line.split_once(" is '") {
        Some((head, text)) if head.starts_with("comment on ") => (format!("{head} is\n"), text),
        _ => (String::new(), line.strip_prefix("  '").unwrap_or_default()),
    };
    match text.strip_suffix("';") {
        Some(text) if line.len() > WIDTH => format!("{head}  {};\n", broken(text).join("\n  ")),
        _ => format!("{line}\n"),
    }
}

/// The inside of a literal as literals, each of which fits on a line.
pub fn broken(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let is_full = lines.last().is_some_and(|line| line.len() + word.len() > WIDTH - 8);
        if is_full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            *line += word;
        }
    }
    lines.iter().map(|line| format!("'{line}'")).collect()
}

/// Whether a unit is a function of the private schema whose template does not say who may execute it. The roles that
/// judge then may.
fn needs_grants(name: &str, text: &str) -> bool {
    name.starts_with("function audience_gate.") && !text.contains("\ngrant ")
}

fn grants(name: &str) -> String {
    format!(
        "revoke all on {name} from public;\ngrant execute on {name}\n  to audience_gate_owner, audience_gate_store, service_role, authenticated;\n"
    )
}
