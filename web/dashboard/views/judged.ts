/** What the editors of rules and of payload schemas share: JSON as text, an event to try, and what is stored as the measure. */
import { type Child, el } from "../../shared/dom.ts";
import { addressOf } from "../address.ts";
import { count } from "../format.ts";
import { room } from "../room.ts";
import type { Tried } from "../rules_api.ts";
import type { Place } from "../views.ts";
import { rich, t } from "../texts.ts";

const DAYS = 28;
/** What a sender writes of an event, as far as rules can ask for it. */
const SENT = [
  ...["event_type", "event_category", "event_source", "session_id", "user_id", "occurred_at"],
  ...["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "metadata"],
] as const;
/** So long after the last key the text is judged. */
const PAUSE = 350;

export function area(id: string, value: unknown, rows = 11): HTMLTextAreaElement {
  const text = el("textarea", { id, class: "mono", rows, spellcheck: "false" });
  text.value = value === undefined ? "" : JSON.stringify(value, null, 2);
  return text;
}

/** Why a text is no JSON. */
export function notJson(what: "schema" | "event", text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return t("The {what} is not JSON: {why}", {
      what: t(what),
      why: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Calls back once somebody stops typing. */
export function onPause(act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, PAUSE);
  };
}

/** The latest accepted event of a type, as its sender wrote it; undefined if there was none. */
export async function latestEvent(place: Place, type: string | null): Promise<string | undefined> {
  const events = room(place.client, place.site);
  const to = new Date();
  const from = new Date(to.getTime() - DAYS * 86_400_000);
  const wanted = { tier: null, event_type: type, campaign: null, page: null, source: null, rejected: false };
  const [found] = await events.events({ from, to, zone: "UTC" }, wanted, null, 1);
  const whole = found && await events.event(found.id);
  if (!whole) return undefined;
  const sent = SENT.flatMap((name) => whole[name] === null ? [] : [[name, whole[name]]]);
  return JSON.stringify(Object.fromEntries(sent), null, 2);
}

/** How many of the latest events it would refuse, whose, and some of them. */
export function ofStored(stored: Tried["stored"]): Child {
  if (!stored) return null;
  const senders = Object.entries(stored.senders as Readonly<Record<string, number>>);
  return el(
    "p",
    {},
    rich("Of the last {examined} stored that it binds, it would refuse {refused}", {
      examined: count(stored.examined),
      refused: el("strong", {}, count(stored.refused)),
    }),
    senders.length > 0 && `: ${senders.map(([sender, many]) => `${sender} ${count(many)}`).join(", ")}`,
    ". ",
    stored.samples.map((id, at) => [
      el(
        "a",
        { href: addressOf({ view: "explore", event: id }), "data-view": "explore" },
        t("Event {number}", { number: at + 1 }),
      ),
      " ",
    ]),
  );
}
