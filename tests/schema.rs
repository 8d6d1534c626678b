//! JSON Schema in the core: what each keyword means, and which schemas and patterns are refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use audience_gate::contract::limits::REGISTRY_DEPTH;
use audience_gate::parse::tape::Tape;
use audience_gate::registry::schema::keywords::{FORMATS, KEYWORDS, TYPES};
use audience_gate::registry::schema::{Pattern, Schema};
use serde_json::Value;
use std::fs;

/// Reads a schema and judges values by it, written out again as they were.
fn answers(schema: &str, values: &[String]) -> Result<Vec<bool>, String> {
    let read = |text: &str| Tape::read(text.as_bytes(), REGISTRY_DEPTH);
    let schema = Schema::read(read(schema).root()).map_err(|place| String::from_utf8(place).unwrap())?;
    Ok(values.iter().map(|value| schema.fault(read(value).root()).is_none()).collect())
}

#[test]
fn a_schema_means_what_it_means_everywhere() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    let mut files: Vec<_> = fs::read_dir("tests/schema").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let groups: Vec<Value> = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        for group in groups {
            let tests = group["tests"].as_array().unwrap();
            let values: Vec<String> = tests.iter().map(|test| test["data"].to_string()).collect();
            let about = format!("{}: {}", file.display(), group["description"]);
            match answers(&group["schema"].to_string(), &values) {
                Err(reason) => wrong.push(format!("{about}: {reason}")),
                Ok(answers) => {
                    count += answers.len();
                    let failed = tests.iter().zip(answers).filter(|(test, valid)| test["valid"] != *valid);
                    wrong.extend(failed.map(|(test, _)| format!("{about}: {}", test["description"])));
                }
            }
        }
    }
    assert!(count > 0 && wrong.is_empty(), "{count} cases, {} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_keyword_of_the_table_accepts_and_refuses_a_value() {
    let groups: Vec<Value> = serde_json::from_str(&fs::read_to_string("tests/schema/keywords.json").unwrap()).unwrap();
    let shown: Vec<&str> = groups.iter().map(|group| group["keyword"].as_str().unwrap()).collect();
    assert_eq!(shown, KEYWORDS.map(|(keyword, ..)| keyword));
    for (group, keyword) in groups.iter().zip(shown) {
        assert!(group["schema"].to_string().contains(&format!("{keyword:?}:")), "{keyword} is not in its schema");
        let verdicts: Vec<_> = group["tests"].as_array().unwrap().iter().map(|test| &test["valid"]).collect();
        assert_eq!(verdicts, [true, false], "{keyword}");
        for wrong in group["wrong"].as_array().unwrap() {
            let refusal = answers(&format!("{{{keyword:?}:{wrong}}}"), &[]).err().unwrap_or_default();
            assert!(refusal.starts_with(&format!("#/{keyword}")), "{keyword}: {wrong} gives {refusal:?}");
        }
    }
}

