// The contract in the page: events are judged before anything is queued, and not judged where WebAssembly is forbidden.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../runner/paths.mjs";
import { registrySnapshot } from "./registry.mjs";
import { log, numbers, open, stage, stats, track, until, used } from "./browser.mjs";

const scene = stage();
const LOADED = { contract: undefined };

const ready = (/** @type {import("./browser.mjs").Page} */ page) => page.evaluate(() => globalThis.tracker.ready());

/** Events that a page gets wrong, and the rule that has to say so first. @type {[rule: string, event: import("./browser.mjs").Given][]} */
const FAULTY = [
  ["engagement.subject", {
    event_type: "content_view",
    event_category: "engagement",
    metadata: { duration_seconds: 30 },
  }],
  ["engagement.content_view_threshold", {
    event_type: "content_view",
    event_category: "engagement",
    metadata: { content_id: "a", duration_seconds: 4 },
  }],
  ["sanity.event_category", { ...used(1), event_category: "fun" }],
  ["subscription.consent", {
    event_type: "push_subscribe",
    event_category: "subscription",
    metadata: { channel: "push", consent_recorded: "yes" },
  }],
  ["subscription.email_hash", {
    event_type: "email_subscribe",
    event_category: "subscription",
    email: "not an address",
    metadata: { channel: "newsletter", consent_recorded: true },
  }],
  ["advocacy.not_like", {
    event_type: "content_share",
    event_category: "advocacy",
    metadata: { platform: "p", share_type: "like" },
  }],
  ["retention.trusted_caller", {
    event_type: "reactivated",
    event_category: "retention",
    metadata: { prior_state: "S0", new_state: "S2", inactivity_days: 1, rule_id: "reactivation" },
  }],
  ["state.escalation", used(1, { metadata: { prior_state: "S0", new_state: "S3" } })],
  ["privacy.raw_email", used(1, { metadata: { note: "ada@example.org" } })],
  ["privacy.personal_key", used(1, { metadata: { phone: "none" } })],
  ["registry.event_type", { ...used(1), event_type: "heart_tapped" }],
  ["registry.payload", { ...used(1), metadata: { page_path: "/" } }],
  ["system.trusted_caller", {
    event_type: "job_completed",
    event_category: "system",
    metadata: { validation_rule_id: "none", validation_result: "ok", source_system: "page", job_id: "j" },
  }],
  ["sanity.occurred_at_window", { ...used(1), occurred_at: "2020-01-01T00:00:00Z" }],
  ["base.field_known", { ...used(1), colour: "red" }],
];
const faulty = (/** @type {string} */ rule) => /** @type {import("./browser.mjs").Given} */ (new Map(FAULTY).get(rule));

scene(
  "every rejection is told in the page, with rule and reason, and nothing of it is sent but a report",
  async ({ server, context }) => {
    server.registry = registrySnapshot();
    const page = await open(context, server, LOADED);
    assert.equal(await ready(page), true);
    const seen = [];
    for (const [, event] of FAULTY) {
      const result = await track(page, event);
      seen.push(result.violations?.[0]?.rule_id ?? result.status);
      for (const { reason } of result.violations ?? []) assert.ok(reason.length > 10, "a reason is given");
    }
    assert.deepEqual(seen, FAULTY.map(([rule]) => rule));
    assert.deepEqual((await log(page)).map((one) => `${one.kind} by ${one.by}`), FAULTY.map(() => "reject by browser"));
    await track(page, used(7));
    await until(() => server.reports.length === FAULTY.length, "every refused event is reported");
    await until(async () => (await stats(page)).queued === 0, "the queue is empty");
    assert.deepEqual(await stats(page), {
      queued: 0,
      queuedBytes: 0,
      accepted: 1,
      rejected: FAULTY.length,
      reported: FAULTY.length,
      mended: 0,
      dropped: 0,
    });
    assert.deepEqual(server.rows.map((row) => row.metadata.n), [7]);
  },
);

scene("developers read it in the console", async ({ server, context }) => {
  /** @type {string[]} */
  const lines = [];
  context.on("console", (message) => lines.push(message.text()));
  const page = await open(context, server, { ...LOADED, debug: true });
  await track(page, faulty("engagement.content_view_threshold"));
  await until(() => lines.length > 0, "a line in the console");
  assert.match(lines.join("\n"), /rejected content_view [\w-]{36}\n {2}engagement\.content_view_threshold: /);
});

scene("events tracked while the contract loads are judged too", async ({ server, context }) => {
  /** @type {(value?: unknown) => void} */
  let arrive = () => {};
  const tracked = new Promise((resolve) => arrive = resolve);
  await context.route("**/*.wasm", (route) => tracked.then(() => route.continue()));
  const page = await open(context, server, LOADED);
  const results = Promise.all(
    [used(1), faulty("engagement.content_view_threshold"), used(2)].map((event) => track(page, event)),
  );
  await page.evaluate(() => "all three are being tracked");
  arrive();
  assert.deepEqual((await results).map((result) => result.status), ["queued", "rejected", "queued"]);
  await until(() => server.rows.length === 2, "the good ones are stored");
  assert.deepEqual(numbers(server), [1, 2]);
});

