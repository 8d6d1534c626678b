/** Tables under a lifecycle: how their records move, how long they stay, who moves them, and one record's history. */
import { type Child, el } from "../../shared/dom.ts";
import { addressOf, asked, go } from "../address.ts";
import { filterBar } from "../filters.ts";
import { count, dateTime, duration, words } from "../format.ts";
import type { Range } from "../kpi.ts";
import {
  type Actors,
  type Dwell,
  type Lifecycle,
  type LifecycleApi,
  lifecycleApi,
  type Move,
  type Moved,
  type Moves,
} from "../rules_api.ts";
import type { Place } from "../views.ts";
import { action, frame, grid, loaded } from "./parts.ts";
import { rich, t } from "../texts.ts";

export function show(place: Place): Promise<void> {
  const api = lifecycleApi(place.client);
  const body = el("div", { class: "view-body" });
  frame(
    place.main,
    t("Lifecycles"),
    t("Tables of your own whose changes of stage are recorded. What you may see and move is what their own policies let you."),
    body,
  );
  const filters = filterBar(() => void draw(), { tiers: false });
  return draw();

  async function draw(): Promise<void> {
    const { range } = filters.read();
    const parts: Promise<void>[] = [];
    await loaded(body, () => api.list(), (all) => {
      const readable = all.filter((one) => one.readable);
      const chosen = readable.find((one) => named(one) === asked("table")) ?? readable[0];
      return chosen === undefined ? nothing() : [tabs(readable, chosen), table(chosen, api, range, parts)];
    });
    await Promise.all(parts);
    if (!place.signal.aborted) place.main.dataset["loaded"] = place.site;
  }
}

const LATEST = 12;
const named = ({ tracked, stage_column }: Lifecycle) => `${tracked}.${stage_column}`;

function nothing(): HTMLElement {
  return el(
    "p",
    { class: "nothing" },
    rich("No table that you may read is tracked. Its owner begins one with {command}.", {
      command: el("code", {}, "select audience_gate.track_lifecycle('public.…', 'stage')"),
    }),
  );
}

function tabs(all: readonly Lifecycle[], chosen: Lifecycle): Child {
  return el(
    "nav",
    { class: "trail", "aria-label": t("Tables") },
    all.map((one) =>
      el("a", {
        href: addressOf({ view: "lifecycles", table: named(one) }),
        "data-view": "lifecycles",
        "aria-current": one === chosen ? "page" : null,
      }, named(one))
    ),
  );
}

/** The table's history and figures; `parts` are waited for until each is there. */
function table(one: Lifecycle, api: LifecycleApi, range: Range, parts: Promise<void>[]): Child {
  const figures = el("div", {});
  const record = asked("record");
  const history = el("div", {});
  const ask = () =>
    Promise.all([
      api.latest(one, range, LATEST),
      api.moves(one, range),
      api.dwell(one, range),
      api.actors(one, range),
    ]);
  parts.push(loaded(figures, ask, ([latest, moves, dwell, actors]) => [
    latest.length > 0 && [el("h2", { class: "sub" }, t("Latest moves")), latestTable(one, latest, range.zone)],
    el("h2", { class: "sub" }, t("How they move")),
    movesTable(moves),
    el("h2", { class: "sub" }, t("How long they stay")),
    dwellTable(dwell),
    el("h2", { class: "sub" }, t("Who moves them")),
    actorsTable(actors, range.zone),
  ]));
  if (record !== "") parts.push(drawHistory(history, one, record, api, range.zone));
  return [search(one, record), history, figures];
}

function search(one: Lifecycle, record: string): HTMLElement {
  const input = el("input", { id: "record", value: record, maxlength: 200, autocomplete: "off" });
  return el(
    "form",
    {
      class: "narrow",
      onsubmit: (event) => {
        event.preventDefault();
        go(addressOf({ view: "lifecycles", table: named(one), record: input.value.trim() }));
      },
    },
    el(
      "div",
      { class: "field" },
      el(
        "label",
        { for: "record" },
        t("The history of one {entity}: its id", { entity: words(one.entity).toLowerCase() }),
      ),
      input,
    ),
    el("button", { class: "button", type: "submit" }, t("Show")),
  );
}

function drawHistory(box: HTMLElement, one: Lifecycle, record: string, api: LifecycleApi, zone: string): Promise<void> {
  return loaded(box, () => api.timeline(one, record), (steps) => {
    const last = steps.at(-1);
    if (last === undefined) return el("p", { class: "nothing" }, t("There is no such record that you may see."));
    return [
      el("ol", { class: "steps" }, steps.toReversed().map((step) => line(step, zone))),
      last.from_stage !== null &&
      revert(
        last,
        () => drawHistory(box, one, record, api, zone),
        (notes) => api.revert(one, record, last.event, notes),
      ),
    ];
  });
}

