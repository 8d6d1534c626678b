/** The states of the audience: how many stand where, how they moved, how long they stayed. */
import { el } from "../../shared/dom.ts";
import { dwellChart } from "../charts/dwell.ts";
import { flowChart } from "../charts/flow.ts";
import { fitted, legend, STATES, stateScale, withTable } from "../charts/frame.ts";
import { statesChart } from "../charts/states.ts";
import { count, day, duration } from "../format.ts";
import type { StateDwell, StateFlow, StateTrend } from "../kpi.ts";
import type { Spec } from "../panel.ts";
import { grainFor } from "../periods.ts";

const MEANING: Readonly<Record<string, string>> = {
  S0: "S0 unknown",
  S1: "S1 aware",
  S2: "S2 engaged",
  S3: "S3 subscribed",
  S4: "S4 committed",
  S5: "S5 advocate",
};

export const statesPanel: Spec<readonly StateTrend[]> = {
  id: "states",
  title: "Where people stand",
  note: "Signed-in people in each state at the end of each period.",
  load: ({ kpi, filters: { range } }) => kpi.stateTrend(range, grainFor(range)),
  empty: (
    rows,
  ) => (rows.some(({ people_at_end }) => people_at_end > 0)
    ? undefined
    : "Nobody has a state yet. States come to signed-in people, from what they do."),
  render: (rows) => {
    const states = STATES.filter((state) => rows.some((row) => row.state === state));
    const periods = [...new Set(rows.map(({ period }) => period))].toSorted();
    return el(
      "div",
      {},
      legend(stateScale, states, (state) => MEANING[state] ?? state),
      withTable(
        fitted((width) => statesChart(rows, { width })),
        "People in each state",
        ["Period", ...states],
        periods.map((
          period,
        ) => [
          day(period),
          ...states.map((state) =>
            count(rows.find((row) => row.period === period && row.state === state)?.people_at_end ?? 0)
          ),
        ]),
      ),
    );
  },
};

export const flowPanel: Spec<readonly StateFlow[]> = {
  id: "flow",
  title: "How they moved",
  note: "From the state on the left to the one on the right: up in green, down in ochre.",
  load: ({ kpi, filters: { range } }) => kpi.stateFlow(range),
  empty: (rows) => (rows.length > 0 ? undefined : "Nobody changed state in this range."),
  render: (rows) =>
    withTable(
      fitted((width) => flowChart(rows, { width })),
      "Transitions between states",
      ["From", "To", "Moves", "Stayed before, on average"],
      rows.map((
        row,
      ) => [row.from_state ?? "new", row.to_state, count(row.transitions), duration(row.average_dwell_seconds)]),
    ),
};

export const dwellPanel: Spec<readonly StateDwell[]> = {
  id: "dwell",
  title: "How long they stayed",
  note: "Half have left by the dot, nine in ten by the end of the line.",
  load: ({ kpi, filters: { range } }) => kpi.stateDwell(range),
  empty: (rows) => (rows.length > 0 ? undefined : "Nobody left a state in this range."),
  render: (rows) =>
    withTable(
      fitted((width) => dwellChart(rows, { width })),
      "Time spent in each state",
      ["State", "Stays", "Mean", "Half within", "9 in 10 within"],
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
