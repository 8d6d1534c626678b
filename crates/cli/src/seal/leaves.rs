//! The leaves of the database in order, each with the row that it stands for, if that is there.

use super::form::{Change, Event, Row};
use super::tree::Hash;
use crate::connection;
use crate::copy_out::{Micros, selection};
use crate::rows::COLUMNS;
use postgres::Transaction;
use postgres::binary_copy::{BinaryCopyOutIter, BinaryCopyOutRow};
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::Type;

/// A leaf as it is stored.
pub struct Leaf {
    /// Its place.
    pub index: i64,
    /// The row that it stands for, in words.
    pub name: String,
    /// What was stored with it.
    pub salt: Vec<u8>,
    /// The commitment to what can tell a person.
    pub commitment: Hash,
    /// Its hash.
    pub hash: Hash,
}

const LEAF: [(&str, Type); 6] = [
    ("l.leaf_index", Type::INT8),
    ("l.event_id::text", Type::TEXT),
    ("l.change_id", Type::INT8),
    ("l.salt", Type::BYTEA),
    ("l.commitment", Type::BYTEA),
    ("l.hash", Type::BYTEA),
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
const EVENT_AT: usize = LEAF.len();
const CHANGE_AT: usize = EVENT_AT + COLUMNS.len();

/// What a leaf is shown to: its place is told by the row, which is `None` if it is gone.
pub type See<'a> = dyn FnMut(&Leaf, Option<&Row>) -> Result<(), String> + 'a;

/// Shows all leaves that pass a condition.
pub fn each(snapshot: &mut Transaction, condition: &str, see: &mut See) -> Result<(), String> {
    let named = |(name, kind): (&str, Type)| (name.to_owned(), kind);
    let columns = LEAF.map(named).into_iter().chain(selection("e")).chain(CHANGE.map(named));
    let (names, types): (Vec<_>, Vec<_>) = columns.unzip();
    let query = format!(
        "copy (select {} from audience_gate.leaf l
          left join public.audience_events e on e.id = l.event_id
          left join public.audience_state_events h on h.id = l.change_id
          where {condition} order by l.leaf_index) to stdout (format binary)",
        names.join(", ")
    );
    let reader = snapshot.copy_out(query.as_str()).map_err(|error| connection::explain(&error))?;
    let mut source = BinaryCopyOutIter::new(reader, &types);
    while let Some(row) = source.next().map_err(|error| connection::explain(&error))? {
        let leaf = leaf(&row).map_err(|error| connection::explain(&error))?;
        let found = found(&row).map_err(|error| connection::explain(&error))?;
        see(&leaf, found.as_ref())?;
    }
    Ok(())
}

fn leaf(row: &BinaryCopyOutRow) -> Result<Leaf, postgres::Error> {
    let hash =
        |column| -> Result<Hash, postgres::Error> { Ok(row.try_get::<&[u8]>(column)?.try_into().unwrap_or_default()) };
    let (event, change): (Option<&str>, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
    Ok(Leaf {
        index: row.try_get(0)?,
        name: match (event, change) {
            (Some(id), _) => format!("event {id}"),
            (_, change) => format!("change of state {}", change.unwrap_or_default()),
        },
        salt: row.try_get::<&[u8]>(3)?.to_vec(),
        commitment: hash(4)?,
        hash: hash(5)?,
    })
}

fn found(row: &BinaryCopyOutRow) -> Result<Option<Row<'_>>, postgres::Error> {
    let time = |column| Ok(row.try_get::<Option<Micros>>(column)?.map(|time: Micros| time.0));
    let needed = |time: Option<i64>| time.unwrap_or_default();
    if let Some(id) = row.try_get::<Option<&str>>(EVENT_AT)? {
        let at = |place: usize| EVENT_AT + place;
        return Ok(Some(Row::Event(Event {
            id,
            created_at: needed(time(at(1))?),
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
            occurred_at: time(at(14))?,
            rejected: row.try_get(at(15))?,
            contract: row.try_get(at(16))?,
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
