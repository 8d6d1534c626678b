/** The install's own rules: what each asks for and counted, its mode, and a form in which one is tried before it is saved. */
import { type Child, el } from "../../shared/dom.ts";
import { jsonBlock } from "../../shared/json.ts";
import { addressOf, asked, keep } from "../address.ts";
import { filterBar } from "../filters.ts";
import { count, dateTime } from "../format.ts";
import { reasonText } from "../reasons.ts";
import { type Change, registryApi } from "../registry_api.ts";
import { room } from "../room.ts";
import { type Mode, type OwnRule, type RulesApi, rulesApi } from "../rules_api.ts";
import type { Place } from "../views.ts";
import { listed } from "./changes.ts";
import { frame, loaded } from "./parts.ts";
import type { Around as Registry } from "./registry.ts";
import { ruleForm } from "./rule_form.ts";
import { rich, t } from "../texts.ts";

/** So many of the latest changes of all rules. */
const CHANGES = 200;
/** A rule begins by counting, and refuses when its count looks right. */
const MODES: Readonly<Record<Mode, string>> = { off: t("Off"), observe: t("Observe"), enforce: t("Enforce") };

export function show(place: Place): Promise<void> {
  const api = rulesApi(place.client, place.site);
  const history = registryApi(place.client, place.site);
  const body = el("div", { class: "view-body" });
  const told = el("p", { class: "told", role: "status", tabindex: -1 });
  frame(
    place.main,
    t("Rules of your own"),
    t(
      "Besides those of the contract. In observe, what a rule would refuse passes and is counted; in enforce, it is refused. A change holds for the next event.",
    ),
    told,
    body,
  );
  const filters = filterBar(() => void draw(), { tiers: false, ranges: false });
  return draw();

  async function draw(): Promise<void> {
    const { range: { zone } } = filters.read();
    await loaded(
      body,
      () =>
        Promise.all([
          api.list(),
          room(place.client, place.site).registry(),
          history.changes({ entity: "own_rule" }, CHANGES),
          history.me(),
        ]),
      ([rules, registry, changes, me]) => {
        const around = { place, zone, me, editor: false, api: history, done };
        const edited = rules.find(({ id, every_site }) => id === asked("rule") && !every_site);
        return [
          rules.length === 0
            ? el("p", { class: "nothing" }, t("No rule of your own binds this site. The first one begins below."))
            : el("ul", { class: "cards" }, rules.map((rule) => card(rule, { api, place, redraw, changes, around }))),
          place.owner
            ? ruleForm(
              place,
              api,
              registry as { readonly event_types: readonly { readonly id: string }[] },
              saved,
              edited,
            )
            : el("p", { class: "quiet" }, t("Owners of the site can add and change its rules. Ask one of them.")),
        ];
      },
    );
    if (!place.signal.aborted) place.main.dataset["loaded"] = place.site;
  }

  async function redraw(what: string): Promise<void> {
    await draw();
    told.textContent = what;
  }

  async function done(what: string): Promise<void> {
    await redraw(what);
    told.focus();
  }

  async function saved(what: string): Promise<void> {
    if (asked("rule") !== "") keep({ rule: "" });
    await done(what);
  }
}

interface Around {
  readonly api: RulesApi;
  readonly place: Place;
  /** Draws the rules anew and says what was done; the focus is the caller's. */
  readonly redraw: (what: string) => Promise<void>;
  readonly changes: readonly Change[];
  readonly around: Registry;
}

function card(rule: OwnRule, around: Around): HTMLElement {
  const { around: registry, changes, place } = around;
  const ofRule = changes.filter(({ record_changed }) => Object.values(record_changed).includes(rule.id));
  const what = rule.event_type ?? rule.category ?? t("every event");
  return el(
    "li",
    { class: "card pad", "data-rule": rule.id },
    el("div", { class: "tools" }, el("h2", { class: "rule-id" }, rule.id), mode(rule, around)),
    reasonText(rule.reasons, rule.reason),
    el(
      "p",
      { class: "quiet small" },
      rule.every_site ? t("Binds {what} at every site.", { what }) : t("Binds {what}.", { what }),
    ),
    counted(rule, registry.zone),
    el(
      "details",
      {},
      el("summary", { class: "small" }, t("Its schema")),
      jsonBlock(rule.schema, t("The schema of {rule}", { rule: rule.id })),
    ),
    el("details", {}, el("summary", { class: "small" }, t("Who changed it")), listed(ofRule, registry)),
    place.owner && !rule.every_site &&
      el(
        "a",
        { class: "button small", href: addressOf({ view: "rules", rule: rule.id }), "data-view": "rules" },
        t("Edit"),
      ),
  );
}

function mode(rule: OwnRule, { api, place, redraw }: Around): HTMLElement {
  if (!place.owner || rule.every_site) {
    return el(
      "span",
      { class: `tag ${rule.mode === "enforce" ? "refuse" : rule.mode === "observe" ? "warn" : ""}` },
      t(rule.mode as Mode),
    );
  }
  const outcome = el("span", { class: "small", role: "status" });
  return el(
    "div",
    {},
    el(
      "fieldset",
      { class: "segments small", onchange: (event) => void change((event.target as HTMLInputElement).value as Mode) },
      el("legend", { class: "visually-hidden" }, t("Mode of {rule}", { rule: rule.id })),
      Object.entries(MODES).map(([value, name]) =>
        el(
          "label",
          {},
          el("input", { type: "radio", name: `mode-${rule.id}`, value, checked: value === rule.mode }),
          el("span", {}, name),
        )
      ),
    ),
    outcome,
  );

  async function change(next: Mode): Promise<void> {
    try {
      await api.setMode(rule.id, next);
      await redraw(t("{rule} was saved.", { rule: rule.id }));
      document.querySelector<HTMLInputElement>(`input[name="mode-${rule.id}"]:checked`)?.focus();
    } catch (error) {
      console.error(error);
      outcome.textContent = t("This could not be changed. Try again.");
    }
  }
}

function counted(rule: OwnRule, zone: string): Child {
  if (rule.counted === 0) return el("p", { class: "quiet small" }, t("It has counted nothing in observe."));
  const senders = Object.entries(rule.counted_in as Readonly<Record<string, number>>);
  return [
    el(
      "p",
      {},
      rich(
        "{many} event that it would refuse, from {from} to {to}: {senders}. | {many} events that it would refuse, from {from} to {to}: {senders}.",
        {
          many: el("strong", {}, count(rule.counted)),
          from: dateTime(rule.first_at ?? "", zone),
          to: dateTime(rule.last_at ?? "", zone),
          senders: senders.map(([sender, many]) => `${sender} ${count(many)}`).join(", "),
        },
        rule.counted,
      ),
    ),
    rule.sample !== null &&
    el(
      "details",
      {},
      el("summary", { class: "small" }, t("One of them")),
      jsonBlock(rule.sample, t("One of them, redacted")),
    ),
  ];
}
