/** The funnels of the site: which steps people take, in which order, and within which time. */
import { type Child, el } from "../../shared/dom.ts";
import type { FunnelRow } from "../registry_api.ts";
import { changes } from "./changes.ts";
import { action, field } from "./parts.ts";
import type { Around } from "./registry.ts";
import { t } from "../texts.ts";

const MOST_STEPS = 12;
const DAY = 86_400;

interface Step {
  readonly name: string;
  readonly event_type: string;
}

export async function part(around: Around): Promise<HTMLElement> {
  const { api, place: { owner } } = around;
  const [funnels, types, ofFunnels, ofSteps] = await Promise.all([
    api.funnels(),
    api.types(),
    changes(around, { entity: "funnel" }),
    changes(around, { entity: "funnel_step" }),
  ]);
  const ids = types.map(({ id }) => id);
  const empty: FunnelRow = {
    funnel: "",
    name: "",
    window_seconds: 30 * DAY,
    steps: [{ name: "", event_type: ids[0] ?? "" }],
  };
  return el(
    "div",
    {},
    !owner && el("p", { class: "quiet" }, t("Owners of the site can change this. Ask one of them.")),
    owner &&
      el(
        "p",
        { class: "quiet" },
        t("A site without a funnel called default is measured by the built-in one; to save that makes it its own."),
      ),
    el("ul", { class: "cards" }, funnels.map((one) => el("li", {}, owner ? funnelForm(around, one, ids) : card(one)))),
    owner && funnelForm(around, empty, ids),
    el("h2", { class: "sub" }, t("What became of the funnels")),
    ofFunnels,
    el("h2", { class: "sub" }, t("What became of their steps")),
    ofSteps,
  );
}

function card({ funnel, name, window_seconds, steps }: FunnelRow): HTMLElement {
  return el(
    "section",
    { class: "card pad", "data-funnel": funnel },
    el("h2", {}, name),
    el("ol", {}, steps.map((step) => el("li", {}, step.name, " ", el("code", {}, step.event_type)))),
    el(
      "p",
      { class: "quiet small" },
      t("Within {count} day | Within {count} days", { count: Math.round(window_seconds / DAY) }),
    ),
  );
}

/** A funnel that the site has, or an empty one that becomes one. */
function funnelForm({ api, done }: Around, was: FunnelRow, types: readonly string[]): HTMLElement {
  const isNew = was.funnel === "";
  const key = isNew ? "new" : was.funnel;
  const id = el("input", {
    id: "funnel-new-id",
    pattern: "[a-z][a-z0-9_]{0,63}",
    maxlength: 64,
    required: true,
    autocomplete: "off",
  });
  const name = el("input", {
    id: `funnel-${key}-name`,
    value: was.name,
    maxlength: 128,
    required: true,
    autocomplete: "off",
  });
  const days = el("input", {
    id: `funnel-${key}-days`,
    type: "number",
    min: "0.01",
    max: "366",
    step: "any",
    required: true,
    value: String(Math.round(was.window_seconds / DAY * 100) / 100),
  });
  let steps: readonly Step[] = was.steps;
  const list = el("ol", { class: "funnel-steps" });
  const says = el("p", { class: "small problem", role: "status" });
  const save = action(isNew ? t("Add the funnel") : t("Save"), async () => {
    const saved = isNew ? id.value.trim() : was.funnel;
    await api.saveFunnel(saved, name.value.trim(), Math.round(Number(days.value) * DAY), steps);
    await done(t("{name} was saved.", { name: saved }));
    return null;
  }, isNew ? "button primary" : "button");
  if (!isNew) save.button.setAttribute("aria-label", t("Save {name}", { name: was.funnel }));
  const remove = !isNew && action(t("Remove"), async () => {
    await api.removeFunnel(was.funnel);
    await done(t("{name} was removed.", { name: was.funnel }));
    return null;
  }, "button plain small");
  if (remove) remove.button.setAttribute("aria-label", t("Remove {name}", { name: was.funnel }));
  const more = el("button", { class: "button small", type: "button", onclick: add }, t("Add a step"));
  const form = el(
    "form",
    { class: "card pad form", "data-funnel": key, onsubmit: (event) => event.preventDefault(), oninput: check },
    el("h2", {}, isNew ? t("A new funnel") : was.funnel),
    el(
      "div",
      { class: "narrow wide" },
      isNew && field(t("Id, by which figures name it"), id),
      field(t("Name"), name),
      field(t("Days within which all steps must happen"), days),
    ),
    el("div", { class: "wide" }, list, more, says),
    el("div", { class: "facts" }, save.button, remove && remove.button),
    save.outcome,
    remove && remove.outcome,
  );
  draw();
  return form;

  function add(): void {
    const free = types.find((type) => steps.every(({ event_type }) => event_type !== type));
    steps = [...steps, { name: "", event_type: free ?? "" }];
    draw(steps.length - 1);
  }

  /** Draws the steps anew; `at` is the one whose name the reader writes next. */
  function draw(at?: number): void {
    list.replaceChildren(...steps.map((step, index) => el("li", {}, row(step, index))));
    more.disabled = steps.length >= MOST_STEPS;
    check();
    if (at !== undefined) list.querySelectorAll("input")[at]?.focus();
  }

  function row(step: Step, at: number): Child {
    const set = (changed: Partial<Step>): void => {
      steps = steps.map((one, index) => (index === at ? { ...one, ...changed } : one));
    };
    const named = el("input", {
      id: `funnel-${key}-step-${at}`,
      value: step.name,
      maxlength: 128,
      required: true,
      autocomplete: "off",
      "aria-label": t("Name of step {number}", { number: at + 1 }),
      oninput: () => set({ name: named.value.trim() }),
    });
    const type = el(
      "select",
      {
        id: `funnel-${key}-type-${at}`,
        "aria-label": t("Event type of step {number}", { number: at + 1 }),
        onchange: () => {
          set({ event_type: type.value });
          check();
        },
      },
      types.map((one) => el("option", { value: one, selected: one === step.event_type }, one)),
    );
    const move = (by: number, label: string, arrow: string) =>
      el("button", {
        class: "button small",
        type: "button",
        "aria-label": label,
        disabled: at + by < 0 || at + by >= steps.length,
        onclick: () => {
          steps = steps.toSpliced(at, 1).toSpliced(at + by, 0, ...steps.slice(at, at + 1));
          draw(at + by);
        },
      }, arrow);
    return el(
      "div",
      { class: "facts" },
      named,
      type,
      move(-1, t("Move step {number} up", { number: at + 1 }), "↑"),
      move(1, t("Move step {number} down", { number: at + 1 }), "↓"),
      el("button", {
        class: "button plain small",
        type: "button",
        "aria-label": t("Remove step {number}", { number: at + 1 }),
        disabled: steps.length === 1,
        onclick: () => {
          steps = steps.toSpliced(at, 1);
          draw(Math.min(at, steps.length - 1));
        },
      }, "×"),
    );
  }

  function check(): void {
    const twice = new Set(steps.map(({ event_type }) => event_type)).size < steps.length;
    save.button.disabled = !form.checkValidity() || twice;
    says.textContent = twice ? t("Two steps are the same type of event.") : "";
  }
}
