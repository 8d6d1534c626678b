//! `RULES.md`: every rule, for people.

use super::{PREAMBLE, fingerprint, prose};
use audience_gate::contract::limits::{SCHEMA_BYTES, SCHEMA_DEPTH, SCHEMA_PARTS};
use audience_gate::contract::personal_words::{DESCRIBING, GROUPS, LEAST_NUMBER, QUESTIONING};
use audience_gate::contract::rule::Rule;
use audience_gate::contract::rules::{RULES, VERSION};
use audience_gate::contract::vocabulary::{FIELDS, OWN_KEYS};
use audience_gate::registry::schema::keywords::{FORMATS, KEYWORDS};
use std::fmt::Write;

/// The whole document.
pub fn render() -> String {
    let mut out = format!(
        "<!-- {PREAMBLE} -->\n\n# The rules\n\nContract {VERSION}, fingerprint `{}`. Every violated rule is reported, in this order; the first is the event's `validation_rule_id`. *Contract* rules come from the contract itself; *guard* rules close gaps through which it could be evaded or the store be damaged. \"Present\" means that the key exists and its value is neither null nor a string of nothing but white space, as Unicode defines it.\n\n## The fields\n\n| field | holds |\n|---|---|\n",
        fingerprint()
    );
    for (field, key, meaning) in FIELDS {
        let place = if field.in_metadata() { "metadata." } else { "" };
        let _ = writeln!(out, "| `{place}{key}` | {meaning} |");
    }
    for rule in RULES {
        let example = |event: &str| {
            if event.len() > 600 { format!("{}…", event.get(..200).unwrap_or_default()) } else { event.to_owned() }
        };
        let _ = write!(
            out,
            "\n## `{}`\n\n*{}* · {}: {}.\n\nRefused with: {}.\n\nAccepted:\n\n```json\n{}\n```\n\nRefused:\n\n```json\n{}\n```\n",
            rule.id,
            rule.kind.name(),
            applies(rule),
            prose::must(rule),
            rule.reason,
            example(rule.accepts),
            example(rule.rejects)
        );
    }
    write_words(&mut out);
    write_schemas(&mut out);
    out
}

/// The words by which `privacy.personal_key` judges.
fn write_words(out: &mut String) {
    let listed = |list: &str| format!("`{}`", list.replace('|', "`, `"));
    let _ = write!(
        out,
        "\n## The words of personal keys\n\nA key is split into words at signs, between letters and digits, and where camel case begins one. It names personal data if its words hold an entry of a list below, unless a word after that entry describes a thing, or a word anywhere makes a flag of the key. An install adds lists of its own as rows of `public.audience_personal_words`, up to three words each, for keys that the contract does not name; and where a property of a payload schema says `\"personal\": false`, that key of the event type is not personal, while values and keys under it are looked at as everywhere. What is `true`, `false`, null or empty is never personal, nor is a number below {LEAST_NUMBER}, which is a count, except for ages and places.\n\n"
    );
    for group in GROUPS {
        let _ = write!(out, "**{}.** {} {}", group.name, group.reason, listed(group.anywhere));
        if !group.alone.is_empty() {
            let _ = write!(out, "; as the whole key {}", listed(group.alone));
        }
        out.push_str("\n\n");
    }
    let _ = write!(
        out,
        "**A thing** is described by {}\n\n**A flag** is made by {}\n",
        listed(DESCRIBING),
        listed(QUESTIONING)
    );
}

/// The language of payload schemas and of an install's own rules.
fn write_schemas(out: &mut String) {
    let named =
        |names: &mut dyn Iterator<Item = &str>| names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let _ = write!(
        out,
        "\n## The language of schemas\n\nPayload schemas of event types and the rules of an install's own are JSON Schema 2020-12, with these keywords: {}. `$ref` names a place in the same schema, and `format` is asserted and one of {}; of a host name, the form is looked at, and what stands after `xn--` is not decoded. A pattern is written in a subset that means the same in Rust, JavaScript and Postgres and takes time in proportion to the text: no look-around, no references back, no classes but `\\d`, `\\w` and `\\s`. What an engine would not understand is refused as it is registered, with its place, and so is a schema of more than {SCHEMA_BYTES} bytes, {SCHEMA_PARTS} schemas within it or {SCHEMA_DEPTH} levels.\n\nA payload schema is about `metadata`, and has three customs of its own: a key that is null counts as absent, unless the schema is closed and does not know it, a required key is not a blank text either, and the keys that the tracker and the gate add ({}) need no mention.\n",
        named(&mut KEYWORDS.iter().map(|&(name, ..)| name)),
        named(&mut FORMATS.into_iter()),
        named(&mut OWN_KEYS.into_iter()),
    );
}

fn applies(rule: &Rule) -> String {
    match prose::when(rule).as_str() {
        "always" => "Always".into(),
        when => format!("When {when}"),
    }
}
