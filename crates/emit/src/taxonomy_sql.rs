//! The default taxonomy as the rows of its tables.

use crate::taxonomy::entries;
use serde_json::Value;

/// A list of the taxonomy, the table that holds it, how many of its columns are its key, and all of them.
struct Table {
    list: &'static str,
    name: &'static str,
    key: usize,
    columns: &'static [&'static str],
}

const SITES: Table = Table { list: "", name: "public.audience_sites", key: 1, columns: &["id", "name"] };
const TABLES: [Table; 4] = [
    Table {
        list: "states",
        name: "public.audience_states",
        key: 1,
        columns: &["id", "name", "meaning", "rank", "min_score", "requires"],
    },
    Table {
        list: "blocked_jumps",
        name: "public.audience_blocked_jumps",
        key: 2,
        columns: &["from_state", "to_state", "reason"],
    },
    Table {
        list: "rules",
        name: "public.audience_rules",
        key: 1,
        columns: &["id", "kind", "description", "prior_state", "new_state", "inactivity_days"],
    },
    Table {
        list: "event_types",
        name: "public.audience_event_types",
        key: 1,
        columns: &[
            "id",
            "category",
            "tier",
            "score_weight",
            "daily_cap",
            "withdraws_consent",
            "description",
            "payload_schema",
        ],
    },
];
/// How many characters a line has at most.
const WIDTH: usize = 110;

/// The statements that take a database from one taxonomy to another: new rows, and changed rows. Empty if there are
/// none.
///
/// The tables belong to the install. A new row gives way to one that the install has under the same key, a changed one
/// to whatever the install made of it, and a row that is no longer shipped stays.
pub fn since(taxonomy: &Value, shipped: Option<&Value>) -> String {
    let mut out = String::new();
    if shipped.is_none() {
        out += &insert(&SITES, &[&taxonomy["default_site"]]);
    }
    for table in TABLES {
        let known = shipped.map(|shipped| entries(shipped, table.list)).unwrap_or_default();
        let before = |row: &Value| known.iter().find(|old| table.key().iter().all(|key| old[key] == row[key]));
        let rows = entries(taxonomy, table.list);
        let new: Vec<_> = rows.iter().filter(|row| before(row).is_none()).collect();
        out += &insert(&table, &new);
        for row in rows {
            out += &before(row).map(|old| update(&table, old, row)).unwrap_or_default();
        }
    }
    if out.is_empty() {
        return out;
    }
    format!("-- Rows that the install has already, and rows that it changed, stay as they are.\n{out}")
}

impl Table {
    fn key(&self) -> &'static [&'static str] {
        self.columns.get(..self.key).unwrap_or_default()
    }
}

fn insert(table: &Table, rows: &[&Value]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let Table { name, columns, .. } = table;
    let rows: Vec<_> = rows.iter().map(|row| format!("  {}", tuple(columns, row, "    "))).collect();
    format!("\ninsert into {name}\n  ({})\nvalues\n{}\non conflict do nothing;\n", columns.join(", "), rows.join(",\n"))
}

/// One row, if it still is what was shipped before; nothing if no column of it changed. A column that was not shipped
/// then has nothing that could have been changed.
fn update(table: &Table, old: &Value, row: &Value) -> String {
    let changed: Vec<_> = table.columns.iter().filter(|column| old[**column] != row[**column]).collect();
    if changed.is_empty() {
        return String::new();
    }
    let values: Vec<_> =
        changed.iter().map(|column| format!("{column} = {}", literal(&row[*column], "  ", column.len()))).collect();
    let key: Vec<_> =
        table.key().iter().map(|column| format!("{column} = {}", literal(&row[*column], "", 0))).collect();
    let shipped: Vec<_> =
        table.columns.iter().copied().skip(table.key).filter(|column| old.get(column).is_some()).collect();
    format!(
        "\nupdate {}\nset {}\nwhere {}\n  and ({}) is not distinct from\n    {};\n",
        table.name,
        values.join(",\n  "),
        key.join(" and "),
        shipped.join(", "),
        tuple(&shipped, old, "      ")
    )
}

/// The values of a row, with as many on a line as fit.
fn tuple(columns: &[&str], row: &Value, indent: &str) -> String {
    let mut out = String::from("(");
    let mut width = indent.len();
    for (place, column) in columns.iter().enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        let short = row.get(column).map_or_else(|| "default".into(), |value| literal(value, indent, 0));
        if place > 0 && width + short.len() > WIDTH {
            out += &format!(",\n{indent}{short}");
            width = indent.len();
        } else {
            out += &format!("{separator}{short}");
        }
        width += short.lines().last().unwrap_or_default().len() + 2;
    }
    out + ")"
}

/// A value as SQL. If it takes several lines, the first begins this far from the margin.
fn literal(value: &Value, indent: &str, from: usize) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quote(text),
        Value::Array(_) | Value::Object(_) => quote(&json(value, indent, from)),
    }
}

/// A JSON value, broken into lines if it is too wide for one.
fn json(value: &Value, indent: &str, from: usize) -> String {
    let inner = format!("{indent}  ");
    let (open, members, close) = match value {
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| format!("\"{key}\": {}", json(value, &inner, key.len() + 4));
            ("{", members.iter().map(member).collect::<Vec<_>>(), "}")
        }
        Value::Array(elements) => ("[", elements.iter().map(|element| json(element, &inner, 0)).collect(), "]"),
        _ => return value.to_string(),
    };
    let line = format!("{open}{}{close}", members.join(", "));
    if indent.len() + from + line.len() <= WIDTH && !line.contains('\n') {
        return line;
    }
    format!("{open}\n{inner}{}\n{indent}{close}", members.join(&format!(",\n{inner}")))
}

/// A text as an SQL literal, with backslashes as they are.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
