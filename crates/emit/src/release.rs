//! Releases: the record of each, and the check that nothing has been edited since it was released.

use crate::step::Current;
use audience_gate::{contract::rules::VERSION, time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

/// Where the records are kept.
const RECORDS: &str = "supabase/contract/releases";
/// Where the migrations are.
const MIGRATIONS: &str = "supabase/migrations";
/// The end of the name of the migration from the last release to the current contract, until it is released.
const UNRELEASED: &str = "_contract_unreleased.sql";

/// A release, as its record describes it.
#[derive(Serialize, Deserialize)]
pub struct Release {
    /// Its version.
    pub version: String,
    /// The day it was made.
    pub date: String,
    /// The version of the contract that it judges by.
    pub contract: String,
    /// The fingerprint of that contract.
    pub fingerprint: String,
    /// The migrations that came with it, with the SHA-256 of each.
    pub migrations: BTreeMap<String, String>,
    /// The hashes of every unit of its SQL: of the declaration, which cannot be replaced, and of the whole.
    pub units: BTreeMap<String, [String; 2]>,
    /// The default taxonomy that it shipped.
    pub taxonomy: Value,
    /// The lines of what its contract means, by which it can be compared with another.
    pub meaning: Vec<String>,
}

/// Every release, oldest first.
pub fn releases(root: &Path) -> io::Result<Vec<Release>> {
    let mut releases: Vec<Release> = Vec::new();
    for path in files(&root.join(RECORDS), ".json")? {
        releases.push(serde_json::from_str(&fs::read_to_string(&path)?)?);
    }
    releases.sort_by_key(|release| numbers(&release.version));
    Ok(releases)
}

/// The migration that is rewritten until it is released; if there is none yet, its name follows the newest.
pub fn pending(root: &Path) -> io::Result<String> {
    let migrations = files(&root.join(MIGRATIONS), ".sql")?;
    let pending = migrations.iter().find(|path| name(path).ends_with(UNRELEASED));
    let newest = migrations.iter().rev().find_map(|path| timestamp(path)).unwrap_or_default();
    let name = pending.map_or_else(|| format!("{}{UNRELEASED}", newest + 1), |path| name(path));
    Ok(format!("{MIGRATIONS}/{name}"))
}

/// What is wrong with the migrations that were released.
pub fn edited(root: &Path, releases: &[Release]) -> io::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut newest = 0;
    for Release { version, migrations, .. } in releases {
        for (name, hash) in migrations {
            let path = root.join(MIGRATIONS).join(name);
            newest = newest.max(timestamp(&path).unwrap_or_default());
            let found = fs::read(&path).ok().map(|content| sha256(&content));
            if found.as_ref() != Some(hash) {
                let fault = if found.is_some() { "edited" } else { "removed" };
                wrong.push(format!(
                    "{MIGRATIONS}/{name} was {fault} after {version} was released with it: databases have run it and will not run it again. Restore it, and write what is to change as a new migration"
                ));
            }
        }
    }
    for path in unreleased(root, releases)? {
        if timestamp(&path).is_none_or(|timestamp| timestamp <= newest) {
            wrong.push(format!(
                "{MIGRATIONS}/{} sorts before migrations that were released: databases that have run those will not run it. Number it after {newest}",
                name(&path)
            ));
        }
    }
    Ok(wrong)
}

/// Why a checkout is not a release: it has migrations that no release has frozen.
pub fn not_released(root: &Path) -> io::Result<Vec<String>> {
    let unreleased = unreleased(root, &releases(root)?)?;
    Ok(unreleased
        .iter()
        .map(|path| format!("{MIGRATIONS}/{} is in no release: run `npm run emit -- --release VERSION`", name(path)))
        .collect())
}

/// Freezes every migration that is not in a release yet under a version, and returns what was written.
pub fn freeze(root: &Path, version: &str, current: &Current) -> io::Result<Vec<String>> {
    let releases = releases(root)?;
    let last = releases.last();
    if last.is_some_and(|last| last.version == version) && unreleased(root, &releases)?.is_empty() {
        return Ok(Vec::new());
    }
    if numbers(version).is_none() || last.and_then(|last| numbers(&last.version)) >= numbers(version) {
        return Err(io::Error::other(format!(
            "a release is called X.Y.Z and comes after the last one; {version} does not"
        )));
    }
    let mut written = Vec::new();
    let pending = pending(root)?;
    if root.join(&pending).exists() {
        let released = pending.replace(UNRELEASED, &format!("_contract_{}.sql", version.replace('.', "_")));
        fs::rename(root.join(&pending), root.join(&released))?;
        written.push(released);
    }
    let mut migrations = BTreeMap::new();
    for path in unreleased(root, &releases)? {
        migrations.insert(name(&path), sha256(&fs::read(&path)?));
    }
    let hashed = |unit: &crate::units::Unit| [unit.declaration(), &unit.text].map(|text| sha256(text.as_bytes()));
    let release = Release {
        version: version.into(),
        date: today(),
        contract: VERSION.into(),
        fingerprint: crate::fingerprint(),
        migrations,
        units: current.units.iter().map(|unit| (unit.name.clone(), hashed(unit))).collect(),
        taxonomy: current.taxonomy.clone(),
        meaning: crate::meaning::lines(),
    };
    let path = format!("{RECORDS}/{version}.json");
    fs::create_dir_all(root.join(RECORDS))?;
    fs::write(root.join(&path), serde_json::to_string_pretty(&release)? + "\n")?;
    written.push(path);
    Ok(written)
}

/// The hash of a text, in the form that records keep.
pub fn sha256(text: &[u8]) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The migrations that are not in a release.
fn unreleased(root: &Path, releases: &[Release]) -> io::Result<Vec<PathBuf>> {
    let released: BTreeSet<_> = releases.iter().flat_map(|release| release.migrations.keys().cloned()).collect();
    let mut migrations = files(&root.join(MIGRATIONS), ".sql")?;
    migrations.retain(|path| !released.contains(&name(path)));
    Ok(migrations)
}

/// The files of a folder with this ending, in order; none if there is no folder.
fn files(folder: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| name(path).ends_with(ending));
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn timestamp(path: &Path) -> Option<u64> {
    name(path).split('_').next()?.parse().ok()
}

fn numbers(version: &str) -> Option<[u32; 3]> {
    let numbers: Vec<u32> = version.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

fn today() -> String {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let written = time::write(since_1970.as_millis() as i64);
    String::from_utf8_lossy(&written[..10]).into_owned()
}
