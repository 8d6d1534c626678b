//! What must be true of the table of rules itself.

mod support;

use audience_gate::contract::limits::{HASH_LENGTH, MOST_DEPTH, NUMBER_LENGTH};
use audience_gate::contract::personal_keys::named;
use audience_gate::contract::personal_words::{DESCRIBING, GROUPS, QUESTIONING};
use audience_gate::contract::rule::Expr;
use audience_gate::contract::rules::{BLOCKED_JUMPS, RULES, STATES};
use audience_gate::contract::vocabulary::{FIELDS, Fault, Field};

fn check(name: &str, holds: impl Fn(&audience_gate::contract::rule::Rule) -> bool) {
    let wrong: Vec<_> = RULES.iter().filter(|rule| !holds(rule)).map(|rule| rule.id).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:?}");
}

#[test]
fn ids_are_unique_and_well_formed() {
    check("an id occurs twice", |rule| RULES.iter().filter(|other| other.id == rule.id).count() == 1);
    check("an id is not family.name in lower case", |rule| {
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
    check("a reason begins with a capital", |rule| !rule.reason.starts_with(char::is_uppercase));
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
        assert_eq!(named(key.as_bytes(), &[]).is_some(), field == Field::Email, "{key}");
    }
}

#[test]
fn every_word_of_a_key_is_listed_as_keys_are_read() {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte >= 0x80 || byte.is_ascii_lowercase());
    let check = |list: &str| {
        let wrong: Vec<_> = list.split('|').filter(|entry| !entry.split(' ').all(is_word)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    };
    for group in GROUPS {
        check(group.anywhere);
        if !group.alone.is_empty() {
            check(group.alone);
        }
    }
    check(DESCRIBING);
    check(QUESTIONING);
}

#[test]
fn keys_name_personal_data_by_their_words() {
    const PERSONAL: &str = "email e-mail userEmail customer.email mobile tel phonenumber emailaddress useremail username \
        customer_name fname ipaddr clientip client_ip IPAddress remote_addr x-forwarded-for drivers_license creditcard \
        account_number taxid pwd access_token gender age religious_affiliation zip latitude nhs_number vorname nom correo \
        telefono имя メール 姓名 address1 addressLine1 birthDate date_of_birth marital_status email_hash_email";
    const HARMLESS: &str = "has_email email_opened email_verified emails_sent address_count phone_clicks anonymize_ip \
        email_id email_subject email_template email_campaign_id phone_model address_type street_view ip_version \
        credit_card_type contract_address birthday_promo password_strength voIP hashed_email email_sha256 patient_count \
        prescription_count phone_clicked email_hash name product_name race first name_first token_count page_age \
        nom_produit mobile_app";
    let wrong: Vec<_> = PERSONAL
        .split_whitespace()
        .filter(|key| named(key.as_bytes(), &[]).is_none())
        .chain(HARMLESS.split_whitespace().filter(|key| named(key.as_bytes(), &[]).is_some()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// What a sender must be told of the bounds of a rule, in words.
fn bounds(expr: &Expr) -> Vec<String> {
    match *expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().flat_map(bounds).collect(),
        Expr::Not(part) => bounds(part),
        Expr::Readable(Fault::Depth) => vec![MOST_DEPTH.to_string()],
        Expr::Readable(Fault::Number) => vec![format!("{NUMBER_LENGTH} characters")],
        Expr::Sha256(_) => vec![format!("{HASH_LENGTH} lower-case hex digits")],
        Expr::Length(_, 0, most) => vec![most.to_string()],
        Expr::Length(_, least, most) => vec![least.to_string(), format!("{most} characters")],
        Expr::Number(_, least, most) => {
            [Some(least), most].into_iter().flatten().map(|bound| bound.to_string()).collect()
        }
        Expr::MetadataWithin(most) => vec![format!("{most} bytes")],
        Expr::OccurredWithin(ahead, behind) => {
            vec![format!("{} minutes after", ahead / 60), format!("{} days before", behind / 86_400)]
        }
        Expr::NoTwinWithin(seconds) => vec![format!("{seconds} seconds")],
        _ => Vec::new(),
    }
}

/// Whether a text names a bound as a number of its own, not as a part of another.
fn names(text: &str, bound: &str) -> bool {
    text.match_indices(bound).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + bound.len()..]);
        !before.ends_with(|next: char| next.is_ascii_digit()) && !after.starts_with(|next: char| next.is_ascii_digit())
    })
}

#[test]
fn a_reason_tells_the_bounds_that_its_rule_sets() {
    check("a bound is missing in the reason", |rule| bounds(&rule.must).iter().all(|bound| names(rule.reason, bound)));
}

/// The bound that every text of a field, whatever its event, must keep.
fn bound_of(expr: &Expr, field: Field) -> Vec<String> {
    match *expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().flat_map(|part| bound_of(part, field)).collect(),
        Expr::Length(of, ..) | Expr::Sha256(of) | Expr::Number(of, 0, _) if of == field => bounds(expr),
        Expr::MetadataWithin(_) if field == Field::Metadata => bounds(expr),
        Expr::OccurredWithin(..) if field == Field::OccurredAt => bounds(expr),
        _ => Vec::new(),
    }
}

#[test]
fn a_field_tells_the_bounds_that_the_rules_set() {
    let wrong: Vec<_> = FIELDS
        .iter()
        .flat_map(|&(field, key, meaning)| {
            let bounds = RULES.iter().flat_map(move |rule| bound_of(&rule.must, field));
            bounds.filter(|bound| !names(meaning, bound)).map(move |bound| format!("{key}: {bound}"))
        })
        .collect();
    assert!(wrong.is_empty(), "a bound is missing in what a field says it holds: {wrong:?}");
}

#[test]
fn a_gate_without_a_registry_knows_the_states_and_jumps_of_the_taxonomy_that_ships() {
    let listed = |list, keys: &[&str]| -> Vec<Vec<String>> {
        support::listed(list)
            .iter()
            .map(|entry| keys.iter().map(|key| entry[*key].as_str().unwrap_or_default().into()).collect())
            .collect()
    };
    assert_eq!(listed("states", &["id"]), STATES.map(|state| vec![state.to_string()]));
    let jumps = BLOCKED_JUMPS.map(|(from, to)| vec![from.to_string(), to.to_string()]);
    assert_eq!(listed("blocked_jumps", &["from_state", "to_state"]), jumps);
}
