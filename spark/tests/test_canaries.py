"""Personal data of every kind, planted in every position of an event, is in nothing that the job writes, prints or logs."""

import json
import re
import unittest

import corpus
import pyarrow.parquet as pq
from cluster import HOME, ROOT, WORK, submit

PLANTED = json.loads((ROOT / "tests/support/canaries.json").read_text())
NEEDLE = re.compile(PLANTED["needle"], re.IGNORECASE)


def planted():
    """Every kind in every position, as tests/support/canaries.mjs plants them."""
    for sort, positions in PLANTED["positions"].items():
        for changes in positions.values():
            template = json.dumps(changes, ensure_ascii=False)
            for text in PLANTED["kinds"].values():
                yield template.replace("§", json.dumps(text, ensure_ascii=False)[1:-1])
            if '"§"' in template and '"§":' not in template:
                yield from (template.replace("§", text) for text in PLANTED["whole"].values())
                if sort == "metadata":
                    yield from (template.replace('"§"', str(number)) for number in PLANTED["numbers"].values())


def written(folder):
    """Every text in the files of a folder: what Parquet packs is unpacked. The program is shipped, not written."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "audience-gate":
            yield path, str(path) + path.read_bytes().decode(errors="replace")
            if path.suffix == ".parquet":
                yield path, "\n".join(map(str, pq.ParquetFile(path).read().to_pylist()))


class Canaries(unittest.TestCase):
    def test_are_nowhere_after_a_job(self):
        folder, output, log = WORK / "canaries", WORK / "without-canaries", WORK / "canaries.log"
        folder.mkdir()
        events = [corpus.PAGE | json.loads(changes) for changes in planted()]
        self.assertGreater(len(events), 300)
        torn = [corpus.line(event)[:-9] + b"\n" for event in events[:40]]
        (folder / "a.ndjson").write_bytes(b"".join([*map(corpus.line, events), *torn]))
        with log.open("wb") as file:
            driver = submit(file, str(folder), "--output", str(output))
            driver.wait()
        text = log.read_text(errors="replace")
        self.assertEqual(driver.returncode, 0, text[-2000:])
        total = json.loads((output / "summary.json").read_text())
        self.assertEqual((total["sent"], total["rejected"]), (len(events) + len(torn), len(events) + len(torn)))
        places = [(log, text), *written(output), *written(HOME / "work")]
        self.assertGreater(len(places), 5)
        found = [f"{path}: {NEEDLE.search(text)}" for path, text in places if NEEDLE.search(text)]
        self.assertEqual(found, [])


if __name__ == "__main__":
    unittest.main()
