/** Who came back: one row per cohort and one column per period after its first, darker where more returned. */
import { count, dayShort, percent } from "../format.ts";
import type { Cohort } from "../kpi.ts";
import { heat, type Size } from "./frame.ts";
import { marks, picture, rectangle, words } from "./svg.ts";
import { t } from "../texts.ts";

const LABELS = 108;
const COLUMN = 84;
const ROW = 30;
const TOP = 24;
const GAP = 1;

interface Cell {
  readonly cohort: string;
  readonly people: number;
  readonly period: number;
  readonly returned: number;
  readonly rate: number;
}

export function cohortChart(
  rows: readonly Cohort[],
  { width, grain }: Size & { readonly grain: "day" | "week" },
): SVGSVGElement {
  const sorted = rows.toSorted((a, b) => a.cohort.localeCompare(b.cohort));
  const cells = sorted.flatMap(cellsOf);
  const periods = Math.max(0, ...cells.map(({ period }) => period));
  const room = Math.min(COLUMN, (width - LABELS) / (periods + 1));
  // The colours span the later periods: in the first one everybody is there by definition.
  const most = Math.max(0.2, ...cells.filter(({ period }) => period > 0).map(({ rate }) => rate));
  const height = (row: number): number => TOP + row * ROW;
  const place = (cell: Cell) => ({
    x: LABELS + cell.period * room,
    y: height(sorted.findIndex(({ cohort }) => cohort === cell.cohort)),
  });
  const drawn = cells.map((cell) => {
    const { x, y } = place(cell);
    const fill = cell.period === 0 ? "var(--sunken)" : heat(cell.rate / most);
    return rectangle([x, x + room], [y, y + ROW], { rx: 3, fill }, GAP);
  });
  const middle = (cell: Cell) => ({ x: place(cell).x + room / 2, y: place(cell).y + ROW / 2 });
  return picture(
    grain === "day"
      ? t("Share of each day's newcomers who returned, by days since")
      : t("Share of each week's newcomers who returned, by weeks since"),
    [LABELS + room * (periods + 1), height(sorted.length) + 6],
    [
      marks(
        "axis",
        Array.from(
          { length: periods + 1 },
          (_, period) => words(LABELS + (period + 0.5) * room, 10, period === 0 ? t("first") : `+${period}`),
        ),
        { "text-anchor": "middle" },
      ),
      marks(
        "axis",
        sorted.map(({ cohort, people }, row) =>
          words(LABELS - 8, height(row + 0.5), `${dayShort(cohort)}  (${count(people)})`)
        ),
        { "text-anchor": "end" },
      ),
      marks("cell", drawn),
      marks(
        "text",
        room < 30 ? [] : cells.map((cell) =>
          words(middle(cell).x, middle(cell).y, percent(cell.rate), {
            fill: cell.period > 0 && cell.rate / most > 0.6 ? "var(--on-heat)" : "var(--ink)",
          })
        ),
        { "text-anchor": "middle" },
      ),
    ],
    cells.map((cell) => ({
      ...middle(cell),
      text: `${
        t(
          grain === "day"
            ? "{date}, {count} day on | {date}, {count} days on"
            : "{date}, {count} week on | {date}, {count} weeks on",
          { date: dayShort(cell.cohort), count: cell.period },
        )
      }\n${t("{some} of {all} ({share})", { some: cell.returned, all: cell.people, share: percent(cell.rate) })}`,
    })),
  );
}

function cellsOf({ cohort, people, retained, rates }: Cohort): Cell[] {
  return retained.map((returned, period) => ({
    cohort,
    people,
    period,
    returned,
    rate: rates[period] ?? (people === 0 ? 0 : returned / people),
  }));
}
