//! The command line, run as a program: what it prints, where, and its exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says where")]

#[path = "support/command.rs"]
mod command;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_ipc::reader::StreamReader;
use audience_gate::contract::rules::RULES;
use command::{folder, run, run_with};
use flate2::{Compression, write::GzEncoder};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::fs;
use std::io::Write;

const GOOD: &str = r#"{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{"page_path":"/"}}"#;
const BAD: &str = r#"{"session_id":"session-0002","event_type":"plan_started","event_category":"subscription","event_source":"web","metadata":{"channel":"web"}}"#;
const WITH_EMAIL: &str = r#"{"session_id":"session-0003","event_type":"email_subscribe","event_category":"subscription","event_source":"web","email":"canary@example.com","metadata":{"channel":"web","consent_recorded":true}}"#;
const CSV: &str = "session_id,event_type,event_category,event_source,metadata.page_path,metadata.channel\n\
    session-0001,page_view,engagement,web,/,\n\
    session-0002,plan_started,subscription,web,,web\n";

/// The files in the folder, the words of the command, and what it should print.
#[derive(Default)]
struct Case<'a> {
    files: &'a [(&'a str, &'a [u8])],
    command: &'a str,
    stdin: &'a [u8],
    code: i32,
    /// Lines, or parts of lines, of standard output.
    says: &'a [&'a str],
    /// The same of standard error; empty means that it prints nothing there.
    complains: &'a [&'a str],
}

