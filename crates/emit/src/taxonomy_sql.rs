//! The default taxonomy as the rows of its tables.

use super::PREAMBLE;
use audience_gate::registry::taxonomy::{entries, read};
use serde_json::Value;

/// A list of the file, and the table that holds it.
const TABLES: [(&str, &str); 4] = [
    ("states", "public.audience_states"),
    ("blocked_jumps", "public.audience_blocked_jumps"),
    ("rules", "public.audience_rules"),
    ("event_types", "public.audience_event_types"),
];

/// The whole migration.
pub fn render() -> String {
    let taxonomy = read();
    let mut out =
        format!("-- {PREAMBLE}\n\n-- The default taxonomy. Rows that an install already has stay as they are.\n");
    out += &insert("public.audience_sites", std::slice::from_ref(&taxonomy["default_site"]));
    for (list, table) in TABLES {
        out += &insert(table, entries(&taxonomy, list));
    }
    out
}

fn insert(table: &str, rows: &[Value]) -> String {
    let columns: Vec<_> = rows.first().and_then(Value::as_object).map(|row| row.keys().collect()).unwrap_or_default();
    let values: Vec<_> = rows
        .iter()
        .map(|row| {
            let cells: Vec<_> = columns.iter().map(|column| literal(&row[column.as_str()])).collect();
            format!("  ({})", cells.join(", "))
        })
        .collect();
    let columns: Vec<_> = columns.iter().map(|column| column.as_str()).collect();
    format!("\ninsert into {table} ({}) values\n{}\non conflict do nothing;\n", columns.join(", "), values.join(",\n"))
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quote(text),
        Value::Array(_) | Value::Object(_) => quote(&value.to_string()),
    }
}

/// A text as an SQL literal; with backslashes as they are.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
