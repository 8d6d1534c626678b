/** What was refused, by rule, down to the redacted record of each refusal. */
import { el } from "../../shared/dom.ts";
import { jsonBlock } from "../../shared/json.ts";
import { prose, sentence } from "../../shared/prose.ts";
import { addressOf } from "../address.ts";
import { fitted, withTable } from "../charts/frame.ts";
import { qualityChart } from "../charts/quality.ts";
import { refusalsChart } from "../charts/refusals.ts";
import { count, dateTime, day, percent } from "../format.ts";
import type { Quality, Refusal } from "../kpi.ts";
import { type Context, explain, type Spec } from "../panel.ts";
import { filled, grainFor, periodsOf } from "../periods.ts";

const SHOWN = 20;

export const qualityPanel: Spec<readonly Quality[]> = {
  id: "quality",
  title: "Accepted and refused",
  note: "Above the line what was stored, below it what the contract turned away.",
  load: async ({ kpi, filters: { range } }) =>
    (await kpi.quality(range, grainFor(range))).filter(({ rule_id }) => rule_id === null),
  empty: (rows) => (rows.some(isNotable) ? undefined : "Nothing was received in this range."),
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
      "Accepted and refused events",
      ["Period", "Accepted", "Refused", "Refused share"],
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
    refused > 0 && `${count(refused)} ${refused === 1 ? "request was" : "requests were"} refused whole.`,
    unjudged > 0 &&
    `${count(unjudged)} older ${unjudged === 1 ? "row is" : "rows are"} not judged yet and count nowhere.`,
  ].filter(Boolean).join(" ");
}

export const refusalsPanel: Spec<readonly Quality[]> = {
  id: "refusals",
  title: "Refused, by rule",
  note: "Each refusal counts under the first rule it broke. Choose a rule to see what was refused.",
  see: { view: "refusals" },
  load: async ({ kpi, filters: { range } }) =>
    (await kpi.quality(range, "total")).filter(({ rule_id }) => rule_id !== null),
  empty: (rows) => (rows.some(({ rejected }) => rejected > 0) ? undefined : "Nothing was refused in this range."),
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
      el("form", { method: "dialog" }, el("button", { class: "button" }, "Close")),
    ),
    body,
  );
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  try {
    const refused = await kpi.refusals(range, rule, SHOWN);
    body.replaceChildren(...drillDown(refused, range.zone));
  } catch (error) {
    console.error(error);
    body.replaceChildren(el("p", {}, explain(error)));
  }
}

function drillDown(refused: readonly Refusal[], zone: string): readonly HTMLElement[] {
  const [latest] = refused;
  if (!latest) return [el("p", {}, "Refusals are listed by when they were recorded; none was recorded in this range.")];
  return [
    el("p", {}, prose(sentence(latest.reason ?? ""))),
    el(
      "p",
      { class: "quiet small" },
      refused.length === SHOWN
        ? `The latest ${SHOWN}, newest first.`
        : `${refused.length} in this range, newest first.`,
      " What was sent is kept redacted: personal values never reach the store. ",
      el("a", {
        href: addressOf({ view: "refusals", rule: latest.rule_id }),
        "data-view": "refusals",
        onclick: (event) => (event.currentTarget as HTMLElement).closest("dialog")?.close(),
      }, "What to send instead, and a replay"),
    ),
    el("ol", { class: "snapshots" }, refused.map((refusal) => snapshot(refusal, zone))),
  ];
}

function snapshot(refusal: Refusal, zone: string): HTMLElement {
  const named = ({ rule_id, path }: Refusal["violations"][number]) => (path === "" ? rule_id : `${rule_id} at ${path}`);
  const others = refusal.violations.filter(({ rule_id }) => rule_id !== refusal.rule_id).map(named);
  const place = refusal.violations.find(({ rule_id }) => rule_id === refusal.rule_id)?.path;
  const time = dateTime(refusal.recorded_at, zone);
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
        ` by ${refusal.source_system ?? "the gate"}, ${count(refusal.payload_bytes ?? 0)} bytes`,
      ),
    ),
    place !== undefined && place !== "" && el("p", { class: "small" }, "At ", el("span", { class: "rule-id" }, place)),
    others.length > 0 &&
      el("p", { class: "small" }, "Also broken: ", el("span", { class: "rule-id" }, others.join(", "))),
    jsonBlock(refusal.snapshot, `What was sent at ${time}, redacted`),
  );
}
