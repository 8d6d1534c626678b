/** Refusals: from how many, by rule, sender, place or contract, to one rule with its events. */
import { type Child, el } from "../../shared/dom.ts";
import { addressOf, asked, keep } from "../address.ts";
import { filterBar, type Filters } from "../filters.ts";
import { count, dateTime } from "../format.ts";
import { choice } from "../panel.ts";
import { type RefusalFilter, type RefusalGroup, room } from "../room.ts";
import type { Place } from "../views.ts";
import { type Column, frame, grid, grouped, loaded, spark } from "./parts.ts";
import { ruleDetail } from "./refused_rule.ts";
import { rich, t } from "../texts.ts";

const GROUPS = { rule_id: t("Rule"), sender: t("Sender"), place: t("Place"), contract: t("Contract") } as const;
type By = keyof typeof GROUPS;
const CAPTIONS: Readonly<Record<By, string>> = {
  rule_id: t("Refusals by rule"),
  sender: t("Refusals by sender"),
  place: t("Refusals by place"),
  contract: t("Refusals by contract"),
};
/** What narrows the list: words of the address, and columns of a group. */
const NARROWED = ["sender", "tracker", "place", "contract"] as const;

/** Groups of the database put together by what the reader asked for. */
interface Line {
  readonly key: string;
  readonly tracker: string;
  readonly events: number;
  readonly replayed: number;
  readonly first_at: string;
  readonly last_at: string;
  readonly trend: readonly number[];
  readonly rules: number;
  readonly senders: readonly string[];
}

export function show(place: Place): Promise<void> {
  const api = room(place.client, place.site);
  const rule = asked("rule");
  const filter = narrowed();
  const body = el("div", { class: "view-body" });
  const note = rule === ""
    ? t(
      "What the gate turned away: by which rule, who sends it, since when. Choose one to see its events and what to send instead.",
    )
    : t("The refused events, what the rule asks for, and what would pass today.");
  frame(place.main, rule === "" ? t("Refusals") : rule, note, trail(rule, filter), body);
  const filters = filterBar(() => void refresh(), { tiers: false });
  return refresh();

  async function refresh(): Promise<void> {
    const now = filters.read();
    if (rule === "") await loaded(body, () => api.refusalGroups(now.range), (groups) => list(groups, filter, now));
    else await ruleDetail(body, { place, api, rule, filter, filters: now });
    if (!place.signal.aborted) place.main.dataset["loaded"] = place.site;
  }
}

function narrowed(): RefusalFilter {
  const named = new URLSearchParams(location.search);
  return Object.fromEntries(NARROWED.flatMap((name) => {
    const value = named.get(name);
    return value === null ? [] : [[name, value === NOTHING ? "" : value]];
  }));
}

/** How an address says that a sender named nothing. */
const NOTHING = "-";

function words(filter: RefusalFilter): Record<string, string> {
  return Object.fromEntries(
    Object.entries(filter).map(([name, value]) => [name, value === "" ? NOTHING : String(value)]),
  );
}

/** The way back, and what the list is narrowed to. */
function trail(rule: string, filter: RefusalFilter): HTMLElement {
  const link = (text: string, address: Record<string, string>, label?: string) =>
    el("a", { href: addressOf({ view: "refusals", ...address }), "data-view": "refusals", "aria-label": label }, text);
  const chosen = Object.entries(words(filter)) as (readonly [(typeof NARROWED)[number], string])[];
  return el(
    "nav",
    { class: "trail small", "aria-label": t("Where you are"), hidden: rule === "" && chosen.length === 0 },
    link(t("All refusals"), {}),
    chosen.map(([name, value]) => {
      const others = Object.fromEntries(chosen.filter(([other]) => other !== name));
      const shown = value === NOTHING ? t("none") : value;
      return el(
        "span",
        { class: "chip" },
        t("{what} {value} ", { what: t(name), value: shown }),
        link("×", { ...others, rule }, t("Any {what} again, instead of {value}", { what: t(name), value: shown })),
      );
    }),
  );
}

