/** The states of the audience: how many stand where, how they moved, how long they stayed. */
import { el } from "../../shared/dom.ts";
import { dwellChart } from "../charts/dwell.ts";
import { flowChart } from "../charts/flow.ts";
import { fitted, legend, stateScale, withTable } from "../charts/frame.ts";
import { statesChart } from "../charts/states.ts";
import { count, day, duration } from "../format.ts";
import type { Kpi, State, StateDwell, StateFlow, StateTrend } from "../kpi.ts";
import type { Spec } from "../panel.ts";
import { grainFor } from "../periods.ts";
import { t } from "../texts.ts";

/** The states that every install begins with, by the names that those have then. */
const FIRST: Readonly<Record<string, string>> = {
  "S0 Unknown": t("S0 unknown"),
  "S1 Aware": t("S1 aware"),
  "S2 Engaged": t("S2 engaged"),
  "S3 Subscribed": t("S3 subscribed"),
  "S4 Committed": t("S4 committed"),
  "S5 Advocate": t("S5 advocate"),
};

interface OfStates<Figure> {
  readonly states: readonly State[];
  readonly rows: readonly Figure[];
}

async function withStates<Figure>(kpi: Kpi, figures: Promise<readonly Figure[]>): Promise<OfStates<Figure>> {
  const [states, rows] = await Promise.all([kpi.states(), figures]);
  return { states, rows };
}

const ids = (states: readonly State[]): readonly string[] => states.map(({ state }) => state);

function named(states: readonly State[], id: string): string {
  const name = `${id} ${states.find(({ state }) => state === id)?.name ?? ""}`.trim();
  return FIRST[name] ?? name;
}

export const statesPanel: Spec<OfStates<StateTrend>> = {
  id: "states",
  title: t("Where people stand"),
  note: t("Signed-in people in each state at the end of each period."),
  load: ({ kpi, filters: { range } }) => withStates(kpi, kpi.stateTrend(range, grainFor(range))),
  empty: (
    { rows },
  ) => (rows.some(({ people_at_end }) => people_at_end > 0)
    ? undefined
    : t("Nobody has a state yet. States come to signed-in people, from what they do.")),
  render: ({ states, rows }) => {
    const scale = stateScale(ids(states));
    const periods = [...new Set(rows.map(({ period }) => period))].toSorted();
    return el(
      "div",
      {},
      legend(scale, scale.domain, (state) => named(states, state)),
      withTable(
        fitted((width) => statesChart(rows, { width, states: scale.domain })),
        t("People in each state"),
        [t("Period"), ...scale.domain],
        periods.map((
          period,
        ) => [
          day(period),
          ...scale.domain.map((state) =>
            count(rows.find((row) => row.period === period && row.state === state)?.people_at_end ?? 0)
          ),
        ]),
      ),
    );
  },
};

export const flowPanel: Spec<OfStates<StateFlow>> = {
  id: "flow",
  title: t("How they moved"),
  note: t("From the state on the left to the one on the right: up in green, down in ochre."),
  load: ({ kpi, filters: { range } }) => withStates(kpi, kpi.stateFlow(range)),
  empty: ({ rows }) => (rows.length > 0 ? undefined : t("Nobody changed state in this range.")),
  render: ({ states, rows }) =>
    withTable(
      fitted((width) => flowChart(rows, { width, states: ids(states) })),
      t("Transitions between states"),
      [t("From"), t("To"), t("Moves"), t("Stayed before, on average")],
      rows.map((
        row,
      ) => [row.from_state ?? t("new"), row.to_state, count(row.transitions), duration(row.average_dwell_seconds)]),
    ),
};

export const dwellPanel: Spec<readonly StateDwell[]> = {
  id: "dwell",
  title: t("How long they stayed"),
  note: t("Half have left by the dot, nine in ten by the end of the line."),
  load: async ({ kpi, filters: { range } }) => {
    const { states, rows } = await withStates(kpi, kpi.stateDwell(range));
    const order = ids(states);
    return rows.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  },
  empty: (rows) => (rows.length > 0 ? undefined : t("Nobody left a state in this range.")),
  render: (rows) =>
    withTable(
      fitted((width) => dwellChart(rows, { width })),
      t("Time spent in each state"),
      [t("State"), t("Stays"), t("Mean"), t("Half within"), t("9 in 10 within")],
      rows.map((
        row,
      ) => [
        row.state,
        count(row.stays),
        duration(row.mean_seconds),
        duration(row.p50_seconds),
        duration(row.p90_seconds),
      ]),
    ),
};
