//! What a schema may say: the keywords of the table, with local references and patterns of our grammar. Postgres refuses
//! every other as it is registered, and says why; here, the place of what is wrong is all that is told.

use super::keywords::{FORMATS, KEYWORDS, Shape, TYPES, keyword};
use super::{Pattern, Schema, link};
use crate::contract::limits::{REGISTRY_DEPTH, SCHEMA_CHOICES, SCHEMA_DEPTH};
use crate::contract::vocabulary::Kind;
use crate::parse::json::Step;
use crate::parse::number;
use crate::parse::part::Part;
use crate::parse::tape::Tape;
use crate::write;

const DIALECTS: [&[u8]; 2] =
    [b"https://json-schema.org/draft/2020-12/schema", b"https://json-schema.org/draft/2020-12/schema#"];

/// The first count for which there is no room in a note.
const MOST_SMALL: u32 = 1 << 24;

/// The largest number that a count can be.
const MOST_COUNT: &[u8] = b"2147483647";

impl Schema {
    /// Reads a schema; the error is the place of the first thing in it that cannot be judged by, as a reference names it.
    #[cold]
    #[inline(never)]
    pub fn read(schema: Part) -> Result<Schema, Vec<u8>> {
        let is_schema = matches!(schema.kind(), Kind::Object | Kind::True | Kind::False);
        let mut tape = Tape::read(if is_schema { schema.content() } else { b"" }, REGISTRY_DEPTH);
        let root = tape.root();
        let mut check = Check { root, place: b"#".to_vec(), patterns: Vec::new(), links: vec![0; tape.count()] };
        let is_fit = check.schema(root, 0);
        let Check { place, patterns, links, .. } = check;
        tape.link(&links);
        if is_fit { Ok(Schema { tape, patterns }) } else { Err(place) }
    }
}

struct Check<'a> {
    root: Part<'a>,
    /// Where in the schema the check is, and at the end what it refused.
    place: Vec<u8>,
    patterns: Vec<Pattern>,
    /// What is noted of each part.
    links: Vec<u32>,
}

impl<'a> Check<'a> {
    /// Checks what is found a step on.
    fn within(&mut self, step: Step, test: &mut dyn FnMut(&mut Self) -> bool) -> bool {
        let length = self.place.len();
        write::step(&mut self.place, step);
        let is_fit = test(self);
        if is_fit {
            self.place.truncate(length);
        }
        is_fit
    }

    fn schema(&mut self, schema: Part<'a>, depth: usize) -> bool {
        match schema.kind() {
            Kind::True | Kind::False => true,
            Kind::Object => {
                depth < SCHEMA_DEPTH
                    && schema.parts().all(|says| {
                        self.within(Step::Key(says.key()), &mut |check| {
                            keyword(says.key()).is_some_and(|place| check.keyword(place, says, depth + 1))
                        })
                    })
            }
            _ => false,
        }
    }

    fn keyword(&mut self, place: usize, says: Part<'a>, depth: usize) -> bool {
        let shape = KEYWORDS.get(place).map_or(Shape::Any, |&(_, shape, _)| shape);
        let more = match shape {
            Shape::Pattern => self.patterns.len(),
            Shape::Types => types(says),
            Shape::Reference => target(self.root, says).map_or(0, Part::at),
            Shape::Count => small(says),
            _ => 0,
        };
        self.note(says, link(place, more));
        self.fits(shape, says, depth)
    }

    fn note(&mut self, part: Part, found: u32) {
        if let Some(link) = self.links.get_mut(part.at()) {
            *link = found;
        }
    }

