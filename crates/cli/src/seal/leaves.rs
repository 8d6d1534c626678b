//! The leaves of the database in order, each with the row that it stands for, if that is there.

use super::form::{self, Change, Erasure, Event, Row};
use super::sealed::{Id, bits};
use super::tree::Hash;
use crate::connection;
use crate::copy_out::{Micros, selection};
use crate::rows::{COLUMNS, hex};
use postgres::Transaction;
use postgres::binary_copy::{BinaryCopyOutIter, BinaryCopyOutRow};
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::Type;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// A leaf as it is stored.
pub struct Leaf {
    /// Its place.
    pub index: i64,
    /// The row that it stands for, in words.
    pub name: String,
    /// The event that it stands for.
    pub event: Option<String>,
    /// What was stored with it; `None` once the row was erased.
    pub salt: Option<Vec<u8>>,
    /// What the last erasure left, if the row was erased.
    pub erased: Option<Erased>,
    /// The commitment to what can tell a person, once there is no salt.
    pub commitment: Option<Hash>,
    /// Its hash.
    pub hash: Hash,
}

impl Leaf {
    /// The commitment to what can tell a person in its row.
    pub fn commitment(&self, row: &Row) -> Hash {
        let from = |salt: &Vec<u8>| form::commitment(salt, &row.contents());
        self.salt.as_ref().map(from).or(self.commitment).unwrap_or_default()
    }
}

/// A commitment to what an erasure left of a row.
#[derive(Clone)]
pub struct Erased {
    /// The erasure.
    pub erasure: String,
    /// Whether the erasure is sealed, with the list of what it changed.
    pub is_sealed: bool,
    /// The salt.
    pub salt: Vec<u8>,
    /// The commitment.
    pub commitment: Hash,
}

const LEAF: [(&str, Type); 11] = [
    ("l.leaf_index", Type::INT8),
    ("l.event_id::text", Type::TEXT),
    ("l.change_id", Type::INT8),
    ("l.salt", Type::BYTEA),
    ("l.commitment", Type::BYTEA),
    ("l.hash", Type::BYTEA),
    ("l.erasure_id::text", Type::TEXT),
    ("w.leaf_index is not null", Type::BOOL),
    ("coalesce(x.salt, y.salt)", Type::BYTEA),
    ("coalesce(x.commitment, y.commitment)", Type::BYTEA),
    ("coalesce(x.erasure_id, y.erasure_id)::text", Type::TEXT),
];
const ERASURE: [(&str, Type); 6] = [
    ("r.id::text", Type::TEXT),
    ("r.erased_at", Type::TIMESTAMPTZ),
    ("r.subject_kind", Type::TEXT),
    ("r.keep", Type::TEXT),
    ("r.reason", Type::TEXT),
    ("r.erased_by", Type::TEXT),
];
const CHANGE: [(&str, Type); 11] = [
    ("h.id", Type::INT8),
    ("h.site_id::text", Type::TEXT),
    ("h.user_id::text", Type::TEXT),
    ("h.from_state", Type::TEXT),
    ("h.to_state", Type::TEXT),
    ("h.changed_by", Type::TEXT),
    ("h.changed_at", Type::TIMESTAMPTZ),
    ("h.effective_at", Type::TIMESTAMPTZ),
    ("h.rule_id", Type::TEXT),
    ("h.notes", Type::TEXT),
    ("h.event_id::text", Type::TEXT),
];
/// The digest of an erasure that found nothing: SHA-256 of nothing.
pub const NO_ROWS: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const EVENT_AT: usize = LEAF.len();
const CHANGE_AT: usize = EVENT_AT + COLUMNS.len();
const ERASURE_AT: usize = CHANGE_AT + CHANGE.len();

/// What a leaf is shown to: its place is told by the row, which is `None` if it is gone.
pub type See<'a> = dyn FnMut(&Leaf, Option<&Row>) -> Result<(), String> + 'a;

