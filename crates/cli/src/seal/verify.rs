//! `audience-gate seal verify`: what is stored against what was sealed, and what was sealed against a checkpoint that
//! somebody kept.

use super::findings::{Findings, NOWHERE, WHOLE};
use super::form::{self, Row};
use super::leaves::{self, Leaf, Lists};
use super::note::Checkpoint;
use super::sealed::{Events, Id, Sealed, bits, compared, written};
use super::stored;
use super::tree::{Hash, Tree};
use crate::connection;
use crate::progress;
use postgres::Transaction;
use std::collections::HashSet;

/// How many leaves a tile has.
const TILE: i64 = 256;

/// Compares everything in one snapshot. The log is read as it lies, and each event looks for its leaf: to have them joined
/// and sorted by the database takes three times as long.
pub fn verify(snapshot: &mut Transaction, checkpoint: Option<&Checkpoint>) -> Result<Findings, String> {
    let mut findings = Findings::default();
    let mut order = Order::new(leaves::tiles(snapshot)?, checkpoint);
    let lists = leaves::lists(snapshot)?;
    let mut events = read_leaves(snapshot, &lists, &mut order, &mut findings)?;
    let added = read_events(snapshot, &mut events, &mut findings)?;
    leaves::each(snapshot, "l.event_id is null", &mut |leaf, row| {
        let (name, index) = (&leaf.name, leaf.index);
        match row {
            None => findings.add(index, format!("{name} is missing (leaf {index})")),
            Some(row) => {
                findings.erased += u64::from(leaf.salt.is_none());
                if let Some(fault) = fault(leaf, row) {
                    findings.add(index, format!("{name} {fault} (leaf {index})"));
                }
            }
        }
        Ok(())
    })?;
    order.end(&mut findings, "");
    unsealed(snapshot, &added, &mut findings)?;
    seals(snapshot, &order, &mut findings)?;
    Ok(findings)
}

/// Reads the leaves: their order is that of the tree, and each that stands for an event is looked for.
fn read_leaves(
    snapshot: &mut Transaction,
    lists: &Lists,
    order: &mut Order,
    findings: &mut Findings,
) -> Result<Events, String> {
    let (mut events, mut erasures) = (Events::default(), HashSet::new());
    stored::each_kept(snapshot, &mut |kept| {
        order.add(kept.index, kept.hash, &mut |finding| findings.add(kept.index, finding));
        erasures.extend(kept.erasure);
        if let Some(id) = kept.event {
            let erased = match kept.salt {
                Some(_) => None,
                None => Some(Box::new((kept.commitment.unwrap_or_default(), lists.left.get(&id).cloned()))),
            };
            events.add(id, Sealed { index: kept.index, hash: kept.hash, salt: kept.salt, erased }, findings);
        }
    })?;
    findings.leaves = order.size;
    events.settle(|erasure| bits(erasure.as_bytes()).is_some_and(|erasure| erasures.contains(&erasure)));
    Ok(events)
}

/// Compares all events with their leaves, and returns those that have none.
fn read_events(snapshot: &mut Transaction, events: &mut Events, findings: &mut Findings) -> Result<Vec<Id>, String> {
    let mut added = Vec::new();
    let bar = progress::rows("verify", findings.leaves);
    stored::each_event(snapshot, &mut |event| {
        bar.inc(1);
        let Some(id) = bits(event.id.as_bytes()) else { return };
        let Some(sealed) = events.find(&id) else {
            if events.has(&id) {
                findings.add(NOWHERE, format!("event {} is there twice", event.id));
            } else if event.contract.is_some() {
                added.push(id);
            }
            return;
        };
        let (fault, is_erased) = compared(sealed, event);
        findings.erased += u64::from(is_erased);
        if let Some(fault) = fault {
            findings.add(sealed.index, format!("event {} {fault} (leaf {})", written(&id), sealed.index));
        }
    })?;
    bar.finish_and_clear();
    for (id, index) in events.missing() {
        findings.add(
            index,
            format!(
                "event {id} is missing (leaf {index}); if its month was detached, restore the month and verify again"
            ),
        );
    }
    Ok(added)
}

/// The leaves in their order, against the tops of the tiles and against the checkpoint.
pub struct Order<'a> {
    /// The tops of the tiles that are full.
    full: Tree,
    /// The leaves after them.
    tile: Tree,
    tiles: Vec<(i64, Hash)>,
    /// How many leaves there are.
    size: u64,
    next: i64,
    checkpoint: Option<&'a Checkpoint>,
    /// The root when the tree had as many leaves as the checkpoint covers.
    root_then: Option<Hash>,
}

