//! The leaves of the database, and its events, each on their own and as fast as they come.

use super::form::Event;
use super::leaves::{copied, event};
use super::sealed::Id;
use super::tree::Hash;
use crate::connection;
use crate::copy_out::selection;
use postgres::Transaction;
use postgres::binary_copy::BinaryCopyOutRow;
use postgres::types::{FromSql, Type};
use std::collections::HashSet;
use std::error::Error;

/// A leaf without its row.
pub struct Kept {
    /// Its place.
    pub index: i64,
    /// The event that it stands for.
    pub event: Option<Id>,
    /// The erasure that it stands for.
    pub erasure: Option<Id>,
    /// What was stored with it; `None` once the row was erased.
    pub salt: Option<[u8; 16]>,
    /// The commitment to what can tell a person, once there is no salt.
    pub commitment: Option<Hash>,
    /// Its hash.
    pub hash: Hash,
}

/// Shows all leaves in their order, without their rows.
pub fn each_kept(snapshot: &mut Transaction, see: &mut dyn FnMut(Kept)) -> Result<(), String> {
    let query = "copy (select l.leaf_index, l.event_id, l.erasure_id, l.salt, l.commitment, l.hash
      from audience_gate.leaf l order by l.leaf_index) to stdout (format binary)";
    let types = [Type::INT8, Type::UUID, Type::UUID, Type::BYTEA, Type::BYTEA, Type::BYTEA];
    copied(snapshot, query, &types, &mut |row| {
        let kept = kept(row).map_err(|error| connection::explain(&error))?;
        see(kept);
        Ok(())
    })
}

fn kept(row: &BinaryCopyOutRow) -> Result<Kept, postgres::Error> {
    let id = |column| Ok(row.try_get::<Option<Bits>>(column)?.map(|Bits(id)| id));
    Ok(Kept {
        index: row.try_get(0)?,
        event: id(1)?,
        erasure: id(2)?,
        salt: row.try_get::<Option<&[u8]>>(3)?.and_then(|salt| salt.try_into().ok()),
        commitment: row.try_get::<Option<&[u8]>>(4)?.and_then(|commitment| commitment.try_into().ok()),
        hash: row.try_get::<&[u8]>(5)?.try_into().unwrap_or_default(),
    })
}

/// Shows all events, in whatever order they lie.
pub fn each_event(snapshot: &mut Transaction, see: &mut dyn FnMut(Event)) -> Result<(), String> {
    let (names, types): (Vec<_>, Vec<_>) = selection("e").into_iter().unzip();
    let query = format!("copy (select {} from public.audience_events e) to stdout (format binary)", names.join(", "));
    copied(snapshot, &query, &types, &mut |row| {
        event(row, 0).map_err(|error| connection::explain(&error))?.map(&mut *see);
        Ok(())
    })
}

/// The events that wait to be sealed.
pub fn waiting(snapshot: &mut Transaction) -> Result<HashSet<Id>, String> {
    let query =
        "copy (select u.event_id from audience_gate.unsealed u where u.event_id is not null) to stdout (format binary)";
    let mut waiting = HashSet::new();
    copied(snapshot, query, &[Type::UUID], &mut |row| {
        let Bits(id) = row.try_get(0).map_err(|error| connection::explain(&error))?;
        waiting.insert(id);
        Ok(())
    })?;
    Ok(waiting)
}

/// An id as it comes out of the database.
struct Bits(Id);

impl<'a> FromSql<'a> for Bits {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Bits(raw.try_into()?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::UUID
    }
}
