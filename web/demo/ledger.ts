// The list next to the article: every event that the tracker took, and what became of it.
import { byId, el } from "../shared/dom.ts";
import type { Stats, Violation } from "../tracker/types.ts";

type Verdict = { label: string; tone: "" | "pass" | "refuse" | "warn"; violations?: readonly Violation[] };

export const WAITING: Verdict = { label: "waiting", tone: "" };

export function createLedger() {
  const list = byId<HTMLOListElement>("entries");
  const entries = new Map<string, HTMLLIElement>();

  const show = (id: string, type: string, verdict: Verdict) => {
    byId("empty").hidden = true;
    const item = el(
      "li",
      {},
      el(
        "div",
        { class: "entry-head" },
        el("span", { class: "name" }, type),
        el("span", { class: `tag ${verdict.tone}` }, verdict.label),
      ),
      ...(verdict.violations ?? []).map(({ rule_id, reason }) =>
        el("p", { class: "why" }, el("span", { class: "rule-id" }, rule_id), " ", ...marked(reason))
      ),
    );
    const before = entries.get(id);
    if (before) before.replaceWith(item);
    else list.prepend(item);
    entries.set(id, item);
  };

  return {
    /** A later message about an event replaces the earlier one. */
    show,
    /** A message of the page must not replace what the server has said in the meantime. */
    wait: (id: string, type: string) => {
      if (!entries.has(id)) show(id, type, WAITING);
    },
    sums: ({ queued, accepted, rejected }: Stats) => {
      byId("queued").textContent = String(queued);
      byId("accepted").textContent = String(accepted);
      byId("rejected").textContent = String(rejected);
    },
  };
}

/** Reasons name fields in backticks. */
const marked = (reason: string) =>
  reason.split("`").map((part, index) => (index % 2 === 1 ? el("code", {}, part) : part));
