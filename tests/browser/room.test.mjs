// The control room on the real local stack: what a member of the team does after a figure looked wrong, as a person does it.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort, listen } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { begunWithDemo } from "../stack/beginning.mjs";
import { complaints, launch, LOOKED, LOOKS, overflow, picture, violations } from "./pages.mjs";

const SITE = "00000000-0000-4000-8000-000000000001";
const OWNER = { email: "demo@example.test", password: "demo-password" };
const VIEWER = { email: "viewer@example.test", password: "viewer-password" };
const WAIT = { timeout: 120_000 };
/** @typedef {import("playwright-core").Page} Page */
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "audience-gate-room-"));
  browser = await launch();
  await begunWithDemo(folder);
  stack = await startStack({ folder, port: await freePort() });
  await fetch(`${stack.url}/auth/v1/signup`, {
    method: "POST",
    headers: { apikey: stack.publishableKey, "content-type": "application/json" },
    body: JSON.stringify(VIEWER),
  });
  await sql(
    "insert into public.audience_site_members (site_id, user_id, role) select $1, id, 'viewer' from auth.users where email = $2",
    SITE,
    VIEWER.email,
  );
});
after(async () => {
  await browser?.close();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

/** @param {string} text @param {unknown[]} parameters @returns {Promise<Record<string, any>[]>} */
async function sql(text, ...parameters) {
  const { rows } = await stack.database.query(text, parameters);
  return rows;
}

/**
 * @param {import("node:test").TestContext} t
 * @param {{ query?: string, look?: import("./pages.mjs").Look, who?: typeof OWNER }} [how]
 */
async function signedIn(t, { query = "", look = LOOKS[0], who = OWNER } = {}) {
  const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
  t.after(() => context.close());
  const page = await context.newPage();
  const said = complaints(page);
  await page.goto(`${stack.url}/dashboard/${query}`);
  await page.getByLabel("E-mail").fill(who.email);
  await page.getByLabel("Password").fill(who.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await loaded(page);
  return { page, said };
}

const loaded = (/** @type {Page} */ page) => page.waitForSelector("main[data-loaded]", WAIT);

/** The cells of a list, row by row. @param {Page} page */
const cells = (page) =>
  page.$$eval(
    ".folding tbody tr",
    (rows) => rows.map((row) => [...row.children].map((cell) => (cell.textContent ?? "").trim())),
  );

const number = (/** @type {string | undefined} */ text) => Number((text ?? "").replaceAll(",", ""));

test("from how many were refused, to the rule, to its events, to a replay of what would pass now", async (t) => {
  const { page, said } = await signedIn(t);
  await page.getByRole("link", { name: "Refusals" }).click();
  await loaded(page);
  const truth = await sql(
    `select metadata ->> 'validation_rule_id' as rule, count(*) as n from public.audience_events
     where site_id = $1 and rejected and created_at >= date_trunc('day', now(), 'UTC') - interval '27 days' group by 1`,
    SITE,
  );
  assert.deepEqual(
    Object.fromEntries((await cells(page)).map(([rule, events]) => [rule, number(events)])),
    Object.fromEntries(truth.map(({ rule, n }) => [rule, Number(n)])),
  );

  await page.locator("label", { hasText: "Sender" }).click();
  await page.locator(".folding").getByRole("link", { name: "web", exact: true }).click();
  await page.locator(".chip", { hasText: "sender web" }).waitFor(WAIT);
  await page.getByRole("link", { name: "registry.event_type" }).click();
  await page.getByRole("heading", { name: "What to send instead" }).waitFor(WAIT);
  assert.match(await page.locator("#instead + p").innerText(), /register it, or send a registered one/);
  assert.ok(await page.getByText("refused still").first().isVisible());
  const address = page.url();
  assert.deepEqual(
    [...new URL(address).searchParams.keys()].toSorted(),
    ["rule", "sender", "site", "tracker", "view"],
    "the address holds what is shown",
  );
  await page.getByRole("button", { name: "Preview a replay" }).click();
  await page.getByText("0 would be accepted").waitFor(WAIT);

  await sql(
    "insert into public.audience_event_types (id, category, tier, description) values ('button_clicked', 'engagement', 'consumer', 'A button.')",
  );
  await page.goto(address);
  await page.getByText("would pass now").first().waitFor(WAIT);
  const before = (await sql("select count(*) as n from public.audience_event_replays"))[0].n;
  await page.getByRole("button", { name: "Preview a replay" }).click();
  const replay = page.getByRole("button", { name: /^Replay \d+$/ });
  const promised = number((await replay.innerText()).replace("Replay ", ""));
  assert.ok(promised > 0);
  assert.equal(
    (await sql("select count(*) as n from public.audience_event_replays"))[0].n,
    before,
    "a preview does nothing",
  );
  await replay.click();
  await page.getByText(`${promised} were accepted`).waitFor(WAIT);
  assert.equal(
    Number((await sql("select count(*) as n from public.audience_event_replays"))[0].n),
    Number(before) + promised,
  );
  const [{ actors }] = await sql("select array_agg(distinct replayed_by) as actors from public.audience_event_replays");
  assert.deepEqual(actors, ["user:00000000-0000-4000-8000-00000000d0e5"], "the replay says who made it");
  assert.deepEqual(said, []);
});

test("an event opens in the playground, and the list is saved as a file that no spreadsheet runs", async (t) => {
  const { page } = await signedIn(t, { query: "?view=refusals" });
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save as CSV: Refusals by rule" }).click(),
  ]);
  assert.equal(file.suggestedFilename(), "refusals-by-rule.csv");
  const text = await readFile(await file.path(), "utf8");
  assert.match(text, /^\ufeffRule,Events,Over time,Senders,Replayed,First,Last\r\n/);
  assert.match(text, /\r\nsubscription\.consent,\d+,/);

  await page.getByRole("link", { name: "engagement.content_view_threshold" }).click();
  const [playground] = await Promise.all([
    page.waitForEvent("popup"),
    page.getByRole("link", { name: "Open in the playground" }).first().click(),
  ]);
  await playground.waitForSelector("html[data-ready]", WAIT);
  assert.match(await playground.locator("#editor").inputValue(), /"content_view"/);
});

test("a viewer reads what was refused, and is told who can replay it", async (t) => {
  const { page } = await signedIn(t, { query: "?view=refusals&rule=subscription.consent", who: VIEWER });
  await page.getByText("Owners of the site can replay").waitFor(WAIT);
  assert.equal(await page.getByRole("button", { name: "Preview a replay" }).count(), 0);
});

test("from a list to one event, its session, its person, and back to the state before", async (t) => {
  const { page, said } = await signedIn(t, { query: "?view=explore&kind=accepted" });
  await page.getByLabel("Tier", { exact: true }).selectOption("practitioner");
  await page.waitForFunction(
    () => {
      const tiers = [...document.querySelectorAll('.folding td[data-name="Tier"]')];
      return tiers.length > 0 && tiers.every((cell) => cell.textContent === "practitioner");
    },
    undefined,
    WAIT,
  );
  const [{ n }] = await sql(
    `select least(count(*), 50)::integer as n from public.audience_events e join public.audience_event_types t on t.id = e.event_type
     where site_id = $1 and not rejected and t.tier = 'practitioner' and metadata ->> 'page_path' = '/pro'
       and created_at >= date_trunc('day', now(), 'UTC') - interval '27 days'`,
    SITE,
  );
  assert.ok(n > 0, "the site has practitioners' events on the page");
  await page.getByLabel("Page path").fill("/pro");
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    (wanted) => {
      const pages = [...document.querySelectorAll('.folding td[data-name="Page"]')];
      return pages.length === wanted && pages.every((cell) => cell.textContent === "/pro");
    },
    n,
    WAIT,
  );

  await page.locator(".folding tr", { hasText: "signed in" }).first().getByRole("link").first().click();
  await page.getByRole("heading", { name: "One event" }).waitFor(WAIT);
  const id = new URL(page.url()).searchParams.get("event");
  const [{ user_id }] = await sql("select user_id from public.audience_events where id = $1", id);
  await page.getByRole("link", { name: "Everything of this person" }).click();
  await page.locator(".steps .moved").first().waitFor(WAIT);
  assert.ok(!page.url().includes(user_id), "who it is stands in no address");
  const [latest] = await sql(
    "select from_state, to_state from public.audience_state_events where user_id = $1 and site_id = $2 order by id desc limit 1",
    user_id,
    SITE,
  );
  await page.getByText(`now ${latest.to_state}`).waitFor(WAIT);
  await page.getByLabel("Why it is taken back").fill("moved by mistake");
  await page.getByRole("button", { name: `Put back to ${latest.from_state}` }).click();
  await page.getByText(`now ${latest.from_state}`, { exact: true }).waitFor(WAIT);
  const [reverted] = await sql(
    "select to_state, changed_by, notes from public.audience_state_events where user_id = $1 and site_id = $2 order by id desc limit 1",
    user_id,
    SITE,
  );
  assert.deepEqual(reverted, {
    to_state: latest.from_state,
    changed_by: "user:00000000-0000-4000-8000-00000000d0e5",
    notes: "moved by mistake",
  });
  await page.goBack();
  await page.getByRole("heading", { name: "One event" }).waitFor(WAIT);
  assert.deepEqual(said, []);
});

