"""One process of the gate per part of a file. It runs on the executors, with nothing of Spark but shipped files."""

import csv
import functools
import json
import os
import subprocess
import tempfile
import threading

import pyarrow as pa
import pyarrow.compute as pc

PEPPER = "AUDIENCE_GATE_EMAIL_PEPPER"
PROBE = "probe@example.com"

# The columns of the gate's Arrow stream; the first thirteen are the columns of the table of events.
TEXTS = [
    "id", "user_id", "session_id", "event_type", "event_category", "event_source",
    "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "metadata", "site_id",
]  # fmt: skip

REQUIRED = ("session_id", "event_type", "event_category", "event_source")
FIELDS = {*TEXTS, "occurred_at", "email"}

# The rows that a task hands to Spark. A rejected row and a tally have no campaign, so those columns say where the row
# is and what it violates: rows of all kinds have one schema, and accepted ones are written once, in their final form.
ROWS = pa.schema(
    [("id", pa.string()), ("created_at", pa.timestamp("us", "UTC"))]
    + [(name, pa.string()) for name in TEXTS[1:]]
    + [("occurred_at", pa.timestamp("us", "UTC")), ("rejected", pa.bool_()), ("kind", pa.string())]
)
# What stands between violations there; no text that the gate keeps can hold it.
BETWEEN = "\0"
FILE, START, LINE, RULE, VIOLATIONS = "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"


class GateError(Exception):
    """The gate could not do its work. The message never quotes an event."""


SAYS = "audience-gate: "


def parted(stderr):
    """What the gate says about itself, and the rest, which is its summary and stays out of logs."""
    lines = stderr.decode("utf-8", "replace").splitlines()
    about = [line for line in lines if line.startswith(SAYS)]
    return about, "\n".join(line for line in lines if not line.startswith(SAYS))


def complaint(stderr):
    about, _ = parted(stderr)
    return about[-1] if about else "it said nothing"


def run(gate, *arguments, tell=None):
    """Runs the gate to its end, and returns its standard output. What it says on the way is told, if anybody listens."""
    try:
        done = subprocess.run([gate, *arguments], stdin=subprocess.DEVNULL, capture_output=True)
    except OSError as error:
        raise GateError(f"cannot run the gate {gate}: {error.strerror}") from None
    if done.returncode > 1:
        raise GateError(f"the gate {gate} refuses to run: {complaint(done.stderr)}")
    for line in parted(done.stderr)[0] if tell else []:
        tell(line.removeprefix(SAYS))
    return done.stdout.decode()


def version(gate):
    return run(gate, "--version").strip().split(" ")[-1]


def contract(gate):
    return json.loads(run(gate, "check", os.devnull, "--format", "json"))["contract"]


def pepper_mark(gate):
    """A mark that tells two secrets apart without revealing either: part of the hash of an address that is nobody's."""
    return run(gate, "hash", PROBE).strip()[:16] if os.environ.get(PEPPER) else None


@functools.cache
def worker_terms(gate):
    """What verdicts depend on here. A worker asks once, although it runs many tasks."""
    return {"contract": contract(gate), "pepper": pepper_mark(gate)}


