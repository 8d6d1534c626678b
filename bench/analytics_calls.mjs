/** What `npm run bench:analytics` asks: every figure that counts local days, in each zone, and the others. */

export const range = (/** @type {number} */ days) => `$1, now() - interval '${days} days', now()`;
/** UTC, a zone whose days the site counts as well, and one that it does not, whose clock is changed by half an hour. */
export const [REGISTERED, OTHER] = ["Europe/Berlin", "Australia/Lord_Howe"];
const ZONES = ["UTC", REGISTERED, OTHER];
/** The figures that count local days: name, range, days, and what else is asked. @type {[string, string, number, string][]} */
const ZONED = [
  ["kpi_overview", "30 days", 30, ""],
  ["kpi_overview", "90 days", 90, ""],
  ["kpi_people", "30 days", 30, ""],
  ["kpi_people", "90 days", 90, ""],
  ["kpi_engagement", "30 days by day", 30, ""],
  // A day less than is allowed: a change of the clock between may add one.
  ["kpi_engagement", "159 days by day", 158, ""],
  ["kpi_engagement", "90 days by week", 90, ", grain => 'week'"],
  ["kpi_feature_adoption", "30 days", 30, ""],
  ["kpi_feature_adoption", "90 days", 90, ""],
  ["kpi_funnel", "30 days", 30, ""],
  ["kpi_funnel", "90 days", 90, ""],
  ["kpi_visits", "30 days by day", 30, ""],
  ["kpi_visits", "90 days by week", 90, ", grain => 'week'"],
  ["kpi_visit_hours", "1 day by hour", 1, ""],
  ["kpi_pages", "30 days, where visits began", 30, ""],
  ["kpi_pages", "30 days, where visits ended", 30, ", by => 'exit'"],
  ["kpi_referrers", "30 days", 30, ""],
  ["kpi_devices", "30 days", 30, ""],
  ["kpi_campaigns", "30 days by last touch", 30, ""],
  ["kpi_campaigns", "90 days by first touch", 90, ", by => 'first'"],
  ["kpi_retention", "90 days by week", 90, ""],
  ["kpi_retention", "30 days by day", 30, ", grain => 'day', periods => 30"],
  ["kpi_errors", "30 days by day", 30, ""],
  ["kpi_performance", "30 days", 30, ""],
  ["kpi_performance", "30 days by day", 30, ", grain => 'day'"],
  ["kpi_data_quality", "30 days", 30, ""],
  ["kpi_releases", "90 days", 90, ""],
  ["kpi_state_funnel", "30 days", 30, ""],
  ["kpi_state_dwell", "30 days", 30, ""],
  ["kpi_state_trend", "30 days by day", 30, ""],
];
/** What the figures are narrowed to: a quarter of the visits, all of them, what happened in most of them, and a range that is exact. */
export const NARROWINGS = [
  { campaign: "autumn-2026" },
  { device: null },
  { tier: "consumer" },
  { event_type: "email_subscribe" },
  { exact: true },
];
/** @type {{ what: string, call: string }[]} */
export const NARROWED = [1, 30].flatMap((days) =>
  [
    "overview",
    "people",
    "engagement",
    "feature_adoption",
    "visits",
    "visit_hours",
    "pages",
    "referrers",
    "devices",
    "campaigns",
  ]
    .map((name) => ({
      what: `kpi_${name}, ${days === 1 ? "1 day" : `${days} days`}`,
      call: `kpi_${name}(${range(days)}, narrowed => $2)`,
    }))
);
/** @type {{ name: string, what: string, zone: string, call: string }[]} */
export const CALLS = [
  ...ZONES.flatMap((zone) =>
    ZONED.map(([name, what, days, more]) => ({
      name,
      what,
      zone,
      call: `${name}(${range(days)}, time_zone => '${zone}'${more})`,
    }))
  ),
  { name: "kpi_funnels", what: "", zone: "", call: "kpi_funnels($1)" },
  { name: "kpi_live", what: "30 minutes", zone: "", call: "kpi_live($1)" },
  { name: "kpi_freshness", what: "", zone: "", call: "kpi_freshness($1)" },
];
