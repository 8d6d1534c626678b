/** What was refused, by rule, down to the redacted record of each refusal. */
import { el } from "../../shared/dom.ts";
import { jsonBlock } from "../../shared/json.ts";
import { addressOf } from "../address.ts";
import { fitted, withTable } from "../charts/frame.ts";
import { qualityChart } from "../charts/quality.ts";
import { refusalsChart } from "../charts/refusals.ts";
import { count, dateTime, day, percent } from "../format.ts";
import type { Quality, Refusal } from "../kpi.ts";
import { type Context, explain, type Spec } from "../panel.ts";
import { filled, grainFor, periodsOf } from "../periods.ts";
import { contractReasons, ofContract, type Reasons } from "../reasons.ts";
import { t } from "../texts.ts";

const SHOWN = 20;

export const qualityPanel: Spec<readonly Quality[]> = {
  id: "quality",
  title: t("Accepted and refused"),
  note: t("Above the line what was stored, below it what the contract turned away."),
  load: async ({ kpi, filters: { range } }) =>
    (await kpi.quality(range, grainFor(range))).filter(({ rule_id }) => rule_id === null),
  empty: (rows) => (rows.some(isNotable) ? undefined : t("Nothing was received in this range.")),
  render: (found, { filters: { range } }) => {
    const grain = grainFor(range);
    const rows = filled(
      found,
      periodsOf(range, grain),
      () => "",
      (period) => ({ period, rule_id: null, ...NOTHING }),
    );
    const aside = besides(rows);
    const chart = withTable(
      fitted((width) => qualityChart(rows, { width, grain })),
      t("Accepted and refused events"),
      [t("Period"), t("Accepted"), t("Refused"), t("Refused share")],
      rows.map((row) => [day(row.period), count(row.accepted), count(row.rejected), percent(row.rate)]),
    );
    return aside === "" ? chart : el("div", {}, chart, el("p", { class: "quiet small" }, aside));
  },
};

/** A period in which nothing came. */
const NOTHING = { accepted: 0, rejected: 0, received: 0, rate: null, share: null, unjudged: 0, refused_requests: 0 };

const isNotable = (row: Quality): boolean => row.received + row.unjudged + row.refused_requests > 0;

/** What no bar shows: requests refused whole, and rows from before the gate that nobody has judged. */
function besides(rows: readonly Quality[]): string {
  const sum = (of: (row: Quality) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const refused = sum((row) => row.refused_requests);
  const unjudged = sum((row) => row.unjudged);
  return [
    refused > 0 &&
    t("{count} request was refused whole. | {count} requests were refused whole.", { count: refused }),
    unjudged > 0 &&
    t(
      "{count} older row is not judged yet and counts nowhere. | {count} older rows are not judged yet and count nowhere.",
      { count: unjudged },
    ),
  ].filter(Boolean).join(" ");
}

export const refusalsPanel: Spec<readonly Quality[]> = {
  id: "refusals",
  title: t("Refused, by rule"),
  note: t("Each refusal counts under the first rule it broke. Choose a rule to see what was refused."),
  see: { view: "refusals" },
  load: async ({ kpi, filters: { range } }) =>
    (await kpi.quality(range, "total")).filter(({ rule_id }) => rule_id !== null),
  empty: (rows) => (rows.some(({ rejected }) => rejected > 0) ? undefined : t("Nothing was refused in this range.")),
  render: (rows, context) => refusalsChart(rows, (rule) => void open(rule, context)),
};

/** The dialog keeps the focus inside, closes with Escape, and returns the focus to the rule it was opened from. */
async function open(rule: string, { kpi, filters: { range } }: Context): Promise<void> {
  const body = el("div", { class: "dialog-body" }, el("div", { class: "waiting" }));
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "dialog-title" },
    el(
      "header",
      {},
      el("h2", { id: "dialog-title", class: "rule-id" }, rule),
      el("form", { method: "dialog" }, el("button", { class: "button" }, t("Close"))),
    ),
    body,
  );
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  try {
    const [refused, reasons] = await Promise.all([kpi.refusals(range, rule, SHOWN), contractReasons()]);
    body.replaceChildren(...drillDown(refused, range.zone, reasons));
  } catch (error) {
    console.error(error);
    body.replaceChildren(el("p", {}, explain(error)));
  }
}

function drillDown(refused: readonly Refusal[], zone: string, reasons: Reasons): readonly HTMLElement[] {
  const [latest] = refused;
  if (!latest) {
    return [el("p", {}, t("Refusals are listed by when they were recorded; none was recorded in this range."))];
  }
  return [
    ofContract(latest.rule_id, latest.reason ?? "", reasons),
    el(
      "p",
      { class: "quiet small" },
      refused.length === SHOWN
        ? t("The latest {shown}, newest first.", { shown: SHOWN })
        : t("{shown} in this range, newest first.", { shown: refused.length }),
      t(" What was sent is kept redacted: personal values never reach the store. "),
      el("a", {
        href: addressOf({ view: "refusals", rule: latest.rule_id }),
        "data-view": "refusals",
        onclick: (event) => (event.currentTarget as HTMLElement).closest("dialog")?.close(),
      }, t("What to send instead, and a replay")),
    ),
    el("ol", { class: "snapshots" }, refused.map((refusal) => snapshot(refusal, zone))),
  ];
}

function snapshot(refusal: Refusal, zone: string): HTMLElement {
  const named = (
    { rule_id, path }: Refusal["violations"][number],
  ) => (path === "" ? rule_id : t("{rule} at {path}", { rule: rule_id, path }));
  const others = refusal.violations.filter(({ rule_id }) => rule_id !== refusal.rule_id).map(named);
  const place = refusal.violations.find(({ rule_id }) => rule_id === refusal.rule_id)?.path;
  const time = dateTime(refusal.recorded_at, zone);
  const bytes = t("{count} byte | {count} bytes", { count: refusal.payload_bytes ?? 0 });
  return el(
    "li",
    {},
    el(
      "p",
      {},
      el("time", { datetime: refusal.recorded_at }, time),
      el(
        "span",
        { class: "quiet" },
        " ",
        refusal.source_system === null
          ? t("by the gate, {bytes}", { bytes })
          : t("by {source}, {bytes}", { source: refusal.source_system, bytes }),
      ),
    ),
    place !== undefined && place !== "" &&
      el("p", { class: "small" }, t("At "), el("span", { class: "rule-id" }, place)),
    others.length > 0 &&
      el("p", { class: "small" }, t("Also broken: "), el("span", { class: "rule-id" }, others.join(", "))),
    jsonBlock(refusal.snapshot, t("What was sent at {time}, redacted", { time })),
  );
}