class Judge:
    """What a task calls, with batches of lines in and batches of rows out."""

    def __init__(self, gate_name, registry_name, form, options, expected):
        self.gate_name, self.registry_name, self.form = gate_name, registry_name, form
        self.options, self.expected = options, expected

    def __call__(self, batches):
        batches = (batch for batch in batches if batch.num_rows)
        first = next(batches, None)
        if first is None:
            return
        if self.form == "csv":
            check_header(joined(first.column(0).slice(0, 1)))
        place = {"file": first.column(1)[0].as_py(), "start": first.column(2)[0].as_py()}
        yield from self.judge(first, batches, place)

    def command(self):
        from pyspark import SparkFiles

        gate = SparkFiles.get(self.gate_name)
        registry = ["--registry", SparkFiles.get(self.registry_name)] if self.registry_name else []
        found = worker_terms(gate)
        if found["contract"] != self.expected["contract"]:
            raise GateError(f"the contract of this worker's gate, {found['contract']}, is not the driver's")
        if found["pepper"] != self.expected["pepper"]:
            raise GateError(f"{PEPPER} is not the same in the environment of this worker as in the driver's")
        return [gate, "check", "-", "--input", self.form, "--arrow", "-", "--format", "json", "--threads", "1",
                *registry, *self.options]  # fmt: skip

    def judge(self, first, batches, place):
        """Feeds the gate from a thread of its own while its rows are read, so that neither waits for the other's pipe."""
        fed = {"bytes": 0, "lines": 0, "trouble": None}
        with tempfile.TemporaryFile() as said:
            gate = subprocess.Popen(self.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
            feeder = threading.Thread(target=feed, args=(gate.stdin, first, batches, fed), daemon=True)
            try:
                feeder.start()
                counts = {"accepted": 0, "rejected": 0}
                for batch in rows_of(gate.stdout):
                    rejected = pc.sum(batch.column("rejected")).as_py() or 0
                    counts["rejected"] += rejected
                    counts["accepted"] += batch.num_rows - rejected
                    yield shaped(batch, place)
                feeder.join()
                code = gate.wait()
            finally:
                # This also happens when Spark gives the task up: no gate outlives its task.
                gate.kill()
                gate.wait()
            said.seek(0)
            stderr = said.read()
        if fed["trouble"] is not None:
            raise fed["trouble"]
        if code not in (0, 1):
            raise GateError(f"the gate gave up with code {code}: {complaint(stderr)}")
        # What it cannot judge by in the registry it says there too; the driver has told that once.
        summary = json.loads(parted(stderr)[1])
        if any(counts[key] != summary[key] for key in counts):
            raise GateError("the rows that the gate handed over are not those it counted")
        yield tally(summary, place, fed)


def check_header(line):
    """Refuses a table of something else as a whole. It only tells names that are ours, because without a header the
    first line is an event."""
    names = next(csv.reader([bytes(line).decode("utf-8", "replace").removeprefix("\ufeff")]), [])
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in FIELDS and not name.startswith("metadata.")]
    if missing:
        raise GateError(f"the header of a CSV file lacks the columns {', '.join(missing)}")
    if unknown:
        raise GateError(f"the header of a CSV file has {len(unknown)} columns that no event has; see `audience-gate rules`")


def feed(pipe, first, batches, fed):
    try:
        with pipe:
            batch = first
            while batch is not None:
                bytes_ = joined(batch.column(0))
                pipe.write(bytes_)
                fed["bytes"] += len(bytes_)
                fed["lines"] += batch.num_rows
                batch = next(batches, None)
    except BrokenPipeError:
        pass  # The gate has ended; its exit code says why.
    except Exception as error:  # noqa: BLE001 - it is raised again by whoever reads the gate's rows
        fed["trouble"] = error


def joined(column):
    """The lines of a batch, one after the other, as they are in Arrow's memory, line breaks included."""
    ends = pa.Array.from_buffers(pa.int32(), len(column) + 1, [None, column.buffers()[1]], offset=column.offset)
    return memoryview(column.buffers()[2])[ends[0].as_py() : ends[-1].as_py()]


def rows_of(pipe):
    try:
        with pa.ipc.open_stream(pipe) as stream:
            yield from stream
    except (pa.ArrowInvalid, OSError):
        return  # The gate ended in the midst of it; its exit code says why.


def same(value, count, type_=pa.string()):
    return pa.repeat(pa.scalar(value, type_), count)


def written(violations):
    """Lists of violations as lists of texts: the rule, a space, and the place."""
    each = violations.values
    texts = pc.binary_join_element_wise(each.field("rule_id"), each.field("path"), " ")
    return pa.ListArray.from_arrays(violations.offsets, texts)


def shaped(batch, place):
    """A batch of the gate's rows in the form that Spark gets."""
    count, rejected = batch.num_rows, batch.column("rejected")
    columns = {name: batch.column(name) for name in [*TEXTS, "occurred_at", "rejected"]}
    columns["created_at"] = same(None, count, ROWS.field("created_at").type)
    columns["kind"] = pc.if_else(rejected, "rejected", "accepted")
    if pc.any(rejected).as_py():
        violations = pc.binary_join(written(batch.column("violations")), BETWEEN)
        carried = {FILE: same(place["file"], count), START: same(str(place["start"]), count),
                   LINE: batch.column("line").cast(pa.string()), RULE: batch.column("validation_rule_id"),
                   VIOLATIONS: violations}  # fmt: skip
        for name, values in carried.items():
            columns[name] = pc.if_else(rejected, values, columns[name])
    return pa.record_batch([columns[field.name] for field in ROWS], schema=ROWS)


def tally(summary, place, fed):
    """The gate's counts as a row among the others, so that they are committed with them, once, or not at all."""
    told = {key: summary[key] for key in ("total", "accepted", "rejected")} | place
    told |= {"bytes": fed["bytes"], "lines": fed["lines"]}
    told["violations"] = {rule["rule_id"]: rule["all"] for rule in summary["rules"]}
    row = {"metadata": json.dumps(told), "kind": "tally"}
    return pa.RecordBatch.from_pylist([row], schema=ROWS)