test("the list of events says since when they are proven, once they are", async (t) => {
  const { page, said } = await signedIn(t, { query: "?view=explore" });
  assert.equal(await page.locator(".proof").count(), 0, "nothing where nothing was sealed");
  await sql("select audience_gate.start_sealing()");
  await sql("select audience_gate.run_job('seal_rows')");
  await page.reload();
  await page.getByText(/Sealed: [\d,]+ rows\. No checkpoint was signed yet/).waitFor(WAIT);
  await sql("insert into audience_gate.checkpoint (size, note, signed_at) values (1, 'note', '2026-01-02 10:00Z')");
  await page.reload();
  await page.getByText(/This history is proven since .*2 Jan.* The newest checkpoint holds for 1 row and/).waitFor(
    WAIT,
  );
  assert.deepEqual(said, []);
});

test("a rule is tried on an example, saved in observe, counts, and is enforced", async (t) => {
  const { page, said } = await signedIn(t, { query: "?view=rules" });
  const verdict = page.locator("#rule-verdict");
  await verdict.getByText("would be refused at /metadata/page_path").waitFor(WAIT);
  await page.getByLabel("Binds").selectOption("page_view");
  await verdict.getByText("is not bound by it").waitFor(WAIT);
  const example = page.getByLabel("An event to try it on");
  const written = await example.inputValue();
  await page.getByRole("button", { name: "Take the latest stored" }).click();
  await page.waitForFunction((text) => {
    const area = document.querySelector("#rule-example");
    return area instanceof HTMLTextAreaElement && area.value !== text;
  }, written);
  const taken = JSON.parse(await example.inputValue());
  const [{ stored }] = await sql(
    `select audience_gate.own_instance(to_jsonb(e)) as stored from public.audience_events e
     where e.event_type = 'page_view' and not e.rejected order by e.created_at desc, e.id desc limit 1`,
  );
  assert.deepEqual(taken, stored, "all that a rule can ask for");
  await verdict.getByText("would pass").waitFor(WAIT);
  const schema = page.getByLabel("What an event must satisfy, as a JSON Schema");
  await schema.fill('{"type": "strange"}');
  await verdict.getByText("The schema cannot be judged by").waitFor(WAIT);
  await schema.fill('{"properties": {"metadata": {"properties": {"page_path": {"not": {"const": "/secret"}}}}}}');
  await verdict.getByText("it would refuse 0").waitFor(WAIT);
  await page.getByLabel("Name, after own.").fill("no_secret_page");
  await page.getByLabel("What is wrong, and what to send instead").fill("the page is internal; do not track it");
  await page.getByRole("button", { name: "Save in observe" }).click();
  const card = page.locator('[data-rule="own.no_secret_page"]');
  await card.getByText("It has counted nothing in observe").waitFor(WAIT);

  const [before] = await visit();
  assert.equal(before.status, "accepted", "what is observed passes");
  await page.reload();
  await card.getByText("1 event that it would refuse").waitFor(WAIT);
  await card.locator("label", { hasText: "Enforce" }).click();
  await page.locator(".told", { hasText: "own.no_secret_page was saved" }).waitFor(WAIT);
  await card.getByText("Who changed it").click();
  await card.getByText("observe → enforce").waitFor(WAIT);
  const [now] = await visit();
  assert.deepEqual(now.violations.map((/** @type {{ rule_id: string }} */ { rule_id }) => rule_id), [
    "own.no_secret_page",
  ]);
  await card.locator("label", { hasText: "Off" }).click();
  await card.getByText("enforce → off").waitFor({ ...WAIT, state: "attached" });
  assert.deepEqual(said, []);

  async function visit() {
    const response = await fetch(`${stack.url}/functions/v1/ingest`, {
      method: "POST",
      headers: { apikey: stack.secretKey, "content-type": "application/json" },
      body: JSON.stringify({
        session_id: `session-${crypto.randomUUID()}`,
        event_type: "page_view",
        event_category: "engagement",
        event_source: "web",
        metadata: { page_path: "/secret" },
      }),
    });
    return (await response.json()).results;
  }
});

