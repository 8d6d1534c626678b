//! `audience-gate seal`: keys, signed checkpoints, proofs, and what is stored against what was sealed.

mod findings;
mod form;
mod kept;
mod leaves;
mod note;
mod offline;
mod proof;
mod sealed;
mod stored;
mod tree;
mod verify;

use super::{Done, connection, say};
use findings::Findings;
pub use kept::write as archive;
use note::{Checkpoint, Signer, Verifier};
use postgres::{Client, IsolationLevel, Transaction};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The arguments of `seal`.
#[derive(clap::Args)]
pub struct SealArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Make a key: the private half goes to a file, the public half is printed.
    Key {
        /// Names the log and the key, such as example.com/events.
        name: String,
        /// The file of the private half. Keep it off the machine that runs the database.
        #[arg(long)]
        out: PathBuf,
    },
    /// Sign the newest seal, if it continues the note that was signed last.
    Sign {
        /// The file of the private half.
        #[arg(long)]
        key: PathBuf,
        /// The last note, which this one has to continue, and which it replaces. Without one there, this is the first.
        #[arg(long)]
        note: PathBuf,
    },
    /// Prove that nothing sealed was changed, removed, added inside, swapped, back-dated or cut off.
    Verify {
        /// Verify an archive instead, from its files alone. This needs no database.
        #[arg(long)]
        archive: Option<PathBuf>,
        /// A note that was kept elsewhere. Without one, rows are only compared with the seals beside them.
        #[arg(long, requires = "key")]
        checkpoint: Option<PathBuf>,
        /// The public half of the key that signed it.
        #[arg(long)]
        key: Option<String>,
    },
    /// Write the proof that a row is covered by a checkpoint.
    Prove {
        /// The id of an event, or `change:` and the number of a change of state.
        row: String,
        /// The note.
        #[arg(long)]
        checkpoint: PathBuf,
        /// The public half of the key that signed it.
        #[arg(long)]
        key: String,
        /// Show what can tell a person too: user, session, campaign, time and payload.
        #[arg(long)]
        open: bool,
    },
    /// Check a proof. This needs no database.
    Check {
        /// The file of the proof.
        proof: PathBuf,
        /// The public half of the key that signed its checkpoint.
        #[arg(long)]
        key: String,
    },
}

/// Runs a subcommand.
pub fn run(args: &SealArgs) -> Done {
    match &args.action {
        Action::Key { name, out } => key(name, out),
        Action::Sign { key, note } => sign(key, note),
        Action::Verify { archive, checkpoint, key } => {
            let checkpoint = match (checkpoint, key) {
                (Some(file), Some(key)) => Some(open(file, key)?.1),
                _ => None,
            };
            match archive {
                Some(archive) => verified(&offline::verify(archive, checkpoint.as_ref())?, checkpoint.as_ref()),
                None => {
                    within(|snapshot| verified(&verify::verify(snapshot, checkpoint.as_ref())?, checkpoint.as_ref()))
                }
            }
        }
        Action::Prove { row, checkpoint, key, open: is_open } => {
            let (note, checkpoint) = open(checkpoint, key)?;
            within(|snapshot| say(&proof::prove(snapshot, row, *is_open, &note, &checkpoint)?))
        }
        Action::Check { proof, key } => {
            let verifier = Verifier::read(key)?;
            match proof::check(&read(proof)?, &verifier) {
                Ok(proven) => say(&proven),
                Err(reason) => {
                    eprintln!("audience-gate: it proves nothing: {reason}");
                    Ok(1)
                }
            }
        }
    }
}

/// Writes the seals beside an archive that was changed, and verifies it by them.
pub fn renew(client: &mut Client, archive: &Path) -> Done {
    match kept::write(client, archive)? {
        None => Ok(0),
        Some(_) => verified(&offline::verify(archive, None)?, None),
    }
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}

/// A note and what it says.
fn open(file: &Path, key: &str) -> Result<(String, Checkpoint), String> {
    let note = read(file)?;
    let checkpoint =
        Verifier::read(key)?.open(&note).map_err(|reason| format!("{} is no checkpoint: {reason}", file.display()))?;
    Ok((note, checkpoint))
}

/// Works in one snapshot of the database.
fn within(work: impl FnOnce(&mut Transaction) -> Done) -> Done {
    let mut client = connection::connect()?;
    let mut snapshot = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .map_err(|error| connection::explain(&error))?;
    work(&mut snapshot)
}

