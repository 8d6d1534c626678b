"""Writes NDJSON as Parquet in the ways of other people's tools: a file for each, in folders of months."""

import datetime
import json
import os
import sys

import pyarrow
import pyarrow.parquet

folder, events = sys.argv[1:]
with open(events) as file:
    rows = [json.loads(line) for line in file]
for row in rows:
    row["metadata"] = json.dumps(row["metadata"])
    row["occurred_at"] = datetime.datetime.fromisoformat(row["occurred_at"].replace("Z", "+00:00"))
    row["violations"] = []

WAYS = {
    "pandas": ("ms", {"compression": "snappy"}),
    "spark": ("us", {"compression": "zstd", "use_dictionary": False}),
    "hive": ("ns", {"compression": "snappy", "use_deprecated_int96_timestamps": True}),
    "plain": ("ns", {"compression": "none", "version": "2.6", "data_page_version": "2.0"}),
}
for index, (way, (unit, options)) in enumerate(WAYS.items()):
    table = pyarrow.Table.from_pylist(rows[index :: len(WAYS)])
    at = table.schema.get_field_index("occurred_at")
    table = table.set_column(at, "occurred_at", table.column(at).cast(pyarrow.timestamp(unit, tz="UTC")))
    month = os.path.join(folder, "month=2025-03", f"batch={way}")
    os.makedirs(month)
    pyarrow.parquet.write_table(table, os.path.join(month, f"part-{way}.parquet"), row_group_size=7, **options)
open(os.path.join(folder, "_SUCCESS"), "w").close()
os.makedirs(os.path.join(folder, "_staging"))
with open(os.path.join(folder, "_staging", "part-0.parquet"), "w") as file:
    file.write("half")
