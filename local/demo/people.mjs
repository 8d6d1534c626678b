import { Random, uuidOf } from "./random.mjs";

/**
 * The people of the demo. Each has a day on which they first appear, a day (or none) after which they stay away, and
 * things that they do on a visit.
 *
 * @typedef {{ event_type: string, event_category: string, metadata: Record<string, unknown>, [column: string]: unknown }} Draft
 * @typedef {object} Person
 * @property {string} name
 * @property {string | null} userId
 * @property {string} source
 * @property {number} firstDay counted from the start of the history
 * @property {number} lastDay
 * @property {number} presence the chance of coming on a day
 * @property {(random: Random, visit: number) => Draft[]} visit what happens on their n-th visit
 */

const ARTICLES = ["sleep-basics", "gut-health", "winter-training", "reading-labels", "stress-101", "first-5k"];
const PROTOCOLS = ["shoulder-rehab", "low-fodmap", "return-to-run", "sleep-restriction"];
const CAMPAIGNS = [
  { utm_source: "newsletter", utm_medium: "email", utm_campaign: "autumn-reset" },
  { utm_source: "search", utm_medium: "cpc", utm_campaign: "better-sleep" },
  { utm_source: "social", utm_medium: "paid", utm_campaign: "first-5k" },
];

/** @type {(event_type: string, metadata: Record<string, unknown>) => Draft} */
export const engagement = (event_type, metadata) => ({ event_type, event_category: "engagement", metadata });
/** @type {(event_type: string, metadata: Record<string, unknown>) => Draft} */
export const subscription = (event_type, metadata) => ({
  event_type,
  event_category: "subscription",
  metadata: { channel: "web", consent_recorded: true, ...metadata },
});
/** @type {(event_type: string, metadata: Record<string, unknown>) => Draft} */
const advocacy = (event_type, metadata) => ({ event_type, event_category: "advocacy", metadata });

const read = (/** @type {Random} */ random) => {
  const article = random.pick(ARTICLES);
  return viewed(random, article, `/articles/${article}`);
};

/** @param {Random} random @param {string} content_id @param {string} page_path @returns {Draft} */
export function viewed(random, content_id, page_path) {
  return engagement("content_view", {
    content_id,
    page_path,
    duration_seconds: 20 + random.skewed(70),
    scroll_depth_percent: random.between(30, 100),
  });
}

const performance = (/** @type {Random} */ random) =>
  engagement("page_performance", {
    page_path: `/articles/${random.pick(ARTICLES)}`,
    load_ms: random.skewed(820),
    first_byte_ms: random.skewed(140),
    largest_paint_ms: random.skewed(1300),
  });

const campaignLanding = (/** @type {Random} */ random) => landing(random.pick(CAMPAIGNS));

/** @param {Record<string, string>} campaign @returns {Draft} */
export function landing(campaign) {
  return {
    event_type: "campaign_landing",
    event_category: "attribution",
    metadata: { landing_page: "/welcome" },
    ...campaign,
  };
}

/** A passing visitor who never signs in. */
function visitor(/** @type {Random} */ random) {
  const began = random.chance(0.35) ? campaignLanding(random) : {
    event_type: "organic_landing",
    event_category: "attribution",
    metadata: { landing_page: "/", referrer_kind: random.pick(["search", "direct", "social", "referral"]) },
  };
  const drafts = [began, performance(random), engagement("page_view", { page_path: "/", device_class: "mobile" })];
  if (random.chance(0.6)) drafts.push(read(random));
  if (random.chance(0.2)) drafts.push(engagement("site_search", { page_path: "/search", result_count: 7 }));
  if (random.chance(0.05)) {
    drafts.push(engagement("error_occurred", {
      page_path: "/search",
      severity: random.pick(["warning", "error", "error", "fatal"]),
      error_code: random.pick(["search_timeout", "image_missing"]),
      component: "search",
    }));
  }
  return drafts;
}

/** What somebody does before they sign in: the tracker does not know yet who they are. @type {(draft: Draft) => Draft} */
export const unknown = (draft) => ({ ...draft, user_id: null });

/** A reader who signs up, subscribes, tries things, and with luck recommends them. Each visit begins signed out. */
function consumer(/** @type {Random} */ random, /** @type {number} */ visit, /** @type {string} */ name) {
  const drafts = [unknown(engagement("page_view", { page_path: "/", device_class: "mobile" }))];
  if (visit === 1) {
    if (random.chance(0.4)) drafts.unshift(unknown(campaignLanding(random)));
    drafts.push(unknown(read(random)), subscription("account_created", { method: "magic_link" }));
  } else {
    drafts.push(engagement("signed_in", { page_path: "/", method: "magic_link" }), read(random));
  }
  if (visit === 2 && random.chance(0.7)) {
    drafts.push({ ...subscription("email_subscribe", { form_id: "footer" }), email: `${name}@example.test` });
  }
  if (random.chance(0.5)) {
    drafts.push(engagement("feature_used", {
      feature_id: random.pick(["meal-plan", "streaks", "reminders", "journal"]),
      page_path: "/app",
    }));
  }
  if (random.chance(0.25)) {
    drafts.push(
      engagement("tool_used", { tool_id: "sleep-diary", page_path: "/tools/sleep-diary", outcome: "completed" }),
    );
  }
  if (visit === 5 && random.chance(0.45)) {
    drafts.push(subscription("plan_started", { plan_id: "plus", billing_period: "month", trial: false }));
  }
  if (visit > 4 && random.chance(0.12)) {
    drafts.push(advocacy("content_share", {
      platform: random.pick(["mastodon", "email", "whatsapp"]),
      share_type: "link",
      content_id: random.pick(ARTICLES),
    }));
  }
  if (visit > 6 && random.chance(0.06)) {
    drafts.push(advocacy("referral_click", {
      platform: "email",
      share_type: "invite",
      outbound_target: "https://app.example.test/join",
    }));
  }
  return drafts;
}

