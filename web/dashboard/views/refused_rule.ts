/** One rule: what it asks for, the events that it refused, whether they would pass now, and a replay of those. */
import { type Child, el } from "../../shared/dom.ts";
import { jsonBlock, textBlock, tidied } from "../../shared/json.ts";
import { prose, sentence } from "../../shared/prose.ts";
import { shareLink } from "../../shared/share.ts";
import type { Filters } from "../filters.ts";
import { count, dateTime } from "../format.ts";
import { type Gate, gate } from "../gate.ts";
import { contractReasons, ofContract, type Reasons, reasonText } from "../reasons.ts";
import type { RefusalFilter, RefusedEvent, Replay, Room } from "../room.ts";
import { settings } from "../settings.ts";
import type { Place } from "../views.ts";
import { action, grouped, loaded } from "./parts.ts";
import { rich, t } from "../texts.ts";

const SHOWN = 20;
/** Why a rejection cannot be judged again, as the database names it. */
const WHY: Readonly<Record<string, string>> = {
  redacted: t("personal values were removed from the copy"),
  shortened: t("only a part of the event was kept"),
  unreadable: t("what was sent is not an event"),
  sender: t("who sent it cannot be checked any more"),
  duplicate: t("it is there already"),
};

interface Asked {
  readonly place: Place;
  readonly api: Room;
  readonly rule: string;
  readonly filter: RefusalFilter;
  readonly filters: Filters;
}

export function ruleDetail(body: HTMLElement, question: Asked): Promise<void> {
  const { api, rule, filter, filters: { range } } = question;
  return loaded(
    body,
    () => {
      const registry = api.registry();
      return Promise.all([api.refusedEvents(range, rule, filter, SHOWN), gate(registry), registry, contractReasons()]);
    },
    ([events, contract, registry, reasons]) =>
      el(
        "div",
        { class: "split" },
        el("div", { class: "beside" }, ruleCard(rule, events, contract, registry, reasons), replayCard(question, body)),
        el("section", { "aria-label": t("Refused events") }, list(events, contract, range.zone)),
      ),
  );
}

/** The rule in the contract's words, what to send instead in the reader's language; one of the install's own in its words. */
function ruleCard(
  id: string,
  events: readonly RefusedEvent[],
  contract: Gate,
  registry: object,
  reasons: Reasons,
): HTMLElement {
  const rule = contract.contract().rules.find((one) => one.id === id);
  const reason = rule?.reason ?? events[0]?.reason ?? "";
  const { own_rules } = registry as {
    readonly own_rules?: readonly { readonly id: string; readonly reasons: object }[];
  };
  const own = own_rules?.find((one) => one.id === id);
  return el(
    "section",
    { class: "card pad", "aria-labelledby": "instead" },
    el("h2", { id: "instead" }, t("What to send instead")),
    reason !== "" && (own ? reasonText(own.reasons, reason) : ofContract(id, reason, reasons)),
    rule
      ? [
        el("p", { class: "quiet", lang: "en" }, prose(sentence(`${rule.when}: ${rule.must}`))),
        el("p", { class: "small quiet" }, t("Accepted, for example:")),
        textBlock(tidied(rule.accepts), t("An event that passes")),
      ]
      : el("p", { class: "quiet" }, t("This is a rule of your own. Its schema is under Rules.")),
  );
}

function list(events: readonly RefusedEvent[], contract: Gate, zone: string): Child {
  if (events.length === 0) return el("p", { class: "nothing" }, t("This rule refused nothing in this range."));
  return [
    el(
      "p",
      { class: "quiet small" },
      events.length === SHOWN
        ? t("The latest {shown}, newest first.", { shown: SHOWN })
        : t("{shown} in this range, newest first.", { shown: events.length }),
      t(" What was sent is kept redacted: personal values never reach the store. "),
    ),
    el("ol", { class: "snapshots" }, events.map((event, at) => card(event, contract, zone, at === 0))),
  ];
}

function card(event: RefusedEvent, contract: Gate, zone: string, open: boolean): HTMLElement {
  const time = dateTime(event.recorded_at, zone);
  const others = event.violations.filter(({ rule_id }) => rule_id !== event.rule_id);
  return el(
    "li",
    { class: "card pad" },
    el(
      "p",
      { class: "facts" },
      el("time", { datetime: event.recorded_at }, time),
      verdict(event, contract),
    ),
    el(
      "p",
      { class: "quiet small" },
      [
        event.sender === "" ? t("the sender named no event_source") : t("from {sender}", { sender: event.sender }),
        event.tracker,
        event.payload_bytes !== null && t("{count} byte | {count} bytes", { count: event.payload_bytes }),
        t("contract {contract}", { contract: event.contract }),
      ].filter(Boolean).join(", "),
    ),
    event.place !== "" && el("p", { class: "small" }, t("At "), el("span", { class: "rule-id" }, event.place)),
    others.length > 0 &&
      el(
        "p",
        { class: "small" },
        t("Also broken: "),
        el("span", { class: "rule-id" }, others.map(({ rule_id, path }) => `${rule_id} ${path}`.trim()).join(", ")),
      ),
    el(
      "details",
      { open },
      el("summary", { class: "small" }, t("What was sent")),
      jsonBlock(event.snapshot, t("What was sent at {time}, redacted", { time })),
    ),
    playground(event, contract),
  );
}

