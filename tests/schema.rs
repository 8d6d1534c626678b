//! JSON Schema in the core: what each keyword means, and which schemas and patterns are refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use audience_gate::parse::json::Json;
use audience_gate::registry::schema::keywords::{FORMATS, KEYWORDS, TYPES};
use audience_gate::registry::schema::{Pattern, Schema};
use audience_gate::{Caller, Context, Gate, Registry};
use serde_json::Value;
use std::fs;

/// Reads a schema and judges values by it, written out again as they were.
fn answers(schema: &str, values: &[String]) -> Result<Vec<bool>, String> {
    let tree = Json::read(schema.as_bytes()).ok_or("no JSON")?;
    let schema = Schema::read(&tree, false)?;
    Ok(values.iter().map(|value| schema.fault(&Json::event(value.as_bytes())).is_none()).collect())
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
fn a_schema_is_refused_with_the_keyword_and_its_place() {
    let value = "is not one that the keyword takes here";
    let chain = "is reached by more than 16 schemas that look at one and the same value, or leads back to itself";
    let deep = format!("{}true{}", r#"{"items":"#.repeat(32), "}".repeat(32));
    let cases = [
        (r#"{"properties":{"a":{"typ":"string"}}}"#, "the keyword #/properties/a/typ is not supported".to_owned()),
        (r#"{"properties":{"a/b~":{"$id":"a"}}}"#, "the keyword #/properties/a~1b~0/$id is not supported".to_owned()),
        (r#"{"unevaluatedProperties":false}"#, "the keyword #/unevaluatedProperties is not supported".to_owned()),
        (r#"{"type":"strng"}"#, format!("the value of #/type {value}")),
        (r#"{"type":["string","string"]}"#, format!("the value of #/type {value}")),
        (r#"{"minLength":1.5}"#, format!("the value of #/minLength {value}")),
        (r#"{"multipleOf":0}"#, format!("the value of #/multipleOf {value}")),
        (r#"{"required":["a","a"]}"#, format!("the value of #/required {value}")),
        (r#"{"format":"email"}"#, format!("the value of #/format {value}")),
        (r#"{"pattern":"(?=a)"}"#, format!("the value of #/pattern {value}")),
        (r#"{"allOf":[]}"#, format!("the value of #/allOf {value}")),
        (r#"{"allOf":[1]}"#, "#/allOf/0 is neither an object nor true or false".to_owned()),
        (r##"{"$ref":"#/$defs/none"}"##, "the value of #/$ref names no schema within this one".to_owned()),
        (r#"{"$ref":"https://example.com/a"}"#, format!("the value of #/$ref {value}")),
        (r##"{"$ref":"#"}"##, format!("# {chain}")),
        (r##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/a"}]}}}"##, format!("#/$defs/a {chain}")),
        (&deep, format!("#{} is nested more than 32 deep", "/items".repeat(32))),
    ];
    let found = cases.each_ref().map(|(schema, _)| answers(schema, &[]).err().unwrap_or_default());
    assert_eq!(found, cases.map(|(_, refusal)| refusal));
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
    for source in ["(".repeat(30_000) + &")".repeat(30_000), "(|)".repeat(20_000), "((a*)*)*b".to_owned()] {
        let pattern = Pattern::read(source.as_bytes()).unwrap();
        assert_eq!(pattern.matches("a".repeat(8000).as_bytes()), !source.ends_with('b'));
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
    let shapes = KEYWORDS.map(|(keyword, shape)| (keyword.to_owned(), Value::from(snake(&format!("{shape:?}")))));
    assert_eq!(literal("'{", "}'", 1), Value::Object(shapes.into_iter().collect()));
    assert_eq!(literal("'[", "]'", 1), Value::from(TYPES.to_vec()));
    assert_eq!(literal("'[", "]'", 2), Value::from(FORMATS.to_vec()));
}

/// A name of Rust as one of Postgres.
fn snake(name: &str) -> String {
    let spaced = name.chars().map(|sign| if sign.is_uppercase() { format!("_{sign}") } else { sign.into() });
    spaced.collect::<String>().trim_start_matches('_').to_lowercase()
}

#[test]
fn an_event_is_judged_by_the_whole_payload_schema_of_its_type() {
    let schema = r#"{"properties":{"plan":{"pattern":"^[a-z]+$"},"days":{"items":{"multipleOf":0.5}}},"required":["plan"],"additionalProperties":false}"#;
    let snapshot = format!(
        r#"{{"version":"1","default_site":"00000000-0000-4000-8000-000000000001","event_types":[{{"id":"page_view","category":"engagement","payload_schema":{schema}}}],"rules":[],"states":[],"blocked_jumps":[]}}"#
    );
    let registry = Registry::from_json(snapshot.as_bytes()).unwrap();
    let context = Context::new(&registry, Caller::Trusted, 1_795_262_400_000_000);
    let mut gate = Gate::default();
    let mut agrees = |metadata: &str| {
        let event = format!(
            r#"{{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{metadata}}}"#
        );
        let violations = gate.check(event.as_bytes(), &context);
        violations.rules().all(|rule| rule.id != "registry.payload")
    };
    let cases = [
        (r#"{"plan":"pro"}"#, true),
        (r#"{"plan":"Pro"}"#, false),
        (r#"{"plan":" "}"#, false),
        (r#"{"plan":null}"#, false),
        (r#"{"plan":"pro","days":null}"#, true),
        (r#"{"plan":"pro","days":[1,2.5]}"#, true),
        (r#"{"plan":"pro","days":[0.7]}"#, false),
        (r#"{"plan":"pro","tracker":"1.0.0"}"#, true),
        (r#"{"plan":"pro","other":1}"#, false),
    ];
    assert_eq!(cases.map(|(metadata, _)| (metadata, agrees(metadata))), cases);
}
