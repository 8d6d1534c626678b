"""Reads Parquet files with other people's tools, and writes what they found as one JSON text."""

import json
import sys

import duckdb
import pyarrow.dataset
import pyarrow.types

files = sys.argv[1:]
table = pyarrow.dataset.dataset(files).to_table()


def plain(column):
    """Times as microseconds since 1970, everything else as it is."""
    if pyarrow.types.is_timestamp(column.type):
        return column.cast("timestamp[us]").cast("int64").to_pylist()
    return column.to_pylist()


connection = duckdb.connect()
connection.execute("set timezone = 'UTC'")
source = f"read_parquet({files!r})"
print(json.dumps({
    "arrow": {
        "types": {field.name: str(field.type) for field in table.schema},
        "rows": list(zip(*(plain(column) for column in table.columns))),
    },
    "duckdb": {
        "types": {row[0]: row[1] for row in connection.execute(f"describe select * from {source}").fetchall()},
        "rows": connection.execute(f"""
            select id, epoch_us(created_at), user_id, session_id, event_type, event_category, event_source, utm_source,
              utm_medium, utm_campaign, utm_content, utm_term, metadata::varchar, site_id, epoch_us(occurred_at), rejected, contract
            from {source} order by created_at, id
        """).fetchall(),
    },
}))
