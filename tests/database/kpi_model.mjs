/**
 * The definitions of KPI.md, computed the slow way from a list of events: no views, no tail, no SQL.
 *
 * @typedef {{ id: string, site: string, user: string | null, session: string, type: string, rejected: boolean, rule?: string,
 *   unjudged: boolean, replayed?: boolean, replayOf?: string, at: number, received: number, sent: number, seconds: number,
 *   measure?: number, code?: string, campaign?: string, page?: string, device?: string,
 *   referrer?: string }} Event
 * @typedef {{ site: string, user: string, from: string | null, to: string, at: number }} Move
 * @typedef {{ category: string, tier: string, weight: number }} Type
 * @typedef {{ first: string, last: string, zone: string, grain: string, exact?: { from: number, to: number } }} Range
 */
import {
  between,
  groups,
  inside,
  localDay,
  localHour,
  monday,
  periodOf,
  plus,
  ratio,
  sum,
  within,
} from "./kpi_periods.mjs";
import { states } from "./kpi_state_model.mjs";
import { isOfType, isWanted, visitsOf } from "./kpi_visit_model.mjs";

/** @param {Event[]} all @param {Move[]} moves @param {Record<string, Type>} types @param {string} site @param {string} [rule] @param {import("./kpi_visit_model.mjs").Narrowed} [narrowed] */
export function model(all, moves, types, site, rule = "session", narrowed = {}) {
  const here = all.filter((event) => event.site === site);
  const received = here.filter(({ unjudged }) => !unjudged);
  // Of a rejection and its replay one is counted, as an accepted event at the time of the first.
  const receipts = here.filter(({ replayOf }) => !replayOf)
    .map(({ replayed, rejected, ...event }) => ({ ...event, rejected: rejected && !replayed }));
  // The users known of each session, whatever their events are about, except those that are written about people.
  const usersOf = new Map([
    ...groups(
      received.filter(({ rejected, user, type }) => !rejected && user !== null && types[type].category !== "retention"),
      ({ session }) => session,
    ),
  ].map(([session, group]) => [session, [...new Set(group.map(({ user }) => /** @type {string} */ (user)))]]));
  const linked = (/** @type {string} */ session) => {
    const users = usersOf.get(session) ?? [];
    return rule === "session" && users.length === 1 ? users[0] : null;
  };
  const person = (/** @type {Event} */ { user, session }) => user ?? linked(session) ?? `session:${session}`;
  const activity = received.filter(({ rejected, type }) =>
    !rejected && types[type].tier !== "system" &&
    types[type].category !== "retention"
  );
  const errorTypes = new Set([
    "error_occurred",
    "server_error",
    "auth_sign_in_failed",
  ]);
  const errors = received.filter(({ rejected, type }) => !rejected && errorTypes.has(type));
  const people = (/** @type {Event[]} */ events) => new Set(events.map(person)).size;
  const visits = visitsOf({ activity, received, linked, types });
  const wanted = visits.filter((visit) => isWanted(visit, narrowed, types));
  const sessions = new Set(wanted.map(({ session }) => session));
  const isKept = (/** @type {Event} */ { session, type }) => sessions.has(session) && isOfType(type, narrowed, types);
  const whole = Object.keys(narrowed).every((key) => key === "exact");
  const counted = (/** @type {import("./kpi_visit_model.mjs").Visit[]} */ group) => ({
    visits: group.length,
    people: new Set(group.map((visit) => visit.person)).size,
    bounces: group.filter(({ events }) => events === 1).length,
    bounce_rate: group.filter(({ events }) => events === 1).length / group.length,
    average_seconds: sum(group.map(({ seconds }) => seconds)) / group.length,
    events_per_visit: sum(group.map(({ events }) => events)) / group.length,
  });
  const kept = activity.filter(isKept);
  const active = (/** @type {Range} */ range) => kept.filter(({ at }) => within(at, range));
  /** Those who did nothing before the range, or nothing of a kind. */
  const newcomers = (/** @type {(event: Event) => string} */ key, /** @type {Range} */ range) => {
    const isEarlier = (/** @type {number} */ at) =>
      range.exact === undefined ? localDay(at, range.zone) < range.first : at < range.exact.from;
    const known = new Set(activity.filter(({ at }) => isEarlier(at)).map(key));
    return (/** @type {Event[]} */ events) => [...new Set(events.map(key))].filter((one) => !known.has(one)).length;
  };

  return {
    overview(/** @type {Range} */ range) {
      const events = active(range);
      const fresh = newcomers(person, range)(events);
      const arrived = receipts.filter((event) => !event.unjudged && within(event.received, range));
      const rejected = arrived.filter((event) => event.rejected).length;
      return [{
        events: events.length,
        people: people(events),
        new_people: fresh,
        returning_people: people(events) - fresh,
        sessions: wanted.filter(({ started }) => within(started, range)).length,
        engaged_seconds: sum(events.map(({ seconds }) => seconds)),
        score: sum(events.map(({ type }) => types[type].weight)),
        rejected: whole ? rejected : null,
        rejection_rate: whole ? ratio(rejected, arrived.length) : null,
        errors: errors.filter((event) => whole || isKept(event))
          .filter(({ at }) => within(at, range)).length,
      }];
    },
    people(/** @type {Range} */ range) {
      const events = active(range);
      const everybody = [...new Set(events.map(person))];
      const users = everybody.filter((one) => !one.startsWith("session:")).length;
      const anonymous = events.filter(({ user }) => user === null);
      const sessions = [...new Set(events.map(({ session }) => session))].map((session) => ({
        shared: (usersOf.get(session) ?? []).length > 1,
        anonymous: anonymous.some((event) => event.session === session),
        linked: linked(session) !== null,
      }));
      const own = sessions.filter(({ shared }) => !shared);
      return [{
        people: everybody.length,
        signed_in_people: users,
        visitors: everybody.length - users,
        sessions: sessions.length,
        signed_in_sessions: own.filter((session) => !session.anonymous).length,
        stitched_sessions: own.filter((session) => session.anonymous && session.linked).length,
        unstitched_sessions: own.filter((session) => session.anonymous && !session.linked).length,
        shared_sessions: sessions.length - own.length,
        stitched_events: anonymous.filter(({ session }) => linked(session) !== null).length,
      }];
    },
    visits(/** @type {Range} */ range, by = "") {
      const rows = wanted.filter(({ started }) => within(started, range))
        .map((visit) => ({ visit, period: periodOf(visit.day(range.zone), range), label: visit.labels[by] ?? null }));
      return [...groups(rows, ({ period, label }) => `${period} ${label}`).values()].map((group) => ({
        period: group[0].period,
        label: group[0].label,
        ...counted(group.map(({ visit }) => visit)),
      }));
    },
    visit_hours(/** @type {Range} */ range) {
      const rows = wanted.filter(({ started }) => within(started, range))
        .map((visit) => ({ visit, hour: new Date(localHour(visit.started, range.zone)).toISOString() }));
      return [...groups(rows, ({ hour }) => hour).values()].map((group) => ({
        hour: group[0].hour.replace(".000Z", "+00:00"),
        ...counted(group.map(({ visit }) => visit)),
      }));
    },
    campaigns(/** @type {Range} */ range, /** @type {string} */ by, /** @type {string} */ goal) {
      const credited = wanted.filter(({ started }) => within(started, range))
        .map((visit) => ({ visit, touch: by === "first" ? visit.first : visit.last }));
      return [...groups(credited, ({ touch }) => touch ?? "").values()].map((group) => {
        const conversions = group.filter(({ visit }) => visit.types.has(goal)).length;
        return {
          campaign: group[0].touch,
          visits: group.length,
          people: new Set(group.map(({ visit }) => visit.person)).size,
          conversions,
          conversion_rate: conversions / group.length,
        };
      });
    },
    engagement(/** @type {Range} */ range) {
      const rows = active(range).flatMap((event) =>
        ["all", types[event.type].tier].map((tier) => ({
          event,
          tier,
          period: periodOf(localDay(event.at, range.zone), range),
        }))
      );
      return [
        ...groups(rows, ({ period, tier }) => `${period} ${tier}`).values(),
      ].map((group) => {
        const events = group.map(({ event }) => event);
        return {
          period: group[0].period,
          tier: group[0].tier,
          events: events.length,
          people: people(events),
          events_per_person: events.length / people(events),
          engaged_seconds: sum(events.map(({ seconds }) => seconds)),
          score: sum(events.map(({ type }) => types[type].weight)),
        };
      });
    },
    feature_adoption(/** @type {Range} */ range) {
      const events = active(range);
      const fresh = newcomers((event) => `${event.type} ${person(event)}`, range);
      return [...groups(events, ({ type }) => type)].map(([type, group]) => {
        const days = group.map(({ at }) => localDay(at, range.zone)).sort();
        return {
          event_type: type,
          category: types[type].category,
          tier: types[type].tier,
          events: group.length,
          people: people(group),
          active_people: people(events),
          adoption_rate: people(group) / people(events),
          new_people: fresh(group),
          first_day: days[0],
          last_day: days[days.length - 1],
        };
      });
    },
    funnel(
      /** @type {Range} */ range,
      /** @type {{ name: string, type: string }[]} */ steps,
      /** @type {number} */ window,
    ) {
      const reached = steps.map(() => /** @type {number[]} */ ([]));
      for (const events of groups(activity, person).values()) {
        const entries = events.filter(({ type, at }) =>
          type === steps[0].type && inside(localDay(at, range.zone), range)
        );
        if (entries.length === 0) continue;
        const entered = Math.min(...entries.map(({ at }) => at));
        let at = entered;
        for (const [index, step] of steps.entries()) {
          const from = at;
          const times = events.filter((event) =>
            event.type === step.type && event.at >= from &&
            event.at <= entered + window
          )
            .map((event) => event.at);
          if (times.length === 0) break;
          at = Math.min(...times);
          reached[index].push((at - entered) / 1000);
        }
      }
      return steps.map(({ name, type }, index) => ({
        position: index + 1,
        step: name,
        event_type: type,
        people: reached[index].length,
        rate_from_start: ratio(reached[index].length, reached[0].length),
        rate_from_previous: index === 0 ? null : ratio(reached[index].length, reached[index - 1].length),
        dropped: index === 0 ? 0 : reached[index - 1].length - reached[index].length,
        average_seconds: ratio(sum(reached[index]), reached[index].length),
      }));
    },
    retention(
      /** @type {Range} */ range,
      /** @type {number} */ periods,
      /** @type {string} */ today,
    ) {
      const length = range.grain === "week" ? 7 : 1;
      const start = (/** @type {string} */ day) => range.grain === "week" ? monday(day) : day;
      const seen = [...groups(activity, person).values()].map((events) => {
        const days = [
          ...new Set(events.map(({ at }) => start(localDay(at, range.zone)))),
        ].sort();
        return { cohort: days[0], days: new Set(days) };
      }).filter(({ cohort }) => cohort >= start(range.first) && cohort <= range.last);
      return [...groups(seen, ({ cohort }) => cohort)].map(
        ([cohort, group]) => {
          const most = Math.min(
            periods,
            Math.floor(between(today, cohort) / length),
          );
          const retained = Array.from(
            { length: most + 1 },
            (_, later) =>
              group.filter(({ days }) => days.has(plus(cohort, later * length)))
                .length,
          );
          return {
            cohort,
            people: group.length,
            retained,
            rates: retained.map((count) => count / group.length),
          };
        },
      );
    },
    errors(/** @type {Range} */ range) {
      const rows = errors.map((event) => ({
        event,
        day: localDay(event.at, range.zone),
      })).filter(({ day }) => inside(day, range))
        .map(({ event, day }) => ({ event, period: periodOf(day, range) }));
      return [
        ...groups(
          rows,
          ({ event, period }) => `${period} ${event.type} ${event.code ?? ""}`,
        ).values(),
      ].map((group) => {
        const [{ event, period }] = group;
        const beside = active(range).filter(({ at }) => periodOf(localDay(at, range.zone), range) === period).length;
        return {
          period,
          event_type: event.type,
          code: event.code ?? "",
          events: group.length,
          per_thousand: ratio(1000 * group.length, beside),
        };
      });
    },
    performance(/** @type {Range} */ range) {
      const rows = received.filter(({ rejected, measure }) => !rejected && measure !== undefined)
        .map((event) => ({
          value: /** @type {number} */ (event.measure),
          day: localDay(event.at, range.zone),
        }))
        .filter(({ day }) => inside(day, range));
      return [...groups(rows, ({ day }) => periodOf(day, range))].map(
        ([period, group]) => {
          const values = group.map(({ value }) => value).sort((a, b) => a - b);
          const rank = (/** @type {number} */ q) => values[Math.max(Math.ceil(q * values.length), 1) - 1];
          return {
            period,
            measure: "page_performance.load_ms",
            unit: "ms",
            samples: values.length,
            mean: sum(values) / values.length,
            p50: rank(0.5),
            p75: rank(0.75),
            p95: rank(0.95),
            p99: rank(0.99),
            max: values[values.length - 1],
          };
        },
      );
    },
    data_quality(/** @type {Range} */ range) {
      const rows = receipts.map((event) => ({
        event,
        day: localDay(event.received, range.zone),
      }))
        .filter(({ day }) => inside(day, range));
      return [...groups(rows, ({ day }) => periodOf(day, range))].flatMap(
        ([period, everything]) => {
          const group = everything.filter(({ event }) => !event.unjudged);
          const rejected = group.filter(({ event }) => event.rejected);
          const row = (
            /** @type {string | null} */ rule_id,
            /** @type {number} */ count,
          ) => ({
            period,
            rule_id,
            accepted: group.length - rejected.length,
            rejected: count,
            received: group.length,
            rate: ratio(count, group.length),
            share: ratio(count, rejected.length),
            unjudged: everything.length - group.length,
            refused_requests: 0,
          });
          return [
            row(null, rejected.length),
            ...[...groups(rejected, ({ event }) => event.rule ?? "")]
              .map(([rule, of]) => row(rule, of.length)),
          ];
        },
      );
    },
    ...states(moves.filter((move) => move.site === site)),
  };
}
