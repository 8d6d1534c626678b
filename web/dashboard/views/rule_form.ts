/** A new rule of the install's own: what it would say of an example, and of what is stored, is shown before it is saved. */
import { type Child, el } from "../../shared/dom.ts";
import { addressOf } from "../address.ts";
import { count } from "../format.ts";
import { room } from "../room.ts";
import type { Draft, RulesApi, Tried } from "../rules_api.ts";
import type { Place } from "../views.ts";
import { action, field, said } from "./parts.ts";

const SCHEMA = {
  type: "object",
  properties: { metadata: { type: "object", required: ["page_path"] } },
};
const EXAMPLE = {
  event_type: "content_view",
  event_category: "engagement",
  event_source: "web",
  session_id: "session-0001",
  metadata: { content_id: "gut-health" },
};
const PAUSE = 350;

export function ruleForm(
  place: Place,
  api: RulesApi,
  registry: { readonly event_types: readonly { readonly id: string }[] },
  saved: () => Promise<void>,
): HTMLElement {
  const name = el("input", {
    id: "rule-name",
    pattern: "[a-z0-9_]{1,60}",
    maxlength: 60,
    autocomplete: "off",
    required: true,
  });
  const types = registry.event_types.map(({ id }) => id).toSorted();
  const type = el(
    "select",
    { id: "rule-type" },
    el("option", { value: "" }, "every type"),
    types.map((id) => el("option", { value: id, selected: id === "content_view" }, id)),
  );
  const reason = el("input", { id: "rule-reason", maxlength: 512, autocomplete: "off" });
  const schema = area("rule-schema", SCHEMA);
  const example = area("rule-example", EXAMPLE);
  const verdict = el("div", { class: "card pad", role: "status", id: "rule-verdict" });
  const save = action("Save in observe", async () => {
    await api.add(draft());
    await saved();
    return null;
  }, "button primary");
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;

  const form = el(
    "form",
    {
      class: "card pad form",
      "aria-labelledby": "new-rule",
      onsubmit: (event) => event.preventDefault(),
      oninput: soon,
    },
    el("h2", { id: "new-rule" }, "A new rule"),
    el(
      "div",
      { class: "narrow wide" },
      field("Name, after own.", name),
      field("Binds", type),
      field("What is wrong, and what to send instead", reason),
    ),
    el(
      "div",
      { class: "split halves wide" },
      el(
        "div",
        { class: "field" },
        el("label", { for: "rule-schema" }, "What an event must satisfy, as a JSON Schema"),
        schema,
      ),
      el(
        "div",
        { class: "field" },
        el("label", { for: "rule-example" }, "An event to try it on"),
        example,
        el("button", { class: "button small", type: "button", onclick: () => void latest() }, "Take the latest stored"),
      ),
    ),
    verdict,
    el("p", { class: "small quiet" }, "Saved, it counts and refuses nothing. Enforce it when its count looks right."),
    save.button,
    save.outcome,
  );
  void judge();
  return form;

  function soon(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void judge(), PAUSE);
  }

  function draft(): Draft {
    return {
      id: `own.${name.value.trim()}`,
      category: null,
      event_type: type.value === "" ? null : type.value,
      schema: JSON.parse(schema.value) as unknown,
      mode: "observe",
      reasons: { en: reason.value.trim() },
    };
  }

  async function judge(): Promise<void> {
    const turn = ++asked;
    const wrong = notJson("schema", schema.value) ?? notJson("event", example.value);
    if (wrong !== undefined) {
      verdict.replaceChildren(el("p", { class: "problem" }, wrong));
      return;
    }
    try {
      const answer = await api.attempt({
        category: null,
        event_type: type.value === "" ? null : type.value,
        schema: JSON.parse(schema.value) as unknown,
        example: JSON.parse(example.value) as unknown,
      });
      if (turn === asked) verdict.replaceChildren(el("div", { class: "report" }, verdictOf(answer)));
    } catch (error) {
      console.error(error);
      if (turn === asked) verdict.replaceChildren(el("p", { class: "problem" }, said(error)));
    }
  }

  async function latest(): Promise<void> {
    const events = room(place.client, place.site);
    const to = new Date();
    const from = new Date(to.getTime() - 28 * 86_400_000);
    const wanted = {
      tier: null,
      event_type: type.value || null,
      campaign: null,
      page: null,
      source: null,
      rejected: false,
    };
    const [found] = await events.events({ from, to, zone: "UTC" }, wanted, null, 1);
    const whole = found && await events.event(found.id);
    if (!whole) return;
    const { event_type, event_category, event_source, session_id, metadata } = whole;
    example.value = JSON.stringify({ event_type, event_category, event_source, session_id, metadata }, null, 2);
    await judge();
  }
}

function verdictOf({ refusal, binds, passes, place, stored }: Tried): Child {
  if (refusal !== null) return el("p", { class: "problem" }, `The schema cannot be judged by: ${refusal}.`);
  const senders = Object.entries((stored?.senders ?? {}) as Readonly<Record<string, number>>);
  return [
    el(
      "p",
      { class: "facts" },
      "The event ",
      binds === false
        ? el("span", { class: "tag" }, "is not bound by it")
        : passes
        ? el("span", { class: "tag pass" }, "would pass")
        : el("span", { class: "tag refuse" }, `would be refused${place ? ` at ${place}` : ""}`),
    ),
    stored !== null && stored !== undefined &&
    el(
      "p",
      {},
      `Of the last ${count(stored.examined)} stored that it binds, it would refuse `,
      el("strong", {}, count(stored.refused)),
      senders.length > 0 && `: ${senders.map(([sender, many]) => `${sender} ${count(many)}`).join(", ")}`,
      ". ",
      stored.samples.map((id, at) => [
        el("a", { href: addressOf({ view: "explore", event: id }), "data-view": "explore" }, `Event ${at + 1}`),
        " ",
      ]),
    ),
  ];
}

function notJson(what: string, text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `The ${what} is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function area(id: string, value: object): HTMLTextAreaElement {
  const text = el("textarea", { id, class: "mono", rows: 11, spellcheck: "false" });
  text.value = JSON.stringify(value, null, 2);
  return text;
}
