// Who sees and does what in the control room: each call that it makes, by each kind of caller with a token of their own, and each of
// its pages, by whoever signs in there.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PODCAST } from "../../local/demo/podcast.mjs";
import { freePort } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { begunWithDemo } from "../stack/beginning.mjs";
import { complaints, launch, LOOKS } from "./pages.mjs";
import { CALLERS, calls, HERE, RIGHTS, THERE } from "./room-rights.mjs";

const WAIT = { timeout: 120_000 };
/** @typedef {import("./room-rights.mjs").Right} Right */
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Record<string, string>} */
const tokens = {};
const account = (/** @type {string} */ who) => ({ email: `${who}@example.test`, password: `${who}-password` });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "audience-gate-rights-"));
  browser = await launch();
  await begunWithDemo(folder);
  stack = await startStack({ folder, port: await freePort() });
  await stack.database.query("update audience_gate.jobs set active = false");
  await stack.database.query("insert into public.audience_sites (id, name) values ($1, 'Someone else''s')", [THERE]);
  for (const who of CALLERS.filter((who) => who !== "anon")) {
    const response = await fetch(`${stack.url}/auth/v1/signup`, {
      method: "POST",
      headers: { apikey: stack.publishableKey, "content-type": "application/json" },
      body: JSON.stringify(account(who)),
    });
    tokens[who] = (await response.json()).access_token;
  }
  for (
    const [who, site, role] of [
      ["all", HERE, "owner"],
      ["all", THERE, "owner"],
      ["all", PODCAST, "owner"],
      ["owner", HERE, "owner"],
      ["analyst", HERE, "analyst"],
      ["viewer", HERE, "viewer"],
      ["other", THERE, "owner"],
    ]
  ) {
    await stack.database.query(
      "insert into public.audience_site_members (site_id, user_id, role) select $1, id, $3 from auth.users where email = $2",
      [site, account(who ?? "").email, role],
    );
  }
});
after(async () => {
  await browser?.close();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

const ALERTS = ["Add alert", "Add webhook", "Delete", "Save", "Send a test", "Stop looking", "Stop telling", "Undo"];
const SITE = ["Give access", "Remove", "Save", "Undo"];
const FUNNELS = ["Add a step", "Move step down", "Move step up", "Remove", "Remove step", "Save", "Undo"];
/**
 * The pages of the control room, and what each has buttons for: to owners of all sites, to owners of this one, and to its other members.
 *
 * @type {[query: string, all: string[], owner: string[], others: string[]][]}
 */
const PAGES = [
  ["", [], [], []],
  ["view=explore", [], [], []],
  ["view=refusals", [], [], []],
  ["view=refusals&rule=privacy.raw_email", ["Preview a replay"], ["Preview a replay"], []],
  ["view=rules", ["Save in observe", "Undo"], ["Save in observe", "Undo"], []],
  ["view=lifecycles&days=84", [], [], []],
  // Who may move records of a table is said by the table: the demo's is moved by every member.
  ["view=lifecycles&days=84&record=5", ["Put back"], ["Put back"], ["Put back"]],
  ["view=alerts", ALERTS, ALERTS, []],
  ["view=registry", [], [], []],
  ["view=registry&id=page_view", ["Save"], [], []],
  ["view=registry&id=new", ["Add type"], [], []],
  ["view=registry&part=states", ["Remove", "Save", "Undo"], [], []],
  ["view=registry&part=funnels", FUNNELS, FUNNELS, []],
  ["view=registry&part=site", SITE, SITE, []],
  ["view=registry&part=jobs", ["Switch on", "Undo"], [], []],
  ["view=registry&part=wall", ["End it", "Make the link"], ["End it", "Make the link"], []],
  ["view=registry&part=changes", ["Undo"], ["Undo"], []],
];
/** Buttons that change nothing. */
const HARMLESS = /^(Save as |Pause$|Show$|Narrow$|Take the latest stored)/;

/** What a caller is told: `may`, `nothing`, or the code of a refusal. @param {string} who @param {Right} right */
async function told(who, { call, args = {}, where = "", given, else: otherwise }) {
  const [verb, name] = call.split(" ");
  let text = JSON.stringify(args);
  if (given) {
    const { rows } = (await stack.database.exec(given)).at(-1) ?? { rows: [] };
    text = text.replace("?", String(Object.values(rows[0] ?? {})[0]));
  }
  const method = { select: "GET", update: "PATCH", delete: "DELETE" }[verb ?? ""] ?? "POST";
  const path = verb === "post"
    ? `functions/v1/${name}`
    : verb === "rpc"
    ? `rest/v1/rpc/${name}`
    : `rest/v1/${name}?${where}`;
  const response = await fetch(`${stack.url}/${path}`, {
    method,
    headers: {
      apikey: stack.publishableKey,
      authorization: `Bearer ${tokens[who] ?? stack.publishableKey}`,
      "content-type": "application/json",
      ...["update", "delete"].includes(verb ?? "") ? { prefer: "return=representation" } : {},
    },
    ...method === "GET" ? {} : { body: text },
  });
  const answer = await response.text();
  if (!response.ok) {
    const refusal = JSON.parse(answer);
    return String((refusal.error ?? refusal).code);
  }
  const rows = verb === "post" ? JSON.parse(answer).results : answer === "" ? undefined : JSON.parse(answer);
  return otherwise !== undefined && Array.isArray(rows) && rows.length === 0 ? "nothing" : "may";
}

test("every call that a page makes has its rights here", () => {
  assert.deepEqual([...new Set(RIGHTS.map(({ call }) => call))].toSorted(), calls());
});

test("each caller may do what is theirs, and is refused everything else", async () => {
  /** @type {Record<string, string>} */
  const found = {};
  /** @type {Record<string, string>} */
  const expected = {};
  for (const right of RIGHTS) {
    for (const who of CALLERS) {
      const key = `${right.call}: ${who}`;
      found[key] = await told(who, right);
      const others = typeof right.else === "string" ? (who === "anon" ? undefined : right.else) : right.else?.[who];
      expected[key] = right.may.split(" ").includes(who)
        ? "may"
        : others ?? (right.call.startsWith("post") ? "nothing" : "42501");
    }
  }
  assert.deepEqual(
    Object.entries(found).filter(([key, value]) => value !== expected[key]).map(([key, value]) =>
      `${key} ${value}, not ${expected[key]}`
    ),
    [],
  );
});

/** Signs in on a page of the control room. @param {import("node:test").TestContext} t @param {string} who */
async function signedIn(t, who) {
  const context = await browser.newContext({ ...LOOKS[0], reducedMotion: "reduce" });
  t.after(() => context.close());
  const page = await context.newPage();
  const said = complaints(page);
  await page.goto(`${stack.url}/dashboard/?view=alerts`);
  await page.getByLabel("E-mail").fill(account(who).email);
  await page.getByLabel("Password").fill(account(who).password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForSelector("main[data-loaded]", WAIT);
  return { page, said };
}

/** Goes to a page as a link of the page does. @param {import("playwright-core").Page} page @param {string} query */
async function opened(page, query) {
  await page.evaluate((address) => {
    history.pushState(null, "", address);
    dispatchEvent(new PopStateEvent("popstate"));
  }, `?site=${HERE}&${query}`);
  await page.waitForSelector("main[data-loaded]", WAIT);
}

for (const [who, column] of /** @type {const} */ ([["all", 1], ["owner", 2], ["analyst", 3], ["viewer", 3]])) {
  test(`each page opens, and has buttons for what its reader may do: ${who}`, async (t) => {
    const { page, said } = await signedIn(t, who);
    /** @type {Record<string, string[]>} */
    const found = {};
    for (const [query] of PAGES) {
      await opened(page, query);
      const names = await page.$$eval(
        "main button:enabled:not(.refusal)",
        (all) => all.map((one) => (one.getAttribute("aria-label") ?? one.textContent ?? "").trim()),
      );
      const offered = names.filter((name) => !HARMLESS.test(name))
        .map((name) => name.replace(/(:| to | [0-9a-f]{8}-).*/, "").replace(/ (S\d|asked|default|ours)$| \d+\b/, ""));
      found[query] = [...new Set(offered)].toSorted();
    }
    assert.deepEqual(found, Object.fromEntries(PAGES.map((row) => [row[0], row[column]])));
    assert.deepEqual(said, []);
  });
}

test("who owns another site sees that one, whatever the address says, and who signs in nowhere sees none", async (t) => {
  const { page, said } = await signedIn(t, "other");
  const visitor = await (await browser.newContext(LOOKS[0])).newPage();
  t.after(() => visitor.context().close());
  await page.goto(`${stack.url}/dashboard/?site=${HERE}`);
  await page.waitForSelector("main[data-loaded]", WAIT);
  assert.deepEqual(await page.locator("#site-choice option").allTextContents(), ["Someone else's"]);
  assert.equal(new URL(page.url()).searchParams.get("site"), THERE);
  for (const [query] of PAGES) {
    await opened(page, query);
    assert.doesNotMatch(
      await page.locator("main").innerText(),
      /privacy\.raw_email \(|own\.asked|hall|aaaaaaaa-0000/,
      query,
    );
  }
  await visitor.goto(`${stack.url}/dashboard/?site=${HERE}&view=rules`);
  await visitor.getByRole("button", { name: "Sign in" }).waitFor(WAIT);
  assert.equal(await visitor.locator("#views a:visible, main table").count(), 0);
  assert.deepEqual(said, []);
});
