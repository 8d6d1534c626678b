"""Spark's verdicts are byte for byte those of one process of the gate, whatever the form of the input."""

import collections
import json
import unittest

import corpus
import records
from cluster import WORK, judge_files


def without_repeats(found):
    """The records whose id occurs once, and the ids that occur more than once."""
    accepted, rejected = found
    ids = collections.Counter(record[0].lower() for record in accepted if record[0])
    repeated = {id_ for id_, count in ids.items() if count > 1}
    return [record for record in accepted if (record[0] or "").lower() not in repeated], rejected, repeated


class Verdicts(unittest.TestCase):
    maxDiff = 2000

    def same(self, name, files, judged_alone=None, split=None):
        """Judges the files both ways."""
        output = WORK / f"out-{name}"
        words = ["--split-bytes", split] if split else []
        self.assertIsNone(judge_files(*files, "--output", output, *words))
        expected = records.alone(judged_alone or files, WORK)
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


if __name__ == "__main__":
    unittest.main()
