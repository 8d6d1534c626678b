"""What DuckDB takes to answer questions over an archive: given its folder, the event types and the questions as JSON."""

import json
import sys
from statistics import median
from time import perf_counter

import duckdb

ROUNDS = 5


def main(archive: str, types: str, questions: str) -> None:
    db = duckdb.connect()
    db.execute("set timezone = 'UTC'")
    db.execute(f"create view audience_events as select * from read_parquet('{archive}/[0-9]*/*.parquet')")
    db.execute("create table audience_event_types (id text, category text, tier text)")
    db.executemany("insert into audience_event_types values (?, ?, ?)", json.loads(types))
    [(rows, until)] = db.execute("select count(*), max(created_at)::text from audience_events").fetchall()
    answers = {}
    for name, question in json.loads(questions).items():
        text = question.replace("now()", f"timestamptz '{until}'")
        taken = []
        for _ in range(ROUNDS):
            began = perf_counter()
            db.sql(text).to_arrow_table()
            taken.append((perf_counter() - began) * 1000)
        answers[name] = median(taken)
    print(json.dumps({"version": duckdb.__version__, "rows": rows, "answers": answers}))


main(*sys.argv[1:])
