/** What the jobs that ship are called and do, in the reader's language. One of the install's own says it itself. */
import { el } from "../shared/dom.ts";
import { sentence } from "../shared/prose.ts";
import { words } from "./format.ts";
import { t } from "./texts.ts";

const JOBS: Readonly<Record<string, string>> = {
  apply_retention: t("Keep data as long as the rules say"),
  check_alerts: t("Check alerts"),
  derive_states: t("Derive states"),
  fold_analytics: t("Fold new events into the figures"),
  prune_logs: t("Prune logs"),
  refresh_analytics: t("Refresh the views of the figures"),
  seal_rows: t("Seal what was recorded"),
  sweep_inactivity: t("Look for inactive people"),
};
/** By what the database says of them, so that a description that was changed there is shown as it is. */
const DONE: Readonly<Record<string, string>> = {
  "Does what audience_gate.retention_rules says; off until it is made active.": t(
    "Does what audience_gate.retention_rules says; off until it is made active.",
  ),
  "Looks whether an alert begins or ends; off until it is made active.": t(
    "Looks whether an alert begins or ends; off until it is made active.",
  ),
  "Applies new events to the states of their users.": t("Applies new events to the states of their users."),
  "Folds new events into the figures, at the cost of what is new.": t(
    "Folds new events into the figures, at the cost of what is new.",
  ),
  "Removes log rows past their time.": t("Removes log rows past their time."),
  "Refreshes the analytics views, all in one transaction and without blocking readers.": t(
    "Refreshes the analytics views, all in one transaction and without blocking readers.",
  ),
  "Seals what was recorded, once audience_gate.start_sealing() was called.": t(
    "Seals what was recorded, once audience_gate.start_sealing() was called.",
  ),
  "Writes a retention event for everybody an inactivity rule applies to.": t(
    "Writes a retention event for everybody an inactivity rule applies to.",
  ),
};
export function jobName(id: string): string {
  return JOBS[id] ?? words(id);
}

export function jobDescription(description: string): HTMLElement {
  const english = sentence(description);
  return el("p", { lang: DONE[english] === undefined ? "en" : null }, DONE[english] ?? english);
}
