//! Whatever arrives gets a verdict: through the library and through the command line, never a panic, never a lost line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

#[path = "support/command.rs"]
mod command;
#[path = "../../../tests/support/mod.rs"]
mod support;

use audience_gate::gate::Caller;
use serde_json::Value;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

const GOOD: &str = r#"{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{"page_path":"/"}}"#;
const ACCEPTED: &str = "accepted";

/// How a body is read.
#[derive(Clone, Copy, PartialEq)]
enum As {
    Lines,
    Document,
}

struct Case {
    name: &'static str,
    body: Vec<u8>,
    read: As,
    /// The first violated rule of every event, in order.
    verdicts: Vec<&'static str>,
}

fn lines(name: &'static str, body: impl Into<Vec<u8>>, verdicts: &[&'static str]) -> Case {
    Case { name, body: body.into(), read: As::Lines, verdicts: verdicts.to_vec() }
}

fn document(name: &'static str, body: impl Into<Vec<u8>>, verdicts: &[&'static str]) -> Case {
    Case { read: As::Document, ..lines(name, body, verdicts) }
}

/// A good event with this as one more member of its metadata.
fn holding(json: &str) -> String {
    GOOD.replace(r#""page_path":"/""#, &format!(r#""page_path":"/","more":{json}"#))
}

fn bytes(start: &str, middle: &[u8], end: &str) -> Vec<u8> {
    [start.as_bytes(), middle, end.as_bytes()].concat()
}

/// Lines to which the library and the command line give the same verdicts.
fn cases() -> Vec<Case> {
    let (start, end) = GOOD.split_at(GOOD.find("page_view").unwrap());
    let cuts: Vec<_> = (1..=GOOD.len()).map(|cut| &GOOD[..cut]).collect();
    let cut_verdicts: Vec<_> = cuts.iter().map(|cut| if *cut == GOOD { ACCEPTED } else { "parse.json" }).collect();
    let deep = |open: &str, close: &str| holding(&format!("{}1{}", open.repeat(100_000), close.repeat(100_000)));
    let long_text = "a".repeat(10 << 20);
    let digits = "9".repeat(1000);
    vec![
        lines("an event cut after every byte", cuts.join("\n"), &cut_verdicts),
        lines("an empty file", "", &[]),
        lines("nothing but line breaks and blanks", "\n\r\n \t\n\n", &[]),
        lines("a line of nothing but a form feed", "\n\u{c}\n", &["parse.json"]),
        lines("a form feed beside an event", format!("\u{c}{GOOD}\n{GOOD}\u{c}\n"), &["parse.json"; 2]),
        lines("a no-break space beside an event", format!("{GOOD}\u{a0}\n"), &["parse.json"]),
        lines("nothing but a byte order mark", "\u{feff}", &[]),
        lines("a byte order mark and an event", format!("\u{feff}{GOOD}"), &[ACCEPTED]),
        lines("Windows line breaks", format!("{GOOD}\r\n\r\n{GOOD}\r\n"), &[ACCEPTED, ACCEPTED]),
        lines("no line break at the end", format!("{GOOD}\n{GOOD}"), &[ACCEPTED, ACCEPTED]),
        lines(
            "broken lines between good ones",
            format!("{GOOD}\n{{\n{GOOD}\n\"\n{GOOD}"),
            &[ACCEPTED, "parse.json", ACCEPTED, "parse.json", ACCEPTED],
        ),
        lines("two events on a line", format!("{GOOD}{GOOD}"), &["parse.json"]),
        lines("a byte that never occurs in UTF-8", bytes(start, b"\xff", end), &["parse.json"]),
        lines("half a UTF-8 character", bytes(start, b"\xc3", end), &["parse.json"]),
        lines("an overlong UTF-8 character", bytes(start, b"\xc0\xaf", end), &["parse.json"]),
        lines("a surrogate in UTF-8", bytes(start, b"\xed\xa0\x80", end), &["parse.json"]),
        lines("UTF-16", GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), &["parse.json"]),
        lines("a raw U+0000 in a text", bytes(start, b"\0", end), &["parse.json"]),
        lines("a line of zero bytes", [0; 64], &["parse.json"]),
        lines("an escaped U+0000", holding(r#""\u0000""#), &["parse.text"]),
        lines("the first half of a surrogate pair", holding(r#""\ud83d""#), &["parse.text"]),
        lines("the second half of a surrogate pair", holding(r#""\ude00""#), &["parse.text"]),
        lines("a surrogate pair the wrong way round", holding(r#""\ude00\ud83d""#), &["parse.text"]),
        lines("100,000 nested lists", deep("[", "]"), &["parse.depth"]),
        lines("100,000 nested objects", deep(r#"{"a":"#, "}"), &["parse.depth"]),
        lines("100,000 lists that never end", "[".repeat(100_000), &["parse.json"]),
        lines("100,000 objects that never end", r#"{"a":"#.repeat(100_000), &["parse.json"]),
        lines("100,000 ends without a beginning", "]".repeat(100_000), &["parse.json"]),
        lines("a text of 10 MB in metadata", holding(&format!("{long_text:?}")), &["sanity.metadata_size"]),
        lines("a text of 10 MB as session", GOOD.replace("session-0001", &long_text), &["sanity.session_id_length"]),
        lines("a key of 1 MB", GOOD.replace("page_path", &long_text[..1 << 20]), &["sanity.metadata_size"]),
        lines("1 MB of backslashes", holding(&format!("\"{}\"", "\\\\".repeat(1 << 19))), &["sanity.metadata_size"]),
        lines("1 MB of at signs", holding(&format!("\"{}\"", "@".repeat(1 << 20))), &["sanity.metadata_size"]),
        lines("10 MB of blanks around an event", format!("{}{GOOD}", " ".repeat(10 << 20)), &[ACCEPTED]),
        lines("a text of 10 MB that never ends", holding(&long_text.replacen('a', "\"", 1)), &["parse.json"]),
        lines("a number of 1,000 digits", holding(&digits), &["parse.number"]),
        lines("a fraction of 1,000 digits", holding(&format!("0.{digits}")), &["parse.number"]),
        lines("an exponent of 1,000 digits", holding(&format!("1e{digits}")), &["parse.number"]),
        lines("a number beyond double precision", holding("-1e400"), &["parse.number"]),
        lines("a key named twice", holding(r#"1,"more":1"#), &["parse.duplicate_key"]),
        lines("a key named twice in disguise", holding(r#"1,"mor\u0065":1"#), &["parse.duplicate_key"]),
        lines("10,000 keys, the last a repeat", holding(&many_keys(10_000)), &["parse.duplicate_key"]),
        lines("values that are not objects", "1\n\"x\"\nnull\ntrue\n[]\n[1]", &["parse.shape"; 6]),
        lines("an object without a field", "{}", &["base.session_id"]),
        document(
            "a batch of other things",
            format!(r#"[1,"x",null,[[]],{{}},{GOOD}]"#),
            &["parse.shape", "parse.shape", "parse.shape", "parse.shape", "base.session_id", ACCEPTED],
        ),
        document("10,000 events in one batch", format!("[{}]", [GOOD; 10_000].join(",")), &[ACCEPTED; 10_000]),
        document("an empty document", "", &["parse.json"]),
        document("a document of nothing but blanks", " \r\n\t", &["parse.json"]),
        document("a form feed in a batch", "[\u{c}]", &["parse.json"]),
        document("a form feed before a batch", "\u{c}[]", &["parse.json"]),
        document("a form feed after a batch", "[]\u{c}", &["parse.json"]),
        document("no event in a batch", " [ ] ", &[]),
    ]
}

fn many_keys(count: usize) -> String {
    let keys: Vec<_> = (0..count).map(|index| format!(r#""k{index}":1"#)).collect();
    format!(r#"{{{},"k0":1}}"#, keys.join(","))
}

/// The first violated rule of every event, by the library.
fn by_the_library(body: &[u8], read: As) -> Vec<String> {
    let registry = support::registry();
    let mut request = support::request(&registry, Caller::Trusted);
    request.is_ndjson = read == As::Lines;
    let answer = support::answer(body, &request);
    let verdict = |result: &Value| result["rule_id"].as_str().unwrap_or(ACCEPTED).to_owned();
    answer["results"].as_array().unwrap().iter().map(verdict).collect()
}

/// The same by the command line, put together from the lines that it writes, with its exit code.
fn by_the_command(body: &[u8], name: &str, from_stdin: bool) -> (Vec<String>, Option<i32>) {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let folder = command::folder(&format!("bad-input-{}", RUNS.fetch_add(1, Ordering::Relaxed)));
    fs::write(folder.join(name), body).unwrap();
    let source = if from_stdin { "-" } else { name };
    let ran = command::run(&folder, &format!("check {source} --format json --accepted yes --rejected no"), body);
    assert_eq!(ran.stderr, "");
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let accepted = read("yes").lines().count();
    let rejected: Vec<Value> = read("no").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(summary["accepted"], accepted, "accepted events were not written");
    assert_eq!(summary["rejected"], rejected.len(), "rejected events were not written");
    fs::remove_dir_all(&folder).unwrap();
    let rules = rejected.iter().map(|row| row["metadata"]["validation_rule_id"].as_str().unwrap().to_owned());
    (std::iter::repeat_n(ACCEPTED.to_owned(), accepted).chain(rules).collect(), ran.code)
}

fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    let mut hold = |name: &str, way: &str, found: &[String], expected: &[&str]| {
        if found != expected {
            let (found, expected) = (&found[..found.len().min(9)], &expected[..expected.len().min(9)]);
            wrong.push(format!("{name}, {way}\n    expected {expected:?}\n    found    {found:?}"));
        }
    };
    for case in cases {
        hold(case.name, "library", &by_the_library(&case.body, case.read), &case.verdicts);
        // Accepted and rejected lines are in two files, each in order; the accepted ones come first.
        let mut sorted = case.verdicts.clone();
        sorted.sort_by_key(|verdict| *verdict != ACCEPTED);
        let file = if case.read == As::Lines { "in.ndjson" } else { "in.json" };
        let code = i32::from(case.verdicts.iter().any(|verdict| *verdict != ACCEPTED));
        for (way, from_stdin) in [("file", false), ("standard input", true)] {
            // Standard input has no name: its first bytes tell an array, nothing at all is no list of lines, and large
            // input is read in the same way.
            let is_blank = case.read == As::Lines && case.verdicts.is_empty();
            if from_stdin && (is_blank || case.body.starts_with(b"[") || case.body.len() > 1 << 20) {
                continue;
            }
            let (found, ended) = by_the_command(&case.body, file, from_stdin);
            hold(case.name, way, &found, &sorted);
            hold(case.name, "exit code", &[format!("{ended:?}")], &[&format!("{:?}", Some(code))]);
        }
    }
    assert!(wrong.is_empty(), "{} verdicts are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_bad_line_gets_its_verdict() {
    check(&cases());
}

#[test]
fn the_library_refuses_a_body_that_is_not_json_as_a_whole() {
    let registry = support::registry();
    let request = support::request(&registry, Caller::Trusted);
    let batch = format!("[{GOOD},{GOOD}]");
    let mut wrong = Vec::new();
    for cut in 0..batch.len() {
        let answer = support::answer(&batch.as_bytes()[..cut], &request);
        let is_refused_whole = answer["results"].as_array().unwrap().len() == 1
            && answer["results"][0]["rule_id"] == "parse.json"
            && answer["accepted"] == 0;
        if !is_refused_whole {
            wrong.push(cut);
        }
    }
    assert!(wrong.is_empty(), "cut at {wrong:?}, a batch is not refused as a whole");
}

#[test]
fn the_command_line_keeps_the_whole_events_of_a_cut_array_and_reports_the_cut() {
    let batch = format!("[{GOOD},{GOOD}]");
    let mut wrong = Vec::new();
    for cut in 1..batch.len() {
        let (found, code) = by_the_command(&batch.as_bytes()[..cut], "cut.json", false);
        let whole = usize::from(cut > GOOD.len()) + usize::from(cut > 2 * GOOD.len() + 1);
        let expected: Vec<_> = [vec![ACCEPTED; whole], vec!["parse.json"]].concat();
        if found != expected || code != Some(1) {
            wrong.push(format!("cut at {cut}: {found:?}, {code:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_command_line_refuses_what_it_cannot_tell_apart_instead_of_losing_it() {
    let cases: [(&str, &str, String, &[&str]); 8] = [
        (
            "one comma too many",
            "in.json",
            format!("[{GOOD},,{GOOD},]"),
            &[ACCEPTED, ACCEPTED, "parse.json", "parse.json"],
        ),
        ("something after the array", "in.json", format!("[{GOOD}] x"), &[ACCEPTED, "parse.json"]),
        ("a second array", "in.json", format!("[{GOOD}]\n[{GOOD}]"), &[ACCEPTED, "parse.shape"]),
        ("a byte order mark", "in.json", format!("\u{feff}[{GOOD}]"), &[ACCEPTED]),
        (
            "an event beyond 16 MiB",
            "in.ndjson",
            format!("{GOOD}\n{}\n{GOOD}", holding(&format!("\"{}\"", "a".repeat(40 << 20)))),
            &[ACCEPTED, ACCEPTED, "parse.json"],
        ),
        (
            "an element beyond 16 MiB",
            "in.json",
            format!("[{GOOD},{},{GOOD}]", holding(&format!("\"{}\"", "a".repeat(40 << 20)))),
            &[ACCEPTED, ACCEPTED, "parse.json"],
        ),
        (
            "one cell too many",
            "in.csv",
            "session_id,event_type\nsession-0001,page_view,lost\n".into(),
            &["base.field_known"],
        ),
        ("U+0000 in a cell", "in.csv", "session_id,event_type\nsession-0001,page\0view\n".into(), &["parse.text"]),
    ];
    let mut wrong = Vec::new();
    for (name, file, body, expected) in cases {
        let (found, _) = by_the_command(body.as_bytes(), file, false);
        if found != expected {
            wrong.push(format!("{name}\n    expected {expected:?}\n    found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} verdicts are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
