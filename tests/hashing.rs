//! What is stored of an e-mail address: one value for each, whoever sends it and in whatever form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

mod support;

use audience_gate::gate::{Caller, Gate, Request};
use serde_json::{Value, json};

const ADDRESS: &str = " Reader@Example.com";
/// The SHA-256 of the address once it is normalised.
const PLAIN: &str = "d108b279434fe1d54ac0f1da633564604b26c2e0e221d108b0fbadb87aba02c0";
/// HMAC-SHA-256 of those 64 digits under the pepper, as `openssl dgst -sha256 -hmac pepper` gives it.
const KEYED: &str = "79139854093ed0e8d357cb08669ed6eef5a4098e38bd5072b02633c5842b3330";
const PEPPER: Option<&[u8]> = Some(b"pepper");
const USER: Caller = Caller::User("7c9e6679-7425-40de-944b-e07fc1f90ae7");

/// A subscription with these members of metadata, and others of the event.
fn subscription(metadata: Value, others: Value) -> String {
    let mut event = json!({
        "session_id": "session-0001",
        "event_type": "email_subscribe",
        "event_category": "subscription",
        "event_source": "web",
    });
    for (key, value) in others.as_object().unwrap() {
        event[key] = value.clone();
    }
    event["metadata"] = json!({"channel": "newsletter", "consent_recorded": true});
    for (key, value) in metadata.as_object().unwrap() {
        event["metadata"][key] = value.clone();
    }
    event.to_string()
}

/// The batch that the store gets.
fn batch(body: &str, request: &Request) -> Value {
    let mut gate = Gate::default();
    gate.judge(body.as_bytes(), request);
    support::read(gate.argument())["batch"].clone()
}

#[test]
fn one_address_has_one_stored_value() {
    let address = || json!({"email": ADDRESS});
    let hash = || json!({"email_hash": PLAIN});
    let named = |kind: &str| json!({"email_hash": PLAIN, "email_hash_kind": kind});
    let nothing = || json!({});
    let (plain, keyed) = (|| [json!(PLAIN), json!("sha256")], || [json!(KEYED), json!("hmac-sha256")]);
    let as_sent = || [json!(PLAIN), Value::Null];
    let already = || json!({"email_hash": KEYED, "email_hash_kind": "hmac-sha256"});
    let escaped = || json!({"email_hash": null});
    let cases = [
        ("an address", nothing(), address(), Caller::Visitor, None, plain()),
        ("its hash", hash(), nothing(), Caller::Visitor, None, as_sent()),
        ("both", hash(), address(), Caller::Visitor, None, as_sent()),
        ("a hash of another name", named("hmac-sha256"), nothing(), Caller::Visitor, None, plain()),
        ("a keyed hash of a back end", already(), nothing(), Caller::Trusted, None, keyed()),
        ("an address with the pepper", nothing(), address(), Caller::Visitor, PEPPER, keyed()),
        ("its hash with the pepper", hash(), nothing(), Caller::Visitor, PEPPER, keyed()),
        ("both with the pepper", hash(), address(), Caller::Visitor, PEPPER, keyed()),
        ("an address beside a null", escaped(), address(), Caller::Visitor, PEPPER, keyed()),
        ("a user's", hash(), nothing(), USER, PEPPER, keyed()),
        ("a back end's", hash(), nothing(), Caller::Trusted, PEPPER, keyed()),
        ("a back end's address", nothing(), address(), Caller::Trusted, PEPPER, keyed()),
        ("one that is called plain", named("sha256"), nothing(), Caller::Trusted, PEPPER, keyed()),
        ("one that a visitor calls keyed", named("hmac-sha256"), nothing(), Caller::Visitor, PEPPER, keyed()),
        ("one that a user calls keyed", named("hmac-sha256"), nothing(), USER, PEPPER, keyed()),
        ("one that came with its address", named("hmac-sha256"), address(), Caller::Trusted, PEPPER, keyed()),
        ("one that was keyed before", already(), nothing(), Caller::Trusted, PEPPER, keyed()),
        (
            "an address of a sender who names a kind",
            json!({"email_hash_kind": "rot13"}),
            address(),
            USER,
            None,
            plain(),
        ),
    ];
    let registry = support::registry();
    let mut wrong = Vec::new();
    for (name, metadata, others, caller, pepper, stored) in cases {
        let mut request = support::request(&registry, caller);
        request.context.pepper = pepper;
        let batch = batch(&subscription(metadata, others), &request);
        let row = &batch["accepted"][0];
        let found = [row["metadata"]["email_hash"].clone(), row["metadata"]["email_hash_kind"].clone()];
        let text = batch.to_string();
        let shows_plain = pepper.is_some() && text.contains(PLAIN);
        if found != stored || row["email"] != Value::Null || shows_plain || text.to_lowercase().contains("reader@") {
            wrong.push(format!("{}: {batch}", name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_kept_of_a_rejected_event_shows_no_hash_that_anybody_can_make() {
    let upper = PLAIN.to_uppercase();
    let cases = [
        ("a hash", json!(PLAIN), None, json!(PLAIN), Value::Null),
        ("a hash with the pepper", json!(PLAIN), PEPPER, json!(KEYED), json!("hmac-sha256")),
        ("what is no hash", json!(upper), PEPPER, json!("[redacted:personal]"), Value::Null),
        ("a blank text", json!(" "), PEPPER, json!(" "), Value::Null),
        ("a number", json!(7), PEPPER, json!(7), Value::Null),
    ];
    let registry = support::registry();
    let mut wrong = Vec::new();
    // A note of this length has no room in a record, so that the snapshot is a shortened one.
    for note in ["short".to_owned(), "long ".repeat(1400)] {
        for (name, sent, pepper, hash, kind) in &cases {
            let metadata = json!({"email_hash": sent, "consent_recorded": false, "note": note});
            let mut request = support::request(&registry, Caller::Visitor);
            request.context.pepper = *pepper;
            let batch = batch(&subscription(metadata, json!({})), &request);
            let kept = &batch["rejected"][0]["metadata"]["original_payload_snapshot"]["metadata"];
            if kept["email_hash"] != *hash
                || kept["email_hash_kind"] != *kind
                || kept["consent_recorded"] != json!(false)
            {
                wrong.push(format!("{name}: {batch}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
