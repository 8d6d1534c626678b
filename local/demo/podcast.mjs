import { engagement, landing, subscription, unknown, viewed } from "./people.mjs";
import { Random, uuidOf } from "./random.mjs";
import { DAY, WEEK, Writer } from "./writer.mjs";

/** The second site of the demo, which podcast.sql makes. */
export const PODCAST = "00000000-0000-4000-8000-000000000002";

const EPISODES = ["night-shift", "naps", "jet-lag", "dreams"];

/**
 * What brings listeners: of ten visitors, how many come by it; how many become listeners in all; and which share of those starts
 * a plan. The one that brings most visits brings fewest plans.
 */
const CAMPAIGNS = [
  {
    utm: { utm_source: "radio", utm_medium: "audio", utm_campaign: "night-shift" },
    visitors: 5,
    listeners: 6,
    plans: 0.1,
  },
  {
    utm: { utm_source: "newsletter", utm_medium: "email", utm_campaign: "autumn-reset" },
    visitors: 1,
    listeners: 16,
    plans: 0.8,
  },
  {
    utm: { utm_source: "clinic", utm_medium: "referral", utm_campaign: "sleep-course" },
    visitors: 1,
    listeners: 8,
    plans: 0.5,
  },
];

/**
 * Six weeks of a small site beside the magazine, day by day, the oldest first.
 *
 * @param {{ now: number, days: number }} span
 * @returns {Generator<{ start: number, events: Record<string, unknown>[] }>}
 */
export function* podcast({ now, days }) {
  const cast = listeners(days);
  const visits = new Map(cast.map((one) => [one, 0]));
  const today = Math.floor(now / DAY) * DAY;

  for (let day = 0; day <= days; day += 1) {
    const start = today - (days - day) * DAY;
    const random = new Random(500 + day);
    const busy = WEEK[new Date(start).getUTCDay()];
    const writer = new Writer(random, start, Math.min(start + DAY, now - 60_000), day, 0);
    for (let index = 0; index < Math.round(9 * busy); index += 1) {
      writer.session({ name: `guest-${index}`, userId: null, source: "web" }, guest(random));
    }
    for (const one of cast) {
      if (day < one.firstDay || (day > one.firstDay && !random.chance(0.35 * busy))) continue;
      const visit = (visits.get(one) ?? 0) + 1;
      visits.set(one, visit);
      writer.session({ name: one.name, userId: uuidOf(one.name), source: "web" }, listening(random, visit, one));
    }
    const events = writer.events.map((event) => ({ ...event, site_id: PODCAST }));
    yield { start, events: events.sort((a, b) => a.occurred_at < b.occurred_at ? -1 : 1) };
  }
}

/** @typedef {{ name: string, firstDay: number, utm: Record<string, string>, starts: boolean }} Listener */

/** @returns {Listener[]} */
function listeners(/** @type {number} */ days) {
  const random = new Random(20261122);
  return CAMPAIGNS.flatMap(({ utm, listeners, plans }) =>
    Array.from({ length: listeners }, (_, nth) => ({
      name: `listener-${utm.utm_source}${nth + 1}`,
      firstDay: random.between(0, Math.floor(days * 0.8)),
      utm,
      starts: nth < Math.round(listeners * plans),
    }))
  );
}

const listen = (/** @type {Random} */ random) => {
  const episode = random.pick(EPISODES);
  return viewed(random, episode, `/episodes/${episode}`);
};

function guest(/** @type {Random} */ random) {
  const at = random.between(1, 10);
  const campaign = CAMPAIGNS.find(({ visitors }, nth) =>
    at <= CAMPAIGNS.slice(0, nth).reduce((sum, one) => sum + one.visitors, visitors)
  );
  const drafts = [engagement("page_view", { page_path: "/", device_class: random.pick(["mobile", "desktop"]) })];
  if (campaign) drafts.unshift(landing(campaign.utm));
  if (random.chance(0.5)) drafts.push(listen(random));
  return drafts;
}

/** Who stays opens an account at once, subscribes on the second visit, and starts a plan on the third or never. */
function listening(
  /** @type {Random} */ random,
  /** @type {number} */ visit,
  /** @type {Listener} */ { name, utm, starts },
) {
  const drafts = [unknown(engagement("page_view", { page_path: "/", device_class: "mobile" }))];
  if (visit === 1) {
    drafts.unshift(unknown(landing(utm)));
    drafts.push(subscription("account_created", { method: "magic_link" }));
  } else drafts.push(engagement("signed_in", { page_path: "/", method: "magic_link" }));
  drafts.push(listen(random));
  if (visit === 2) {
    drafts.push({ ...subscription("email_subscribe", { form_id: "episode" }), email: `${name}@example.test` });
  }
  if (visit === 3 && starts) {
    drafts.push(subscription("plan_started", { plan_id: "listener", billing_period: "month", trial: false }));
  }
  return drafts;
}
