//! Runs the command line as a user would: in a folder of its own, with files and standard input.
#![allow(dead_code, clippy::expect_used, reason = "each test uses its own part, and says where it cannot go on")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` if it crashed.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// An empty folder for one test.
pub fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::remove_dir_all(&path).ok();
    fs::create_dir_all(&path).expect("the folder can be created");
    path
}

/// Runs `audience-gate` with these words in a folder.
pub fn run(folder: &Path, words: &str, stdin: &[u8]) -> Ran {
    run_with(folder, words, stdin, &[])
}

/// The same with environment variables.
pub fn run_with(folder: &Path, words: &str, stdin: &[u8], variables: &[(&str, &str)]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_audience-gate"))
        .args(words.split_whitespace())
        .current_dir(folder)
        .env_remove("AUDIENCE_GATE_EMAIL_PEPPER")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command line starts");
    let mut pipe = child.stdin.take().expect("it has a standard input");
    let out = thread::scope(|scope| {
        // It may end before it has read everything.
        scope.spawn(move || pipe.write_all(stdin).ok());
        child.wait_with_output().expect("it ends")
    });
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes UTF-8");
    Ran { code: out.status.code(), stdout: text(out.stdout), stderr: text(out.stderr) }
}
