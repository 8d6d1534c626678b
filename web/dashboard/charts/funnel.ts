/** How many people reach each step, and how many are lost since the step before. */
import * as Plot from "@observablehq/plot";
import { count, percent } from "../format.ts";
import type { FunnelStep } from "../kpi.ts";
import { draw, type Size } from "./frame.ts";

export function funnelChart(rows: readonly FunnelStep[], { width }: Size): SVGSVGElement {
  const steps = rows.toSorted((a, b) => a.position - b.position);
  const most = Math.max(1, ...steps.map(({ people }) => people));
  const lost = steps.filter(({ dropped }) => dropped > 0);
  return draw(`People at each of ${steps.length} steps`, {
    width,
    height: steps.length * 62 + 8,
    marginLeft: 0,
    marginRight: 0,
    marginTop: 8,
    marginBottom: 0,
    x: { domain: [0, most], axis: null },
    y: { domain: steps.map(({ position }) => position), axis: null, paddingInner: 0.58, paddingOuter: 0.3, align: 1 },
    marks: [
      Plot.barX(lost, {
        y: "position",
        x1: "people",
        x2: (step: FunnelStep) => step.people + step.dropped,
        fill: "var(--madder-wash)",
        rx: 3,
      }),
      Plot.barX(steps, { y: "position", x: "people", fill: "var(--pine)", rx: 3 }),
      Plot.text(steps, {
        y: "position",
        x: 0,
        text: (step: FunnelStep) => `${step.position}. ${step.step}`,
        textAnchor: "start",
        dy: -23,
        fill: "var(--ink)",
        fontWeight: 600,
      }),
      Plot.text(steps, {
        y: "position",
        frameAnchor: "right",
        dy: -23,
        fill: "var(--quiet)",
        textAnchor: "end",
        text: (step: FunnelStep) =>
          `${count(step.people)} (${percent(step.rate_from_start)})${
            step.dropped > 0 ? `, ${count(step.dropped)} lost` : ""
          }`,
      }),
    ],
  });
}