function line({ from_stage, to_stage, actor, changed_at, notes, stayed }: Moved, zone: string): HTMLElement {
  return el(
    "li",
    { class: stayed === null ? "moved" : null },
    el("time", { class: "mono quiet small", datetime: changed_at }, dateTime(changed_at, zone)),
    el(
      "span",
      {},
      el("strong", {}, from_stage === null ? to_stage : `${from_stage} → ${to_stage}`),
      t(" by {actor}", { actor }),
      notes !== null && el("span", { class: "quiet" }, `: ${notes}`),
      el(
        "span",
        { class: "quiet small" },
        stayed === null ? t(", there still") : t(", stayed {time}", { time: shortened(stayed) }),
      ),
    ),
  );
}

function revert(last: Moved, redraw: () => Promise<void>, act: (notes: string) => Promise<string>): HTMLElement {
  const note = el("input", { id: "lifecycle-note", maxlength: 200, autocomplete: "off" });
  const back = action(t("Put back to {state}", { state: last.from_stage ?? "" }), async () => {
    await act(note.value.trim());
    await redraw();
    return null;
  });
  return el(
    "section",
    { class: "card pad act", "aria-label": t("Take the last move back") },
    el(
      "div",
      { class: "field wide" },
      el("label", { for: "lifecycle-note" }, t("Why it is taken back (nothing personal: it is kept for good)")),
      note,
    ),
    back.button,
    back.outcome,
  );
}

function latestTable(one: Lifecycle, rows: readonly Move[], zone: string): HTMLElement {
  return grid(t("Latest moves"), [
    {
      name: words(one.entity),
      text: ({ record_id }) => record_id,
      cell: ({ record_id }) =>
        el(
          "a",
          {
            href: addressOf({ view: "lifecycles", table: named(one), record: record_id }),
            "data-view": "lifecycles",
          },
          record_id,
        ),
    },
    {
      name: t("From"),
      cell: ({ from_stage }) => from_stage ?? t("new"),
      text: ({ from_stage }) => from_stage ?? t("new"),
    },
    { name: t("To"), cell: ({ to_stage }) => to_stage, text: ({ to_stage }) => to_stage },
    { name: t("Who"), cell: ({ actor }) => actor, text: ({ actor }) => actor },
    { name: t("When"), cell: ({ changed_at }) => dateTime(changed_at, zone), text: ({ changed_at }) => changed_at },
    { name: t("Note"), cell: ({ notes }) => notes ?? "", text: ({ notes }) => notes },
  ], rows);
}

function movesTable(rows: readonly Moves[]): HTMLElement {
  return grid(t("Moves"), [
    {
      name: t("From"),
      cell: ({ from_stage }) => from_stage ?? t("new"),
      text: ({ from_stage }) => from_stage ?? t("new"),
    },
    { name: t("To"), cell: ({ to_stage }) => to_stage, text: ({ to_stage }) => to_stage },
    { name: t("Moves"), number: true, cell: ({ moves }) => count(moves), text: ({ moves }) => moves },
    { name: t("Records"), number: true, cell: ({ records }) => count(records), text: ({ records }) => records },
  ], rows);
}

function dwellTable(rows: readonly Dwell[]): HTMLElement {
  const time = (value: string | null) => (value === null ? t("none yet") : shortened(value));
  return grid(t("Time in each stage"), [
    { name: t("Stage"), cell: ({ stage }) => stage, text: ({ stage }) => stage },
    { name: t("Stays ended"), number: true, cell: ({ stays }) => count(stays), text: ({ stays }) => stays },
    { name: t("Half within"), cell: ({ median }) => time(median), text: ({ median }) => median },
    { name: t("On average"), cell: ({ average }) => time(average), text: ({ average }) => average },
    { name: t("Longest"), cell: ({ longest }) => time(longest), text: ({ longest }) => longest },
    {
      name: t("There still"),
      number: true,
      cell: ({ still_there }) => count(still_there),
      text: ({ still_there }) => still_there,
    },
  ], rows);
}

function actorsTable(rows: readonly Actors[], zone: string): HTMLElement {
  return grid(t("Who moved them"), [
    { name: t("Who"), cell: ({ actor }) => actor, text: ({ actor }) => actor },
    { name: t("Moves"), number: true, cell: ({ moves }) => count(moves), text: ({ moves }) => moves },
    { name: t("Records"), number: true, cell: ({ records }) => count(records), text: ({ records }) => records },
    { name: t("First"), cell: ({ first_at }) => dateTime(first_at, zone), text: ({ first_at }) => first_at },
    { name: t("Last"), cell: ({ last_at }) => dateTime(last_at, zone), text: ({ last_at }) => last_at },
  ], rows);
}

/** An interval as Postgres writes it, in its two largest units; one of months or years as it is. */
function shortened(interval: string): string {
  const parts = /^(?:(\d+) days? ?)?(?:(\d+):(\d\d):(\d\d)(?:\.\d+)?)?$/.exec(interval);
  if (parts === null) return interval;
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = parts;
  return duration(Number(days) * 86_400 + Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds));
}
