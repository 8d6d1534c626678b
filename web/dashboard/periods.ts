/** Calendar periods of a range: which length suits it, and which periods are empty. */
import type { Grain, Range } from "./kpi.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const QUARTER = HOUR / 4;
/** So many days are told apart by their hours. */
const BY_HOUR = 3;

/** How many days of the zone a range touches. */
export function days({ from, to, zone }: Range): number {
  return (Date.parse(localDay(to.getTime() - 1, zone)) - Date.parse(localDay(from, zone))) / DAY + 1;
}

export function grainFor(range: Range): "day" | "week" | "month" {
  const length = days(range);
  return length <= 62 ? "day" : length <= 400 ? "week" : "month";
}

export function byHour(range: Range): boolean {
  return days(range) <= BY_HOUR;
}

/**
 * The moments at which the hours of a range begin: where a zone's clock shows a full hour, and where it is changed. Clocks are
 * changed at quarters of an hour, and some of them by a part of one.
 */
export function hoursOf({ from, to, zone }: Range): readonly string[] {
  const shown = (at: number): number => shownAt(at, zone);
  const begins = (at: number): boolean => shown(at) % HOUR === 0 || shown(at) !== shown(at - QUARTER) + QUARTER;
  let at = from.getTime();
  while (!begins(at)) at -= QUARTER;
  const all: string[] = [];
  for (; at < to.getTime(); at += QUARTER) if (begins(at)) all.push(new Date(at).toISOString());
  return all;
}

/** The first day of every period that the range touches, as the database names it: weeks by their Monday. */
export function periodsOf(range: Range, grain: Grain): readonly string[] {
  const last = localDay(range.to.getTime() - 1, range.zone);
  const all: string[] = [];
  for (let at = first(localDay(range.from, range.zone), grain); at <= last; at = periodEnd(at, grain)) all.push(at);
  return all;
}

/** One row for every period and key, `empty` where the database has none. */
export function filled<T extends { readonly period: string }>(
  rows: readonly T[],
  periods: readonly string[],
  key: (row: T) => string,
  empty: (period: string, key: string) => T,
): readonly T[] {
  const keys = [...new Set(rows.map(key))];
  const found = new Map(rows.map((entry) => [`${entry.period} ${key(entry)}`, entry]));
  return keys.flatMap((name) => periods.map((period) => found.get(`${period} ${name}`) ?? empty(period, name)));
}

/**
 * When a clock shows a time of a day: the first time, where it shows it twice; where it does not, the moment at which it is put
 * forward. Clocks are changed at quarters of an hour.
 */
export function moment(day: string, time: string, zone: string): Date {
  const wanted = Date.parse(`${day}T${time}Z`);
  const ahead = (at: number): number => shownAt(at, zone) - at;
  let at = wanted - Math.max(ahead(wanted - DAY), ahead(wanted + DAY));
  while (shownAt(at, zone) < wanted) at += QUARTER;
  return new Date(at);
}

/** What a zone's clock shows, as if it were a time of UTC. */
function shownAt(instant: number, zone: string): number {
  return Date.parse(`${localDay(instant, zone)}T${localTime(instant, zone)}Z`);
}

/** To make a format takes longer than to use it a hundred times. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** Day, hour and minute, in the Swedish way, which is the ISO one. */
function written(instant: Date | number, zone: string): string {
  let format = formats.get(zone);
  if (!format) {
    formats.set(
      zone,
      format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" }),
    );
  }
  return format.format(instant);
}

export function localTime(instant: Date | number, zone: string): string {
  return written(instant, zone).slice(11);
}

export function plusDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY).toISOString().slice(0, 10);
}

export function localDay(instant: Date | number, zone: string): string {
  return written(instant, zone).slice(0, 10);
}

function first(day: string, grain: Grain): string {
  if (grain === "month") return `${day.slice(0, 8)}01`;
  return grain === "week" ? plusDays(day, -weekday(day)) : day;
}

/** The first day of the period after this one. */
export function periodEnd(period: string, grain: Grain): string {
  if (grain !== "month") return plusDays(period, grain === "week" ? 7 : 1);
  const date = new Date(`${period}T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + 1, 1);
  return date.toISOString().slice(0, 10);
}

/** Monday is 0. */
function weekday(day: string): number {
  return (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
}
