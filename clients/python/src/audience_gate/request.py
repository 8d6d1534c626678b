"""One request and what its answer means."""

import email.utils
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Dict, List, NamedTuple, Optional

from .errors import Misconfigured

TIME_LIMIT_SECONDS = 15
LONGEST_ANSWER_TO_WAIT = 86_400.0


class Target(NamedTuple):
    url: str
    key: str


class Answer(NamedTuple):
    # 0 if there was none.
    status: int
    results: Optional[List[Dict[str, Any]]] = None
    error: Optional[Dict[str, str]] = None
    # Seconds that the server asks to wait.
    wait: float = 0.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Where it leads is not where the key belongs."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def target(url: Optional[str]) -> Target:
    """The address and the key. The key comes from the environment alone, so that it stands in no source."""
    address = url or os.environ.get("AUDIENCE_GATE_URL")
    key = os.environ.get("AUDIENCE_GATE_KEY")
    if not address:
        raise Misconfigured("set AUDIENCE_GATE_URL to the address of the function `ingest`")
    if not key:
        raise Misconfigured("set AUDIENCE_GATE_KEY to a secret key of the project")
    parts = urllib.parse.urlsplit(address)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise Misconfigured(
            "the address of the function must begin with https://, or the key could be read on the way"
        )
    return Target(address, key)


def outcome_of(status: int) -> str:
    """What an answer means for the events it was about.

    `settled`: it has a verdict for each. `split`: something in the batch is in the way; halve it, and give up on a single
    event. `retry`: the same ids again, later. `halt`: no retry can help.
    """
    if status in (200, 207, 422):
        return "settled"
    if status in (400, 413):
        return "split"
    if status in (0, 408, 425, 429) or status >= 500:
        return "retry"
    return "halt"


def back_off(attempt: int, random: float) -> float:
    """Doubles from one second to five minutes, and is an hour in the end; the upper half is random, so that clients do
    not return in step."""
    ceiling = min(300.0, 2.0**attempt) if attempt < 25 else 3600.0
    return ceiling / 2 + random * ceiling / 2


def post(to: Target, texts: List[str]) -> Answer:
    request = urllib.request.Request(
        to.url,
        data=f"[{','.join(texts)}]".encode(),
        headers={"content-type": "application/json", "apikey": to.key, "user-agent": "audience-gate-python"},
    )
    try:
        try:
            response = _opener.open(request, timeout=TIME_LIMIT_SECONDS)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            status, body, asked = response.status, response.read(), response.headers.get("retry-after")
    except (OSError, http.client.HTTPException):
        return Answer(0)
    told = _parsed(body)
    results, error = told.get("results"), told.get("error")
    if not isinstance(results, list):
        results = None
        # A captive portal answers 200 as well: without verdicts there was no answer.
        if outcome_of(status) == "settled":
            return Answer(0)
    return Answer(status, results, error if isinstance(error, dict) else None, _retry_after(asked))


def _parsed(body: bytes) -> Dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _retry_after(header: Optional[str]) -> float:
    """Seconds, or an HTTP date; at most a day, whatever a faulty header says."""
    if not header:
        return 0.0
    if header.isdecimal():
        return min(float(header), LONGEST_ANSWER_TO_WAIT)
    try:
        wait = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
    except (ValueError, TypeError):
        return 0.0
    return min(max(wait, 0.0), LONGEST_ANSWER_TO_WAIT)
