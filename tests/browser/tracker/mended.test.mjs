// What a page cannot help is put right: a damaged campaign poisons no event, and a wrong clock loses none.
import assert from "node:assert/strict";
import { registrySnapshot } from "./registry.mjs";
import { numbers, open, stage, stats, track, until, used } from "./browser.mjs";

const scene = stage();
const LOADED = { contract: undefined };
const TEN_MINUTES = 600_000;
/** @typedef {import("./server.mjs").Row} Row */

const columns = (/** @type {Row} */ row) =>
  Object.fromEntries(Object.entries(row).filter(([key]) => /^utm_/.test(key)));
const said = (/** @type {import("./browser.mjs").BrowserContext} */ context) => {
  /** @type {string[]} */
  const lines = [];
  context.on("console", (message) => lines.push(message.text()));
  return lines;
};

/** Addresses that bring a visitor, and what of them may be recorded. @type {[says: string, query: string, kept: Row][]} */
const CAMPAIGNS = [
  ["nothing wrong", "utm_source=a&utm_medium=b&utm_campaign=c", {
    utm_source: "a",
    utm_medium: "b",
    utm_campaign: "c",
  }],
  ["U+0000", "utm_source=%00&utm_medium=b&utm_term=t", { utm_medium: "b", utm_term: "t" }],
  ["bytes that are no UTF-8", "utm_source=%FF&utm_medium=b", { utm_medium: "b" }],
  ["an e-mail address", "utm_source=a&utm_medium=b&utm_campaign=c&utm_content=canary.person%40mail.example", {
    utm_source: "a",
    utm_medium: "b",
    utm_campaign: "c",
  }],
  ["an address, encoded twice", "utm_source=a&utm_term=canary.person%2540mail.example", { utm_source: "a" }],
  ["a card's number", "utm_source=a&utm_medium=b&utm_term=4111111111111111", { utm_source: "a", utm_medium: "b" }],
  ["two faults at once", "utm_source=a&utm_content=4111+1111+1111+1111&utm_term=4111-1111-1111-1111", {
    utm_source: "a",
  }],
];
for (const [says, query, kept] of CAMPAIGNS) {
  scene(`${says} in a campaign: it loses that alone, and every event is stored`, async ({ server, context }) => {
    server.registry = registrySnapshot();
    const lines = said(context);
    const page = await open(context, server, {
      ...LOADED,
      debug: true,
      automatic: ["landing", "page_view"],
    }, `/?${query}`);
    await track(page, used(1));
    await track(page, used(2, { session_id: "another-session" }));
    await until(() => server.rows.length === 4, "every event is stored");
    const wrong = server.rows.filter((row) => JSON.stringify(columns(row)) !== JSON.stringify(kept));
    assert.deepEqual(wrong, []);
    const stored = JSON.stringify(await page.evaluate(() => ({ ...localStorage })));
    assert.doesNotMatch(stored + JSON.stringify([server.rows, server.reports]), /canary|4111/);
    assert.equal((await stats(page)).rejected, 0);
    const dropped = query.split("&").length - Object.keys(kept).length;
    assert.equal(
      lines.filter((line) => /utm_\w+ is left out of the events/.test(line)).length,
      dropped,
      lines.join("\n"),
    );
    // The same address again goes on with the same session.
    await page.reload();
    await page.waitForFunction(() => "tracker" in globalThis);
    await track(page, used(3));
    await until(() => server.rows.some((row) => row.metadata.n === 3), "the event is stored");
    assert.equal(new Set(server.rows.filter((row) => row.metadata.n !== 2).map((row) => row.session_id)).size, 1);
  });
}

scene("an attribution event leaves out a campaign without source or medium, and others keep it", async (
  { server, context },
) => {
  server.registry = registrySnapshot();
  const page = await open(context, server, { ...LOADED, automatic: ["landing"] }, "/?utm_campaign=autumn");
  await track(page, used(1));
  await until(() => server.rows.length === 2, "both are stored");
  assert.deepEqual(server.rows.map((row) => [row.event_type, row.utm_campaign]).sort(), [
    ["campaign_landing", undefined],
    ["feature_used", "autumn"],
  ]);
});

