//! The contract as SQL: `audience_gate.violations()`, `audience_gate.row_violations()` and what they need.

use crate::sql_condition::WIDTH;
use crate::sql_judge;
use crate::sql_places;
use crate::sql_privacy;
use crate::taxonomy;
use crate::taxonomy_sql::quote;
use crate::units::{self, Unit};
use audience_gate::contract::limits;
use audience_gate::contract::personal_keys;
use audience_gate::contract::personal_words::{DESCRIBING, GROUPS, Group, LEAST_NUMBER, QUESTIONING};
use audience_gate::contract::rule::{Expr, Rule};
use audience_gate::contract::rules::{RULES, VERSION};
use audience_gate::contract::vocabulary::{
    EMPTY_HASH, FIELDS, Field, LIKE_SIGNS, LIKE_WORDS, OWN_KEYS, RECORD_KEYS, SCORE_WORDS, SIGN_VARIANTS, STATE_JOINTS,
    TEXT_COLUMNS,
};
use audience_gate::gate::rejected::NO_SESSION;
use audience_gate::parse::number::INFINITE_DECIMAL;
use audience_gate::registry::schema::keywords::{KEYWORDS, Meaning, Shape};
use serde_json::Value;
use std::collections::BTreeSet;

const KEYS: &str = include_str!("keys.sql");
const HELPERS: &str = include_str!("helpers.sql");
const NUMBERS: &str = include_str!("numbers.sql");
const PRIVACY: &str = include_str!("privacy.sql");
const TOLD: &str = include_str!("rules.sql");
const REDACTION: &str = include_str!("redaction.sql");
const PLACE: &str = include_str!("place.sql");
const AUDIT: &str = include_str!("audit.sql");
/// What judges by the schemas of an install.
const SCHEMA: [&str; 6] = [
    include_str!("schema_words.sql"),
    include_str!("pattern.sql"),
    include_str!("schema_check.sql"),
    include_str!("schema_judge.sql"),
    include_str!("schema_sql.sql"),
    include_str!("own_rules.sql"),
];

