// What the board is narrowed to: chosen from what the range has, kept in the address, followed by every panel that can and said by
// every one that cannot.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { begunWithDemo } from "../stack/beginning.mjs";
import { until } from "../until.mjs";
import { complaints, launch, LOOKS, overflow, picture, violations } from "./pages.mjs";

const SITE = "00000000-0000-4000-8000-000000000001";
const OWNER = { email: "demo@example.test", password: "demo-password" };
const WAIT = { timeout: 120_000 };
const NARROWABLE = ["overview", "engagement", "visits", "campaigns", "pages", "referrers", "devices", "adoption"];
/** @typedef {import("playwright-core").Page} Page */
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "audience-gate-filters-"));
  browser = await launch();
  await begunWithDemo(folder);
  stack = await startStack({ folder, port: await freePort() });
});
after(async () => {
  await browser?.close();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

/** @param {import("node:test").TestContext} t @param {string} [query] @param {import("./pages.mjs").Look} [look] */
async function board(t, query = "", look = LOOKS[0]) {
  const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
  t.after(() => context.close());
  const page = await context.newPage();
  const said = complaints(page);
  await page.goto(`${stack.url}/dashboard/${query}`);
  await page.locator("[type=email]").fill(OWNER.email);
  await page.locator("[type=password]").fill(OWNER.password);
  await page.keyboard.press("Enter");
  await page.waitForSelector("main[data-loaded]", WAIT);
  return { page, said };
}

/** @param {string} sql @returns {Promise<Record<string, any>>} */
async function one(sql) {
  const { rows: [row] } = await stack.database.query(sql, [SITE]);
  assert.ok(row);
  return row;
}

/** Waits until each panel that can has what the database says of the range narrowed so. @param {Page} page @param {object} narrowed */
async function follows(page, narrowed) {
  const call = `$1, date_trunc('day', now(), 'UTC') - interval '27 days', now(), narrowed => '${
    JSON.stringify(narrowed)
  }'`;
  const shown = new Intl.NumberFormat("en");
  const { visits, people } = await one(
    `select v.visits::int as visits, v.people::int as people from public.kpi_visits(${call}, grain => 'total') v`,
  );
  const { events } = await one(`select events::int as events from public.kpi_overview(${call})`);
  assert.ok(visits > 0 && events > 0, "the demo has such visits");
  const wanted = [shown.format(visits), shown.format(people)];
  await until(async () => {
    const found = await page.locator("#visits [data-kpi=visits], #visits [data-kpi=visit_people]").allInnerTexts();
    return JSON.stringify(found) === JSON.stringify(wanted);
  }, `${wanted} visits and people`);
  await page.waitForFunction(() => !document.querySelector(".panel[aria-busy=true]"), null, WAIT);
  const { tiers } = await one(
    `select array_agg(distinct tier order by tier) as tiers from public.kpi_engagement(${call}) where tier <> 'all'`,
  );
  const heads = await page.locator("#engagement .as-table thead th").allTextContents();
  assert.deepEqual(heads.slice(1).sort(), tiers);
  return { visits, events };
}

const unfollowed = (/** @type {Page} */ page) =>
  page.locator(".panel:has(.unfollowed:not([hidden]))").evaluateAll((panels) => panels.map(({ id }) => id));

test("a campaign is chosen from those of the range; what follows it does, what cannot says so, and a chip takes it back", async (t) => {
  const { page, said } = await board(t);
  const { campaign } = await one(
    `select campaign from public.kpi_campaigns($1, now() - interval '27 days', now()) where campaign is not null order by visits limit 1`,
  );
  const panels = await page.locator(".panel").evaluateAll((all) => all.map(({ id }) => id));
  assert.deepEqual(await unfollowed(page), []);
  await page.getByLabel("Narrow to").focus();
  await page.locator(`#narrow-choices option[value="${campaign}"]`).waitFor({ ...WAIT, state: "attached" });
  await page.getByLabel("Narrow to").fill(campaign);
  await page.keyboard.press("Enter");
  await follows(page, { campaign });
  assert.equal(new URL(page.url()).searchParams.get("campaign"), campaign);
  assert.deepEqual((await unfollowed(page)).sort(), panels.filter((id) => !NARROWABLE.includes(id)).sort());
  assert.equal(await page.locator("#funnel .unfollowed").innerText(), "Not narrowed by: Campaign");
  assert.equal(await page.locator("#overview [data-kpi=rejection_rate]").count(), 0, "what was refused is of no visit");
  assert.deepEqual([...await violations(page), ...await overflow(page)], []);
  await picture(page, "narrowed");

  const id = "page_view";
  await page.getByLabel("Narrow by", { exact: true }).selectOption({ label: "Event type" });
  await page.getByLabel("Narrow to").fill(id);
  await page.getByRole("button", { name: "Narrow", exact: true }).click();
  await follows(page, { campaign, event_type: id });
  await page.locator("#engagement").getByRole("link", { name: /^See the events/ }).click();
  await page.getByRole("heading", { name: "Events", level: 1 }).waitFor(WAIT);
  assert.equal(await page.getByLabel("Campaign").inputValue(), campaign);
  assert.equal(await page.getByLabel("Event type").inputValue(), id);
  await page.goBack();
  await follows(page, { campaign, event_type: id });

  await page.getByRole("button", { name: `No longer narrow by Event type: ${id}` }).click();
  await follows(page, { campaign });
  await page.getByRole("button", { name: `No longer narrow by Campaign: ${campaign}` }).click();
  await follows(page, {});
  assert.deepEqual(await unfollowed(page), []);
  assert.equal(await page.locator(".chips li").count(), 0);
  assert.equal(await page.locator("#overview [data-kpi=rejection_rate]").count(), 1);
  assert.deepEqual(said, []);
});

test("what the board is narrowed to and compared with stays from view to view, and in a saved one", async (t) => {
  const { page, said } = await board(t, "?utm_source=newsletter&compare=week&type=page_view");
  const address = () => Object.fromEntries(new URL(page.url()).searchParams);
  const kept = { utm_source: "newsletter", compare: "week", type: "page_view" };
  await page.getByLabel("Narrow by", { exact: true }).selectOption({ label: "Referrer" });
  await page.getByLabel("Narrow to").focus();
  await page.locator("#narrow-choices option[value=search]").waitFor({ ...WAIT, state: "attached" });
  await page.getByLabel("Narrow by", { exact: true }).selectOption({ label: "Source" });
  await page.locator("#narrow-choices option[value=newsletter]").waitFor({ ...WAIT, state: "attached" });
  for (const [view, heading] of [["Events", "Events"], ["Registry", "Registry"], ["Refusals", "Refusals"]]) {
    await page.locator("#views").getByRole("link", { name: view, exact: true }).click();
    await page.getByRole("heading", { name: heading, exact: true }).first().waitFor(WAIT);
    assert.deepEqual({ ...address(), ...kept }, address(), view);
  }
  await page.locator("#views").getByRole("link", { name: "Figures", exact: true }).click();
  await page.waitForSelector("#overview[aria-busy=false] #compared", WAIT);
  assert.equal(await page.getByLabel("Compared with").inputValue(), "week");
  await follows(page, { source: "newsletter", event_type: "page_view" });

  await page.locator("#saved summary").click();
  await page.getByLabel("Name", { exact: true }).fill("Newsletter");
  await page.getByRole("button", { name: "Save this view for all members" }).click();
  await page.locator("#saved").getByRole("link", { name: "Newsletter" }).waitFor(WAIT);
  await page.goto(`${stack.url}/dashboard/`);
  await page.waitForSelector("main[data-loaded]", WAIT);
  await page.locator("#saved summary").click();
  await page.locator("#saved").getByRole("link", { name: "Newsletter" }).click();
  await follows(page, { source: "newsletter", event_type: "page_view" });
  assert.deepEqual({ ...address(), ...kept }, address());
  assert.deepEqual(said, []);
});

test("a range may begin and end within a day; what is of whole days alone says so; a comparison says with what", async (t) => {
  const { page, said } = await board(t, "", LOOKS[0]);
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  await page.locator("label", { hasText: "Dates" }).click();
  await page.getByLabel("From", { exact: true }).fill(yesterday);
  await page.getByLabel("Until", { exact: true }).fill(yesterday);
  await page.getByLabel("From what time").fill("06:15");
  await page.getByLabel("Until what time").fill("18:30");
  await page.getByLabel("Until what time").blur();
  const { events } = await one(
    `select events::int as events from public.kpi_overview($1, '${yesterday}T06:15Z', '${yesterday}T18:30Z', narrowed => '{"exact": true}')`,
  );
  await until(
    async () =>
      await page.locator("#overview [data-kpi=events]").innerText() === new Intl.NumberFormat("en").format(events),
    `${events} events`,
  );
  const { searchParams } = new URL(page.url());
  assert.deepEqual([searchParams.get("since"), searchParams.get("until")], ["06:15", "18:30"]);
  await page.locator("#funnel .unfollowed", { hasText: /^Not narrowed by: Hours$/ }).waitFor(WAIT);
  await page.waitForFunction(() => !document.querySelector(".panel[aria-busy=true]"), null, WAIT);
  assert.equal(await page.locator("#visits .unfollowed").isVisible(), false);
  assert.match(await page.locator("#compared").innerText(), /^Compared with .*06:15.*18:30$/);
  await page.getByLabel("Compared with").selectOption({ label: "Nothing" });
  await page.locator("#compared").waitFor({ ...WAIT, state: "detached" });
  // A panel is pale while it asks anew.
  await page.waitForFunction(() => !document.querySelector(".panel[aria-busy=true]"), null, WAIT);
  assert.deepEqual(await page.locator("#overview .change").allInnerTexts(), []);
  assert.deepEqual([...await violations(page), ...await overflow(page)], []);
  await picture(page, "hours");
  assert.deepEqual(said, []);
});

test("a link keeps the filters, on a phone and in each language", async (t) => {
  const { device } = await one(
    `select device from public.kpi_devices($1, now() - interval '27 days', now()) where device is not null limit 1`,
  );
  const { page: entry } = await one(
    `select page from public.kpi_pages($1, now() - interval '27 days', now(), narrowed => '${
      JSON.stringify({ device })
    }')
     where page is not null limit 1`,
  );
  const query = new URLSearchParams({ device, page: entry, tier: "consumer" });
  for (
    const [lang, text] of [
      ["de", "Nicht eingegrenzt nach: Erste Seite, Gerät, Stufe"],
      ["fr", "Non restreint par : Première page, Appareil, Niveau"],
      ["es", "Sin acotar por: Primera página, Dispositivo, Nivel"],
    ]
  ) {
    const { page, said } = await board(t, `?lang=${lang}&${query}`, LOOKS[3]);
    assert.equal(await page.locator("#retention .unfollowed").innerText(), text);
    assert.equal(await page.locator("#engagement .unfollowed").isVisible(), false);
    assert.deepEqual(await page.locator(".chips button").evaluateAll((all) => all.map((one) => one.dataset.narrowed)), [
      "page",
      "device",
    ]);
    assert.deepEqual([...await violations(page), ...await overflow(page)], []);
    if (lang === "fr") await picture(page, "narrowed-phone");
    assert.deepEqual(said, []);
  }
});
