"""Judges any number of events with the native gate, on any Spark: `spark-submit spark/judge.py --help`.

Reads NDJSON, CSV or Parquet and writes a dataset of accepted events and one of redacted records of rejected ones. Every
batch of input files is committed as a whole and once; a job that is run again goes on where it stopped."""

import argparse
import atexit
import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import gate as native  # noqa: E402
from batch import Batch  # noqa: E402
from inputs import FORMS, form_of  # noqa: E402
from store import Dataset, Store, name_of  # noqa: E402

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    # A task of history covers few months, so it writes them side by side instead of sorting its rows by month first.
    "spark.sql.maxConcurrentOutputFileWriters": "16",
    # Renames what tasks wrote once the job is done, so that a task that ran twice counts once.
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "1",
    # Input that cannot be read must fail the job: an event that is skipped would be lost silently.
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}


def arguments(words=None):
    parser = argparse.ArgumentParser(
        prog="spark-submit spark/judge.py",
        description="Judge events with the native gate into a dataset of accepted and one of rejected events.",
        epilog=f"With {native.PEPPER} in the environment of the driver and of every executor, e-mail hashes are HMACs "
        "under it; a secret is never an argument. Exit codes: 0 everything is judged, whatever the verdicts; 2 it is not.",
    )
    parser.add_argument("input", nargs="+", help="files, folders or patterns, of any file system that Spark knows")
    parser.add_argument("--output", required=True, metavar="FOLDER", help="where accepted/, rejected/ and summary.json go")
    parser.add_argument("--gate", metavar="FILE", help="the program; by default audience-gate, shipped by --files or on PATH")
    parser.add_argument("--input-form", default="auto", choices=["auto", *FORMS], help="how files write events; auto: by name")
    parser.add_argument("--registry", metavar="FILE|URL",
                        help="a registry snapshot, with the rules of an install's own; without it, the taxonomy that ships")
    parser.add_argument("--caller", default="trusted", help="judge as if sent by trusted, visitor or a user's UUID")
    parser.add_argument("--at", default="occurred", metavar="TIME", help="judge as if received then, or when each occurred")
    parser.add_argument("--batch-bytes", type=int, default=64 << 30, metavar="BYTES",
                        help="how much input is committed at once; what a killed run had not committed is judged again")
    parser.add_argument("--split-bytes", type=int, default=128 << 20, metavar="BYTES",
                        help="how much input one task takes from a file that can be cut")  # fmt: skip
    return parser.parse_args(words)


def main(words=None):
    options = arguments(words)
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("audience-gate")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    try:
        run(spark, options)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets one line
        say(reason(error))
        return 2
    finally:
        spark.stop()
    return 0


def run(spark, options):
    spark.sparkContext.addPyFile(native.__file__)
    gate = ship(spark, options.gate)
    options.registry = options.registry and kept(options.registry)
    terms = terms_of(gate, options)
    if options.registry:
        spark.sparkContext.addFile(options.registry)
    store = Store(spark)
    dataset = Dataset(store, options.output)
    for name in dataset.announced():
        say(f"finishing batch {name}, which is already judged")
        dataset.publish(name)
    dataset.forget_unfinished()
    done = dataset.committed()
    same_terms(done, terms)
    left = unfinished(files_of(store, options), done)
    batches = list(cut(left, options.batch_bytes))
    for index, files in enumerate(batches):
        size = sum(file["bytes"] for file in files)
        say(f"batch {index + 1} of {len(batches)}: {len(files)} files, {size / 1e6:,.1f} MB")
        started = time.time()
        name = name_of(files, terms)
        judged = Batch(spark, dataset, name, files, gate, terms, options)
        manifest = judged.run() | {"batch": name, "number": len(done) + 1, "terms": terms, "files": files}
        manifest |= {"gate": native.version(gate), "seconds": round(time.time() - started, 1)}
        dataset.announce(manifest)
        dataset.publish(name)
        done.append(manifest)
    if batches or not store.exists(options.output, "summary.json"):
        store.write(summary(done, terms, native.version(gate)), options.output, "summary.json")
    total = store.read(options.output, "summary.json")
    say("{sent:,} events: {accepted:,} accepted, {replayed:,} replayed, {rejected:,} rejected".format(**total))


