//! The beginning of the store's argument. It is the same for most bodies, and to write it would be a fifth of judging one
//! event.

use crate::check::{Caller, Context};
use crate::fingerprint::FINGERPRINT;
use crate::gate::Request;
use crate::rejection;
use crate::text;
use crate::write::{self, put};

/// What of a request the store is told in texts; the last is JSON.
const TOLD: [&str; 6] = ["registry", "source_system", "caller", "caller_id", "origin", "rate"];

type Told<T> = [Option<T>; TOLD.len()];

/// The head of the last body.
#[derive(Debug)]
pub struct Head {
    told: Told<String>,
    written: Vec<u8>,
    /// The [end](rejection::write_end) of its rejections.
    pub end: Vec<u8>,
}

impl Head {
    /// None yet.
    pub const NONE: Head = Head { told: [const { None }; TOLD.len()], written: Vec::new(), end: Vec::new() };

    /// The head of a request's argument.
    pub fn of(&mut self, request: &Request) -> &[u8] {
        let told = told(request);
        let is_same = |(own, other): (&Option<String>, Option<&str>)| match (own, other) {
            (Some(own), Some(other)) => text::is_same(own.as_bytes(), other.as_bytes()),
            (own, other) => own.is_none() && other.is_none(),
        };
        if self.written.is_empty() || !self.told.iter().zip(told).all(is_same) {
            self.write(told, request.source_system);
        }
        &self.written
    }

    #[cold]
    fn write(&mut self, told: Told<&str>, source_system: &str) {
        self.end.clear();
        rejection::write_end(&mut self.end, source_system);
        self.told = told.map(|value| value.map(String::from));
        let out = &mut self.written;
        out.clear();
        put(out, br#"{"batch":{"contract":""#);
        put(out, FINGERPRINT.as_bytes());
        out.push(b'"');
        for (key, value) in TOLD.into_iter().zip(told) {
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

fn told<'a>(request: &Request<'a>) -> Told<&'a str> {
    let Context { caller, origin, registry, .. } = request.context;
    let version = registry.is_loaded.then_some(registry.version.as_str());
    let (caller, caller_id) = match caller {
        Caller::Visitor => ("visitor", None),
        Caller::User(id) => ("user", Some(id)),
        Caller::Trusted => ("trusted", None),
    };
    [version, Some(request.source_system), Some(caller), caller_id, origin, request.rate]
}
