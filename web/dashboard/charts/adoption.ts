/** How much of the audience uses which feature: one bar per feature, in the colour of its tier. */
import * as Plot from "@observablehq/plot";
import { percent, words } from "../format.ts";
import type { Adoption } from "../kpi.ts";
import { draw, type Size, tierScale, TIP } from "./frame.ts";

export function adoptionChart(rows: readonly Adoption[], { width }: Size): SVGSVGElement {
  const sorted = rows.toSorted((a, b) => (b.adoption_rate ?? 0) - (a.adoption_rate ?? 0));
  const rate = (row: Adoption): number => row.adoption_rate ?? 0;
  const left = Math.min(190, Math.floor(width * 0.42));
  const most = Math.max(...sorted.map(rate), 0.01);
  return draw("Share of active people who used each feature", {
    width,
    height: sorted.length * 25 + 12,
    marginLeft: left,
    marginTop: 4,
    marginBottom: 4,
    marginRight: 46,
    x: { domain: [0, most], axis: null },
    y: { domain: sorted.map(({ event_type }) => event_type), label: null, padding: 0.3 },
    color: tierScale,
    marks: [
      Plot.barX(sorted, { y: "event_type", x: () => most, fill: "var(--sunken)", rx: 3 }),
      Plot.barX(sorted, {
        y: "event_type",
        x: rate,
        fill: "tier",
        rx: 3,
        tip: { ...TIP, format: { x: false, y: false, fill: false } },
        channels: {
          feature: (row: Adoption) => words(row.event_type),
          people: "people",
          new: "new_people",
          events: "events",
        },
      }),
      Plot.text(sorted, {
        y: "event_type",
        x: () => most,
        text: (row: Adoption) => percent(row.adoption_rate),
        textAnchor: "start",
        dx: 7,
        fill: "var(--ink)",
      }),
      Plot.axisY({ tickSize: 0, label: null, tickFormat: words, lineWidth: left / 12, textOverflow: "ellipsis" }),
    ],
  });
}
