"""Sends a back end's events to the function `ingest`: each is on the disk before `track` returns, goes out with the same
id as often as it takes, and leaves the queue with a verdict."""

import json
import os
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from .errors import Refused
from .event import complete
from .request import Target, back_off, outcome_of, post, target
from .waiting import Queue

# The function's own limit, and less than its limit of bytes.
MOST_EVENTS = 1000
MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Verdict:
    """What became of one event.

    `status` is `accepted`, `rejected` or `undeliverable`: the function can take it in no request, or its file is damaged.
    `rule_id` is the first rule that it violates, and `violations` all of them, each with its place.
    """

    id: str
    status: str
    replayed: bool = False
    rule_id: Optional[str] = None
    reason: str = ""
    violations: List[Dict[str, str]] = field(default_factory=list)


@dataclass
class Report:
    """What a `flush` did, and what is left to do: `queued` events, and no attempt for `wait` seconds."""

    accepted: int = 0
    replayed: int = 0
    rejected: int = 0
    undeliverable: int = 0
    queued: int = 0
    wait: float = 0.0


def _tell_losses(verdict: Verdict) -> None:
    if verdict.status != "accepted":
        print(
            f"audience-gate: {verdict.id} was {verdict.status}: {verdict.rule_id or ''} {verdict.reason}",
            file=sys.stderr,
        )


class AudienceGate:
    """`queue` is the folder of the queue; only one application uses it, by as many processes as it likes. `url` is the
    address of the function; by default, `AUDIENCE_GATE_URL`. `on_verdict` is told every verdict before the event leaves
    the queue, so that none is lost; after a crash it may be told again. By default, what was not accepted is written to
    standard error."""

    def __init__(
        self,
        queue: "os.PathLike[str] | str",
        url: Optional[str] = None,
        max_events: int = 10_000,
        on_verdict: Callable[[Verdict], None] = _tell_losses,
    ) -> None:
        self._queue = Queue(queue, max_events)
        self._url = url
        self._on_verdict = on_verdict
        self._limit = MOST_EVENTS
        self._flushing = threading.Lock()

    def track(self, event: Mapping[str, Any]) -> str:
        """Queues an event, and returns its id as soon as it is on the disk."""
        event_id, text = complete(event)
        self._queue.put(event_id, text)
        return event_id

    def flush(self, seconds: float = 30.0) -> Report:
        """Sends what is queued, and goes on for as long as this many seconds allow; with 0 it does not wait, and ends
        with the first request that the function takes. What is then left stays queued."""
        to = target(self._url)
        end = time.time() + seconds
        report = Report()
        with self._flushing:
            self._queue.tidy()
            while True:
                rest = self._queue.pause()[0] - time.time()
                if rest > 0 and time.time() + rest > end:
                    break
                if rest > 0:
                    time.sleep(rest)
                items = self._take(report)
                if not items:
                    break
                split = self._send(to, items, report)
                if not split and time.time() >= end:
                    break
        report.queued = len(self._queue.ids())
        report.wait = max(0.0, self._queue.pause()[0] - time.time()) if report.queued else 0.0
        return report

    def _take(self, report: Report) -> List[Tuple[str, str]]:
        """As many of the oldest events as one request may hold."""
        items: List[Tuple[str, str]] = []
        size = 0
        for event_id in self._queue.ids():
            if len(items) == self._limit:
                break
            text = self._queue.text(event_id)
            if text is None:
                continue
            if not _is_object(text):
                self._settle(Verdict(event_id, "undeliverable", reason="its file is damaged"), report)
                continue
            size += len(text.encode()) + 1
            if size > MOST_BYTES:
                break
            items.append((event_id, text))
        return items

    def _send(self, to: Target, items: List[Tuple[str, str]], report: Report) -> bool:
        """True if the next request is to be smaller, and due at once."""
        status, results, error, wait = post(to, [text for _, text in items])
        outcome = outcome_of(status)
        results, error = results or [], error or {}
        if outcome == "halt":
            said = f"{error['message']}; {error.get('hint', '')}" if "message" in error else "check the address"
            raise Refused(status, error.get("code", ""), f"the function answered {status}: {said}")
        if outcome == "split":
            self._limit = (len(items) + 1) // 2
            if len(items) == 1:
                said = results[0].get("reason", "") if results else error.get("message", "")
                reason = said or f"the function answered {status} to it alone"
                self._settle(Verdict(items[0][0], "undeliverable", reason=reason), report)
            return True
        settled = 0
        for result in results if outcome == "settled" else []:
            index = result.get("index")
            if isinstance(index, int) and 0 <= index < len(items) and result.get("status") in ("accepted", "rejected"):
                self._settle(_verdict(items[index][0], result), report)
                settled += 1
        if settled > 0:
            self._limit = min(self._limit * 2, MOST_EVENTS)
            self._queue.end_pause()
            return False
        _, attempt = self._queue.pause()
        self._queue.set_pause(time.time() + max(wait, back_off(attempt, random.random())), attempt + 1)
        return False

    def _settle(self, verdict: Verdict, report: Report) -> None:
        """Tells the verdict first: an event that leaves the queue without one would be lost in silence."""
        self._on_verdict(verdict)
        counted = "replayed" if verdict.replayed else verdict.status
        setattr(report, counted, getattr(report, counted) + 1)
        self._queue.remove(verdict.id)


def _verdict(event_id: str, result: Dict[str, Any]) -> Verdict:
    return Verdict(
        event_id,
        result["status"],
        replayed=result.get("replayed") is True,
        rule_id=result.get("rule_id"),
        reason=result.get("reason", ""),
        violations=result.get("violations", []),
    )


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