function list(groups: readonly RefusalGroup[], filter: RefusalFilter, { range }: Filters): Child {
  const wanted = groups.filter((group) =>
    NARROWED.every((name) => filter[name] === undefined || filter[name] === group[name])
  );
  const total = wanted.reduce((sum, { events }) => sum + events, 0);
  if (total === 0) return el("p", { class: "nothing" }, t("Nothing was refused in this range."));
  const table = el("div", {});
  const by = choice("group", t("Group by"), GROUPS, draw);
  const before = asked("by");
  for (const input of by.element.querySelectorAll("input")) if (input.value === before) input.checked = true;
  draw();
  return [
    el(
      "div",
      { class: "tools" },
      el(
        "p",
        { class: "quiet" },
        rich("{count} refused, grouped by", { count: el("strong", { class: "is-refused" }, count(total)) }),
      ),
      by.element,
    ),
    table,
  ];

  function draw(): void {
    const chosen = by.value() as By;
    keep({ by: chosen === "rule_id" ? "" : chosen });
    table.replaceChildren(
      grid(CAPTIONS[chosen], columns(chosen, filter, range.zone), lines(wanted, chosen)),
    );
  }
}

function lines(groups: readonly RefusalGroup[], by: By): readonly Line[] {
  const keyOf = (group: RefusalGroup) => (by === "sender" ? `${group.sender}\n${group.tracker}` : group[by]);
  return [...grouped(groups, keyOf).values()].map((members): Line => {
    const [first] = members as readonly [RefusalGroup];
    return {
      key: first[by],
      tracker: by === "sender" ? first.tracker : "",
      events: members.reduce((sum, { events }) => sum + events, 0),
      replayed: members.reduce((sum, { replayed }) => sum + replayed, 0),
      first_at: members.map(({ first_at }) => first_at).toSorted()[0] ?? "",
      last_at: members.map(({ last_at }) => last_at).toSorted().at(-1) ?? "",
      trend: first.trend.map((_, at) => members.reduce((sum, { trend }) => sum + (trend[at] ?? 0), 0)),
      rules: new Set(members.map(({ rule_id }) => rule_id)).size,
      senders: [...new Set(members.map(({ sender }) => sender || t("not named")))],
    };
  }).toSorted((a, b) => b.events - a.events);
}

function columns(by: By, filter: RefusalFilter, zone: string): readonly Column<Line>[] {
  const address = (line: Line): Record<string, string> => {
    if (by === "rule_id") return { ...words(filter), rule: line.key };
    const own = by === "sender" ? { sender: line.key, tracker: line.tracker } : { [by]: line.key };
    return words({ ...filter, ...own });
  };
  const time = (value: string) => el("time", { datetime: value }, dateTime(value, zone));
  return [
    {
      name: GROUPS[by],
      text: ({ key, tracker }) => [key, tracker].filter(Boolean).join(" "),
      cell: (line) => [
        el(
          "a",
          { class: "rule-id", href: addressOf({ view: "refusals", ...address(line) }), "data-view": "refusals" },
          line.key === "" ? (by === "place" ? t("the whole event") : t("not named")) : line.key,
        ),
        line.tracker !== "" && el("span", { class: "quiet small" }, ` ${line.tracker}`),
      ],
    },
    { name: t("Events"), number: true, cell: ({ events }) => count(events), text: ({ events }) => events },
    { name: t("Over time"), cell: ({ trend }) => spark(trend), text: ({ trend }) => trend.join(" ") },
    by === "rule_id"
      ? { name: t("Senders"), cell: ({ senders }) => senders.join(", "), text: ({ senders }) => senders.join(", ") }
      : { name: t("Rules"), number: true, cell: ({ rules }) => count(rules), text: ({ rules }) => rules },
    { name: t("Replayed"), number: true, cell: ({ replayed }) => count(replayed), text: ({ replayed }) => replayed },
    { name: t("First"), cell: ({ first_at }) => time(first_at), text: ({ first_at }) => first_at },
    { name: t("Last"), cell: ({ last_at }) => time(last_at), text: ({ last_at }) => last_at },
  ];
}