/// Every unit, in the order in which a new database needs them.
pub fn units() -> Vec<Unit> {
    let fingerprint = crate::fingerprint();
    let mut units = constants();
    units.extend([
        constant(
            "contract_fingerprint",
            "text",
            &quote(&fingerprint),
            "The hash of the contract: engines with the same one judge alike.",
        ),
        constant("event_fields", "text[]", &list(keys(false)), "The top-level fields of an event."),
        constant(
            "harmless_keys",
            "text[]",
            &list(harmless_keys()),
            "The metadata keys that the contract and the default taxonomy speak of, but for those that name personal data.",
        ),
        constant(
            "named_keys",
            "text[]",
            &list(FIELDS.iter().map(|(_, key, _)| *key).chain(RECORD_KEYS)),
            "The keys that the contract or the gate names: no word of an install''s own makes them personal.",
        ),
        constant(
            "personal_words",
            "text",
            &between_bars(entries(|_| true, |group| group.anywhere)),
            "Runs of words that name personal data anywhere in a key, between bars.",
        ),
        constant(
            "personal_keys",
            "text",
            &between_bars(entries(|_| true, |group| group.alone)),
            "Words that name personal data only as the whole key, between bars.",
        ),
        constant(
            "measuring_words",
            "text",
            &between_bars(entries(|group| group.any_number, |group| group.anywhere)),
            "Runs of words under which a small number is personal too, between bars.",
        ),
        constant(
            "measuring_keys",
            "text",
            &between_bars(entries(|group| group.any_number, |group| group.alone)),
            "Words that do the same only as the whole key, between bars.",
        ),
        constant(
            "first_words",
            "text",
            &between_bars(first_words()),
            "The first word of each of them, between bars: a key without one names nothing personal.",
        ),
        constant(
            "describing_words",
            "text",
            &between_bars(DESCRIBING.split('|')),
            "Words that make a thing of what is named before them in a key, between bars.",
        ),
        constant(
            "questioning_words",
            "text",
            &between_bars(QUESTIONING.split('|')),
            "Words that make a flag of a key, between bars.",
        ),
        constant(
            "white_space",
            "text",
            &white_space(),
            "The characters of white space, as Unicode defines it: a text of nothing else is blank.",
        ),
        constant(
            "like_words",
            "text",
            &word_pattern(&LIKE_WORDS),
            "The pattern of the words of which one makes a text the name of a like.",
        ),
        constant("like_signs", "text", &sign_pattern(), "The pattern of a text that is nothing but signs of a like."),
        constant(
            "score_words",
            "text",
            &word_pattern(&SCORE_WORDS),
            "The pattern of the words of which one makes a key the name of a score.",
        ),
        constant(
            "own_properties",
            "jsonb",
            &own_properties(),
            "What the keys that each event type takes hold: the tracker and the gate add them, so no schema names them.",
        ),
        constant(
            "personal_sign",
            "text",
            r#"'[@%&+=\\\u0080-\U0010ffff]|([0-9:-?A-Z.][^0-9:-?A-Z."]*){7}'"#,
            "What every text with something that must not be kept holds, and fewer others do.",
        ),
        constant(
            "telephone_numbers",
            "text",
            &sql_privacy::telephone_numbers(),
            "The pattern of the digits of an international telephone number: a country''s code, and as many as its numbers have.",
        ),
        constant(
            "telephone_words",
            "text",
            &sql_privacy::telephone_words(),
            "The pattern of a word that speaks of a telephone.",
        ),
        constant(
            "infinite",
            "numeric",
            &format!("numeric {}", wrapped_text(INFINITE_DECIMAL)),
            "The least number that rounds to infinity in double precision.",
        ),
    ]);
    units.extend([KEYS, HELPERS].iter().flat_map(|text| units::units(&filled(text))));
    units.extend(SCHEMA.iter().flat_map(|text| units::units(&filled(text))));
    units.extend([NUMBERS, PRIVACY].iter().flat_map(|text| units::units(&sql_privacy::filled(text))));
    units.extend(units::units(TOLD));
    units.push(rule_rows());
    units.extend(sql_judge::judges(RULES));
    units.push(sql_places::unit(&sql_judge::declared(), sql_judge::PREPARED));
    units.extend([REDACTION, PLACE, AUDIT].iter().flat_map(|text| units::units(&filled(text))));
    units
}

/// The constants that the tables and other migrations need too.
pub fn constants() -> Vec<Unit> {
    let seconds = |rule: &Rule| if let Expr::NoTwinWithin(seconds) = rule.must { Some(seconds) } else { None };
    let window = RULES.iter().find_map(seconds).unwrap_or_default();
    let site = format!("{}::uuid", quote(&default_site()));
    vec![
        constant("default_site", "uuid", &site, "The site of an event that names none."),
        constant(
            "fire_window",
            "interval",
            &format!("interval '{window} seconds'"),
            "Events of one session, type and user less than this apart are a double fire.",
        ),
        constant(
            "placeholder_session",
            "text",
            &quote(NO_SESSION),
            "The session of an audit row whose event had none that may be kept.",
        ),
    ]
}

/// The site of an event that names none.
pub fn default_site() -> String {
    taxonomy::read()["default_site"]["id"].as_str().unwrap_or_default().into()
}

