//! A schema is read, or refused with the keyword and its place.

use super::format::Format;
use super::keywords::{IN_PLACE, Shape, TYPES, shape};
use super::{Part, Pattern, Place, Says, Schema, judge};
use crate::contract::limits::{SCHEMA_BYTES, SCHEMA_CHAIN, SCHEMA_CHOICES, SCHEMA_DEPTH, SCHEMA_PARTS};
use crate::parse::json::{Json, Step};
use crate::parse::number;
use crate::registry::Name;
use crate::write;

const DIALECTS: [&str; 2] =
    ["https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2020-12/schema#"];

/// The largest count that a keyword takes.
const MOST_COUNT: &[u8] = b"2147483647";

/// A schema within the whole, before it is compiled.
struct Found<'a> {
    way: Vec<Name>,
    schema: &'a Json<'a>,
    /// How deep it is nested, and by how many applications to one and the same value it is reached.
    depth: usize,
    chain: usize,
}

/// A schema that looks at the same value as another.
struct Arrow<'a> {
    from: Place,
    to: Result<Place, &'a [u8]>,
}

impl Schema {
    /// Reads a schema; what is wrong with it names the keyword and its place.
    pub fn read(schema: &Json, is_payload: bool) -> Result<Schema, String> {
        let mut written = Vec::new();
        schema.write(&mut written);
        if written.len() > SCHEMA_BYTES {
            return Err(["it is longer than ", &SCHEMA_BYTES.to_string(), " bytes"].concat());
        }
        let mut found = vec![Found { way: Vec::new(), schema, depth: 1, chain: 1 }];
        let mut arrows = Vec::new();
        let mut parts = Vec::new();
        while let Some(part) = found.get(parts.len()) {
            let (way, schema, depth, chain) = (part.way.clone(), part.schema, part.depth, part.chain);
            let read =
                Within { way, at: parts.len(), depth, chain, found: &mut found, arrows: &mut arrows }.read(schema)?;
            parts.push(read);
        }
        for arrow in &mut arrows {
            let Err(reference) = arrow.to else { continue };
            let way = way_of(reference);
            let target = found.iter().position(|part| Some(&part.way) == way.as_ref());
            let from = found.get(arrow.from).map(|part| part.way.as_slice()).unwrap_or_default();
            let target = target.ok_or_else(|| {
                ["the value of ", &place(from, Some(b"$ref")), " names no schema within this one"].concat()
            })?;
            arrow.to = Ok(target);
            if let Some(Part::Says(says)) = parts.get_mut(arrow.from) {
                let references = says.iter_mut().filter(|says| matches!(says, Says::Reference(_)));
                references.for_each(|says| *says = Says::Reference(target));
            }
        }
        measure(&mut found, &arrows)?;
        Ok(Schema { parts, is_payload })
    }
}

/// Measures the longest chain of schemas that look at one and the same value: without end where a reference leads back.
fn measure(found: &mut [Found], arrows: &[Arrow]) -> Result<(), String> {
    let mut is_changed = true;
    while is_changed {
        is_changed = false;
        for arrow in arrows {
            let chain = found.get(arrow.from).map_or(1, |part| part.chain + 1);
            let Some(target) = arrow.to.ok().and_then(|to| found.get_mut(to)).filter(|to| to.chain < chain) else {
                continue;
            };
            target.chain = chain;
            is_changed = true;
            if chain > SCHEMA_CHAIN {
                let most = SCHEMA_CHAIN.to_string();
                let says = " schemas that look at one and the same value, or leads back to itself";
                return Err([&place(&target.way, None), " is reached by more than ", &most, says].concat());
            }
        }
    }
    Ok(())
}

/// A schema that is being read.
struct Within<'a, 'b> {
    way: Vec<Name>,
    at: Place,
    depth: usize,
    chain: usize,
    found: &'b mut Vec<Found<'a>>,
    arrows: &'b mut Vec<Arrow<'a>>,
}