scene("what only the server finds in a campaign is left out and sent again", async ({ server, context }) => {
  const page = await open(context, server, {}, "/?utm_source=a&utm_term=bad");
  await track(page, used(1));
  await until(() => server.rows.length === 1, "the event is stored");
  await track(page, used(2));
  await until(() => server.rows.length === 2, "so is the next");
  assert.deepEqual(server.rows.map(columns), [{ utm_source: "a" }, { utm_source: "a" }]);
  assert.deepEqual([server.refused.length, await stats(page).then(({ mended, rejected }) => [mended, rejected])], [1, [
    1,
    0,
  ]]);
}, {
  judge: ({ utm_term }) =>
    utm_term ? [{ rule_id: "privacy.personal_value", reason: "personal", path: "/utm_term" }] : [],
});

/** As the contract has it, by the server's own clock. @param {Row} event */
const window = ({ occurred_at }) => {
  const age = Date.now() - Date.parse(occurred_at);
  return age < -300_000 || age > 7 * 86_400_000
    ? [{ rule_id: "sanity.occurred_at_window", reason: "not now", path: "/occurred_at" }]
    : [];
};

for (
  const [says, error] of /** @type {[string, number][]} */ ([
    ["ten minutes fast", TEN_MINUTES],
    ["a year fast", 31_536_000_000],
    ["ten days slow", -864_000_000],
  ])
) {
  scene(`a device whose clock is ${says} loses no event, and is refused once at most`, async ({ server, context }) => {
    const began = Date.now();
    await context.clock.install({ time: began + error });
    const page = await open(context, server);
    for (let n = 0; n < 3; n++) await track(page, used(n));
    await until(() => server.rows.length === 3, "the events are stored");
    assert.deepEqual(numbers(server).sort(), [0, 1, 2]);
    const refused = server.refused.length;
    assert.ok(refused > 0 && refused <= 3, "the first batch");
    const next = await open(context, server);
    await track(next, used(3));
    await until(() => server.rows.length === 4, "the next page's event is stored");
    assert.equal(server.refused.length, refused, "and was never refused");
    for (const { occurred_at } of server.rows) {
      const off = Date.parse(occurred_at) - Date.now();
      assert.ok(off < 5000 && off > began - Date.now() - 5000, `${off} ms from now`);
    }
    assert.deepEqual((await stats(page)).rejected, 0);
  }, { judge: window });
}

scene("the registry's answer tells the time before the first event is judged", async ({ server, context }) => {
  server.registry = registrySnapshot();
  await context.clock.install({ time: Date.now() + TEN_MINUTES });
  const page = await open(context, server, LOADED);
  assert.equal(await page.evaluate(() => globalThis.tracker.ready()), true);
  await track(page, used(1));
  await until(() => server.rows.length === 1, "the event is stored");
  assert.equal(server.refused.length, 0);
}, { judge: window });

scene(
  "an event that was there before the registry's answer is put at its time by that",
  async ({ server, context }) => {
    server.registry = registrySnapshot();
    /** @type {(value?: unknown) => void} */
    let answer = () => {};
    const tracked = new Promise((resolve) => answer = resolve);
    await context.route("**/registry?*", (route) => tracked.then(() => route.continue()));
    await context.clock.install({ time: Date.now() + TEN_MINUTES });
    const page = await open(context, server, LOADED);
    const result = track(page, used(1));
    await page.evaluate(() => "the event is being tracked");
    answer();
    assert.equal((await result).status, "queued");
    await until(() => server.rows.length === 1, "the event is stored");
    assert.ok(Math.abs(Date.parse(server.rows[0].occurred_at) - Date.now()) < 30_000);
    assert.equal((await stats(page)).rejected, 0);
  },
  { judge: window },
);

scene("a clock that is set right while events wait does not put them into the future", async ({ server, context }) => {
  await context.clock.install({ time: Date.now() + TEN_MINUTES });
  const page = await open(context, server, { flushInterval: 60_000 });
  await track(page, used(1));
  await page.clock.setSystemTime(Date.now());
  await page.evaluate(() => globalThis.tracker.flush());
  await until(() => server.rows.length === 1, "the event is stored");
  assert.ok(Date.parse(server.rows[0].occurred_at) <= Date.now() + 5000);
}, { judge: window });

scene("an event that is really too old is refused and told", async ({ server, context }) => {
  const page = await open(context, server);
  await track(page, used(1, { occurred_at: new Date(Date.now() - 30 * 86_400_000).toISOString() }));
  await until(async () => (await stats(page)).rejected === 1, "the event is refused");
  assert.deepEqual([server.rows.length, server.refused.length], [0, 1]);
}, { judge: window });
