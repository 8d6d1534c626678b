// Nothing is sent before consent, against a signal or with an address, and nobody is mixed up with somebody else.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { later, movableClock, numbers, open, stage, track, until, used } from "./browser.mjs";

const scene = stage();
const keys = (/** @type {import("./browser.mjs").Page} */ page) => page.evaluate(() => Object.keys(localStorage));

scene(
  "nothing before consent: no request, no storage, no cookie; and what is sent says what was agreed to",
  async ({ server, context }) => {
    await movableClock(context);
    const page = await open(context, server, {
      consent: "ask",
      consentVersion: "2026-11",
      automatic: ["landing", "page_view"],
    }, "/article?utm_source=letter&utm_medium=email&utm_campaign=autumn");
    assert.deepEqual(await track(page, used(1)), {
      status: "withheld",
      reason: "consent",
    });
    await later(page, 60_000);
    assert.deepEqual([await keys(page), server.requests.length], [[], 0]);
    await page.evaluate(() => globalThis.tracker.consent("granted"));
    await track(page, used(2));
    await until(
      () => server.rows.length === 3,
      "landing, page view and event are stored",
    );
    for (const { metadata, utm_source, utm_campaign } of server.rows) {
      assert.equal(metadata.tracking_consent, "granted");
      assert.equal(metadata.tracking_consent_version, "2026-11");
      assert.ok(Date.parse(metadata.tracking_consent_at) <= Date.now());
      assert.deepEqual([utm_source, utm_campaign], ["letter", "autumn"]);
    }
    assert.deepEqual(server.rows.map((row) => row.event_type).sort(), [
      "campaign_landing",
      "feature_used",
      "page_view",
    ]);
    assert.deepEqual(await context.cookies(), []);
    // The choice holds on the next page.
    const next = await open(context, server, {
      consent: "ask",
      consentVersion: "2026-11",
    });
    assert.equal((await track(next, used(3))).status, "queued");
    // But it does not hold for another text.
    const other = await open(context, server, {
      consent: "ask",
      consentVersion: "2027-01",
    });
    assert.equal((await track(other, used(4))).status, "withheld");
  },
);

scene(
  "consent withdrawn in one tab is withdrawn in the other, and clears the device",
  async ({ server, context }) => {
    const first = await open(context, server, {
      consent: "ask",
      flushInterval: 60_000,
    });
    const second = await open(context, server, {
      consent: "ask",
      flushInterval: 60_000,
    });
    await first.evaluate(() => globalThis.tracker.consent("granted"));
    await until(
      async () => (await track(second, used(1))).status === "queued",
      "the other tab may track",
    );
    await second.evaluate(() => globalThis.tracker.consent("denied"));
    await until(
      async () => (await track(first, used(2))).status === "withheld",
      "the first tab may not",
    );
    assert.deepEqual((await keys(first)).map((key) => key.split(".").pop()), [
      "consent",
    ]);
    assert.equal(server.rows.length, 0);
  },
);

for (
  const [signal, init] of [
    [
      "Global Privacy Control",
      () =>
        Object.defineProperty(navigator, "globalPrivacyControl", {
          value: true,
        }),
    ],
    [
      "Do Not Track",
      () => Object.defineProperty(navigator, "doNotTrack", { value: "1" }),
    ],
  ]
) {
  scene(
    `${signal} is a refusal, even if consent was given`,
    async ({ server, context }) => {
      await context.addInitScript(init);
      const page = await open(context, server, {
        automatic: ["landing", "page_view", "content_view"],
      });
      assert.deepEqual(await track(page, used(1)), {
        status: "withheld",
        reason: "privacy_signal",
      });
      await page.close({ runBeforeUnload: true });
      const asked = await open(context, server, {
        respectPrivacySignals: false,
      });
      assert.equal((await track(asked, used(2))).status, "queued");
      await until(() => server.rows.length === 1, "only the second is stored");
      assert.deepEqual(numbers(server), [2]);
    },
  );
}

