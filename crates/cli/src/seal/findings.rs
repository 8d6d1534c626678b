//! What a verification finds.

/// How many findings are told one by one.
const SHOWN: usize = 20;
/// How many are held until the first of them are told.
const HELD: usize = 4096;
/// Before all leaves: what is about all of them.
pub const WHOLE: i64 = -1;
/// After all leaves: what has none.
pub const NOWHERE: i64 = i64::MAX;

/// What was found, in the order of the leaves.
#[derive(Default)]
pub struct Findings {
    told: Vec<(i64, String)>,
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
    /// Adds what was found of a leaf.
    pub fn add(&mut self, index: i64, finding: String) {
        self.told.push((index, finding));
        if self.told.len() == HELD {
            self.told.sort();
            self.more += self.told.split_off(HELD / 2).len();
        }
    }

    /// Adds what another thread found.
    pub fn join(&mut self, other: Findings) {
        other.told.into_iter().for_each(|(index, finding)| self.add(index, finding));
        self.more += other.more;
        self.erased += other.erased;
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// A line for each, as far as they are shown.
    pub fn text(&self) -> String {
        let mut told: Vec<_> = self.told.iter().collect();
        told.sort();
        let more = self.more + told.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!("and {more} more\n") } else { String::new() };
        told.iter().take(SHOWN).map(|(_, line)| format!("{line}\n")).collect::<String>() + &more
    }
}
