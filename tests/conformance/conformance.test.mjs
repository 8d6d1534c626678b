// Every engine of ours proves itself by the suite that an engine of somebody else's does, and a wrong one is told.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { conforms, groups, started } from "../../conformance/protocol.mjs";
import { files } from "../../conformance/write.mjs";
import { commandLine } from "../command_line.mjs";
import { startPostgres, VERSIONS } from "../database/postgres.mjs";
import { root } from "../runner/paths.mjs";

const engine = (/** @type {string} */ name) => join(root, "conformance", "engines", name);

/** @param {string} command @param {string[]} args @param {Record<string, string | undefined>} [env] */
async function proves(command, args, env) {
  const { ask, stop } = started(command, args, env);
  try {
    const { judged, wrong } = await conforms(ask);
    assert.ok(judged > 1000);
    assert.deepEqual(wrong, []);
  } finally {
    await stop();
  }
}

test("the files of the suite are what the corpus says", () => {
  for (const [name, text] of Object.entries(files())) {
    assert.ok(
      readFileSync(join(root, "conformance", name), "utf8") === text,
      `${name} is stale: node conformance/write.mjs`,
    );
  }
});

test("the module conforms", () => proves(process.execPath, [engine("module.mjs")]));

test("the command line conforms", () => proves(commandLine(), ["conformance"]));

for (const version of VERSIONS) {
  test(`Postgres ${version} conforms`, async (t) => {
    const server = await startPostgres({ version });
    t.after(() => server.stop());
    await proves(process.execPath, [engine("postgres.mjs")], { ...process.env, DATABASE_URL: server.url });
  });
}

test("an engine that is wrong is told each case, and one that loads nothing its registry", async () => {
  const [{ cases, ...group }] = groups();
  const few = [{ ...group, cases: cases.filter(({ violates }) => violates.length > 0).slice(0, 5) }];
  const { judged, wrong } = await conforms((line) => {
    const { case: index } = /** @type {{ case?: number }} */ (line);
    return Promise.resolve(index === undefined ? {} : { case: index, violates: [] });
  }, few);
  assert.deepEqual([judged, wrong.length], [5, 6]);
  assert.match(wrong[1] ?? "", /\[\] instead of \["/);
});
