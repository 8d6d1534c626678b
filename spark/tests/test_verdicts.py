"""Spark's verdicts are byte for byte those of one process of the gate, whatever the form of the input."""

import collections
import contextlib
import http.server
import io
import json
import threading
import unittest

import corpus
import records
from cluster import ROOT, WORK, judge_files


def without_repeats(found):
    """The records whose id occurs once, and the ids that occur more than once."""
    accepted, rejected = found
    ids = collections.Counter(record[0].lower() for record in accepted if record[0])
    repeated = {id_ for id_, count in ids.items() if count > 1}
    return [record for record in accepted if (record[0] or "").lower() not in repeated], rejected, repeated


class Verdicts(unittest.TestCase):
    maxDiff = 2000

    def same(self, name, files, judged_alone=None, split=None, registry=None):
        """Judges the files both ways."""
        output = WORK / f"out-{name}"
        given = ["--registry", registry] if registry else []
        words = ["--split-bytes", split] if split else []
        self.assertIsNone(judge_files(*files, "--output", output, *words, *given))
        expected = records.alone(judged_alone or files, WORK, *given)
        accepted, rejected, repeated = without_repeats(expected)
        found = records.dataset(output)
        self.assertGreater(len(rejected), 0)
        once = [record for record in found[0] if (record[0] or "").lower() not in repeated]
        self.assertEqual(once, accepted)
        self.assertEqual(len(found[0]) - len(once), len(repeated))
        if judged_alone or split:
            # The names of files, or the lines within them, then differ from those of one process.
            strip = lambda rows: records.ordered(row[:-2] for row in rows)  # noqa: E731
            self.assertEqual(strip(found[1]), strip(rejected))
        else:
            self.assertEqual(found[1], rejected)
        total = json.loads((output / "summary.json").read_text())
        self.assertEqual(total["accepted"], len(found[0]))
        self.assertEqual(total["replayed"], len(expected[0]) - len(found[0]))
        self.assertEqual(total["rejected"], len(rejected))
        self.assertEqual(total["sent"], len(expected[0]) + len(rejected))
        rules = collections.Counter(record[5] for record in rejected)
        self.assertEqual(total["rejected_by_rule"], dict(rules))
        violated = collections.Counter(one["rule_id"] for record in rejected for one in record[6])
        self.assertEqual(total["violations"], dict(violated))
        return output, total

    def test_ndjson_the_corpus_hostile_bytes_gzip_and_csv(self):
        folder = WORK / "forms"
        folder.mkdir()
        files = [folder / name for name in ("corpus.ndjson", "hostile.ndjson", "packed.ndjson.gz", "rows.csv", "empty.ndjson")]
        files[0].write_bytes(b"\n".join(corpus.cases()))
        files[1].write_bytes(b"\xef\xbb\xbf" + b"\n".join(corpus.HOSTILE))
        corpus.write_ndjson(files[2], [corpus.event(number, month=2) for number in range(500)])
        corpus.write_csv(files[3], [corpus.event(number, month=3) for number in range(300)])
        files[4].write_bytes(b"")
        output, _ = self.same("forms", files)
        for kind in ("accepted", "rejected"):
            self.assertTrue(any((output / kind / "month=2026-03").iterdir()), kind)

    def test_a_file_cut_in_parts(self):
        path = WORK / "cut.ndjson"
        corpus.write_ndjson(path, [corpus.event(number) for number in range(4000)])
        output, _ = self.same("cut", [path], split=200_000)
        starts = {row["split_start"] for row in records.rows(output, "rejected")}
        self.assertGreater(len(starts), 3)

    def test_parquet(self):
        path, lines = WORK / "rows.parquet", WORK / "rows.ndjson"
        lines.write_bytes(corpus.write_parquet(path, [corpus.event(number, month=4) for number in range(400)]))
        self.same("parquet", [path], judged_alone=[lines])

    def test_rules_of_an_installs_own(self):
        own = json.loads((ROOT / "tests/support/own_rules.json").read_text())
        path, registry = WORK / "own.ndjson", WORK / "own-registry.json"
        registry.write_text(json.dumps(corpus.registry(own["rules"] + [resting(own["rules"][0])])))
        path.write_bytes(b"".join(corpus.line(corpus.PAGE | case["event"]) for case in own["cases"]) + b"\n".join(corpus.cases()))
        output, total = self.same("own", [path], registry=registry)
        found = {row["line"]: row["violations"] for row in records.rows(output, "rejected")}
        told = [found.get(number, []) for number, _ in enumerate(own["cases"], 1)]
        self.assertEqual(told, [case["violations"] for case in own["cases"]])
        # What only observes lets pass, and so does what is off: neither refuses anything.
        refusing = {rule["id"] for rule in own["rules"] if rule["mode"] == "enforce"}
        broken = {id for id in total["violations"] if id.startswith("own.")}
        self.assertGreater(len(broken), 3)
        self.assertLessEqual(broken, refusing)
        self.assertTrue(any((output / "rejected").glob("month=*/batch=*/rule=own.a_shop")))

    def test_a_registry_at_an_address_is_asked_once(self):
        texts = [json.dumps(corpus.registry([rule(False)])).encode(), json.dumps(corpus.registry([rule(True)])).encode()]
        asked = []

        class Project(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(texts[len(asked) > 1])

            def log_message(self, *_):
                pass

        path, output = WORK / "asked.ndjson", WORK / "out-asked"
        corpus.write_ndjson(path, [corpus.event(number) for number in range(200)])
        with http.server.HTTPServer(("127.0.0.1", 0), Project) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_port}/functions/v1/ingest/registry"
            reason = judge_files(path, "--output", output, "--registry", address, "--split-bytes", 10_000)
            server.shutdown()
        self.assertIsNone(reason)
        self.assertEqual(asked, ["/functions/v1/ingest/registry"])
        total = json.loads((output / "summary.json").read_text())
        self.assertEqual([total["accepted"], total["violations"]["own.everything"]], [0, 200])

    def test_a_rule_that_cannot_be_judged_by_is_told_once_and_stops_nothing(self):
        path, registry = WORK / "unknown.ndjson", WORK / "unknown-registry.json"
        corpus.write_ndjson(path, [corpus.event(number) for number in range(200)])
        registry.write_text(json.dumps(corpus.registry([rule({"maxWords": 5})])))
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            self.same("unknown", [path], split=10_000, registry=registry)
        about = "audience-gate: the schema of `own.everything` cannot be judged by: mend #/maxWords"
        self.assertEqual(said.getvalue().splitlines().count(about), 1)


def rule(schema):
    """A rule that binds every event."""
    return {"id": "own.everything", "category": None, "event_type": None, "site_id": None, "schema": schema,
            "mode": "enforce", "reasons": {"en": "this install asks for something else"}}  # fmt: skip


def resting(like):
    return like | {"id": "own.z_off", "mode": "off", "event_type": None, "schema": False}


if __name__ == "__main__":
    unittest.main()
