//! `audience-gate seal verify --archive`: the archive against the seals beside it, and those against a checkpoint that
//! somebody kept. There is no database.

use super::findings::{Findings, NOWHERE};
use super::form::{self, Event};
use super::kept::{self, ERASED, LEAVES, TILES};
use super::leaves::{Erased, NO_ROWS};
use super::note::Checkpoint;
use super::sealed::{Events, Id, Sealed, bits, compared, written};
use super::tree::Hash;
use super::verify::Order;
use crate::manifest::Manifest;
use crate::month::moment;
use crate::parquet_in::Input;
use crate::progress;
use crate::rows::{COLUMNS, CONTRACT, CREATED_AT, REJECTED, Rows, hex};
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What the erasures say that they changed.
#[derive(Default)]
struct Lists {
    /// The digest of what each of them changed.
    digests: HashMap<String, String>,
    /// What each of them left of an event.
    left: HashMap<(String, Id), Hash>,
}

/// Compares everything: the leaves in their order, and then the files, on all cores.
pub fn verify(archive: &Path, checkpoint: Option<&Checkpoint>) -> Result<Findings, String> {
    let months = Manifest::all(archive)?;
    let mut findings = Findings::default();
    let mut tiles = Vec::new();
    kept::read(archive, &TILES, &mut |rows, row| {
        tiles.push((number(rows, 0, row), hash(rows, 1, row)));
        Ok(())
    })?;
    let mut order = Order::new(tiles, checkpoint);
    let lists = lists(archive)?;
    let events = leaves(archive, &months, lists, &mut order, &mut findings)?;
    let mut files = Vec::new();
    for manifest in &months {
        named(archive, manifest, &mut findings)?;
        files.extend(manifest.paths(archive).into_iter().map(|path| (manifest, path)));
    }
    let bar = progress::rows("verify", months.iter().map(|manifest| manifest.rows).sum());
    let next = AtomicUsize::new(0);
    let work = || -> Result<Findings, String> {
        let mut findings = Findings::default();
        while let Some((manifest, path)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            file(path, manifest, &events, &bar, &mut findings)?;
        }
        Ok(findings)
    };
    let cores = thread::available_parallelism().map_or(1, usize::from).min(files.len());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            findings.join(worker.join().map_err(|_| "cannot verify: a thread of its own died")??);
        }
        Ok::<(), String>(())
    })?;
    bar.finish_and_clear();
    for (id, index) in events.missing() {
        findings.add(index, format!("event {id} is missing (leaf {index})"));
    }
    order.end(&mut findings, ", or the archive was written before the checkpoint was signed: archive again");
    Ok(findings)
}

/// Reads what the erasures say that they changed.
fn lists(archive: &Path) -> Result<Lists, String> {
    let (mut digests, mut left): (HashMap<String, Sha256>, _) = (HashMap::new(), HashMap::new());
    kept::read(archive, &ERASED, &mut |rows, row| {
        let Some(erasure) = text(rows, 0, row) else { return Ok(()) };
        let (event, change, commitment) = (text(rows, 1, row), rows.number(2, row), hash(rows, 3, row));
        digests.entry(erasure.to_owned()).or_default().update(form::erased_row(event, change, &commitment));
        if let Some(event) = event.map(str::as_bytes).and_then(bits) {
            left.insert((erasure.to_owned(), event), commitment);
        }
        Ok(())
    })?;
    let digests = digests.into_iter().map(|(erasure, digest)| (erasure, hex(&digest.finalize()))).collect();
    Ok(Lists { digests, left })
}

/// Reads the leaves: their order is that of the tree, and each that stands for no event of the archive says what it
/// does stand for.
fn leaves(
    archive: &Path,
    months: &[Manifest],
    lists: Lists,
    order: &mut Order,
    findings: &mut Findings,
) -> Result<Events, String> {
    let archived: HashSet<&str> = months.iter().map(|manifest| manifest.month.as_str()).collect();
    let newest = months.last().map_or("", |manifest| manifest.month.as_str());
    let (mut events, mut erasures) = (Events::default(), HashMap::new());
    let mut holes = BTreeMap::<String, (i64, u64)>::new();
    kept::read(archive, &LEAVES, &mut |rows, row| {
        let (index, leaf_hash) = (number(rows, 0, row), hash(rows, 1, row));
        order.add(index, leaf_hash, &mut |finding| findings.add(index, finding));
        let Some(entry) = text(rows, 4, row) else {
            let Some(id) = rows.text(2, row).and_then(bits) else {
                findings.add(index, format!("the row of leaf {index} is missing, and nothing says what it was"));
                return Ok(());
            };
            let salt: Option<[u8; 16]> = rows.text(3, row).and_then(|salt| salt.try_into().ok());
            let erased = text(rows, 6, row).map(|erasure| {
                let left = lists.left.get(&(erasure.to_owned(), id)).copied();
                let (is_sealed, commitment) = (left.is_some(), left.unwrap_or_default());
                let erased =
                    salt.map(|salt| Erased { erasure: erasure.to_owned(), is_sealed, salt: salt.to_vec(), commitment });
                Box::new((hash(rows, 5, row), erased))
            });
            events.add(id, Sealed { index, hash: leaf_hash, salt, erased }, findings);
            return Ok(());
        };
        if form::leaf(entry, &hash(rows, 5, row)) != leaf_hash {
            findings.add(index, format!("the entry of leaf {index} was changed after it was sealed"));
        } else if let Some(values) = form::values(entry, "event") {
            let (id, time) = (values.first().unwrap_or(&""), values.get(1).and_then(|time| time.parse().ok()));
            let month = time.map_or_else(String::new, |time| moment(time).chars().take(7).collect());
            findings.elsewhere += 1;
            if archived.contains(month.as_str()) {
                findings.add(index, format!("event {id} is missing from {month} (leaf {index})"));
            } else if month.as_str() < newest {
                holes.entry(month).or_insert((index, 0)).1 += 1;
            }
        } else if let Some(values) = form::values(entry, "erasure") {
            let (id, rows) = (values.first().unwrap_or(&""), values.last().unwrap_or(&""));
            erasures.insert((*id).to_owned(), ((*rows).to_owned(), index));
        }
        Ok(())
    })?;
    for (month, (index, count)) in holes {
        findings.add(index, format!("the archive has no {month}, of which {count} events are sealed"));
    }
    for (erasure, (sealed, index)) in &erasures {
        if lists.digests.get(erasure).map_or(NO_ROWS, String::as_str) != sealed {
            findings.add(*index, format!("erasure {erasure} was changed after it was sealed (leaf {index})"));
        }
    }
    events.settle(|erasure| erasures.contains_key(erasure));
    Ok(events)
}

