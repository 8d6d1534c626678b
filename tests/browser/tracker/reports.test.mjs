// What the page refuses is reported: without anything personal, and each exactly once whatever becomes of the page.
import assert from "node:assert/strict";
import { registrySnapshot } from "./registry.mjs";
import { numbers, open, stage, stats, track, until, used } from "./browser.mjs";

const scene = stage();
const LOADED = { contract: undefined };
const CANARY = "canary.person@mail.example";

/** What was asked of the server under an address. @param {import("./browser.mjs").Server} server @param {string} path */
const sentTo = (server, path) => server.requests.filter((one) => one.path === path);
const empty = (/** @type {import("./browser.mjs").Page} */ page) =>
  until(async () => (await stats(page)).queued === 0, "the queue is empty");

scene("a report has the event, the rules and the places, and nothing personal", async ({ server, context }) => {
  server.registry = registrySnapshot();
  const page = await open(context, server, LOADED);
  const { id } = await track(page, used(1, { metadata: { note: CANARY, phone: "+14155552671", kept: "this" } }));
  await empty(page);
  const [{ event, violations }] = server.reports;
  assert.deepEqual([event.id, event.event_type, event.metadata.kept], [id, "feature_used", "this"]);
  assert.ok(violations.some(({ rule_id }) => rule_id === "privacy.raw_email"));
  assert.ok(violations.every(({ path }) => typeof path === "string"));
  const stored = JSON.stringify(await page.evaluate(() => ({ ...localStorage })));
  assert.doesNotMatch(JSON.stringify(server.reports) + stored, /canary|4155552671/);
  assert.deepEqual([server.rows.length, (await stats(page)).reported], [0, 1]);
});

scene("a refused event that is too long is reported in a shorter form", async ({ server, context }) => {
  server.registry = registrySnapshot();
  const page = await open(context, server, LOADED);
  const keys = Array.from({ length: 600 }, (_, n) => [`key_number_${n}`, "long"]);
  const { id, violations } = await track(page, used(1, { metadata: Object.fromEntries(keys) }));
  assert.equal(violations?.[0].rule_id, "sanity.metadata_size");
  await empty(page);
  const [{ event }] = server.reports;
  assert.deepEqual([event.id, event.event_type], [id, "feature_used"]);
  assert.ok(JSON.stringify(event).length <= 4096);
});

scene("what cannot be written as JSON is reported too", async ({ server, context }) => {
  const page = await open(context, server);
  const { id, violations } = await page.evaluate(async () => {
    /** @type {Record<string, unknown>} */
    const metadata = { page_path: "/" };
    metadata.itself = metadata;
    const told = await globalThis.tracker.track({ event_type: "page_view", event_category: "engagement", metadata });
    return /** @type {import("./browser.mjs").Answer} */ (told);
  });
  assert.equal(violations?.[0].rule_id, "parse.json");
  await empty(page);
  assert.deepEqual(server.reports.map(({ event }) => event.id), [id]);
});

scene("an event whose user nobody can be is reported, and does not wait for them", async ({ server, context }) => {
  server.registry = registrySnapshot();
  const page = await open(context, server, LOADED);
  const ids = [];
  for (const user_id of ["somebody", 7, {}]) ids.push((await track(page, used(1, { user_id }))).id);
  await until(() => server.reports.length === ids.length, "each is reported");
  assert.deepEqual(server.reports.map(({ event }) => event.id), ids);
});

scene("where the contract may not run, a report has the outline alone", async ({ server, context }) => {
  const page = await open(context, server);
  await track(page, used(1, { metadata: { note: CANARY } }));
  await empty(page);
  const [{ event, violations }] = server.reports;
  assert.deepEqual(violations, [{ rule_id: "privacy.raw_email" }]);
  assert.equal(event.metadata, "[redacted:metadata]");
  assert.doesNotMatch(JSON.stringify(server.reports), /canary/);
});

scene("without reports nothing is told of what the page refused", async ({ server, context }) => {
  const page = await open(context, server, { reportRejected: false });
  await track(page, used(1, { metadata: { note: CANARY } }));
  await track(page, used(2));
  await empty(page);
  assert.deepEqual([numbers(server), server.reports, sentTo(server, "/ingest/reports")], [[2], [], []]);
});

scene("events refused under one id are reported each", async ({ server, context }) => {
  const page = await open(context, server);
  const id = "11111111-1111-4111-8111-111111111111";
  for (const note of ["one@mail.example", "two@mail.example"]) {
    await track(page, used(1, { id, session_id: `session-of-${note.slice(0, 3)}`, metadata: { note } }));
  }
  await track(page, used(3, { id }));
  await empty(page);
  assert.deepEqual([server.reports.length, numbers(server)], [2, [3]]);
});

scene("a function that takes no reports loses no events by them", async ({ server, context }) => {
  server.reportStatus = 404;
  const page = await open(context, server);
  await track(page, used(1, { metadata: { note: CANARY } }));
  await until(() => sentTo(server, "/ingest/reports").length === 1, "the report is tried");
  for (let n = 2; n < 5; n++) {
    await track(page, used(n));
    await until(() => numbers(server).includes(n), `event ${n} is stored`);
  }
  assert.equal(sentTo(server, "/ingest/reports").length, 1);
  // They wait for a function that takes them.
  server.reportStatus = 0;
  await empty(await open(context, server));
  assert.equal(server.reports.length, 1);
});

scene("a closing page sends its reports, and reports give way to events", async ({ server, context }) => {
  const page = await open(context, server, { flushInterval: 60_000, maxQueueBytes: 2000 });
  for (let n = 0; n < 10; n++) await track(page, used(n, { metadata: { note: CANARY } }));
  await track(page, used(10));
  await track(page, used(11));
  await page.close({ runBeforeUnload: true });
  await until(() => server.rows.length === 2 && server.reports.length > 0, "both are sent");
  assert.deepEqual(numbers(server), [10, 11]);
  assert.ok(server.reports.length < 10);
  assert.deepEqual(new Set(server.requests.map(({ headers }) => headers["content-type"])), new Set(["text/plain"]));
});
