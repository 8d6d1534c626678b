"""One batch of input files: judged into its staging folder, with everything counted twice."""

import json
import os

import gate as native
import inputs
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

ACCEPTED = (
    "id string, created_at timestamp, "
    + ", ".join(f"{name} string" for name in native.TEXTS[1:])
    + ", occurred_at timestamp, rejected boolean"
)
JUDGED = f"{ACCEPTED}, kind string"
UNKNOWN = "unknown"


def key():
    """An id as a number. Two ids may have the same number; nothing relies on the opposite."""
    return F.xxhash64(F.lower("id"))


class Batch:
    def __init__(self, spark, dataset, name, files, gate, terms, options):
        self.spark, self.dataset, self.name, self.files = spark, dataset, name, files
        self.gate, self.terms, self.options = gate, terms, options

    def run(self):
        """Judges, checks the counts, and returns what there is to commit."""
        self.judge()
        tallies = self.tallies()
        self.check_coverage(tallies)
        accepted, replayed = self.without_replays()
        self.write_rejected()
        sent = sum(tally["total"] for tally in tallies)
        (accepted_by_month,) = self.counts(accepted, "month")
        rejected_by_month, rejected_by_rule = self.counts("rejected", "month", "rule")
        found = {
            "sent": sent,
            "replayed": replayed,
            "accepted_by_month": accepted_by_month,
            "rejected_by_month": rejected_by_month,
            "rejected_by_rule": rejected_by_rule,
            "violations": summed(tally["violations"] for tally in tallies),
            "staged": {"accepted": accepted, "rejected": "rejected"},
        }
        found["accepted"] = sum(found["accepted_by_month"].values())
        found["rejected"] = sum(found["rejected_by_month"].values())
        told = {key: sum(tally[key] for tally in tallies) for key in ("accepted", "rejected")}
        if (found["accepted"] + replayed, found["rejected"]) != (told["accepted"], told["rejected"]):
            raise native.GateError(f"the rows written do not add up to what the gate judged: {found} for {told}")
        if sent != found["accepted"] + replayed + found["rejected"]:
            raise native.GateError(f"{sent} events were judged, but accepted and rejected ones do not add up to that")
        return found

    def folder(self, *parts):
        return self.dataset.staging(self.name, *parts)

    def judge(self):
        form = self.files[0]["form"]
        options = ["--at", self.options.at, "--caller", self.options.caller]
        registry = self.options.registry and os.path.basename(self.options.registry)
        gate = os.path.basename(self.gate)
        judge = native.Judge(gate, registry, "csv" if form == "csv" else "ndjson", options, self.terms)
        rows = inputs.lines(self.spark, self.files)
        rows = rows.mapInArrow(judge, JUDGED).withColumn("month", F.date_format("occurred_at", "yyyy-MM"))
        with inputs.one_file_a_task(self.spark, form, self.options.split_bytes):
            rows.write.mode("overwrite").partitionBy("kind", "month").parquet(self.folder("judged"))

    def read(self, folder, schema=f"{ACCEPTED}, month string") -> DataFrame | None:
        folder = self.folder(folder)
        return self.spark.read.schema(schema).parquet(folder) if self.dataset.store.exists(folder) else None

    def counts(self, folder, *columns):
        """How many rows there are for each value of each column."""
        counts = [{} for _ in columns]
        frame = self.read(folder, ", ".join(f"{name} string" for name in columns))
        for row in frame.groupBy(*columns).count().orderBy(*columns).collect() if frame is not None else []:
            for count, name in zip(counts, row):
                count[name or UNKNOWN] = count.get(name or UNKNOWN, 0) + row["count"]
        return counts

    def tallies(self):
        frame = self.read("judged/kind=tally")
        return [json.loads(row[0]) for row in frame.select("metadata").collect()] if frame is not None else []

    def check_coverage(self, tallies):
        """Checks that every byte of every file reached the gate exactly once."""
        places = [(tally["file"], tally["start"]) for tally in tallies]
        if len(set(places)) != len(places):
            raise native.GateError("a part of a file was judged twice")
        read = summed({plain(tally["file"]): tally["bytes"]} for tally in tallies)
        for file in self.files:
            got, size = read.get(plain(file["file"]), 0), file["bytes"]
            # Spark leaves out a byte order mark, and adds a line break to the last line if it had none.
            lost = not size - 3 <= got <= size + 1 if inputs.is_plain(file) else size > 0 and not got and not self.is_empty(file)
            if lost:
                raise native.GateError(f"{file['file']} has {size} bytes, of which {got} were judged")

    def is_empty(self, file):
        reader = self.spark.read
        frame = reader.parquet(file["file"]) if file["form"] == "parquet" else reader.text(file["file"])
        return frame.isEmpty()

    def without_replays(self):
        """Leaves out and counts replays: accepted events whose id was accepted before, in this batch or an earlier one.
        Ids are compared by hash first, so that the events themselves are only touched where there may be a replay."""
        accepted = self.read("judged/kind=accepted")
        if accepted is None:
            return "judged/kind=accepted", 0
        given = accepted.where("id is not null").select(key().alias("key"), F.lit(0).alias("before"))
        known = self.known()
        if known is not None:
            given = given.union(known.select(key().alias("key"), F.lit(1).alias("before")))
        repeats = (F.col("rows") > 1) & (F.col("before") < F.col("rows"))
        suspects = given.groupBy("key").agg(F.count("*").alias("rows"), F.sum("before").alias("before"))
        # They are written rather than kept in memory, because there may be as many as there are events.
        suspects.where(repeats).select("key").write.mode("overwrite").parquet(self.folder("suspects"))
        suspects = self.read("suspects", "key bigint")
        if suspects.isEmpty():
            return "judged/kind=accepted", 0
        keyed = accepted.withColumn("key", key())
        doubtful = keyed.where("id is not null").join(suspects, "key", "left_semi")
        if known is not None:
            ids = known.withColumn("key", key()).join(suspects, "key", "left_semi").select(F.lower("id").alias("known"))
            doubtful = doubtful.join(ids, F.lower("id") == F.col("known"), "left_anti")
        # Which of several replays is kept depends only on what they hold.
        order = Window.partitionBy(F.lower("id")).orderBy("occurred_at", F.xxhash64(*accepted.columns))
        first = doubtful.withColumn("place", F.row_number().over(order)).where("place = 1")
        others = keyed.where("id is not null").join(suspects, "key", "left_anti")
        parts = [keyed.where("id is null"), others, first]
        kept, *more = [part.select(*accepted.columns) for part in parts]
        for part in more:
            kept = kept.union(part)
        kept.write.mode("overwrite").partitionBy("month").parquet(self.folder("accepted"))
        return "accepted", accepted.count() - self.read("accepted").count()

    def known(self):
        """The ids of the events that are committed."""
        folder = f"{self.dataset.folder}/accepted"
        if not self.dataset.store.exists(folder):
            return None
        return self.spark.read.schema("id string").parquet(folder).where("id is not null")

    def write_rejected(self):
        staged = self.read("judged/kind=rejected")
        if staged is None:
            return
        nothing = F.lit(None).cast("string")
        place = (native.FILE, native.START, native.LINE, native.RULE, native.VIOLATIONS)
        columns = [nothing.alias(name) if name in place else F.col(name) for name in staged.columns if name != "month"]
        rows = staged.select(
            *columns,
            F.col(native.FILE).alias("file"),
            F.col(native.START).cast("bigint").alias("split_start"),
            F.col(native.LINE).cast("bigint").alias("line"),
            F.col(native.RULE).alias("validation_rule_id"),
            F.transform(F.split(native.VIOLATIONS, native.BETWEEN), violation).alias("violations"),
            "month",
            F.col(native.RULE).alias("rule"),
        )
        rows.hint("rebalance", "month", "rule").write.mode("overwrite").partitionBy("month", "rule").parquet(
            self.folder("rejected")
        )


def violation(text):
    """A violation, of its rule, a space, and its place."""
    parts = F.split(text, " ", 2)
    return F.struct(parts[0].alias("rule_id"), parts[1].alias("path"))


def plain(name):
    """One name for a file that can be written as `file:/a`, `file:///a` or `/a`."""
    from urllib.parse import unquote, urlsplit

    return unquote(urlsplit(name).path)


def summed(counts):
    total = {}
    for count in counts:
        for name, number in count.items():
            total[name] = total.get(name, 0) + number
    return total
