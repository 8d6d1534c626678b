import { people, visitor } from "./people.mjs";
import { Random } from "./random.mjs";
import { DAY, WEEK, Writer } from "./writer.mjs";

/** A release is deployed on one day a week. On the last of them the app forgot to record the consent of who signed up. */
const RELEASED = 2;
const BROKEN = { tracker: "app 4.2.0", signUps: 31 };

/**
 * Six weeks of a growing site, day by day, the oldest first. Only the dates differ from one run to the next.
 *
 * @param {{ now: number, days: number }} span
 * @returns {Generator<{ start: number, events: Record<string, unknown>[] }>}
 */
export function* history({ now, days }) {
  const cast = people(days);
  const visits = new Map(cast.map((person) => [person, 0]));
  const today = Math.floor(now / DAY) * DAY;

  for (let day = 0; day <= days; day += 1) {
    const start = today - (days - day) * DAY;
    const random = new Random(day + 1);
    const writer = new Writer(random, start, Math.min(start + DAY, now - 60_000), day);

    const passers = Math.round((14 + day * 0.7) * WEEK[new Date(start).getUTCDay()]);
    for (let index = 0; index < passers; index += 1) {
      writer.session({ name: `visitor-${index}`, userId: null, source: "web" }, visitor(random));
    }
    for (const person of cast) {
      const present = day >= person.firstDay && day <= person.lastDay &&
        (day === person.firstDay || random.chance(person.presence * WEEK[new Date(start).getUTCDay()]));
      if (!present) continue;
      const visit = (visits.get(person) ?? 0) + 1;
      visits.set(person, visit);
      writer.session(person, person.visit(random, visit));
    }
    writer.system("job_completed", { job_id: "nightly-report", duration_ms: random.skewed(4200), row_count: 1200 });
    writer.system("server_performance", { load_ms: random.skewed(90), component: "api", request_count: 5400 });
    if (day % 7 === RELEASED) writer.system("release_deployed", { release_id: `2026.${day}` });
    const broken = day % 7 === RELEASED && day + 7 > days ? unconsented(start, day) : [];

    yield { start, events: [...writer.events, ...broken].sort((a, b) => a.occurred_at < b.occurred_at ? -1 : 1) };
  }
}

/** What the app sent on the day of its broken release; drawn apart, so that everything else is as without it. */
function unconsented(/** @type {number} */ start, /** @type {number} */ day) {
  const writer = new Writer(new Random(1000 + day), start, start + DAY, day, 0);
  for (let index = 0; index < BROKEN.signUps; index += 1) {
    writer.session({ name: `reader-app-${index}`, userId: null, source: "ios" }, [{
      event_type: "email_subscribe",
      event_category: "subscription",
      email: `app-${index}@example.test`,
      metadata: { channel: "app", form_id: "welcome", tracker: BROKEN.tracker },
    }]);
  }
  return writer.events;
}
