/** How many people reach each step, and how many are lost since the step before. */
import { count, percent } from "../format.ts";
import type { FunnelStep } from "../kpi.ts";
import type { Size } from "./frame.ts";
import { linear, marks, picture, rectangle, shortened, words } from "./svg.ts";
import { t } from "../texts.ts";

const ROW = 62;
const BAR = 26;

export function funnelChart(rows: readonly FunnelStep[], { width }: Size): SVGSVGElement {
  const steps = rows.toSorted((a, b) => a.position - b.position);
  const x = linear([0, Math.max(1, ...steps.map(({ people }) => people))], [0, width]);
  const top = (row: number): number => row * ROW + 30;
  const bar = (row: number, from: number, to: number) =>
    rectangle([x(from), x(to)], [top(row), top(row) + BAR], { rx: 3 });
  const said = ({ people, dropped, rate_from_start }: FunnelStep): string =>
    dropped > 0
      ? t("{people} ({share}), {lost} lost", { people, share: percent(rate_from_start), lost: dropped })
      : `${count(people)} (${percent(rate_from_start)})`;
  return picture(t("People at each of {steps} steps", { steps: steps.length }), [width, steps.length * ROW + 8], [
    marks(
      "bar",
      steps.flatMap(({ people, dropped }, row) => (dropped > 0 ? [bar(row, people, people + dropped)] : [])),
      { fill: "var(--madder-wash)" },
    ),
    marks("bar", steps.map(({ people }, row) => bar(row, 0, people)), { fill: "var(--pine)" }),
    marks(
      "text",
      steps.map((step, row) =>
        words(0, top(row) - 12, shortened(`${step.position}. ${step.step}`, width - said(step).length * 6.4 - 12))
      ),
      { fill: "var(--ink)", "font-weight": 600 },
    ),
    marks("text", steps.map((step, row) => words(width, top(row) - 12, said(step))), {
      fill: "var(--quiet)",
      "text-anchor": "end",
    }),
  ]);
}
