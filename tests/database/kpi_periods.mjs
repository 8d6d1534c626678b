/** Local days, periods and groups, for the definitions in kpi_model.mjs. */
const DAY = 86_400_000;
const formats = new Map();

/** The local date at an instant. @param {number} at @param {string} zone */
export function localDay(at, zone) {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    });
    formats.set(zone, format);
  }
  return format.format(at);
}
const minutes = new Map();

/** When the local hour of an instant began. @param {number} at @param {string} zone */
export function localHour(at, zone) {
  let format = minutes.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, minute: "2-digit", second: "2-digit" });
    minutes.set(zone, format);
  }
  const [minute, second] = format.format(at).split(":").map(Number);
  return at - at % 1000 - (minute * 60 + second) * 1000;
}
/** @param {string} day @param {number} days */
export const plus = (day, days) => new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);
/** @param {string} a @param {string} b */
export const between = (a, b) => Math.round((Date.parse(a) - Date.parse(b)) / DAY);
/** Monday of a date's week. @param {string} day */
export const monday = (day) => plus(day, -((new Date(Date.parse(day)).getUTCDay() + 6) % 7));
/** @param {string} day @param {import("./kpi_model.mjs").Range} range */
export function periodOf(day, { grain, first }) {
  if (grain === "day") return day;
  if (grain === "week") return monday(day);
  return grain === "month" ? `${day.slice(0, 7)}-01` : first;
}
/** @template T @param {T[]} items @param {(item: T) => string} key @returns {Map<string, T[]>} */
export function groups(items, key) {
  const found = new Map();
  for (const item of items) {
    const name = key(item);
    const group = found.get(name);
    if (group) group.push(item);
    else found.set(name, [item]);
  }
  return found;
}
export const sum = (/** @type {number[]} */ values) => values.reduce((total, value) => total + value, 0);
export const ratio = (/** @type {number} */ part, /** @type {number} */ whole) => whole === 0 ? null : part / whole;
/** Within the days of a range and, if it is exact, within its quarters of an hour. @param {number} at @param {import("./kpi_model.mjs").Range} range */
export const within = (at, range) =>
  inside(localDay(at, range.zone), range) &&
  (range.exact === undefined || at >= range.exact.from && at < range.exact.to);
const QUARTER = 15 * 60_000;
/** The quarters of an hour that a range touches. @param {number} from @param {number} to */
export const quarters = (from, to) => ({ from: from - from % QUARTER, to: Math.ceil(to / QUARTER) * QUARTER });
export const inside = (
  /** @type {string} */ day,
  /** @type {import("./kpi_model.mjs").Range} */ { first, last },
) => day >= first && day <= last;
