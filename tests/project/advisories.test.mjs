/** The script that asks for known weaknesses, against a server that knows some: the real one is remote. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { known, used } from "../../.ci/advisories.mjs";
import { root } from "../runner/paths.mjs";

/** @param {import("node:test").TestContext} t @param {(queries: { version: string, package: { name: string, ecosystem: string } }[]) => unknown} answer */
async function database(t, answer) {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    response.end(JSON.stringify(answer(JSON.parse(text).queries)));
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
}

test("every locked package of three ecosystems is asked for, in its own version", async (t) => {
  /** @type {string[]} */
  const asked = [];
  const url = await database(t, (queries) => {
    asked.push(...queries.map(({ version, package: { name, ecosystem } }) => `${ecosystem} ${name} ${version}`));
    return { results: queries.map(({ package: { name } }) => name === "pg" ? { vulns: [{ id: "GHSA-1" }] } : {}) };
  });
  const lines = await known(used(root), url);
  assert.equal(lines.length, 1);
  assert.match(lines[0], /^pg \d.* \(npm\): .*GHSA-1$/);
  for (const wanted of [/^crates\.io serde \d/, /^npm esbuild \d/, /^PyPI pyspark \d/]) {
    assert.ok(asked.some((one) => wanted.test(one)), String(wanted));
  }
  assert.ok(!asked.some((one) => one.includes("audience-gate")), "it does not ask about its own packages");
  assert.ok(asked.length > 300, `${asked.length} packages`);
});

test("an answer that leaves some out, or no answer, is a failure", async (t) => {
  const url = await database(t, () => ({ results: [] }));
  await assert.rejects(known(used(root), url), /did not answer for each/);
  await assert.rejects(known(used(root), "http://127.0.0.1:9"), /fetch failed/);
});
