//! What must hold for a file of any bytes at all, checked on what the fuzzer generates, on the seeds that it has kept, and
//! on damaged copies of sound files.

use crate::input::{Form, Input, MOST_EVENT, Piece};
use crate::parquet_in;
use crate::rows::{COLUMNS, Rows};
use indicatif::ProgressBar;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes as a file, which is gone afterwards.
struct Written(PathBuf);

impl Written {
    fn new(bytes: &[u8], ending: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("audience-gate-{}-{}.{ending}", process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::write(&path, bytes).unwrap();
        Written(path)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

/// A file of rows is read to its end or refused; every column has as many values as the others.
pub fn parquet(bytes: &[u8]) {
    let file = Written::new(bytes, "parquet");
    let Ok(mut input) = parquet_in::Input::open(&file.0, &["id"]) else {
        return;
    };
    let mut rows = Rows::default();
    // Nothing that is read counts once the file is refused.
    while let Ok(true) = input.next(&mut rows) {
        assert_eq!(rows.columns.len(), COLUMNS.len());
        assert!(rows.len() > 0, "it says that there are rows, and there are none");
    }
}

/// A table is read to its end or refused, and no event has a line before that of an earlier one.
pub fn csv(bytes: &[u8]) {
    events(bytes, Form::Csv);
}

/// The same of anything whose form is to be told by its bytes, gzipped or not.
pub fn file(bytes: &[u8]) {
    events(bytes, Form::Auto);
    events(bytes, Form::Json);
}

/// The bytes as the contents of a gzipped file are read as they are.
pub fn gzip(bytes: &[u8]) {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    let is_itself_packed = bytes.starts_with(b"\x1f\x8b");
    let packed = packed.finish().unwrap();
    if !is_itself_packed {
        assert_eq!(events(&packed, Form::Ndjson), events(bytes, Form::Ndjson), "gzip changes what is read");
    }
    events(bytes, Form::Auto);
}

/// Every event that is read, with its number.
fn events(bytes: &[u8], form: Form) -> Vec<(u64, Vec<u8>)> {
    let file = Written::new(bytes, "data");
    let Ok(mut input) = Input::open(&file.0, form, &ProgressBar::hidden()) else {
        return Vec::new();
    };
    let mut piece = Piece::default();
    let mut found: Vec<(u64, Vec<u8>)> = Vec::new();
    loop {
        let more = input.next(&mut piece);
        piece.split();
        let mut start = 0;
        for &(end, number) in &piece.ends {
            let event = piece.bytes.get(start..end).expect("an event ends after it begins");
            start = end;
            assert!(event.len() <= MOST_EVENT + (1 << 20), "an event of {} bytes is kept whole", event.len());
            assert!(found.last().is_none_or(|last| last.0 <= number), "the numbers of events go up");
            found.push((number, event.to_vec()));
        }
        if !matches!(more, Ok(true)) {
            return found;
        }
    }
}