/// Shows all leaves that pass a condition.
pub fn each(snapshot: &mut Transaction, condition: &str, see: &mut See) -> Result<(), String> {
    let named = |(name, kind): (&str, Type)| (name.to_owned(), kind);
    let columns = LEAF.map(named).into_iter().chain(selection("e")).chain(CHANGE.map(named)).chain(ERASURE.map(named));
    let (names, types): (Vec<_>, Vec<_>) = columns.unzip();
    let query = format!(
        "copy (select {} from audience_gate.leaf l
          left join public.audience_events e on e.id = l.event_id
          left join public.audience_state_events h on h.id = l.change_id
          left join audience_gate.erasures r on r.id = l.erasure_id
          left join audience_gate.erased_rows x on x.event_id = l.event_id and x.salt is not null and l.salt is null
          left join audience_gate.erased_rows y on y.change_id = l.change_id and y.salt is not null and l.salt is null
          left join audience_gate.leaf w on w.erasure_id = coalesce(x.erasure_id, y.erasure_id)
          where {condition} order by l.leaf_index) to stdout (format binary)",
        names.join(", ")
    );
    let digests = lists(snapshot)?.digests;
    copied(snapshot, &query, &types, &mut |row| {
        let leaf = leaf(row).map_err(|error| connection::explain(&error))?;
        let found = found(row, &digests).map_err(|error| connection::explain(&error))?;
        see(&leaf, found.as_ref())
    })
}

/// Shows the rows of a binary copy.
pub fn copied(
    snapshot: &mut Transaction,
    query: &str,
    types: &[Type],
    see: &mut dyn FnMut(&BinaryCopyOutRow) -> Result<(), String>,
) -> Result<(), String> {
    let reader = snapshot.copy_out(query).map_err(|error| connection::explain(&error))?;
    let mut source = BinaryCopyOutIter::new(reader, types);
    while let Some(row) = source.next().map_err(|error| connection::explain(&error))? {
        see(&row)?;
    }
    Ok(())
}

fn leaf(row: &BinaryCopyOutRow) -> Result<Leaf, postgres::Error> {
    let hash =
        |column| -> Result<Hash, postgres::Error> { Ok(row.try_get::<&[u8]>(column)?.try_into().unwrap_or_default()) };
    let (event, change, erasure): (Option<&str>, Option<i64>, Option<&str>) =
        (row.try_get(1)?, row.try_get(2)?, row.try_get(6)?);
    let erased = match row.try_get::<Option<&[u8]>>(8)? {
        Some(salt) => Some(Erased {
            erasure: row.try_get(10)?,
            is_sealed: row.try_get(7)?,
            salt: salt.to_vec(),
            commitment: hash(9)?,
        }),
        None => None,
    };
    Ok(Leaf {
        index: row.try_get(0)?,
        event: event.map(str::to_owned),
        name: match (event, change, erasure) {
            (Some(id), ..) => format!("event {id}"),
            (_, Some(id), _) => format!("change of state {id}"),
            (.., erasure) => format!("erasure {}", erasure.unwrap_or_default()),
        },
        salt: row.try_get::<Option<&[u8]>>(3)?.map(<[u8]>::to_vec),
        erased,
        commitment: row.try_get::<Option<&[u8]>>(4)?.and_then(|commitment| commitment.try_into().ok()),
        hash: hash(5)?,
    })
}

/// The tops of all full tiles, in their order.
pub fn tiles(snapshot: &mut Transaction) -> Result<Vec<(i64, Hash)>, String> {
    let query = "select t.tile_index, t.hash from audience_gate.tile t where t.level = 1 order by t.tile_index";
    let rows = snapshot.query(query, &[]).map_err(|error| connection::explain(&error))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get::<_, &[u8]>(1).try_into().unwrap_or_default())).collect())
}

/// What an erasure changed: the erasure, the event or the change of state, the salt unless it was erased again, and the
/// commitment.
pub type SeeErased<'a> = dyn FnMut(&str, Option<&str>, Option<i64>, Option<&[u8]>, &[u8]) -> Result<(), String> + 'a;

/// Shows what each erasure changed, in the order in which it is hashed.
pub fn each_erased(snapshot: &mut Transaction, see: &mut SeeErased) -> Result<(), String> {
    let query = "select r.erasure_id::text, r.event_id::text, r.change_id, r.salt, r.commitment
      from audience_gate.erased_rows r order by r.erasure_id, r.event_id, r.change_id";
    let explain = |error: postgres::Error| connection::explain(&error);
    let mut rows = snapshot.query_raw(query, std::iter::empty::<&str>()).map_err(explain)?;
    while let Some(row) = rows.next().map_err(explain)? {
        see(row.get(0), row.get(1), row.get(2), row.get(3), row.get(4))?;
    }
    Ok(())
}

