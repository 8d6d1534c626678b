/** A clock that can be moved: faketime's library in the processes that are started with it. */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PLACES = ["x86_64-linux-gnu", "aarch64-linux-gnu", ""].map((machine) =>
  join("/usr/lib", machine, "faketime", "libfaketime.so.1")
);

/** Null where faketime is not installed. */
export function movableClock() {
  const library = PLACES.find((place) => existsSync(place));
  if (library === undefined) return null;
  const folder = mkdtempSync(join(tmpdir(), "audience-gate-clock-"));
  chmodSync(folder, 0o711);
  const file = join(folder, "offset");
  /** Processes see it within a second, each at a moment of its own. @param {number} seconds from the time that it is */
  const set = (seconds) => writeFileSync(file, `${seconds < 0 ? "-" : "+"}${Math.abs(seconds)}\n`);
  set(0);
  return {
    /** What a process is started with to see this clock. @type {Record<string, string>} */
    environment: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: "1",
      // What is measured, and how long is waited, follows no clock on the wall.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
    set,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
