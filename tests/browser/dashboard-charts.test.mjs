// Each chart is a function from rows to an element. These tests read what it drew: how many marks, how large, and in
// which colour. They draw in Chromium, because a chart is what a browser makes of it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { textsForEsbuild } from "../../web/dashboard/texts/tables.mjs";
import { launch } from "./pages.mjs";

const CHARTS = [
  "engagement",
  "adoption",
  "funnel",
  "cohorts",
  "errors",
  "latency",
  "quality",
  "live",
  "visits",
  "flow",
  "dwell",
  "states",
  "refusals",
];
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
let page;

before(async () => {
  const bundle = await build({
    stdin: {
      contents: `${CHARTS.map((name) => `import * as ${name} from "./${name}.ts";`).join("\n")}
globalThis.charts = { ${CHARTS.join(", ")} };`,
      resolveDir: fileURLToPath(new URL("../../web/dashboard/charts/", import.meta.url)),
      loader: "ts",
    },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2023",
    plugins: [textsForEsbuild],
  });
  browser = await launch();
  page = await browser.newPage();
  await page.setContent("<!doctype html><title>charts</title><main></main>");
  await page.addScriptTag({ type: "module", content: bundle.outputFiles[0].text });
  await page.waitForFunction(() => "charts" in globalThis);
});
after(() => browser?.close());

/**
 * Draws one chart and reads facts about it. Every case that does not hold is reported, not only the first.
 *
 * @param {string} chart
 * @param {{ says: string, rows: unknown, options?: Record<string, unknown>, read: string, expected: unknown }[]} cases
 *   `read` is evaluated in the page, where `element` is what was drawn, `all(mark, shape)` are its shapes, and
 *   `number(node, name)` is an attribute
 */
async function check(chart, cases) {
  const wrong = [];
  for (const { says, rows, options = {}, read, expected } of cases) {
    const facts = await page.evaluate(
      ({ chart, rows, options, read }) => {
        const drawer = `${chart}Chart`;
        const { [drawer]: draw } = Object.values(globalThis.charts).find((module) => drawer in module) ?? {};
        /** @type {Record<string, any>} */
        const given = { width: 600, grain: "day", ...options };
        if (given.now) given.now = new Date(given.now);
        if (given.unit) given.format = (/** @type {number} */ value) => `${value} ${given.unit}`;
        const element = draw(rows, given);
        document.querySelector("main")?.replaceChildren(element);
        const tools = {
          /** @param {string} mark @param {string} shape */
          all: (mark, shape) => [...element.querySelectorAll(`g[aria-label="${mark}"] ${shape}`)],
          /** @param {Element} node @param {string} name */
          number: (node, name) => Math.round(Number(node.getAttribute(name)) * 10) / 10,
        };
        return new Function("element", "all", "number", `return ${read}`)(element, tools.all, tools.number);
      },
      { chart, rows, options, read },
    );
    try {
      assert.deepEqual(facts, expected);
    } catch (error) {
      wrong.push(`${says}: ${/** @type {Error} */ (error).message}`);
    }
  }
  assert.deepEqual(wrong, []);
}

/** @param {string} period @param {string} tier @param {number} events */
const tierDay = (period, tier, events, people = events) => ({
  period,
  tier,
  events,
  people,
  events_per_person: 1,
  engaged_seconds: events * 3600,
  score: events,
});
const twoDays = [
  tierDay("2026-11-02", "consumer", 30, 3),
  tierDay("2026-11-03", "consumer", 60, 6),
  tierDay("2026-11-02", "clinic", 10, 1),
  tierDay("2026-11-03", "clinic", 20, 2),
  tierDay("2026-11-02", "all", 40, 4),
  tierDay("2026-11-03", "all", 80, 8),
];

