//! What a schema may say: the keywords of the table, with local references and patterns of our grammar. Postgres refuses
//! every other as it is registered, and says why; here, the place of what is wrong is all that is told.

use super::keywords::{FORMATS, Shape, TYPES, keyword};
use super::{Pattern, Schema};
use crate::contract::limits::{SCHEMA_CHOICES, SCHEMA_DEPTH};
use crate::parse::json::{Json, Step};
use crate::parse::number;
use crate::registry::Name;
use crate::write;

const DIALECTS: [&[u8]; 2] =
    [b"https://json-schema.org/draft/2020-12/schema", b"https://json-schema.org/draft/2020-12/schema#"];

/// The largest number that a count can be.
const MOST_COUNT: &[u8] = b"2147483647";

impl Schema {
    /// Reads a schema; the error is the place of the first thing in it that cannot be judged by, as a reference names it.
    #[cold]
    #[inline(never)]
    pub fn read(schema: &Json) -> Result<Schema, Vec<u8>> {
        let root = schema.kept();
        let mut check = Check { root: &root, place: b"#".to_vec(), patterns: Vec::new() };
        let is_fit = check.schema(&root, 0);
        let Check { place, patterns, .. } = check;
        if is_fit { Ok(Schema { root, patterns }) } else { Err(place) }
    }
}

struct Check<'a> {
    root: &'a Json<'a>,
    /// Where in the schema the check is, and at the end what it refused.
    place: Vec<u8>,
    patterns: Vec<(Name, Pattern)>,
}

impl Check<'_> {
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

    fn schema(&mut self, schema: &Json, depth: usize) -> bool {
        match schema {
            Json::Boolean(_) => true,
            Json::Object(members) => {
                depth < SCHEMA_DEPTH
                    && members.iter().all(|(name, says)| {
                        self.within(Step::Key(name), &mut |check| {
                            keyword(name).is_some_and(|(shape, _)| check.fits(shape, says, depth + 1))
                        })
                    })
            }
            _ => false,
        }
    }

    fn fits(&mut self, shape: Shape, says: &Json, depth: usize) -> bool {
        let items = says.list();
        match shape {
            Shape::Any => true,
            Shape::Text => says.text().is_some(),
            Shape::Boolean => matches!(says, Json::Boolean(_)),
            Shape::List => items.is_some(),
            Shape::Choices => items.is_some_and(|choices| choices.len() <= SCHEMA_CHOICES),
            Shape::Number => says.number().is_some(),
            Shape::Positive => says.number().is_some_and(|raw| number::compare(raw, b"0").is_gt()),
            Shape::Count => says.number().is_some_and(|raw| {
                number::is_integer(raw)
                    && number::compare(raw, b"0").is_ge()
                    && number::compare(raw, MOST_COUNT).is_le()
            }),
            Shape::Types => {
                is_one_of(says, &TYPES)
                    || items.is_some_and(|names| {
                        !names.is_empty() && are_distinct(names) && names.iter().all(|name| is_one_of(name, &TYPES))
                    })
            }
            Shape::Names => items.is_some_and(are_distinct),
            Shape::NamedNames => {
                matches!(says, Json::Object(_))
                    && says.members().iter().all(|(_, names)| names.list().is_some_and(are_distinct))
            }
            Shape::Pattern => says.text().is_some_and(|source| self.pattern(source)),
            Shape::Format => is_one_of(says, &FORMATS),
            Shape::Reference => target(self.root, says).is_some(),
            Shape::Dialect => says.text().is_some_and(|name| DIALECTS.contains(&name)),
            Shape::Schema => self.schema(says, depth),
            Shape::Schemas => items.is_some_and(|schemas| {
                !schemas.is_empty()
                    && schemas
                        .iter()
                        .enumerate()
                        .all(|(index, schema)| self.within(Step::Item(index), &mut |check| check.schema(schema, depth)))
            }),
            Shape::NamedSchemas | Shape::PatternedSchemas => {
                matches!(says, Json::Object(_))
                    && says.members().iter().all(|(name, schema)| {
                        (shape == Shape::NamedSchemas || self.pattern(name))
                            && self.within(Step::Key(name), &mut |check| check.schema(schema, depth))
                    })
            }
        }
    }

    fn pattern(&mut self, source: &[u8]) -> bool {
        let pattern = Pattern::read(source);
        let is_fit = pattern.is_some();
        self.patterns.extend(pattern.map(|pattern| (source.into(), pattern)));
        is_fit
    }
}

fn is_one_of(name: &Json, known: &[&str]) -> bool {
    name.text().is_some_and(|name| known.iter().any(|known| known.as_bytes() == name))
}

/// Whether these are texts, none of them twice.
fn are_distinct(names: &[Json]) -> bool {
    names
        .iter()
        .enumerate()
        .all(|(index, name)| name.text().is_some() && names.iter().take(index).all(|other| other != name))
}

/// What a local reference names: `#`, or a JSON pointer after it, percent-encoded where need be.
#[cold]
#[inline(never)]
pub(super) fn target<'a>(root: &'a Json<'a>, reference: &Json) -> Option<&'a Json<'a>> {
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
            within.member(&key).or_else(|| within.list()?.get(number::small(&key)? as usize))
        })
        .filter(|target| is_pointer && matches!(target, Json::Object(_) | Json::Boolean(_)))
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
