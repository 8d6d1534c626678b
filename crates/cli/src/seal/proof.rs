//! A proof that a row is covered by a checkpoint, as JSON that anybody can check.

use super::note::{Checkpoint, Verifier};
use super::tree::{self, Hash};
use super::{form, leaves};
use crate::connection;
use crate::rows::hex;
use postgres::Transaction;
use serde::{Deserialize, Serialize};

/// The proof. What is hashed stands in it as it is hashed, and hashes in hexadecimal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof {
    /// What the row says beside what can tell a person.
    entry: String,
    /// The commitment to the rest.
    commitment: String,
    /// The rest, if it is to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    opened: Option<Opened>,
    leaf_index: u64,
    /// The hashes from the leaf to the root.
    path: Vec<String>,
    /// The signed note.
    checkpoint: String,
}

/// What a commitment is to.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    salt: String,
    contents: String,
}

/// The proof for a row.
pub fn prove(
    snapshot: &mut Transaction,
    row: &str,
    is_open: bool,
    note: &str,
    checkpoint: &Checkpoint,
) -> Result<String, String> {
    let condition = match row.strip_prefix("change:") {
        Some(number) => {
            let number: i64 = number.parse().map_err(|_| "change: is followed by a number, such as change:42")?;
            format!("l.change_id = {number}")
        }
        None if audience_gate::ids::is_uuid(row.as_bytes()) => format!("l.event_id = '{row}'"),
        None => return Err("name an event by its id, or a change of state as change:42".into()),
    };
    let mut found = None;
    leaves::each(snapshot, &condition, &mut |leaf, row| {
        let written = row.map(|row| (row.entry(), row.contents(), leaf.commitment(row)));
        let place = (leaf.index.unsigned_abs(), leaf.hash);
        found = Some((leaf.name.clone(), place, leaf.salt.clone(), written));
        Ok(())
    })?;
    let (name, (leaf_index, hash), salt, written) = found.ok_or("that row is not sealed")?;
    let (entry, contents, commitment) = written.ok_or_else(|| format!("{name} is missing"))?;
    if form::leaf(&entry, &commitment) != hash {
        return Err(format!("{name} was changed after it was sealed"));
    }
    if is_open && salt.is_none() {
        return Err(format!("{name} was erased, so only what is left of it can be proven; leave --open out"));
    }
    if leaf_index >= checkpoint.size {
        return Err(format!("{name} was sealed after the checkpoint; sign a new one"));
    }
    let place = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let path: Vec<Vec<u8>> = snapshot
        .query_one("select audience_gate.inclusion_proof($1, $2)", &[&place(leaf_index), &place(checkpoint.size)])
        .map_err(|error| connection::explain(&error))?
        .get(0);
    let path = path.iter().map(|hash| hex(hash)).collect();
    let opened = salt.filter(|_| is_open).map(|salt| Opened { salt: hex(&salt), contents });
    let proof = Proof { entry, commitment: hex(&commitment), opened, leaf_index, path, checkpoint: note.to_owned() };
    let text = serde_json::to_string_pretty(&proof).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}

/// What a proof proves, in words.
pub fn check(text: &str, verifier: &Verifier) -> Result<String, String> {
    let proof: Proof = serde_json::from_str(text).map_err(|error| format!("it is not a proof: {error}"))?;
    let checkpoint = verifier.open(&proof.checkpoint)?;
    let path: Option<Vec<Hash>> = proof.path.iter().map(|hash| unhex(hash)).collect();
    let (Some(commitment), Some(path)) = (unhex(&proof.commitment), path) else {
        return Err("a hash in it is not one".into());
    };
    let leaf = form::leaf(&proof.entry, &commitment);
    if !tree::includes(&leaf, proof.leaf_index, checkpoint.size, &path, &checkpoint.root) {
        return Err("its path does not lead to the root of the checkpoint".into());
    }
    let opened = match &proof.opened {
        None => String::new(),
        Some(Opened { salt, contents }) => {
            let salt = bytes(salt).ok_or("its salt is not one")?;
            if form::commitment(&salt, contents) != commitment {
                return Err("what it shows of the row is not what was sealed".into());
            }
            format!("with {contents}\n")
        }
    };
    Ok(format!(
        "sealed as leaf {} of the {} that the checkpoint covers: {}\n{opened}",
        proof.leaf_index, checkpoint.size, proof.entry
    ))
}

fn unhex(text: &str) -> Option<Hash> {
    bytes(text)?.try_into().ok()
}

/// The bytes of lower-case hexadecimal.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|&[high, low]| u8::try_from(digit(high)? * 16 + digit(low)?).ok());
    bytes.collect::<Option<_>>().filter(|_| rest.is_empty())
}
