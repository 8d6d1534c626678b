/** How numbers, times and names are written, everywhere alike. */
import { language, t } from "./texts.ts";

const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
const one = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const share = [0, 1].map((digits) =>
  new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: digits })
);
/** English of which days come before months and hours are 24. */
const times = language === "en" ? "en-GB" : language;

export const count = (value: number): string => whole.format(value);
export const short = (
  value: number,
): string => (Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value));

export function percent(rate: number | null): string {
  if (rate === null) return t("none");
  const small = rate !== 0 && Math.abs(rate) < 0.1;
  return share[small ? 1 : 0]?.format(rate) ?? "";
}

/** A number with a fixed count of digits after the point; an empty text if there is no number. */
export function fixed(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined) return "";
  return value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const UNITS = [["{n} d", 86_400], ["{n} h", 3_600], ["{n} min", 60], ["{n} s", 1]] as const;

/** A stretch of time in its two largest units. */
export function duration(seconds: number | null): string {
  if (seconds === null) return t("none");
  if (seconds < 1) return seconds <= 0 ? t("{n} s", { n: 0 }) : t("{n} ms", { n: Math.round(seconds * 1000) });
  const at = UNITS.findIndex(([, size]) => seconds >= size);
  const [unit, size] = UNITS[at] ?? UNITS[3];
  const next = UNITS[at + 1];
  const large = Math.floor(seconds / size);
  const small = next && large < 10 ? Math.floor((seconds % size) / next[1]) : 0;
  return next && small > 0 ? `${t(unit, { n: large })} ${t(next[0], { n: small })}` : t(unit, { n: large });
}

export function milliseconds(value: number): string {
  return value >= 1000
    ? t("{n} s", { n: one.format(value / 1000) })
    : t("{n} ms", { n: (value < 10 ? one : whole).format(value) });
}

export function day(period: string): string {
  return utc(period).toLocaleDateString(language, { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });
}

export function dayShort(period: string): string {
  return utc(period).toLocaleDateString(language, { timeZone: "UTC", day: "numeric", month: "short" });
}

/** The days of a range, the last one included; of one that is exact, from when until when. */
export function span(
  { from, to, zone }: { readonly from: Date; readonly to: Date; readonly zone: string },
  exact: boolean,
): string {
  if (exact) {
    return new Intl.DateTimeFormat(times, { dateStyle: "medium", timeStyle: "short", timeZone: zone }).formatRange(
      from,
      to,
    );
  }
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: zone }).formatRange(
    from,
    new Date(to.getTime() - 1),
  );
}

/** The month that a day is in, with its year where one begins. */
export function month(period: string): string {
  const date = utc(period);
  const year = date.getUTCMonth() === 0 ? { year: "numeric" } as const : {};
  return date.toLocaleDateString(language, { timeZone: "UTC", month: "short", ...year });
}

export function clock(instant: string, zone: string): string {
  return new Date(instant).toLocaleTimeString(times, {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/** When an hour begins, by the clock of a zone. */
export function hour(instant: string, zone: string): string {
  return new Date(instant).toLocaleTimeString(times, { timeZone: zone, hour: "2-digit", minute: "2-digit" });
}

/** The same with its day. */
export function dayHour(instant: string, zone: string): string {
  return new Date(instant).toLocaleString(times, {
    timeZone: zone,
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
}

export function dateTime(instant: string, zone: string): string {
  return new Date(instant).toLocaleString(times, { timeZone: zone, dateStyle: "medium", timeStyle: "medium" });
}

/** A period is a calendar day: it is placed at that day's UTC midnight and never shifted by a zone. */
export function utc(period: string): Date {
  return new Date(`${period}T00:00:00Z`);
}

export function words(id: string): string {
  const text = id.replaceAll("_", " ").replaceAll(".", ": ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
