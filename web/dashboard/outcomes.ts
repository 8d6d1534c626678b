/** What the views of the figures are called, and how a refresh or a job ended, in the reader's language. */
import { words } from "./format.ts";
import { t } from "./texts.ts";

const VIEWS: Readonly<Record<string, string>> = {
  conversion_funnel: t("Conversion funnel"),
  data_quality_by_rule: t("Data quality by rule"),
  engagement_by_tier: t("Engagement by tier"),
  errors_daily: t("Errors by day"),
  feature_adoption: t("Feature adoption"),
  performance_daily: t("Performance by day"),
  retention_cohorts: t("Retention by cohort"),
  state_dwell: t("Time in each state"),
  state_flow: t("Flow between states"),
};
const OUTCOMES: Readonly<Record<string, string>> = {
  ok: t("succeeded"),
  succeeded: t("succeeded"),
  failed: t("failed"),
  skipped: t("skipped, because it was running"),
  never: t("never"),
};

export function viewName(id: string): string {
  return VIEWS[id] ?? words(id);
}

export function outcomeName(outcome: string): string {
  return OUTCOMES[outcome] ?? outcome;
}
