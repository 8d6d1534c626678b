/** The states that people pass through: what each is called, what it means, and from which score on somebody is in it. */
import { el } from "../../shared/dom.ts";
import { ReadError } from "../kpi.ts";
import type { StateRow } from "../registry_api.ts";
import { count } from "../format.ts";
import { changes } from "./changes.ts";
import { action, field } from "./parts.ts";
import type { Around } from "./registry.ts";
import { t } from "../texts.ts";

const MOST_ID = 16;

export async function part(around: Around): Promise<HTMLElement> {
  const { api, editor } = around;
  const [states, made] = await Promise.all([api.states(), changes(around, { entity: "state" })]);
  const last = states.at(-1);
  return el(
    "div",
    {},
    !editor &&
      el("p", { class: "quiet" }, t("All sites share these. Whoever is an owner of every site can change them.")),
    el(
      "ol",
      { class: "cards two" },
      states.map((one, at) => editor ? el("li", {}, stateForm(around, states, at)) : card(one)),
    ),
    editor && stateForm(around, states, states.length, last),
    el("h2", { class: "sub" }, t("What became of the states")),
    made,
  );
}

function card({ id, name, meaning, min_score }: StateRow): HTMLElement {
  return el(
    "li",
    { class: "card pad", "data-state": id },
    el("h2", {}, `${id} ${name}`),
    el("p", {}, meaning),
    el("p", { class: "quiet small" }, t("From a score of {score}", { score: count(min_score) })),
  );
}

/** The state at this place, or a new one above all others. */
function stateForm({ api, done }: Around, states: readonly StateRow[], at: number, below?: StateRow): HTMLElement {
  const was = states[at];
  const key = was?.id ?? "new";
  const text = (name: string, value: string, maxlength: number) =>
    el("input", { id: `state-${key}-${name}`, value, maxlength, required: true, autocomplete: "off" });
  const id = text("id", was?.id ?? "", MOST_ID);
  const name = text("name", was?.name ?? "", 64);
  const meaning = text("meaning", was?.meaning ?? "", 256);
  const score = el("input", {
    id: `state-${key}-score`,
    type: "number",
    step: "any",
    min: String(states[at - 1]?.min_score ?? 0),
    ...(states[at + 1] && { max: String(states[at + 1]?.min_score) }),
    required: true,
    value: String(was?.min_score ?? below?.min_score ?? 0),
  });
  const save = action(was ? t("Save") : t("Add the state"), async () => {
    const terms = { name: name.value.trim(), meaning: meaning.value.trim(), min_score: Number(score.value) };
    const saved = was?.id ?? id.value.trim();
    await (was ? api.changeState(was.id, terms) : api.addState({ id: saved, rank: (below?.rank ?? -1) + 1, ...terms }));
    await done(t("{name} was saved.", { name: saved }));
    return null;
  }, was ? "button" : "button primary");
  if (was) save.button.setAttribute("aria-label", t("Save {name}", { name: was.id }));
  const remove = was && action(t("Remove"), async () => {
    try {
      await api.removeState(was.id);
    } catch (error) {
      if (error instanceof ReadError && error.code === "23503") {
        return el(
          "p",
          { class: "problem" },
          t("It stays: somebody stands or stood in it, or a rule or an event type names it."),
        );
      }
      throw error;
    }
    await done(t("{name} was removed.", { name: was.id }));
    return null;
  }, "button plain small");
  remove?.button.setAttribute("aria-label", t("Remove {name}", { name: was?.id ?? "" }));
  const form = el(
    "form",
    { class: "card pad form", "data-state": key, onsubmit: (event) => event.preventDefault(), oninput: check },
    el("h2", {}, was ? `${was.id} ${was.name}` : t("A state above all others")),
    el(
      "div",
      { class: "narrow wide" },
      !was && field(t("Id, by which events name it"), id),
      field(t("Name"), name),
      field(t("From a score of"), score),
    ),
    el("div", { class: "wide" }, field(t("What is true of a person in it"), meaning)),
    el("div", { class: "facts" }, save.button, remove && remove.button),
    save.outcome,
    remove && remove.outcome,
  );
  check();
  return form;

  function check(): void {
    save.button.disabled = !form.checkValidity();
  }
}
