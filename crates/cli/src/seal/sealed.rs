//! The events that are sealed, and the rows of a log against them, in whatever order and on however many threads they are
//! read.

use super::findings::Findings;
use super::form::{self, Event, Row};
use super::leaves::{Erased, Leaf};
use super::tree::Hash;
use super::verify::fault;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// The bits of the id of an event.
pub type Id = [u8; 16];

/// An event that has to be there.
pub struct Sealed {
    /// The place of its leaf.
    pub index: i64,
    /// The hash of its leaf.
    pub hash: Hash,
    /// What was stored with it; `None` once it was erased.
    pub salt: Option<[u8; 16]>,
    /// Of one that was erased, the commitment that was sealed, and what the last erasure left.
    pub erased: Option<Box<(Hash, Option<Erased>)>>,
}

/// All of them.
#[derive(Default)]
pub struct Events {
    places: HashMap<Id, u32>,
    sealed: Vec<Sealed>,
    /// Which of them were found.
    are_found: Vec<AtomicBool>,
}

impl Events {
    /// Adds one, unless it is known from another leaf.
    pub fn add(&mut self, id: Id, sealed: Sealed, findings: &mut Findings) {
        let index = sealed.index;
        let place = u32::try_from(self.sealed.len()).unwrap_or(u32::MAX);
        if self.places.insert(id, place).is_some() {
            findings.add(index, format!("event {} has two leaves (leaf {index})", written(&id)));
        }
        self.sealed.push(sealed);
        self.are_found.push(AtomicBool::new(false));
    }

    /// Says of each erasure that left something of them whether it is sealed itself.
    pub fn settle(&mut self, is_sealed: impl Fn(&str) -> bool) {
        for sealed in &mut self.sealed {
            if let Some((_, Some(erased))) = sealed.erased.as_deref_mut() {
                erased.is_sealed &= is_sealed(&erased.erasure);
            }
        }
    }

    /// Whether one with this id is sealed.
    pub fn has(&self, id: &Id) -> bool {
        self.places.contains_key(id)
    }

    /// Finds the one with this id, once.
    pub fn find(&self, id: &Id) -> Option<&Sealed> {
        let place = *self.places.get(id)? as usize;
        let is_found = self.are_found.get(place)?.swap(true, Ordering::Relaxed);
        self.sealed.get(place).filter(|_| !is_found)
    }

    /// Those that were not found.
    pub fn missing(&self) -> impl Iterator<Item = (String, i64)> {
        let is_missing = |place: usize| self.are_found.get(place).is_some_and(|found| !found.load(Ordering::Relaxed));
        let missing = self.places.iter().filter(move |(_, place)| is_missing(**place as usize));
        missing.filter_map(|(id, place)| Some((written(id), self.sealed.get(*place as usize)?.index)))
    }
}

/// What is wrong with an event, and whether it was erased.
pub fn compared(sealed: &Sealed, event: Event) -> (Option<&'static str>, bool) {
    let row = Row::Event(event);
    if let (Some(salt), None) = (&sealed.salt, &sealed.erased) {
        let commitment = form::commitment(salt, &row.contents());
        let is_same = form::leaf(&row.entry(), &commitment) == sealed.hash;
        return ((!is_same).then_some("was changed after it was sealed"), false);
    }
    let (commitment, erased) = sealed.erased.as_deref().cloned().unwrap_or_default();
    let (index, hash) = (sealed.index, sealed.hash);
    let leaf = Leaf { index, name: String::new(), event: None, salt: None, erased, commitment: Some(commitment), hash };
    (fault(&leaf, &row), true)
}

/// The bits of an id.
pub fn bits(id: &[u8]) -> Option<Id> {
    let digits = id.iter().filter(|byte| **byte != b'-');
    let digit = |bits: u128, byte: &u8| Some(bits << 4 | u128::from((*byte as char).to_digit(16)?));
    digits.take(32).try_fold(0, digit).filter(|_| id.len() == 36).map(u128::to_be_bytes)
}

/// An id of these bits.
pub fn written(id: &Id) -> String {
    let bits = u128::from_be_bytes(*id);
    String::from_utf8_lossy(&audience_gate::ids::written((bits >> 64) as u64, bits as u64)).into_owned()
}
