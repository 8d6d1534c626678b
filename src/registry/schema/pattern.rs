//! The patterns of schemas: a grammar that means the same in every engine, matched in a time that grows with the text
//! and never with what was tried.

use crate::contract::limits::{PATTERN_POSITIONS, PATTERN_REPEATS};

/// A pattern, compiled; a jump is relative, so that what is repeated is simply copied.
#[derive(Debug)]
pub struct Pattern {
    steps: Vec<Step>,
    sets: Vec<Set>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Takes one character of the set.
    Take(usize),
    /// Goes on at both places.
    Split(isize, isize),
    Jump(isize),
    Start,
    End,
}

/// Ranges of code points, or all others.
#[derive(Debug, Default)]
struct Set {
    ranges: Vec<(u32, u32)>,
    is_negated: bool,
}

const DIGITS: &[(u32, u32)] = &[(0x30, 0x39)];
const WORD: &[(u32, u32)] = &[(0x41, 0x5a), (0x61, 0x7a), (0x30, 0x39), (0x5f, 0x5f)];
const LINE_ENDS: &[(u32, u32)] = &[(0x0a, 0x0a), (0x0d, 0x0d), (0x2028, 0x2029)];
/// White space as ECMAScript lists it.
const SPACE: &[(u32, u32)] = &[
    (0x09, 0x0d),
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
    (0xfeff, 0xfeff),
];

impl Set {
    fn has(&self, code: u32) -> bool {
        self.ranges.iter().any(|&(low, high)| (low..=high).contains(&code)) != self.is_negated
    }
}

/// A group that is being read: its finished branches, and the one at hand.
#[derive(Default)]
struct Group {
    branches: Vec<Vec<Step>>,
    branch: Vec<Step>,
    /// How many positions it expands to so far.
    positions: usize,
    /// The last atom, if it can be repeated: where it begins in the branch, and its positions.
    atom: Option<(usize, usize)>,
}

impl Group {
    fn take(&mut self, steps: &[Step], positions: usize) {
        self.atom = Some((self.branch.len(), positions));
        self.branch.extend_from_slice(steps);
        self.positions += positions;
    }

    fn anchor(&mut self, step: Step) {
        self.atom = None;
        self.branch.push(step);
    }

    fn end_branch(&mut self) {
        self.atom = None;
        let branch = std::mem::take(&mut self.branch);
        // One that takes no character needs to be there only once, so that the steps are bounded by the positions.
        let takes = branch.iter().any(|step| matches!(step, Step::Take(_)));
        if takes || !self.branches.contains(&branch) {
            self.branches.push(branch);
        }
    }

    fn end(mut self) -> Vec<Step> {
        self.end_branch();
        let size = self.branches.iter().map(|branch| branch.len() + 2).sum::<usize>() - 2;
        let mut steps = Vec::with_capacity(size);
        let last = self.branches.len() - 1;
        for (index, branch) in self.branches.iter().enumerate() {
            if index < last {
                steps.push(Step::Split(1, branch.len() as isize + 2));
            }
            steps.extend_from_slice(branch);
            if index < last {
                steps.push(Step::Jump((size - steps.len()) as isize));
            }
        }
        steps
    }

    /// Repeats the last atom; `None` if there is none.
    fn repeat(&mut self, least: usize, most: Option<usize>) -> Option<()> {
        let (start, positions) = self.atom.take()?;
        self.positions += positions * (most.unwrap_or(0).max(least).max(1) - 1);
        if self.positions > PATTERN_POSITIONS {
            return None;
        }
        let atom = self.branch.split_off(start);
        if atom.is_empty() {
            return Some(());
        }
        let length = atom.len() as isize;
        (0..least).for_each(|_| self.branch.extend_from_slice(&atom));
        match most {
            None => {
                self.branch.push(Step::Split(1, length + 2));
                self.branch.extend_from_slice(&atom);
                self.branch.push(Step::Jump(-length - 1));
            }
            Some(most) => (least..most).for_each(|_| {
                self.branch.push(Step::Split(1, length + 1));
                self.branch.extend_from_slice(&atom);
            }),
        }
        Some(())
    }
}

/// A text that is being read.
struct Source<'a>(std::iter::Peekable<std::str::Chars<'a>>);

impl Source<'_> {
    fn next(&mut self) -> Option<char> {
        self.0.next()
    }

    fn take(&mut self, sign: char) -> bool {
        self.0.next_if_eq(&sign).is_some()
    }

    fn number(&mut self) -> Option<usize> {
        let (mut sum, mut length) = (0, 0);
        while let Some(digit) = self.0.next_if(char::is_ascii_digit) {
            sum = sum * 10 + digit.to_digit(10)? as usize;
            length += 1;
            if length > 3 {
                return None;
            }
        }
        (length > 0).then_some(sum)
    }
}

/// The code point that a backslash and this sign stand for.
fn escaped(sign: char, in_class: bool) -> Option<u32> {
    match sign {
        't' => Some(9),
        'n' => Some(10),
        'v' => Some(11),
        'f' => Some(12),
        'r' => Some(13),
        '-' if in_class => Some(sign.into()),
        _ => r"^$\.*+?()[]{}|/".contains(sign).then_some(sign.into()),
    }
}

/// The characters that a backslash and this sign stand for.
fn class(sign: char) -> Option<&'static [(u32, u32)]> {
    match sign {
        'd' | 'D' => Some(DIGITS),
        'w' | 'W' => Some(WORD),
        's' | 'S' => Some(SPACE),
        _ => None,
    }
}