test("engagement", () =>
  check("engagement", [
    {
      says: "is one picture with a name",
      rows: twoDays,
      options: { measure: "events" },
      read: "[element.getAttribute('role'), element.getAttribute('aria-label')]",
      expected: ["img", "Events by tier, day by day"],
    },
    {
      says: "a bar for each tier and day, but not for the sum",
      rows: twoDays,
      options: { measure: "events" },
      read: "all('rect', 'rect').length",
      expected: 4,
    },
    {
      says: "twice the events, twice the height",
      rows: twoDays,
      options: { measure: "events" },
      read:
        "((heights) => heights.map((height) => Math.round((60 * height) / Math.max(...heights))).toSorted((a, b) => a - b))(all('rect', 'rect').map((bar) => number(bar, 'height') + 1.5))",
      expected: [10, 20, 30, 60],
    },
    {
      says: "a tier's own colour",
      rows: twoDays,
      options: { measure: "events" },
      read: "[...new Set(all('rect', 'rect').map((bar) => bar.getAttribute('fill')))].toSorted()",
      expected: ["var(--tier-clinic)", "var(--tier-consumer)"],
    },
    {
      says: "people are lines, and are not added up",
      rows: twoDays,
      options: { measure: "people" },
      read: "[all('line', 'path').length, all('rect', 'rect').length]",
      expected: [2, 0],
    },
    {
      says: "weeks are as wide as seven days",
      rows: twoDays.slice(0, 1).concat(tierDay("2026-11-09", "consumer", 5)),
      options: { measure: "events", grain: "week" },
      read: "new Set(all('rect', 'rect').map((bar) => number(bar, 'width'))).size",
      expected: 1,
    },
  ]));

/** @param {string} event_type @param {string} tier @param {number} adoption_rate */
const feature = (event_type, tier, adoption_rate) => ({
  event_type,
  tier,
  adoption_rate,
  category: "engagement",
  events: 10,
  people: 5,
  active_people: 10,
  new_people: 1,
  first_day: null,
  last_day: null,
});

test("adoption", () =>
  check("adoption", [
    {
      says: "most adopted first, bars as long as the rates",
      rows: [feature("report_exported", "practitioner", 0.2), feature("page_view", "consumer", 0.8)],
      read:
        "all('bar', 'rect').slice(-2).map((bar) => [Math.round(number(bar, 'width') / 91), bar.getAttribute('fill')])",
      expected: [[4, "var(--tier-consumer)"], [1, "var(--tier-practitioner)"]],
    },
    {
      says: "the rate is written beside its bar",
      rows: [feature("page_view", "consumer", 0.815)],
      read: "all('text', 'text').map((text) => text.textContent)",
      expected: ["82%"],
    },
    {
      says: "names are words",
      rows: [feature("page_view", "consumer", 0.5)],
      read: "element.textContent.includes('Page view')",
      expected: true,
    },
  ]));

/** @param {number} position @param {number} people @param {number} dropped */
const step = (position, people, dropped) => ({
  position,
  step: `Step ${position}`,
  event_type: "x",
  people,
  rate_from_start: people / 100,
  rate_from_previous: null,
  dropped,
  average_seconds: null,
});

test("funnel", () =>
  check("funnel", [
    {
      says: "bars as long as the people",
      rows: [step(1, 100, 0), step(2, 50, 50), step(3, 10, 40)],
      read:
        "all('bar', 'rect').filter((bar) => bar.closest('g').getAttribute('fill') === 'var(--pine)').map((bar) => number(bar, 'width') / 6)",
      expected: [100, 50, 10],
    },
    {
      says: "the people lost in a pale bar, from where the bar ends",
      rows: [step(1, 100, 0), step(2, 50, 50), step(3, 10, 40)],
      read:
        "all('bar', 'rect').filter((bar) => bar.closest('g').getAttribute('fill') === 'var(--madder-wash)').map((bar) => [number(bar, 'x') / 6, number(bar, 'width') / 6])",
      expected: [[50, 50], [10, 40]],
    },
    {
      says: "steps in their order, whatever the order of rows",
      rows: [step(2, 5, 5), step(1, 10, 0)],
      read: "all('text', 'text').slice(0, 2).map((text) => text.textContent)",
      expected: ["1. Step 1", "2. Step 2"],
    },
    { says: "an empty funnel is still a picture", rows: [step(1, 0, 0)], read: "element.tagName", expected: "svg" },
  ]));

