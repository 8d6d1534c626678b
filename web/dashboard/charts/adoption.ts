/** How much of the audience uses which feature: one bar per feature, in the colour of its tier. */
import { percent, words as named } from "../format.ts";
import type { Adoption } from "../kpi.ts";
import { colourOf, type Size, tierScale } from "./frame.ts";
import { linear, marks, picture, rectangle, shortened, words } from "./svg.ts";
import { t } from "../texts.ts";

const ROW = 25;
const RIGHT = 46;

export function adoptionChart(rows: readonly Adoption[], { width }: Size): SVGSVGElement {
  const sorted = rows.toSorted((a, b) => (b.adoption_rate ?? 0) - (a.adoption_rate ?? 0));
  const left = Math.min(190, Math.floor(width * 0.42));
  const most = Math.max(...sorted.map(({ adoption_rate }) => adoption_rate ?? 0), 0.01);
  const x = linear([0, most], [left, width - RIGHT]);
  const top = (row: number): number => row * ROW + 4;
  const bar = (row: number, to: number, fill: string) =>
    rectangle([left, x(to)], [top(row) + 4, top(row) + ROW - 4], { rx: 3, fill });
  return picture(
    t("Share of active people who used each feature"),
    [width, sorted.length * ROW + 8],
    [
      marks(
        "axis",
        sorted.map(({ event_type }, row) =>
          words(left - 10, top(row) + ROW / 2, shortened(named(event_type), left - 10))
        ),
        { "text-anchor": "end" },
      ),
      marks("bar", sorted.map((_, row) => bar(row, most, "var(--sunken)"))),
      marks(
        "bar",
        sorted.map(({ adoption_rate, tier }, row) => bar(row, adoption_rate ?? 0, colourOf(tierScale, tier))),
      ),
      marks(
        "text",
        sorted.map(({ adoption_rate }, row) => words(x(most) + 7, top(row) + ROW / 2, percent(adoption_rate))),
        { fill: "var(--ink)" },
      ),
    ],
    sorted.map((row, at) => ({
      x: x(row.adoption_rate ?? 0),
      y: top(at) + ROW / 2,
      text: [
        `${named(row.event_type)}, ${row.tier}`,
        t("{people} people, {new} of them new", { people: row.people, new: row.new_people }),
        t("{count} event | {count} events", { count: row.events }),
      ].join("\n"),
    })),
  );
}