function practitioner(/** @type {Random} */ random, /** @type {number} */ visit) {
  const drafts = [
    engagement("protocol_viewed", { content_id: random.pick(PROTOCOLS), duration_seconds: 30 + random.skewed(90) }),
  ];
  if (visit === 2) drafts.push(subscription("pro_trial_started", { plan_id: "pro", trial_days: 14 }));
  if (visit === 6 && random.chance(0.6)) {
    drafts.push(subscription("pro_plan_started", { plan_id: "pro", billing_period: "year" }));
  }
  if (random.chance(0.7)) {
    drafts.push(
      engagement("protocol_logged", { content_id: random.pick(PROTOCOLS), step_count: random.between(2, 9) }),
    );
  }
  if (random.chance(0.4)) {
    drafts.push(engagement("pro_feature_used", {
      feature_id: random.pick(["templates", "outcome-charts", "reminders-pro"]),
      page_path: "/pro",
    }));
  }
  if (random.chance(0.2)) drafts.push(engagement("report_exported", { format: "pdf", content_id: "progress" }));
  if (visit > 7 && random.chance(0.08)) {
    drafts.push(advocacy("practitioner_referral", { platform: "email", share_type: "colleague" }));
  }
  return drafts;
}

function clinic(/** @type {Random} */ random, /** @type {number} */ visit, /** @type {string} */ name) {
  const workspace_id = name;
  const drafts = [
    engagement("clinic_dashboard_viewed", {
      workspace_id,
      page_path: "/clinic",
      panel_id: random.pick(["team", "load"]),
    }),
  ];
  if (visit === 1) drafts.push(engagement("workspace_created", { workspace_id, page_path: "/clinic/new" }));
  if (visit < 5) {
    drafts.push(engagement("teammate_invited", { workspace_id, page_path: "/clinic/team", seat_role: "editor" }));
  }
  if (visit === 4) {
    drafts.push(subscription("clinic_plan_started", { plan_id: "clinic", seat_count: random.between(3, 20) }));
  }
  if (random.chance(0.6)) {
    drafts.push(
      engagement("shared_protocol_edited", { workspace_id, content_id: random.pick(PROTOCOLS), editor_count: 3 }),
    );
  }
  return drafts;
}

function network(/** @type {Random} */ random, /** @type {number} */ visit) {
  const report_id = random.pick(["retention", "outcomes", "utilisation"]);
  const drafts = [engagement("aggregate_report_viewed", { report_id, page_path: "/network", site_count: 8 })];
  if (random.chance(0.5)) {
    drafts.push(engagement("benchmark_compared", { report_id, page_path: "/network", metric_id: "dwell" }));
  }
  if (visit === 3) drafts.push(subscription("network_plan_started", { plan_id: "network", site_count: 8 }));
  if (random.chance(0.3)) {
    drafts.push(engagement("aggregate_exported", { report_id, page_path: "/network", format: "csv" }));
  }
  return drafts;
}

/** @param {number} days how long the history is @returns {Person[]} */
export function people(days) {
  const random = new Random(20261121);
  /** @type {Person[]} */
  const cast = [];
  const add = (
    /** @type {number} */ count,
    /** @type {string} */ kind,
    /** @type {[low: number, high: number]} */ presence,
    /** @type {(random: Random, visit: number, name: string) => Draft[]} */ visit,
  ) => {
    for (let index = 1; index <= count; index += 1) {
      const name = `${kind}-${index}`;
      const firstDay = random.between(0, Math.floor(days * 0.8));
      cast.push({
        name,
        userId: uuidOf(name),
        source: random.pick(["web", "web", "ios", "android"]),
        firstDay,
        // Some lose interest; without them there would be no retention to look at.
        lastDay: random.chance(0.4) ? firstDay + random.between(2, 20) : days,
        presence: random.between(presence[0], presence[1]) / 100,
        visit: (chance, number) => visit(chance, number, name),
      });
    }
  };
  add(140, "consumer", [10, 55], consumer);
  add(36, "practitioner", [30, 75], practitioner);
  add(9, "clinic", [40, 80], clinic);
  add(4, "network", [30, 60], network);
  return cast;
}

export { visitor };