/** Judged here by the module, as a replay would judge it: at the time of its receipt, by the registry of now. */
function verdict(event: RefusedEvent, contract: Gate): HTMLElement {
  if (event.replayed_as !== null) return el("span", { class: "tag pass" }, t("replayed"));
  if (event.not_replayable !== null) {
    return el(
      "span",
      { class: "tag" },
      t("cannot be judged again: {why}", { why: WHY[event.not_replayable] ?? event.not_replayable }),
    );
  }
  const { id: _, ...sent } = event.snapshot as Readonly<Record<string, unknown>>;
  const { accepted, violations } = contract.check({ occurred_at: event.recorded_at, ...sent }, null, {
    caller: "trusted",
    receivedAt: Date.parse(event.recorded_at),
  });
  return accepted ? el("span", { class: "tag pass" }, t("would pass now")) : el("span", {
    class: "tag refuse",
    title: violations.map(({ rule_id }) => rule_id).join(", "),
  }, t("refused still"));
}

function playground(event: RefusedEvent, contract: Gate): Child {
  const page = settings().playground;
  if (page === undefined) return null;
  const link = el(
    "a",
    { class: "small", target: "_blank", rel: "noopener", hidden: true },
    t("Open in the playground"),
  );
  void shareLink(JSON.stringify(event.snapshot, null, 2), new URL(page, location.href).href, contract.redact).then(
    (made) => {
      if (!made.ok) return;
      link.href = made.url;
      link.hidden = false;
    },
  );
  return el("p", {}, link);
}

function replayCard({ place, api, rule, filters: { range } }: Asked, body: HTMLElement): HTMLElement {
  const preview = action(t("Preview a replay"), async () => {
    const answer = await api.replay(range, rule, true, null);
    const replay = action(t("Replay {count}", { count: answer.accepted }), async () => {
      const done = await api.replay(range, rule, false, null);
      body.dataset["replayed"] = String(done.accepted);
      return [
        report(done),
        el("p", { class: "small quiet" }, t("The figures count them from now on, at the time they came.")),
      ];
    }, "button primary");
    return [report(answer), answer.accepted > 0 && replay.button, replay.outcome];
  });
  return el(
    "section",
    { class: "card pad", "aria-labelledby": "replay" },
    el("h2", { id: "replay" }, t("Replay")),
    el(
      "p",
      { class: "quiet" },
      t(
        "After the registry or a rule was mended, what it refused in this range can be judged again. What passes is recorded as new events; the refusals stay in the log.",
      ),
    ),
    place.owner
      ? [preview.button, preview.outcome]
      : el("p", { class: "small" }, t("Owners of the site can replay. Ask one of them.")),
  );
}

/** What a replay did, or would do. */
function report({ dry_run, examined, accepted, rejected, not_replayable, results, next }: Replay): Child {
  const why = Object.entries(not_replayable as Readonly<Record<string, number>>);
  const rules = grouped(results.flatMap(({ violations }) => violations?.slice(0, 1) ?? []), ({ rule_id }) => rule_id);
  return el(
    "div",
    { class: "report" },
    el(
      "p",
      {},
      rich(
        dry_run
          ? "Of {examined} judged again, {accepted} would be accepted and {rejected} would be refused still."
          : "Of {examined} judged again, {accepted} were accepted and {rejected} were refused still.",
        { examined: count(examined), accepted: el("strong", {}, count(accepted)), rejected: count(rejected) },
      ),
    ),
    rules.size > 0 &&
      el(
        "ul",
        { class: "plain small" },
        [...rules].map(([id, all]) => el("li", {}, el("span", { class: "rule-id" }, id), ` ${count(all.length)}`)),
      ),
    why.length > 0 &&
      el(
        "ul",
        { class: "plain small" },
        why.map(([name, many]) => el("li", {}, t("{many} cannot be: {why}", { many, why: WHY[name] ?? name }))),
      ),
    next !== null && el("p", { class: "small quiet" }, t("There are more; replay again for the next 200.")),
  );
}
