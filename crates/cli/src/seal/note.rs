//! Checkpoints as signed notes, in the forms of C2SP: `signed-note` and `tlog-checkpoint`.

use super::tree::Hash;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};

/// What begins the private half of a key.
const PRIVATE: &str = "PRIVATE+KEY+";
/// What says in a key that it is of Ed25519.
const ALGORITHM: u8 = 1;

/// Who signs.
pub struct Signer {
    name: String,
    id: [u8; 4],
    pair: Ed25519KeyPair,
}

/// Whose signature is believed.
#[derive(Debug, PartialEq)]
pub struct Verifier {
    name: String,
    id: [u8; 4],
    public: Vec<u8>,
}

/// What a note says of a tree.
#[derive(Debug, PartialEq)]
pub struct Checkpoint {
    /// How many leaves it has.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

fn id(name: &str, public: &[u8]) -> [u8; 4] {
    let digest = Sha256::new().chain_update(name).chain_update([b'\n', ALGORITHM]).chain_update(public).finalize();
    *digest.first_chunk().unwrap_or(&[0; 4])
}

fn key_text(name: &str, id: [u8; 4], key: &[u8]) -> String {
    format!("{name}+{:08x}+{}", u32::from_be_bytes(id), BASE64.encode([&[ALGORITHM], key].concat()))
}

/// The name, the id and the key in a key's text.
fn read_key(text: &str) -> Option<(&str, [u8; 4], [u8; 32])> {
    let mut parts = text.trim().splitn(3, '+');
    let (name, id, key) = (parts.next()?, parts.next()?, BASE64.decode(parts.next()?).ok()?);
    let id = u32::from_str_radix(id, 16).ok()?.to_be_bytes();
    let key = key.strip_prefix(&[ALGORITHM])?.try_into().ok()?;
    is_name(name).then_some((name, id, key))
}

/// Whether this can name a key: something without white space and plus signs.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c.is_control())
}

/// A new private key under this name.
pub fn new_key(name: &str) -> Result<String, String> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| "the system gives no random numbers")?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| error.to_string())?;
    let id = id(name, pair.public_key().as_ref());
    Ok(format!("{PRIVATE}{}", key_text(name, id, &seed)))
}

impl Signer {
    /// Reads a private key.
    pub fn read(text: &str) -> Result<Self, String> {
        let problem = "it is not a private key; make one with `audience-gate seal key NAME --out FILE`";
        let (name, sent_id, seed) = text.trim().strip_prefix(PRIVATE).and_then(read_key).ok_or(problem)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| problem)?;
        let id = id(name, pair.public_key().as_ref());
        if id != sent_id {
            return Err("the key is damaged: its id is not that of what it holds".into());
        }
        Ok(Signer { name: name.to_owned(), id, pair })
    }

    /// The public half.
    pub fn verifier(&self) -> Verifier {
        Verifier { name: self.name.clone(), id: self.id, public: self.pair.public_key().as_ref().to_vec() }
    }

    /// The signed note of a checkpoint. Its first line names the log, as the key does.
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let text = format!("{}\n{}\n{}\n", self.name, checkpoint.size, BASE64.encode(checkpoint.root));
        let signature = [&self.id, self.pair.sign(text.as_bytes()).as_ref()].concat();
        format!("{text}\n\u{2014} {} {}\n", self.name, BASE64.encode(signature))
    }
}

impl Verifier {
    /// Reads a public key.
    pub fn read(text: &str) -> Result<Self, String> {
        let problem = "it is not a public key, such as NAME+0123abcd+AbC…, which `audience-gate seal key` prints";
        let (name, sent_id, public) = read_key(text).ok_or(problem)?;
        let verifier = Verifier { name: name.to_owned(), id: id(name, &public), public: public.to_vec() };
        if verifier.id == sent_id { Ok(verifier) } else { Err("the public key is damaged: its id is another's".into()) }
    }

    /// The key as text.
    pub fn text(&self) -> String {
        key_text(&self.name, self.id, &self.public)
    }

    /// What a note says, if this key has signed it.
    pub fn open(&self, note: &str) -> Result<Checkpoint, String> {
        let (text, signatures) = note.split_once("\n\n").ok_or("it is not a signed note")?;
        let text = format!("{text}\n");
        let is_signed = signatures.lines().any(|line| {
            let mut words = line.strip_prefix("\u{2014} ").unwrap_or_default().split(' ');
            let (name, signature) = (words.next(), words.next().and_then(|word| BASE64.decode(word).ok()));
            let (Some(name), Some(signature), None) = (name, signature, words.next()) else { return false };
            let Some(signature) = signature.strip_prefix(&self.id) else { return false };
            name == self.name
                && UnparsedPublicKey::new(&ED25519, &self.public).verify(text.as_bytes(), signature).is_ok()
        });
        if !is_signed {
            return Err(format!("it is not signed by {}", self.text()));
        }
        let mut lines = text.lines();
        let origin = lines.next().unwrap_or_default();
        if origin != self.name {
            return Err(format!("it is of another log: {origin}"));
        }
        let size = lines.next().filter(|line| !line.starts_with(['0', '+']) || *line == "0");
        let size = size.and_then(|line| line.parse().ok()).ok_or("it says no size")?;
        let root = lines.next().and_then(|line| BASE64.decode(line).ok()).and_then(|root| root.try_into().ok());
        Ok(Checkpoint { size, root: root.ok_or("it says no root")? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
    use super::{Checkpoint, Signer, Verifier, new_key};

    #[test]
    fn a_note_says_what_was_signed_and_no_altered_one_is_accepted() {
        let signer = Signer::read(&new_key("example.com/events").unwrap()).unwrap();
        let checkpoint = Checkpoint { size: 1176, root: [5; 32] };
        let note = signer.sign(&checkpoint);
        let verifier = Verifier::read(&signer.verifier().text()).unwrap();
        assert_eq!(verifier.open(&note), Ok(checkpoint));
        for place in (0..note.len()).filter(|&place| note.is_char_boundary(place) && note.is_char_boundary(place + 1)) {
            let mut bytes = note.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(altered) = String::from_utf8(bytes) else { continue };
            assert!(verifier.open(&altered).is_err(), "byte {place}: {altered:?}");
        }
        let other = Signer::read(&new_key("example.com/events").unwrap()).unwrap();
        assert!(other.verifier().open(&note).is_err());
    }

    /// The example of golang.org/x/mod/sumdb/note, whose form this is.
    #[test]
    fn keys_and_signatures_are_those_of_the_published_example() {
        let verifier = Verifier::read("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let note = "If you think cryptography is the answer to your problem,\n\
            then you don't know what your problem is.\n\n\
            \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        assert_eq!(
            verifier.open(note).unwrap_err(),
            "it is of another log: If you think cryptography is the answer to your problem,"
        );
        let private = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
        assert_eq!(Signer::read(private).unwrap().verifier(), verifier);
    }
}