test("a viewer reads the rules and changes none", async (t) => {
  const { page } = await signedIn(t, { query: "?view=rules", who: VIEWER });
  await page.getByText("Owners of the site can add and change its rules").waitFor(WAIT);
  assert.equal(await page.locator(".cards input").count(), 0);
});

test("a tracked table shows how its records move, and the last move of one is taken back", async (t) => {
  const { page, said } = await signedIn(t, { query: "?view=lifecycles&days=84" });
  await page.getByRole("heading", { name: "How they move" }).waitFor(WAIT);
  const moves = await sql(
    "select coalesce(from_stage, 'new') as a, to_stage as b, count(*) as n from public.demo_enquiry_events group by 1, 2",
  );
  const shown = (await cells(page)).map((row) => row.slice(0, 3));
  for (const { a, b, n } of moves) {
    assert.ok(shown.some((row) => row[0] === a && row[1] === b && number(row[2]) === Number(n)), `${a} → ${b}: ${n}`);
  }
  await page.getByLabel("The history of one enquiry: its id").fill("1");
  await page.keyboard.press("Enter");
  await page.getByText("offer_made → enrolled").waitFor(WAIT);
  await page.getByLabel("Why it is taken back").fill("wrong record");
  await page.getByRole("button", { name: "Put back to offer_made" }).click();
  await page.getByText("enrolled → offer_made").waitFor(WAIT);
  const [{ stage }] = await sql("select stage from public.demo_enquiries where id = 1");
  assert.equal(stage, "offer_made");
  const [{ notes, actor }] = await sql(
    "select notes, actor from public.demo_enquiry_events where enquiry_id = 1 order by changed_at desc limit 1",
  );
  assert.deepEqual([notes, actor], ["wrong record", "user:00000000-0000-4000-8000-00000000d0e5"]);
  assert.deepEqual(said, []);
});

