//! `audience-gate check` on a large file beside the gate on one core: `cargo bench -p audience-gate-cli`, or
//! `cargo bench -p audience-gate-cli -- MEGABYTES`. The target is at most 1.3 times the time that all cores would take
//! at the gate's own pace, in under 200 MB of memory. Rounds alternate, so that changes in the machine's speed affect
//! both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that cannot go on says where")]

#[path = "../../../benches/support/mod.rs"]
mod support;

use audience_gate::gate::Gate;
use std::fs;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const BATCH: usize = 1000;

fn main() {
    let megabytes = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1000);
    let path = std::env::temp_dir().join(format!("audience-gate-bench-{}.ndjson", std::process::id()));
    let events = write_file(&path, megabytes * 1_000_000);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("{megabytes} MB, {events} events, {cores} cores, {ROUNDS} alternating rounds, medians\n");
    println!("| gate on one core, events/s | check, events/s | check, MB/s | times the gate on all cores | peak MB |");
    println!("|---|---|---|---|---|");
    let (mut alone, mut together, mut peak) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        alone.push(one_core());
        let start = Instant::now();
        peak = peak.max(check(&path));
        together.push(start.elapsed());
    }
    fs::remove_file(&path).ok();
    let pace = 1.0 / median(alone).as_secs_f64();
    let seconds = median(together).as_secs_f64();
    let ratio = seconds / (events as f64 / pace / cores as f64);
    let rate = events as f64 / seconds;
    println!("| {pace:.0} | {rate:.0} | {:.0} | {ratio:.2} | {} |", megabytes as f64 / seconds, peak / 1000);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn write_file(path: &Path, bytes: usize) -> usize {
    let mut file = BufWriter::new(fs::File::create(path).expect("the file can be created"));
    let (mut events, mut written) = (0, 0);
    while written < bytes {
        let mut lines = support::events(events..events + BATCH, 9, b"\n");
        lines.push(b'\n');
        file.write_all(&lines).expect("there is room for the file");
        events += BATCH;
        written += lines.len();
    }
    file.flush().expect("there is room for the file");
    events
}

/// The time the gate takes per event, in the batches of `cargo bench --bench gate`.
fn one_core() -> Duration {
    let registry = support::registry();
    let request = support::request(&registry);
    let body = [b"[".as_slice(), &support::events(0..BATCH, 9, b","), b"]"].concat();
    let mut gate = Gate::default();
    let calls = 500;
    let start = Instant::now();
    for _ in 0..calls {
        black_box(gate.judge(black_box(&body), &request));
    }
    start.elapsed() / (calls * BATCH) as u32
}

/// Runs the command line on the file, and returns its peak memory in kB where the system reports it.
fn check(path: &Path) -> u64 {
    let child = Command::new(env!("CARGO_BIN_EXE_audience-gate"))
        .args(["check", "--at", support::RECEIVED_AT])
        .arg(path)
        .stdout(Stdio::null())
        .spawn();
    let mut child = child.expect("the command line starts");
    let mut peak = 0;
    while child.try_wait().expect("the command line runs").is_none() {
        peak = peak.max(memory(&child).unwrap_or_default());
        thread::sleep(Duration::from_millis(2));
    }
    peak
}

fn memory(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().strip_suffix(" kB")?.parse().ok()
}
