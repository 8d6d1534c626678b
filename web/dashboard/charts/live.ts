/** The last half hour, minute by minute. */
import { short } from "../format.ts";
import type { Minute } from "../kpi.ts";
import type { Size } from "./frame.ts";
import { linear, marks, picture, rectangle, shape } from "./svg.ts";
import { t } from "../texts.ts";

export const HEIGHT = 92;
const MINUTE = 60_000;
const PAD = 6;

export function liveChart(rows: readonly Minute[], { width, now }: Size & { readonly now: Date }): SVGSVGElement {
  const to = Math.ceil(now.getTime() / MINUTE) * MINUTE;
  const total = rows.reduce((sum, { events }) => sum + events, 0);
  const refused = rows.reduce((sum, { rejected }) => sum + rejected, 0);
  const x = linear([to - 30 * MINUTE, to], [0, width]);
  const most = Math.max(1, ...rows.map(({ events }) => events));
  const y = linear([-Math.max(0, ...rows.map(({ rejected }) => rejected)), most], [HEIGHT - PAD, PAD]);
  const bar = ({ minute }: Minute, value: number, fill: string) => {
    const from = Date.parse(minute);
    return rectangle([x(from), x(from + MINUTE)], [y(0), y(value)], { fill }, 0.5);
  };
  return picture(
    t("Last 30 minutes: {accepted} accepted, {refused} refused", { accepted: short(total), refused: short(refused) }),
    [width, HEIGHT],
    [
      marks(
        "rect",
        rows.map((row) => bar(row, row.events, "var(--pine)")),
      ),
      marks("rect", rows.map((row) => bar(row, -row.rejected, "var(--madder)"))),
      marks("base", [shape("line", { x1: 0, x2: width, y1: y(0), y2: y(0) })], { stroke: "var(--edge)" }),
    ],
  );
}
