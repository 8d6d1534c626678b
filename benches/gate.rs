//! How fast the whole contract is judged natively, on one core, beside the time a JSON reader needs merely to skip the
//! same bytes: `cargo bench`, or `cargo bench -- ROUNDS`. Rounds alternate, so that changes in the machine's speed
//! affect all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that cannot go on says where")]

mod support;

use audience_gate::gate::Gate;
use std::hint::black_box;
use std::time::{Duration, Instant};

const EVENTS: usize = 1000;

fn main() {
    let registry = support::registry();
    let request = support::request(&registry);
    let rounds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(200);
    println!("{EVENTS} events a call, {rounds} alternating rounds, medians\n");
    println!("| corpus | bytes an event | gate µs | events/s | sonic-rs skip µs | gate ÷ skip | serde_json Value µs |");
    println!("|---|---|---|---|---|---|---|");
    for (name, rejects) in [("all accepted", 0), ("one in nine rejected", 9)] {
        let body = [b"[".as_slice(), &support::events(0..EVENTS, rejects, b","), b"]"].concat();
        let mut gate = Gate::default();
        let mut times: [Vec<Duration>; 3] = Default::default();
        for round in 0..rounds {
            // Each is first in turn, because the first one finds the body gone from the caches and the next finds it
            // there.
            for step in 0..times.len() {
                let turn = (round + step) % times.len();
                times[turn].push(timed(|| match turn {
                    0 => drop(black_box(gate.judge(black_box(&body), &request))),
                    1 => drop(black_box(sonic_rs::from_slice::<sonic_rs::LazyValue>(black_box(&body)))),
                    _ => drop(black_box(serde_json::from_slice::<serde_json::Value>(black_box(&body)))),
                }));
            }
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
