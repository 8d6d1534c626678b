// The registry in the control room on the real local stack: what an owner changes by page, with the presses that it takes.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { begunWithDemo } from "../stack/beginning.mjs";
import { complaints, launch, LOOKED, LOOKS, overflow, picture, violations } from "./pages.mjs";
import { hand, TASKS } from "./registry-tasks.mjs";

const SITE = "00000000-0000-4000-8000-000000000001";
const OWNER = { email: "demo@example.test", password: "demo-password" };
const VIEWER = { email: "viewer@example.test", password: "viewer-password" };
const STRANGER = { email: "stranger@example.test", password: "stranger-password" };
const WAIT = { timeout: 120_000 };
/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Locator} Locator */
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "audience-gate-registry-"));
  browser = await launch();
  await begunWithDemo(folder);
  stack = await startStack({ folder, port: await freePort() });
  for (const who of [VIEWER, STRANGER]) {
    await fetch(`${stack.url}/auth/v1/signup`, {
      method: "POST",
      headers: { apikey: stack.publishableKey, "content-type": "application/json" },
      body: JSON.stringify(who),
    });
  }
  await sql(
    "insert into public.audience_site_members (site_id, user_id, role) select $1, id, 'viewer' from auth.users where email = $2",
    SITE,
    VIEWER.email,
  );
  await sql("insert into public.audience_alerts (site_id, kind, threshold) values ($1, 'contract_drift', 5)", SITE);
  await sql(
    `insert into public.audience_own_rules (id, site_id, schema, reasons) values ('own.edited', $1, '{}', '{"en": "of a test"}')`,
    SITE,
  );
});
after(async () => {
  await browser?.close();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

/** @param {string} text @param {unknown[]} parameters @returns {Promise<any>} the first value of the first row */
async function sql(text, ...parameters) {
  const { rows: [row] } = await stack.database.query(text, parameters);
  return row === undefined ? undefined : Object.values(/** @type {object} */ (row))[0];
}

/**
 * @param {import("node:test").TestContext} t
 * @param {{ query?: string, look?: import("./pages.mjs").Look, who?: typeof OWNER, ignore?: string[] }} [how]
 */
async function signedIn(t, { query = "", look = LOOKS[0], who = OWNER, ignore = /** @type {string[]} */ ([]) } = {}) {
  const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
  t.after(() => context.close());
  const page = await context.newPage();
  const said = complaints(page, ignore);
  await page.goto(`${stack.url}/dashboard/${query}`);
  await page.getByLabel("E-mail").fill(who.email);
  await page.getByLabel("Password").fill(who.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  return { page, said };
}

const loaded = (/** @type {Page} */ page) => page.waitForSelector("main[data-loaded]", WAIT);

test("an owner changes the registry by page, and takes it back", async (t) => {
  // The browser notes what the database refuses.
  const { page, said } = await signedIn(t, { ignore: ["409 (Conflict)"] });
  await loaded(page);
  /** @type {unknown[]} */
  const found = [];
  for (const [what, act, query, expected] of TASKS) {
    // Every page has the same way to the registry; this one asks the database for no figures.
    await page.goto(`${stack.url}/dashboard/?view=alerts`);
    await loaded(page);
    const h = hand(page);
    await act(page, h);
    t.diagnostic(`${String(h.count.presses).padStart(2)} presses, ${h.count.typed} typed: ${what}`);
    const value = await sql(query);
    try {
      assert.deepEqual(value, expected, what);
    } catch (error) {
      found.push(/** @type {Error} */ (error).message);
    }
    if (h.count.presses > 5) found.push(`${what} takes ${h.count.presses} presses`);
  }
  assert.deepEqual([...found, ...said], []);
});

test("by keyboard alone a type is found, opened, changed and saved", async (t) => {
  const { page, said } = await signedIn(t, { query: "?view=registry" });
  await loaded(page);
  await page.getByLabel("Find").focus();
  await page.keyboard.type("scroll");
  await page.getByText(/^\d+ of \d+$/).waitFor(WAIT);
  const link = page.locator(".folding tbody tr:not([hidden]) a").first();
  const name = await link.innerText();
  await tabTo(page, link);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name, exact: true }).waitFor(WAIT);
  const box = page.getByLabel("Accepted; else refused from now on");
  await tabTo(page, box);
  await page.keyboard.press("Space");
  await tabTo(page, page.getByRole("button", { name: "Save", exact: true }));
  await page.keyboard.press("Enter");
  await page.locator(".told", { hasText: "was saved" }).waitFor(WAIT);
  assert.equal(await page.evaluate(() => document.activeElement?.className), "told", "what was done has the focus");
  assert.equal(await sql("select active from public.audience_event_types where id = $1", name), false);
  assert.deepEqual(said, []);
  // The next test sends an event of it.
  await sql("update public.audience_event_types set active = true where id = $1", name);
});

/** @param {Page} page @param {Locator} target */
async function tabTo(page, target) {
  for (let presses = 0; presses < 80; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail("the Tab key never came there");
}

test("a schema that no engine could judge by cannot be saved", async (t) => {
  const { page } = await signedIn(t, { query: "?view=registry&id=content_view" });
  await loaded(page);
  const schema = page.getByLabel("What its metadata must hold; empty: anything");
  const verdict = page.locator("#type-verdict");
  const save = page.getByRole("button", { name: "Save", exact: true });
  for (
    const [text, told] of [["{", "is not JSON"], ['{"properties": {"a": {"pattern": "(?=x)"}}}', "pattern"], [
      '{"required": "a"}',
      "required",
    ]]
  ) {
    await schema.fill(text);
    await verdict.locator(".problem", { hasText: told }).waitFor(WAIT);
    assert.ok(await save.isDisabled(), text);
  }
  await schema.fill("");
  await verdict.getByText("would pass").waitFor(WAIT);
  assert.ok(await save.isEnabled());
});

test("a viewer reads all of it and changes nothing", async (t) => {
  const { page, said } = await signedIn(t, { query: "?view=registry", who: VIEWER });
  await loaded(page);
  for (
    const query of [
      "?view=registry",
      "?view=registry&id=page_view",
      "?view=registry&part=states",
      "?view=registry&part=funnels",
      "?view=registry&part=site",
      "?view=registry&part=jobs",
      "?view=registry&part=wall",
      "?view=registry&part=changes",
    ]
  ) {
    await page.goto(`${stack.url}/dashboard/${query}`);
    await loaded(page);
    assert.equal(
      await page.locator("main .view-body").getByRole("button", { name: /Save|Give|Switch|Undo|Remove/ }).filter({
        hasNotText: "CSV",
      }).count(),
      0,
      query,
    );
    assert.equal(
      await page.locator("main .view-body :is(input, select, textarea):enabled:not([type=search])").count(),
      0,
      query,
    );
  }
  assert.deepEqual(said, []);
});

test("whoever has no site is told which id to hand to an owner", async (t) => {
  const { page } = await signedIn(t, { who: STRANGER });
  await page.getByRole("heading", { name: "No site yet" }).waitFor(WAIT);
  assert.equal(
    await page.locator(".page-note code").innerText(),
    await sql("select id from auth.users where email = $1", STRANGER.email),
  );
});

test("a screen with a link shows the figures without signing in, until the link is ended", async (t) => {
  const { page, said } = await signedIn(t, { query: "?view=registry&part=wall" });
  await loaded(page);
  await page.getByLabel("Where the screen hangs").fill("hall");
  await page.getByRole("button", { name: "Make the link" }).click();
  const address = await page.getByLabel("Its address, which is shown only now").inputValue();
  assert.match(address, /#wall=[0-9a-f]{64}$/, "the secret stands where no server reads it");

  const context = await browser.newContext({ ...LOOKS[1], reducedMotion: "reduce" });
  t.after(() => context.close());
  const screen = await context.newPage();
  /** @type {string[]} */
  const asked = [];
  screen.on("request", (request) => asked.push(request.url()));
  const told = complaints(screen);
  await screen.goto(address);
  await loaded(screen);
  const people = await screen.locator(".wall section", { hasText: "Events today" }).locator(".wall-value").innerText();
  assert.match(people, /^[\d,]+$/);
  assert.deepEqual(
    await screen.locator("button:visible, a:visible:not(.skip, .brand), summary:visible").allInnerTexts(),
    ["Settings"],
    "nothing can be pressed but what the screen looks like",
  );
  assert.deepEqual([...await violations(screen), ...await overflow(screen), ...told], []);
  assert.deepEqual(asked.filter((url) => url.includes(address.slice(-64))), []);
  await picture(screen, "wall-desktop-dark");
  await screen.setViewportSize({ width: 390, height: 844 });
  assert.deepEqual(await overflow(screen), []);
  await picture(screen, "wall-phone-dark");

  await page.reload();
  await loaded(page);
  await page.getByRole("button", { name: "End it: hall" }).click();
  await page.locator(".told", { hasText: "has ended" }).waitFor(WAIT);
  await screen.reload();
  await screen.getByRole("heading", { name: "This link has ended" }).waitFor(WAIT);
  assert.deepEqual(said, []);
});

/** @type {[string, string][]} */
const VIEWS = [
  ["types", "?view=registry"],
  ["type", "?view=registry&id=page_view"],
  ["new-type", "?view=registry&id=new"],
  ["states", "?view=registry&part=states"],
  ["funnels", "?view=registry&part=funnels"],
  ["site", "?view=registry&part=site"],
  ["schedules", "?view=registry&part=jobs"],
  ["screens", "?view=registry&part=wall"],
  ["history", "?view=registry&part=changes"],
  ["edited-rule", "?view=rules&rule=own.edited"],
];

for (const look of LOOKED) {
  test(`axe-core finds nothing and nothing is cut off: ${look.name}`, async (t) => {
    const { page, said } = await signedIn(t, { look });
    await loaded(page);
    /** @type {string[]} */
    const found = [];
    for (const [name, query] of VIEWS) {
      await page.goto(`${stack.url}/dashboard/${query}`);
      await loaded(page);
      found.push(...[...await violations(page), ...await overflow(page)].map((text) => `${name}: ${text}`));
      await picture(page, `registry-${name}-${look.name}`);
    }
    assert.deepEqual([...found, ...said], []);
  });
}