fn filled(template: &str) -> String {
    let numbers = [
        ("{{email_bytes}}", limits::EMAIL_BYTES),
        ("{{hash_length}}", limits::HASH_LENGTH),
        ("{{number_length}}", limits::NUMBER_LENGTH),
        // The longest number, moved as far after the point as its exponent can.
        ("{{number_scale}}", limits::NUMBER_LENGTH + limits::MOST_EXPONENT as usize),
        // This is deep enough to see that an event is too deep.
        ("{{counted_depth}}", 2 * limits::MOST_DEPTH),
        ("{{least_number}}", LEAST_NUMBER as usize),
        ("{{most_words}}", most_words()),
        ("{{snapshot_depth}}", limits::SNAPSHOT_DEPTH),
        ("{{snapshot_text}}", limits::SNAPSHOT_TEXT),
        ("{{snapshot_key}}", limits::SNAPSHOT_KEY),
        ("{{snapshot_room}}", limits::METADATA_BYTES - limits::RECORD_BYTES),
        ("{{place_bytes}}", limits::PLACE_BYTES),
        ("{{most_depth}}", limits::MOST_DEPTH),
        ("{{schema_bytes}}", limits::SCHEMA_BYTES),
        ("{{schema_depth}}", limits::SCHEMA_DEPTH),
        ("{{schema_parts}}", limits::SCHEMA_PARTS),
        ("{{schema_chain}}", limits::SCHEMA_CHAIN),
        ("{{schema_nested}}", limits::SCHEMA_NESTED),
        ("{{schema_choices}}", limits::SCHEMA_CHOICES),
        ("{{pattern_positions}}", limits::PATTERN_POSITIONS),
        ("{{pattern_repeats}}", limits::PATTERN_REPEATS),
        ("{{least_session}}", limits::SESSION_LENGTH.0 as usize),
        ("{{most_session}}", limits::SESSION_LENGTH.1 as usize),
    ];
    let columns = format!("array[\n            {}]", wrapped(TEXT_COLUMNS.map(Field::key), "            "));
    let template = template
        .replace("{{version}}", VERSION)
        .replace("{{text_columns}}", &columns)
        .replace("{{whole_keywords}}", &asking_but(&["properties", "required", "additionalProperties", "type"]))
        .replace("{{value_keywords}}", &asking_but(&["type", "enum", "minimum", "maximum", "minLength", "maxLength"]))
        .replace("{{joints}}", STATE_JOINTS)
        .replace("{{empty_hash}}", EMPTY_HASH);
    numbers.iter().fold(template, |text, (name, number)| text.replace(name, &number.to_string()))
}

/// A function that returns one value, so that the value is in one place.
fn constant(name: &str, kind: &str, value: &str, comment: &str) -> Unit {
    Unit::new(&format!(
        "create or replace function audience_gate.{name}()\nreturns {kind}\nlanguage sql\nimmutable\nparallel safe\nset search_path = ''\nas $$\n  select {value}\n$$;\ncomment on function audience_gate.{name}() is\n  {};\n",
        quote(comment)
    ))
}

/// The keywords that ask something of a value, without some.
fn asking_but(without: &[&str]) -> String {
    let asks = |(_, _, meaning): &&(&str, Shape, Meaning)| !matches!(meaning, Meaning::Nothing);
    let names = KEYWORDS.iter().filter(asks).map(|&(name, ..)| name).filter(|name| !without.contains(name));
    list(names)
}

/// A payload schema's properties for the keys that every event type takes.
fn own_properties() -> String {
    let pairs = OWN_KEYS.map(|key| format!("{}, of_own.text", quote(key)));
    format!(
        "jsonb_build_object(\n    {})\n  from (values ('{{\"type\": \"string\", \"maxLength\": {}}}'::jsonb)) of_own (text)",
        pairs.join(",\n    "),
        limits::OWN_TEXT
    )
}

/// Texts as an array, with as many on a line as fit.
fn list(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    format!("array[\n    {}\n  ]", wrapped(texts, "    "))
}

/// Texts as SQL literals, with as many on a line as fit.
fn wrapped(texts: impl IntoIterator<Item = impl AsRef<str>>, indent: &str) -> String {
    let mut out = String::new();
    let mut width = indent.len();
    for text in texts {
        let text = quote(text.as_ref());
        if !out.is_empty() {
            let fits = width + text.len() + 2 <= WIDTH;
            out += if fits { ", " } else { ",\n" };
            width = if fits { width + 2 } else { indent.len() };
            if !fits {
                out += indent;
            }
        }
        width += text.len();
        out += &text;
    }
    out
}

