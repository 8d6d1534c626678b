/** One event whole, with the ways on from it. */
import { el } from "../../shared/dom.ts";
import { jsonBlock } from "../../shared/json.ts";
import { addressOf } from "../address.ts";
import { dateTime, words } from "../format.ts";
import type { Room, WholeEvent } from "../room.ts";
import { eventProof } from "./event_proof.ts";
import { loaded } from "./parts.ts";
import { t } from "../texts.ts";

export function oneEvent(body: HTMLElement, api: Room, id: string, zone: string): Promise<void> {
  return loaded(
    body,
    () => api.event(id),
    (event) =>
      event === null
        ? el("p", { class: "nothing" }, t("This site has no such event. It may belong to another site."))
        : el("div", { class: "split" }, ways(api, event, zone), record(event)),
  );
}

function ways(api: Room, event: WholeEvent, zone: string): HTMLElement {
  const rule = (event.metadata as Readonly<Record<string, unknown>>)["validation_rule_id"];
  const link = (text: string, address: Record<string, string>) =>
    el("li", {}, el("a", { href: addressOf(address), "data-view": address["view"] ?? "" }, text));
  return el(
    "div",
    { class: "beside" },
    el(
      "section",
      { class: "card pad", "aria-labelledby": "event-title" },
      el("h2", { id: "event-title" }, words(event.event_type)),
      el("span", { class: `tag ${event.rejected ? "refuse" : "pass"}` }, event.rejected ? t("refused") : t("accepted")),
      el(
        "dl",
        { class: "pairs" },
        pair(t("Recorded"), dateTime(event.created_at, zone)),
        pair(t("Happened"), event.occurred_at === null ? t("not said") : dateTime(event.occurred_at, zone)),
        pair(t("Category"), event.event_category),
        pair(t("Source"), event.event_source),
        pair(
          t("Campaign"),
          [event.utm_source, event.utm_medium, event.utm_campaign].filter(Boolean).join(" / ") || t("none"),
        ),
        pair(t("Judged by contract"), event.contract ?? t("not judged yet")),
      ),
      el(
        "ul",
        { class: "ways" },
        link(t("Everything in this session"), { view: "explore", event: event.id, of: "session" }),
        event.person_known &&
          link(t("Everything of this person, with their states"), { view: "explore", event: event.id, of: "person" }),
        typeof rule === "string" &&
          link(t("The rule that refused it, and what to send instead"), { view: "refusals", rule }),
        event.replayed_as !== null &&
          link(t("The event that a replay made of it"), { view: "explore", event: event.replayed_as }),
        event.replay_of !== null && link(t("The refusal that it was"), { view: "explore", event: event.replay_of }),
      ),
    ),
    eventProof(api, event),
  );
}

function record(event: WholeEvent): HTMLElement {
  const { replayed_as: _, replay_of: __, person_known: ___, ...columns } = event;
  return el("section", { "aria-label": t("The record") }, jsonBlock(columns, t("The record, as it is stored")));
}

function pair(name: string, value: string): HTMLElement {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}
