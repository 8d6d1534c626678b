"""Drives the client for tests/clients: a command a line in, an answer a line out."""

import dataclasses
import json
import sys

from audience_gate import AudienceGate, AudienceGateError

queue, options = sys.argv[1:]
given = json.loads(options)


def say(answer: object) -> None:
    print(json.dumps(answer), flush=True)


gate = AudienceGate(
    queue,
    max_events=given.get("maxEvents", 10_000),
    on_verdict=lambda verdict: say({"verdict": dataclasses.asdict(verdict)}),
)

for line in sys.stdin:
    command = json.loads(line)
    try:
        if "track" in command:
            say({"id": gate.track(command["track"])})
        else:
            say({"report": dataclasses.asdict(gate.flush(command["flush"]))})
    except AudienceGateError as error:
        told = {"status": getattr(error, "status", None), "code": getattr(error, "code", None)}
        say({"error": type(error).__name__, "message": str(error), **told})