/** @param {string} day @param {number[]} retained */
const cohort = (day, retained) => ({
  cohort: day,
  people: retained[0],
  retained,
  rates: retained.map((n) => n / retained[0]),
});

test("cohorts", () =>
  check("cohort", [
    {
      says: "a cell for every period that has begun: a ragged triangle",
      rows: [cohort("2026-11-02", [100, 40, 20]), cohort("2026-11-09", [50, 5]), cohort("2026-11-16", [10])],
      options: { grain: "week" },
      read: "all('cell', 'rect').length",
      expected: 6,
    },
    {
      says: "darkest where most returned, apart from the first period",
      rows: [cohort("2026-11-02", [100, 40, 20, 0])],
      options: { grain: "week" },
      read: "all('cell', 'rect').map((cell) => cell.getAttribute('fill'))",
      expected: ["var(--sunken)", "var(--heat-5)", "var(--heat-3)", "var(--heat-0)"],
    },
    {
      says: "shares are written in the cells",
      rows: [cohort("2026-11-02", [100, 40])],
      options: { grain: "week" },
      read: "all('text', 'text').map((text) => text.textContent)",
      expected: ["100%", "40%"],
    },
    {
      says: "cells too small for text have none",
      rows: [cohort("2026-11-02", Array(13).fill(100))],
      options: { grain: "week", width: 300 },
      read: "all('text', 'text').length",
      expected: 0,
    },
  ]));

/** @param {string} period @param {string | null} code @param {number} events */
const failure = (period, code, events) => ({ period, event_type: "error_occurred", code, events, per_thousand: 1 });

test("errors", () =>
  check("errors", [
    {
      says: "no code: the event type names it",
      rows: [failure("2026-11-02", "", 2)],
      read: "charts.errors.errorNames([{ code: '', event_type: 'error_occurred', events: 2 }])",
      expected: ["error_occurred"],
    },
    {
      says: "the five worst by name, the others in one bar",
      rows: ["a", "b", "c", "d", "e", "f", "g"].map((code, index) => failure("2026-11-02", code, 10 - index)),
      read: "all('rect', 'rect').length",
      expected: 6,
    },
    {
      says: "six codes need no bar for others",
      rows: ["a", "b", "c", "d", "e", "f"].map((code) => failure("2026-11-02", code, 1)),
      read: "all('rect', 'rect').length",
      expected: 6,
    },
  ]));

/** @param {string} period @param {number} p50 */
const timing = (period, p50) => ({
  period,
  measure: "page_performance.load_ms",
  unit: "ms",
  samples: 9,
  mean: p50,
  p50,
  p75: p50 * 2,
  p95: p50 * 3,
  p99: p50 * 4,
  max: p50 * 9,
});

test("latency", () =>
  check("latency", [
    {
      says: "three bands and a line",
      rows: [timing("2026-11-02", 100), timing("2026-11-03", 120)],
      options: { unit: "ms" },
      read: "[all('area', 'path').length, all('line', 'path').length, all('dot', 'circle').length]",
      expected: [3, 1, 0],
    },
    {
      says: "a single period is a dot",
      rows: [timing("2026-11-02", 100)],
      options: { unit: "ms" },
      read: "all('dot', 'circle').length",
      expected: 1,
    },
    {
      says: "the scale begins at zero and names the unit",
      rows: [timing("2026-11-02", 100), timing("2026-11-03", 120)],
      options: { unit: "ms" },
      read: "element.textContent.includes('0 ms')",
      expected: true,
    },
  ]));

