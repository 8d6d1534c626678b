//! The seals beside an archive, in the folder `_seals`: all leaves, what erasures changed, and the tops of full tiles.
//! With them an archive can be verified where there is no database.

use super::form::Row;
use super::leaves::{self, Leaf};
use crate::manifest::Manifest;
use crate::month::moment;
use crate::parquet_in::Input;
use crate::parquet_out::{GROUP_ROWS, Output};
use crate::rows::{Kind, Listed, Rows, Values, listed};
use crate::{connection, folders};
use postgres::{Client, IsolationLevel, Transaction};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// The name of the folder. Readers of whole archives skip names that begin with an underscore.
const FOLDER: &str = "_seals";
/// How many rows a file has, at most.
const FILE_ROWS: u64 = 1_000_000;
/// How many batches of rows are read ahead of whoever sees them.
const AHEAD: usize = 4;

/// A table of the folder.
pub struct Table {
    name: &'static str,
    columns: &'static [Listed],
}

/// The leaves in their order. An event of an archived month has its id and its salt: the rest of it is in the month. Any
/// other row has its entry and its commitment, and nothing that can tell a person.
pub const LEAVES: Table = Table {
    name: "leaves",
    columns: &[
        listed("leaf_index", Kind::Number, true),
        listed("hash", Kind::Bytes, true),
        listed("event_id", Kind::Id, false),
        listed("salt", Kind::Bytes, false),
        listed("entry", Kind::Text, false),
        listed("commitment", Kind::Bytes, false),
        listed("erasure_id", Kind::Id, false),
    ],
};
/// What each erasure changed, in the order in which it is hashed.
pub const ERASED: Table = Table {
    name: "erased",
    columns: &[
        listed("erasure_id", Kind::Id, true),
        listed("event_id", Kind::Id, false),
        listed("change_id", Kind::Number, false),
        listed("commitment", Kind::Bytes, true),
    ],
};
/// The top of each 256 leaves.
pub const TILES: Table =
    Table { name: "tiles", columns: &[listed("tile_index", Kind::Number, true), listed("hash", Kind::Bytes, true)] };

/// A value of a row to be written.
enum Cell<'a> {
    Number(Option<i64>),
    Bytes(Option<&'a [u8]>),
}

/// Writes the seals of a database beside its archive, and says how many; `None` if nothing is sealed.
pub fn write(client: &mut Client, archive: &Path) -> Result<Option<i64>, String> {
    let mut snapshot = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .map_err(|error| connection::explain(&error))?;
    let query = "select to_regclass('audience_gate.leaf') is not null";
    let is_known: bool = snapshot.query_one(query, &[]).map_err(|error| connection::explain(&error))?.get(0);
    if !is_known {
        return Ok(None);
    }
    write_all(&mut snapshot, archive)
}

fn write_all(snapshot: &mut Transaction, archive: &Path) -> Result<Option<i64>, String> {
    let months: HashSet<String> = Manifest::all(archive)?.into_iter().map(|manifest| manifest.month).collect();
    let partial = folders::begin(archive, FOLDER)?;
    let mut count = 0;
    let mut out = Writer::begin(&partial, &LEAVES)?;
    leaves::each(snapshot, "true", &mut |leaf, row| {
        count += 1;
        write_leaf(&mut out, leaf, row, &months)
    })?;
    out.end()?;
    if count == 0 {
        return fs::remove_dir_all(&partial)
            .map(|()| None)
            .map_err(|error| format!("cannot write {}: {error}", partial.display()));
    }
    let mut out = Writer::begin(&partial, &ERASED)?;
    leaves::each_erased(snapshot, &mut |erasure, event, change, _, commitment| {
        out.add([
            Cell::Bytes(Some(erasure.as_bytes())),
            Cell::Bytes(event.map(str::as_bytes)),
            Cell::Number(change),
            Cell::Bytes(Some(commitment)),
        ])
    })?;
    out.end()?;
    let mut out = Writer::begin(&partial, &TILES)?;
    for (index, hash) in leaves::tiles(snapshot)? {
        out.add([Cell::Number(Some(index)), Cell::Bytes(Some(&hash))])?;
    }
    out.end()?;
    folders::put(archive, &partial, FOLDER)?;
    Ok(Some(count))
}

