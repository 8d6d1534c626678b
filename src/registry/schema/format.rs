//! The formats of schemas, most of them as patterns.

use super::Pattern;
use crate::{ids, time};

const HOSTNAME: &str = r"^[a-zA-Z\d]([a-zA-Z\d-]{0,61}[a-zA-Z\d])?(\.[a-zA-Z\d]([a-zA-Z\d-]{0,61}[a-zA-Z\d])?)*$";
const HOSTNAME_LENGTH: usize = 253;
const IPV4: &str = r"^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$";
const WHOLE_IPV6: &str = r"^([\da-fA-F]{1,4}:){7}[\da-fA-F]{1,4}$";
const SHORT_IPV6: &str = r"^(([\da-fA-F]{1,4}:)*[\da-fA-F]{1,4})?::(([\da-fA-F]{1,4}:)*[\da-fA-F]{1,4})?$";
/// A scheme; after it an authority and a path, or a path alone; and after them a query and a fragment.
const URI: &str = concat!(
    r"^[a-zA-Z][a-zA-Z\d+.-]*:",
    r"(//(([\w.~!$&'()*+,;=:-]|%[\da-fA-F]{2})*@)?",
    r"(\[([\da-fA-F:.]+|v[\da-fA-F]+\.[\w.~!$&'()*+,;=:-]+)\]|([\w.~!$&'()*+,;=-]|%[\da-fA-F]{2})*)",
    r"(:\d*)?(/([\w.~!$&'()*+,;=:@/-]|%[\da-fA-F]{2})*)?",
    r"|/|/?([\w.~!$&'()*+,;=:@-]|%[\da-fA-F]{2})([\w.~!$&'()*+,;=:@/-]|%[\da-fA-F]{2})*|)",
    r"(\?([\w.~!$&'()*+,;=:@/?-]|%[\da-fA-F]{2})*)?",
    r"(#([\w.~!$&'()*+,;=:@/?-]|%[\da-fA-F]{2})*)?$",
);

/// Whether a text has the format with this name.
pub fn has(text: &[u8], name: &[u8]) -> bool {
    match name {
        b"date" => text.len() == 10 && time::parse(&[text, b"T00:00:00Z"].concat()).is_some(),
        b"date-time" => time::parse(text).is_some(),
        b"time" => time::parse(&[b"2000-01-01T", text].concat()).is_some(),
        b"uuid" => ids::is_uuid(text),
        b"hostname" => text.len() <= HOSTNAME_LENGTH && is(HOSTNAME, text),
        b"ipv4" => is(IPV4, text),
        b"ipv6" => is_ipv6(text),
        b"uri" => is(URI, text),
        _ => false,
    }
}

fn is(pattern: &str, text: &[u8]) -> bool {
    Pattern::read(pattern.as_bytes()).is_some_and(|pattern| pattern.matches(text))
}

fn is_ipv6(text: &[u8]) -> bool {
    let mut text = text.to_vec();
    let last = text.iter().rposition(|&byte| byte == b':').map_or(0, |colon| colon + 1);
    if text.get(last..).is_some_and(|last| is(IPV4, last)) {
        text.truncate(last);
        text.extend_from_slice(b"0:0");
    }
    let groups = text.split(|&byte| byte == b':').filter(|group| !group.is_empty()).count();
    is(WHOLE_IPV6, &text) || groups < 8 && is(SHORT_IPV6, &text)
}
