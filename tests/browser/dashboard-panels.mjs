// What each panel of the dashboard must show, number by number, written from the truth as the page writes numbers.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { textsForEsbuild } from "../../web/dashboard/texts/tables.mjs";

// Numbers are written as the page writes them; that it writes the right ones is what is tested.
const { outputFiles: [format] } = await build({
  entryPoints: [fileURLToPath(new URL("../../web/dashboard/format.ts", import.meta.url))],
  bundle: true,
  write: false,
  format: "esm",
  target: "es2023",
  plugins: [textsForEsbuild],
});
/** @typedef {(value: any, more?: any) => string} Write */
/** @type {Record<"count" | "day" | "dayHour" | "duration" | "fixed" | "milliseconds" | "percent" | "short" | "words", Write>} */
export const { count, day, dayHour, duration, fixed, milliseconds, percent, short, words } = await import(
  `data:text/javascript,${encodeURIComponent(format?.text ?? "")}`
);

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {Record<string, any>} Row */
/**
 * @typedef {object} Seen what a panel is compared in
 * @property {Page} page
 * @property {(name: keyof typeof import("./dashboard-truth.mjs").TRUTH, more?: Record<string, unknown>) => Promise<Row[]>} truth
 * @property {(panel: string, label: string) => Promise<void>} press chooses in the head of a panel
 * @property {string} zone
 * @property {"hour" | "day" | "week" | "month"} grain what visits are told apart by
 * @property {string} tier
 * @property {boolean} narrowed whether they are of some visits
 * @property {boolean} part whether the figures are of some visits, or of hours
 * @property {Record<string, string> | undefined} before what the range is compared with
 */
/** What is shown and what is true, with a name. @typedef {[what: string, shown: unknown, expected: unknown]} Pair */

const TIERS = ["consumer", "practitioner", "clinic", "network", "system"];
const SHARES = /** @type {const} */ (["p50", "p75", "p95", "p99"]);

/** The rows of the table under a chart, the head first; it is in the page whether it is unfolded or not. @param {Page} page @param {string} panel */
const table = (page, panel) =>
  page.$$eval(
    `#${panel} table tr`,
    (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? "")),
  );
const body = async (/** @type {Page} */ page, /** @type {string} */ panel) => (await table(page, panel)).slice(1);
const sorted = (/** @type {unknown[][]} */ rows) => rows.map((row) => row.join(" | ")).sort();
const texts = (/** @type {Page} */ page, /** @type {string} */ selector) =>
  page.$$eval(selector, (all) => all.map((one) => one.textContent ?? ""));

/** The named figures of a panel. @param {Page} page @param {string} panel @returns {Promise<Record<string, string>>} */
const figures = (page, panel) =>
  page.$$eval(
    `#${panel} [data-kpi]`,
    (nodes) => Object.fromEntries(nodes.map((node) => [node.getAttribute("data-kpi"), node.textContent])),
  );

const visited = (/** @type {Row} */ row) => [
  ...[row.visits, row.people, row.bounces].map(count),
  percent(row.rate),
  duration(row.seconds),
];

/** A ranking with its table: all rows, the most visited first, and the same numbers in the bars. @param {Seen} seen @param {string} panel @param {unknown[][]} expected @param {number} at the column of the visits @returns {Promise<Pair[]>} */
async function ranked({ page }, panel, expected, at) {
  const rows = await body(page, panel);
  const visits = rows.map((row) => Number(row[at]?.replaceAll(",", "")));
  return [
    [panel, sorted(rows), sorted(expected)],
    [`${panel}: the order`, visits, visits.toSorted((a, b) => b - a)],
    [
      `${panel}: the bars`,
      await texts(page, `#${panel} .ranking strong`),
      rows.slice(0, 8).map((row) => row[at]),
    ],
  ];
}

/** What a figure is compared with. @param {number} now @param {number} then @param {boolean} good whether more is better */
function change(now, then, good = true) {
  if (then === 0) return "nothing to compare";
  const rate = now / then - 1;
  if (Math.abs(rate) < 0.005) return "unchanged";
  return `${rate > 0 ? "up" : "down"} ${percent(Math.abs(rate))} ${rate > 0 === good ? "better" : "worse"}`;
}