/** @param {string} period @param {number} accepted @param {number} rejected */
const received = (period, accepted, rejected) => ({
  period,
  rule_id: null,
  accepted,
  rejected,
  received: accepted + rejected,
  rate: rejected / (accepted + rejected),
  share: null,
});

test("quality", () =>
  check("quality", [
    {
      says: "accepted above, refused below, on one scale",
      rows: [received("2026-11-02", 300, 100)],
      read:
        "(([up, down]) => [Math.round(number(up, 'height') / number(down, 'height')), number(up, 'y') < number(down, 'y')])(all('rect', 'rect'))",
      expected: [3, true],
    },
    {
      says: "rows of single rules are not counted twice",
      rows: [received("2026-11-02", 300, 100), { ...received("2026-11-02", 0, 100), rule_id: "a.b" }],
      read: "all('rect', 'rect').length",
      expected: 2,
    },
  ]));

/** @param {string} period @param {number} visits @param {number | null} average_seconds */
const visited = (period, visits, average_seconds) => ({ period, visits, average_seconds, bounce_rate: null });

test("visits", () => {
  const rows = [visited("2026-11-02", 10, 30), visited("2026-11-03", 0, null), visited("2026-11-04", 5, 90)];
  const heights = "all('rect', 'rect').map((bar) => Math.round(number(bar, 'height')))";
  return check("visits", [
    {
      says: "a bar for each period, twice as high for twice as many",
      rows,
      options: { measure: "visits" },
      read: `(([one, two, three]) => [Math.round(one / three), two])(${heights})`,
      expected: [2, 0],
    },
    {
      says: "their length on the same periods",
      rows,
      options: { measure: "average_seconds" },
      read: `(([one, two, three]) => [Math.round(three / one), two])(${heights})`,
      expected: [3, 0],
    },
  ]);
});

test("live", () =>
  check("live", [
    {
      says: "a bar for each minute, and one below it where something was refused",
      rows: [{ minute: "2026-11-21T12:00:00Z", events: 4, people: 1, rejected: 2 }, {
        minute: "2026-11-21T12:01:00Z",
        events: 4,
        people: 1,
        rejected: 0,
      }],
      options: { now: "2026-11-21T12:01:30Z" },
      read: "all('rect', 'rect').filter((bar) => number(bar, 'height') > 0.5).length",
      expected: 3,
    },
    {
      says: "its name is the sum",
      rows: [{ minute: "2026-11-21T12:00:00Z", events: 4, people: 1, rejected: 2 }],
      options: { now: "2026-11-21T12:01:30Z" },
      read: "element.getAttribute('aria-label')",
      expected: "Last 30 minutes: 4 accepted, 2 refused",
    },
    {
      says: "a quiet half hour is still a picture",
      rows: [],
      options: { now: "2026-11-21T12:01:30Z" },
      read: "element.tagName",
      expected: "svg",
    },
  ]));

/** @param {string | null} from_state @param {string} to_state @param {number} transitions */
const move = (from_state, to_state, transitions) => ({ from_state, to_state, transitions, average_dwell_seconds: 60 });

const STATES = { states: ["S0", "S1", "S2", "S3"] };

