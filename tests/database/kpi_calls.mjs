/** The calls of kpi_property.test.mjs with the answers that the definitions give, and what of two answers differs. */
import { localDay, quarters } from "./kpi_periods.mjs";

/** The figures that can be narrowed, by the names of their functions after kpi_. */
export const NARROWABLE = [
  ...["overview", "people", "visits", "visit_hours", "pages", "devices", "referrers", "campaigns"],
  ...["engagement", "feature_adoption"],
];

/** What a figure can be narrowed to, of what is generated. @type {import("./kpi_visit_model.mjs").Narrowed[]} */
export const NARROWINGS = [
  { campaign: "spring" },
  { source: "newsletter", device: "mobile" },
  { campaign: null },
  { entry_page: "/guides" },
  { referrer: "search" },
  { referrer: null, device: "desktop" },
  { tier: "consumer" },
  { tier: "system" },
  { event_type: "email_subscribe" },
  { event_type: "content_view", campaign: "autumn", medium: null },
  { event_type: "error_occurred" },
  { device: null, tier: "pro" },
  { entry_page: "/nowhere" },
];

/**
 * Each figure: the name of its function after kpi_, what else is asked, and its rows.
 *
 * @param {ReturnType<typeof import("./kpi_model.mjs").model>} truth
 * @param {import("./kpi_model.mjs").Range} range
 * @param {{ since: number, cohorts: string, today: string, steps: { name: string, type: string }[] }} more
 * @returns {[name: string, more: string, wanted: any[]][]}
 */
export function callsOf(truth, range, { since, cohorts, today, steps }) {
  const { zone, exact } = range;
  const last_days = exact && { from: quarters(since, exact.to).from, to: exact.to };
  return /** @type {any} */ ([
    [
      "overview",
      "",
      truth.overview({ ...range, grain: "total" }),
    ],
    ["people", "", truth.people({ ...range, grain: "total" })],
    ["visits", ", grain => $4", truth.visits(range).map(({ label: _, ...row }) => row)],
    ["visit_hours", "", truth.visit_hours({ ...range, first: localDay(since, zone), exact: last_days })],
    ...["entry", "exit"].map((by) => [
      "pages",
      `, by => '${by}'`,
      truth.visits({ ...range, grain: "total" }, by).map(labelled("page")),
    ]),
    ["devices", "", truth.visits({ ...range, grain: "total" }, "device").map(labelled("device"))],
    ["referrers", "", truth.visits({ ...range, grain: "total" }, "referrer").map(labelled("referrer"))],
    ...["first", "last"].map((by) => [
      "campaigns",
      `, by => '${by}'`,
      truth.campaigns({ ...range, grain: "total" }, by, steps[steps.length - 1].type),
    ]),
    ["engagement", ", grain => $4", truth.engagement(range)],
    ["feature_adoption", "", truth.feature_adoption(range)],
    ["funnel", "", truth.funnel(range, steps, 30 * 86_400_000)],
    [
      "retention",
      `, grain => '${cohorts}', periods => 5`,
      truth.retention({ ...range, grain: cohorts }, 5, today),
    ],
    ["errors", ", grain => $4", truth.errors(range)],
    ["performance", ", grain => $4", truth.performance(range)],
    ["data_quality", ", grain => $4", truth.data_quality(range)],
    ["state_funnel", "", truth.state_funnel(range)],
    ["state_dwell", "", truth.state_dwell(range)],
    ["state_trend", ", grain => $4", truth.state_trend(range)],
  ]);
}

/** What differs, number by number, beyond what rounding allows. @param {any} got @param {any} wanted @param {string} path @returns {string[]} */
export function differences(got, wanted, path) {
  if (typeof wanted === "number" && typeof got === "number") {
    const key = path.split(".").pop() ?? "";
    const allowed = /^p\d\d/.test(key)
      ? wanted * 0.0101 + 0.051
      : /average|mean_seconds/.test(key)
      ? 0.051
      : /^events_per_/.test(key)
      ? 0.0051
      : 0.0001;
    return Math.abs(got - wanted) <= allowed ? [] : [`${path}: ${got}, not ${wanted}`];
  }
  if (
    Array.isArray(wanted) && Array.isArray(got) && wanted.length === got.length
  ) {
    return wanted.flatMap((value, index) => differences(got[index], value, `${path}.${index}`));
  }
  if (
    wanted !== null && typeof wanted === "object" && got !== null &&
    typeof got === "object" && !Array.isArray(wanted)
  ) {
    return Object.keys(wanted).flatMap((key) => differences(got[key], wanted[key], `${path}.${key}`));
  }
  return got === wanted ? [] : [`${path}: ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`];
}

/** The visits by one of their labels, under its name. @param {string} name */
const labelled = (name) => (/** @type {any} */ { period: _, events_per_visit: __, label, ...row }) => ({
  [name]: label,
  ...row,
});

const KEYS = [
  "period",
  "hour",
  "cohort",
  "tier",
  "position",
  "event_type",
  "code",
  "measure",
  "rule_id",
  "from_state",
  "to_state",
  "state",
  "page",
  "device",
  "referrer",
  "campaign",
];
export const ordered = (/** @type {any[]} */ rows) =>
  rows.map((row) => ({
    row,
    key: JSON.stringify(KEYS.map((key) => row[key] ?? "")),
  }))
    .sort((a, b) => a.key < b.key ? -1 : 1).map(({ row }) => row);
