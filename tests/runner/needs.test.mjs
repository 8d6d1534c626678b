import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { root } from "./paths.mjs";
import { suites } from "./suites.mjs";

/** What shows a need in the text of a test, or of a file that it imports. @type {Record<string, RegExp>} */
const SIGNS = {
  packages: /from "(?!node:|\.)|local\/(start|stack|database)\.mjs|denoBinary\(/,
  chromium: /chromiumPath\(\)/,
  postgres: /startPostgres\(/,
  rust: /"cargo"/,
  spark: /pythonOf\("spark"\)/,
  packaging: /pythonOf\("packaging"\)/,
  parquet: /pythonOf\("parquet"\)/,
  faketime: /load\/drive\.mjs/,
  openssl: /"openssl"/,
  git: /"git"/,
  curl: /curl/,
  ps: /"ps"/,
  python: /"python3"/,
  php: /"php"/,
};

/** The text of a test or a benchmark with that of every file of theirs that it imports. @param {string} file @param {Set<string>} [seen] */
function text(file, seen = new Set()) {
  if (seen.has(file)) return "";
  seen.add(file);
  const own = readFileSync(file, "utf8");
  /** @type {string} */
  const imported = [...own.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)]
    .map(([, path]) => join(dirname(file), path))
    .filter((path) =>
      ["tests", "bench"].some((folder) => path.startsWith(join(root, folder))) &&
      !path.includes(join("tests", "runner")) && existsSync(path)
    )
    .map((path) => text(path, seen)).join("\n");
  return own + imported;
}

test("a suite says that it needs what its tests use, and nothing else", () => {
  const wrong = suites({ long: false }).flatMap(({ name, commands, needs }) => {
    const files = commands.flat().filter((word) => word.endsWith(".test.mjs"));
    // The runner's own tests name all needs, but run where nothing is installed.
    if (files.length === 0 || name === "runner") return [];
    const whole = files.map((file) => text(join(root, file))).join("\n");
    const used = Object.keys(SIGNS).filter((need) => SIGNS[need].test(whole));
    const said = /** @type {string[]} */ (needs);
    const [missing, idle] = [used.filter((need) => !said.includes(need)), said.filter((need) => !used.includes(need))];
    return missing.length + idle.length === 0 ? [] : [{ name, missing, idle }];
  });
  assert.deepEqual(wrong, []);
});

/** Whoever has a clone has git; and the readers in Python are beside functions of the archive, which benchmarks do call. */
const UNASKED = ["git", "spark", "parquet"];

test("a command of package.json installs what its script uses", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const wrong = Object.entries(scripts).flatMap(([name, command]) => {
    const [, said, file] = /with\.mjs (.+) -- (\S+\.mjs)/.exec(String(command)) ?? [];
    if (file === undefined || !name.startsWith("bench:")) return [];
    const whole = text(join(root, file));
    const used = Object.keys(SIGNS).filter((need) => !UNASKED.includes(need) && SIGNS[need].test(whole));
    const missing = used.filter((need) => !said.split(" ").includes(need));
    return missing.length === 0 ? [] : [{ name, missing }];
  });
  assert.deepEqual(wrong, []);
});
