/** Charts over time: counts upwards, calendar periods from left to right. */
import { dayShort, hour, month, utc } from "../format.ts";
import { periodEnd } from "../periods.ts";
import { linear, marks, picture, rectangle, type Scale, shape, type Tip, words } from "./svg.ts";
import { t } from "../texts.ts";

export type Grain = "hour" | "day" | "week" | "month";
const TOP = 16;
const RIGHT = 12;
const BOTTOM = 28;
const [HOUR, DAY] = [3_600_000, 86_400_000];

export interface OverTime {
  readonly label: string;
  readonly width: number;
  readonly height?: number;
  readonly left?: number;
  readonly write: (value: number) => string;
  /** In which zone hours are named, where the periods are hours. */
  readonly hoursOf?: string | undefined;
}
const BY_GRAIN = {
  hour: "{what}, hour by hour",
  day: "{what}, day by day",
  week: "{what}, week by week",
  month: "{what}, month by month",
} as const;

export function byGrain(what: string, grain: Grain): string {
  return t(BY_GRAIN[grain], { what });
}

/** Where in a drawing a moment is. */
interface Timeline {
  /** The place of a moment, of which the local day is known too, as not every chart has hours. */
  readonly at: (day: string, instant: string) => number;
  readonly top: number;
  readonly bottom: number;
  readonly width: number;
  readonly hourly: boolean;
}
const timelines = new WeakMap<SVGSVGElement, Timeline>();

/** The timeline of a drawing, if it is one over time. */
export function timeline(drawing: SVGSVGElement): Timeline | undefined {
  return timelines.get(drawing);
}

interface Drawn {
  readonly shapes: readonly Node[];
  readonly tips: readonly Tip[];
}

/** The frame with what is drawn in it. `shift`: how far right of a period's beginning its name stands, in milliseconds. */
export function overTime(
  { label, width, height = 230, left = 44, write, hoursOf }: OverTime,
  times: readonly [from: number, to: number],
  values: readonly [low: number, high: number],
  draw: (x: Scale, y: Scale) => Drawn,
  shift = 0,
): SVGSVGElement {
  const x = linear(times, [left, width - RIGHT]);
  const y = linear(values, [height - BOTTOM, TOP]);
  const { shapes, tips } = draw(x, y);
  // Counts are whole: two lines that would be named alike are one.
  const rows = y.ticks(4).filter((value, at, all) => at === 0 || write(value) !== write(all[at - 1] ?? 0));
  const across = (value: number) => shape("line", { x1: left, x2: width - RIGHT, y1: y(value), y2: y(value) });
  const most = Math.max(2, Math.floor((width - left - RIGHT) / 90));
  const drawing = picture(label, [width, height], [
    marks("grid", rows.map(across), { stroke: "var(--line)" }),
    marks("axis", rows.map((value) => words(left - 8, y(value), write(value))), { "text-anchor": "end" }),
    marks(
      "axis",
      (hoursOf === undefined ? dates(times, most) : hours(times, most, hoursOf)).map(({ at, name }) =>
        words(x(Math.min(at + shift, times[1])), height - BOTTOM + 15, name)
      ),
      { "text-anchor": "middle" },
    ),
    ...shapes,
    marks("base", [across(0)], { stroke: "var(--edge)" }),
  ], tips);
  const hourly = hoursOf !== undefined;
  timelines.set(drawing, {
    // The last period of a line is a point at the end of the chart.
    at: (day, instant) => x(Math.min(hourly ? Date.parse(instant) : utc(day).getTime() + shift, times[1])),
    top: TOP,
    bottom: height - BOTTOM,
    width,
    hourly,
  });
  return drawing;
}

export interface Bar {
  readonly period: string;
  /** Upwards from the line in their order; what is negative, downwards from it. */
  readonly parts: readonly { readonly value: number; readonly fill: string }[];
  readonly tip: string;
}

/** Stacked bars, each as wide as its period. */
export function barsOverTime(
  { grain, inset = 0.75, ...frame }: OverTime & { readonly grain: Grain; readonly inset?: number },
  bars: readonly Bar[],
): SVGSVGElement {
  const ends = bars.map(({ period }) => {
    if (grain === "hour") return [Date.parse(period), Date.parse(period) + HOUR] as const;
    return [utc(period).getTime(), utc(periodEnd(period, grain)).getTime()] as const;
  });
  const sum = (bar: Bar, sign: 1 | -1): number =>
    bar.parts.reduce((total, { value }) => (value * sign > 0 ? total + value : total), 0);
  const low = Math.min(0, ...bars.map((bar) => sum(bar, -1)));
  const high = Math.max(...bars.map((bar) => sum(bar, 1)), low === 0 ? 0 : -low / 20) || 1;
  const times = [Math.min(...ends.map(([from]) => from)), Math.max(...ends.map(([, to]) => to))] as const;
  const draw = (x: Scale, y: Scale): Drawn => ({
    shapes: [
      marks(
        "rect",
        bars.flatMap(({ parts }, at) => {
          const [from = 0, to = 0] = ends[at] ?? [];
          let [up, down] = [0, 0];
          return parts.map(({ value, fill }) => {
            const begin = value < 0 ? down : up;
            if (value < 0) down += value;
            else up += value;
            return rectangle([x(from), x(to)], [y(begin), y(begin + value)], { fill }, inset);
          });
        }),
      ),
    ],
    tips: bars.map((bar, at) => {
      const [from = 0, to = 0] = ends[at] ?? [];
      return { x: x((from + to) / 2), y: y(sum(bar, 1)), text: bar.tip };
    }),
  });
  return overTime(frame, times, [low, high], draw, grain === "day" ? DAY / 2 : 0);
}

/** Where hours begin in a zone, with the same limit. */
function hours(
  [from, to]: readonly [number, number],
  most: number,
  zone: string,
): readonly { readonly at: number; readonly name: string }[] {
  const step = [1, 2, 3, 6, 12].find((length) => (to - from) / (length * HOUR) <= most) ?? 24;
  return Array.from({ length: Math.ceil((to - from) / (step * HOUR)) }, (_, nth) => {
    const at = from + nth * step * HOUR;
    return { at, name: hour(new Date(at).toISOString(), zone) };
  });
}

/** Where days, weeks or months begin between two instants, with a limit on how many are given. */
function dates(
  [from, to]: readonly [number, number],
  most: number,
): readonly { readonly at: number; readonly name: string }[] {
  for (const days of [1, 2, 7, 14]) {
    if ((to - from) / (days * DAY) > most) continue;
    // Weeks begin on Mondays; the first day of all was a Thursday.
    const first = days < 7 ? from : Math.ceil((from / DAY - 4) / 7) * 7 * DAY + 4 * DAY;
    const all = [];
    for (let at = first; at < to || at === from; at += days * DAY) all.push({ at, name: dayShort(iso(at)) });
    return all;
  }
  const months = [1, 2, 3, 6, 12].find((length) => (to - from) / (length * 30 * DAY) <= most) ?? 24;
  const all = [];
  const begin = new Date(from);
  for (let ahead = 0;; ahead += 1) {
    const at = Date.UTC(begin.getUTCFullYear(), begin.getUTCMonth() + ahead);
    if (at >= to) return all;
    if (at >= from && new Date(at).getUTCMonth() % months === 0) all.push({ at, name: month(iso(at)) });
  }
}

const iso = (instant: number): string => new Date(instant).toISOString().slice(0, 10);
