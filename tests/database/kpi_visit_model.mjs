/**
 * Visits as KPI.md defines them, and which of them a narrowed figure keeps to; a part of kpi_model.mjs.
 *
 * @typedef {import("./kpi_model.mjs").Event} Event
 * @typedef {import("./kpi_model.mjs").Type} Type
 * @typedef {Record<string, string | boolean | null>} Narrowed
 * @typedef {ReturnType<typeof visitsOf>[number]} Visit
 */
import { createHash } from "node:crypto";
import { groups, localDay } from "./kpi_periods.mjs";

/**
 * A visit is a session; what happened at the same time is in the order of the ids. A campaign is credited with the visits of its
 * person from it to the next.
 *
 * @param {{ activity: Event[], received: Event[], linked: (session: string) => string | null, types: Record<string, Type> }} known
 */
export function visitsOf({ activity, received, linked }) {
  const accepted = groups(received.filter(({ rejected }) => !rejected), ({ session }) => session);
  const visits = [...groups(activity, ({ session }) => session)].map(([session, events]) => {
    events.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
    const times = events.map(({ at }) => at);
    const [started, ended] = [times[0], times[times.length - 1]];
    const senders = new Set(events.map(({ user }) => user ?? `session:${session}`));
    const pages = events.flatMap(({ page }) => page ?? []);
    return {
      session,
      key: createHash("md5").update(session).digest("hex"),
      person: linked(session) ?? (senders.size === 1 ? [...senders][0] : `session:${session}`),
      started,
      day: (/** @type {string} */ zone) => localDay(started, zone),
      seconds: (ended - started) / 1000,
      events: events.length,
      types: new Set(events.map(({ type }) => type)),
      happened: new Set((accepted.get(session) ?? []).map(({ type }) => type)),
      touches: events.flatMap(({ campaign }) => campaign ?? []),
      labels: /** @type {Record<string, string | undefined>} */ ({
        entry: pages[0],
        exit: pages[pages.length - 1],
        device: events.flatMap(({ device }) => device ?? [])[0],
        referrer: events.flatMap(({ referrer }) => referrer ?? [])[0],
      }),
    };
  });
  return [...groups(visits, ({ person }) => person).values()].flatMap((own) => {
    own.sort((a, b) => a.started - b.started || (a.key < b.key ? -1 : 1));
    const first = own.find(({ touches }) => touches.length > 0)?.touches[0] ?? null;
    /** @type {string | null} */
    let last = null;
    return own.map((visit) => {
      last = visit.touches.at(-1) ?? last;
      return { ...visit, first, last };
    });
  });
}

/** @param {string} type @param {Narrowed} narrowed @param {Record<string, Type>} types */
export function isOfType(type, narrowed, types) {
  return type === (narrowed.event_type ?? type) && types[type].tier === (narrowed.tier ?? types[type].tier);
}

/** @param {Visit} visit @param {Narrowed} narrowed @param {Record<string, Type>} types */
export function isWanted(visit, narrowed, types) {
  /** @type {Narrowed} */
  const said = {
    source: visit.last === null ? null : "newsletter",
    medium: null,
    campaign: visit.last,
    entry_page: visit.labels.entry ?? null,
    referrer: visit.labels.referrer ?? null,
    device: visit.labels.device ?? null,
  };
  return Object.entries(narrowed).every(([key, value]) => key in said ? said[key] === value : true) &&
    [...visit.happened].some((type) => isOfType(type, narrowed, types));
}