scene("a page that closes before the contract has loaded still sends its events", async ({ server, context }) => {
  await context.route("**/*.wasm", () => {});
  const page = await open(context, server, { ...LOADED, flushInterval: 60_000 });
  // There is no answer until the contract has loaded.
  track(page, used(1)).catch(() => {});
  await page.evaluate(() => "the event is being tracked");
  await page.close({ runBeforeUnload: true });
  await until(() => server.rows.length === 1, "the event is stored");
});

for (
  const [what, policy] of [
    ["without wasm-unsafe-eval", "script-src 'self'"],
    [
      "that allows the tracker alone",
      "script-src 'self'; connect-src *; default-src 'none'; require-trusted-types-for 'script'",
    ],
  ]
) {
  scene(
    `a content security policy ${what}: no check in the page, everything else works`,
    async ({ server, context }) => {
      /** @type {string[]} */
      const errors = [];
      const page = await open(context, server, LOADED);
      page.on("pageerror", (error) => errors.push(String(error)));
      assert.equal(await ready(page), false);
      const subscription = {
        event_type: "email_subscribe",
        event_category: "subscription",
        email: "ada@example.org",
        metadata: { channel: "newsletter", consent_recorded: true },
      };
      assert.equal((await track(page, subscription)).status, "queued");
      assert.equal((await track(page, faulty("privacy.raw_email"))).violations?.[0].rule_id, "privacy.raw_email");
      // An event that only the contract would refuse goes to the server, and the verdict comes back.
      assert.equal((await track(page, faulty("engagement.content_view_threshold"))).status, "queued");
      await until(async () => (await log(page)).some((one) => one.by === "server"), "the server's verdict");
      assert.match(server.rows[0].metadata.email_hash, /^[\da-f]{64}$/);
      assert.deepEqual(errors, []);
    },
    {
      csp: policy,
      judge: (event) =>
        event.event_type === "content_view"
          ? [{ rule_id: "engagement.content_view_threshold", reason: "too short to count" }]
          : [],
    },
  );
}

scene("a page served over plain HTTP from another host hashes with WebAssembly", async ({ server, context }) => {
  await context.addInitScript(() => {
    Object.defineProperty(crypto, "subtle", { value: undefined });
    Object.defineProperty(crypto, "randomUUID", { value: undefined });
  });
  const page = await open(context, server, LOADED);
  const { status } = await track(page, {
    event_type: "email_subscribe",
    event_category: "subscription",
    email: "Ada@Example.org ",
    metadata: { channel: "newsletter", consent_recorded: true },
  });
  assert.equal(status, "queued");
  await until(() => server.rows.length === 1, "the event is stored");
  // sha256("ada@example.org")
  assert.equal(server.rows[0].metadata.email_hash, "cfe00dde46ef942601ffafb9e2825e802858b460e586b8305b344c1eb826357d");
  beginsWithTime(server.rows[0].id);
});

scene("the id of an event begins with the time, so that a large log keeps new ones in one place", async (scene) => {
  const page = await open(scene.context, scene.server, LOADED);
  await track(page, { event_type: "page_view", event_category: "engagement", metadata: { page_path: "/" } });
  await until(() => scene.server.rows.length === 1, "the event is stored");
  beginsWithTime(scene.server.rows[0].id);
});

/** @param {string} id */
function beginsWithTime(id) {
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const age = Date.now() - parseInt(id.replaceAll("-", "").slice(0, 12), 16);
  assert.ok(age >= 0 && age < 60_000, `the id is ${age} ms old`);
}

scene(
  "a view that is too short to count is not an event; it becomes one once it is long enough",
  async ({ server, context }) => {
    server.registry = registrySnapshot();
    const page = await open(context, server, { ...LOADED, automatic: ["content_view"] });
    await ready(page);
    const hide = () =>
      page.evaluate(() => {
        for (const state of ["hidden", "visible"]) {
          Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }
      });
    await hide();
    await page.evaluate(() => fetch("/fence").then((answer) => answer.text()));
    assert.deepEqual([server.requests.length, (await log(page)).length], [0, 0]);
    await page.mouse.wheel(0, 2000);
    await page.waitForFunction(() => scrollY > 1500);
    await hide();
    await until(() => server.rows.length === 1, "the view is stored");
    assert.ok(server.rows[0].metadata.scroll_depth_percent >= 30);
  },
);

scene("what the tracker adds to an event is admitted by every type", async ({ server, context }) => {
  const page = await open(context, server);
  await track(page, used(1));
  await until(() => server.rows.length === 1, "the event is stored");
  const added = Object.keys(server.rows[0].metadata).filter((key) => /^track|^automated/.test(key));
  assert.deepEqual(added.sort(), ["automated", "tracker", "tracking_consent", "tracking_consent_at"]);
  const meaning = readFileSync(join(root, "supabase/contract/meaning.ndjson"), "utf8").trim().split("\n");
  const [, taken] = meaning.map((line) => JSON.parse(line)).find(([name]) =>
    name === "keys that every event type takes"
  );
  assert.deepEqual([...added, "tracking_consent_version"].filter((key) => !taken.includes(key)), []);
});
