//! What must be true of the table of rules itself.

use audience_gate::contract::personal_keys::{PERSONAL_WORDS, names_personal_data};
use audience_gate::contract::rules::RULES;
use audience_gate::contract::vocabulary::{FIELDS, Field};

fn check(name: &str, holds: impl Fn(&audience_gate::contract::rule::Rule) -> bool) {
    let wrong: Vec<_> = RULES.iter().filter(|rule| !holds(rule)).map(|rule| rule.id).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:?}");
}

#[test]
fn ids_are_unique_and_well_formed() {
    check("an id stands twice", |rule| RULES.iter().filter(|other| other.id == rule.id).count() == 1);
    check("an id is not family.name in small letters", |rule| {
        let mut parts = rule.id.split('.');
        let is_word = |part: Option<&str>| {
            part.is_some_and(|word| {
                !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            })
        };
        is_word(parts.next()) && is_word(parts.next()) && parts.next().is_none()
    });
}

#[test]
fn a_rule_of_a_category_is_named_after_it() {
    check("the family is not the category", |rule| {
        rule.category.is_none_or(|category| rule.id.starts_with(&format!("{}.", category.name())))
    });
}

#[test]
fn reasons_say_what_to_send_and_hold_no_value() {
    check("a reason does not say what to do", |rule| rule.reason.contains(';'));
    check("a reason ends like a sentence", |rule| !rule.reason.ends_with('.'));
    check("a reason is not in small letters", |rule| !rule.reason.starts_with(char::is_uppercase));
}

#[test]
fn every_field_is_found_by_its_key_and_by_no_other() {
    for (field, key, _) in FIELDS {
        let (own, other) = match field.in_metadata() {
            true => (Field::of_metadata(key.as_bytes()), Field::top_level(key.as_bytes())),
            false => (Field::top_level(key.as_bytes()), Field::of_metadata(key.as_bytes())),
        };
        assert_eq!((own, other), (Some(field), None), "{key}");
    }
}

#[test]
fn no_field_but_the_address_itself_names_personal_data() {
    for (field, key, _) in FIELDS {
        assert_eq!(names_personal_data(key.as_bytes()), field == Field::Email, "{key}");
    }
}

#[test]
fn personal_words_are_sorted_words_in_small_letters() {
    assert!(PERSONAL_WORDS.lines().is_sorted());
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    assert!(PERSONAL_WORDS.lines().flat_map(|entry| entry.split(' ')).all(is_word));
}
