//! `audience-gate seal verify --archive`: the archive against the seals beside it, and those against a checkpoint that
//! somebody kept. There is no database.

use super::form::{self, Event, Row};
use super::kept::{self, ERASED, LEAVES, TILES};
use super::leaves::{Erased, Leaf, NO_ROWS};
use super::note::Checkpoint;
use super::tree::Hash;
use super::verify::{Findings, Order, fault};
use crate::manifest::Manifest;
use crate::month::moment;
use crate::parquet_in::Input;
use crate::progress;
use crate::rows::{COLUMNS, CONTRACT, CREATED_AT, REJECTED, Rows, hex};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::Path;

/// How many findings are held until the first of them are told.
const HELD: usize = 4096;
/// After all leaves: what has none.
const NOWHERE: i64 = i64::MAX;

/// An event that the archive has to have.
struct Sealed {
    index: i64,
    hash: Hash,
    salt: Option<[u8; 16]>,
    /// The commitment that was sealed and the erasure, if it was erased.
    erased: Option<Box<(Hash, String)>>,
}

/// What was found, with the leaf that each finding is about.
#[derive(Default)]
struct Found {
    told: Vec<(i64, String)>,
    findings: Findings,
}

impl Found {
    fn add(&mut self, index: i64, finding: String) {
        self.told.push((index, finding));
        if self.told.len() == HELD {
            self.told.sort();
            let rest = self.told.split_off(HELD / 2);
            self.findings.skip(rest.len());
        }
    }

    fn end(mut self) -> Findings {
        self.told.sort();
        self.told.into_iter().for_each(|(_, finding)| self.findings.add(finding));
        self.findings
    }
}

/// What the seals say that the archive has to hold.
#[derive(Default)]
struct Wanted {
    events: HashMap<u128, Sealed>,
    /// The digest of what each sealed erasure changed, as it was sealed, with its leaf.
    erasures: HashMap<String, (String, i64)>,
    /// What each erasure left of an event.
    left: HashMap<(String, u128), Hash>,
}

/// Compares everything.
pub fn verify(archive: &Path, checkpoint: Option<&Checkpoint>) -> Result<Findings, String> {
    let months = Manifest::all(archive)?;
    let mut found = Found::default();
    let mut tiles = Vec::new();
    kept::read(archive, &TILES, &mut |rows, row| {
        tiles.push((number(rows, 0, row), hash(rows, 1, row)));
        Ok(())
    })?;
    let mut order = Order::new(tiles, checkpoint);
    let mut wanted = leaves(archive, &months, &mut order, &mut found)?;
    erasures(archive, &mut wanted, &mut found)?;
    for manifest in &months {
        month(archive, manifest, &mut wanted, &mut found)?;
    }
    for (id, sealed) in &wanted.events {
        found.add(sealed.index, format!("event {} is missing (leaf {})", uuid(*id), sealed.index));
    }
    order.end(&mut found.findings, ", or the archive was written before the checkpoint was signed: archive again");
    Ok(found.end())
}

/// Reads the leaves: their order is that of the tree, and each that stands for no event of the archive says what it
/// does stand for.
fn leaves(archive: &Path, months: &[Manifest], order: &mut Order, found: &mut Found) -> Result<Wanted, String> {
    let archived: HashSet<&str> = months.iter().map(|manifest| manifest.month.as_str()).collect();
    let newest = months.last().map_or("", |manifest| manifest.month.as_str());
    let (mut wanted, mut holes) = (Wanted::default(), BTreeMap::<String, (i64, u64)>::new());
    kept::read(archive, &LEAVES, &mut |rows, row| {
        let (index, leaf_hash) = (number(rows, 0, row), hash(rows, 1, row));
        order.add(index, leaf_hash, &mut |finding| found.add(index, finding));
        let event = rows.text(2, row).and_then(bits);
        let Some(entry) = text(rows, 4, row) else {
            let Some(id) = event else {
                found.add(index, format!("the row of leaf {index} is missing, and nothing says what it was"));
                return Ok(());
            };
            let erasure = text(rows, 6, row).map(|erasure| Box::new((hash(rows, 5, row), erasure.to_owned())));
            let salt = rows.text(3, row).and_then(|salt| salt.try_into().ok());
            if wanted.events.insert(id, Sealed { index, hash: leaf_hash, salt, erased: erasure }).is_some() {
                found.add(index, format!("event {} has two leaves (leaf {index})", uuid(id)));
            }
            return Ok(());
        };
        if form::leaf(entry, &hash(rows, 5, row)) != leaf_hash {
            found.add(index, format!("the entry of leaf {index} was changed after it was sealed"));
        } else if let Some(values) = form::values(entry, "event") {
            let (id, time) = (values.first().unwrap_or(&""), values.get(1).and_then(|time| time.parse().ok()));
            let month = time.map_or_else(String::new, |time| moment(time).chars().take(7).collect());
            found.findings.elsewhere += 1;
            if archived.contains(month.as_str()) {
                found.add(index, format!("event {id} is missing from {month} (leaf {index})"));
            } else if month.as_str() < newest {
                holes.entry(month).or_insert((index, 0)).1 += 1;
            }
        } else if let Some(values) = form::values(entry, "erasure") {
            let (id, rows) = (values.first().unwrap_or(&""), values.last().unwrap_or(&""));
            wanted.erasures.insert((*id).to_owned(), ((*rows).to_owned(), index));
        }
        Ok(())
    })?;
    for (month, (index, count)) in holes {
        found.add(index, format!("the archive has no {month}, of which {count} events are sealed"));
    }
    Ok(wanted)
}