impl<'a> Order<'a> {
    /// No leaf yet.
    pub fn new(tiles: Vec<(i64, Hash)>, checkpoint: Option<&'a Checkpoint>) -> Self {
        let (full, tile) = (Tree::default(), Tree::default());
        Order { full, tile, tiles, size: 0, next: 0, checkpoint, root_then: None }
    }

    /// Adds the next leaf.
    pub fn add(&mut self, index: i64, hash: Hash, tell: &mut dyn FnMut(String)) {
        if index != self.next {
            tell(format!("{} leaves before leaf {index} are missing: rows were cut out", index - self.next));
            self.next = index;
        }
        self.tile.add(hash);
        self.size += 1;
        self.next += 1;
        if self.next % TILE == 0 {
            let (place, top) = (self.next / TILE - 1, self.tile.root());
            let stored = usize::try_from(place).ok().and_then(|place| self.tiles.get(place));
            if stored.is_none_or(|stored| *stored != (place, top)) {
                tell(format!(
                    "leaves {} to {} are not those that were sealed: some were changed, swapped or replaced",
                    self.next - TILE,
                    self.next - 1
                ));
            }
            self.full.add(top);
            self.tile = Tree::default();
        }
        if self.checkpoint.is_some_and(|checkpoint| checkpoint.size == self.size) {
            self.root_then = Some(self.root());
        }
    }

    /// The root of the leaves so far.
    fn root(&self) -> Hash {
        self.full.root_with(&self.tile)
    }

    /// Compares all of them with the checkpoint; what else may have cut them off is said after it.
    pub fn end(&self, findings: &mut Findings, or: &str) {
        findings.leaves = self.size;
        let Some(checkpoint) = self.checkpoint.filter(|checkpoint| checkpoint.size > 0) else { return };
        let finding = match self.root_then {
            None => format!(
                "the checkpoint covers {} leaves, and there are {}: the end was cut off{or}",
                checkpoint.size, self.size
            ),
            Some(root) if root != checkpoint.root => format!(
                "the first {} leaves do not lead to the root of the checkpoint: the history was rewritten",
                checkpoint.size
            ),
            Some(_) => return,
        };
        findings.add(WHOLE, finding);
    }
}

/// What is wrong with a row. One that was erased no longer fits the commitment that was sealed, but the rest of it does,
/// and what was left fits the commitment of an erasure, which is sealed itself with all that it changed.
pub fn fault(leaf: &Leaf, row: &Row) -> Option<&'static str> {
    let is_sealed = form::leaf(&row.entry(), &leaf.commitment(row)) == leaf.hash;
    match (&leaf.salt, &leaf.erased) {
        (Some(_), _) if is_sealed => None,
        (Some(_), _) => Some("was changed after it was sealed"),
        (None, None) => Some("has no salt, and no erasure says why: it was changed after it was sealed"),
        (None, Some(erased)) if !erased.is_sealed => Some("is said to be erased by an erasure that is not sealed"),
        (None, Some(erased)) if is_sealed && form::commitment(&erased.salt, &row.contents()) == erased.commitment => {
            None
        }
        (None, Some(_)) => Some("was changed after it was erased"),
    }
}

/// Rows that came in past the queue, which no insert does while the triggers are on.
fn unsealed(snapshot: &mut Transaction, added: &[Id], findings: &mut Findings) -> Result<(), String> {
    let explain = |error: postgres::Error| connection::explain(&error);
    findings.waiting = snapshot.query_one("select count(*) from audience_gate.unsealed", &[]).map_err(explain)?.get(0);
    let waiting = if added.is_empty() { HashSet::new() } else { stored::waiting(snapshot)? };
    let mut tell = |name: String| findings.add(NOWHERE, format!("{name} was added past the queue, and is not sealed"));
    added.iter().filter(|id| !waiting.contains(*id)).for_each(|id| tell(format!("event {}", written(id))));
    let query = "
        select h.id from public.audience_state_events h
        where not exists (select from audience_gate.leaf l where l.change_id = h.id)
          and not exists (select from audience_gate.unsealed u where u.change_id = h.id)";
    for row in snapshot.query(query, &[]).map_err(explain)? {
        tell(format!("change of state {}", row.get::<_, i64>(0)));
    }
    Ok(())
}

/// The newest seal against the tree.
fn seals(snapshot: &mut Transaction, order: &Order, findings: &mut Findings) -> Result<(), String> {
    let query = "select s.size, s.root from audience_gate.seal s order by s.size desc limit 1";
    let Some(newest) = snapshot.query_opt(query, &[]).map_err(|error| connection::explain(&error))? else {
        return Ok(());
    };
    let (size, root): (i64, Vec<u8>) = (newest.get(0), newest.get(1));
    if size.unsigned_abs() != order.size || *root != order.root() {
        findings.add(
            WHOLE,
            format!("the newest seal, of {size} leaves, is not that of the {} leaves there are", order.size),
        );
    }
    Ok(())
}
