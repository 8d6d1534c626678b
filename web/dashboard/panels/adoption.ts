/** Feature adoption. */
import { el } from "../../shared/dom.ts";
import { adoptionChart } from "../charts/adoption.ts";
import { fitted, legend, TIERS, tierScale, withTable } from "../charts/frame.ts";
import { count, day, percent } from "../format.ts";
import type { Adoption } from "../kpi.ts";
import type { Spec } from "../panel.ts";
import { t } from "../texts.ts";

const SHOWN = 12;

export const adoptionPanel: Spec<readonly Adoption[]> = {
  id: "adoption",
  title: t("Feature adoption"),
  note: t("Of everybody active in the range, who used what."),
  load: ({ kpi, filters: { range, narrowed } }) => kpi.adoption(range, narrowed),
  empty: (
    rows,
    { filters: { tier } },
  ) => (ofTier(rows, tier).length > 0
    ? undefined
    : tier === "all"
    ? t("No feature was used in this range.")
    : t("No feature of this tier was used in this range.")),
  render: (all, { filters: { tier } }) => {
    const rows = ofTier(all, tier).toSorted((a, b) => (b.adoption_rate ?? 0) - (a.adoption_rate ?? 0));
    const top = rows.slice(0, SHOWN);
    return el(
      "div",
      {},
      legend(tierScale, TIERS.filter((name) => top.some((row) => row.tier === name))),
      withTable(
        fitted((width) => adoptionChart(top, { width })),
        t("Feature adoption"),
        [t("Event type"), t("Tier"), t("People"), t("Adoption"), t("New people"), t("Events"), t("Last used")],
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
        el(
          "p",
          { class: "quiet small" },
          t("The {shown} most adopted of {all}; the table has them all.", { shown: SHOWN, all: rows.length }),
        ),
    );
  },
};

function ofTier(rows: readonly Adoption[], tier: string): readonly Adoption[] {
  return rows.filter((row) => tier === "all" || row.tier === tier);
}
