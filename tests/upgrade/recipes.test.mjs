// README's two recipes, from the printed diff to an event judged by the command line, by SQL, by the function and by a
// direct insert, in a new database and in one that ran before.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { secretKey } from "../../local/settings.mjs";
import { freePort, ingest, launch, rest, view } from "../stack/launch.mjs";
import { checkout, recipe } from "./checkout.mjs";

const copy = checkout("recipes");
const data = mkdtempSync(join(tmpdir(), "audience-gate-recipes-"));
after(() => {
  copy.remove();
  rmSync(data, { recursive: true, force: true });
});

/** What the new type is for. */
const joined = () => view({ event_type: "webinar_joined", metadata: { content_id: "webinar-7" } });
/** What the new rule refuses. */
const termAlone = () =>
  view({
    event_type: "campaign_landing",
    event_category: "attribution",
    utm_term: "shoes",
    metadata: { landing_page: "/start" },
  });
const RULE = "attribution.term_has_campaign";

/** Starts the stack of the copy. @param {import("node:test").TestContext} t @param {string} folder */
const start = async (t, folder) =>
  launch(t, ["--data", folder, "--port", String(await freePort()), "--empty"], { cwd: copy.folder });

/**
 * Inserts a row through the API as a back end, and returns the rules that its audit row names. That row has an id of its
 * own, and the one that was sent in its metadata.
 *
 * @param {string} url @param {Record<string, unknown>} row
 */
async function byInsert(url, row) {
  await fetch(`${url}/rest/v1/audience_events`, {
    method: "POST",
    headers: { apikey: secretKey, "content-type": "application/json" },
    body: JSON.stringify(row),
  });
  const { answer } = await rest(url, `audience_events?metadata->>event_id=eq.${row.id}&select=metadata`);
  return answer[0].metadata.violations.map((/** @type {{ rule_id: string }} */ { rule_id }) => rule_id);
}

/** @param {string} url @param {unknown} event */
async function bySql(url, event) {
  const response = await fetch(`${url}/rest/v1/rpc/validate_audience_event`, {
    method: "POST",
    headers: { apikey: secretKey, "content-type": "application/json" },
    body: JSON.stringify({ event }),
  });
  return (await response.json()).map((/** @type {{ rule_id: string }} */ { rule_id }) => rule_id);
}

describe("README's recipes", () => {
  const older = join(data, "older");
  test("the stack that ran before knows neither", async (t) => {
    const stack = await start(t, older);
    assert.deepEqual(await bySql(stack.url, joined()), ["registry.event_type"]);
    assert.deepEqual(await bySql(stack.url, termAlone()), []);
    await stack.end("SIGINT");
  });

  test("their diffs apply, and `npm run emit` writes the rest", () => {
    copy.apply(recipe("src/contract/rules.rs"));
    copy.apply(recipe("taxonomy.json"));
    copy.emit();
    copy.emit("--check");
  });

  test("the tests of the table and of the corpus need no edit", () => {
    const suites = ["corpus", "examples", "reference", "table"].flatMap((name) => ["--test", name]);
    copy.run("cargo", ["test", "--quiet", "--locked", "-p", "audience-gate", ...suites]);
  });

  test("the command line judges by them", () => {
    const file = join(data, "events.ndjson");
    writeFileSync(file, [joined(), termAlone()].map((event) => JSON.stringify(event) + "\n").join(""));
    const rejected = join(data, "rejected.ndjson");
    const said = copy.run(
      "cargo",
      ["run", "--quiet", "--locked", "-p", "audience-gate-cli", "--", "check", file, "--rejected", rejected],
      [1],
    );
    assert.ok(said.includes(RULE), said);
    assert.match(said, /1 accepted|accepted\s+1/, said);
  });

  for (const [name, folder] of [["older", older], ["new", join(data, "new")]]) {
    test(`function, SQL and direct insert judge by them in the ${name} database`, async (t) => {
      const stack = await start(t, folder);
      assert.deepEqual(await bySql(stack.url, joined()), []);
      assert.deepEqual(await bySql(stack.url, termAlone()), [RULE]);
      const taken = await ingest(stack.url, joined());
      assert.equal(taken.status, 200, JSON.stringify(taken.answer));
      // The module is still the one from before `npm run build`, so its fingerprint differs and the database judges
      // again.
      const refused = await ingest(stack.url, termAlone());
      assert.deepEqual([refused.status, refused.answer.results[0].rule_id], [422, RULE]);
      // The embedded API does not pass on the 422 that PostgREST answers here.
      assert.deepEqual(await byInsert(stack.url, termAlone()), [RULE]);
      await stack.end("SIGINT");
    });
  }
});
