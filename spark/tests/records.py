"""What one process of `audience-gate check` says about a file, and what a dataset holds, in the same form."""

import datetime
import json
import pathlib
import subprocess
from json.decoder import scanstring

import pyarrow.dataset as ds
from cluster import gate

TEXTS = [
    "id", "user_id", "session_id", "event_type", "event_category", "event_source",
    "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "metadata", "site_id",
]  # fmt: skip
FINDINGS = ["user_id", "session_id", "event_source", "metadata", "site_id", "rule", "violations", "line", "file"]


def members(text):
    """The members of a JSON object, as they are written."""
    found, at = {}, skip(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = scanstring(text, at + 1)
        start = skip(text, skip(text, at) + 1)
        at = json.JSONDecoder(strict=False).raw_decode(text, start)[1]
        found[key] = text[start:at]
        at = skip(text, at)
        if text[at] == ",":
            at = skip(text, at + 1)
    return found


def skip(text, at):
    while text[at] in " \t\r\n":
        at += 1
    return at


def moment(text):
    if text is None:
        return None
    leap = ":60" in text
    time = datetime.datetime.fromisoformat(text.upper().replace(":60", ":59"))
    return time.astimezone(datetime.timezone.utc) + datetime.timedelta(seconds=leap)


def alone(files, folder, *options):
    """Accepted and rejected records of one process."""
    names = [folder / "alone-accepted", folder / "alone-rejected"]
    command = [gate(), "check", *files, "--at", "occurred", "--accepted", names[0], "--rejected", names[1], *options]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode in (0, 1), done.stderr
    accepted, rejected = [], []
    for line in names[0].read_bytes().decode().split("\n")[:-1]:
        raw = members(line)
        row = {name: json.loads(raw[name]) if name in raw else None for name in TEXTS if name != "metadata"}
        time = moment(json.loads(raw.get("occurred_at", "null")))
        accepted.append([raw.get("metadata", "{}") if name == "metadata" else row[name] for name in TEXTS] + [time])
    for line in names[1].read_bytes().decode().split("\n")[:-1]:
        raw, row = members(line), json.loads(line)
        told = row["metadata"]
        row |= {"metadata": raw["metadata"], "rule": told["validation_rule_id"], "violations": told["violations"]}
        rejected.append([row.get(name) for name in FINDINGS])
    return ordered(accepted), ordered(rejected)


def dataset(output):
    """Accepted and rejected records of a dataset; only those rejected ones whose line is in the file."""
    accepted = [[row[name] for name in [*TEXTS, "occurred_at"]] for row in rows(output, "accepted")]
    rejected = []
    for row in rows(output, "rejected"):
        assert row["rejected"] and row["event_type"] == "event_validation_fail" and row["event_category"] == "system"
        row["file"] = row["file"].removeprefix("file:").replace("///", "/")
        row["rule"] = row["validation_rule_id"]
        rejected.append([row[name] for name in FINDINGS])
    return ordered(accepted), ordered(rejected)


def rows(output, kind):
    folder = pathlib.Path(output) / kind
    return ds.dataset(folder, format="parquet").to_table().to_pylist() if folder.exists() else []


def ordered(records):
    return sorted(records, key=repr)
