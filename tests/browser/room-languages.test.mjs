// The languages of the dashboard: the tables as data, and every view as somebody reads it who knows no English.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { LANGUAGES, rows, tableOf } from "../../web/dashboard/texts/tables.mjs";
import { begunWithDemo } from "../stack/beginning.mjs";
import { complaints, launch, LOOKS, overflow, picture, violations } from "./pages.mjs";

const SITE = "00000000-0000-4000-8000-000000000001";
const WAIT = { timeout: 120_000 };
/** Words that English shares with another language. */
const SHARED =
  /^(Code|Score|Name|Medium|Live|live|Dates|Type|Page|Pages|Pause|Note|Notes|Source|Conversion|Conversions|Adoption|Schema|schema|Sessions|Site|E-mail|Tables|Tracker|tracker|Webhook|\{n\} min|\{count\} byte \| \{count\} bytes)$/;
/** Every view, with what opens it. */
const VIEWS = [
  "",
  "?view=explore",
  "?view=refusals",
  "?view=refusals&rule=engagement.content_view_threshold",
  "?view=rules",
  "?view=registry",
  "?view=registry&id=page_view",
  "?view=registry&part=states",
  "?view=registry&part=funnels",
  "?view=registry&part=site",
  "?view=registry&part=jobs",
  "?view=registry&part=wall",
  "?view=registry&part=changes",
  "?view=lifecycles",
  "?view=alerts",
];
/** @typedef {import("playwright-core").Page} Page */
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "audience-gate-languages-"));
  browser = await launch();
  await begunWithDemo(folder);
  stack = await startStack({ folder, port: await freePort() });
  await stack.database.query(
    "insert into public.audience_alerts (site_id, kind, threshold) values ($1, 'rejected_share', 0.05), ($1, 'silence', 0)",
    [SITE],
  );
});
after(async () => {
  await browser?.close();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

const all = Object.entries(rows()).flatMap(([file, texts]) =>
  Object.entries(texts).map(([english, others]) => ({ file, english, others }))
);
const slots = (/** @type {string} */ text) => [...new Set(text.match(/\{\w+\}/g))].toSorted();

test("every text is in every language, with the same values in it, for one and for many", () => {
  const wrong = all.flatMap(({ file, english, others }) =>
    LANGUAGES.flatMap((language, at) => {
      const text = others[at] ?? "";
      const says = `${file}: ${language} of “${english}”`;
      return [
        others.length !== LANGUAGES.length || text.trim() === "" ? [`${says} is missing`] : [],
        slots(text).join() === slots(english).join() ? [] : [`${says} has ${slots(text)}`],
        text.split(" | ").length === english.split(" | ").length ? [] : [`${says} has other forms`],
        /^\s/.test(text) === /^\s/.test(english) && /\s$/.test(text) === /\s$/.test(english)
          ? []
          : [`${says} begins or ends otherwise`],
        text === english && /[a-z]{3}/i.test(english.replaceAll(/\{\w+\}/g, "")) && !SHARED.test(english)
          ? [`${says} is English`]
          : [],
      ].flat();
    })
  );
  assert.deepEqual(wrong, []);
  for (const language of LANGUAGES) assert.equal(Object.keys(tableOf(language)).length, all.length);
});

test("every text of the tables is used", () => {
  const folder = new URL("../../web/dashboard/", import.meta.url);
  const source = readdirSync(folder, { recursive: true }).map(String)
    .filter((name) => /\.(ts|html)$/.test(name)).map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
  assert.deepEqual(all.map(({ english }) => english).filter((text) => !source.includes(text)), []);
});

/** @param {import("node:test").TestContext} t @param {import("playwright-core").BrowserContextOptions} how @param {string} [query] */
async function signedIn(t, how, query = "") {
  const context = await browser.newContext({ reducedMotion: "reduce", ...how });
  t.after(() => context.close());
  const page = await context.newPage();
  const said = complaints(page);
  await page.goto(`${stack.url}/dashboard/${query}`);
  await page.locator(".hint button").click();
  await page.keyboard.press("Enter");
  await loaded(page);
  return { page, said };
}

/** @param {Page} page */
async function loaded(page) {
  await page.waitForSelector("main[data-loaded]", WAIT);
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"), undefined, WAIT);
}

/**
 * What is left in English: texts and names of the page that are a text of the tables, or hold words that no other language here
 * has. What the install wrote (ids, reasons, descriptions, records) is marked as English, as code or as not to be translated.
 *
 * @param {Page} page @param {string[]} english
 */
const leftovers = (page, english) =>
  page.evaluate((english) => {
    const known = new Set(english);
    const words = /\b(the|of|is|were|are|this|what|which|nothing|with|not|and|your|by|from|yet|events?)\b/;
    const own = "[lang]:not(html), [translate=no], code, pre, textarea, .rule-id, .mono";
    const found = new Set();
    const look = (/** @type {string | null} */ text, /** @type {Element} */ at) => {
      const said = (text ?? "").trim();
      if (said === "" || at.closest(own)) return;
      if (known.has(said) || words.test(said)) found.add(said);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      if (walker.currentNode.parentElement) look(walker.currentNode.textContent, walker.currentNode.parentElement);
    }
    for (const one of document.querySelectorAll("[aria-label], [title], [placeholder]")) {
      for (const name of ["aria-label", "title", "placeholder"]) {
        if (one.closest("svg g") === null) look(one.getAttribute(name), one);
      }
    }
    return [...found];
  }, english);

for (const language of ["en", ...LANGUAGES]) {
  test(`the head is one row at 1280 pixels, and two on a phone: ${language}`, async (t) => {
    const { page } = await signedIn(t, { ...LOOKS[0], locale: language }, "?view=alerts");
    await page.getByRole("navigation").getByRole("link").last().waitFor();
    for (const [width, rows] of [[1280, 1], [390, 2]]) {
      await page.setViewportSize({ width, height: 800 });
      const tops = await page.$$eval(
        ".masthead > *",
        (parts) =>
          parts.map((part) => part.getBoundingClientRect()).filter(({ height }) => height > 0)
            .map(({ top, height }) => Math.round((top + height / 2) / 20)),
      );
      assert.equal(new Set(tops).size, rows, `${width} px: ${tops}`);
      const reach = await page.$$eval(
        ".masthead > :not(nav)",
        (parts) => Math.max(...parts.map((part) => part.getBoundingClientRect().right)),
      );
      assert.ok(reach <= width, `${width} px: ${reach}`);
    }
  });
}

LANGUAGES.forEach((language, at) => {
  test(`no view is left in English, cut off or refused by axe-core, and a phone has room for it: ${language}`, async (t) => {
    const [desktop, , , phone] = LOOKS;
    const { page, said } = await signedIn(t, { ...desktop, locale: language }, VIEWS.at(-1));
    const look = async (/** @type {import("./pages.mjs").Look} */ { viewport, colorScheme }) => {
      await page.setViewportSize(/** @type {{ width: number, height: number }} */ (viewport));
      await page.emulateMedia({ colorScheme });
    };
    const english = all.filter(({ english, others }) => others[at] !== english).map(({ english }) => english);
    /** @type {Record<string, string[]>} */
    const left = {};
    for (const query of VIEWS) {
      await page.goto(`${stack.url}/dashboard/${query}`);
      await loaded(page);
      const name = `${language}-${query.replaceAll(/\W+/g, "-") || "figures"}`;
      await look(phone);
      const onPhone = await overflow(page);
      await picture(page, `language-phone-${name}`);
      await look(desktop);
      await page.$$eval("details", (every) => every.forEach((details) => details.setAttribute("open", "")));
      const found = [
        ...onPhone.map((element) => `on a phone: ${element}`),
        ...await leftovers(page, english),
        ...await overflow(page),
        ...await violations(page),
      ];
      if (found.length > 0) left[query] = found;
      await picture(page, `language-${name}`);
    }
    assert.deepEqual(left, {});
    assert.deepEqual(said, []);
    assert.equal(await page.evaluate(() => document.documentElement.lang), language);
  });
});

test("the language is the browser's, then the chosen one, then that of the link; it writes numbers too", async (t) => {
  const { page, said } = await signedIn(t, { ...LOOKS[0], locale: "de-AT" });
  assert.match(await page.locator("[data-kpi=received]").innerText(), /^\d{1,3}\.\d{3}$/);
  await page.locator("#settings > summary").click();
  await page.getByLabel("Sprache").selectOption("fr");
  await page.waitForURL(/lang=fr/);
  await loaded(page);
  await page.getByRole("link", { name: "Événements", exact: true }).click();
  await page.getByRole("heading", { name: "Événements", level: 1 }).waitFor(WAIT);
  assert.match(page.url(), /lang=fr/, "it goes along to another view");
  await page.goto(`${stack.url}/dashboard/`);
  await loaded(page);
  assert.equal(await page.evaluate(() => document.documentElement.lang), "fr", "it is remembered");
  await page.goto(`${stack.url}/dashboard/?lang=es`);
  await loaded(page);
  await page.getByRole("link", { name: "Rechazos" }).waitFor(WAIT);
  assert.deepEqual(said, []);
});

test("the jobs and views that ship say in every language what they are and how they ended", async (t) => {
  const { page } = await signedIn(t, LOOKS[0], "?view=registry&part=jobs");
  const { rows: jobs } = await stack.database.query("select name from audience_gate.jobs order by name");
  /** @type {Record<string, string[]>} */
  const said = {};
  for (const language of ["en", ...LANGUAGES]) {
    await page.goto(`${stack.url}/dashboard/?view=registry&part=jobs&lang=${language}`);
    await loaded(page);
    const cards = page.locator("[data-job]");
    assert.deepEqual(
      await cards.evaluateAll((all) => all.map((card) => card.getAttribute("data-job"))),
      jobs.map(({ name }) => name),
    );
    assert.equal(await cards.locator("[lang=en]").count(), 0, language);
    said[language] = (await cards.allInnerTexts()).flatMap((text) => text.split("\n").slice(0, 3));
    await page.goto(`${stack.url}/dashboard/?lang=${language}`);
    await loaded(page);
    said[language].push(...await page.locator(".freshness td:nth-child(-n + 2)").allTextContents());
    assert.equal(await page.locator(".freshness [lang=en]").count(), 0, language);
  }
  for (const language of LANGUAGES) {
    const same = said[language]?.filter((text) => /[a-z]{3}/.test(text) && said["en"]?.includes(text));
    assert.deepEqual(same, [], language);
  }
});

test("a rule of the install's own speaks the reader's language, and keeps the others when it is edited", async (t) => {
  const reasons = { en: "name the page", de: "nenne die Seite", fr: "nommez la page" };
  await stack.database.query(
    "insert into public.audience_own_rules (id, site_id, schema, mode, reasons) values ('own.page', $1, '{}', 'observe', $2)",
    [SITE, JSON.stringify(reasons)],
  );
  const { page, said } = await signedIn(t, LOOKS[0], "?view=rules");
  const shown = page.locator('[data-rule="own.page"] > p').first();
  for (const [language, spoken, text] of [["de", "de", "Nenne"], ["fr", "fr", "Nommez"], ["es", "en", "Name"]]) {
    await page.goto(`${stack.url}/dashboard/?view=rules&lang=${language}`);
    await loaded(page);
    assert.match(await shown.innerText(), new RegExp(`^${text}`));
    assert.equal(await shown.getAttribute("lang"), spoken);
  }
  await page.goto(`${stack.url}/dashboard/?view=rules&rule=own.page&lang=en`);
  await loaded(page);
  await page.locator("#rule-reason").fill("name the page, please");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("status").filter({ hasText: "own.page was saved" }).waitFor(WAIT);
  const { rows: [kept] } = await stack.database.query(
    "select reasons from public.audience_own_rules where id = 'own.page'",
  );
  assert.deepEqual(kept?.reasons, { ...reasons, en: "name the page, please" });
  assert.deepEqual(said, []);
});

test("the contract says in the reader's language what is wrong, wherever it is shown", async (t) => {
  const { page, said } = await signedIn(t, LOOKS[0], "?view=registry&id=content_view");
  /** @type {Record<string, string>} */
  const first = { en: "The view lasted", de: "Der Aufruf dauerte", fr: "La vue a duré", es: "La vista duró" };
  for (const [language, begins] of Object.entries(first)) {
    const told = async (/** @type {import("playwright-core").Locator} */ reason) => {
      await reason.waitFor(WAIT);
      assert.equal((await reason.innerText()).slice(0, begins.length), begins);
      assert.equal(await reason.getAttribute("lang"), language);
    };
    await page.goto(`${stack.url}/dashboard/?lang=${language}&view=refusals&rule=engagement.content_view_threshold`);
    await loaded(page);
    await told(page.locator("[aria-labelledby=instead] > p").first());
    await page.goto(`${stack.url}/dashboard/?lang=${language}`);
    await loaded(page);
    await page.locator('.refusal[data-rule="engagement.content_view_threshold"]').click();
    await told(page.locator("dialog .dialog-body > p").first());
    await page.goto(`${stack.url}/dashboard/?lang=${language}&view=registry&id=content_view`);
    await loaded(page);
    await page.locator("#type-example").fill(
      JSON.stringify({
        event_type: "content_view",
        event_category: "engagement",
        event_source: "web",
        session_id: "session-0001",
        metadata: { content_id: "gut-health", duration_seconds: 4 },
      }),
    );
    await told(page.locator("#type-verdict li > span"));
  }
  assert.deepEqual(said, []);
});

test("a reader is sent the texts of one language", async (t) => {
  const context = await browser.newContext({ ...LOOKS[0], locale: "en-GB" });
  t.after(() => context.close());
  const page = await context.newPage();
  /** @type {string[]} */
  const sent = [];
  page.on("request", (request) => sent.push(new URL(request.url()).pathname));
  await page.goto(`${stack.url}/dashboard/`);
  await page.getByLabel("E-mail").waitFor(WAIT);
  const tables = () => sent.filter((name) => /\/texts_?(de|fr|es)|\/(de|fr|es)-/.test(name)).length;
  assert.equal(tables(), 0);
  await page.goto(`${stack.url}/dashboard/?lang=de`);
  await page.getByLabel("Passwort").waitFor(WAIT);
  assert.equal(tables(), 1, sent.join("\n"));
});