impl<'a> Within<'a, '_> {
    fn read(mut self, schema: &'a Json<'a>) -> Result<Part, String> {
        if !matches!(schema, Json::Object(_) | Json::Boolean(_)) {
            return Err([&place(&self.way, None), " is neither an object nor true or false"].concat());
        }
        if self.depth > SCHEMA_DEPTH {
            let most = SCHEMA_DEPTH.to_string();
            return Err([&place(&self.way, None), " is nested more than ", &most, " deep"].concat());
        }
        if let Json::Boolean(answer) = schema {
            return Ok(Part::Boolean(*answer));
        }
        let mut members: Vec<_> = schema.members().iter().collect();
        members.sort_unstable_by_key(|(key, _)| (key.len(), key));
        // Each keyword with where its schemas begin.
        let mut firsts = Vec::new();
        for (key, value) in members.iter().copied() {
            firsts.push((&**key, self.found.len()));
            let Some(shape) = shape(key) else {
                return Err(["the keyword ", &place(&self.way, Some(key)), " is not supported"].concat());
            };
            if !fits(shape, value) {
                let place = place(&self.way, Some(key));
                return Err(["the value of ", &place, " is not one that the keyword takes here"].concat());
            }
            self.enter(key, shape, value)?;
        }
        let says =
            members.iter().zip(&firsts).filter_map(|((key, value), first)| says(key, value, first.1, schema, &firsts));
        Ok(Part::Says(says.collect()))
    }

    /// Notes the schemas that a keyword holds or names.
    fn enter(&mut self, key: &[u8], shape: Shape, value: &'a Json<'a>) -> Result<(), String> {
        let within: Vec<(Option<Name>, &Json)> = match shape {
            Shape::Schema => vec![(None, value)],
            Shape::Schemas => {
                let items = value.list().unwrap_or_default().iter().enumerate();
                items.map(|(index, schema)| (Some(index.to_string().into_bytes().into()), schema)).collect()
            }
            Shape::NamedSchemas | Shape::PatternedSchemas => {
                sorted(value).into_iter().map(|(name, schema)| (Some(name.into()), schema)).collect()
            }
            Shape::Reference => {
                self.arrows.push(Arrow { from: self.at, to: Err(value.text().unwrap_or_default()) });
                return Ok(());
            }
            _ => return Ok(()),
        };
        let in_place = IN_PLACE.iter().any(|keyword| keyword.as_bytes() == key);
        for (step, schema) in within {
            let mut way = self.way.clone();
            way.push(key.into());
            way.extend(step);
            let chain = if in_place { self.chain + 1 } else { 1 };
            if in_place {
                self.arrows.push(Arrow { from: self.at, to: Ok(self.found.len()) });
            }
            self.found.push(Found { way, schema, depth: self.depth + 1, chain });
            if self.found.len() > SCHEMA_PARTS {
                return Err(["it has more than ", &SCHEMA_PARTS.to_string(), " schemas within"].concat());
            }
        }
        Ok(())
    }
}

/// The members of an object, in the order in which Postgres keeps them.
fn sorted<'a>(value: &'a Json<'a>) -> Vec<(&'a [u8], &'a Json<'a>)> {
    let mut members: Vec<_> = value.members().iter().map(|(key, value)| (&**key, value)).collect();
    members.sort_unstable_by_key(|(key, _)| (key.len(), *key));
    members
}

/// What a keyword says; `None` if it says something to people only, or with another keyword.
fn says(key: &[u8], value: &Json, first: Place, schema: &Json, firsts: &[(&[u8], Place)]) -> Option<Says> {
    let number = || -> Name { if let Json::Number(raw) = value { (*raw).into() } else { Name::default() } };
    let places = || (first..first + value.list().map_or(0, <[Json]>::len)).collect();
    let named = || sorted(value).into_iter().enumerate().map(|(index, (name, _))| (Name::from(name), first + index));
    let other = |name: &str| firsts.iter().find(|(known, _)| *known == name.as_bytes()).map(|(_, place)| *place);
    Some(match key {
        b"type" => Says::Types(types(value)?),
        b"enum" => Says::Choices(value.list()?.iter().map(judge::canonical).collect()),
        b"const" => Says::Choices(vec![judge::canonical(value)]),
        b"multipleOf" => Says::MultipleOf(number()),
        b"minimum" => Says::Minimum(number()),
        b"maximum" => Says::Maximum(number()),
        b"exclusiveMinimum" => Says::Above(number()),
        b"exclusiveMaximum" => Says::Below(number()),
        b"minLength" => Says::Shortest(count(value)?),
        b"maxLength" => Says::Longest(count(value)?),
        b"pattern" => Says::Pattern(Pattern::read(value.text()?)?),
        b"format" => Says::Format(Format::named(value.text()?)?),
        b"prefixItems" => Says::PrefixItems(places()),
        b"items" => Says::Items(schema.get("prefixItems").list().map_or(0, <[Json]>::len), first),
        b"contains" => Says::Contains {
            schema: first,
            least: count(schema.get("minContains")).unwrap_or(1),
            most: count(schema.get("maxContains")),
        },
        b"minItems" => Says::FewestItems(count(value)?),
        b"maxItems" => Says::MostItems(count(value)?),
        b"uniqueItems" if *value == Json::Boolean(true) => Says::Unique,
        b"properties" => Says::Properties(named().collect()),
        b"patternProperties" => Says::PatternProperties(
            named().map(|(name, place)| Some((Pattern::read(&name)?, place))).collect::<Option<_>>()?,
        ),
        b"additionalProperties" => {
            let keys = |keyword| sorted(schema.get(keyword)).into_iter().map(|(name, _)| name);
            Says::Additional {
                schema: first,
                named: keys("properties").map(Name::from).collect(),
                patterns: keys("patternProperties").filter_map(Pattern::read).collect(),
            }
        }
        b"propertyNames" => Says::Names(first),
        b"required" => Says::Required(value.texts()?),
        b"minProperties" => Says::FewestMembers(count(value)?),
        b"maxProperties" => Says::MostMembers(count(value)?),
        b"dependentRequired" => Says::DependentRequired(
            sorted(value).into_iter().map(|(key, names)| Some((key.into(), names.texts()?))).collect::<Option<_>>()?,
        ),
        b"dependentSchemas" => Says::DependentSchemas(named().collect()),
        b"allOf" => Says::All(places()),
        b"anyOf" => Says::Any(places()),
        b"oneOf" => Says::One(places()),
        b"not" => Says::Not(first),
        b"if" => Says::If { test: first, then: other("then"), otherwise: other("else") },
        // Until it is known where it leads.
        b"$ref" => Says::Reference(Place::MAX),
        _ => return None,
    })
}

