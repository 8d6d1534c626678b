/** What the verdict looks like: each function turns a part of it into an element. */
import { el, icon } from "../shared/dom.ts";
import { jsonBlock } from "../shared/json.ts";
import { prose, sentence } from "../shared/prose.ts";
import type { Rule } from "./gate.ts";
import type { EventVerdict, Finding, Row, Verdict } from "./verdict.ts";

export function headline(verdict: Verdict): { passed: boolean; title: string; detail: string } {
  const total = verdict.events.length;
  const refused = verdict.events.filter((event) => !event.accepted);
  const [only] = refused;
  if (total === 0) return { passed: false, title: "Nothing to judge", detail: "The body holds no event." };
  if (!only) {
    return {
      passed: true,
      title: total === 1 ? "Accepted" : `All ${total} accepted`,
      detail: "Every rule that applies to it holds.",
    };
  }
  if (total === 1) {
    const count = only.findings.length;
    return {
      passed: false,
      title: "Refused",
      detail: count === 1 ? "One rule does not hold." : `${count} rules do not hold.`,
    };
  }
  return {
    passed: false,
    title: `${total - refused.length} of ${total} accepted`,
    detail: `${refused.length} refused, each with its reason.`,
  };
}

/** All rules in the order in which they are judged; the violated ones stand out. */
export function gauntlet(rules: readonly Rule[], verdict: Verdict): HTMLElement {
  const broken = new Set(verdict.events.flatMap((event) => event.findings.map(({ rule }) => rule.id)));
  return el(
    "div",
    {
      class: "gauntlet",
      role: "img",
      "aria-label": `${rules.length} rules judged in order, ${broken.size} do not hold`,
    },
    rules.map((rule) => el("i", { class: broken.has(rule.id) ? "broken" : "held", title: rule.id })),
  );
}

export function findings(verdict: Verdict): readonly HTMLElement[] {
  const many = verdict.events.length > 1;
  return verdict.events.filter((event) => !event.accepted).map((event) => eventFindings(event, many));
}

function eventFindings(event: EventVerdict, many: boolean): HTMLElement {
  return el(
    "section",
    {},
    many && el("h3", {}, `Event ${event.index + 1}`),
    el("ol", { class: "finding-list" }, event.findings.map(finding)),
  );
}

function finding({ rule, path }: Finding): HTMLElement {
  return el(
    "li",
    { class: "finding" },
    el(
      "div",
      { class: "finding-head" },
      icon("refuse"),
      el("a", { class: "rule-id", href: `./rules.html#${rule.id}` }, rule.id),
      path !== "" && el("code", { class: "quiet small" }, path),
    ),
    el("p", {}, prose(sentence(rule.reason))),
  );
}

/** Every rule with what it asks, the violated ones marked; folded until somebody opens it. */
export function everyRule(rules: readonly Rule[], verdict: Verdict): HTMLElement {
  const broken = new Set(verdict.events.flatMap((event) => event.findings.map(({ rule }) => rule.id)));
  return el(
    "table",
    {},
    el("caption", { class: "visually-hidden" }, "Every rule, in the order of judgement"),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", { scope: "col" }, "Rule"),
        el("th", { scope: "col" }, "Binds when, and asks"),
        el("th", { scope: "col" }, "Here"),
      ),
    ),
    el(
      "tbody",
      {},
      rules.map((rule) =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, el("a", { class: "rule-id", href: `./rules.html#${rule.id}` }, rule.id)),
          el("td", {}, prose(asks(rule))),
          el(
            "td",
            {},
            broken.has(rule.id)
              ? el("span", { class: "tag refuse" }, "broken")
              : el("span", { class: "tag pass" }, "holds"),
          ),
        )
      ),
    ),
  );
}

export function asks(rule: Rule): string {
  return rule.when === "always" || rule.when === "" ? rule.must : `${rule.when}: ${rule.must}`;
}

/** The rows the store would take: the event itself, or the audit row of its refusal. */
export function rows(verdict: Verdict): HTMLElement {
  return el(
    "div",
    { class: "rows" },
    verdict.accepted.map((row) =>
      el("div", {}, el("h3", {}, "Stored as this event"), jsonBlock(columns(row), "The stored row"))
    ),
    verdict.audit.map((row) =>
      el(
        "div",
        {},
        el("h3", {}, "Stored as an audit row"),
        el(
          "p",
          { class: "quiet small" },
          "Category system, type event_validation_fail. What was sent is kept redacted, so a refusal can be looked into and leaks nothing.",
        ),
        jsonBlock({ event_category: "system", event_type: "event_validation_fail", ...columns(row) }, "The audit row"),
      )
    ),
  );
}

/** Without its place in the batch, which is not a column of the row. */
function columns({ index: _, ...row }: Row): object {
  return row;
}
