//! Runs every seed of the fuzz targets through the same checks that the targets make.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where")]

#[path = "support/promises.rs"]
mod promises;
#[path = "support/reference/mod.rs"]
mod reference;
mod support;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn check(target: &str, keeps_its_promise: fn(&[u8])) {
    let folder = format!("{}/fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "there are no seeds in {folder}");
    let broken: Vec<_> = seeds
        .iter()
        .filter(|seed| catch_unwind(AssertUnwindSafe(|| keeps_its_promise(&fs::read(seed).unwrap()))).is_err())
        .map(|seed| seed.display().to_string())
        .collect();
    assert!(broken.is_empty(), "{} of {} seeds break a promise:\n{}", broken.len(), seeds.len(), broken.join("\n"));
}

#[test]
fn the_reader_takes_exactly_json_in_every_seed() {
    check("parse", promises::parse);
}

#[test]
fn every_event_of_every_seed_is_answered_and_kept() {
    check("judge", promises::judge);
}

#[test]
fn nothing_personal_is_left_of_any_seed() {
    check("redact", promises::redaction::redact);
}

#[test]
fn every_registry_of_every_seed_is_read_or_refused() {
    check("registry", promises::registry);
}

#[test]
fn every_payload_schema_of_every_seed_is_read_or_refused() {
    check("payload_schema", promises::payload_schema);
}
