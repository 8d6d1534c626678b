// The dashboard's numbers on the real local stack, panel by panel, against plain SQL over the event log: in zones of whole and half
// hours, over changes of the clock, today while the day goes on, within hours, under every filter, and beside an earlier time.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { begun } from "../stack/beginning.mjs";
import { count, PANELS, percent, short } from "./dashboard-panels.mjs";
import { PREPARED, TRUTH } from "./dashboard-truth.mjs";
import { complaints, launch, LOOKS, overflow } from "./pages.mjs";

const SITE = "00000000-0000-4000-8000-000000000001";
const DEMO = { email: "demo@example.test", password: "demo-password" };
const WAIT = { timeout: 120_000 };
const [HOUR, DAY] = [3_600_000, 86_400_000];
/** @typedef {import("playwright-core").Page} Page */
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import("playwright-core").Browser} */
let browser;

/** How far a zone's clock is ahead of UTC. @param {number} at @param {string} zone */
const ahead = (at, zone) =>
  Date.parse(`${new Date(at).toLocaleString("sv-SE", { timeZone: zone }).replace(" ", "T")}Z`) - at;
const dayOf = (/** @type {number} */ at, /** @type {string} */ zone) =>
  new Date(at).toLocaleDateString("sv-SE", { timeZone: zone });
const shifted = (/** @type {string} */ day, /** @type {number} */ days) =>
  new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);
const daysOf = (/** @type {{ first: string, last: string }} */ { first, last }) =>
  Math.round((Date.parse(last) - Date.parse(first)) / DAY) + 1;

/** The latest two changes of a zone's clock, the later first. @param {string} zone */
function changes(zone) {
  const found = [];
  for (let at = Math.floor(Date.now() / HOUR) * HOUR - 2 * DAY; found.length < 2; at -= HOUR / 2) {
    if (ahead(at, zone) !== ahead(at - HOUR / 2, zone)) found.push(at);
  }
  return /** @type {[number, number]} */ (found);
}
const LORD_HOWE = "Australia/Lord_Howe";
const PAGO_PAGO = "Pacific/Pago_Pago";
/** Its clock is changed at midnight, so that one day a year has none. */
const SANTIAGO = "America/Santiago";
const CHANGES = changes(LORD_HOWE);
const AT_MIDNIGHT = changes(SANTIAGO);
/** When a clock shows a quarter to the half hour for the first of two times, and when one shows no midnight. */
const TWICE = (CHANGES.find((at) => ahead(at, LORD_HOWE) < ahead(at - 1, LORD_HOWE)) ?? 0) - HOUR / 4;
const SKIPPED = AT_MIDNIGHT.find((at) => ahead(at, SANTIAGO) > ahead(at - 1, SANTIAGO)) ?? 0;
/** The page's clock stands still, so that what goes on has one end. */
const NOW = Date.now();
const CUT = Math.round(NOW / (HOUR / 4)) * HOUR / 4;
/** A zone in which it is between ten and eleven. */
const hourAhead = (10 - new Date().getUTCHours() + 36) % 24 - 12;
const TEN = hourAhead === 0 ? "Etc/GMT" : `Etc/GMT${hourAhead > 0 ? "-" : "+"}${Math.abs(hourAhead)}`;

/** The last days until today. @param {number} days @param {string} zone */
const latest = (days, zone) => ({ first: shifted(dayOf(Date.now(), zone), 1 - days), last: dayOf(Date.now(), zone) });
/** The day on which a clock changed, and some around it. @param {number} at @param {number} before @param {number} after */
function around(at, before, after, zone = LORD_HOWE, more = "") {
  const [first, last] = [shifted(dayOf(at, zone), -before), shifted(dayOf(at, zone), after)];
  return { zone, first, last, query: `from=${first}&to=${last}${more}` };
}
const HOURS = /** @type {const} */ ("hour");
const FILTERS = { campaign: "", source: "", medium: "", page: "", referrer: "", device: "", type: "" };
/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} query
 * @property {string} zone
 * @property {string} first
 * @property {string} last
 * @property {string} [tier]
 * @property {"hour" | "day" | "week"} [grain]
 * @property {Partial<typeof FILTERS>} [narrowed]
 * @property {string} [since] when the range begins on its first day
 * @property {string} [until] and when it ends on its last
 * @property {number} [begins] when that is, where the zone's clock does not say
 * @property {"before" | "week" | "year" | "none"} [compare]
 */
