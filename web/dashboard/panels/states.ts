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
import { t } from "../texts.ts";

const MEANING: Readonly<Record<string, string>> = {
  S0: t("S0 unknown"),
  S1: t("S1 aware"),
  S2: t("S2 engaged"),
  S3: t("S3 subscribed"),
  S4: t("S4 committed"),
  S5: t("S5 advocate"),
};

export const statesPanel: Spec<readonly StateTrend[]> = {
  id: "states",
  title: t("Where people stand"),
  note: t("Signed-in people in each state at the end of each period."),
  load: ({ kpi, filters: { range } }) => kpi.stateTrend(range, grainFor(range)),
  empty: (
    rows,
  ) => (rows.some(({ people_at_end }) => people_at_end > 0)
    ? undefined
    : t("Nobody has a state yet. States come to signed-in people, from what they do.")),
  render: (rows) => {
    const states = STATES.filter((state) => rows.some((row) => row.state === state));
    const periods = [...new Set(rows.map(({ period }) => period))].toSorted();
    return el(
      "div",
      {},
      legend(stateScale, states, (state) => MEANING[state] ?? state),
      withTable(
        fitted((width) => statesChart(rows, { width })),
        t("People in each state"),
        [t("Period"), ...states],
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
  title: t("How they moved"),
  note: t("From the state on the left to the one on the right: up in green, down in ochre."),
  load: ({ kpi, filters: { range } }) => kpi.stateFlow(range),
  empty: (rows) => (rows.length > 0 ? undefined : t("Nobody changed state in this range.")),
  render: (rows) =>
    withTable(
      fitted((width) => flowChart(rows, { width })),
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
  load: ({ kpi, filters: { range } }) => kpi.stateDwell(range),
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
