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
}

impl Findings {
    fn add(&mut self, finding: String) {
        if self.told.len() < SHOWN {
            self.told.push(finding);
        } else {
            self.more += 1;
        }
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
    let explain = |error: postgres::Error| connection::explain(&error);
    let tiles: Vec<Vec<u8>> = snapshot
        .query("select t.hash from audience_gate.tile t where t.level = 1 order by t.tile_index", &[])
        .map_err(explain)?
        .iter()
        .map(|row| row.get(0))
        .collect();
    let total: i64 = snapshot.query_one("select count(*) from audience_gate.leaf", &[]).map_err(explain)?.get(0);
    let bar = progress::rows("verify", total.unsigned_abs());
    let (mut tree, mut tile, mut next) = (Tree::default(), Tree::default(), 0i64);
    let mut root_then: Option<Hash> = None;
    leaves::each(snapshot, "true", &mut |leaf, row| {
        bar.inc(1);
        if leaf.index != next {
            let count = leaf.index - next;
            findings.add(format!("{count} leaves before leaf {} are missing: rows were cut out", leaf.index));
            next = leaf.index;
        }
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
        tree.add(leaf.hash);
        tile.add(leaf.hash);
        next += 1;
        if next % TILE == 0 {
            let stored = usize::try_from(next / TILE - 1).ok().and_then(|place| tiles.get(place));
            if stored.is_none_or(|stored| *stored != tile.root()) {
                findings.add(format!(
                    "leaves {} to {} are not those that were sealed: some were changed, swapped or replaced",
                    next - TILE,
                    next - 1
                ));
            }
            tile = Tree::default();
        }
        if checkpoint.is_some_and(|checkpoint| checkpoint.size == tree.size) {
            root_then = Some(tree.root());
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    findings.leaves = tree.size;
    if let Some(checkpoint) = checkpoint {
        match root_then {
            _ if checkpoint.size == 0 => {}
            None => findings.add(format!(
                "the checkpoint covers {} leaves, and there are {}: the end was cut off",
                checkpoint.size, tree.size
            )),
            Some(root) if root != checkpoint.root => findings.add(format!(
                "the first {} leaves do not lead to the root of the checkpoint: the history was rewritten",
                checkpoint.size
            )),
            Some(_) => {}
        }
    }
    unsealed(snapshot, &mut findings)?;
    seals(snapshot, &tree, &mut findings)?;
    Ok(findings)
}

/// What is wrong with a row. One that was erased no longer fits the commitment that was sealed, but the rest of it does,
/// and what was left fits the commitment of an erasure, which is sealed itself with all that it changed.
fn fault(leaf: &Leaf, row: &Row) -> Option<&'static str> {
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
