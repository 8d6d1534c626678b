//! The default taxonomy as it was written, which the generators read.

use audience_gate::registry::taxonomy::TAXONOMY;
use serde_json::Value;

/// The file, read.
pub fn read() -> Value {
    serde_json::from_str(TAXONOMY).unwrap_or_default()
}

/// The entries of one of its lists.
pub fn entries<'a>(taxonomy: &'a Value, list: &str) -> &'a [Value] {
    taxonomy.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
