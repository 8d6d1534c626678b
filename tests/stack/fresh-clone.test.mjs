/** README's two commands as it prints them, in clones of what is committed, by somebody who has run nothing here. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { size } from "../long.mjs";
import { cloned, newcomer, watch } from "./clone.mjs";
import { ingest, launch, root, view } from "./launch.mjs";

/** One environment for the whole file: whoever makes the second clone has made the first. */
const env = newcomer();

test("README prints the two commands", () => {
  const [, shell] = /^## Start$[^]*?^```sh\n([^]*?)^```$/m.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  assert.equal(shell, "npm start\nnpm test\n");
});

test("npm start is all that a fresh clone needs, and npm test installs what it lacks after that", async (t) => {
  const cwd = cloned(t);
  const stack = await launch(t, [], { command: ["npm", "start"], cwd, env });
  const { status } = await ingest(stack.url, view());
  assert.equal(status, 200);
  await stack.end("SIGINT");
  t.diagnostic(`from clone to greeting ${stack.seconds.toFixed(1)} s, installation included`);
  assert.ok(!existsSync(join(cwd, "node_modules", "typescript")), "what only tests need is not installed by npm start");

  // These suites have needs that are quick to meet: the hosted Deno and a real Postgres, in the long form a browser too.
  const words = ["hosted deno", "pgtap on postgres", ...size({ short: [], long: ["package"] })];
  const tests = await watch(t, ["npm", "test", "--", ...words], { cwd, env });
  assert.equal(tests.code, 0, tests.said);
  assert.match(tests.said, /^\d+ passed, 0 failed$/m);
  t.diagnostic(`${words.length} suites after that ${tests.seconds.toFixed(1)} s, installation included`);
});

test("npm test on a fresh clone lists its suites, runs those that need nothing, and starts on the rest", async (t) => {
  const cwd = cloned(t);
  for (const word of ["--list", "--help"]) {
    const { code, said } = await watch(t, ["npm", "test", "--", word], { cwd, env });
    assert.deepEqual([code, /rust|npm test/.test(said)], [0, true], said);
  }
  const bare = await watch(t, ["npm", "test", "--", "runner"], { cwd, env });
  assert.equal(bare.code, 0, bare.said);
  assert.ok(!existsSync(join(cwd, "node_modules")), "a suite that needs no package installs none");

  // A whole run would take as long as this one, and reach this test again. All of its needs, PySpark's 440 MB among them,
  // are installed by the long form of this test only; the short one has one suite without a compiler and one with it.
  const words = size({ short: 0, long: 1 }) === 1 ? [] : ["--", "pglite", "rust"];
  const compiling = () => {
    const log = join(cwd, ".local", "test-logs", "rust.log");
    return existsSync(log) && /Compiling/.test(readFileSync(log, "utf8"));
  };
  const { said, seconds, enough } = await watch(t, ["npm", "test", ...words], { cwd, env, enough: compiling });
  assert.ok(enough, said);
  assert.match(said, /packages that the tests need from npm, once: done in \d+ s/);
  t.diagnostic(`from npm test to the first suite ${seconds.toFixed(1)} s`);
});