#[test]
fn a_schema_that_cannot_be_judged_by_is_refused_with_the_place() {
    let deep = format!("{}true{}", r#"{"items":"#.repeat(33), "}".repeat(33));
    let cases = [
        (r#"{"properties":{"a":{"typ":"string"}}}"#, "#/properties/a/typ"),
        (r#"{"properties":{"a/b~":{"$id":"a"}}}"#, "#/properties/a~1b~0/$id"),
        (r#"{"unevaluatedProperties":false}"#, "#/unevaluatedProperties"),
        (r#"{"type":"strng"}"#, "#/type"),
        (r#"{"type":["string","string"]}"#, "#/type"),
        (r#"{"minLength":1.5}"#, "#/minLength"),
        (r#"{"multipleOf":0}"#, "#/multipleOf"),
        (r#"{"required":["a","a"]}"#, "#/required"),
        (r#"{"format":"email"}"#, "#/format"),
        (r#"{"pattern":"(?=a)"}"#, "#/pattern"),
        (r#"{"patternProperties":{"(?=a)":true}}"#, "#/patternProperties"),
        (r#"{"allOf":[]}"#, "#/allOf"),
        (r#"{"allOf":[true,1]}"#, "#/allOf/1"),
        (r##"{"$ref":"#/$defs/none"}"##, "#/$ref"),
        (r#"{"$ref":"https://example.com/a"}"#, "#/$ref"),
        (&deep, &format!("#{}", "/items".repeat(32))),
    ];
    let found = cases.each_ref().map(|(schema, _)| answers(schema, &[]).err().unwrap_or_default());
    assert_eq!(found, cases.map(|(_, place)| place.to_owned()));
}

#[test]
fn a_schema_that_never_ends_is_given_up() {
    for schema in [
        r##"{"$ref":"#"}"##,
        r##"{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}"##,
        r##"{"not":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}}"##,
    ] {
        assert_eq!(answers(schema, &["1".to_owned()]), Ok(vec![false]), "{schema}");
    }
}

#[test]
fn a_pattern_of_the_grammar_is_taken_and_no_other() {
    let taken = ["", "^a|b$", "^$", "()", "(a|)b", "a||b", "[a-]", "[-a]", r"[\w-]", r"[\d.]+", r"\/\.", "a{0,255}"];
    let refused = [
        "((a{255}){255}){255}",
        "a{256}",
        "a{2,1}",
        "a{,2}",
        "a{x}",
        "a**",
        "a*?",
        "*a",
        "^*",
        "(^a)",
        "(a$)",
        "a^",
        "$a",
        "^^a",
        r"\|^a",
        "(?<n>a)",
        r"\b",
        r"\1",
        r"\p{L}",
        r"\-",
        "[]",
        "[^]",
        "[b-a]",
        r"[\d-z]",
        r"[\D]",
        "[a",
        "a]",
        "a}",
        "{",
        "(a",
        "a)",
        r"a\",
        "(a{10}){101}",
    ];
    let answers = |sources: &[&str]| sources.iter().filter(|source| Pattern::read(source.as_bytes()).is_some()).count();
    assert_eq!((answers(&taken), answers(&refused)), (taken.len(), 0));
}

#[test]
fn a_pattern_of_many_groups_ends() {
    let nested = "(".repeat(30_000) + &")".repeat(30_000);
    let optional = "(".repeat(900) + "a" + &")?".repeat(900) + "$";
    for (source, holds) in [(nested, true), (optional, true), ("((a*)*)*b".to_owned(), false)] {
        let pattern = Pattern::read(source.as_bytes()).unwrap();
        assert_eq!(pattern.matches("a".repeat(8000).as_bytes()), holds);
    }
    for source in ["(|)".repeat(1001), "(".repeat(900) + "a" + &")?".repeat(900) + "{2}"] {
        assert!(Pattern::read(source.as_bytes()).is_none());
    }
}

#[test]
fn postgres_knows_the_same_words() {
    let words = include_str!("../crates/emit/src/schema_words.sql");
    let literal = |open: &str, close: &str, nth: usize| {
        let after = words.split(open).nth(nth).unwrap();
        let inner = after.split(close).next().unwrap();
        serde_json::from_str::<Value>(&format!("{}{inner}{}", &open[1..], &close[..1])).unwrap()
    };
    let shapes = KEYWORDS.map(|(keyword, shape, _)| (keyword.to_owned(), Value::from(snake(&format!("{shape:?}")))));
    assert_eq!(literal("'{", "}'", 1), Value::Object(shapes.into_iter().collect()));
    assert_eq!(literal("'[", "]'", 1), Value::from(TYPES.to_vec()));
    assert_eq!(literal("'[", "]'", 2), Value::from(FORMATS.to_vec()));
}

/// A name of Rust as one of Postgres.
fn snake(name: &str) -> String {
    let spaced = name.chars().map(|sign| if sign.is_uppercase() { format!("_{sign}") } else { sign.into() });
    spaced.collect::<String>().trim_start_matches('_').to_lowercase()
}
