/** A rule of the install's own, new or edited: what it would say of an example, and of what is stored, is shown before. */
import { type Child, el } from "../../shared/dom.ts";
import { addressOf } from "../address.ts";
import type { Draft, Mode, OwnRule, RulesApi, Tried } from "../rules_api.ts";
import type { Place } from "../views.ts";
import { area, latestEvent, notJson, ofStored, onPause } from "./judged.ts";
import { action, field, said } from "./parts.ts";
import { rich, t } from "../texts.ts";

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

export function ruleForm(
  place: Place,
  api: RulesApi,
  registry: { readonly event_types: readonly { readonly id: string }[] },
  saved: (what: string) => Promise<void>,
  edited?: OwnRule,
): HTMLElement {
  const name = el("input", {
    id: "rule-name",
    pattern: "[a-z0-9_]{1,60}",
    maxlength: 60,
    autocomplete: "off",
    required: true,
    readonly: edited !== undefined,
    value: edited?.id.replace(/^own\./, "") ?? "",
  });
  const types = registry.event_types.map(({ id }) => id).toSorted();
  const type = el(
    "select",
    { id: "rule-type" },
    el("option", { value: "" }, t("every type")),
    types.map((id) => el("option", { value: id, selected: id === (edited ? edited.event_type : "content_view") }, id)),
  );
  const reason = el("input", { id: "rule-reason", maxlength: 512, autocomplete: "off", value: edited?.reason ?? "" });
  const schema = area("rule-schema", edited?.schema ?? SCHEMA);
  const example = area("rule-example", EXAMPLE);
  const verdict = el("div", { class: "card pad", role: "status", id: "rule-verdict" });
  const save = action(edited ? t("Save") : t("Save in observe"), async () => {
    await (edited
      ? api.change(edited.id, terms())
      : api.add({ id: `own.${name.value.trim()}`, mode: "observe", ...terms() }));
    await saved(
      edited
        ? t("{rule} was saved.", { rule: edited.id })
        : t("The rule was saved: it counts, and refuses nothing yet."),
    );
    return null;
  }, "button primary");
  const soon = onPause(() => void judge());
  let asked = 0;

  const form = el(
    "form",
    {
      class: "card pad form",
      "aria-labelledby": "new-rule",
      onsubmit: (event) => event.preventDefault(),
      oninput: soon,
    },
    el("h2", { id: "new-rule" }, edited ? t("Edit {rule}", { rule: edited.id }) : t("A new rule")),
    el(
      "div",
      { class: "narrow wide" },
      field(t("Name, after own."), name),
      field(t("Binds"), type),
      field(t("What is wrong, and what to send instead"), reason),
    ),
    el(
      "div",
      { class: "split halves wide" },
      el(
        "div",
        { class: "field" },
        el("label", { for: "rule-schema" }, t("What an event must satisfy, as a JSON Schema")),
        schema,
      ),
      el(
        "div",
        { class: "field" },
        el("label", { for: "rule-example" }, t("An event to try it on")),
        example,
        el(
          "button",
          { class: "button small", type: "button", onclick: () => void latest() },
          t("Take the latest stored"),
        ),
      ),
    ),
    verdict,
    el(
      "p",
      { class: "small quiet" },
      edited
        ? t("It stays in {mode}.", { mode: t(edited.mode as Mode) })
        : t("Saved, it counts and refuses nothing. Enforce it when its count looks right."),
    ),
    el(
      "div",
      { class: "facts" },
      save.button,
      edited &&
        el("a", { class: "button plain", href: addressOf({ view: "rules" }), "data-view": "rules" }, t("Leave it")),
    ),
    save.outcome,
  );
  void judge();
  return form;

  function terms(): Pick<Draft, "category" | "event_type" | "schema" | "reasons"> {
    return {
      category: edited?.category ?? null,
      event_type: type.value === "" ? null : type.value,
      schema: JSON.parse(schema.value) as unknown,
      // Those in other languages stay as they are.
      reasons: { ...edited?.reasons, en: reason.value.trim() },
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
      const { category, event_type, schema: drafted } = terms();
      const tried = JSON.parse(example.value) as unknown;
      const answer = await api.attempt({ category, event_type, schema: drafted, example: tried });
      if (turn === asked) verdict.replaceChildren(el("div", { class: "report" }, verdictOf(answer)));
    } catch (error) {
      console.error(error);
      if (turn === asked) verdict.replaceChildren(el("p", { class: "problem" }, said(error)));
    }
  }

  async function latest(): Promise<void> {
    const found = await latestEvent(place, type.value || null);
    if (found === undefined) return;
    example.value = found;
    await judge();
  }
}

function verdictOf({ refusal, binds, passes, place, stored }: Tried): Child {
  if (refusal !== null) {
    return el("p", { class: "problem" }, t("The schema cannot be judged by: {why}.", { why: refusal }));
  }
  return [
    el(
      "p",
      { class: "facts" },
      rich("The event {verdict}", {
        verdict: binds === false
          ? el("span", { class: "tag" }, t("is not bound by it"))
          : passes
          ? el("span", { class: "tag pass" }, t("would pass"))
          : el(
            "span",
            { class: "tag refuse" },
            place ? t("would be refused at {place}", { place }) : t("would be refused"),
          ),
      }),
    ),
    ofStored(stored),
  ];
}
