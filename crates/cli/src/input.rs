//! Files of events as a stream of pieces, each a whole number of events, whatever the file's form and size.

use super::elements::Elements;
use super::lines::Lines;
use super::table::Table;
use audience_gate::parse::space;
use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// How a file writes events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Form {
    /// Told by the file's name, or else by its first bytes.
    Auto,
    /// One JSON object per line.
    Ndjson,
    /// One JSON object, or an array of them.
    Json,
    /// A header of field names (`metadata.KEY` for keys of metadata), then one event per row.
    Csv,
}

/// About how many bytes a piece has.
pub const PIECE: usize = 1 << 20;

/// The longest event that is read whole. Of a longer one, just enough is kept to show that it is too long.
pub const MOST_EVENT: usize = 16 << 20;

/// Some events of a file.
#[derive(Debug, Default)]
pub struct Piece {
    /// The events, one after the other.
    pub bytes: Vec<u8>,
    /// The end of each event in `bytes`, and its number: its line, or its position in the array.
    pub ends: Vec<(usize, u64)>,
    /// The number of the first line, if each line is an event and `ends` is still to be found.
    pub first_line: Option<u64>,
}

impl Piece {
    /// Clears the events but keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.first_line = None;
    }

    /// Whether it holds nothing, not even an empty event.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.ends.is_empty()
    }

    /// Where the event begins that has no end yet.
    pub fn open(&self) -> usize {
        self.ends.last().map_or(0, |end| end.0)
    }

    /// Whether no event is open, or only white space of one.
    pub fn is_blank(&self) -> bool {
        space::trim(self.bytes.get(self.open()..).unwrap_or_default()).is_empty()
    }

    /// Ends the event whose bytes were added last.
    pub fn close(&mut self, number: u64) {
        self.ends.push((self.bytes.len(), number));
    }

    /// Whether it is large enough to be handed on.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= PIECE
    }

    /// Finds the ends of lines. This is left to whoever judges the piece, because all cores do that. A blank line is
    /// not an event; it becomes white space before the next one.
    pub fn split(&mut self) {
        let Some(first) = self.first_line.take() else {
            return;
        };
        let breaks = memchr::memchr_iter(b'\n', &self.bytes).map(|at| at + 1).chain([self.bytes.len()]);
        let mut start = 0;
        for (end, number) in breaks.zip(first..) {
            if !space::trim(self.bytes.get(start..end).unwrap_or_default()).is_empty() {
                self.ends.push((end, number));
            }
            start = end;
        }
    }
}

/// A file that is read from its beginning to its end.
pub enum Input {
    /// NDJSON.
    Lines(Lines),
    /// JSON.
    Elements(Elements),
    /// CSV.
    Table(Box<Table>),
}

/// What a file is read through.
pub type Source = Box<dyn BufRead + Send>;

impl Input {
    /// Opens a file, or standard input for `-`. Gzip is recognised by its first bytes.
    pub fn open(path: &Path, form: Form, progress: &ProgressBar) -> io::Result<Input> {
        let raw: Box<dyn Read + Send> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        } else {
            Box::new(File::open(path)?)
        };
        let raw = if progress.is_hidden() { raw } else { Box::new(progress.wrap_read(raw)) };
        let mut source: Source = Box::new(BufReader::new(raw));
        if source.fill_buf()?.starts_with(b"\x1f\x8b") {
            source = Box::new(BufReader::new(MultiGzDecoder::new(source)));
        }
        if source.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
            source.consume(3);
        }
        let mut line = 1;
        let form = match form {
            Form::Auto => match named(path) {
                Some(form) => form,
                None => {
                    line += skip_space(&mut source)?;
                    recognise(path, source.fill_buf()?)
                }
            },
            known => known,
        };
        Ok(match form {
            Form::Auto | Form::Ndjson => Input::Lines(Lines::new(source, line)),
            Form::Json => Input::Elements(Elements::new(source)),
            Form::Csv => Input::Table(Box::new(Table::new(source)?)),
        })
    }

    /// Fills the piece with the next events, and returns whether there are any. After an error, the piece holds what
    /// was read before it.
    pub fn next(&mut self, piece: &mut Piece) -> io::Result<bool> {
        piece.clear();
        match self {
            Input::Lines(lines) => lines.next(piece)?,
            Input::Elements(elements) => elements.next(piece)?,
            Input::Table(table) => table.next(piece)?,
        }
        Ok(!piece.is_empty())
    }
}

/// Passes over the white space at the beginning, and returns how many lines it ends.
fn skip_space(source: &mut Source) -> io::Result<u64> {
    let mut lines = 0;
    loop {
        let chunk = source.fill_buf()?;
        let blank = space::skip(chunk, 0);
        if blank == 0 {
            return Ok(lines);
        }
        lines += memchr::memchr_iter(b'\n', chunk.get(..blank).unwrap_or_default()).count() as u64;
        source.consume(blank);
    }
}

/// The form that a file's name alone tells.
fn named(path: &Path) -> Option<Form> {
    let name = path.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    if name.ends_with(".csv") {
        return Some(Form::Csv);
    }
    (name.ends_with(".ndjson") || name.ends_with(".jsonl")).then_some(Form::Ndjson)
}

/// The form of another file, by its first bytes after white space. Many files of lines are named .json, and many
/// laid-out objects are not: where the first line does not begin an array, the second tells whether it begins an event or
/// continues one. Nothing at all is no document, and gets a verdict as such.
fn recognise(path: &Path, start: &[u8]) -> Form {
    let name = path.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let mut lines = start.split(|&byte| byte == b'\n').map(space::trim);
    let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let may_go_on = first == b"{" || name.ends_with(".json") && !first.ends_with(b"}");
    let is_laid_out = may_go_on && !second.starts_with(b"{");
    if first.is_empty() || first.starts_with(b"[") || is_laid_out { Form::Json } else { Form::Ndjson }
}
