//! A folder that `emit` works on as on a checkout.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it, and one that cannot go on says where")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// An empty checkout.
pub struct Folder(PathBuf);

impl Folder {
    /// A new one.
    pub fn new(name: &str) -> Folder {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    /// A path in it.
    pub fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// Writes a file.
    pub fn write(&self, path: &str, content: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), content).unwrap();
    }

    /// Changes a file.
    pub fn edit(&self, path: &str, change: impl Fn(String) -> String) {
        let text = fs::read_to_string(self.path(path)).unwrap();
        fs::write(self.path(path), change(text)).unwrap();
    }

    /// Runs the command; its exit code and what it printed.
    pub fn emit(&self, words: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } =
            Command::new(env!("CARGO_BIN_EXE_audience-gate-emit")).args(words).current_dir(&self.0).output().unwrap();
        (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    /// Runs the command, which succeeds; what it printed.
    pub fn emits(&self, words: &[&str]) -> String {
        let (code, stdout, stderr) = self.emit(words);
        assert_eq!(code, 0, "emit {words:?}: {stderr}");
        stdout
    }

    /// Runs the command, which fails; what it complained of.
    pub fn refuses(&self, words: &[&str]) -> String {
        let (code, _, stderr) = self.emit(words);
        assert_ne!(code, 0, "emit {words:?} did not fail");
        stderr
    }
}
