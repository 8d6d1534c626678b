//! `audience-gate export-subject`: everything that is held of a person, as JSON or as a page that the person can read.

use super::{Done, connection, say};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::io;

/// The arguments of `export-subject`.
#[derive(clap::Args)]
pub struct ExportArgs {
    /// By what the person is known: `user_id`, `session_id` or `email_hash`. The id itself is read from standard input.
    #[arg(value_parser = ["user_id", "session_id", "email_hash"])]
    kind: String,
    /// Write a page instead of JSON.
    #[arg(long)]
    html: bool,
}

/// What the database answers.
#[derive(Deserialize)]
struct Export {
    exported_at: String,
    also_known_as: Map<String, Value>,
    tables: Vec<Table>,
}

#[derive(Deserialize)]
struct Table {
    table: String,
    meaning: Option<String>,
    columns: Vec<Column>,
    rows: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    meaning: Option<String>,
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}section{margin:2.5rem 0}div{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}th,td{border:1px solid #ccc;padding:.3rem .5rem;text-align:left;vertical-align:top}dt{font-weight:600}dd{margin:0 0 .3rem 1rem}";

/// Prints the export.
pub fn run(args: &ExportArgs) -> Done {
    let subject = subject(&args.kind)?;
    let mut client = connection::connect()?;
    let text: String = client
        .query_one("select audience_gate.export_subject($1, $2)::text", &[&args.kind, &subject])
        .map_err(|error| connection::explain(&error))?
        .get(0);
    if !args.html {
        return say(&(text + "\n"));
    }
    let export = serde_json::from_str(&text).map_err(|error| format!("the export cannot be read: {error}"))?;
    say(&page(&export))
}

/// The id of a person, from standard input: every user of the machine can read arguments.
pub fn subject(kind: &str) -> Result<String, String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(|error| format!("cannot read standard input: {error}"))?;
    let subject = line.trim();
    if subject.is_empty() {
        return Err(format!("standard input is empty; write the {kind} to it, on one line"));
    }
    Ok(subject.to_owned())
}

/// The page: nothing in it is loaded from elsewhere, and nothing in it runs.
fn page(export: &Export) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>What is held of you</title>\n<style>{STYLE}</style>\n<h1>What is held of you</h1>\n<p>As of {}, in {} tables. An id stands for you; no name or address is stored.</p>\n",
        escaped(&export.exported_at),
        export.tables.len()
    );
    let others: Vec<String> = export.also_known_as.iter().filter_map(|(kind, ids)| known_as(kind, ids)).collect();
    if !others.is_empty() {
        out += &format!("<p>In these rows you are also known as:</p>\n<ul>\n{}</ul>\n", others.concat());
    }
    export.tables.iter().for_each(|table| out += &section(table));
    out + "</html>\n"
}

fn known_as(kind: &str, ids: &Value) -> Option<String> {
    let ids: Vec<String> = ids.as_array()?.iter().map(shown).collect();
    (!ids.is_empty()).then(|| format!("<li>{}: {}</li>\n", escaped(kind), ids.join(", ")))
}

fn section(table: &Table) -> String {
    let meaning = |text: &Option<String>| escaped(text.as_deref().unwrap_or_default());
    let names: String =
        table.columns.iter().map(|column| format!("<th scope=\"col\">{}</th>", escaped(&column.name))).collect();
    let meanings: String = table
        .columns
        .iter()
        .map(|column| format!("<dt>{}</dt><dd>{}</dd>\n", escaped(&column.name), meaning(&column.meaning)))
        .collect();
    let cells = |row: &Map<String, Value>| -> String {
        let cell = |column: &Column| format!("<td>{}</td>", row.get(&column.name).map(shown).unwrap_or_default());
        table.columns.iter().map(cell).collect()
    };
    let rows: String = table.rows.iter().map(|row| format!("<tr>{}</tr>\n", cells(row))).collect();
    format!(
        "<section>\n<h2>{}</h2>\n<p>{} {} rows.</p>\n<details><summary>What the columns mean</summary>\n<dl>\n{meanings}</dl>\n</details>\n<div><table>\n<tr>{names}</tr>\n{rows}</table></div>\n</section>\n",
        escaped(&table.table),
        meaning(&table.meaning),
        table.rows.len()
    )
}

/// A value as a person reads it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escaped(text),
        other => escaped(&other.to_string()),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}