fn key(name: &str, out: &Path) -> Done {
    if !note::is_name(name) {
        return Err("a name has no white space and no plus sign, such as example.com/events".into());
    }
    let private = note::new_key(name)?;
    let cannot = |error: std::io::Error| format!("cannot write {}: {error}", out.display());
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(out).and_then(|mut file| file.write_all(format!("{private}\n").as_bytes())).map_err(cannot)?;
    say(&format!("{}\n", Signer::read(&private)?.verifier().text()))
}

fn sign(key: &Path, file: &Path) -> Done {
    let signer = Signer::read(&read(key)?).map_err(|reason| format!("{}: {reason}", key.display()))?;
    let last = match file.exists() {
        true => Some(signer.verifier().open(&read(file)?).map_err(|reason| {
            format!(
                "{} is no note of this key: {reason}; give the last one, or a file that is not there",
                file.display()
            )
        })?),
        false => None,
    };
    let mut client = connection::connect()?;
    let mut work = client.transaction().map_err(|error| connection::explain(&error))?;
    let query = "select s.size, s.root from audience_gate.seal s order by s.size desc limit 1";
    let Some(newest) = work.query_opt(query, &[]).map_err(|error| connection::explain(&error))? else {
        return Err("nothing is sealed yet: call audience_gate.start_sealing(), and wait for the job seal_rows".into());
    };
    let size: i64 = newest.get(0);
    let root = newest.get::<_, Vec<u8>>(1).try_into().map_err(|_| "the newest seal is damaged")?;
    let checkpoint = Checkpoint { size: size.unsigned_abs(), root };
    if let Some(last) = &last
        && !continues(&mut work, last, &checkpoint)?
    {
        eprintln!(
            "audience-gate: not signed: the tree of {} leaves does not continue the one of {} that was signed last; run `audience-gate seal verify --checkpoint {}` to see what was changed",
            checkpoint.size,
            last.size,
            file.display()
        );
        return Ok(1);
    }
    let note = signer.sign(&checkpoint);
    work.execute(
        "insert into audience_gate.checkpoint (size, note) values ($1, $2) on conflict do nothing",
        &[&size, &note],
    )
    .map_err(|error| connection::explain(&error))?;
    work.commit().map_err(|error| connection::explain(&error))?;
    let beside = file.with_extension("new");
    fs::write(&beside, &note)
        .and_then(|()| fs::rename(&beside, file))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    say(&format!(
        "signed {} leaves; keep {} where the owner of the database cannot write\n",
        checkpoint.size,
        file.display()
    ))
}

/// Whether the newest tree begins with the one that was signed last.
fn continues(work: &mut Transaction, last: &Checkpoint, newest: &Checkpoint) -> Result<bool, String> {
    if last.size == 0 || last.size > newest.size {
        return Ok(last.size == 0);
    }
    let size = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
    let row = work
        .query_one("select audience_gate.consistency_proof($1, $2)", &[&size(last.size), &size(newest.size)])
        .map_err(|error| connection::explain(&error))?;
    let proof: Option<Vec<tree::Hash>> =
        row.get::<_, Vec<Vec<u8>>>(0).into_iter().map(|hash| hash.try_into().ok()).collect();
    Ok(proof.is_some_and(|proof| tree::extends(last.size, &last.root, newest.size, &newest.root, &proof)))
}

fn verified(findings: &Findings, checkpoint: Option<&Checkpoint>) -> Done {
    let waiting = match findings.waiting {
        0 => String::new(),
        count => format!("{count} rows wait to be sealed, and are not covered\n"),
    };
    let waiting = match findings.erased {
        0 => waiting,
        count => {
            format!("{count} of them were erased since; what was left is as the sealed erasures left it\n{waiting}")
        }
    };
    let waiting = match findings.elsewhere {
        0 => waiting,
        count => {
            format!("{waiting}{count} events are of months that the archive does not have, and were not compared\n")
        }
    };
    if !findings.is_empty() {
        say(&format!("{}{waiting}", findings.text()))?;
        return Ok(1);
    }
    let proven = match checkpoint {
        Some(checkpoint) => format!(
            "the first {} of {} sealed rows are as they were when the checkpoint was signed, and the others as they were sealed\n",
            checkpoint.size, findings.leaves
        ),
        None => format!(
            "{} rows are as they were sealed; only a checkpoint that was kept elsewhere proves that the seals were not rewritten with them\n",
            findings.leaves
        ),
    };
    say(&format!("{proven}{waiting}"))
}
