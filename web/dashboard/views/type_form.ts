/** One event type in its form: what it counts for, and the schema of its payload, judged while it is typed. */
import { el } from "../../shared/dom.ts";
import { prose, sentence } from "../../shared/prose.ts";
import { addressOf, go } from "../address.ts";
import { TIERS } from "../charts/frame.ts";
import { gate } from "../gate.ts";
import type { EventType } from "../registry_api.ts";
import { room } from "../room.ts";
import { contractReasons } from "../reasons.ts";
import { rulesApi } from "../rules_api.ts";
import { changes } from "./changes.ts";
import { area, latestEvent, notJson, ofStored, onPause } from "./judged.ts";
import { action, field, said } from "./parts.ts";
import { byModule, isPersonal, type Schema, type Snapshot, withinEvent } from "./payload.ts";
import type { Around } from "./registry.ts";
import { t } from "../texts.ts";

/** Those of system and retention are written by back ends and by the gate itself. */
const CATEGORIES = ["engagement", "subscription", "advocacy", "attribution"];
const NEW: EventType = {
  id: "",
  category: "engagement",
  tier: "consumer",
  score_weight: 0,
  daily_cap: 10,
  withdraws_consent: false,
  description: "",
  payload_schema: null,
  active: true,
};

export async function typeForm(around: Around, given?: EventType): Promise<HTMLElement> {
  const { api, place, done } = around;
  const [registry, stored, history, reasons] = await Promise.all([
    room(place.client, place.site).registry() as Promise<Snapshot>,
    given && latestEvent(place, given.id),
    given && place.owner ? changes(around, { entity: "event_type", record: given.id }) : null,
    contractReasons(),
  ]);
  const contract = await gate(Promise.resolve(registry));
  const was = given ?? NEW;
  const editable = around.editor && (!given || CATEGORIES.includes(was.category));

  const id = el("input", {
    id: "type-id",
    minlength: 3,
    maxlength: 64,
    pattern: "[a-z][a-z0-9_]{2,63}",
    required: true,
    autocomplete: "off",
    readonly: given !== undefined,
    value: was.id,
  });
  const category = choice(
    "type-category",
    given && !CATEGORIES.includes(was.category) ? [was.category] : CATEGORIES,
    was.category,
  );
  const tier = choice("type-tier", TIERS, was.tier);
  const score = numeric("type-score", was.score_weight, 0, "any");
  const cap = numeric("type-cap", was.daily_cap, 1, 1);
  const description = el("input", {
    id: "type-description",
    required: true,
    autocomplete: "off",
    value: was.description,
  });
  const active = el("input", { id: "type-active", type: "checkbox", checked: was.active });
  const withdraws = el("input", { id: "type-withdraws", type: "checkbox", checked: was.withdraws_consent });
  const schema = area("type-schema", was.payload_schema ?? undefined);
  const example = area("type-example", undefined);
  example.value = stored ?? JSON.stringify(
    {
      event_type: was.id || "new_type",
      event_category: was.category,
      event_source: "web",
      session_id: "session-0001",
      metadata: { page_path: "/" },
    },
    null,
    2,
  );
  const personal = el("div", { class: "wide" });
  const verdict = el("div", { class: "card pad", role: "status", id: "type-verdict" });
  const save = action(given ? t("Save") : t("Add type"), async () => {
    if (!form.reportValidity()) return null;
    const now = draft();
    const changed = Object.fromEntries(
      Object.entries(now).filter(([key, value]) =>
        JSON.stringify(value) !== JSON.stringify(was[key as keyof EventType])
      ),
    );
    if (now.tier === "system" && now.score_weight > 0) return t("Events of the tier system move no score: make it 0.");
    if (given && Object.keys(changed).length === 0) return t("Nothing is different.");
    await (given ? api.changeType(given.id, changed) : api.addType(now));
    if (!given) go(addressOf({ view: "registry", id: now.id }));
    else await done(t("{name} was saved. It holds for the next event.", { name: now.id }));
    return null;
  }, "button primary");
  const soon = onPause(() => void judge());
  let asked = 0;

  const form = el(
    "form",
    {
      class: "card pad form",
      "aria-labelledby": "the-type",
      onsubmit: (event) => event.preventDefault(),
      oninput: soon,
    },
    el("h2", { id: "the-type", class: given && "rule-id" }, given ? given.id : t("A new event type")),
    !editable && el("p", { class: "quiet" }, reader(around, was)),
    el(
      "fieldset",
      { class: "bare wide", disabled: !editable },
      el("legend", { class: "visually-hidden" }, t("What it is")),
      el(
        "div",
        { class: "narrow" },
        !given && field(t("Name"), id),
        field(t("Category"), category),
        field(t("Tier"), tier),
        field(t("Score of one event"), score),
        field(t("Counted a day, at most"), cap),
      ),
      field(t("What happened, in a sentence"), description),
      el(
        "div",
        { class: "facts" },
        tick(t("Accepted; else refused from now on"), active),
        tick(t("Takes a consent back"), withdraws),
      ),
      el(
        "div",
        { class: "split halves" },
        el(
          "div",
          { class: "field" },
          el("label", { for: schema.id }, t("What its metadata must hold; empty: anything")),
          schema,
          personal,
        ),
        el(
          "div",
          { class: "field" },
          el("label", { for: example.id }, t("An event to try it on")),
          example,
          given &&
            el(
              "button",
              { class: "button small", type: "button", onclick: () => void latest() },
              t("Take the latest stored"),
            ),
        ),
      ),
    ),
    verdict,
    el(
      "div",
      { class: "facts" },
      editable && save.button,
      el(
        "a",
        { class: "button plain", href: addressOf({ view: "registry" }), "data-view": "registry" },
        t("All types"),
      ),
    ),
    save.outcome,
  );
  void judge();
  return el("div", {}, form, history && [el("h2", { class: "sub" }, t("Who changed it")), history]);

  function draft(): EventType {
    return {
      id: id.value.trim(),
      category: category.value,
      tier: tier.value,
      score_weight: Number(score.value),
      daily_cap: Number(cap.value),
      withdraws_consent: withdraws.checked,
      description: description.value.trim(),
      payload_schema: schema.value.trim() === "" ? null : JSON.parse(schema.value) as unknown,
      active: active.checked,
    };
  }

  async function judge(): Promise<void> {
    const turn = ++asked;
    const wrong = schema.value.trim() === "" ? undefined : notJson("schema", schema.value);
    const unread = wrong ?? notJson("event", example.value);
    save.button.disabled = wrong !== undefined;
    if (unread !== undefined) {
      verdict.replaceChildren(el("p", { class: "problem" }, unread));
      return;
    }
    const now = draft();
    const { fault, said: found } = byModule(contract, registry, now, example.value, reasons);
    save.button.disabled = fault !== undefined;
    personal.replaceChildren(...flags(now));
    const seen = el("div", { class: "report" });
    verdict.replaceChildren(el("div", { class: "report" }, found, seen));
    if (now.payload_schema === null || !editable) return;
    try {
      // The database names the keyword and its place.
      const refusal = await api.refusal(now.payload_schema);
      if (turn !== asked) return;
      if (refusal !== null) {
        save.button.disabled = true;
        verdict.replaceChildren(el("p", { class: "problem" }, prose(sentence(refusal))));
        return;
      }
      if (fault !== undefined || !given) return;
      // The same schema as a rule of one's own, which knows how to look at what is stored.
      const answer = await rulesApi(place.client, place.site).attempt({
        category: null,
        event_type: now.id,
        schema: withinEvent(now.payload_schema),
        example: JSON.parse(example.value) as unknown,
      });
      if (turn === asked) {
        seen.append(...[ofStored(answer.stored)].filter((child): child is Node => child instanceof Node));
      }
    } catch (error) {
      console.error(error);
      if (turn === asked) seen.append(el("p", { class: "problem" }, said(error)));
    }
  }

  /** The keys that look personal to the gate, each with a word of the owner that it is not. */
  function flags(now: EventType): readonly Node[] {
    const properties = Object.entries((now.payload_schema as Schema | null)?.properties ?? {});
    const described = properties.filter(([, one]) => typeof one === "object" && one !== null);
    const asked = described.filter(([key, one]) => one?.["personal"] === false || isPersonal(contract, now, key));
    if (asked.length === 0) return [];
    return [
      el(
        "p",
        { class: "small quiet" },
        t("By their names these keys are personal, and refused. Values are looked at in any case."),
      ),
      ...asked.map(([key, one]) => {
        const box = el("input", { type: "checkbox", id: `personal-${key}`, checked: one["personal"] === false });
        box.addEventListener("change", () => {
          const { personal: _, ...rest } = one;
          const next = { ...(now.payload_schema as Schema) };
          next.properties = { ...next.properties, [key]: box.checked ? { ...rest, personal: false } : rest };
          schema.value = JSON.stringify(next, null, 2);
          void judge().then(() => document.getElementById(box.id)?.focus());
        });
        return tick(t("{key} is not personal here", { key }), box);
      }),
    ];
  }

  async function latest(): Promise<void> {
    const found = await latestEvent(place, was.id);
    if (found === undefined) return;
    example.value = found;
    await judge();
  }
}

function reader({ editor }: Around, { category }: EventType): string {
  return editor
    ? t(
      "Events of {category} are written by back ends and by the gate itself; who keeps the database keeps their types.",
      { category },
    )
    : t("All sites share it. Whoever is an owner of every site can change it.");
}

function choice(id: string, all: readonly string[], chosen: string): HTMLSelectElement {
  return el("select", { id }, all.map((value) => el("option", { value, selected: value === chosen }, value)));
}

function numeric(id: string, value: number, min: number, step: number | string): HTMLInputElement {
  return el("input", { id, type: "number", min, step, required: true, value });
}

function tick(name: string, box: HTMLInputElement): HTMLElement {
  return el("div", { class: "tick" }, box, el("label", { for: box.id }, name));
}
