/** Who changed what, newest first, each with a button that takes it back by another change. */
import { type Child, el } from "../../shared/dom.ts";
import { dateTime, words } from "../format.ts";
import type { Change, Changed } from "../registry_api.ts";
import { action } from "./parts.ts";
import type { Around } from "./registry.ts";
import { rich, t } from "../texts.ts";

const SHOWN = 30;
const ALL = 100;
/** The longest value that is written beside another. */
const SHORT = 40;
/** What can be taken back by a page, and who may do it: owners of the site, or those who edit what all sites share. */
const UNDONE: Readonly<Record<string, "site" | "all">> = {
  event_type: "all",
  state: "all",
  funnel: "site",
  funnel_step: "site",
  job: "all",
  own_rule: "site",
  site: "site",
  site_member: "site",
  alert: "site",
  alert_destination: "site",
  saved_view: "site",
};
const ENTITIES: Readonly<Record<string, string>> = {
  event_type: t("Event type"),
  state: t("State"),
  funnel: t("Funnel"),
  funnel_step: t("Funnel step"),
  job: t("Schedule"),
  own_rule: t("Rule"),
  site: t("Site"),
  site_member: t("Member"),
  alert: t("Alert"),
  alert_destination: t("Webhook"),
  wall_link: t("Link for a screen"),
  saved_view: t("Saved view"),
};
/** What a row that was made or removed need not be told by. */
const UNSAID = /(^|_)(id|at)$|^(name|description)$/;
/** Rows of these are made and removed where what they say is gone: they are not put back. */
const NOT_MADE_AGAIN = ["alert_destination", "site", "job"];

export async function part(around: Around): Promise<HTMLElement> {
  return el("div", {}, await changes(around, {}, ALL));
}

/** The changes of one kind or of one record. */
export async function changes(around: Around, which: Changed, limit = SHOWN): Promise<Child> {
  return listed(await around.api.changes(which, limit), around);
}

export function listed(all: readonly Change[], around: Around): Child {
  if (all.length === 0) return el("p", { class: "quiet small" }, t("Nothing was changed since the install."));
  const undone = new Set(all.map(({ notes }) => /^undoes change (\d+)$/.exec(notes ?? "")?.[1]));
  return el("ol", { class: "changes" }, all.map((one) => item(one, around, undone.has(String(one.id)))));
}

function item(change: Change, around: Around, undone: boolean): HTMLElement {
  const undo = !undone && mayUndo(change, around) &&
    action(t("Undo"), async () => {
      await around.api.undo(change.id);
      await around.done(t("It was taken back."));
      return null;
    }, "button small");
  const name = nameOf(change);
  if (undo) {
    undo.button.setAttribute(
      "aria-label",
      t("Undo: {name}, {time}", { name, time: dateTime(change.changed_at, around.zone) }),
    );
  }
  return el(
    "li",
    {},
    el(
      "div",
      {},
      el(
        "p",
        {},
        rich(verb(change), {
          name: el("strong", {}, name),
          by: el("span", { class: "quiet" }, t("by {actor}", { actor: who(change.actor, around.me) })),
        }),
      ),
      el("ul", { class: "plain small" }, differences(change).map((line) => el("li", {}, line))),
      el(
        "p",
        { class: "quiet small" },
        el("time", { datetime: change.changed_at }, dateTime(change.changed_at, around.zone)),
        change.notes !== null && ` · ${change.notes}`,
        undone && t(" · taken back since"),
      ),
      undo && undo.outcome,
    ),
    undo && undo.button,
  );
}

function mayUndo({ entity_changed, before, after }: Change, { place, editor }: Around): boolean {
  const whose = UNDONE[entity_changed];
  if (whose === undefined || !(whose === "all" ? editor : place.owner)) return false;
  if (entity_changed === "job" && !(after && "active" in after)) return false;
  return before !== null && after !== null || after !== null && entity_changed !== "site" && entity_changed !== "job" ||
    after === null && !NOT_MADE_AGAIN.includes(entity_changed);
}

function nameOf({ entity_changed, record_changed, before, after }: Change): string {
  const { site_id: _, ...key } = record_changed as Readonly<Record<string, unknown>>;
  const values = { ...before, ...after } as Readonly<Record<string, unknown>>;
  const shown = entity_changed === "alert" ? values["kind"] : entity_changed === "site" ? undefined : values["name"];
  const named = shown ??
    (entity_changed === "site" || entity_changed === "alert" ? undefined : Object.values(key).join(" → "));
  return [ENTITIES[entity_changed] ?? words(entity_changed), named].filter(Boolean).join(" ");
}

function verb({ before, after }: Change) {
  if (before === null) return "{name} was made {by}";
  return after === null ? "{name} was removed {by}" : "{name} was changed {by}";
}

/** Nobody's name is known here: a person is an id. */
export function who(actor: string, me: string): string {
  const [kind, id = ""] = actor.split(":");
  if (kind === "user") return id === me ? t("you") : t("member {id}", { id: id.slice(0, 8) });
  return kind === "role" ? t("a back end") : actor;
}

function differences({ before, after }: Change): readonly string[] {
  if (before === null || after === null) {
    const said = Object.entries({ ...before, ...after }).filter(([key, value]) =>
      !UNSAID.test(key) && plain(value).length <= SHORT
    );
    return said.length === 0 ? [] : [said.map(([key, value]) => `${key} ${plain(value)}`).join(", ")];
  }
  const [was, is] = [before, after] as Readonly<Record<string, unknown>>[];
  return Object.keys(is ?? {}).map((key) => {
    const [one, other] = [plain(was?.[key]), plain(is?.[key])];
    return one.length > SHORT || other.length > SHORT ? t("{key} was edited", { key }) : `${key}: ${one} → ${other}`;
  });
}

function plain(value: unknown): string {
  return value === undefined || value === null
    ? t("nothing")
    : typeof value === "string"
    ? value
    : JSON.stringify(value);
}