/// Compares the list of what each erasure changed with the digest that was sealed.
fn erasures(archive: &Path, wanted: &mut Wanted, found: &mut Found) -> Result<(), String> {
    let mut digests: HashMap<String, Sha256> = HashMap::new();
    kept::read(archive, &ERASED, &mut |rows, row| {
        let Some(erasure) = text(rows, 0, row) else { return Ok(()) };
        let (event, change, commitment) = (text(rows, 1, row), rows.number(2, row), hash(rows, 3, row));
        digests.entry(erasure.to_owned()).or_default().update(form::erased_row(event, change, &commitment));
        if let Some(event) = event.map(str::as_bytes).and_then(bits) {
            wanted.left.insert((erasure.to_owned(), event), commitment);
        }
        Ok(())
    })?;
    let mut digests: HashMap<String, String> =
        digests.into_iter().map(|(erasure, digest)| (erasure, hex(&digest.finalize()))).collect();
    for (erasure, (sealed, index)) in &wanted.erasures {
        if digests.remove(erasure).as_deref().unwrap_or(NO_ROWS) != sealed {
            found.add(*index, format!("erasure {erasure} was changed after it was sealed (leaf {index})"));
        }
    }
    Ok(())
}

/// Compares the rows of a month, which are found by their ids.
fn month(archive: &Path, manifest: &Manifest, wanted: &mut Wanted, found: &mut Found) -> Result<(), String> {
    let paths = manifest.paths(archive);
    let folder = archive.join(&manifest.month);
    for entry in fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?.flatten()
    {
        if crate::history::is_parquet(&entry.path()) && !paths.contains(&entry.path()) {
            found.add(NOWHERE, format!("{} was added: the manifest does not name it", entry.path().display()));
        }
    }
    let names: Vec<_> = COLUMNS.iter().map(|column| column.name).collect();
    let bar = progress::rows(&format!("{} verify", manifest.month), manifest.rows);
    let mut rows = Rows::default();
    for path in paths {
        let cannot = |reason: String| format!("cannot read {}: {reason}", path.display());
        let mut input = Input::open(&path, &names).map_err(cannot)?;
        while input.next(&mut rows).map_err(cannot)? {
            bar.inc(rows.len() as u64);
            (0..rows.len()).for_each(|row| compare(&rows, row, manifest, wanted, found));
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn compare(rows: &Rows, row: usize, manifest: &Manifest, wanted: &mut Wanted, found: &mut Found) {
    let event = event(rows, row);
    if event.contract.is_none() {
        return;
    }
    let id = bits(event.id.as_bytes());
    let Some((id, sealed)) = id.and_then(|id| wanted.events.remove(&id).map(|sealed| (id, sealed))) else {
        let (id, month) = (event.id, &manifest.month);
        found.add(
            NOWHERE,
            format!("event {id} of {month} is not sealed: it was added, or archived before it was sealed or twice"),
        );
        return;
    };
    let (index, name) = (sealed.index, format!("event {}", event.id));
    let is_of_month = moment(event.created_at).starts_with(&manifest.month);
    let row = Row::Event(event);
    let reason = match (sealed.salt, sealed.erased) {
        (Some(salt), None) => {
            let commitment = form::commitment(&salt, &row.contents());
            (form::leaf(&row.entry(), &commitment) != sealed.hash).then_some("was changed after it was sealed")
        }
        (salt, erased) => {
            found.findings.erased += 1;
            let erased = erased.zip(salt).map(|(erased, salt)| {
                let (commitment, erasure) = *erased;
                let left = wanted.left.get(&(erasure.clone(), id)).copied();
                let is_sealed = left.is_some() && wanted.erasures.contains_key(&erasure);
                let left = Erased { erasure, is_sealed, salt: salt.to_vec(), commitment: left.unwrap_or_default() };
                (commitment, left)
            });
            let commitment = erased.as_ref().map_or([0; 32], |(commitment, _)| *commitment);
            let erased = erased.map(|(_, erased)| erased);
            let leaf =
                Leaf { index, name: name.clone(), event: None, salt: None, erased, commitment, hash: sealed.hash };
            fault(&leaf, &row)
        }
    };
    if let Some(reason) = reason {
        found.add(index, format!("{name} {reason} (leaf {index})"));
    } else if !is_of_month {
        found.add(index, format!("{name} is not of {}, where it is archived (leaf {index})", manifest.month));
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

/// The bits of an id.
fn bits(id: &[u8]) -> Option<u128> {
    let digits = id.iter().filter(|byte| **byte != b'-');
    let digit = |bits: u128, byte: &u8| Some(bits << 4 | u128::from((*byte as char).to_digit(16)?));
    digits.take(32).try_fold(0, digit).filter(|_| id.len() == 36)
}

fn uuid(bits: u128) -> String {
    String::from_utf8_lossy(&audience_gate::ids::written((bits >> 64) as u64, bits as u64)).into_owned()
}