test("an alert is added, fires when its sender falls silent, and stands in the log", async (t) => {
  const { page, said } = await signedIn(t, { query: "?view=alerts" });
  const form = page.locator('form[aria-labelledby="new-alert"]');
  await form.getByLabel("When", { exact: true }).selectOption("silence");
  assert.equal(await form.getByLabel("More than").count(), 0, "silence has no threshold");
  await form.getByLabel("Sender; empty: all of them").fill("kiosk");
  await form.getByLabel("Within so many minutes").fill("30");
  await page.getByRole("button", { name: "Add alert" }).click();
  const card = page.locator(".alert", { hasText: "kiosk" });
  await card.getByText("quiet").waitFor(WAIT);

  await stack.database.exec(`
    begin; set local role audience_gate_store;
    insert into public.audience_events (created_at, session_id, event_type, event_category, event_source, contract)
    values (now() - interval '50 minutes', 'session-of-kiosk', 'page_view', 'engagement', 'kiosk', audience_gate.contract_fingerprint());
    commit`);
  await sql("select audience_gate.run_job('check_alerts')");
  await page.reload();
  await card.getByText("fires", { exact: true }).waitFor(WAIT);
  await card.getByText(/^5\d min of silence$/).waitFor(WAIT);
  assert.deepEqual((await cells(page))[0].slice(1, 4), ["A sender fell silent", "kiosk", "began"]);
  await card.getByRole("button", { name: "Stop looking" }).click();
  await card.getByText("not looking").waitFor(WAIT);
  await card.getByRole("button", { name: "Delete" }).click();
  await card.waitFor({ state: "detached" });
  assert.equal((await cells(page))[0][2], "kiosk", "the log stays");
  assert.deepEqual(said, []);
});

