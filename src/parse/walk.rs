//! The usual members, as nearly all are: an expected key, and a plain text or number after it.

use super::event::Member;
use super::key_cache::{LONGEST, Level, Slot, Table};
use super::number;
use super::parser::Parser;
use super::string::{self, Fast};
use super::value::Value;
use crate::contract::vocabulary::{FIELD_COUNT, Kind};

/// How far the members of an object have been read.
pub(super) struct Walk {
    /// The comma or brace after the last one, or the brace before the first.
    pub at: usize,
    /// The last key.
    pub slot: Slot,
    /// The places of the keys that have occurred and are not the name of a field.
    pub seen: u64,
    /// How many more bytes Postgres writes than were read: a space after every colon and every comma; the last member
    /// has no comma.
    pub growth: isize,
    /// What is [suspicious](Value::suspicion) in its keys and values.
    pub suspicion: u8,
}

/// How far the reader looks ahead: the longest key, and the longest plain value with its end.
pub const WINDOW: usize = LONGEST + string::MOST_FAST;

/// Notes that the key in a slot has occurred, and returns whether this was the first time.
#[inline]
pub(super) fn see(seen: &mut u64, slot: Slot) -> bool {
    let bit = 1 << (slot % 64);
    let is_first = *seen & bit == 0;
    *seen |= bit;
    is_first
}

impl Walk {
    /// Reads on while each key is the expected one and its value is [plain](string::read_fast) text or a plain number.
    /// That is most of every event; `members` does the rest. Returns whether it stopped at the expected key, with only
    /// the value being unusual.
    #[inline(always)]
    pub fn read_fast(&mut self, text: &[u8], parser: &mut Parser, level: Level, table: Table, start: usize) -> bool {
        let Walk { mut at, mut slot, mut seen, mut growth, mut suspicion } = *self;
        let Parser { event, key_cache, .. } = parser;
        let mut given = event.given;
        let mut expected = key_cache.at(table, slot).next();
        let mut is_first = at < start;
        let mut is_expected = false;
        while let Some(window) = text.get(at..).and_then(|rest| rest.first_chunk::<WINDOW>())
            && let known = key_cache.at(table, expected)
            && let Some(here) = window.first_chunk()
            && known.stands_in(here, is_first)
        {
            is_expected = true;
            let size = known.size();
            let (value, end);
            if known.is_text() {
                let Some(Fast { length, flags }) = string::read_fast(window, size) else {
                    break;
                };
                value = Value::new(Kind::Text, flags, at + size, at + size + length);
                end = at + size + length + 1;
            } else if known.is_number() {
                let Some(length) = number::read_fast(window, size) else {
                    break;
                };
                value = Value::new(Kind::Number, 0, at + size, at + size + length);
                end = at + size + length;
            } else {
                break;
            }
            let field = known.field_number();
            if field < FIELD_COUNT {
                if !event.fill(field, value) {
                    break;
                }
                given |= 1 << field;
            } else {
                let has_room = event.members.len() < event.members.capacity();
                if level == Level::Event || !has_room || !see(&mut seen, expected) {
                    break;
                }
                event.members.push(Member { key: known.name_at(at), value });
            }
            (at, slot, expected) = (end, expected, known.next());
            growth += 2;
            suspicion |= value.suspicion();
            (is_first, is_expected) = (false, false);
        }
        event.given = given;
        *self = Walk { at, slot, seen, growth, suspicion };
        is_expected
    }
}
