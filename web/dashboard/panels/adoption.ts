/** Feature adoption. */
import { el } from "../../shared/dom.ts";
import { adoptionChart } from "../charts/adoption.ts";
import { fitted, legend, TIERS, tierScale, withTable } from "../charts/frame.ts";
import { count, day, percent } from "../format.ts";
import type { Adoption } from "../kpi.ts";
import type { Spec } from "../panel.ts";

const SHOWN = 12;

export const adoptionPanel: Spec<readonly Adoption[]> = {
  id: "adoption",
  title: "Feature adoption",
  note: "Of everybody active in the range, who used what.",
  load: ({ kpi, filters: { range } }) => kpi.adoption(range),
  empty: (
    rows,
    { filters: { tier } },
  ) => (ofTier(rows, tier).length > 0
    ? undefined
    : `No feature ${tier === "all" ? "" : "of this tier "}was used in this range.`),
  render: (all, { filters: { tier } }) => {
    const rows = ofTier(all, tier).toSorted((a, b) => (b.adoption_rate ?? 0) - (a.adoption_rate ?? 0));
    const top = rows.slice(0, SHOWN);
    return el(
      "div",
      {},
      legend(tierScale, TIERS.filter((name) => top.some((row) => row.tier === name))),
      withTable(
        fitted((width) => adoptionChart(top, { width })),
        "Feature adoption",
        ["Event type", "Tier", "People", "Adoption", "New people", "Events", "Last used"],
        rows.map((
          row,
        ) => [
          row.event_type,
          row.tier,
          count(row.people),
          percent(row.adoption_rate),
          count(row.new_people),
          count(row.events),
          row.last_day ? day(row.last_day) : "",
        ]),
      ),
      rows.length > SHOWN &&
        el("p", { class: "quiet small" }, `The ${SHOWN} most adopted of ${rows.length}; the table has them all.`),
    );
  },
};

function ofTier(rows: readonly Adoption[], tier: string): readonly Adoption[] {
  return rows.filter((row) => tier === "all" || row.tier === tier);
}
