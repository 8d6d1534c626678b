"""What is queued of an event: complete, so that every attempt sends the same, and without any address."""

import hashlib
import json
import re
import secrets
import threading
import time
from datetime import datetime, timezone
from typing import Any, Dict, Mapping, Optional, Tuple

from .errors import BadEvent

# More than any event can hold that the gate accepts; it bounds the queue.
MOST_BYTES = 65_536
# The most bytes of an e-mail address.
EMAIL_BYTES = 254

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# The grammar of the HTML living standard, with a dot in the domain.
ADDRESS = re.compile(
    r"[a-z0-9_.!#$%&'*+/=?^`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+"
)

_lock = threading.Lock()
_last = (0, 0)


def new_id() -> str:
    """A UUID of version 7: first the time, then a count within the millisecond, so that ids sort as they were made."""
    global _last
    with _lock:
        ms = max(time.time_ns() // 1_000_000, _last[0])
        count = _last[1] + 1 if ms == _last[0] else 0
        _last = (ms, count) if count < 4096 else (ms + 1, 0)
        ms, count = _last
    digits = f"{ms:012x}7{count:03x}{secrets.randbits(62) | 1 << 63:016x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def hash_email(email: str) -> Optional[str]:
    """SHA-256 of the normalised address, as every sender makes it; None if it is not an address."""
    # Python makes two characters of this one; the contract lower-cases one by one.
    address = email.strip("\t\n\f\r ").replace("\u0130", "i").lower()
    if len(address) > EMAIL_BYTES or not ADDRESS.fullmatch(address):
        return None
    return hashlib.sha256(address.encode()).hexdigest()


def complete(given: Mapping[str, Any]) -> Tuple[str, str]:
    """The event's id and its text."""
    if not isinstance(given, Mapping):
        raise BadEvent("an event is a mapping; track one at a time")
    event: Dict[str, Any] = dict(given)
    email = event.pop("email", None)
    if event.get("id") is None:
        event["id"] = new_id()
    elif event.get("occurred_at") is None:
        raise BadEvent(
            "an event with an id of its own needs `occurred_at` too, or it would differ when it comes again"
        )
    event_id = event["id"] = str(event["id"]).lower()
    if not UUID.fullmatch(event_id):
        raise BadEvent("`id` is not a UUID; leave it out to get one")
    if event.get("occurred_at") is None:
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        event["occurred_at"] = now.replace("+00:00", "Z")
    if email is not None:
        hashed = hash_email(str(email))
        if hashed is None:
            raise BadEvent("`email` is not an e-mail address")
        metadata = {**(event.get("metadata") or {}), "email_hash": hashed}
        metadata.pop("email_hash_kind", None)
        event["metadata"] = metadata
    text = _text(event)
    if len(text) > MOST_BYTES:
        raise BadEvent(f"the event has more than {MOST_BYTES} bytes")
    return event_id, text


def _text(event: Dict[str, Any]) -> str:
    try:
        # In ASCII, so that its characters are its bytes, and half a surrogate pair can be written, too.
        return json.dumps(event, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadEvent("the event cannot be written as JSON: it holds itself, NaN, or an object of Python's") from error
