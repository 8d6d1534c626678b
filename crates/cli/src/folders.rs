//! Folders of an archive, each written under another name and put in its place when it is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Where a folder is written before it is whole: empty, whatever an interrupted run left there.
pub fn begin(archive: &Path, name: &str) -> Result<PathBuf, String> {
    let partial = archive.join(format!("{name}.partial"));
    let cannot = |error: io::Error| format!("cannot write {}: {error}", partial.display());
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(cannot)?;
    }
    fs::create_dir_all(&partial).map_err(cannot)?;
    Ok(partial)
}

/// Puts a whole folder in its place, and removes the one that was there.
pub fn put(archive: &Path, from: &Path, name: &str) -> Result<(), String> {
    let (folder, replaced) = (archive.join(name), archive.join(format!("{name}.replaced")));
    let sync = |folder: &Path| File::open(folder).and_then(|folder| folder.sync_all());
    let swap = || {
        sync(from)?;
        if folder.exists() {
            if replaced.exists() {
                fs::remove_dir_all(&replaced)?;
            }
            fs::rename(&folder, &replaced)?;
        }
        fs::rename(from, &folder)?;
        sync(archive)?;
        if replaced.exists() {
            fs::remove_dir_all(&replaced)?;
        }
        Ok(())
    };
    swap().map_err(|error: io::Error| format!("cannot write {}: {error}", folder.display()))
}