/** @type {Case[]} */
const CASES = [
  { name: "four weeks in UTC", query: "", zone: "UTC", ...latest(28, "UTC") },
  {
    name: "a week of one tier",
    query: "days=7&tier=practitioner",
    zone: "UTC",
    ...latest(7, "UTC"),
    tier: "practitioner",
  },
  {
    name: "twelve weeks in the far west, beside a year before",
    query: "days=84&compare=year",
    zone: PAGO_PAGO,
    ...latest(84, PAGO_PAGO),
    grain: "week",
    compare: "year",
  },
  {
    name: "today, since ten, beside yesterday until then",
    query: "days=1",
    zone: TEN,
    ...latest(1, TEN),
    grain: "hour",
  },
  {
    name: "today of a campaign, beside the same weekday",
    query: "days=1&compare=week&campaign=autumn-reset&utm_source=newsletter",
    zone: TEN,
    ...latest(1, TEN),
    grain: "hour",
    compare: "week",
    narrowed: { campaign: "autumn-reset", source: "newsletter" },
  },
  {
    name: "a medium, beside nothing",
    query: "utm_medium=email&compare=none",
    zone: "UTC",
    ...latest(28, "UTC"),
    compare: "none",
    narrowed: { medium: "email" },
  },
  {
    name: "a referrer and a page over a change of the clock",
    ...around(CHANGES[0], 5, 4, LORD_HOWE, "&referrer=search&page=%2F1"),
    narrowed: { referrer: "search", page: "/1" },
  },
  {
    name: "a device and a type of event",
    query: "days=84&device=mobile&type=content_view",
    zone: PAGO_PAGO,
    ...latest(84, PAGO_PAGO),
    grain: "week",
    narrowed: { device: "mobile", type: "content_view" },
  },
  {
    name: "from the first of two times at which a clock shows the same until the next day",
    ...around(TWICE, 0, 1, LORD_HOWE, "&since=01:45&until=13:15"),
    since: "01:45",
    until: "13:15",
    begins: TWICE,
    grain: HOURS,
  },
  {
    name: "from a time that a clock skips on, of a device",
    ...around(SKIPPED, 0, 5, SANTIAGO, "&since=00:30&device=mobile"),
    since: "00:30",
    begins: SKIPPED,
    narrowed: { device: "mobile" },
  },
  ...["the latest", "the former"].flatMap((which, index) => [
    {
      name: `hours over ${which} change of the clock by half an hour`,
      ...around(CHANGES[index] ?? 0, 1, 1),
      grain: HOURS,
    },
    { name: `days over ${which} change of the clock by half an hour`, ...around(CHANGES[index] ?? 0, 5, 4) },
    {
      name: `hours from ${which} change of the clock at midnight on`,
      ...around(AT_MIDNIGHT[index] ?? 0, 0, 1, SANTIAGO),
      grain: HOURS,
    },
  ]),
];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "audience-gate-truth-"));
  // One after the other: if the stack cannot start, there is still a browser to close.
  browser = await launch();
  await begun(folder);
  stack = await startStack({ folder, port: await freePort() });
  await stack.database.query("select audience_gate.add_site_zone($1, $2)", [SITE, PAGO_PAGO]);
  await plant(0);
  for (const job of ["derive_states", "refresh_analytics"]) {
    await stack.database.query("select audience_gate.run_job($1)", [job]);
  }
  // What comes after a fold is read from the events themselves. Nothing moves meanwhile.
  await stack.database.query("update audience_gate.jobs set active = false");
  await plant(1);
  for (const one of PREPARED) await stack.database.query(filled(one, { site: SITE }));
});
after(async () => {
  await browser?.close();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Every twenty minutes around the changes of the clock and in the days before, somebody does something; every second time, counted from `odd`. @param {0 | 1} odd */
async function plant(odd) {
  const rows = [...CHANGES, ...AT_MIDNIGHT].flatMap((change) =>
    [change - 15.5 * DAY, change].flatMap((middle) =>
      Array.from({ length: 150 }, (_, index) => ({ at: middle + (index - 75) * HOUR / 3 + 60_000, index }))
    )
  ).filter(({ index }) => index % 2 === odd);
  await stack.database.query("begin");
  await stack.database.query("set local role audience_gate_store");
  await stack.database.query(
    `insert into public.audience_events (created_at, session_id, user_id, event_type, event_category, event_source, metadata, site_id, contract,
       rejected, utm_source, utm_campaign)
     select to_timestamp(r.at / 1000.0), 'clock-' || floor(r.at / 7200000), case when r.index % 9 = 0 then '99999999-0000-4000-8000-000000000001'::uuid end,
       t.id, t.category, 'web', r.metadata, $2, case when r.index % 25 <> 7 then audience_gate.contract_fingerprint() end,
       t.id = 'event_validation_fail', case when r.index % 11 = 0 then 'letter' end, case when r.index % 11 = 0 then 'clock' end
     from jsonb_to_recordset($1) r (at numeric, index integer, type text, metadata jsonb) join public.audience_event_types t on t.id = r.type`,
    [JSON.stringify(rows.map(({ at, index }) => ({ at, index, ...deed(index) }))), SITE],
  );
  await stack.database.query("commit");
  await stack.database.query(
    `insert into audience_gate.refused_requests (minute, site_id, reason, requests)
     select date_trunc('minute', to_timestamp(at / 1000.0)), $2, 'too_large', 3 from unnest($1::float8[]) at on conflict do nothing`,
    [rows.filter(({ index }) => index % 40 === odd).map(({ at }) => at), SITE],
  );
}

/** What somebody does. @param {number} index */
function deed(index) {
  const type = [
    "page_view",
    "content_view",
    "page_view",
    "error_occurred",
    "page_performance",
    "event_validation_fail",
    "email_subscribe",
  ][index % 7] ?? "";
  /** @type {Record<string, object>} */
  const metadata = {
    content_view: { page_path: "/guides", duration_seconds: index % 3 === 0 ? 100_000 : 90, device_class: "mobile" },
    error_occurred: { error_code: "E1/half" },
    page_performance: { load_ms: 40 + 7.5 * index },
    event_validation_fail: { validation_rule_id: ["privacy.raw_email", "subscription.consent"][index % 2] },
  };
  return { type, metadata: metadata[type] ?? { page_path: `/${index % 3}`, referrer_kind: "search" } };
}

const EVERYTHING = { site: SITE, since: "-infinity", until: "infinity", ...FILTERS };

/** The truth of a case; what it is asked for beside the range stands for itself. @param {keyof typeof TRUTH} name @param {Record<string, unknown>} values */
async function truth(name, values) {
  return (await stack.database.query(filled(TRUTH[name], values))).rows;
}

/** A query with what it names in place. @param {string} query @param {Record<string, unknown>} values */
function filled(query, values) {
  return query.replaceAll(/(?<!:):([a-z]+)/g, (_, key) => {
    const value = values[key];
    return typeof value === "number" ? String(value) : `'${value}'`;
  });
}

/** The moments between which a range of hours lies. @param {Pick<Case, "zone" | "first" | "last" | "since" | "until" | "begins">} range */
async function hoursOf({ zone, first, last, since, until, begins }) {
  const at = async (/** @type {string} */ local) => {
    const { rows: [row] } = await stack.database.query("select ($1::timestamp at time zone $2)::text as at", [
      local,
      zone,
    ]);
    return String(row?.["at"]);
  };
  return {
    since: begins ? new Date(begins).toISOString() : since ? await at(`${first} ${since}`) : "-infinity",
    until: until ? await at(`${last} ${until}`) : "infinity",
  };
}

/** What a range is compared with: as many days, as long as they have lasted until now. @param {Case} range */
async function comparedWith({ zone, first, last, since, until, compare = "before" }) {
  if (compare === "none") return undefined;
  const days = daysOf({ first, last });
  const back = (/** @type {string} */ day) =>
    compare === "year"
      ? `${Number(day.slice(0, 4)) - 1}${day.slice(4)}`
      : shifted(day, -(compare === "week" ? 7 * Math.ceil(days / 7) : days));
  const goesOn = last >= dayOf(NOW, zone);
  const cut = new Date(CUT).toLocaleString("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" }).split(
    " ",
  );
  const then = { zone, first: back(first), last: back(goesOn ? cut[0] ?? "" : last) };
  return { ...then, ...await hoursOf({ ...then, since, until: goesOn ? cut[1] : until }) };
}

const idle = (/** @type {Page} */ page) =>
  page.waitForFunction(() => !document.querySelector(".panel[aria-busy=true]"), undefined, WAIT);
const loaded = async (/** @type {Page} */ page) => {
  await page.waitForSelector("main[data-loaded] .panel:not([aria-busy=true])", WAIT);
  await idle(page);
};

test("every number of every panel equals SQL over the event log", async (t) => {
  const context = await browser.newContext({ ...LOOKS[0], timezoneId: "Asia/Kolkata", reducedMotion: "reduce" });
  t.after(() => context.close());
  const page = await context.newPage();
  const said = complaints(page);
  await page.clock.setFixedTime(NOW);
  await page.goto(`${stack.url}/dashboard/`);
  await page.getByLabel("E-mail").fill(DEMO.email);
  await page.getByLabel("Password").fill(DEMO.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await loaded(page);
  for (const one of CASES) {
    const { name, query, zone, first, last, tier = "all", grain = "day", narrowed = {} } = one;
    await t.test(`${name}: ${zone}, ${first} to ${last}`, async () => {
      await page.goto(`${stack.url}/dashboard/?${query}&zone=${encodeURIComponent(zone)}`);
      await loaded(page);
      const shown = await page.$$eval(".panel", (all) => all.map(({ id }) => id));
      assert.deepEqual(shown.toSorted(), Object.keys(PANELS).toSorted(), "each panel is expected to show something");
      const exact = await hoursOf(one);
      const values = {
        ...EVERYTHING,
        zone,
        first,
        last,
        ...narrowed,
        ...exact,
        grain: grain === "hour" ? "day" : grain,
      };
      const seen = {
        page,
        zone,
        tier,
        grain,
        narrowed: Object.keys(narrowed).length > 0,
        part: Object.keys(narrowed).length > 0 || one.since !== undefined || one.until !== undefined,
        before: await comparedWith(one),
        truth: (/** @type {keyof typeof TRUTH} */ which, more = {}) => truth(which, { ...values, ...more }),
        press: async (/** @type {string} */ panel, /** @type {string} */ label) => {
          await page.locator(`#${panel} label`, { hasText: label }).click();
          await idle(page);
        },
      };
      const wrong = [];
      for (const id of shown) {
        for (const [what, found, expected] of await PANELS[id]?.(seen) ?? []) {
          try {
            assert.deepEqual(found, expected);
          } catch (error) {
            wrong.push(`${what}: ${/** @type {Error} */ (error).message}`);
          }
        }
      }
      assert.deepEqual([...wrong, ...await overflow(page)], []);
    });
  }
  assert.deepEqual(said, []);
});

test("the numbers of a screen on the wall equal SQL, in a zone that the site keeps", async (t) => {
  const secret = "5ec".padEnd(64, "0");
  await stack.database.query(
    "insert into public.audience_wall_links (site_id, name, digest, expires_at) values ($1, 'hall', sha256(convert_to($2, 'UTF8')), now() + interval '1 day')",
    [SITE, secret],
  );
  const context = await browser.newContext({ ...LOOKS[0], timezoneId: PAGO_PAGO, reducedMotion: "reduce" });
  t.after(() => context.close());
  const page = await context.newPage();
  const said = complaints(page);
  await page.goto(`${stack.url}/dashboard/#wall=${secret}`);
  await page.waitForSelector("main[data-loaded=wall]", WAIT);
  const zone = PAGO_PAGO;
  const [[today], [month], visits] = await Promise.all([
    truth("overview", { ...EVERYTHING, zone, ...latest(1, zone) }),
    truth("overview", { ...EVERYTHING, zone, ...latest(28, zone) }),
    truth("visits", { ...EVERYTHING, zone, grain: "day", ...latest(28, zone) }),
  ]);
  assert.deepEqual(
    await page.$$eval(
      ".wall section",
      (tiles) => tiles.slice(0, 4).map((tile) => [...tile.children].map((one) => one.textContent)),
    ),
    [
      ["Events today", count(today?.events), `${short(month?.events)} in 28 days`],
      ["People today", count(today?.people), `${short(month?.people)} in 28 days`],
      ["Sessions today", count(today?.sessions), `${short(month?.sessions)} in 28 days`],
      ["Refused today", refused(today), `${refused(month)} in 28 days`],
    ],
  );
  const byDay = new Map(visits.map(({ label, visits }) => [label, visits]));
  const bars = await page.locator(".wall section", { hasText: "Visits by day" }).locator("svg").getAttribute(
    "aria-label",
  );
  assert.equal(
    bars,
    `Visits by day: ${
      [...byDay].toSorted(([a], [b]) => String(a).localeCompare(String(b))).map(([, n]) => n).join(", ")
    }`,
  );
  assert.deepEqual(said, []);

  /** @param {Record<string, any> | undefined} row */
  function refused(row) {
    const received = row?.accepted + row?.rejected;
    return percent(received === 0 ? null : Number((row?.rejected / received).toFixed(4)));
  }
});