fn check(test: &str, cases: &[Case]) {
    let mut wrong = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let folder = folder(&format!("{test}-{index}"));
        for (name, content) in case.files {
            fs::write(folder.join(name), content).unwrap();
        }
        let ran = run(&folder, case.command, case.stdin);
        let lacks = |text: &str, parts: &[&str]| parts.iter().any(|part| !text.contains(part));
        let is_wrong = ran.code != Some(case.code)
            || lacks(&ran.stdout, case.says)
            || lacks(&ran.stderr, case.complains)
            || case.complains.is_empty() && !ran.stderr.is_empty();
        if is_wrong {
            let (code, says, complains) = (case.code, case.says, case.complains);
            wrong.push(format!(
                "{}\nexpected {code}, {says:?}, {complains:?}\nfound    {:?}\n{}{}",
                case.command, ran.code, ran.stdout, ran.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{} cases are wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

fn lines(events: &[&str]) -> Vec<u8> {
    events.join("\n").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_form_of_file_is_recognised() {
    let ndjson = lines(&[GOOD, BAD]);
    let array = format!("[\n{GOOD},\n{BAD}\n]").into_bytes();
    let laid_out = serde_json::to_string_pretty(&serde_json::from_str::<Value>(BAD).unwrap()).unwrap().into_bytes();
    let both = ["2 events: 1 accepted, 1 rejected"].as_slice();
    let one = ["1 events: 0 accepted, 1 rejected"].as_slice();
    let of = |name, content, command, says| (name, content, command, says);
    let forms = [
        of("a.ndjson", ndjson.clone(), "check a.ndjson", both),
        of("a.jsonl", ndjson.clone(), "check a.jsonl", both),
        of("a.json", array.clone(), "check a.json", both),
        of("lines.json", ndjson.clone(), "check lines.json", both),
        of("a.txt", array.clone(), "check a.txt", both),
        of("a.txt", laid_out.clone(), "check a.txt", one),
        of("a.json", laid_out, "check a.json", one),
        of("a.csv", CSV.as_bytes().to_vec(), "check a.csv", both),
        of("a.data", CSV.as_bytes().to_vec(), "check a.data --input csv", both),
        of("a.ndjson.gz", gzip(&ndjson), "check a.ndjson.gz", both),
        of("a.csv.gz", gzip(CSV.as_bytes()), "check a.csv.gz", both),
        of("unnamed", gzip(&array), "check unnamed", both),
        of("two.gz", [gzip(GOOD.as_bytes()), gzip(b"\n"), gzip(BAD.as_bytes())].concat(), "check two.gz", both),
    ];
    for (name, content, command, says) in &forms {
        let files = [(*name, content.as_slice())];
        check("forms", &[Case { files: &files, command, code: 1, says, ..Case::default() }]);
    }
    for stdin in [&ndjson, &array, &gzip(&ndjson)] {
        check("stdin", &[Case { command: "check", stdin, code: 1, says: both, ..Case::default() }]);
        check("dash", &[Case { command: "check -", stdin, code: 1, says: both, ..Case::default() }]);
    }
}

#[test]
fn bad_lines_are_named_by_file_and_number() {
    let gaps = format!("{GOOD}\n\n  \r\n{BAD}\r\nnonsense").into_bytes();
    check(
        "numbers",
        &[
            Case {
                files: &[("a.ndjson", &gaps), ("b.csv", CSV.as_bytes())],
                command: "check a.ndjson b.csv",
                code: 1,
                says: &[
                    "5 events: 2 accepted, 3 rejected",
                    "a.ndjson:4  subscription.consent at /metadata/consent_recorded, registry.payload at /metadata/plan_id\n",
                    "a.ndjson:5  parse.json\n",
                    "b.csv:3  subscription.consent at /metadata/consent_recorded, registry.payload at /metadata/plan_id\n",
                    "2            2  subscription.consent\n",
                ],
                ..Case::default()
            },
            Case {
                files: &[("a.json", format!("[{GOOD},{BAD}]").as_bytes())],
                command: "check --format json a.json",
                code: 1,
                says: &[
                    r#""total":2}"#,
                    r#""first_file":"a.json","first_line":2"#,
                    r#"{"file":"a.json","line":2,"rule_id":"subscription.consent","violations":[{"path":"/metadata/consent_recorded","rule_id":"subscription.consent"},{"path":"/metadata/plan_id","rule_id":"registry.payload"}]}"#,
                ],
                ..Case::default()
            },
            Case {
                files: &[("a.ndjson", lines(&[BAD; 30]).as_slice())],
                command: "check a.ndjson",
                code: 1,
                says: &["a.ndjson:10  ", "and 20 more; `--rejected FILE` writes every one"],
                ..Case::default()
            },
        ],
    );
}

#[test]
fn a_file_that_cannot_be_read_does_not_stop_the_others() {
    let zipped = gzip(&lines(&[GOOD; 400]));
    check(
        "unreadable",
        &[
            Case {
                files: &[("a.ndjson", GOOD.as_bytes())],
                command: "check missing.ndjson . a.ndjson",
                code: 2,
                says: &["1 events: 1 accepted, 0 rejected"],
                complains: &["cannot read missing.ndjson: No such file", "cannot read .: is a directory"],
                ..Case::default()
            },
            Case {
                files: &[("cut.gz", &zipped[..zipped.len() - 12])],
                command: "check cut.gz",
                code: 2,
                says: &["accepted"],
                complains: &["cannot read cut.gz"],
                ..Case::default()
            },
        ],
    );
}

#[test]
fn exit_codes_and_messages_are_the_documented_ones() {
    let a = [("a.ndjson", GOOD.as_bytes()), ("broken.json", b"{".as_slice())];
    let case = |command, code, says, complains| Case { files: &a, command, code, says, complains, stdin: b"" };
    check(
        "codes",
        &[
            case("check a.ndjson", 0, &["1 events: 1 accepted, 0 rejected\n"], &[]),
            case("check", 1, &["1 events: 0 accepted, 1 rejected\n", "-:1  parse.json\n"], &[]),
            case("check a.ndjson --caller visitor --at 2026-11-21T09:30:00Z", 0, &["1 accepted"], &[]),
            case("check a.ndjson --at occurred", 0, &["1 accepted"], &[]),
            case("check a.ndjson --caller somebody", 2, &[], &["--caller somebody: send trusted, visitor"]),
            case("check a.ndjson --at noon", 2, &[], &["--at noon: send a time such as 2026-11-21T09:30:00Z"]),
            case("check a.ndjson --registry missing", 2, &[], &["cannot read missing: No such file"]),
            case("check a.ndjson --registry broken.json", 2, &[], &["broken.json is not a registry: "]),
            case("check a.ndjson --rejected none/a", 2, &[], &["cannot write none/a: No such file"]),
            case("check a.ndjson --rejected /dev/full", 0, &["1 accepted"], &[]),
            case("check a.ndjson --accepted /dev/full", 2, &[], &["cannot write: No space left"]),
            case("check a.ndjson --accepted b --rejected b", 2, &[], &["b cannot take two kinds of output"]),
            case("check a.ndjson --input yaml", 2, &[], &["[possible values: auto, ndjson, json, csv]"]),
            case("chekc", 2, &[], &["a similar subcommand exists: 'check'"]),
            case("", 2, &[], &["Usage: audience-gate <COMMAND>"]),
        ],
    );
}

#[test]
fn an_output_never_overwrites_what_is_still_to_be_read() {
    let folder = folder("overwrite");
    fs::write(folder.join("a.ndjson"), GOOD).unwrap();
    fs::hard_link(folder.join("a.ndjson"), folder.join("hard")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.join("a.ndjson"), folder.join("soft")).unwrap();
    let names: &[&str] = if cfg!(unix) { &["./a.ndjson", "hard", "soft"] } else { &["./a.ndjson", "hard"] };
    for (option, name) in
        ["--accepted", "--rejected", "--arrow"].iter().flat_map(|option| names.iter().map(move |name| (option, name)))
    {
        let ran = run(&folder, &format!("check a.ndjson {option} {name}"), b"");
        assert_eq!(ran.code, Some(2), "{option} {name}: {}", ran.stderr);
        assert!(ran.stderr.contains("would be overwritten"), "{option} {name}: {}", ran.stderr);
        assert_eq!(fs::read_to_string(folder.join("a.ndjson")).unwrap(), GOOD);
    }
    let ran = run(&folder, "check - --accepted a.ndjson --rejected hard", b"");
    assert!(ran.stderr.contains("cannot take two kinds of output"), "{}", ran.stderr);
}

#[test]
fn accepted_and_rejected_events_are_written_apart_and_in_order() {
    let folder = folder("apart");
    let input: Vec<_> = (0..9000)
        .map(|index| (if index % 3 == 1 { BAD } else { GOOD }).replace("session-", &format!("session-{index:05}-")))
        .collect();
    fs::write(folder.join("in.ndjson"), input.join("\n")).unwrap();
    let ran = run(&folder, "check in.ndjson --accepted yes.ndjson --rejected no.ndjson", b"");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let good: Vec<_> = input.iter().enumerate().filter(|(index, _)| index % 3 != 1).map(|(_, event)| event).collect();
    assert!(read("yes.ndjson").lines().eq(good), "accepted events are not passed on unchanged and in order");
    let rows: Vec<Value> = read("no.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let places: Vec<_> =
        rows.iter().map(|row| (row["file"].as_str().unwrap(), row["line"].as_u64().unwrap())).collect();
    let expected: Vec<_> = (0..9000).filter(|index| index % 3 == 1).map(|index| ("in.ndjson", index + 1)).collect();
    assert_eq!(places, expected);
    assert!(rows.iter().all(|row| row["metadata"]["validation_rule_id"] == "subscription.consent"));
    let again = run(&folder, "check yes.ndjson", b"");
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), "6000 events: 6000 accepted, 0 rejected\n"));
}

#[test]
fn events_on_standard_output_are_not_mixed_with_the_summary() {
    let folder = folder("dashes");
    let ran = run(&folder, "check --accepted - --rejected -", &lines(&[GOOD, BAD, WITH_EMAIL]));
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.stdout.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count(), 3);
    assert_eq!(ran.stdout.lines().count(), 3);
    assert!(ran.stderr.starts_with("3 events: 2 accepted, 1 rejected\n"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("canary@"), "{}", ran.stdout);
}

#[test]
fn rules_lists_every_rule() {
    let text = run(&folder("rules"), "rules", b"").stdout;
    let listed: Vec<_> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed, RULES.iter().map(|rule| rule.id).collect::<Vec<_>>());
    let json: Value = serde_json::from_str(&run(&folder("rules"), "rules --format json", b"").stdout).unwrap();
    assert_eq!(json["rules"].as_array().unwrap().len(), RULES.len());
}

#[test]
fn explain_knows_every_rule_and_suggests_what_was_meant() {
    let folder = folder("explain");
    for rule in RULES {
        let ran = run(&folder, &format!("explain {}", rule.id), b"");
        assert_eq!(ran.code, Some(0), "{}", rule.id);
        let parts = [rule.id, rule.reason, rule.accepts, rule.rejects];
        assert!(parts.iter().all(|part| ran.stdout.contains(part)), "{}", ran.stdout);
    }
    let case = |command, complains| Case { command, code: 2, complains, ..Case::default() };
    check(
        "suggestions",
        &[
            case("explain consent", &["there is no rule `consent`; did you mean subscription.consent?"]),
            case("explain subscripton.consnet", &["did you mean subscription.consent"]),
            case("explain privacy", &["did you mean privacy.raw_email, privacy.personal_key"]),
            case("explain zzz", &["there is no rule `zzz`; `audience-gate rules` lists them"]),
        ],
    );
}

#[test]
fn hash_says_what_the_gate_would_store_and_never_the_address() {
    const SHA: &str = "d108b279434fe1d54ac0f1da633564604b26c2e0e221d108b0fbadb87aba02c0";
    let folder = folder("hash");
    let plain = run(&folder, "hash Reader@Example.com", b"");
    let piped = run(&folder, "hash", b" reader@example.com \r\nno address\n");
    let keyed = run_with(&folder, "hash reader@example.com", b"", &[("AUDIENCE_GATE_EMAIL_PEPPER", "secret")]);
    let unset = run_with(&folder, "hash reader@example.com", b"", &[("AUDIENCE_GATE_EMAIL_PEPPER", "")]);
    let again = run_with(&folder, "hash", format!("{SHA}\r\n").as_bytes(), &[("AUDIENCE_GATE_EMAIL_PEPPER", "secret")]);
    let as_it_was = run(&folder, &format!("hash {SHA}"), b"");
    assert_eq!((plain.code, plain.stdout.as_str()), (Some(0), format!("{SHA}\n").as_str()));
    assert_eq!((piped.code, piped.stdout.as_str()), (Some(1), format!("{SHA}\n\n").as_str()));
    assert_eq!(piped.stderr, "audience-gate: address 2 is not a valid e-mail address\n");
    assert_eq!(unset.stdout, plain.stdout);
    assert_eq!((as_it_was.stdout.as_str(), again.stdout.as_str()), (plain.stdout.as_str(), keyed.stdout.as_str()));
    assert_eq!(keyed.stdout.len(), plain.stdout.len());
    assert_ne!(keyed.stdout, plain.stdout);
    for ran in [plain, piped, keyed] {
        let said = (ran.stdout + &ran.stderr).to_lowercase();
        assert!(!said.contains("reader@") && !said.contains("secret") && !said.contains("no address"), "{said}");
    }
    let nothing = run(&folder, "hash", b"");
    assert_eq!((nothing.code, nothing.stdout.as_str(), nothing.stderr.as_str()), (Some(0), "", ""));
    let refused = run(&folder, "hash --pepper secret reader@example.com", b"");
    assert_eq!(refused.code, Some(2), "a secret is accepted as an argument");
}

#[test]
fn the_help_of_every_command_lists_its_exit_codes() {
    let says = ["Usage: audience-gate", "Exit codes: 0 "].as_slice();
    let commands = ["--help", "check --help", "explain --help", "hash --help"];
    check("help", &commands.map(|command| Case { command, says, ..Case::default() }));
    check("version", &[Case { command: "--version", says: &["audience-gate 0."], ..Case::default() }]);
}

/// The violations of one event: each rule with its place.
fn pairs(violations: &ArrayRef) -> Vec<(String, String)> {
    let texts = |name| violations.as_struct().column_by_name(name).unwrap().as_string::<i32>().clone();
    let (rules, paths) = (texts("rule_id"), texts("path"));
    rules.iter().zip(&paths).map(|(rule, path)| (rule.unwrap().into(), path.unwrap().into())).collect()
}

#[test]
fn arrow_rows_hold_what_the_lines_hold() {
    let folder = folder("arrow");
    let escaped = GOOD.replace(r#""page_path":"/""#, r#" "page_path" : "\u00e9/\n", "n":1.50e+2 "#);
    let dated = WITH_EMAIL.replace(r#""email""#, r#""occurred_at":"2020-02-03T04:05:06.789012345+01:00","email""#);
    let unknown = BAD.replace(r#""session_id""#, r#""id":"0f0e0d0c-7c1d-4a6b-8c7e-0a0b0c0d0e0f","session_id""#);
    fs::write(folder.join("in.ndjson"), lines(&[&escaped, BAD, "nonsense", "", &dated, &unknown])).unwrap();
    let ran = run(&folder, "check in.ndjson --at occurred --arrow rows --accepted yes --rejected no --threads 1", b"");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let reader = StreamReader::try_new(fs::File::open(folder.join("rows")).unwrap(), None).unwrap();
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    let texts = |name: &str| -> Vec<Option<String>> {
        let columns = batches.iter().map(|batch| batch.column_by_name(name).unwrap().as_string::<i32>().clone());
        columns.flat_map(|column| column.iter().map(|cell| cell.map(String::from)).collect::<Vec<_>>()).collect()
    };
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let metadata_of = |line: &str| {
        let (_, metadata) = line.split_once(r#""metadata":"#)?;
        let mut values = serde_json::Deserializer::from_str(metadata).into_iter::<IgnoredAny>();
        values.next();
        metadata.get(..values.byte_offset()).map(String::from)
    };
    let (yes, no) = (read("yes"), read("no"));
    let (yes, no): (Vec<_>, Vec<_>) = (yes.lines().map(metadata_of).collect(), no.lines().map(metadata_of).collect());
    let expected = [&yes[0], &no[0], &no[1], &yes[1], &no[2]];
    assert!(texts("metadata").iter().eq(expected), "{:?}", texts("metadata"));
    let rules = [None, Some("subscription.consent"), Some("parse.json"), None, Some("subscription.consent")];
    assert!(texts("validation_rule_id").iter().map(Option::as_deref).eq(rules));
    let column = batches[0].column_by_name("violations").unwrap().as_list::<i32>().clone();
    let found: Vec<_> = (0..column.len()).map(|row| column.is_valid(row).then(|| pairs(&column.value(row)))).collect();
    let both = [("subscription.consent", "/metadata/consent_recorded"), ("registry.payload", "/metadata/plan_id")]
        .map(|(rule, path)| (rule.to_string(), path.to_string()));
    let unreadable = vec![("parse.json".to_string(), String::new())];
    assert_eq!(found, [None, Some(both.to_vec()), Some(unreadable), None, Some(both.to_vec())]);
    let ids = [None, None, None, None, Some("0f0e0d0c-7c1d-4a6b-8c7e-0a0b0c0d0e0f")];
    assert!(texts("id").iter().map(Option::as_deref).eq(ids));
    let batch = batches.first().unwrap();
    let micros = batch.column_by_name("occurred_at").unwrap().as_primitive::<TimestampMicrosecondType>().clone();
    assert_eq!(micros.iter().collect::<Vec<_>>(), [None, None, None, Some(1_580_699_106_789_012), None]);
    let numbers = batch.column_by_name("line").unwrap().as_primitive::<Int64Type>().clone();
    assert_eq!(numbers.values(), &[1, 2, 3, 5, 6]);
}

#[test]
fn an_arrow_stream_is_valid_without_rows_and_whole_when_it_is_long() {
    let folder = folder("arrow-sizes");
    for count in [0, 30_000] {
        fs::write(folder.join("in.ndjson"), lines(&vec![BAD; count])).unwrap();
        run(&folder, "check in.ndjson --arrow rows", b"");
        let reader = StreamReader::try_new(fs::File::open(folder.join("rows")).unwrap(), None).unwrap();
        assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), count);
    }
    let ran = run(&folder, "check in.ndjson --arrow /dev/full", b"");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("cannot write: No space left"), "{}", ran.stderr);
    let ran = run(&folder, "check in.ndjson --arrow - --accepted -", b"");
    assert!(ran.stderr.contains("- cannot take two kinds of output"), "{}", ran.stderr);
}