/// Whether what a keyword says has the shape that it must have; the schemas within are not looked at.
fn fits(shape: Shape, value: &Json) -> bool {
    let is_list_of = |test: &dyn Fn(&Json) -> bool| value.list().is_some_and(|items| items.iter().all(test));
    match shape {
        Shape::Any => true,
        Shape::Text => value.text().is_some(),
        Shape::Boolean => matches!(value, Json::Boolean(_)),
        Shape::List => value.list().is_some(),
        Shape::Choices => value.list().is_some_and(|choices| choices.len() <= SCHEMA_CHOICES),
        Shape::Number => matches!(value, Json::Number(_)),
        Shape::Positive => matches!(value, Json::Number(raw) if number::compare(raw, b"0").is_gt()),
        Shape::Count => count(value).is_some(),
        Shape::Types => types(value).is_some(),
        Shape::Names => value.texts().is_some_and(are_distinct),
        Shape::NamedNames => {
            matches!(value, Json::Object(_)) && value.members().iter().all(|(_, names)| fits(Shape::Names, names))
        }
        Shape::Pattern => value.text().is_some_and(|source| Pattern::read(source).is_some()),
        Shape::Format => value.text().is_some_and(|name| Format::named(name).is_some()),
        Shape::Reference => value.text().is_some_and(|reference| way_of(reference).is_some()),
        Shape::Dialect => value.text().is_some_and(|name| DIALECTS.iter().any(|known| known.as_bytes() == name)),
        Shape::Schema => matches!(value, Json::Object(_) | Json::Boolean(_)),
        Shape::Schemas => is_list_of(&|_| true) && value.list().is_some_and(|schemas| !schemas.is_empty()),
        Shape::NamedSchemas => matches!(value, Json::Object(_)),
        Shape::PatternedSchemas => {
            matches!(value, Json::Object(_)) && value.members().iter().all(|(name, _)| Pattern::read(name).is_some())
        }
    }
}

fn are_distinct(mut names: Vec<Name>) -> bool {
    let length = names.len();
    names.sort_unstable();
    names.dedup();
    names.len() == length
}

/// A bit for each type that is named; `None` if one is unknown or named twice.
fn types(value: &Json) -> Option<u8> {
    let bit = |name: &Json| {
        let name = name.text()?;
        TYPES.iter().position(|known| known.as_bytes() == name).map(|index| 1u8 << index)
    };
    match value {
        Json::List(names) if !names.is_empty() => names.iter().try_fold(0, |types, name| {
            let bit = bit(name)?;
            (types & bit == 0).then_some(types | bit)
        }),
        name => bit(name),
    }
}

/// A whole number that a count can be, however it is written.
fn count(value: &Json) -> Option<usize> {
    let Json::Number(raw) = value else { return None };
    let is_count =
        number::is_integer(raw) && number::compare(raw, b"0").is_ge() && number::compare(raw, MOST_COUNT).is_le();
    let mut plain = Vec::new();
    number::write_plain(&mut plain, raw);
    let digits = plain.iter().take_while(|byte| byte.is_ascii_digit());
    is_count.then(|| digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0')))
}

/// The way to what a local reference names; `None` if it is no such reference.
fn way_of(reference: &[u8]) -> Option<Vec<Name>> {
    let pointer = reference.strip_prefix(b"#")?;
    let Some(pointer) = pointer.strip_prefix(b"/") else {
        return pointer.is_empty().then(Vec::new);
    };
    let mut decoded = Vec::new();
    let mut rest = pointer;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let [high, low, after @ ..] = rest else { return None };
            let digit = |byte: u8| char::from(byte).to_digit(16);
            decoded.push((digit(*high)? * 16 + digit(*low)?) as u8);
            rest = after;
        } else {
            decoded.push(byte);
        }
    }
    if std::str::from_utf8(&decoded).is_err() || decoded.contains(&0) {
        return None;
    }
    decoded.split(|&byte| byte == b'/').map(unescaped).collect()
}

/// A step of a JSON pointer as the key it stands for.
fn unescaped(step: &[u8]) -> Option<Name> {
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
    Some(key.into())
}

/// A place in a schema, as a reference names it.
fn place(way: &[Name], key: Option<&[u8]>) -> String {
    let mut place = b"#".to_vec();
    let keys = way.iter().map(|key| &**key).chain(key);
    keys.for_each(|key| write::step(&mut place, Step::Key(key)));
    String::from_utf8(place).unwrap_or_default()
}
