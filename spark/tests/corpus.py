"""Input files for the tests: the written corpus, hostile bytes, and events of every form a file can have."""

import csv
import gzip
import json
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
from cluster import ROOT

CANARY = "canary@example.com"
HOSTILE = [
    b"", b"  \r", b"nonsense", b"\xff\xfe{}", b'{"session_id":"\xc3\x28"}', b"\x00", b"{", b"[]", b'"text"', b"null",
    b'{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"web",'
    b'"metadata":{"page_path":"/","n":1.50e+2,"z":-0.0,"t":"\\u00e9\\n\\u2028\xe2\x80\xa8\xf0\x9f\x98\x80"}}\r',
    b'\t{"session_id":"session-0001","event_type":"page_view","event_category":"engagement",\r"event_source":"web",'
    b'"metadata" : { "page_path" : "/" , "b":[1, 2 ,{}] } } ',
    f'{{"session_id":"session-0001","event_type":"{CANARY}"'.encode(),
    f'{{"session_id":"session-0001","event_type":"page_view","event_category":"engagement","event_source":"web",'
    f'"metadata":{{"page_path":"/","note":"ask {CANARY}"}}}}'.encode(),
]  # fmt: skip


def cases():
    """Every case of the written corpus, as a line."""
    lines = []
    for path in sorted((ROOT / "tests/corpus").glob("*.json")):
        for case in json.loads(path.read_text()):
            text = case["text"] if "text" in case else json.dumps(case["event"], ensure_ascii=False)
            lines.append(text.encode("utf-8", "surrogatepass"))
    return lines


def event(number, month=1, **more):
    """An event; every ninth is refused, every seventh brings an e-mail address."""
    metadata = {"content_id": f"guide-{number}", "duration_seconds": 3 if number % 9 == 8 else 25 + number, "größe": "señal"}
    common = {"id": str(uuid.UUID(int=number + (month << 64))), "session_id": f"session-{number:08}", "event_source": "web"}
    time = f"2026-{month:02}-{1 + number % 28:02}T10:{number % 60:02}:00.{number % 1000:03}Z"
    kind = {"event_type": "content_view", "event_category": "engagement"}
    if number % 7 == 6:
        kind = {"event_type": "email_subscribe", "event_category": "subscription", "email": CANARY}
        metadata |= {"channel": "web", "consent_recorded": True}
    return common | kind | {"occurred_at": time, "metadata": metadata} | more


PAGE = {"session_id": "session-0001", "event_type": "page_view", "event_category": "engagement", "event_source": "web"}


def registry(own_rules):
    """The snapshot of an install that has changed nothing but its own rules, and has a second site."""
    taxonomy = json.loads((ROOT / "taxonomy.json").read_text())
    sites = [taxonomy["default_site"]["id"], "00000000-0000-4000-8000-0000000000aa"]
    return {
        "version": "7",
        "default_site": sites[0],
        "event_types": taxonomy["event_types"],
        "rules": [rule["id"] for rule in taxonomy["rules"]],
        "rule_terms": taxonomy["rules"],
        "states": [state["id"] for state in taxonomy["states"]],
        "blocked_jumps": [[jump["from_state"], jump["to_state"]] for jump in taxonomy["blocked_jumps"]],
        "personal_words": [],
        "own_rules": own_rules,
        "sites": [{"id": site, "origins": None} for site in sites],
    }


def line(event):
    return json.dumps(event, ensure_ascii=False).encode() + b"\n"


def write_ndjson(path, events):
    data = b"".join(line(event) for event in events)
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)


def write_csv(path, events):
    columns = ["id", "session_id", "event_type", "event_category", "event_source", "email", "occurred_at"]
    keys = sorted({key for event in events for key in event["metadata"]} | {"note"})
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns + [f"metadata.{key}" for key in keys])
        for number, event in enumerate(events):
            metadata = event["metadata"] | {"note": f'a "quoted", cell\nof lines {number}'}
            cells = [event.get(name, "") for name in columns] + [metadata.get(key, "") for key in keys]
            writer.writerow(["true" if cell is True else cell for cell in cells])


PARQUET = ["id", "session_id", "event_type", "event_category", "event_source", "occurred_at", "email"]


def write_parquet(path, events):
    """Writes the events with their metadata as text, and returns the lines that they stand for."""
    rows = [{name: event.get(name) for name in PARQUET} for event in events]
    texts = [json.dumps(event["metadata"], indent=1, ensure_ascii=False).replace("\n", "\r") for event in events]
    texts[0] = None
    schema = pa.schema([(name, pa.string()) for name in [*PARQUET, "metadata"]])
    table = pa.Table.from_pylist([row | {"metadata": text} for row, text in zip(rows, texts)], schema=schema)
    pq.write_table(table, path)
    lines = []
    for row, text in zip(rows, texts):
        given = {name: value for name, value in row.items() if value is not None}
        others = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
        lines.append((others if text is None else f'{others[:-1]},"metadata":{text}}}').encode() + b"\n")
    return b"".join(lines)