fn write_leaf(out: &mut Writer, leaf: &Leaf, row: Option<&Row>, months: &HashSet<String>) -> Result<(), String> {
    let is_archived = match row {
        Some(Row::Event(event)) => months.contains(moment(event.created_at).get(..7).unwrap_or_default()),
        // Of a month that was detached the database has no rows, so the archive has to have them.
        row => row.is_none(),
    };
    let entry = row.filter(|_| !is_archived).map(Row::entry);
    let salt = leaf.erased.as_ref().map(|erased| &erased.salt).or(leaf.salt.as_ref());
    let commitment = match row.filter(|_| entry.is_some()) {
        Some(row) => Some(leaf.commitment(row)),
        None => leaf.commitment,
    };
    let erasure = leaf.erased.as_ref().map(|erased| erased.erasure.as_bytes());
    out.add([
        Cell::Number(Some(leaf.index)),
        Cell::Bytes(Some(&leaf.hash)),
        Cell::Bytes(leaf.event.as_deref().map(str::as_bytes)),
        Cell::Bytes(salt.filter(|_| is_archived).map(Vec::as_slice)),
        Cell::Bytes(entry.as_deref().map(str::as_bytes)),
        Cell::Bytes(commitment.as_ref().map(<[u8; 32]>::as_slice)),
        Cell::Bytes(erasure.filter(|_| is_archived)),
    ])
}

/// Writes a table as files of bounded size.
struct Writer {
    folder: PathBuf,
    table: &'static Table,
    files: usize,
    output: Option<Output>,
    rows: Rows,
}

impl Writer {
    fn begin(folder: &Path, table: &'static Table) -> Result<Self, String> {
        let folder = folder.join(table.name);
        fs::create_dir(&folder).map_err(|error| format!("cannot write {}: {error}", folder.display()))?;
        Ok(Writer { folder, table, files: 0, output: None, rows: Rows::of(table.columns) })
    }

    fn add<const N: usize>(&mut self, cells: [Cell; N]) -> Result<(), String> {
        for (values, cell) in self.rows.columns.iter_mut().zip(cells) {
            match (values, cell) {
                (Values::Number(numbers), Cell::Number(number)) => numbers.push(number),
                (Values::Text(texts), Cell::Bytes(bytes)) => texts.push(bytes.map(|bytes| bytes.to_vec().into())),
                _ => return Err(format!("a row of {} has another form than its table", self.table.name)),
            }
        }
        if self.rows.len() == GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), String> {
        let cannot = |error: parquet::errors::ParquetError| format!("cannot write {}: {error}", self.folder.display());
        let mut output = match self.output.take() {
            Some(output) => output,
            None => {
                self.files += 1;
                let path = self.folder.join(format!("{:05}.parquet", self.files));
                Output::create(&path, self.table.columns).map_err(cannot)?
            }
        };
        output.write(&self.rows).map_err(cannot)?;
        self.rows.clear();
        if output.rows >= FILE_ROWS {
            output.finish().map_err(cannot)?;
        } else {
            self.output = Some(output);
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), String> {
        if self.rows.len() > 0 || self.files == 0 {
            self.flush()?;
        }
        match self.output {
            None => Ok(()),
            Some(output) => {
                output.finish().map(|_| ()).map_err(|error| format!("cannot write {}: {error}", self.folder.display()))
            }
        }
    }
}

/// Shows the rows of a table of an archive, file by file, while the next ones are being read.
pub fn read(
    archive: &Path,
    table: &Table,
    see: &mut dyn FnMut(&Rows, usize) -> Result<(), String>,
) -> Result<(), String> {
    let folder = archive.join(FOLDER).join(table.name);
    if !folder.exists() {
        return Err(format!(
            "{} has no seals: run `audience-gate archive` on it, once audience_gate.start_sealing() was called",
            archive.display()
        ));
    }
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    let paths: Result<Vec<_>, _> =
        fs::read_dir(&folder).map_err(cannot)?.map(|entry| entry.map(|e| e.path())).collect();
    let mut paths = paths.map_err(cannot)?;
    paths.sort_unstable();
    thread::scope(|scope| {
        let (sender, batches) = sync_channel(AHEAD);
        scope.spawn(move || paths.iter().all(|path| send(path, table, &sender)));
        for rows in batches {
            let rows: Rows = rows?;
            (0..rows.len()).try_for_each(|row| see(&rows, row))?;
        }
        Ok(())
    })
}

/// Sends the rows of a file, and says whether somebody wants more.
fn send(path: &Path, table: &Table, sender: &SyncSender<Result<Rows, String>>) -> bool {
    let cannot = |reason: String| Err(format!("cannot read {}: {reason}", path.display()));
    let mut input = match Input::open_table(path, table.columns) {
        Ok(input) => input,
        Err(reason) => return sender.send(cannot(reason)).is_ok(),
    };
    loop {
        let mut rows = Rows::of(table.columns);
        let sent = match input.next(&mut rows) {
            Ok(false) => return true,
            Ok(true) => sender.send(Ok(rows)),
            Err(reason) => return sender.send(cannot(reason)).is_ok(),
        };
        if sent.is_err() {
            return false;
        }
    }
}
