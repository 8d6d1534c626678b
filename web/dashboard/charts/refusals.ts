/** Refusals by rule: each rule a button that opens what was refused under it. */
import { el } from "../../shared/dom.ts";
import { count, percent } from "../format.ts";
import type { Quality } from "../kpi.ts";

export function refusalsChart(rows: readonly Quality[], onchoose: (rule: string) => void): HTMLElement {
  const rules = rows.filter(({ rule_id, rejected }) => rule_id !== null && rejected > 0).toSorted((a, b) =>
    b.rejected - a.rejected
  );
  const most = Math.max(1, ...rules.map(({ rejected }) => rejected));
  return el(
    "ol",
    { class: "refusals" },
    rules.map((row) => {
      const bar = el("span", { class: "bar", "aria-hidden": "true" });
      bar.style.setProperty("--share", String(row.rejected / most));
      return el(
        "li",
        {},
        el(
          "button",
          { type: "button", class: "refusal", "data-rule": row.rule_id, onclick: () => onchoose(row.rule_id ?? "") },
          el("span", { class: "rule-id" }, row.rule_id),
          el(
            "span",
            { class: "number" },
            count(row.rejected),
            el("span", { class: "quiet" }, ` (${percent(row.share)})`),
          ),
          bar,
        ),
      );
    }),
  );
}
