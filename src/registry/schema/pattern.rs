//! The patterns of schemas: a grammar that means the same in every engine, matched in a time that grows with the text
//! and never with what was tried.

use super::source::{Range, Source, class, escaped};
use crate::contract::limits::PATTERN_POSITIONS;

/// A pattern as steps; where a step leads is relative, so that what is repeated is simply copied.
#[derive(Debug, Default)]
pub struct Pattern {
    steps: Vec<Step>,
    ranges: Vec<Range>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Takes one character that is in these ranges, or in none of them.
    Take {
        first: usize,
        end: usize,
        is_negated: bool,
    },
    /// Goes on with the next step, and there.
    Split(isize),
    Jump(isize),
    Start,
    End,
}

const LINE_ENDS: &[Range] = &[(0x0a, 0x0a), (0x0d, 0x0d), (0x2028, 0x2029)];

impl Pattern {
    /// Whether the text holds what the pattern describes.
    #[cold]
    #[inline(never)]
    pub fn matches(&self, text: &[u8]) -> bool {
        let mut signs = std::str::from_utf8(text).unwrap_or_default().chars();
        let (mut waiting, mut here) = (Vec::new(), Vec::new());
        // The character before which each step was last reached.
        let mut reached = vec![usize::MAX; self.steps.len() + 1];
        for at in 0.. {
            let sign = signs.next();
            waiting.push(0);
            while let Some(step) = waiting.pop() {
                match reached.get_mut(step) {
                    Some(mark) if *mark != at => *mark = at,
                    _ => continue,
                }
                match self.steps.get(step) {
                    None => return true,
                    Some(&Step::Take { first, end, is_negated }) => here.push((step, first..end, is_negated)),
                    Some(&Step::Split(by)) => waiting.extend([step.wrapping_add_signed(by), step + 1]),
                    Some(&Step::Jump(by)) => waiting.push(step.wrapping_add_signed(by)),
                    Some(Step::Start) if at == 0 => waiting.push(step + 1),
                    Some(Step::End) if sign.is_none() => waiting.push(step + 1),
                    Some(Step::Start | Step::End) => {}
                }
            }
            let Some(sign) = sign.map(u32::from) else { break };
            for (step, ranges, is_negated) in here.drain(..) {
                let mut ranges = self.ranges.get(ranges).unwrap_or_default().iter();
                if ranges.any(|&(low, high)| low <= sign && sign <= high) != is_negated {
                    waiting.push(step + 1);
                }
            }
        }
        false
    }

    /// Reads a pattern; `None` if it is outside the grammar or expands too far.
    #[cold]
    #[inline(never)]
    pub fn read(source: &[u8]) -> Option<Pattern> {
        let mut source = Source::of(source)?;
        let mut pattern = Pattern::default();
        let (mut open, mut group) = (Vec::new(), Group::default());
        // Whether a branch begins here, and whether its anchor has ended it.
        let (mut begins, mut is_closed) = (true, false);
        while let Some(sign) = source.next() {
            let here = pattern.steps.len();
            let step = match sign {
                '|' => {
                    group.end_branch(&mut pattern.steps);
                    is_closed = false;
                    None
                }
                _ if is_closed => return None,
                '^' if open.is_empty() && begins => Some(Step::Start),
                '$' if open.is_empty() => {
                    is_closed = true;
                    Some(Step::End)
                }
                '(' => {
                    if source.take('?') && !source.take(':') {
                        return None;
                    }
                    open.push(std::mem::replace(&mut group, Group { start: here, branch: here, ..Group::default() }));
                    None
                }
                ')' => {
                    let inner = std::mem::replace(&mut group, open.pop()?);
                    inner.end(&mut pattern.steps);
                    group.positions += inner.positions;
                    group.atom = Some((inner.start, inner.positions));
                    None
                }
                '*' | '+' | '?' | '{' => {
                    let (least, most) = match sign {
                        '*' => (0, None),
                        '+' => (1, None),
                        '?' => (0, Some(1)),
                        _ => source.bounds()?,
                    };
                    group.repeat(&mut pattern.steps, least, most)?;
                    None
                }
                '^' | '$' | ']' | '}' => return None,
                sign => {
                    group.positions += 1;
                    Some(pattern.set(sign, &mut source)?)
                }
            };
            if let Some(step) = step {
                group.atom = matches!(step, Step::Take { .. }).then_some((here, 1));
                pattern.steps.push(step);
            }
            begins = sign == '|';
            if group.positions > PATTERN_POSITIONS {
                return None;
            }
        }
        group.end(&mut pattern.steps);
        open.is_empty().then_some(pattern)
    }

