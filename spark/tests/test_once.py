"""Every event is in the output once: after a lost worker or driver, after a second run, and if senders repeat themselves."""

import json
import os
import shutil
import signal
import threading
import time
import unittest

import corpus
import records
from cluster import WORK, end, executors, judge_files, session, submit

FILES, EVENTS = 16, 1500


def wait_for(condition, seconds=300):
    until = time.time() + seconds
    while not condition():
        if time.time() > until:
            raise TimeoutError("it did not come to that")
        time.sleep(0.02)


def state(output):
    """Everything in an output, apart from how long it took."""
    total = json.loads((output / "summary.json").read_text())
    del total["seconds"]
    return records.dataset(output), total


class Once(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.input = WORK / "once"
        cls.input.mkdir()
        for file in range(FILES):
            events = [corpus.event(number, month=1 + file % 12) for number in range(file * EVENTS, (file + 1) * EVENTS)]
            corpus.write_ndjson(cls.input / f"{file:02}.ndjson", events)
        cls.batch = sum(path.stat().st_size for path in cls.input.iterdir()) * 3 // 5
        cls.words = [cls.input, "--batch-bytes", cls.batch]
        cls.output = WORK / "undisturbed"
        assert judge_files(*cls.words, "--output", cls.output) is None
        cls.expected = state(cls.output)

    def test_the_undisturbed_run_has_every_event_once(self):
        (accepted, rejected), total = self.expected
        self.assertEqual((accepted, rejected), records.alone(sorted(self.input.iterdir()), WORK))
        self.assertEqual(total["sent"], FILES * EVENTS)
        self.assertEqual(len(list((self.output / "_batches").glob("*.json"))), 2)

    def test_a_worker_that_is_killed(self):
        output, reasons = WORK / "lost-worker", []
        session()
        job = threading.Thread(target=lambda: reasons.append(judge_files(*self.words, "--output", output)))
        job.start()
        staged = lambda: any(output.glob("_staging/*/judged/_temporary/0/task_*"))  # noqa: E731
        wait_for(staged)
        victims = executors()
        os.kill(victims[0], signal.SIGKILL)
        job.join()
        self.assertEqual(reasons, [None])
        self.assertEqual(len(victims), 2)
        self.assertEqual(state(output), self.expected)

    def test_a_driver_that_is_killed(self):
        output, log = WORK / "lost-driver", WORK / "driver.log"
        with log.open("wb") as file:
            driver = submit(file, *map(str, self.words), "--output", str(output))
            try:
                # One batch is committed then, and another one is under way.
                wait_for(lambda: len(list(output.glob("_batches/*.json"))) == 1 and any(output.glob("_staging/*/judged")))
            finally:
                end(driver)
        left = {path for path in output.glob("accepted/*/*")}
        self.assertGreater(len(left), 0)
        self.assertFalse((output / "summary.json").exists())
        self.assertIsNone(judge_files(*self.words, "--output", output))
        self.assertLess(left, set(output.glob("accepted/*/*")))
        self.assertEqual(state(output), self.expected)
        self.assertNotIn(corpus.CANARY, log.read_text(errors="replace"))

    def test_a_driver_that_is_killed_while_it_commits(self):
        output = WORK / "half-committed"
        shutil.copytree(self.output, output)
        last = sorted((output / "_batches").glob("*.json"))[-1]
        manifest = json.loads(last.read_text())
        staging = output / "_staging" / manifest["batch"]
        for kind, folder in manifest["staged"].items():
            for path in list(output.glob(f"{kind}/*/batch={manifest['batch']}"))[:3]:
                target = staging / folder / path.parent.name
                target.parent.mkdir(parents=True, exist_ok=True)
                path.rename(target)
        last.rename(staging / "batch.json")
        for path in staging.rglob(".*.crc"):
            path.unlink()
        (output / "_batches" / f".{last.name}.crc").unlink()
        self.assertNotEqual(state(output), self.expected)
        self.assertIsNone(judge_files(*self.words, "--output", output))
        self.assertEqual(state(output), self.expected)

    def test_a_second_run_does_nothing(self):
        before = {path: path.stat().st_mtime_ns for path in self.output.rglob("*")}
        jobs = session()._jsc.sc().statusTracker().getJobIdsForGroup(None)
        self.assertIsNone(judge_files(*self.words, "--output", self.output))
        self.assertEqual({path: path.stat().st_mtime_ns for path in self.output.rglob("*")}, before)
        self.assertEqual(len(session()._jsc.sc().statusTracker().getJobIdsForGroup(None)), len(jobs))

    def test_new_files_are_added_and_replays_left_out(self):
        folder, output = WORK / "growing", WORK / "grown"
        folder.mkdir()
        same = [corpus.event(number) for number in range(200)]
        other = [corpus.event(number) for number in range(100, 150)] * 2
        shouting = [corpus.event(number) for number in range(50)]
        for event in shouting:
            event["id"] = event["id"].upper()
        nameless = [{name: value for name, value in event.items() if name != "id"} for event in same]
        corpus.write_ndjson(folder / "m.ndjson", same + shouting + nameless * 2)
        self.assertIsNone(judge_files(folder, "--output", output))
        first = set(output.glob("accepted/*/*"))
        corpus.write_ndjson(folder / "a.ndjson", other + [corpus.event(number) for number in range(500, 600)])
        self.assertIsNone(judge_files(folder, "--output", output))
        self.assertLess(first, set(output.glob("accepted/*/*")))
        total = json.loads((output / "summary.json").read_text())
        alone, _ = records.alone([folder / "m.ndjson", folder / "a.ndjson"], WORK)
        ids = [record[0].lower() for record in alone if record[0]]
        accepted, _ = records.dataset(output)
        found = [record[0].lower() for record in accepted if record[0]]
        self.assertEqual(sorted(found), sorted(set(ids)))
        self.assertEqual(len(accepted) - len(found), len(alone) - len(ids))
        self.assertEqual(total["replayed"], len(ids) - len(set(ids)))
        self.assertEqual(total["sent"], total["accepted"] + total["replayed"] + total["rejected"])


if __name__ == "__main__":
    unittest.main()
