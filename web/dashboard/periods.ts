/** Calendar periods of a range: which length suits it, and which periods are empty. */
import type { Grain, Range } from "./kpi.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const QUARTER = HOUR / 4;
/** So many days are told apart by their hours. */
const BY_HOUR = 3;

export function days(range: Range): number {
  return Math.round((range.to.getTime() - range.from.getTime()) / DAY);
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
  const written = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  const all: string[] = [];
  let expected = Number.NaN;
  for (let at = from.getTime(); at < to.getTime(); at += QUARTER) {
    const shown = Date.parse(`${written.format(at).replace(" ", "T")}Z`);
    if (shown % HOUR === 0 || shown !== expected) all.push(new Date(at).toISOString());
    expected = shown + QUARTER;
  }
  return all;
}

/** The first day of every period that the range touches, as the database names it: weeks by their Monday. */
export function periodsOf(range: Range, grain: Grain): readonly string[] {
  const last = localDay(new Date(range.to.getTime() - 1), range.zone);
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

export function localDay(instant: Date, zone: string): string {
  // The Swedish way of writing a date is the ISO one.
  return instant.toLocaleDateString("sv-SE", { timeZone: zone });
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

function plusDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY).toISOString().slice(0, 10);
}