    /// Reads what takes one character, after its first sign.
    fn set(&mut self, sign: char, source: &mut Source) -> Option<Step> {
        let first = self.ranges.len();
        let mut is_negated = false;
        match sign {
            '[' => {
                is_negated = source.take('^');
                while !source.take(']') {
                    self.member(source, first)?;
                }
                // A class has something in it.
                self.ranges.get(first)?;
            }
            '.' => {
                is_negated = true;
                self.add(LINE_ENDS);
            }
            '\\' => {
                let sign = source.next()?;
                match class(sign) {
                    Some(class) => {
                        is_negated = sign.is_ascii_uppercase();
                        self.add(class);
                    }
                    None => self.add(&[of(escaped(sign, false)?)]),
                }
            }
            sign => self.add(&[of(sign.into())]),
        }
        Some(Step::Take { first, end: self.ranges.len(), is_negated })
    }

    #[inline(never)]
    fn add(&mut self, ranges: &[Range]) {
        self.ranges.extend_from_slice(ranges);
    }

    /// Reads a character, a range or the name of a class within a class whose ranges begin there.
    fn member(&mut self, source: &mut Source, first: usize) -> Option<()> {
        let sign = source.next()?;
        let low = match sign {
            '\\' => {
                let sign = source.next()?;
                if let Some(class) = class(sign) {
                    self.add(class);
                    return (sign.is_ascii_lowercase() && !source.has_range()).then_some(());
                }
                escaped(sign, true)?
            }
            '-' if self.ranges.len() > first && source.peek() != Some(']') => return None,
            sign => sign.into(),
        };
        let mut high = low;
        if source.has_range() {
            source.next();
            high = match source.next()? {
                '\\' => escaped(source.next()?, true)?,
                sign => sign.into(),
            };
        }
        self.add(&[(low, high)]);
        (low <= high).then_some(())
    }
}

/// A group that is being read.
#[derive(Default)]
struct Group {
    /// Where it begins among the steps, and where its last branch does.
    start: usize,
    branch: usize,
    /// After the jump that ends the branch before; it says how far before it the one before that is.
    jump: usize,
    /// How many positions it expands to so far: one for each character, repetition and choice.
    positions: usize,
    /// The last atom, if it can be repeated: where it begins, and its positions.
    atom: Option<(usize, usize)>,
}

impl Group {
    fn end_branch(&mut self, steps: &mut Vec<Step>) {
        let length = steps.len() - self.branch;
        steps.insert(self.branch, Step::Split(length as isize + 2));
        steps.push(Step::Jump(self.jump as isize));
        self.branch = steps.len();
        self.jump = steps.len();
        self.positions += 1;
        self.atom = None;
    }

    /// Has every branch jump to the end.
    fn end(&self, steps: &mut [Step]) {
        let (end, mut jump) = (steps.len(), self.jump);
        while let Some(Step::Jump(by)) = jump.checked_sub(1).and_then(|at| steps.get_mut(at)) {
            let before = *by as usize;
            *by = (end - jump + 1) as isize;
            jump = before;
        }
    }

    /// Repeats the last atom. `None` if there is none to repeat, or if the pattern would become too large.
    #[inline(never)]
    fn repeat(&mut self, steps: &mut Vec<Step>, least: usize, most: Option<usize>) -> Option<()> {
        let (start, positions) = self.atom.take()?;
        self.positions += positions * (most.unwrap_or(least).max(1) - 1) + 1;
        if self.positions > PATTERN_POSITIONS {
            return None;
        }
        let atom = steps.split_off(start);
        if atom.is_empty() {
            return Some(());
        }
        let length = atom.len() as isize;
        for copy in 0..most.unwrap_or(least.max(1)) {
            if copy >= least {
                steps.push(Step::Split(length + if most.is_none() { 2 } else { 1 }));
            }
            steps.extend_from_slice(&atom);
        }
        if most.is_none() {
            steps.push(Step::Split(-length));
        }
        Some(())
    }
}

fn of(code: u32) -> Range {
    (code, code)
}
