"""Measures the job, its parts, and other ways to couple Spark and the gate, beside one process of the gate alone.

    .local/spark/bin/python spark/bench.py [EVENTS] [ROUNDS] [WORD in the names of the measurements]

Every figure is the median of several rounds, in which all ways take turns. Spark's first round warms its JVMs up and
does not count."""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "tests"))
from cluster import gate, session  # noqa: E402

FILES = 8
EVENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
WORD = sys.argv[3] if len(sys.argv) > 3 else ""
CHECK = ["check", "-", "--input", "ndjson", "--at", "occurred", "--threads", "1"]


def write_input(folder):
    """Events as `cargo bench -p audience-gate-cli` has them: about 520 bytes, 9.5 % with an e-mail, every ninth refused."""
    for file in range(FILES):
        with (folder / f"{file}.ndjson").open("w", encoding="utf-8") as out:
            for index in range(file * EVENTS // FILES, (file + 1) * EVENTS // FILES):
                out.write(event(index))


def event(index):
    broken = index % 9 == 8
    session_id = f"{index * 2654435 & 0xFFFFFFFF:08x}-5a4d-4f6b-9c7e-{index * 97531975 & 0xFFFFFFFFFFFF:012x}"
    id_ = f"{index * 40503 + 5 & 0xFFFFFFFF:08x}-7c1d-4a6b-8c7e-{index * 7654321 + 9 & 0xFFFFFFFFFFFF:012x}"
    month = 1 + index * 12 // EVENTS
    common = (
        f'"id":"{id_}","session_id":"{session_id}","event_source":"web-tracker",'
        f'"occurred_at":"2026-{month:02}-21T11:{index % 60:02}:{index * 7 % 60:02}.{index % 1000:03}Z",'
        '"utm_source":"newsletter","utm_medium":"referral","utm_campaign":"autumn-launch"'
    )
    if index % 21 == 1:
        return (
            f'{{{common},"event_type":"email_subscribe","event_category":"subscription","email":"reader{index}@example.com",'
            f'"metadata":{{"channel":"newsletter","consent_recorded":{"false" if broken else "true"},'
            '"list_id":"weekly-digest","form_position":"footer","locale":"en-GB","page_variant":"b"}}\n'
        )
    return (
        f'{{{common},"event_type":"content_view","event_category":"engagement","metadata":{{"content_id":"guide-{index % 97}",'
        f'"page_path":"/guides/{"señal-größe" if index % 50 == 3 else "recovery-basics"}/what-to-expect",'
        f'"duration_seconds":{3 if broken else 25 + index % 300},"scroll_depth_percent":{4 if broken else 30 + index % 70},'
        '"locale":"en-GB","viewport_width":1440,"theme":"dark","reader_mode":false,"referrer_kind":"search"}}\n'
    )


def alone(files, *options, core=None):
    command = [*(["taskset", "--cpu-list", str(core)] if core is not None else []), gate(), "check", *files]
    done = subprocess.run([*command, "--at", "occurred", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert done.returncode == 1


LINES_OUT = ["--accepted", "-", "--rejected", os.devnull]


def piped(program, source, sink):
    """Hands a task's lines to a gate, and passes on what it writes."""
    process = subprocess.Popen([program, *CHECK, "--accepted", "-", "--rejected", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
    import threading

    def feed():
        with process.stdin as pipe:
            for lines in source:
                pipe.write(lines)

    feeder = threading.Thread(target=feed)
    feeder.start()
    yield from sink(process.stdout)
    feeder.join()
    process.wait()


def main():
    import gate as native
    import inputs
    import judge
    from pyspark.sql import functions as F

    spark = session()
    program, python_path = gate(), str(pathlib.Path(__file__).resolve().parent)
    here = pathlib.Path(tempfile.mkdtemp(prefix="audience-gate-bench-"))
    folder = here / "in"
    folder.mkdir()
    write_input(folder)
    files = sorted(map(str, folder.iterdir()))
    size = sum(os.path.getsize(name) for name in files)
    spark.sparkContext.addPyFile(python_path + "/gate.py")
    spark.sparkContext.addFile(program)
    terms = {"contract": native.contract(program), "pepper": native.pepper_mark(program)}
    task = native.Judge("audience-gate", None, "ndjson", ["--at", "occurred"], terms)
    schema = __import__("batch").JUDGED
    listed = [{"file": name, "form": "ndjson"} for name in files]
    text = lambda: spark.sparkContext.textFile(",".join(files), use_unicode=False)  # noqa: E731
    lines = lambda: inputs.lines(spark, listed)  # noqa: E731
    noop = lambda frame: frame.write.format("noop").mode("overwrite").save()  # noqa: E731

    def drop(batches):
        for _ in task(batches):
            pass
        return iter(())

    def pandas(frames):
        return piped(program, (b"".join(frame["line"]) for frame in frames), lambda out: frame_of(out))

    def frame_of(out):
        import pandas

        while block := out.readlines(1 << 20):
            yield pandas.DataFrame({"line": [line.decode() for line in block]})

    def whole_files(names):
        for name in names:
            subprocess.run([program, "check", name, "--at", "occurred", "--threads", "1", "--arrow", os.devnull],
                           stdout=subprocess.DEVNULL)  # fmt: skip
        return []

    def whole_job():
        output = here / "out"
        shutil.rmtree(output, ignore_errors=True)
        judge.run(spark, judge.arguments([*files, "--output", str(output), "--gate", program]))

    def rdd_pipe():
        command = f"{program} {' '.join(CHECK)} --accepted - --rejected -"
        spark.sparkContext.textFile(",".join(files)).pipe(command).count()

    ways = {
        "the gate alone, one core, lines out": lambda: alone(files, *LINES_OUT, core=0),
        "the gate alone, one core, Arrow rows out": lambda: alone(files, "--arrow", os.devnull, core=0),
        "the gate alone, all cores, lines out": lambda: alone(files, *LINES_OUT),
        "the gate alone, all cores, Arrow rows out": lambda: alone(files, "--arrow", os.devnull),
        "Spark as a mere scheduler: a gate for each whole file": lambda: spark.sparkContext.parallelize(
            files, len(files)
        ).mapPartitions(whole_files).count(),
        "part of the job: Spark reads the lines and drops them": lambda: noop(lines()),
        "part of the job: and hands them to Python": lambda: noop(lines().mapInArrow(emptied, schema)),
        "part of the job: and they are judged, and the rows dropped": lambda: noop(lines().mapInArrow(drop, schema)),
        "part of the job: and the rows are handed back to Spark": lambda: noop(lines().mapInArrow(task, schema)),
        "the whole job, to Parquet, counted twice": whole_job,
        "coupled by RDD.pipe, lines out": rdd_pipe,
        "coupled by mapPartitions and a process, lines out": lambda: text().mapPartitions(
            lambda part: piped(program, (line + b"\n" for line in part), lambda out: out)
        ).count(),
        "coupled by mapInPandas and a process, lines out": lambda: noop(
            lines().select("line").mapInPandas(pandas, "line string")
        ),
    }

    def emptied(batches):
        for _ in batches:
            pass
        return iter(())

    print(f"{EVENTS:,} events, {size / 1e6:,.0f} MB, {FILES} files, {os.cpu_count()} cores, {ROUNDS} rounds, medians\n")
    ways = {name: way for name, way in ways.items() if WORD in name}
    times = {name: [] for name in ways}
    with inputs.one_file_a_task(spark, "ndjson", 1 << 30):
        for round_ in range(ROUNDS + 1):
            for name, way in ways.items():
                started = time.monotonic()
                way()
                if round_:
                    times[name].append(time.monotonic() - started)
    print("| | seconds | events/s | µs an event and core |\n|---|---:|---:|---:|")
    for name, seconds in times.items():
        median = statistics.median(seconds)
        cores = 1 if "one core" in name else os.cpu_count()
        print(f"| {name} | {median:.2f} | {EVENTS / median:,.0f} | {median * cores / EVENTS * 1e6:.2f} |")
    shutil.rmtree(here)


if __name__ == "__main__":
    main()
