/** What happened in one session, or to one person: their events and states, and who moved them. */
import { type Child, el } from "../../shared/dom.ts";
import { addressOf } from "../address.ts";
import { csvButton } from "../csv.ts";
import { dateTime, words } from "../format.ts";
import type { Room, Step } from "../room.ts";
import type { Place } from "../views.ts";
import { action, loaded } from "./parts.ts";
import { t } from "../texts.ts";

interface Asked {
  readonly place: Place;
  readonly api: Room;
  readonly event: string;
  readonly whose: string;
  readonly zone: string;
}

export function trailOf(body: HTMLElement, question: Asked): Promise<void> {
  const { api, event, whose } = question;
  return loaded(body, () => api.trail(event, whose), (steps) => draw(steps, question, body));
}

function draw(steps: readonly Step[], question: Asked, body: HTMLElement): Child {
  if (steps.length === 0) return el("p", { class: "nothing" }, t("Nothing is recorded under this event at this site."));
  const states = steps.filter(({ kind }) => kind === "state");
  const latest = states.toSorted((a, b) => Number(b.id) - Number(a.id))[0];
  const refused = steps.filter(({ kind }) => kind === "refused").length;
  return [
    el(
      "p",
      { class: "facts" },
      t("{count} event, {refused} of them refused | {count} events, {refused} of them refused", {
        count: steps.length - states.length,
        refused,
      }),
      states.length > 0 && t(", {count} change of state | , {count} changes of state", { count: states.length }),
      latest && el("span", { class: "tag" }, t("now {state}", { state: latest.what })),
    ),
    latest && latest.from_state !== null && revert(latest, question, body),
    el("ol", { class: "steps" }, steps.map((step) => line(step, question.zone))),
    el(
      "p",
      { class: "under" },
      csvButton(
        question.whose === "person" ? t("One person") : t("One session"),
        [t("When"), t("What"), t("From"), t("Rule"), t("Who"), t("Page"), t("Notes")],
        () =>
          steps.map((
            step,
          ) => [step.happened_at, step.what, step.from_state, step.rule_id, step.changed_by, step.page, step.notes]),
      ),
    ),
  ];
}

function line(step: Step, zone: string): HTMLElement {
  const time = el("time", { class: "mono quiet small", datetime: step.happened_at }, dateTime(step.happened_at, zone));
  if (step.kind === "state") {
    return el(
      "li",
      { class: "moved" },
      time,
      el(
        "span",
        {},
        el("strong", {}, step.from_state === null ? step.what : `${step.from_state} → ${step.what}`),
        t(" by {actor}", { actor: step.changed_by ?? t("nobody named") }),
        step.rule_id !== null && el("span", { class: "quiet" }, `, ${words(step.rule_id).toLowerCase()}`),
        step.notes !== null && el("span", { class: "quiet" }, `: ${step.notes}`),
      ),
    );
  }
  return el(
    "li",
    { "data-tier": step.tier },
    time,
    el(
      "span",
      {},
      el(
        "a",
        { href: addressOf({ view: "explore", event: step.id }), "data-view": "explore" },
        words(step.what) || t("Not named"),
      ),
      step.page !== null && el("span", { class: "quiet" }, ` ${step.page}`),
      step.kind === "refused" && [" ", el("span", { class: "tag refuse" }, step.rule_id ?? t("refused"))],
    ),
  );
}

/** The last change can be taken back, by a change of its own. */
function revert(latest: Step, { place, api, event, whose, zone }: Asked, body: HTMLElement): HTMLElement {
  const note = el("input", { id: "revert-note", maxlength: 200, autocomplete: "off" });
  const back = action(t("Put back to {state}", { state: latest.from_state ?? "" }), async () => {
    await api.revertState(latest.subject ?? "", latest.id, note.value.trim());
    await trailOf(body, { place, api, event, whose, zone });
    return null;
  });
  return el(
    "section",
    { class: "card pad act", "aria-labelledby": "revert-title" },
    el(
      "h2",
      { id: "revert-title" },
      t("The last change: {from} → {to}", { from: latest.from_state ?? "", to: latest.what }),
    ),
    place.owner
      ? [
        el(
          "div",
          { class: "field wide" },
          el("label", { for: "revert-note" }, t("Why it is taken back (nothing personal: it is kept for good)")),
          note,
        ),
        back.button,
        back.outcome,
      ]
      : el("p", { class: "small" }, t("Owners of the site can take it back. Ask one of them.")),
  );
}
