//! `audience-gate seal verify`: what is stored against what was sealed, and what was sealed against a checkpoint that
//! somebody kept.

use super::form::Row;
use super::leaves::Leaf;
use super::note::Checkpoint;
use super::tree::{Hash, Tree};
use super::{form, leaves};
use crate::connection;
use crate::progress;
use postgres::Transaction;

/// How many leaves a tile has.
const TILE: i64 = 256;
/// How many findings are told one by one.
const SHOWN: usize = 20;

/// What was found, worst first.
#[derive(Default)]
pub struct Findings {
    told: Vec<String>,
    more: usize,
    /// How many leaves there are.
    pub leaves: u64,
    /// How many rows wait to be sealed.
    pub waiting: i64,
    /// How many rows were erased, and say so.
    pub erased: u64,
    /// How many sealed events are of months that the archive does not have.
    pub elsewhere: u64,
}

impl Findings {
    /// Adds a finding.
    pub fn add(&mut self, finding: String) {
        if self.told.len() < SHOWN {
            self.told.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Counts findings that are not told one by one.
    pub fn skip(&mut self, count: usize) {
        self.more += count;
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// A line for each, as far as they are shown.
    pub fn text(&self) -> String {
        let more = if self.more > 0 { format!("and {} more\n", self.more) } else { String::new() };
        self.told.iter().map(|line| format!("{line}\n")).collect::<String>() + &more
    }
}

/// Compares everything in one snapshot.
pub fn verify(snapshot: &mut Transaction, checkpoint: Option<&Checkpoint>) -> Result<Findings, String> {
    let mut findings = Findings::default();
    let tiles = leaves::tiles(snapshot)?;
    let query = "select count(*) from audience_gate.leaf";
    let total: i64 = snapshot.query_one(query, &[]).map_err(|error| connection::explain(&error))?.get(0);
    let bar = progress::rows("verify", total.unsigned_abs());
    let mut order = Order::new(tiles, checkpoint);
    leaves::each(snapshot, "true", &mut |leaf, row| {
        bar.inc(1);
        match row {
            None => findings.add(format!(
                "{} is missing (leaf {}); if its month was detached, restore the month and verify again",
                leaf.name, leaf.index
            )),
            Some(row) => {
                findings.erased += u64::from(leaf.salt.is_none());
                if let Some(fault) = fault(leaf, row) {
                    findings.add(format!("{} {fault} (leaf {})", leaf.name, leaf.index));
                }
            }
        }
        order.add(leaf.index, leaf.hash, &mut |finding| findings.add(finding));
        Ok(())
    })?;
    bar.finish_and_clear();
    order.end(&mut findings, "");
    unsealed(snapshot, &mut findings)?;
    seals(snapshot, &order.tree, &mut findings)?;
    Ok(findings)
}

/// The leaves in their order, against the tops of the tiles and against the checkpoint.
pub struct Order<'a> {
    tree: Tree,
    tile: Tree,
    tiles: Vec<(i64, Hash)>,
    next: i64,
    checkpoint: Option<&'a Checkpoint>,
    /// The root when the tree had as many leaves as the checkpoint covers.
    root_then: Option<Hash>,
}

impl<'a> Order<'a> {
    /// No leaf yet.
    pub fn new(tiles: Vec<(i64, Hash)>, checkpoint: Option<&'a Checkpoint>) -> Self {
        Order { tree: Tree::default(), tile: Tree::default(), tiles, next: 0, checkpoint, root_then: None }
    }

    /// Adds the next leaf.
    pub fn add(&mut self, index: i64, hash: Hash, tell: &mut dyn FnMut(String)) {
        if index != self.next {
            tell(format!("{} leaves before leaf {index} are missing: rows were cut out", index - self.next));
            self.next = index;
        }
        self.tree.add(hash);
        self.tile.add(hash);
        self.next += 1;
        if self.next % TILE == 0 {
            let place = self.next / TILE - 1;
            let stored = usize::try_from(place).ok().and_then(|place| self.tiles.get(place));
            if stored.is_none_or(|(index, top)| *index != place || *top != self.tile.root()) {
                tell(format!(
                    "leaves {} to {} are not those that were sealed: some were changed, swapped or replaced",
                    self.next - TILE,
                    self.next - 1
                ));
            }
            self.tile = Tree::default();
        }
        if self.checkpoint.is_some_and(|checkpoint| checkpoint.size == self.tree.size) {
            self.root_then = Some(self.tree.root());
        }
    }

    /// Compares all of them with the checkpoint; what else may have cut them off is said after it.
    pub fn end(&self, findings: &mut Findings, or: &str) {
        findings.leaves = self.tree.size;
        let Some(checkpoint) = self.checkpoint.filter(|checkpoint| checkpoint.size > 0) else { return };
        match self.root_then {
            None => findings.add(format!(
                "the checkpoint covers {} leaves, and there are {}: the end was cut off{or}",
                checkpoint.size, self.tree.size
            )),
            Some(root) if root != checkpoint.root => findings.add(format!(
                "the first {} leaves do not lead to the root of the checkpoint: the history was rewritten",
                checkpoint.size
            )),
            Some(_) => {}
        }
    }
}

/// What is wrong with a row. One that was erased no longer fits the commitment that was sealed, but the rest of it does,
/// and what was left fits the commitment of an erasure, which is sealed itself with all that it changed.
pub fn fault(leaf: &Leaf, row: &Row) -> Option<&'static str> {
    let is_sealed = form::leaf(&row.entry(), &leaf.commitment) == leaf.hash;
    let contents = row.contents();
    match (&leaf.salt, &leaf.erased) {
        (Some(salt), _) if is_sealed && form::commitment(salt, &contents) == leaf.commitment => None,
        (Some(_), _) => Some("was changed after it was sealed"),
        (None, None) => Some("has no salt, and no erasure says why: it was changed after it was sealed"),
        (None, Some(erased)) if !erased.is_sealed => Some("is said to be erased by an erasure that is not sealed"),
        (None, Some(erased)) if is_sealed && form::commitment(&erased.salt, &contents) == erased.commitment => None,
        (None, Some(_)) => Some("was changed after it was erased"),
    }
}

/// Rows that came in past the queue, which no insert does while the triggers are on.
fn unsealed(snapshot: &mut Transaction, findings: &mut Findings) -> Result<(), String> {
    let explain = |error: postgres::Error| connection::explain(&error);
    findings.waiting = snapshot.query_one("select count(*) from audience_gate.unsealed", &[]).map_err(explain)?.get(0);
    let query = "
        select 'event ' || e.id from public.audience_events e
        where e.contract is not null
          and not exists (select from audience_gate.leaf l where l.event_id = e.id)
          and not exists (select from audience_gate.unsealed u where u.event_id = e.id)
        union all
        select 'change of state ' || h.id from public.audience_state_events h
        where not exists (select from audience_gate.leaf l where l.change_id = h.id)
          and not exists (select from audience_gate.unsealed u where u.change_id = h.id)";
    for row in snapshot.query(query, &[]).map_err(explain)? {
        findings.add(format!("{} was added past the queue, and is not sealed", row.get::<_, String>(0)));
    }
    Ok(())
}

/// The newest seal against the tree.
fn seals(snapshot: &mut Transaction, tree: &Tree, findings: &mut Findings) -> Result<(), String> {
    let query = "select s.size, s.root from audience_gate.seal s order by s.size desc limit 1";
    let Some(newest) = snapshot.query_opt(query, &[]).map_err(|error| connection::explain(&error))? else {
        return Ok(());
    };
    let (size, root): (i64, Vec<u8>) = (newest.get(0), newest.get(1));
    if size.unsigned_abs() != tree.size || *root != tree.root() {
        findings.add(format!("the newest seal, of {size} leaves, is not that of the {} leaves there are", tree.size));
    }
    Ok(())
}
