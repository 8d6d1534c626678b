/** The rules page: the contract's own table, grouped by what it looks at. */
import { byId, el } from "../shared/dom.ts";
import { textBlock, tidied } from "../shared/json.ts";
import { prose, sentence } from "../shared/prose.ts";
import { themeSwitch } from "../shared/theme.ts";
import { openGate, type Rule } from "./gate.ts";
import { asks } from "./views.ts";

const GROUPS: Readonly<Record<string, string>> = {
  parse: "Can it be read",
  base: "The fields of every event",
  sanity: "Sizes and times",
  engagement: "Engagement",
  subscription: "Subscription",
  advocacy: "Advocacy",
  retention: "Retention",
  attribution: "Attribution",
  system: "System",
  state: "State jumps",
  privacy: "Privacy",
  identity: "Who may send what",
  registry: "The registry of events",
  duplicate: "Double fire",
};

byId("theme").replaceWith(themeSwitch());

try {
  const { gate } = await openGate();
  const contract = gate.contract();
  byId("contract-line").textContent = `Contract ${contract.version}, fingerprint ${contract.fingerprint}.`;
  list(contract.rules);
} catch (error) {
  console.error(error);
  byId("count").textContent = "The contract could not be loaded: this page needs WebAssembly.";
}

function list(rules: readonly Rule[]): void {
  const names = [...new Set(rules.map(group))];
  const entries = rules.map((rule) => ({
    rule,
    element: entry(rule),
    text: `${rule.id} ${rule.reason} ${rule.must} ${rule.when}`.toLowerCase(),
  }));
  const sections = names.map((name) => {
    const members = entries.filter(({ rule }) => group(rule) === name);
    const section = el(
      "section",
      { "aria-labelledby": `group-${name}` },
      el("h2", { id: `group-${name}` }, GROUPS[name] ?? name),
      members.map(({ element }) => element),
    );
    return { section, members };
  });
  byId("rules").replaceChildren(...sections.map(({ section }) => section));
  document.querySelector(".rule-filter")?.addEventListener("input", filter);
  filter();
  document.documentElement.dataset["ready"] = "true";
  // The browser looked for the fragment's target before the list was there.
  const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (wanted instanceof HTMLDetailsElement) {
    wanted.open = true;
    wanted.scrollIntoView();
  }

  function filter(): void {
    const words = byId<HTMLInputElement>("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = document.querySelector<HTMLInputElement>("input[name=kind]:checked")?.value ?? "";
    let shown = 0;
    for (const { rule, element, text } of entries) {
      element.hidden = !(words.every((word) => text.includes(word)) && (kind === "" || rule.kind === kind));
      if (!element.hidden) shown += 1;
    }
    for (const { section, members } of sections) section.hidden = members.every(({ element }) => element.hidden);
    byId("count").textContent = shown === 0
      ? "No rule matches. Try one word of it."
      : `${shown} of ${rules.length} rules`;
  }
}

function entry(rule: Rule): HTMLDetailsElement {
  return el(
    "details",
    { class: "rule card", id: rule.id },
    el(
      "summary",
      {},
      el("span", { class: "rule-id" }, rule.id),
      el("span", { class: "tag" }, rule.kind),
      el("span", { class: "rule-reason" }, prose(sentence(rule.reason))),
    ),
    el(
      "div",
      { class: "rule-body" },
      el("p", {}, el("strong", {}, "Asks: "), prose(asks(rule))),
      rule.path !== "" && el("p", {}, el("strong", {}, "Looks at: "), el("code", {}, rule.path)),
      el("div", { class: "sides" }, side(rule, "accepts", "Passes"), side(rule, "rejects", "Is refused")),
    ),
  );
}

function side(rule: Rule, name: "accepts" | "rejects", title: string): HTMLElement {
  return el(
    "div",
    {},
    el("h3", {}, title),
    textBlock(tidied(rule[name]), `${rule.id}: ${title.toLowerCase()}`),
    el(
      "p",
      {},
      el(
        "a",
        { href: `./#rule=${rule.id}&example=${name}` },
        "Open in the playground",
        el("span", { class: "visually-hidden" }, `: ${rule.id}, ${title.toLowerCase()}`),
      ),
    ),
  );
}

function group(rule: Rule): string {
  return rule.id.split(".", 1)[0] ?? rule.id;
}
