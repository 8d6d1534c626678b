//! Rule zero: reads bytes into an [`Event`], in one pass that copies nothing.
//!
//! The parser accepts exactly RFC 8259 in UTF-8, notes in passing what the rules will ask for, and keeps
//! spans of the input, so that an accepted event reaches the store as it was written. It is written by hand because the
//! measured alternatives pay for a tree or a second pass (`bench/RESULTS.md`); the property tests and the fuzz targets
//! hold it to `serde_json`.
//!
//! A [`Value`] is one word, so that it travels in a register:
//!
//! ```text
//!  63                          36 35                         9 8       4 3    1  0
//! ├──────────────────────────────┼────────────────────────────┼─────────┼──────┼───┤
//! │ end: one past its last byte  │ start: its first byte      │ flags   │ kind │ 1 │
//! │ 28 bits                      │ 27 bits                    │ 5 bits  │ 3    │   │
//! └──────────────────────────────┴────────────────────────────┴─────────┴──────┴───┘
//!   flags: 4 UUID   3 DIGITS   2 SIGNS   1 NON_ASCII   0 ESCAPED; of text only
//!   the lowest bit is always set, so that `Option<Value>` is one word too
//! ```
//!
//! The parser looks [`WINDOW`] bytes ahead at once. A text that is [padded](Reader::padded) lets it do so up to the
//! last byte. JSON holds no zero byte, so a zero ends whatever is being read:
//!
//! ```text
//!  0                                    length            length + WINDOW
//! ├─────────────────────────────────────┼──────────────────┤
//! │ {"session_id":"session-0001", … }   │ 0 0 0 … 0 0 0 0  │
//! └─────────────────────────────────────┴──────────────────┘
//! ```

mod deep;
mod event;
mod faults;
pub mod json;
pub mod key_cache;
mod members;
pub mod multiple;
pub mod number;
mod parser;
pub mod part;
mod reader;
pub mod space;
pub mod string;
pub mod tape;
mod value;
mod walk;

pub use event::{Event, Member};
pub use faults::Faults;
pub use parser::{NotJson, Parser};
pub use reader::Reader;
pub use value::Value;
pub use walk::WINDOW;
