/** How numbers, times and names are written, everywhere alike. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const one = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (value: number): string => whole.format(value);
export const short = (
  value: number,
): string => (Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value));

export function percent(rate: number | null): string {
  if (rate === null) return "none";
  const value = rate * 100;
  return `${value !== 0 && Math.abs(value) < 10 ? one.format(value) : whole.format(value)}%`;
}

const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]] as const;

/** A stretch of time in its two largest units. */
export function duration(seconds: number | null): string {
  if (seconds === null) return "none";
  if (seconds < 1) return seconds <= 0 ? "0 s" : `${Math.round(seconds * 1000)} ms`;
  const at = UNITS.findIndex(([, size]) => seconds >= size);
  const [name, size] = UNITS[at] ?? UNITS[3];
  const next = UNITS[at + 1];
  const large = Math.floor(seconds / size);
  const small = next && large < 10 ? Math.floor((seconds % size) / next[1]) : 0;
  return next && small > 0 ? `${large} ${name} ${small} ${next[0]}` : `${large} ${name}`;
}

export function milliseconds(value: number): string {
  return value >= 1000 ? `${one.format(value / 1000)} s` : `${value < 10 ? one.format(value) : whole.format(value)} ms`;
}

export function day(period: string): string {
  return utc(period).toLocaleDateString("en", { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });
}

export function dayShort(period: string): string {
  return utc(period).toLocaleDateString("en", { timeZone: "UTC", day: "numeric", month: "short" });
}

/** The month that a day is in, with its year where one begins. */
export function month(period: string): string {
  const date = utc(period);
  const year = date.getUTCMonth() === 0 ? { year: "numeric" } as const : {};
  return date.toLocaleDateString("en", { timeZone: "UTC", month: "short", ...year });
}

export function clock(instant: string, zone: string): string {
  return new Date(instant).toLocaleTimeString("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

export function dateTime(instant: string, zone: string): string {
  return new Date(instant).toLocaleString("en-GB", { timeZone: zone, dateStyle: "medium", timeStyle: "medium" });
}

/** A period is a calendar day: it is placed at that day's UTC midnight and never shifted by a zone. */
export function utc(period: string): Date {
  return new Date(`${period}T00:00:00Z`);
}

export function words(id: string): string {
  const text = id.replaceAll("_", " ").replaceAll(".", ": ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
