"""The job says in one line what it cannot do and what to do instead. It quotes no event, and nothing personal gets out."""

import gzip
import json
import os
import unittest

import corpus
import pyarrow as pa
import pyarrow.parquet as pq
import records
from cluster import HOME, WORK, gate, judge_files, session

GOOD = corpus.line(corpus.event(1))


class Refusals(unittest.TestCase):
    def setUp(self):
        self.folder = WORK / self.id().rpartition(".")[2]
        self.folder.mkdir()

    def refuses(self, says, name, content, *words):
        """Judges a file with this content, which must fail with this message and leave nothing like a result."""
        path = self.folder / name
        path.write_bytes(content)
        output = self.folder / f"out-{name}"
        reason = judge_files(path, "--output", output, *words)
        with self.subTest(name=name, words=words):
            self.assertIn(says, reason or "it did not fail")
            self.assertNotIn("\n", reason or "")
            self.assertNotIn(corpus.CANARY, reason or "")
            self.assertFalse((output / "summary.json").exists())
            self.assertEqual(list(output.glob("accepted/*")), [])

    def test_clear_reasons(self):
        self.refuses("cannot run the gate /missing/gate: No such file", "a.ndjson", GOOD, "--gate", "/missing/gate")
        self.refuses("--at noon: send a time such as", "b.ndjson", GOOD, "--at", "noon")
        self.refuses("--caller me: send trusted, visitor", "c.ndjson", GOOD, "--caller", "me")
        self.refuses("No such file", "d.ndjson", GOOD, "--registry", "/missing.json")
        self.refuses("the name does not say how it writes events", "a.txt", GOOD)
        self.refuses("lacks the columns event_type, event_category", "a.csv", b"session_id,event_source\na,b\n")
        header = b"session_id,event_type,event_category,event_source,one@example.com\n"
        self.refuses("1 columns that no event has", "b.csv", header.replace(b"one@example.com", corpus.CANARY.encode()))
        self.refuses("e.ndjson.gz", "e.ndjson.gz", gzip.compress(os.urandom(1 << 16) + GOOD * 100)[:-20000])
        self.refuses("f.parquet", "f.parquet", b"PAR1 this is not Parquet")
        self.assertIn("there is no input", judge_files(self.folder / "missing", "--output", self.folder / "out"))

    def test_wrong_columns_of_parquet(self):
        event = corpus.event(1) | {"metadata": "{}"}
        for says, row in [
            ("lacks the columns session_id", {name: value for name, value in event.items() if name != "session_id"}),
            ("columns that no event has: created_at", event | {"created_at": "now"}),
            ("metadata of the Parquet input is neither text", event | {"metadata": 5}),
        ]:
            path = self.folder / f"{len(says)}.parquet"
            pq.write_table(pa.Table.from_pylist([row]), path)
            self.assertIn(says, judge_files(path, "--output", self.folder / "out") or "it did not fail")

    def test_an_output_has_one_set_of_terms_and_inputs_do_not_change(self):
        path, output = self.folder / "a.ndjson", self.folder / "out"
        path.write_bytes(GOOD)
        self.assertIsNone(judge_files(path, "--output", output))
        other = judge_files(path, "--output", output, "--caller", "visitor")
        self.assertIn("judged with another caller: choose another --output", other)
        path.write_bytes(GOOD * 2)
        self.assertIn("is not what it was when it was judged", judge_files(path, "--output", output))

    def test_nothing_personal_gets_out(self):
        path, output = self.folder / "a.ndjson", self.folder / "out"
        path.write_bytes(b"\n".join(corpus.HOSTILE) + b"\n" + b"".join(corpus.line(corpus.event(n)) for n in range(100)))
        self.assertIsNone(judge_files(path, "--output", output))
        told = json.dumps([records.rows(output, kind) for kind in ("accepted", "rejected")], default=str, ensure_ascii=False)
        self.assertIn("[redacted:email]", told)
        self.assertIn('email_hash_kind\\":\\"hmac-sha256', told)
        files = [file for file in [*output.rglob("*.json"), *(HOME / "work").rglob("std*")] if file.is_file()]
        self.assertTrue(any(file.name == "stderr" and file.stat().st_size for file in files))
        for text in [told, *(file.read_text(errors="replace") for file in files)]:
            for secret in (corpus.CANARY, os.environ["AUDIENCE_GATE_EMAIL_PEPPER"]):
                self.assertNotIn(secret, text)

    def test_a_worker_with_another_secret_is_found_out(self):
        path = self.folder / "a.ndjson"
        path.write_bytes(GOOD)
        session(), gate()
        secret = os.environ.pop("AUDIENCE_GATE_EMAIL_PEPPER")
        try:
            reason = judge_files(path, "--output", self.folder / "out")
        finally:
            os.environ["AUDIENCE_GATE_EMAIL_PEPPER"] = secret
        self.assertIn("AUDIENCE_GATE_EMAIL_PEPPER is not the same", reason)


if __name__ == "__main__":
    unittest.main()
