"""Edits the files of an archive as somebody would who may write them: rows, manifest and seals, so that all of it fits."""

import hashlib
import json
import os
import shutil
import sys

import pyarrow
import pyarrow.parquet

archive, steps = sys.argv[1], json.loads(sys.argv[2])
LEAVES = os.path.join(archive, "_seals", "leaves", "00001.parquet")


def edit(path, change):
    """Rewrites a file of Parquet, with the same columns."""
    table = pyarrow.parquet.read_table(path)
    rows = change(table.to_pylist())
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=table.schema), path, compression="zstd")
    return len(rows)


def in_month(month, change):
    """Rewrites the first file of a month, and has its manifest say so."""
    folder = os.path.join(archive, month)
    with open(os.path.join(folder, "_manifest.json")) as file:
        manifest = json.load(file)
    part = manifest["files"][0]
    path = os.path.join(folder, part["name"])
    count = edit(path, change)
    manifest["rows"] += count - part["rows"]
    with open(path, "rb") as file:
        part.update(rows=count, bytes=os.path.getsize(path), sha256=hashlib.sha256(file.read()).hexdigest())
    with open(os.path.join(folder, "_manifest.json"), "w") as file:
        json.dump(manifest, file)


def micros(time):
    return None if time is None else (time.value // 1000 if hasattr(time, "value") else round(time.timestamp() * 1000000))


def written(*values):
    """Values as they are hashed: each after its length in bytes."""
    texts = [None if value is None else str(value) for value in values]
    return "".join(":" if text is None else f"{len(text.encode())}:{text}" for text in texts)


def sealed(row, salt):
    """The hash of an event as a leaf, from SEALS.md alone."""
    utm = [row["utm_" + name] for name in ("source", "medium", "campaign", "content", "term")]
    contents = written(row["user_id"], row["session_id"], *utm, micros(row["occurred_at"]), row["metadata"])
    commitment = hashlib.sha256(salt + contents.encode()).digest()
    day = micros(row["occurred_at"] or row["created_at"]) // 86400000000
    entry = "event" + written(
        row["id"], micros(row["created_at"]), row["site_id"], "t" if row["rejected"] else "f", row["event_type"],
        row["event_category"], row["event_source"], row["contract"], day)
    return hashlib.sha256(b"\0" + entry.encode() + commitment).digest()


def swap(rows, one, other):
    """The rows in each other's place."""
    rows[one], rows[other] = rows[other], rows[one]
    return rows


def run(what, month=None, id=None, values=None, first=None, past=None, name=None):
    of_id = lambda row: row.get("id", row.get("event_id")) == id
    if what == "check":
        # What is sealed is what the document says: otherwise no forgery below would be a good one.
        leaves = {row["event_id"]: row for row in pyarrow.parquet.read_table(LEAVES).to_pylist()}
        rows = pyarrow.parquet.read_table(os.path.join(archive, month, "events-00001.parquet")).to_pylist()
        rows = [row for row in rows if row["contract"] and not leaves[row["id"]]["erasure_id"]]
        assert rows and all(sealed(row, leaves[row["id"]]["salt"]) == leaves[row["id"]]["hash"] for row in rows)
    elif what == "set":
        in_month(month, lambda rows: [{**row, **values} if of_id(row) else row for row in rows])
    elif what == "back-date":
        back = lambda row: {**row, "created_at": row["created_at"].replace(microsecond=0)}
        in_month(month, lambda rows: [back(row) if of_id(row) else row for row in rows])
    elif what == "delete":
        in_month(month, lambda rows: [row for row in rows if not of_id(row)])
    elif what == "insert":
        in_month(month, lambda rows: rows + [{**row, **values} for row in rows if of_id(row)])
    elif what == "move":
        moved = []
        in_month(month, lambda rows: [row for row in rows if not (of_id(row) and moved.append(row) is None)])
        in_month(name, lambda rows: rows + moved)
    elif what == "unseal":
        edit(LEAVES, lambda rows: [row for row in rows if not of_id(row)])
    elif what == "swap":
        turn = lambda rows: [{**row, "leaf_index": place} for place, row in enumerate(swap(rows, first, past))]
        edit(LEAVES, turn)
    elif what == "cut":
        cut = []
        edit(LEAVES, lambda rows: [row for row in rows if row["leaf_index"] < first or cut.append(row["event_id"])])
        in_month(month, lambda rows: [row for row in rows if row["id"] not in cut])
    elif what == "reseal":
        rows = pyarrow.parquet.read_table(os.path.join(archive, month, "events-00001.parquet")).to_pylist()
        found = {row["id"]: row for row in rows}
        edit(LEAVES, lambda rows: [
            {**row, "hash": sealed(found[id], row["salt"])} if row["event_id"] == id else row for row in rows])
    elif what == "relist":
        edit(os.path.join(archive, "_seals", "erased", "00001.parquet"), lambda rows: rows[1:])
    elif what == "add-file":
        folder = os.path.join(archive, month)
        shutil.copy(os.path.join(folder, "events-00001.parquet"), os.path.join(folder, name))
    elif what == "remove-month":
        shutil.rmtree(os.path.join(archive, month))
    else:
        raise SystemExit(f"there is no step {what}")


for step in steps:
    run(**step)