/** How much time a text says, and how exactly. @param {string} text */
function timeOf(text) {
  const sizes = /** @type {Record<string, number>} */ ({ d: 86_400, h: 3_600, min: 60, s: 1, ms: 0.001 });
  const parts = [...text.matchAll(/([\d.,]+) (d|h|min|ms|s)/g)].map(([, n, unit]) => [
    Number(n?.replaceAll(",", "")),
    sizes[unit ?? ""] ?? 0,
  ]);
  return { seconds: parts.reduce((sum, [n = 0, size = 0]) => sum + n * size, 0), exact: parts.at(-1)?.[1] ?? 0 };
}

/** Percentiles come from a histogram that is exact to one per cent, and are written with two or three digits. @param {string} shown @param {number} seconds */
function near(shown, seconds) {
  const { seconds: read, exact } = timeOf(shown);
  return Math.abs(read - seconds) <= 0.0101 * seconds + exact ? `near ${seconds} s` : shown;
}

/** @type {Record<string, (seen: Seen) => Promise<Pair[]>>} */
export const PANELS = {
  async overview({ page, truth, before, part, narrowed }) {
    const [now] = await truth("overview");
    const then = before && (await truth("overview", before))[0];
    const shown = await figures(page, "overview");
    const rate = (/** @type {Row} */ row) => Number((row.rejected / (row.accepted + row.rejected)).toFixed(4));
    const known = [now, then ?? now].map((row) => /** @type {Row} */ ({
      ...row,
      returning_people: row.people - row.new_people,
      rejection_rate: row.accepted + row.rejected === 0 ? 0 : rate(row),
    }));
    const all = [
      "events",
      "people",
      "new_people",
      "returning_people",
      "sessions",
      "engaged_seconds",
      ...narrowed ? [] : ["rejection_rate"],
      "errors",
    ];
    const write = (/** @type {string} */ name) =>
      name === "engaged_seconds" ? duration : name === "rejection_rate" ? percent : short;
    const changes = await page.$$eval(
      "#overview .change",
      (nodes) =>
        nodes.map((node) => [node.textContent, node.querySelector("span")?.className].filter(Boolean).join(" ")),
    );
    return [
      ["overview", all.map((name) => shown[name]), all.map((name) => write(name)(known[0][name]))],
      [
        "what came through",
        [shown.accepted, shown.rejected, shown.received],
        part ? [undefined, undefined, undefined] : [now.accepted, now.rejected, now.accepted + now.rejected].map(count),
      ],
      [
        "overview, compared",
        changes,
        !then
          ? []
          : all.map((name) => change(known[0][name], known[1][name], !["rejection_rate", "errors"].includes(name))),
      ],
    ];
  },

  async engagement({ page, truth, press, tier }) {
    const rows = (await truth("engagement")).filter((row) => tier === "all" || row.tier === tier);
    const tiers = TIERS.filter((name) => rows.some((row) => row.tier === name));
    const periods = (await truth("periods")).map((row) => row.period);
    /** @type {Pair[]} */
    const pairs = [];
    for (
      const [label, name]
        of /** @type {const} */ ([["People", "people"], ["Hours", "hours"], ["Score", "score"], ["Events", "events"]])
    ) {
      await press("engagement", label);
      const cell = (/** @type {number | undefined} */ value) =>
        value === undefined
          ? ["0", "0.0"][Number(name === "hours")]
          : name === "hours"
          ? fixed(value, 1)
          : count(value);
      pairs.push([`engagement: ${label}`, await table(page, "engagement"), [
        ["Period", ...tiers],
        ...periods.map((period) => [
          day(period),
          ...tiers.map((one) => cell(rows.find((row) => row.period === period && row.tier === one)?.[name])),
        ]),
      ]]);
    }
    return pairs;
  },

  async live({ page, truth, tier, zone }) {
    const [minutes] = await truth("lastMinutes");
    const latest = (await truth("latest")).filter((row) => tier === "all" || row.tier === tier);
    const shown = await page.$$eval("#live .ticker li", (lines) =>
      lines.map((line) => [
        new URL(line.querySelector("a")?.href ?? location.href).searchParams.get("event"),
        ...[...line.querySelectorAll("time, a, .tag")].map((part) => part.textContent),
      ]));
    return [
      [
        "the last minutes",
        await page.getAttribute("#live .fitted", "aria-label"),
        `Last 30 minutes: ${short(minutes.accepted)} accepted, ${short(minutes.refused)} refused`,
      ],
      [
        "the latest",
        latest.length === 0 ? [] : shown,
        latest.map((row) => [
          row.id,
          new Date(row.created_at).toLocaleTimeString("en-GB", { timeZone: zone }),
          row.rejected ? row.rule : words(row.event_type),
          row.rejected ? "refused" : row.event_category,
        ]),
      ],
    ];
  },

  async visits({ page, truth, zone, grain }) {
    const [all] = await truth("total");
    const shown = await figures(page, "visits");
    const rows = await truth(grain === "hour" ? "hours" : "visits");
    const found = new Map(rows.map((row) => [String(row.label), row]));
    const labels = grain === "hour" ? [...found.keys()] : (await truth("periods")).map(({ period }) => period);
    const named = (/** @type {string} */ label) =>
      grain === "hour" ? dayHour(new Date(label).toISOString(), zone) : day(label);
    return [
      ["visits in all", shown, {
        visits: count(all.visits),
        visit_people: count(all.people),
        bounce_rate: percent(all.rate),
        visit_seconds: duration(all.seconds),
        events_per_visit: fixed(all.per_visit, 2),
      }],
      [
        "visits",
        await body(page, "visits"),
        labels.map((label) => {
          const row = found.get(label);
          return [
            named(label),
            ...row?.visits ? [...visited(row), fixed(row.per_visit, 2)] : ["0", "0", "0", "", "", ""],
          ];
        }),
      ],
    ];
  },

  async campaigns(seen) {
    /** @type {Pair[]} */
    const pairs = [];
    for (const [label, name] of /** @type {const} */ ([["First touch", "firstTouch"], ["Last touch", "lastTouch"]])) {
      await seen.press("campaigns", label);
      const rows = await seen.truth(name);
      pairs.push(
        ...await ranked(
          seen,
          "campaigns",
          rows.map((row) => {
            const [campaign, ...others] =
              /** @type {(string | null)[]} */ (JSON.parse(row.label ?? "[null, null, null, null, null]"));
            return [
              campaign ?? "none",
              ...others.map((one) => one ?? ""),
              ...[row.visits, row.people, row.conversions].map(count),
              percent(row.rate),
            ];
          }),
          5,
        ),
      );
    }
    return pairs;
  },

  async pages(seen) {
    /** @type {Pair[]} */
    const pairs = [];
    for (const [label, name] of /** @type {const} */ ([["Last", "exits"], ["First", "entries"]])) {
      await seen.press("pages", label);
      pairs.push(
        ...await ranked(seen, "pages", (await seen.truth(name)).map((row) => [row.label, ...visited(row)]), 1),
      );
    }
    return pairs;
  },
  async referrers(seen) {
    return ranked(seen, "referrers", (await seen.truth("referrers")).map((row) => [row.label, ...visited(row)]), 1);
  },
  async devices(seen) {
    return ranked(seen, "devices", (await seen.truth("devices")).map((row) => [row.label, ...visited(row)]), 1);
  },

  async adoption({ page, truth, tier }) {
    const rows = (await truth("adoption")).filter((row) => tier === "all" || row.tier === tier);
    return [[
      "adoption",
      sorted(await body(page, "adoption")),
      sorted(rows.map((row) => [
        row.event_type,
        row.tier,
        count(row.people),
        percent(row.rate),
        count(row.newcomers),
        count(row.events),
        day(row.last_day),
      ])),
    ]];
  },

  async funnel({ page, truth }) {
    const steps = await truth("funnel");
    const share = (/** @type {number} */ part, /** @type {number} */ whole) =>
      percent(whole === 0 ? null : Number((part / whole).toFixed(4)));
    return [[
      "funnel",
      await body(page, "funnel"),
      steps.map((step, at) => [
        step.name,
        count(step.people),
        share(step.people, steps[0].people),
        at === 0 ? "none" : share(step.people, steps[at - 1].people),
        count(at === 0 ? 0 : steps[at - 1].people - step.people),
        duration(step.seconds),
      ]),
    ]];
  },

  async retention({ page, truth, press }) {
    /** @type {Pair[]} */
    const pairs = [];
    for (const [label, grain, length] of /** @type {const} */ ([["Days", "day", 1], ["Weeks", "week", 7]])) {
      await press("retention", label);
      const cohorts = (await truth("cohorts", { grain, length, periods: 12 })).slice(-16);
      const longest = Math.max(0, ...cohorts.map(({ retained }) => retained.length));
      pairs.push([
        `retention: ${label}`,
        await body(page, "retention"),
        cohorts.map(({ cohort, people, retained }) => [
          day(cohort),
          count(people),
          ...Array.from(
            { length: longest },
            (_, at) => at < retained.length ? percent(Number((retained[at] / people).toFixed(4))) : "",
          ),
        ]),
      ]);
    }
    return pairs;
  },

  async flow({ page, truth }) {
    return [[
      "flow",
      sorted(await body(page, "flow")),
      sorted((await truth("flow")).map((row) => [row.from_state, row.to_state, count(row.n), duration(row.stayed)])),
    ]];
  },
  async dwell({ page, truth }) {
    const rows = await truth("dwell");
    const shown = (await body(page, "dwell")).toSorted((a, b) => String(a[0]).localeCompare(String(b[0])));
    return [[
      "dwell",
      shown.map((
        row,
        at,
      ) => [...row.slice(0, 3), near(row[3] ?? "", rows[at]?.p50), near(row[4] ?? "", rows[at]?.p90)]),
      rows.map((row) => [row.state, count(row.n), duration(row.mean), `near ${row.p50} s`, `near ${row.p90} s`]),
    ]];
  },
  async states({ page, truth }) {
    const rows = await truth("states");
    const states = [...new Set(rows.map(({ state }) => state))];
    return [["states", await table(page, "states"), [
      ["Period", ...states],
      ...[...new Set(rows.map(({ period }) => period))].map((period) => [
        day(period),
        ...states.map((state) => count(rows.find((row) => row.period === period && row.state === state)?.n)),
      ]),
    ]]];
  },

  async quality({ page, truth }) {
    const found = new Map((await truth("quality")).map((row) => [row.period, row]));
    const rows = (await truth("periods")).map(({ period }) => ({
      period,
      accepted: 0,
      rejected: 0,
      unjudged: 0,
      ...found.get(period),
    }));
    const [{ n }] = await truth("refusedWhole");
    const unjudged = rows.reduce((sum, row) => sum + row.unjudged, 0);
    const aside = [
      n > 0 && (n === 1 ? "1 request was refused whole." : `${count(n)} requests were refused whole.`),
      unjudged > 0 &&
      (unjudged === 1
        ? "1 older row is not judged yet and counts nowhere."
        : `${count(unjudged)} older rows are not judged yet and count nowhere.`),
    ].filter(Boolean).join(" ");
    return [
      [
        "quality",
        await body(page, "quality"),
        rows.map(({ period, accepted, rejected }) => [
          day(period),
          count(accepted),
          count(rejected),
          percent(accepted + rejected === 0 ? null : Number((rejected / (accepted + rejected)).toFixed(4))),
        ]),
      ],
      ["beside it", (await texts(page, "#quality .panel-body p.quiet")).join(""), aside],
    ];
  },
  async refusals({ page, truth }) {
    const shown = await page.$$eval(".refusal", (rows) =>
      rows.map((row) => [
        row.getAttribute("data-rule"),
        row.querySelector(".number")?.textContent,
      ]));
    return [[
      "refusals",
      sorted(shown),
      sorted((await truth("rules")).map((row) => [row.rule, `${count(row.n)} (${percent(row.share)})`])),
    ]];
  },
  async errors({ page, truth }) {
    return [[
      "errors",
      sorted(await body(page, "errors")),
      sorted(
        (await truth("errors")).map((
          row,
        ) => [day(row.period), row.name, count(row.events), fixed(row.per_thousand, 2)]),
      ),
    ]];
  },
  async latency({ page, truth }) {
    const rows = await truth("timings");
    const shown = (await body(page, "latency")).toSorted((a, b) => String(a[0]).localeCompare(String(b[0])));
    return [[
      "latency",
      shown.map((row, at) => [
        ...row.slice(0, 3),
        ...SHARES.map((name, column) => near(row[3 + column] ?? "", rows[at]?.[name] / 1000)),
        row[7],
      ]),
      rows.map((row) => [
        row.measure,
        count(row.samples),
        milliseconds(row.mean),
        ...SHARES.map((name) => `near ${row[name] / 1000} s`),
        milliseconds(row.max),
      ]),
    ]];
  },
};