/// What all erasures changed.
#[derive(Default)]
pub struct Lists {
    /// The digest of what each of them changed.
    pub digests: HashMap<String, String>,
    /// What the last one left of an event. Whether it is sealed itself is not known yet.
    pub left: HashMap<Id, Erased>,
}

/// Reads what all erasures changed.
pub fn lists(snapshot: &mut Transaction) -> Result<Lists, String> {
    let (mut digests, mut left): (HashMap<String, Sha256>, _) = (HashMap::new(), HashMap::new());
    each_erased(snapshot, &mut |erasure, event, change, salt, commitment| {
        digests.entry(erasure.to_owned()).or_default().update(form::erased_row(event, change, commitment));
        if let (Some(id), Some(salt)) = (event.map(str::as_bytes).and_then(bits), salt) {
            let commitment = commitment.try_into().unwrap_or_default();
            left.insert(id, Erased { erasure: erasure.to_owned(), is_sealed: true, salt: salt.to_vec(), commitment });
        }
        Ok(())
    })?;
    let digests = digests.into_iter().map(|(erasure, digest)| (erasure, hex(&digest.finalize()))).collect();
    Ok(Lists { digests, left })
}

/// The event of which the columns begin at a place.
pub fn event(row: &BinaryCopyOutRow, place: usize) -> Result<Option<Event<'_>>, postgres::Error> {
    let at = |column: usize| place + column;
    let time = |column| Ok(row.try_get::<Option<Micros>>(at(column))?.map(|time: Micros| time.0));
    let Some(id) = row.try_get::<Option<&str>>(place)? else { return Ok(None) };
    Ok(Some(Event {
        id,
        created_at: time(1)?.unwrap_or_default(),
        user_id: row.try_get(at(2))?,
        session_id: row.try_get(at(3))?,
        event_type: row.try_get(at(4))?,
        event_category: row.try_get(at(5))?,
        event_source: row.try_get(at(6))?,
        utm: [
            row.try_get(at(7))?,
            row.try_get(at(8))?,
            row.try_get(at(9))?,
            row.try_get(at(10))?,
            row.try_get(at(11))?,
        ],
        metadata: row.try_get(at(12))?,
        site_id: row.try_get(at(13))?,
        occurred_at: time(14)?,
        rejected: row.try_get(at(15))?,
        contract: row.try_get(at(16))?,
    }))
}

fn found<'a>(
    row: &'a BinaryCopyOutRow,
    digests: &'a HashMap<String, String>,
) -> Result<Option<Row<'a>>, postgres::Error> {
    let time = |column| Ok(row.try_get::<Option<Micros>>(column)?.map(|time: Micros| time.0));
    let needed = |time: Option<i64>| time.unwrap_or_default();
    if let Some(event) = event(row, EVENT_AT)? {
        return Ok(Some(Row::Event(event)));
    }
    if let Some(id) = row.try_get::<Option<&str>>(ERASURE_AT)? {
        let at = |place: usize| ERASURE_AT + place;
        return Ok(Some(Row::Erasure(Erasure {
            id,
            erased_at: needed(time(at(1))?),
            subject_kind: row.try_get(at(2))?,
            keep: row.try_get(at(3))?,
            reason: row.try_get(at(4))?,
            erased_by: row.try_get(at(5))?,
            rows: digests.get(id).map_or(NO_ROWS, String::as_str),
        })));
    }
    let Some(id) = row.try_get::<Option<i64>>(CHANGE_AT)? else { return Ok(None) };
    let at = |place: usize| CHANGE_AT + place;
    Ok(Some(Row::Change(Change {
        id,
        site_id: row.try_get(at(1))?,
        user_id: row.try_get(at(2))?,
        from_state: row.try_get(at(3))?,
        to_state: row.try_get(at(4))?,
        changed_by: row.try_get(at(5))?,
        changed_at: needed(time(at(6))?),
        effective_at: needed(time(at(7))?),
        rule_id: row.try_get(at(8))?,
        notes: row.try_get(at(9))?,
        event_id: row.try_get(at(10))?,
    })))
}
