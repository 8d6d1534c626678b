//! The frame around the rows in the store's argument. It is kept, because it is the same from body to body and writing
//! it again would cost a fifth of judging one event.

use super::rejected;
use super::request::{Caller, Context, Request};
use crate::contract::FINGERPRINT;
use crate::short;
use crate::write::{self, put};

/// The keys of what the store is told about a request; all values are texts, and the last is JSON.
const KEYS: [&str; 6] = ["registry", "source_system", "caller", "caller_id", "origin", "rate"];

type Values<T> = [Option<T>; KEYS.len()];

/// What was written around the rows of the last body.
#[derive(Debug)]
pub struct Frame {
    values: Values<String>,
    opening: Vec<u8>,
    /// The [end](rejected::write_end) of its rejections.
    pub end_of_rejection: Vec<u8>,
}

impl Frame {
    /// Nothing written yet.
    pub const NONE: Frame =
        Frame { values: [const { None }; KEYS.len()], opening: Vec::new(), end_of_rejection: Vec::new() };

    /// The opening of a request's argument.
    pub fn opening(&mut self, request: &Request) -> &[u8] {
        let values = values(request);
        let is_same = |(own, other): (&Option<String>, Option<&str>)| match (own, other) {
            (Some(own), Some(other)) => short::is_same(own.as_bytes(), other.as_bytes()),
            (own, other) => own.is_none() && other.is_none(),
        };
        if self.opening.is_empty() || !self.values.iter().zip(values).all(is_same) {
            self.write(values, request.source_system);
        }
        &self.opening
    }

    #[cold]
    fn write(&mut self, values: Values<&str>, source_system: &str) {
        self.end_of_rejection.clear();
        rejected::write_end(&mut self.end_of_rejection, source_system);
        self.values = values.map(|value| value.map(String::from));
        let out = &mut self.opening;
        out.clear();
        put(out, br#"{"batch":{"contract":""#);
        put(out, FINGERPRINT.as_bytes());
        out.push(b'"');
        for (key, value) in KEYS.into_iter().zip(values) {
            put(out, br#",""#);
            put(out, key.as_bytes());
            put(out, br#"":"#);
            match value {
                Some(json) if key == "rate" => put(out, json.as_bytes()),
                Some(value) => write::text(out, value.as_bytes()),
                None => put(out, b"null"),
            }
        }
    }
}

fn values<'a>(request: &Request<'a>) -> Values<&'a str> {
    let Context { caller, origin, registry, .. } = request.context;
    // Of a snapshot of which a part cannot be judged by, the store judges again.
    let version = (registry.is_loaded && registry.faults.is_empty()).then_some(registry.version.as_str());
    let (caller, caller_id) = match caller {
        Caller::Visitor => ("visitor", None),
        Caller::User(id) => ("user", Some(id)),
        Caller::Trusted => ("trusted", None),
    };
    [version, Some(request.source_system), Some(caller), caller_id, origin, request.rate]
}