    fn fits(&mut self, shape: Shape, says: Part<'a>, depth: usize) -> bool {
        let mut parts = says.parts();
        match shape {
            Shape::Any => true,
            Shape::Text => says.kind() == Kind::Text,
            Shape::Boolean => matches!(says.kind(), Kind::True | Kind::False),
            Shape::List => is_list(says),
            Shape::Choices => is_list(says) && parts.count() <= SCHEMA_CHOICES,
            Shape::Number => says.kind() == Kind::Number,
            Shape::Positive => says.number().is_some_and(|raw| number::compare(raw, b"0").is_gt()),
            Shape::Count => says.number().is_some_and(|raw| {
                number::is_integer(raw)
                    && number::compare(raw, b"0").is_ge()
                    && number::compare(raw, MOST_COUNT).is_le()
            }),
            Shape::Types => {
                is_one_of(says, &TYPES)
                    || is_list_of_texts(says)
                        && parts.next().is_some()
                        && says.parts().all(|name| is_one_of(name, &TYPES))
            }
            Shape::Names => is_list_of_texts(says),
            Shape::NamedNames => says.kind() == Kind::Object && parts.all(is_list_of_texts),
            Shape::Pattern => says.text().is_some_and(|source| self.pattern(source)),
            Shape::Format => is_one_of(says, &FORMATS),
            Shape::Reference => target(self.root, says).is_some(),
            Shape::Dialect => says.text().is_some_and(|name| DIALECTS.contains(&name)),
            Shape::Schema => self.schema(says, depth),
            Shape::Schemas => {
                is_list(says)
                    && says.parts().next().is_some()
                    && parts
                        .enumerate()
                        .all(|(index, schema)| self.within(Step::Item(index), &mut |check| check.schema(schema, depth)))
            }
            Shape::NamedSchemas | Shape::PatternedSchemas => {
                says.kind() == Kind::Object
                    && parts.all(|schema| {
                        let name = schema.key();
                        if shape == Shape::PatternedSchemas {
                            self.note(schema, link(0, self.patterns.len()));
                        }
                        (shape == Shape::NamedSchemas || self.pattern(name))
                            && self.within(Step::Key(name), &mut |check| check.schema(schema, depth))
                    })
            }
        }
    }

    fn pattern(&mut self, source: &[u8]) -> bool {
        let pattern = Pattern::read(source);
        let is_fit = pattern.is_some();
        self.patterns.extend(pattern);
        is_fit
    }
}

fn is_list(says: Part) -> bool {
    says.kind() == Kind::Array
}

fn is_one_of(name: Part, known: &[&str]) -> bool {
    name.text().is_some_and(|name| known.iter().any(|known| known.as_bytes() == name))
}

/// The set of types that a part names: a bit for each in the order of the table.
fn types(says: Part) -> usize {
    let is_named = |kind: &&str| {
        says.text() == Some(kind.as_bytes()) || says.parts().any(|name| name.text() == Some(kind.as_bytes()))
    };
    TYPES.iter().enumerate().map(|(place, kind)| usize::from(is_named(kind)) << place).sum()
}

/// A count of a few digits and one, or zero for any other.
fn small(says: Part) -> usize {
    says.number().and_then(number::small).filter(|count| *count < MOST_SMALL).map_or(0, |count| count as usize + 1)
}

/// Whether these are texts, none of them twice.
fn is_list_of_texts(says: Part) -> bool {
    is_list(says)
        && says.parts().enumerate().all(|(index, name)| {
            let same = |other: Part| other.text() == name.text();
            name.text().is_some() && !says.parts().take(index).any(same)
        })
}

/// What a local reference names: `#`, or a JSON pointer after it, percent-encoded where need be.
#[cold]
#[inline(never)]
fn target<'a>(root: Part<'a>, reference: Part) -> Option<Part<'a>> {
    let (hash, mut rest) = reference.text()?.split_first()?;
    let mut pointer = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        pointer.push(match (byte, rest) {
            (b'%', [high, low, after @ ..]) => {
                rest = after;
                hex(*high)? * 16 + hex(*low)?
            }
            (b'%', _) => return None,
            _ => byte,
        });
    }
    let mut steps = pointer.split(|&byte| byte == b'/');
    // Before the first slash is nothing.
    let is_pointer = *hash == b'#' && steps.next()?.is_empty();
    steps
        .try_fold(root, |within, step| {
            let key = unescaped(step)?;
            match within.kind() {
                Kind::Array => within.parts().nth(number::small(&key)? as usize),
                _ => within.member(&key),
            }
        })
        .filter(|target| is_pointer && matches!(target.kind(), Kind::Object | Kind::True | Kind::False))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// A step of a JSON pointer as the key it stands for.
fn unescaped(step: &[u8]) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    let mut rest = step.iter();
    while let Some(&byte) = rest.next() {
        key.push(match byte {
            b'~' => match rest.next()? {
                b'0' => b'~',
                b'1' => b'/',
                _ => return None,
            },
            byte => byte,
        });
    }
    Some(key)
}
