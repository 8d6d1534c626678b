//! Damaged files of every form that is read, and every seed of the fuzz targets: read or refused, never a panic, a hang or
//! a lost event.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says where, and uses a part of what it reads through"
)]

#[path = "../src/elements.rs"]
mod elements;
#[path = "support/files.rs"]
mod files;
#[path = "../src/input.rs"]
mod input;
#[path = "../src/lines.rs"]
mod lines;
#[path = "../src/parquet_in.rs"]
mod parquet_in;
#[path = "../src/parquet_out.rs"]
mod parquet_out;
#[path = "../src/rows.rs"]
mod rows;
#[path = "../src/table.rs"]
mod table;

use rows::{COLUMNS, Kind, Rows, Values};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// How long a damaged file of a few kilobytes may keep its reader, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many damaged copies of each file, in the long form of the test and in the usual one.
fn many() -> usize {
    if std::env::var("AUDIENCE_GATE_LONG").is_ok_and(|long| long == "1") { 10_000 } else { 400 }
}

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

/// One to four wounds: a byte turned, a piece cut out, doubled or overwritten, or the end lost.
fn damaged(sound: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(16)).min(bytes.len());
        match random.below(6) {
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = [0, 0xff, 0x7f, 0x80][random.below(4)],
            3 => drop(bytes.drain(at..end)),
            4 => bytes.extend_from_within(at..end),
            _ => bytes.truncate(at),
        }
        if bytes.is_empty() {
            return bytes;
        }
    }
    bytes
}

fn check(name: &str, sound: &[u8], keeps_its_promise: fn(&[u8])) {
    keeps_its_promise(sound);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let broken: Vec<_> = (0..many())
        .filter_map(|number| {
            let bytes = damaged(sound, &mut random);
            let started = Instant::now();
            let kept = catch_unwind(AssertUnwindSafe(|| keeps_its_promise(&bytes))).is_ok();
            let is_slow = started.elapsed() > PATIENCE;
            (!kept || is_slow).then(|| {
                let path = std::env::temp_dir().join(format!("damaged-{name}-{number}"));
                fs::write(&path, &bytes).unwrap();
                format!("{}{}", path.display(), if is_slow { " (too slow)" } else { "" })
            })
        })
        .collect();
    assert!(broken.is_empty(), "{} of {}:\n{}", broken.len(), many(), broken.join("\n"));
}

fn seeds(target: &str, keeps_its_promise: fn(&[u8])) {
    let folder = format!("{}/../../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!seeds.is_empty(), "there are no seeds in {folder}");
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        assert!(catch_unwind(|| keeps_its_promise(&bytes)).is_ok(), "{} breaks its promise", seed.display());
    }
}

/// A sound file with values in every column.
fn parquet_file() -> Vec<u8> {
    let mut all = Rows::default();
    for (listed, values) in COLUMNS.iter().zip(&mut all.columns) {
        for row in 0..200i64 {
            let is_absent = !listed.is_required && row % 3 == 0;
            match values {
                Values::Text(texts) => texts.push((!is_absent).then(|| {
                    let text = match listed.kind {
                        Kind::Id => format!("0199a7a9-2d7a-7000-8000-{row:012}"),
                        Kind::Json => format!("{{\"page_path\":\"/{row}\"}}"),
                        _ => format!("{}-{row}", listed.name),
                    };
                    text.as_str().into()
                })),
                Values::Number(times) => times.push((!is_absent).then_some(1_795_262_400_000_000 + row)),
                Values::Flag(flags) => flags.push((!is_absent).then_some(row % 2 == 0)),
            }
        }
    }
    let path = std::env::temp_dir().join(format!("audience-gate-sound-{}.parquet", std::process::id()));
    drop(fs::remove_file(&path));
    let mut output = parquet_out::Output::create(&path, &rows::COLUMNS).unwrap();
    output.write(&all).unwrap();
    output.finish().map_err(|error| error.to_string()).unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    bytes
}

const EVENT: &str = r#"{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{"page_path":"/ä\"\\u00e4"}}"#;

#[test]
fn a_damaged_parquet_file_is_refused_or_read() {
    check("parquet", &parquet_file(), files::parquet);
}

#[test]
fn a_damaged_table_is_refused_or_read() {
    let header = "session_id,event_type,event_category,event_source,metadata.page_path,metadata.\"a\"\"b\"";
    let rows: Vec<_> =
        (0..40).map(|row| format!("session-{row},page_view,engagement,web,\"/{row},\n\"\"x\"\"\",")).collect();
    check("csv", format!("{header}\n{}\n", rows.join("\n")).as_bytes(), files::csv);
}

#[test]
fn a_damaged_gzip_file_is_refused_or_read_as_far_as_it_goes() {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all([EVENT; 40].join("\n").as_bytes()).unwrap();
    check("gzip", &packed.finish().unwrap(), files::gzip);
}

#[test]
fn damaged_lines_and_arrays_are_read_to_their_end() {
    check("lines", [EVENT; 20].join("\n").as_bytes(), files::file);
    check("array", format!("[{}]", [EVENT; 20].join(",\n ")).as_bytes(), files::file);
}

#[test]
fn every_seed_of_the_targets_keeps_its_promise() {
    seeds("parquet", files::parquet);
    seeds("csv", files::csv);
    seeds("gzip", files::gzip);
}