test("a webhook is added, tested and told, and its address is shown to nobody", async (t) => {
  /** @type {string[]} */
  const got = [];
  let status = 200;
  const receiver = createServer(async (request, response) => {
    got.push(Buffer.concat(await request.toArray()).toString("utf8"));
    response.writeHead(status).end();
  });
  const port = await listen(receiver, await freePort(), { exactly: true });
  t.after(() => receiver.close());
  const { page, said } = await signedIn(t, { query: "?view=alerts" });
  const add = async (/** @type {string} */ url) => {
    await page.getByLabel("Name", { exact: true }).fill("operations");
    await page.getByLabel("Address").fill(url);
    await page.getByRole("button", { name: "Add webhook" }).click();
  };
  await add("https://10.0.0.1/hush");
  await page.getByText("The address must begin with https:// and a public name").waitFor(WAIT);
  said.length = 0;
  await add(`http://127.0.0.1:${port}/hush`);
  const card = page.locator('[data-destination="operations"]');
  await card.getByRole("button", { name: "Send a test" }).click();
  await card.getByText("It arrived.").waitFor(WAIT);
  assert.match(JSON.parse(got[0] ?? "{}").text, /this is a test of the alerts/);

  status = 503;
  await sql(
    `insert into public.audience_alert_firings (alert_id, site_id, kind, state, value, threshold)
     values (gen_random_uuid(), $1, 'failed_jobs', 'fired', 2, 0)`,
    SITE,
  );
  const sent = await fetch(`${stack.url}/functions/v1/ingest/alerts`, {
    method: "POST",
    headers: { apikey: stack.secretKey },
  });
  assert.equal((await sent.json()).due, 1);
  assert.match(JSON.parse(got[1] ?? "{}").text, /jobs fail \(2 failed runs/);
  await page.reload();
  const message = page.getByRole("table", { name: "Messages to webhooks" }).locator("tbody tr").first();
  await message.waitFor(WAIT);
  assert.deepEqual(
    (await message.locator("td").allInnerTexts()).map((text) => text.replace(/ from .*/, " from …")),
    ["operations", "an alert", "again from …", "it answered 503", "1"],
  );
  assert.ok(!(await page.content()).includes("hush"));
  await card.getByRole("button", { name: "Delete" }).click();
  await page.getByText("Nobody yet: what fires is seen here alone.").waitFor(WAIT);
  await page.getByText("given up").waitFor(WAIT);
  assert.deepEqual(said, []);
});

/** What each look shows: a name, an address, and what to wait for. @type {[string, string][]} */
const VIEWS = [
  ["alerts", "?view=alerts"],
  ["rules", "?view=rules"],
  ["lifecycle", "?view=lifecycles&days=84&record=5"],
  ["events", "?view=explore"],
  ["refusals", "?view=refusals"],
  ["refused-rule", "?view=refusals&rule=privacy.raw_email"],
];

for (const look of LOOKED) {
  test(`axe-core finds nothing and nothing is cut off: ${look.name}`, async (t) => {
    const { page, said } = await signedIn(t, { look });
    /** @type {string[]} */
    const found = [];
    for (const [name, query] of VIEWS) {
      await page.goto(`${stack.url}/dashboard/${query}`);
      await loaded(page);
      found.push(...[...await violations(page), ...await overflow(page)].map((text) => `${name}: ${text}`));
      await picture(page, `room-${name}-${look.name}`);
    }
    assert.deepEqual([...found, ...said], []);
  });
}
