#![no_main]

#[path = "../../tests/support/promises.rs"]
mod promises;
#[path = "../../tests/support/reference/mod.rs"]
mod reference;
#[path = "../../tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| promises::redaction::redact(data));
