"""Input files as the gate reads them: lines of bytes, unchanged."""

import contextlib

import gate as native
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, MapType, StringType, StructType, TimestampNTZType, TimestampType

FORMS = ("ndjson", "csv", "parquet")
ENDINGS = {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv", ".parquet": "parquet"}
PACKED = (".gz", ".bz2", ".zst", ".snappy", ".lz4", ".deflate")
WHOLE = 1 << 50


def form_of(name):
    plain = name.lower()
    for ending in PACKED:
        plain = plain.removesuffix(ending)
    for ending, form in ENDINGS.items():
        if plain.endswith(ending):
            return form
    raise ValueError(f"{name}: the name does not say how it writes events; say so with --input-form")


def is_plain(file):
    """Whether the file is as large as the lines in it."""
    return file["form"] == "ndjson" and not file["file"].lower().endswith(PACKED)


@contextlib.contextmanager
def one_file_a_task(spark, form, split_bytes):
    """Has Spark read one file, or part of one, in each task. A CSV file stays whole, because a row may span lines."""
    names = ("spark.sql.files.maxPartitionBytes", "spark.sql.files.openCostInBytes")
    before = {name: spark.conf.get(name) for name in names}
    try:
        for name in names:
            spark.conf.set(name, WHOLE if form == "csv" else split_bytes)
        yield
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)


def lines(spark, files):
    """One row per line, as bytes, with its line break. A task's first row says from which file and byte."""
    names = [file["file"] for file in files]
    if files[0]["form"] == "parquet":
        frame = spark.read.option("mergeSchema", "true").parquet(*names)
        value = event(frame.schema)
    else:
        frame = spark.read.option("lineSep", "\n").text(names)
        value = F.col("value")
    first = F.monotonically_increasing_id().bitwiseAND(F.lit((1 << 33) - 1)) == 0
    return frame.select(
        F.concat(value.cast(BinaryType()), F.lit(bytearray(b"\n"))).alias("line"),
        F.when(first, F.col("_metadata.file_path")).alias("file"),
        F.when(first, F.col("_metadata.file_block_start")).alias("start"),
    )


def event(schema):
    """A row of Parquet as the text of an event; metadata that is text is passed on unchanged."""
    names = schema.fieldNames()
    missing = [name for name in native.REQUIRED if name not in names]
    unknown = [name for name in names if name not in native.FIELDS]
    if missing:
        raise native.GateError(f"the Parquet input lacks the columns {', '.join(missing)}")
    if unknown:
        raise native.GateError(f"the Parquet input has columns that no event has: {', '.join(unknown)}")
    others = F.to_json(F.struct(*[field(schema[name]) for name in names if name != "metadata"]))
    if "metadata" not in names:
        return others
    kind = schema["metadata"].dataType
    metadata = F.col("metadata")
    if isinstance(kind, (StructType, MapType)):
        metadata = F.to_json(metadata)
    elif not isinstance(kind, StringType):
        raise native.GateError("the column metadata of the Parquet input is neither text nor a struct or a map")
    # The other columns always hold a member: the required ones are among them, and null members are kept.
    members = F.substring(others, F.lit(1), F.length(others) - 1)
    return F.when(metadata.isNull(), others).otherwise(F.concat(members, F.lit(',"metadata":'), metadata, F.lit("}")))


def field(column):
    value = F.col(column.name)
    if isinstance(column.dataType, (TimestampType, TimestampNTZType)):
        value = F.date_format(value, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'")
    return value.alias(column.name)
