/** The last half hour, minute by minute. */
import * as Plot from "@observablehq/plot";
import { short } from "../format.ts";
import type { Minute } from "../kpi.ts";
import { base, draw, type Size } from "./frame.ts";

export function liveChart(rows: readonly Minute[], { width, now }: Size & { readonly now: Date }): SVGSVGElement {
  const to = Math.ceil(now.getTime() / 60_000) * 60_000;
  const bar = { x: (row: Minute) => new Date(row.minute), interval: "minute", inset: 0.5 } as const;
  const total = rows.reduce((sum, { events }) => sum + events, 0);
  const refused = rows.reduce((sum, { rejected }) => sum + rejected, 0);
  return draw(`Last 30 minutes: ${short(total)} accepted, ${short(refused)} refused`, {
    width,
    height: 92,
    marginLeft: 0,
    marginRight: 0,
    marginTop: 6,
    marginBottom: 6,
    x: { type: "utc", domain: [new Date(to - 30 * 60_000), new Date(to)], axis: null },
    y: { axis: null },
    marks: [
      Plot.rectY(rows, { ...bar, y: "events", fill: "var(--pine)" }),
      Plot.rectY(rows, { ...bar, y: (row: Minute) => -row.rejected, fill: "var(--madder)" }),
      base(),
    ],
  });
}