/// Whether the manifest of a month names all files that are beside it.
fn named(archive: &Path, manifest: &Manifest, findings: &mut Findings) -> Result<(), String> {
    let paths: HashSet<PathBuf> = manifest.paths(archive).into_iter().collect();
    let folder = archive.join(&manifest.month);
    for entry in fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?.flatten()
    {
        if crate::history::is_parquet(&entry.path()) && !paths.contains(&entry.path()) {
            findings.add(NOWHERE, format!("{} was added: the manifest does not name it", entry.path().display()));
        }
    }
    Ok(())
}

/// Compares the rows of a file, which are found by their ids.
fn file(
    path: &Path,
    manifest: &Manifest,
    events: &Events,
    bar: &ProgressBar,
    findings: &mut Findings,
) -> Result<(), String> {
    let names: Vec<_> = COLUMNS.iter().map(|column| column.name).collect();
    let cannot = |reason: String| format!("cannot read {}: {reason}", path.display());
    let mut input = Input::open(path, &names).map_err(cannot)?;
    let mut rows = Rows::default();
    while input.next(&mut rows).map_err(cannot)? {
        bar.inc(rows.len() as u64);
        (0..rows.len()).for_each(|row| compare(event(&rows, row), manifest, events, findings));
    }
    Ok(())
}

fn compare(event: Event, manifest: &Manifest, events: &Events, findings: &mut Findings) {
    if event.contract.is_none() {
        return;
    }
    let month = &manifest.month;
    let Some((id, sealed)) = bits(event.id.as_bytes()).and_then(|id| Some((id, events.find(&id)?))) else {
        let id = event.id;
        findings.add(
            NOWHERE,
            format!("event {id} of {month} is not sealed: it was added, or archived before it was sealed or twice"),
        );
        return;
    };
    let (index, created_at) = (sealed.index, event.created_at);
    let (fault, is_erased) = compared(sealed, event);
    findings.erased += u64::from(is_erased);
    if let Some(fault) = fault {
        findings.add(index, format!("event {} {fault} (leaf {index})", written(&id)));
    } else if !moment(created_at).starts_with(month) {
        findings.add(index, format!("event {} is not of {month}, where it is archived (leaf {index})", written(&id)));
    }
}

/// A row of the archive. What is no text is taken for another one, and is found so.
fn event(rows: &Rows, row: usize) -> Event<'_> {
    let text = |column| text(rows, column, row);
    Event {
        id: text(0).unwrap_or_default(),
        created_at: number(rows, CREATED_AT, row),
        user_id: text(2),
        session_id: text(3).unwrap_or_default(),
        event_type: text(4).unwrap_or_default(),
        event_category: text(5).unwrap_or_default(),
        event_source: text(6).unwrap_or_default(),
        utm: [text(7), text(8), text(9), text(10), text(11)],
        metadata: text(12).unwrap_or_default(),
        site_id: text(13).unwrap_or_default(),
        occurred_at: rows.number(14, row),
        rejected: rows.flag(REJECTED, row),
        contract: text(CONTRACT),
    }
}

fn text(rows: &Rows, column: usize, row: usize) -> Option<&str> {
    rows.text(column, row).map(|text| str::from_utf8(text).unwrap_or("\u{fffd}"))
}

fn number(rows: &Rows, column: usize, row: usize) -> i64 {
    rows.number(column, row).unwrap_or_default()
}

fn hash(rows: &Rows, column: usize, row: usize) -> Hash {
    rows.text(column, row).and_then(|hash| hash.try_into().ok()).unwrap_or_default()
}
