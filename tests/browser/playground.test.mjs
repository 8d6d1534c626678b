// The playground as it is built, served as plain files: every example's verdict, the form, sharing that leaks nothing,
// the rules page, the keyboard, and axe-core in every look.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { pageHeaders } from "../../web/shared/headers.mjs";
import { complaints, launch, LOOKED, LOOKS, overflow, picture, violations } from "./pages.mjs";

const dist = fileURLToPath(new URL("../../web/dist/playground/", import.meta.url));
/** @type {Record<string, string>} */
const TYPES = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".html": "text/html",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
};
/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("node:test").TestContext} TestContext */
/** @type {import("node:http").Server} */
let server;
/** @type {string} */
let origin;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {string[]} */
let requests;

before(async () => {
  const { default: build } = await import("../../web/playground/build.mjs");
  await build();
  requests = [];
  server = createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://page");
    requests.push(pathname + search);
    try {
      const body = await readFile(join(dist, pathname === "/" ? "index.html" : pathname));
      response.writeHead(200, {
        "content-type": TYPES[extname(pathname)] ?? "text/html",
        // They allow only what the page needs, so a need for more would show.
        ...pageHeaders(),
      }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(undefined)));
  origin = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

async function open(/** @type {TestContext} */ t, path = "/", look = LOOKS[0]) {
  const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
  t.after(() => context.close());
  const page = await context.newPage();
  const said = complaints(page, ["404"]);
  await page.goto(origin + path);
  await page.waitForSelector("html[data-ready]");
  return { page, said, context };
}

const title = (/** @type {Page} */ page) => page.locator("#verdict-title").textContent();
const broken = (/** @type {Page} */ page) =>
  page.$$eval("#findings .finding .rule-id", (ids) => ids.map((id) => id.textContent ?? ""));
/** The JSON that a block of the page shows: rows, or the answer. @param {Page} page @param {string} part @returns {Promise<Record<string, any>[]>} */
const json = (page, part) =>
  page.$$eval(`#${part} pre`, (blocks) => blocks.map((block) => JSON.parse(block.textContent ?? "")));
/** @param {Page} page @param {unknown} value */
const write = (page, value) => page.fill("#editor", typeof value === "string" ? value : JSON.stringify(value));
const view = (/** @type {Record<string, unknown>} */ metadata, more = {}) => ({
  session_id: "session-0001",
  event_type: "content_view",
  event_category: "engagement",
  event_source: "web",
  ...more,
  metadata,
});

test("every example gets the verdict it is listed under", async (t) => {
  const { page, said } = await open(t);
  const expected = {
    "Engagement": [],
    "Subscription": [],
    "Advocacy": [],
    "Retention": [],
    "Attribution": [],
    "System": [],
    "A ten-second glance": ["engagement.content_view_threshold"],
    "No consent": ["subscription.consent"],
    "An address in the payload": ["privacy.raw_email"],
    "A like, called advocacy": ["advocacy.not_like"],
    "Half a campaign": ["attribution.utm_complete"],
    "A jump from S0 to S3": ["state.escalation"],
    "An invented event": ["registry.event_type"],
  };
  /** @type {Record<string, string[]>} */
  const found = {};
  for (const chip of await page.locator(".chip").all()) {
    await chip.click();
    found[await chip.textContent() ?? ""] = await broken(page);
    assert.equal((await title(page)) === "Accepted", (await broken(page)).length === 0);
  }
  assert.deepEqual(found, expected);
  assert.deepEqual(said, []);
});

test("an event is judged while it is written", async (t) => {
  const { page } = await open(t);
  /** @type {string[]} */
  const wrong = [];
  for (
    const [says, text, wantedTitle, wantedRules] of /** @type {[string, unknown, string, string[]][]} */ ([
      ["not JSON", "{", "Refused", ["parse.json"]],
      ["an empty editor", "", "Refused", ["parse.json"]],
      ["not an object", "7", "Refused", ["parse.shape"]],
      ["an empty list", "[]", "Nothing to judge", []],
      [
        "two of two",
        [
          view({ content_id: "a", duration_seconds: 20 }),
          view({ content_id: "b", duration_seconds: 20 }, { session_id: "session-0002" }),
        ],
        "All 2 accepted",
        [],
      ],
      [
        "one of two",
        [
          view({ content_id: "a", duration_seconds: 20 }),
          view({ content_id: "b", duration_seconds: 2 }, { session_id: "session-0002" }),
        ],
        "1 of 2 accepted",
        ["engagement.content_view_threshold"],
      ],
      [
        "a visitor may not speak for the system",
        view({ validation_rule_id: "none", validation_result: "accepted", source_system: "api" }, {
          event_type: "auth_signed_in",
          event_category: "system",
        }),
        "Refused",
        ["system.trusted_caller"],
      ],
      ["exactly twenty seconds", view({ content_id: "a", duration_seconds: 20 }), "Accepted", []],
    ])
  ) {
    await write(page, text);
    const [shownTitle, shownRules] = [await title(page), await broken(page)];
    if (shownTitle !== wantedTitle || String(shownRules) !== String(wantedRules)) {
      wrong.push(`${says}: ${shownTitle}, ${shownRules}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("who sends decides: a back end may write system events", async (t) => {
  const { page } = await open(t);
  await page.getByRole("button", { name: "System" }).click();
  assert.equal(await title(page), "Accepted");
  await page.locator("#caller-visitor").check();
  assert.deepEqual(await broken(page), ["system.trusted_caller"]);
});

test("the audit row is shown redacted, and the answer too", async (t) => {
  const { page } = await open(t);
  const secret = "canary.person@mail.example";
  await write(page, view({ content_id: "a", duration_seconds: 3, note: `write to ${secret}` }));
  const [row] = await json(page, "rows");
  assert.equal(row.event_type, "event_validation_fail");
  assert.equal(row.metadata.validation_rule_id, "engagement.content_view_threshold");
  assert.deepEqual(row.metadata.violations, [
    { rule_id: "engagement.content_view_threshold", path: "/metadata" },
    { rule_id: "privacy.raw_email", path: "/metadata/note" },
  ]);
  for (const part of ["#rows", "#answer", "#findings", "#rules"]) {
    assert.ok(!(await page.locator(part).innerHTML()).includes(secret), `${part} holds the address`);
  }
  const [answer] = await json(page, "answer");
  assert.equal(answer.rejected, 1);
});

test("an address becomes its hash, here and in the row", async (t) => {
  const { page } = await open(t);
  const known = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"; // sha256 of user@example.com
  await page.getByLabel("E-mail address").fill("  User@Example.com ");
  assert.equal(await page.locator("#hash-output").textContent(), known);
  await page.getByLabel("Pepper").fill("salted");
  assert.notEqual(await page.locator("#hash-output").textContent(), known);
  await page.getByLabel("E-mail address").fill("user@localhost");
  assert.equal(await page.locator("#hash-output").textContent(), "");
  await write(
    page,
    view({ channel: "web", consent_recorded: true }, {
      event_type: "email_subscribe",
      event_category: "subscription",
      email: "user@example.com",
    }),
  );
  const [row] = await json(page, "rows");
  assert.equal(row.metadata.email_hash, known);
  assert.equal(row.email, undefined);
});

async function share(/** @type {Page} */ page) {
  await page.getByRole("button", { name: "Share" }).click();
  await page.locator("#share-panel:not([hidden])").waitFor();
}

test("a link carries the event in its fragment and nothing personal", async (t) => {
  const { page, context } = await open(t);
  /** @type {string[]} */
  const wrong = [];
  for (
    const [says, text, kept] of /** @type {[string, unknown, string][]} */ ([
      [
        "an address in its field",
        view({ channel: "web", consent_recorded: true, form_id: "footer" }, {
          event_type: "email_subscribe",
          event_category: "subscription",
          email: "canary.one@mail.example",
        }),
        "footer",
      ],
      [
        "an address in the payload",
        view({ content_id: "kept-id", duration_seconds: 30, note: "canary.one@mail.example" }),
        "kept-id",
      ],
      ["an address in a broken text", "{ canary.one@mail.example", ""],
      [
        "a percent-encoded address",
        view({ content_id: "kept-id", duration_seconds: 30, link: "/a?b=canary.one%40mail.example" }),
        "kept-id",
      ],
      ["a telephone number", view({ content_id: "kept-id", duration_seconds: 30, phone: "+4915112345678" }), "kept-id"],
      ["a list", [view({ content_id: "kept-id", duration_seconds: 30, note: "canary.one@mail.example" })], "kept-id"],
    ])
  ) {
    await write(page, text);
    await share(page);
    const link = await page.locator("#share-url").inputValue();
    if (new URL(link).search !== "") wrong.push(`${says}: there is something in the query`);
    if (!(await page.locator("#share-panel").innerText()).includes("whoever has the link can read it")) {
      wrong.push(`${says}: no warning`);
    }
    if (!(await page.locator("#share-panel").innerText()).includes("were replaced")) {
      wrong.push(`${says}: it does not say that something was replaced`);
    }
    const other = await context.newPage();
    await other.goto(link);
    await other.waitForSelector("html[data-ready]");
    const arrived = await other.inputValue("#editor");
    if (/canary|4915112345678/.test(arrived + link)) wrong.push(`${says}: leaked ${arrived}`);
    if (!arrived.includes(kept)) wrong.push(`${says}: lost ${kept} in ${arrived}`);
    await other.close();
  }
  await write(page, view({ content_id: "plain", duration_seconds: 30 }));
  await share(page);
  if ((await page.locator("#share-panel").innerText()).includes("were replaced")) {
    wrong.push("it says that something was replaced, although nothing was personal");
  }
  await write(page, view({ content_id: "long", noise: Array.from({ length: 3000 }, (_, n) => (n * 7919) % 10007) }));
  await page.getByRole("button", { name: "Share" }).click();
  await page.getByText("too long for a link").waitFor();
  await write(page, view({ content_id: "long", noise: "x".repeat(1500) }));
  await share(page);
  const refused = await page.getByText("too long for a link").isVisible();
  if (!refused) {
    const other = await context.newPage();
    await other.goto(await page.locator("#share-url").inputValue());
    await other.waitForSelector("html[data-ready]");
    if (!(await other.inputValue("#editor")).includes("x".repeat(1500))) {
      wrong.push("a long text is cut without a warning");
    }
  }
  assert.deepEqual(wrong, []);
  assert.deepEqual(requests.filter((url) => url.includes("?")), [], "no request carried a query");
});

test("a link that would fill the tab is not opened", async (t) => {
  const link = (/** @type {string | Buffer} */ content) => `/#event=${deflateRawSync(content).toString("base64url")}`;
  const usual = await open(t).then(({ page }) => page.inputValue("#editor"));
  /** @type {string[]} */
  const wrong = [];
  for (
    const [says, path, expected] of /** @type {[string, string, string][]} */ ([
      ["a link of 389 KB to 300 MB", link(Buffer.alloc(300_000_000, "a")), usual],
      ["a link of 4 KB to 3 MB", link("a".repeat(2_900_000)), usual],
      ["a long link that packs nothing", `/#event=${"A".repeat(400_000)}`, usual],
      ["a link that is no text", link(Buffer.from([0xff, 0xfe])), usual],
      ["the longest text that the page itself would share", link("ä".repeat(1000)), "ä".repeat(1000)],
    ])
  ) {
    const { page, said } = await open(t, path);
    const arrived = await page.inputValue("#editor");
    if (arrived !== expected) wrong.push(`${says}: ${arrived.length} characters arrived`);
    wrong.push(...said.map((line) => `${says}: ${line}`));
    await page.context().close();
  }
  assert.deepEqual(wrong, []);
});

test("the form writes the event and reads it back", async (t) => {
  const { page } = await open(t);
  await page.locator("#mode-form").check();
  await page.getByLabel("Category").selectOption("retention");
  await page.getByLabel("Event type").selectOption("inactivity_detected");
  await page.getByLabel("Session id").fill("visit-12345678");
  await page.getByLabel("Event source").fill("job");
  await page.getByLabel("prior_state").selectOption("S2");
  await page.getByLabel("new_state").selectOption("S1");
  await page.getByLabel("inactivity_days").fill("14");
  assert.deepEqual(await broken(page), ["retention.rule_id", "retention.trusted_caller"]);
  await page.locator("#caller-trusted").check();
  await page.getByLabel("rule_id", { exact: true }).selectOption("inactivity_14d");
  assert.equal(await title(page), "Accepted");
  await page.locator("#mode-json").check();
  assert.deepEqual(JSON.parse(await page.inputValue("#editor")), {
    session_id: "visit-12345678",
    event_type: "inactivity_detected",
    event_category: "retention",
    event_source: "job",
    metadata: { prior_state: "S2", new_state: "S1", inactivity_days: 14, rule_id: "inactivity_14d" },
  });
  await page.getByRole("button", { name: "Attribution" }).click();
  await page.locator("#mode-form").check();
  assert.equal(await page.getByLabel("utm_campaign").inputValue(), "spring-2026");
});

test("the form keeps what its fields do not show, and says what else a schema asks", async (t) => {
  const registry = {
    version: "1",
    default_site: "00000000-0000-4000-8000-000000000001",
    states: [],
    rules: [],
    blocked_jumps: [],
    event_types: [{
      id: "basket_filled",
      category: "engagement",
      payload_schema: {
        properties: {
          lines: { type: "array", items: { type: "object", required: ["sku"] } },
          size: { enum: ["S", "M"] },
          count: { type: "integer" },
        },
        required: ["lines"],
        dependentRequired: { count: ["size"] },
      },
    }],
  };
  const context = await browser.newContext({ reducedMotion: "reduce" });
  t.after(() => context.close());
  await context.route("**/functions/v1/ingest/registry", (route) => route.fulfill({ json: registry }));
  const page = await context.newPage();
  await page.goto(origin);
  await page.waitForSelector("html[data-ready]");
  const event = {
    session_id: "visit-12345678",
    event_type: "basket_filled",
    event_category: "engagement",
    event_source: "web",
    utm_source: "news",
    metadata: { page_path: "/", lines: [{ sku: "a" }], tags: { b: [1] } },
  };
  await write(page, event);
  await page.locator("#mode-form").check();
  assert.equal(await page.getByLabel("lines (required)").inputValue(), '[{"sku":"a"}]');
  await page.getByLabel("count").fill("2");
  assert.deepEqual(await broken(page), ["registry.payload"]);
  await page.getByLabel("size").selectOption("M");
  assert.equal(await title(page), "Accepted");
  await page.getByLabel("lines (required)").fill("[{}]");
  assert.deepEqual(await broken(page), ["registry.payload"]);
  await page.getByLabel("lines (required)").fill('[{"sku":"b"}]');
  await page.getByText("There is more in the schema").click();
  await page.getByText('"dependentRequired"').waitFor();
  await page.locator("#mode-json").check();
  assert.deepEqual(JSON.parse(await page.inputValue("#editor")), {
    ...event,
    metadata: { ...event.metadata, lines: [{ sku: "b" }], size: "M", count: 2 },
  });
});

test("every rule has its page entry, and its examples open in the playground", async (t) => {
  const { page, said } = await open(t, "/rules.html");
  const rules = await page.$$eval(".rule", (entries) => entries.map((entry) => entry.id));
  assert.ok(rules.length > 50, `${rules.length} rules`);
  await page.getByLabel("Find a rule").fill("consent");
  const shown = await page.$$eval(".rule:not([hidden])", (entries) => entries.map((entry) => entry.id));
  assert.ok(shown.includes("subscription.consent") && shown.length < rules.length);
  await page.locator("#find").fill("no such words at all");
  assert.match(await page.locator("#count").innerText(), /No rule matches/);
  assert.deepEqual(said, []);

  const { page: play } = await open(t);
  /** @type {string[]} */
  const wrong = [];
  for (const id of rules) {
    for (const example of ["accepts", "rejects"]) {
      // By the time the listeners after the page's own are called, the page has put the example in.
      await play.evaluate((hash) =>
        new Promise((done) => {
          addEventListener("hashchange", done, { once: true });
          location.hash = hash;
        }).then(() => undefined), `rule=${id}&example=${example}`);
      const first = (await broken(play))[0];
      // Who sent an example, and when, is not part of its text, and a repeat needs a store.
      const ofTheText = !/^(identity|duplicate|system|sanity\.occurred)/.test(id);
      if (example === "rejects" && ofTheText && first !== id) wrong.push(`${id}: the refused example breaks ${first}`);
      if (
        example === "accepts" && ofTheText && first !== undefined &&
        !/^(identity|sanity\.occurred|(system|retention)\.trusted)/.test(first)
      ) wrong.push(`${id}: the accepted example breaks ${first}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("the page can be used with the keyboard, and focus is always visible", async (t) => {
  const { page } = await open(t);
  const walked = [];
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return undefined;
      const ring = getComputedStyle(element.matches(".segments input") && element.nextElementSibling || element);
      const labels = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement
        ? element.labels
        : null;
      const box = element.getBoundingClientRect();
      return {
        name: (element.getAttribute("aria-label") ?? labels?.[0]?.textContent ?? element.textContent ?? "").trim(),
        seen: box.width > 0 && ring.outlineStyle !== "none",
      };
    });
    if (!at) break;
    walked.push(at);
  }
  const names = walked.map(({ name }) => name);
  const order = [
    "Skip to the editor",
    "Rules",
    "Dark theme",
    "Engagement",
    "An invented event",
    "JSON",
    "Share",
    "Event, or array of events, as JSON",
    "Visitor",
    "What would be stored",
    "E-mail address",
  ];
  const places = order.map((name) => names.indexOf(name));
  assert.ok(
    !places.includes(-1),
    `missing: ${order.filter((_, index) => places[index] === -1)}; walked: ${names.join(" | ")}`,
  );
  assert.deepEqual(places, places.toSorted((a, b) => a - b), "in reading order");
  assert.deepEqual(walked.filter(({ seen }) => !seen).map(({ name }) => name), []);
});

test("the theme can be chosen and is kept", async (t) => {
  const { page } = await open(t);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: "Dark theme" }).click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  await page.waitForSelector("html[data-ready]");
  assert.equal(await ground(), dark);
  assert.equal(await page.getByRole("button", { name: "Dark theme" }).getAttribute("aria-pressed"), "true");
});

test("without WebAssembly the page says what is missing", async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.addInitScript(() => {
    Reflect.deleteProperty(globalThis, "WebAssembly");
  });
  await page.goto(origin);
  await page.getByText("This page needs WebAssembly").waitFor();
});

for (const look of LOOKED) {
  test(`axe-core finds nothing: ${look.name}`, async (t) => {
    const { page } = await open(t, "/", look);
    const found = [...await violations(page), ...await overflow(page)];
    await picture(page, `playground-accepted-${look.name}`);
    await page.getByRole("button", { name: "An address in the payload" }).click();
    await page.getByRole("button", { name: "Share" }).click();
    await page.locator("#share-url").waitFor();
    await page.$$eval("details", (all) => all.forEach((details) => details.setAttribute("open", "")));
    found.push(...await violations(page), ...await overflow(page));
    await picture(page, `playground-refused-${look.name}`);
    await page.locator("#mode-form").check();
    found.push(...await violations(page), ...await overflow(page));
    await picture(page, `playground-form-${look.name}`);

    const { page: rules } = await open(t, "/rules.html#privacy.raw_email", look);
    found.push(...await violations(rules), ...await overflow(rules));
    await picture(rules, `rules-${look.name}`);
    assert.deepEqual(found, []);
  });
}
