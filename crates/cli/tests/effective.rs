//! The effective contract of an install, from a file and from an address.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

#[path = "support/command.rs"]
mod command;

use audience_gate::contract::rules::RULES;
use audience_gate::registry::taxonomy;
use command::{Ran, folder, run};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

/// A registry with a change in every list.
fn snapshot() -> Value {
    let mut snapshot: Value = serde_json::from_str(&taxonomy::snapshot()).unwrap();
    let rule = |id: &str, mode: &str| {
        json!({ "id": id, "category": null, "event_type": "page_view", "site_id": null, "mode": mode,
            "schema": { "required": ["user_id"] }, "reasons": { "en": "it names nobody; send the user_id" } })
    };
    snapshot["version"] = json!("42");
    snapshot["event_types"].as_array_mut().unwrap().retain(|entry| entry["id"] != "page_view");
    snapshot["event_types"][0]["payload_schema"] = json!({ "required": ["page_path"] });
    let types = snapshot["event_types"].as_array_mut().unwrap();
    types.push(json!({ "id": "webinar_joined", "category": "engagement", "payload_schema": null }));
    snapshot["rule_terms"][0]["inactivity_days"] = json!(21);
    snapshot["states"].as_array_mut().unwrap().push(json!("S9"));
    snapshot["blocked_jumps"].as_array_mut().unwrap().remove(0);
    snapshot["personal_words"] = json!(["loyalty number"]);
    snapshot["own_rules"] = json!([rule("own.named", "enforce"), rule("own.watched", "observe")]);
    snapshot
}

/// What the command prints when a server answers so.
fn told(test: &str, answer: Vec<u8>) -> Ran {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let answering = thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut asked = [0; 4096];
        let length = stream.read(&mut asked).unwrap();
        stream.write_all(&answer).unwrap();
        String::from_utf8_lossy(&asked[..length]).into_owned()
    });
    let words = format!("rules --effective --format json --registry http://{address}/functions/v1/ingest/registry");
    let ran = run(&folder(test), &words, b"");
    let asked = answering.join().unwrap();
    assert!(asked.starts_with("GET /functions/v1/ingest/registry HTTP/1.1\r\n"), "{asked}");
    ran
}

#[test]
fn the_effective_contract_is_what_ships_what_was_changed_and_what_is_the_installs_own() {
    let folder = folder("effective");
    fs::write(folder.join("registry.json"), snapshot().to_string()).unwrap();
    let ran = run(&folder, "rules --effective --registry registry.json --format json", b"");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(found["rules"].as_array().unwrap().len(), RULES.len());
    assert_eq!((&found["registry"], &found["faults"]), (&json!("42"), &json!([])));
    let changes = found["changed"].as_array().unwrap().iter();
    let changes: Vec<_> = changes.map(|one| format!("{} {} {}", one["list"], one["entry"], one["change"])).collect();
    let first = snapshot();
    let changed_type = first["event_types"][0]["id"].clone();
    let terms = first["rule_terms"][0]["id"].clone();
    let shipped: Value = serde_json::from_str(&taxonomy::snapshot()).unwrap();
    let jump = &shipped["blocked_jumps"][0];
    let jump = format!("{} to {}", jump[0].as_str().unwrap(), jump[1].as_str().unwrap());
    assert_eq!(
        changes,
        [
            format!(r#""event_types" {changed_type} "changed""#),
            r#""event_types" "webinar_joined" "added""#.into(),
            r#""event_types" "page_view" "removed""#.into(),
            format!(r#""rules" {terms} "changed""#),
            r#""states" "S9" "added""#.into(),
            format!(r#""blocked_jumps" "{jump}" "removed""#),
            r#""personal_words" "loyalty number" "added""#.into(),
        ]
    );
    assert_eq!(found["own_rules"], snapshot()["own_rules"]);
    let text = run(&folder, "rules --effective --registry registry.json", b"").stdout;
    for line in [
        "changed in registry 42:",
        "webinar_joined                     event type, added",
        "own.watched                        observe; page_view: it names nobody; send the user_id",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
    let ships = run(&folder, "rules --effective", b"").stdout;
    assert!(ships.ends_with(":\nnothing\n\nrules of the install's own:\nnone\n"), "{ships}");
}

#[test]
fn a_registry_can_be_asked_for_at_an_address() {
    let body = snapshot().to_string();
    let (first, second) = body.split_at(body.len() / 2);
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let sized = format!("{ok}Content-Length: {}\r\n\r\n", body.len());
    let chunked = format!(
        "{ok}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:X};x=1\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    for (name, answer) in
        [("sized", format!("{sized}{body}")), ("chunked", chunked), ("open", format!("{ok}\r\n{body}"))]
    {
        let ran = told(&format!("address-{name}"), answer.into_bytes());
        assert_eq!(ran.code, Some(0), "{name}: {}", ran.stderr);
        assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["registry"], "42", "{name}");
    }
    for (name, answer, says) in [
        ("cut", format!("{sized}{first}"), "answers less than it began"),
        ("missing", "HTTP/1.1 404 Not Found\r\n\r\n{}".into(), "answers with the status 404"),
        ("page", format!("{ok}\r\n<html>"), "is not a registry: "),
    ] {
        let ran = told(&format!("address-{name}"), answer.into_bytes());
        assert_eq!(ran.code, Some(2), "{name}: {}", ran.stdout);
        assert!(ran.stderr.contains(says), "{name}: {}", ran.stderr);
    }
    for address in ["http://", "http://ada:secret@127.0.0.1/", "https://x:99999/"] {
        let ran = run(&folder("address"), &format!("rules --effective --registry {address}"), b"");
        assert!(ran.code == Some(2) && ran.stderr.contains("is not an address: send"), "{address}: {}", ran.stderr);
    }
}
