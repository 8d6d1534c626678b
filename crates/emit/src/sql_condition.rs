//! Conditions in SQL: what is settled is folded away, and what is left is broken into lines.

/// How many characters a line of generated SQL has at most.
pub const WIDTH: usize = 118;

/// A condition that is true or false, never null.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Settled before any event is seen.
    Settled(bool),
    /// A comparison, a call or a `case`, and its opposite.
    Atom(String, String),
    /// Tests of a value, and whether all of them have to pass.
    Tested {
        /// The tests.
        tests: Vec<String>,
        /// What they count as if there is no value, and they are null.
        otherwise: bool,
        /// Whether they have to pass.
        holds: bool,
    },
    /// All of them hold.
    All(Vec<Condition>),
    /// At least one of them holds.
    Any(Vec<Condition>),
}

use Condition::{All, Any, Atom, Settled, Tested};

impl Condition {
    /// A condition that `not` negates.
    pub fn atom(holds: impl Into<String>) -> Condition {
        let holds = holds.into();
        let fails = format!("not {holds}");
        Atom(holds, fails)
    }

    /// A condition whose opposite is written differently.
    pub fn pair(holds: impl Into<String>, fails: impl Into<String>) -> Condition {
        Atom(holds.into(), fails.into())
    }

    /// Tests of a value. Without a value they are null, which counts as this.
    pub fn tested(tests: &[&str], otherwise: bool) -> Condition {
        Tested { tests: tests.iter().map(|test| test.to_string()).collect(), otherwise, holds: true }
    }

    /// The condition that all of them hold.
    pub fn all(parts: impl IntoIterator<Item = Condition>) -> Condition {
        joined(parts, true)
    }

    /// The condition that at least one of them holds.
    pub fn any(parts: impl IntoIterator<Item = Condition>) -> Condition {
        joined(parts, false)
    }

    /// The condition that it does not hold.
    pub fn negated(self) -> Condition {
        match self {
            Settled(holds) => Settled(!holds),
            Atom(holds, fails) => Atom(fails, holds),
            Tested { tests, otherwise, holds } => Tested { tests, otherwise, holds: !holds },
            All(parts) => Condition::any(parts.into_iter().map(Condition::negated)),
            Any(parts) => Condition::all(parts.into_iter().map(Condition::negated)),
        }
    }

    /// The condition as SQL, with all lines but the first this far from the margin.
    pub fn written(&self, indent: usize) -> String {
        let flat = self.flat();
        if indent + flat.len() <= WIDTH && !flat.contains('\n') {
            return flat;
        }
        let pad = format!("\n{}", " ".repeat(indent));
        match self {
            All(parts) => lines(parts, indent, &format!("{pad}and ")),
            Any(parts) => lines(parts, indent, &format!("{pad}or ")),
            Tested { tests, otherwise, holds } => {
                let not = if *holds { "" } else { "not " };
                format!("{not}coalesce({pad}  {},{pad}  {otherwise}{pad})", tests.join(&format!("{pad}  and ")))
            }
            _ => flat.replace('\n', &pad),
        }
    }

    fn flat(&self) -> String {
        match self {
            Settled(holds) => holds.to_string(),
            Atom(holds, _) => holds.clone(),
            Tested { tests, otherwise, holds } => {
                let not = if *holds { "" } else { "not " };
                format!("{not}coalesce({}, {otherwise})", tests.join(" and "))
            }
            All(parts) => parts.iter().map(Condition::grouped).collect::<Vec<_>>().join(" and "),
            Any(parts) => parts.iter().map(Condition::grouped).collect::<Vec<_>>().join(" or "),
        }
    }

    fn grouped(&self) -> String {
        if matches!(self, All(_) | Any(_)) { format!("({})", self.flat()) } else { self.flat() }
    }
}

fn joined(parts: impl IntoIterator<Item = Condition>, neutral: bool) -> Condition {
    let mut left = Vec::new();
    for part in parts {
        match part {
            Settled(holds) if holds == neutral => {}
            Settled(holds) => return Settled(holds),
            All(inner) if neutral => left.extend(inner),
            Any(inner) if !neutral => left.extend(inner),
            part => left.push(part),
        }
    }
    // A part that both holds and does not hold settles it.
    if left.iter().any(|part| left.contains(&part.clone().negated())) {
        return Settled(!neutral);
    }
    match (left.pop(), left.is_empty()) {
        (None, _) => Settled(neutral),
        (Some(only), true) => only,
        (Some(last), false) => {
            left.push(last);
            if neutral { All(left) } else { Any(left) }
        }
    }
}

/// Parts, one per line; a part that has several parts of its own is in brackets.
fn lines(parts: &[Condition], indent: usize, separator: &str) -> String {
    let written = |part: &Condition| {
        let flat = part.grouped();
        if indent + 4 + flat.len() <= WIDTH && !flat.contains('\n') {
            return flat;
        }
        match part {
            All(_) | Any(_) => {
                let inner = indent + 2;
                format!("(\n{}{}\n{})", " ".repeat(inner), part.written(inner), " ".repeat(indent))
            }
            _ => part.written(indent),
        }
    };
    parts.iter().map(written).collect::<Vec<_>>().join(separator)
}