impl Pattern {
    /// Reads a pattern; `None` if it is outside the grammar or expands too far.
    pub fn read(source: &[u8]) -> Option<Pattern> {
        let mut source = Source(std::str::from_utf8(source).ok()?.chars().peekable());
        let mut sets = Vec::new();
        let mut open = Vec::new();
        let mut group = Group::default();
        // Whether a branch begins here, and whether its anchor has ended it.
        let (mut begins, mut is_closed) = (true, false);
        while let Some(sign) = source.next() {
            if is_closed && sign != '|' {
                return None;
            }
            match sign {
                '^' if open.is_empty() && begins => group.anchor(Step::Start),
                '$' if open.is_empty() => {
                    group.anchor(Step::End);
                    is_closed = true;
                }
                '|' => {
                    group.end_branch();
                    is_closed = false;
                }
                '(' => {
                    if source.take('?') && !source.take(':') {
                        return None;
                    }
                    open.push(std::mem::take(&mut group));
                }
                ')' => {
                    let inner = std::mem::replace(&mut group, open.pop()?);
                    let positions = inner.positions;
                    group.take(&inner.end(), positions);
                }
                '*' => group.repeat(0, None)?,
                '+' => group.repeat(1, None)?,
                '?' => group.repeat(0, Some(1))?,
                '{' => {
                    let least = source.number()?;
                    let most = if source.take(',') {
                        if source.take('}') { None } else { Some(source.number()?) }
                    } else {
                        Some(least)
                    };
                    let is_ended = most.is_none() || source.take('}');
                    if !is_ended
                        || least.max(most.unwrap_or(0)) > PATTERN_REPEATS
                        || most.is_some_and(|most| most < least)
                    {
                        return None;
                    }
                    group.repeat(least, most)?;
                }
                '^' | '$' | ']' | '}' => return None,
                sign => {
                    let set = match sign {
                        '[' => Set::read(&mut source)?,
                        '.' => Set { ranges: LINE_ENDS.to_vec(), is_negated: true },
                        '\\' => {
                            let sign = source.next()?;
                            match class(sign) {
                                Some(class) => Set { ranges: class.to_vec(), is_negated: sign.is_ascii_uppercase() },
                                None => Set::of(escaped(sign, false)?),
                            }
                        }
                        sign => Set::of(sign.into()),
                    };
                    group.take(&[Step::Take(sets.len())], 1);
                    sets.push(set);
                }
            }
            begins = sign == '|';
            if group.positions > PATTERN_POSITIONS {
                return None;
            }
        }
        open.is_empty().then(|| Pattern { steps: group.end(), sets })
    }

    /// Whether the text holds what the pattern describes.
    pub fn matches(&self, text: &[u8]) -> bool {
        let text = std::str::from_utf8(text).unwrap_or_default();
        let (mut here, mut next) = (Vec::new(), Vec::new());
        // The character before which each step was last reached.
        let mut reached = vec![usize::MAX; self.steps.len() + 1];
        let mut signs = text.chars().map(u32::from);
        let mut at = 0;
        loop {
            let sign = signs.next();
            let place = (at, sign.is_none());
            next.push(0);
            for step in next.drain(..) {
                if self.reach(step, place, &mut here, &mut reached) {
                    return true;
                }
            }
            let Some(sign) = sign else { return false };
            for (step, set) in here.drain(..) {
                if self.sets.get(set).is_some_and(|set: &Set| set.has(sign)) {
                    next.push(step + 1);
                }
            }
            at += 1;
        }
    }

    /// Notes the characters that can be taken from a step on, and returns whether the end is reached without any.
    fn reach(&self, step: usize, place: (usize, bool), here: &mut Vec<(usize, usize)>, reached: &mut [usize]) -> bool {
        let mut waiting = vec![step];
        while let Some(step) = waiting.pop() {
            let Some(mark) = reached.get_mut(step).filter(|mark| **mark != place.0) else { continue };
            *mark = place.0;
            match self.steps.get(step) {
                None => return true,
                Some(&Step::Take(set)) => here.push((step, set)),
                Some(&Step::Split(one, other)) => {
                    waiting.extend([step.wrapping_add_signed(other), step.wrapping_add_signed(one)]);
                }
                Some(&Step::Jump(by)) => waiting.push(step.wrapping_add_signed(by)),
                Some(Step::Start) if place.0 == 0 => waiting.push(step + 1),
                Some(Step::End) if place.1 => waiting.push(step + 1),
                Some(Step::Start | Step::End) => {}
            }
        }
        false
    }
}

impl Set {
    fn of(code: u32) -> Set {
        Set { ranges: vec![(code, code)], is_negated: false }
    }

    /// Reads a class after its bracket.
    fn read(source: &mut Source) -> Option<Set> {
        let mut set = Set { is_negated: source.take('^'), ..Set::default() };
        loop {
            let sign = source.next()?;
            if sign == ']' {
                return (!set.ranges.is_empty()).then_some(set);
            }
            let low = match sign {
                '\\' => {
                    let sign = source.next()?;
                    if let Some(class) = class(sign) {
                        let is_range = source.0.peek() == Some(&'-') && source.0.clone().nth(1) != Some(']');
                        if sign.is_ascii_uppercase() || is_range {
                            return None;
                        }
                        set.ranges.extend_from_slice(class);
                        continue;
                    }
                    escaped(sign, true)?
                }
                '-' if !set.ranges.is_empty() && source.0.peek() != Some(&']') => return None,
                sign => sign.into(),
            };
            let mut high = low;
            if source.0.peek() == Some(&'-') && source.0.clone().nth(1).is_some_and(|sign| sign != ']') {
                source.next();
                high = match source.next()? {
                    '\\' => escaped(source.next()?, true)?,
                    sign => sign.into(),
                };
            }
            if high < low {
                return None;
            }
            set.ranges.push((low, high));
        }
    }
}