test("flow", () =>
  check("flow", [
    {
      says: "ribbons as wide as the number of moves",
      options: STATES,
      rows: [move("S0", "S1", 30), move("S1", "S2", 10)],
      read:
        "all('link', 'path').map((path) => number(path, 'stroke-width') / all('link', 'path').map((other) => number(other, 'stroke-width')).reduce((a, b) => a + b)).map((share) => Math.round(share * 100))",
      expected: [75, 25],
    },
    {
      says: "up is green, down is ochre",
      options: STATES,
      rows: [move("S0", "S1", 3), move("S3", "S2", 3)],
      read: "all('link', 'path').map((path) => path.getAttribute('stroke'))",
      expected: ["var(--pine)", "var(--ochre)"],
    },
    {
      says: "a first state comes from nowhere",
      options: STATES,
      rows: [move(null, "S0", 3)],
      read: "all('text', 'text').map((text) => text.textContent)",
      expected: ["new  3", "S0  3"],
    },
    {
      says: "any states, in the order that the install gave them",
      options: { states: ["new_here", "gone", "member"] },
      rows: [move("new_here", "member", 3), move("member", "gone", 2)],
      read:
        "[all('link', 'path').map((path) => path.getAttribute('stroke')), all('text', 'text').map((text) => text.textContent)]",
      expected: [["var(--pine)", "var(--ochre)"], ["new_here  3", "member  2", "gone  2", "member  3"]],
    },
    {
      says: "both sides hold every move",
      options: STATES,
      rows: [move("S0", "S1", 3), move("S0", "S2", 4), move("S1", "S2", 5)],
      read:
        "(({ nodes }) => [0, 1].map((side) => nodes.filter((node) => node.side === side).reduce((sum, node) => sum + node.transitions, 0)))(charts.flow.layout([{ from_state: 'S0', to_state: 'S1', transitions: 3 }, { from_state: 'S0', to_state: 'S2', transitions: 4 }, { from_state: 'S1', to_state: 'S2', transitions: 5 }], ['S0', 'S1', 'S2']))",
      expected: [12, 12],
    },
  ]));

test("dwell", () =>
  check("dwell", [
    {
      says: "a dot and a line for each state, the dot before the line's end",
      rows: [{ state: "S1", stays: 9, mean_seconds: 1, p50_seconds: 86400, p90_seconds: 864000 }],
      read:
        "[all('dot', 'circle').length, number(all('dot', 'circle')[0], 'cx') < number(all('rule', 'line').at(-1), 'x2')]",
      expected: [1, true],
    },
  ]));

test("states", () =>
  check("states", [
    {
      says: "an area for each state, in its own shade",
      rows: ["S0", "S1"].flatMap((state) =>
        ["2026-11-02", "2026-11-03"].map((period) => ({ period, state, entered: 1, left_state: 0, people_at_end: 5 }))
      ),
      read: "all('area', 'path').map((path) => path.getAttribute('fill'))",
      options: { states: ["S0", "S1"] },
      expected: ["var(--heat-0)", "var(--heat-5)"],
    },
    {
      says: "as many shades as there are states, from the lowest to the highest",
      rows: ["a", "b", "c", "d", "e", "f", "g", "h"].map((state) => (
        { period: "2026-11-02", state, entered: 1, left_state: 0, people_at_end: 5 }
      )),
      options: { states: ["h", "g", "f", "e", "d", "c", "b", "a"] },
      read:
        "((shades) => [shades.length, new Set(shades).size, shades[0], shades.at(-1)])(all('area', 'path').map((path) => path.getAttribute('fill')))",
      expected: [8, 8, "var(--heat-0)", "var(--heat-5)"],
    },
  ]));

test("refusals", async () => {
  /** @param {string} rule_id @param {number} rejected */
  const rule = (rule_id, rejected) => ({ ...received("2026-11-02", 0, rejected), rule_id, share: rejected / 40 });
  const told = await page.evaluate((rows) => {
    /** @type {string[]} */
    const chosen = [];
    const list = globalThis.charts.refusals.refusalsChart(rows, (/** @type {string} */ rule) => chosen.push(rule));
    const buttons = [...list.querySelectorAll("button")];
    buttons[1].click();
    return {
      names: buttons.map((button) => button.querySelector(".rule-id")?.textContent),
      shares: buttons.map((button) =>
        button.querySelector(/** @type {"div"} */ (".bar"))?.style.getPropertyValue("--share")
      ),
      chosen,
    };
  }, [rule("base.id", 10), rule("privacy.raw_email", 20), rule("parse.json", 0), received("2026-11-02", 5, 30)]);
  assert.deepEqual(told, { names: ["privacy.raw_email", "base.id"], shares: ["1", "0.5"], chosen: ["base.id"] });
});