def ship(spark, named):
    """Finds the gate and has Spark bring it to every executor, made executable."""
    from pyspark import SparkFiles

    # Where `--files` puts it: for a local driver, or within a container of the cluster.
    shipped = [SparkFiles.get("audience-gate"), os.path.abspath("audience-gate")]
    path = named or next(filter(os.path.isfile, shipped), None) or shutil.which("audience-gate")
    if path is None:
        raise native.GateError("there is no gate: name it with --gate, ship it with --files, or put it on the PATH")
    native.version(path)
    if path != shipped[0]:
        spark.sparkContext.addFile(os.path.abspath(path))
    return path


def kept(registry):
    """A copy of a snapshot that is named by what it holds: every task judges by it, even if a rule is changed meanwhile."""
    is_address = registry.startswith(("http://", "https://"))
    try:
        with urllib.request.urlopen(registry, timeout=15) if is_address else open(registry, "rb") as source:
            text = source.read()
    except OSError as error:
        raise native.GateError(f"cannot read the registry {registry}: {error}") from None
    folder = tempfile.mkdtemp(prefix="audience-gate-")
    # Not sooner: an executor that takes the place of a lost one asks for it.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy = os.path.join(folder, f"registry-{hashlib.sha256(text).hexdigest()}.json")
    with open(copy, "wb") as file:
        file.write(text)
    return copy


def terms_of(gate, options):
    """What verdicts depend on apart from the events; it is the same for all of an output."""
    judged_by = ["check", os.devnull, "--at", options.at, "--caller", options.caller]
    registry = options.registry and os.path.basename(options.registry).removeprefix("registry-").removesuffix(".json")
    native.run(gate, *judged_by, *(["--registry", options.registry] if registry else []), tell=say)
    return {"contract": native.contract(gate), "at": options.at, "caller": options.caller, "registry": registry,
            "pepper": native.pepper_mark(gate)}  # fmt: skip


def same_terms(done, terms):
    for manifest in done:
        differing = [key for key in terms if manifest["terms"][key] != terms[key]]
        if differing:
            raise ValueError(f"the output was judged with another {' and '.join(differing)}: choose another --output")


def files_of(store, options):
    files = {}
    for name in options.input:
        for file in store.files(name):
            form = options.input_form if options.input_form != "auto" else form_of(file["file"])
            files[file["file"]] = file | {"form": form}
    return [files[name] for name in sorted(files)]


def unfinished(files, done):
    known = {file["file"]: file for manifest in done for file in manifest["files"]}
    for file in files:
        if file["file"] in known and file != known[file["file"]]:
            raise ValueError(f"{file['file']} is not what it was when it was judged: restore it, or choose another --output")
    return [file for file in files if file["file"] not in known]


def cut(files, most):
    """Batches of files of one form, in the order of their names, each as large as allowed."""
    batch, size = [], 0
    for file in sorted(files, key=lambda file: (file["form"], file["file"])):
        if batch and (size + file["bytes"] > most or file["form"] != batch[0]["form"]):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file["bytes"]
    if batch:
        yield batch


def summary(done, terms, version):
    """The counts of all batches together."""
    total = {"terms": terms, "gate": version, "sent": 0, "accepted": 0, "replayed": 0, "rejected": 0, "seconds": 0}
    total |= {"accepted_by_month": {}, "rejected_by_month": {}, "rejected_by_rule": {}, "violations": {}, "inputs": []}
    for manifest in done:
        for key in ("sent", "accepted", "replayed", "rejected"):
            total[key] += manifest[key]
        for key in ("accepted_by_month", "rejected_by_month", "rejected_by_rule", "violations"):
            for name, count in manifest[key].items():
                total[key][name] = total[key].get(name, 0) + count
        total["seconds"] = round(total["seconds"] + manifest["seconds"], 1)
        total["inputs"] += [{"file": file["file"], "bytes": file["bytes"]} for file in manifest["files"]]
    return total


def reason(error):
    """What went wrong, in one line. What Spark says about a failed task contains its whole stack trace."""
    text = str(error)
    found = re.findall(r"GateError: (.*)", text)
    if found:
        return found[-1]
    causes = [cause for cause in re.findall(r"Caused by: [\w.$]+(?:: (.+))?", text) if cause]
    first = text.strip().splitlines()[0] if text.strip() else repr(error)
    unread = re.search(r"error while reading file (\S+?)\.? ", text)
    return (f"cannot read {unread[1]}: " if unread else "") + (causes[-1] if causes else first)


def say(text):
    print(f"audience-gate: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
