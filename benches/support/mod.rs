//! What the benches share: the events, and what they are judged against.
#![allow(dead_code, reason = "each bench uses its own part")]

use audience_gate::gate::{Caller, Context, Request};
use audience_gate::registry::{Registry, taxonomy};
use std::ops::Range;

/// The registry that ships.
pub fn registry() -> Registry {
    taxonomy::registry()
}

/// When the events are received.
pub const RECEIVED_AT: &str = "2026-11-21T12:00:00Z";

/// A request from a back end, received then.
pub fn request(registry: &Registry) -> Request<'_> {
    let received_at = audience_gate::time::parse(RECEIVED_AT.as_bytes()).expect("it is a time");
    Request {
        context: Context::new(registry, Caller::Trusted, received_at),
        seed: [7; 16],
        is_ndjson: false,
        dry_run: false,
        source_system: "bench",
        rate: None,
        most_events: usize::MAX,
    }
}

/// Events of about 520 bytes: page views and content views with the keys that trackers send, 9.5 % with an e-mail,
/// one in every `rejects` in violation of some rule, or none if that is 0.
pub fn events(indices: Range<usize>, rejects: usize, separator: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for index in indices {
        if !body.is_empty() {
            body.extend_from_slice(separator);
        }
        let broken = rejects > 0 && index % rejects == rejects - 1;
        let session = format!(
            "{:08x}-5a4d-4f6b-9c7e-{:012x}",
            (index * 2_654_435) & 0xffff_ffff,
            (index * 97_531_975) & 0xffff_ffff_ffff
        );
        let id = format!(
            "{:08x}-7c1d-4a6b-8c7e-{:012x}",
            (index * 40_503 + 5) & 0xffff_ffff,
            (index * 7_654_321 + 9) & 0xffff_ffff_ffff
        );
        let common = format!(
            r#""id":"{id}","session_id":"{session}","event_source":"web-tracker","occurred_at":"2026-11-21T11:{:02}:{:02}.{:03}Z","utm_source":"newsletter","utm_medium":"referral","utm_campaign":"autumn-launch""#,
            index % 60,
            index * 7 % 60,
            index % 1000
        );
        let event = if index % 21 == 1 {
            format!(
                r#"{{{common},"event_type":"email_subscribe","event_category":"subscription","email":"reader{index}@example.com","metadata":{{"channel":"newsletter","consent_recorded":{},"list_id":"weekly-digest","form_position":"footer","locale":"en-GB","page_variant":"b"}}}}"#,
                !broken
            )
        } else {
            format!(
                r#"{{{common},"event_type":"content_view","event_category":"engagement","metadata":{{"content_id":"guide-{}","page_path":"/guides/{}/what-to-expect","duration_seconds":{},"scroll_depth_percent":{},"locale":"en-GB","viewport_width":1440,"theme":"dark","reader_mode":false,"referrer_kind":"search"}}}}"#,
                index % 97,
                if index % 50 == 3 { "señal-größe" } else { "recovery-basics" },
                if broken { 3 } else { 25 + index % 300 },
                if broken { 4 } else { 30 + index % 70 },
            )
        };
        body.extend_from_slice(event.as_bytes());
    }
    body
}
