//! `_manifest.json`: what an archive says about a month, beside the month's files.

use super::month::Month;
use super::rows::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The version of the archive format. The first had no contracts.
pub const SCHEMA_VERSION: u32 = 2;
/// The name of the file. Spark and pandas, which read whole folders, skip names that begin with an underscore.
const NAME: &str = "_manifest.json";

/// A month in an archive.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format: which columns there are, and how rows are hashed.
    pub schema_version: u32,
    /// The month, in UTC.
    pub month: String,
    /// The contract of the database when the month was archived.
    pub contract: String,
    /// How many rows there are.
    pub rows: u64,
    /// When the first of them was recorded.
    pub first_created_at: String,
    /// When the last of them was recorded.
    pub last_created_at: String,
    /// The hash of what the rows hold; their order makes no difference.
    pub content_hash: String,
    /// The install that it was archived from; `None` where an older release wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The files, in the order of their rows' times.
    pub files: Vec<Part>,
}

/// What tells whose a manifest is.
#[derive(Deserialize)]
struct Origin {
    #[serde(default)]
    database: Option<String>,
}

/// A file of a month.
#[derive(Debug, Serialize, Deserialize)]
pub struct Part {
    /// Its name within the month's folder.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// How long it is.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// When the first of its rows was recorded.
    pub first_created_at: String,
    /// When the last of them was recorded.
    pub last_created_at: String,
}

impl Manifest {
    /// Reads a month's manifest; `None` if the month is not in the archive.
    pub fn read(archive: &Path, month: Month) -> Result<Option<Self>, String> {
        let path = archive.join(month.to_string()).join(NAME);
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        let manifest: Manifest =
            serde_json::from_slice(&json).map_err(|error| format!("{} is not a manifest: {error}", path.display()))?;
        if !(1..=SCHEMA_VERSION).contains(&manifest.schema_version) {
            return Err(format!(
                "{} has schema version {}, and this command knows {SCHEMA_VERSION}; use the release that wrote it or a later one",
                path.display(),
                manifest.schema_version
            ));
        }
        if manifest.month != month.to_string() || manifest.files.iter().any(|part| part.name.contains(['/', '\\'])) {
            return Err(format!("{} is not of the month whose folder it is in", path.display()));
        }
        Ok(Some(manifest))
    }

    /// The manifests of all months of an archive, the oldest first.
    pub fn all(archive: &Path) -> Result<Vec<Self>, String> {
        let cannot = |error: io::Error| format!("cannot read {}: {error}", archive.display());
        let mut months: Vec<Month> = Vec::new();
        for entry in fs::read_dir(archive).map_err(cannot)? {
            months.extend(entry.map_err(cannot)?.file_name().to_str().and_then(|name| name.parse::<Month>().ok()));
        }
        months.sort_unstable();
        months.into_iter().filter_map(|month| Manifest::read(archive, month).transpose()).collect()
    }

    /// Refuses an archive of another database, by all that it holds: months that wait for their swap included.
    pub fn refuse_foreign(archive: &Path, database: Option<&str>) -> Result<(), String> {
        let cannot = |error: io::Error| format!("cannot read {}: {error}", archive.display());
        if !archive.exists() {
            return Ok(());
        }
        for entry in fs::read_dir(archive).map_err(cannot)? {
            let folder = entry.map_err(cannot)?.file_name();
            let Ok(json) = fs::read(archive.join(&folder).join(NAME)) else { continue };
            let Ok(origin) = serde_json::from_slice::<Origin>(&json) else { continue };
            if origin.database.is_some() && origin.database.as_deref() != database {
                return Err(format!(
                    "{} is the archive of another database: {} was archived from there; nothing was changed",
                    archive.display(),
                    folder.display()
                ));
            }
        }
        Ok(())
    }

    /// Reads the manifest of a month that has to be in the archive.
    pub fn expected(archive: &Path, month: Month) -> Result<Self, String> {
        Manifest::read(archive, month)?
            .ok_or_else(|| format!("{} has no {month}; archive the month first", archive.display()))
    }

    /// Writes it into a folder.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let path = folder.join(NAME);
        File::create(&path)
            .and_then(|file| {
                serde_json::to_writer_pretty(&file, self)?;
                file.sync_all()
            })
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    /// The paths of its files.
    pub fn paths(&self, archive: &Path) -> Vec<PathBuf> {
        self.files.iter().map(|part| archive.join(&self.month).join(&part.name)).collect()
    }

    /// Checks that all files are there, byte for byte.
    pub fn check_files(&self, archive: &Path) -> Result<(), String> {
        for (part, path) in self.files.iter().zip(self.paths(archive)) {
            let sha256 = file_hash(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            if sha256 != part.sha256 {
                return Err(format!(
                    "{} is not the file that the manifest names: its SHA-256 differs; bring it back from a backup, or archive the month again with --again while it is in the database",
                    path.display()
                ));
            }
        }
        Ok(())
    }
}

/// The SHA-256 of a file.
pub fn file_hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            count => digest.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}
