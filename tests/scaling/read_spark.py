"""Reads Parquet files with Spark, and writes what it found as one JSON text."""

import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import unix_micros

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
table = spark.read.parquet(*sys.argv[1:])
plain = [unix_micros(name) if type_ == "timestamp" else table[name] for name, type_ in table.dtypes]
rows = table.orderBy("created_at", "id").select(*plain).collect()
print(json.dumps({"types": dict(table.dtypes), "rows": [list(row) for row in rows]}))