scene(
  "an e-mail address is hashed in the page and is nowhere else",
  async ({ server, context }) => {
    const page = await open(context, server, { flushInterval: 300 });
    const address = "  Ada.Lovelace@Example.ORG ";
    await track(page, {
      event_type: "email_subscribe",
      event_category: "subscription",
      email: address,
      metadata: { channel: "newsletter", consent_recorded: true },
    });
    const kept = JSON.stringify(await page.evaluate(() => ({ ...localStorage })));
    await until(() => server.rows.length === 1, "the event is stored");
    const [row] = server.rows;
    assert.equal(
      row.metadata.email_hash,
      createHash("sha256").update("ada.lovelace@example.org").digest("hex"),
    );
    assert.ok(!/lovelace/i.test(JSON.stringify(row) + kept));
    // An address that slipped into metadata does not leave the page, with or without WebAssembly.
    for (const slip of ["ada@example.org", "/thanks?m=ada%40example.org"]) {
      const result = await track(page, used(9, { metadata: { note: slip } }));
      assert.equal(result.violations?.[0].rule_id, "privacy.raw_email", slip);
    }
    assert.equal(server.rows.length, 1);
  },
);

scene("another person's events wait for that person on a shared device", async ({ server, context }) => {
  await movableClock(context);
  await context.addInitScript(() => {
    globalThis.configure = (config) => ({ ...config, user: () => globalThis.person });
  });
  const page = await open(context, server);
  const signIn = (/** @type {import("../../../web/tracker/types.ts").User | null} */ person) =>
    page.evaluate((given) => {
      globalThis.person = given;
    }, person);
  const [first, second] = ["1", "2"].map((digit) => ({
    id: `${digit.repeat(8)}-1111-4111-8111-111111111111`,
    token: `token of ${digit}`,
  }));

  await context.setOffline(true);
  for (const [n, person] of /** @type {const} */ ([[1, first], [2, second], [3, null]])) {
    await signIn(person);
    await track(page, used(n));
  }
  await context.setOffline(false);
  await until(() => server.rows.length === 1, "the visitor's event is stored");
  await later(page, 60_000);
  assert.deepEqual(numbers(server), [3]);
  assert.equal(server.requests[0].headers.authorization, undefined);

  await signIn(first);
  await page.evaluate(() => globalThis.tracker.flush());
  assert.deepEqual(numbers(server), [3, 1]);
  assert.equal(server.requests.at(-1)?.headers.authorization, "Bearer token of 1");
});

scene("a signal that is switched on later drops the queue and the session at once", async ({ server, context }) => {
  const page = await open(context, server, { consent: "ask", flushInterval: 60_000 });
  await page.evaluate(() => globalThis.tracker.consent("granted"));
  await track(page, used(1));
  assert.equal((await keys(page)).length, 3, "the choice, the session and the event");
  await page.evaluate(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
  assert.deepEqual(await track(page, used(2)), { status: "withheld", reason: "privacy_signal" });
  assert.deepEqual((await keys(page)).filter((key) => !key.endsWith("consent")), []);
  // The next page finds nothing, and leaves nothing.
  await context.addInitScript(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
  const next = await open(context, server, { consent: "ask" });
  assert.deepEqual((await keys(next)).filter((key) => !key.endsWith("consent")), []);
  await page.close({ runBeforeUnload: true });
  assert.equal(server.requests.length, 0);
});

for (
  const [who, webdriver, userAgent, said] of /** @type {[string, boolean, string, string | undefined][]} */ ([
    ["a person", false, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36", undefined],
    ["a telephone of the make Cubot", false, "Mozilla/5.0 (Linux; Android 13; CUBOT P60) Chrome/140.0", undefined],
    ["a driven browser", true, "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0", "webdriver"],
    ["a browser without a window", false, "Mozilla/5.0 (X11) HeadlessChrome/140.0.0.0", "headless"],
    ["a crawler", false, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "crawler"],
    ["another", false, "Mozilla/5.0 (compatible; AhrefsBot/7.0)", "crawler"],
  ])
) {
  scene(`${who} is ${said ? "marked as automated" : "not marked"}`, async ({ server, context }) => {
    await context.addInitScript(([webdriver, userAgent]) => {
      Object.defineProperty(navigator, "webdriver", { get: () => webdriver });
      Object.defineProperty(navigator, "userAgent", { get: () => userAgent });
    }, /** @type {const} */ ([webdriver, userAgent]));
    const page = await open(context, server);
    await track(page, used(1));
    await until(() => server.rows.length === 1, "the event is stored");
    assert.equal(server.rows[0].metadata.automated, said);
    assert.match(server.rows[0].metadata.tracker, /^audience-gate\/\d+\.\d+\.\d+/);
    const strict = await open(context, server, { automation: "withhold" });
    assert.equal((await track(strict, used(2))).status, said ? "withheld" : "queued");
  });
}
