//! How fast the whole contract is judged natively, on one core, beside what a JSON reader needs merely to pass over the
//! same bytes: `cargo bench`, or `cargo bench -- ROUNDS`. Rounds alternate, so that the machine's changes of speed strike all alike.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that cannot go on says where")]

use audience_gate::check::{Caller, Context};
use audience_gate::gate::{Gate, Request};
use audience_gate::registry::Registry;
use audience_gate::taxonomy;
use std::hint::black_box;
use std::time::{Duration, Instant};

const EVENTS: usize = 1000;

fn main() {
    let registry = Registry::from_json(taxonomy::snapshot().as_bytes()).expect("the default registry is sound");
    let request = Request {
        context: Context {
            caller: Caller::Trusted,
            origin: None,
            received_at: 1_795_262_400_000_000,
            registry: &registry,
            pepper: None,
        },
        seed: [7; 16],
        is_ndjson: false,
        dry_run: false,
        source_system: "bench",
        rate: None,
        most_events: usize::MAX,
    };
    let rounds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(200);
    println!("{EVENTS} events a call, {rounds} alternating rounds, medians\n");
    println!("| corpus | bytes an event | gate µs | events/s | sonic-rs skip µs | gate ÷ skip | serde_json Value µs |");
    println!("|---|---|---|---|---|---|---|");
    for (name, rejects) in [("all accepted", 0), ("one in nine rejected", 9)] {
        let body = corpus(rejects);
        let mut gate = Gate::default();
        let mut times: [Vec<Duration>; 3] = Default::default();
        for _ in 0..rounds {
            times[0].push(timed(|| {
                black_box(gate.judge(black_box(&body), &request));
            }));
            times[1].push(timed(|| {
                black_box(sonic_rs::from_slice::<sonic_rs::LazyValue>(black_box(&body)).ok());
            }));
            times[2].push(timed(|| {
                black_box(serde_json::from_slice::<serde_json::Value>(black_box(&body)).ok());
            }));
        }
        let [gate_time, skip, value] = times.map(|mut rounds| {
            rounds.sort_unstable();
            rounds[rounds.len() / 2].as_secs_f64() * 1e6 / EVENTS as f64
        });
        println!(
            "| {name} | {} | {gate_time:.3} | {:.0} | {skip:.3} | {:.2} | {value:.3} |",
            body.len() / EVENTS,
            1e6 / gate_time,
            gate_time / skip
        );
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Events of about 520 bytes: page views and content views with the keys that trackers send, 9.5 % with an e-mail,
/// every so many of them in violation of some rule.
fn corpus(rejects: usize) -> Vec<u8> {
    let mut body = String::from("[");
    for index in 0..EVENTS {
        let separator = if index == 0 { "" } else { "," };
        let broken = rejects > 0 && index % rejects == rejects - 1;
        let session = format!("{:08x}-5a4d-4f6b-9c7e-{:012x}", index * 2_654_435, index * 97_531_975);
        let id = format!("{:08x}-7c1d-4a6b-8c7e-{:012x}", index * 40_503 + 5, index * 7_654_321 + 9);
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
        body += separator;
        body += &event;
    }
    (body + "]").into_bytes()
}
