#![no_main]
#![allow(dead_code, reason = "what the command line writes is not fuzzed")]

#[path = "../../crates/cli/src/elements.rs"]
mod elements;
#[path = "../../crates/cli/tests/support/files.rs"]
mod files;
#[path = "../../crates/cli/src/input.rs"]
mod input;
#[path = "../../crates/cli/src/lines.rs"]
mod lines;
#[path = "../../crates/cli/src/parquet_in.rs"]
mod parquet_in;
#[path = "../../crates/cli/src/rows.rs"]
mod rows;
#[path = "../../crates/cli/src/table.rs"]
mod table;

libfuzzer_sys::fuzz_target!(|data: &[u8]| files::gzip(data));