/// A long text as a literal of several lines, which SQL reads as one text.
fn wrapped_text(text: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(100).map(|part| quote(&String::from_utf8_lossy(part))).collect();
    lines.join("\n    ")
}

/// The characters of white space as an escaped literal.
fn white_space() -> String {
    let escaped = |c: char| format!("\\u{:04x}", c as u32);
    let characters: Vec<_> = ('\0'..='\u{ffff}').filter(|c| c.is_whitespace()).map(escaped).collect();
    let lines: Vec<_> = characters.chunks(13).map(|some| some.concat()).collect();
    format!("E'{}'", lines.join("'\n    '"))
}

/// The pattern of a text in small letters that has one of these words.
fn word_pattern(words: &[&str]) -> String {
    format!("'(^|[^a-z])(' || concat_ws('|',\n    {}) || ')([^a-z]|$)'", wrapped(words, "    "))
}

/// The pattern of a text that is signs of a like, with white space and variants around them, and nothing else.
fn sign_pattern() -> String {
    let escaped = |of: &[&str]| -> String { of.concat().chars().map(|c| format!("\\U{:08x}", c as u32)).collect() };
    let (signs, variants) = (escaped(&LIKE_SIGNS), escaped(&SIGN_VARIANTS));
    format!("'^[{variants}]*'\n    '([{signs}]'\n    '[{variants}]*)+$'")
}

fn keys(in_metadata: bool) -> impl Iterator<Item = &'static str> {
    FIELDS.iter().filter(move |(field, _, _)| field.in_metadata() == in_metadata).map(|(_, key, _)| *key)
}

/// An event with no other keys is not looked through for personal ones.
fn harmless_keys() -> BTreeSet<String> {
    let taxonomy = taxonomy::read();
    let schemas =
        taxonomy::entries(&taxonomy, "event_types").iter().map(|entry| &entry["payload_schema"]["properties"]);
    let named = schemas.filter_map(Value::as_object).flat_map(|properties| properties.keys().cloned());
    let all = named.chain(keys(true).map(String::from));
    all.filter(|key| personal_keys::named(key.as_bytes(), &[]).is_none()).collect()
}

/// Texts with a bar before, between and after them, as literals on lines of their own.
fn between_bars(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut out = String::from("'|");
    // After the word before the first literal.
    let mut width = "select ".len();
    for text in texts {
        width += text.as_ref().chars().count() + 1;
        if width > WIDTH - 8 {
            out += "'\n    '";
            width = text.as_ref().chars().count() + 1;
        }
        out = out + text.as_ref() + "|";
    }
    out + "'"
}

fn entries(wanted: fn(&Group) -> bool, list: fn(&Group) -> &'static str) -> impl Iterator<Item = &'static str> {
    let groups = GROUPS.iter().filter(move |group| wanted(group));
    groups.flat_map(move |group| list(group).split('|')).filter(|entry| !entry.is_empty())
}

fn first_words() -> BTreeSet<&'static str> {
    let all = entries(|_| true, |group| group.anywhere).chain(entries(|_| true, |group| group.alone));
    all.filter_map(|entry| entry.split(' ').next()).collect()
}

/// The most words of an entry.
fn most_words() -> usize {
    entries(|_| true, |group| group.anywhere).map(|entry| entry.split(' ').count()).max().unwrap_or_default()
}

/// The rules as rows, with what a refused sender is told.
fn rule_rows() -> Unit {
    let row = |rule: &Rule| {
        format!(
            "  ({}, {},\n    {})",
            quote(rule.id),
            quote(rule.path),
            units::broken(&rule.reason.replace('\'', "''")).join("\n    ")
        )
    };
    let rows: Vec<_> = RULES.iter().map(row).collect();
    let table = "audience_gate.contract_rules";
    Unit {
        name: format!("rows of {table}"),
        text: format!("delete from {table};\ninsert into {table} (id, path, reason) values\n{};\n", rows.join(",\n")),
    }
}
