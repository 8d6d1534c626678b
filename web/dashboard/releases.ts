/** Marks on every chart over time where a version was first seen: a line in the drawing, and a link with its name and day above. */
import { el } from "../shared/dom.ts";
import { addressOf, asked, keep } from "./address.ts";
import { DRAWN } from "./charts/frame.ts";
import { marks, shape } from "./charts/svg.ts";
import { timeline } from "./charts/time.ts";
import { day, dayHour } from "./format.ts";
import type { Kpi, Range, Release } from "./kpi.ts";
import { t } from "./texts.ts";

/** Marks that are nearer to each other than this share one. */
const APART = 14;
const NAMED = 6;
const KIND = "release";

interface Mark {
  readonly x: number;
  readonly releases: readonly Release[];
}

export interface Marks {
  /** The box that switches them; the address keeps what it says. */
  readonly element: HTMLElement;
  /** Says that the charts are about to be of this range: what was found in another is not marked in them. */
  readonly overtake: (range: Range) => void;
  readonly refresh: (range: Range) => Promise<void>;
}

/** Marks what is drawn inside `board`, now and whenever it is drawn again. */
export function releaseMarks(board: HTMLElement, kpi: Kpi, signal: AbortSignal): Marks {
  let found: readonly Release[] = [];
  let range: Range | undefined;
  let turns = 0;
  let stood: HTMLElement | undefined;
  const box = el("input", { type: "checkbox", id: "releases", checked: asked("releases") !== "off" });
  box.addEventListener("change", (event) => {
    // The filters beside it ask for everything anew when they change.
    event.stopPropagation();
    keep({ releases: box.checked ? "" : "off" });
    if (range) void refresh(range);
  });
  board.addEventListener(DRAWN, ({ target }) => target instanceof HTMLElement && draw(target), { signal });
  // A chart that is drawn anew, as each is once a minute, takes the mark away that somebody stands on.
  board.addEventListener("focusin", ({ target }) => {
    stood = target instanceof HTMLElement && target.closest(`.${KIND}s`) ? target : undefined;
    if (stood) stood.dataset["of"] = panelOf(stood) ?? "";
  }, { signal });
  return {
    element: el("div", { class: "inline-field" }, box, el("label", { for: box.id }, t("Mark releases"))),
    overtake,
    refresh,
  };

  function overtake(now: Range): void {
    if (range && JSON.stringify(range) !== JSON.stringify(now)) found = [];
    range = now;
  }

  async function refresh(now: Range): Promise<void> {
    overtake(now);
    const turn = ++turns;
    try {
      const next = box.checked ? await kpi.releases(now) : [];
      if (turn !== turns || signal.aborted) return;
      if (JSON.stringify(next) === JSON.stringify(found)) return;
      found = next;
      for (const chart of board.querySelectorAll<HTMLElement>(".fitted")) draw(chart);
    } catch (error) {
      // The charts say what they say without them, too.
      console.error(error);
    }
  }

  function draw(chart: HTMLElement): void {
    const drawing = chart.querySelector("svg");
    chart.parentElement?.querySelector(`.${KIND}s`)?.remove();
    drawing?.querySelector(`[aria-label="${KIND}"]`)?.remove();
    const line = drawing && timeline(drawing);
    if (!drawing || !line || !range) return;
    const zone = range.zone;
    const all = together(found.map((one) => ({ x: line.at(one.day, one.first_seen), releases: [one] })));
    if (all.length === 0) return;
    drawing.prepend(
      marks(KIND, all.map(({ x }) => shape("line", { x1: x, x2: x, y1: line.top, y2: line.bottom })), {
        stroke: "var(--quiet)",
        "stroke-dasharray": "2 3",
      }),
    );
    const drawn = list(all, line.width, (one) => line.hourly ? dayHour(one.first_seen, zone) : day(one.day));
    chart.before(drawn);
    standAgain(chart, drawn);
  }

  function standAgain(chart: HTMLElement, drawn: HTMLElement): void {
    const before = stood;
    if (!before || before.isConnected || before.dataset["of"] !== panelOf(chart)) return;
    const same = [...drawn.querySelectorAll("a")].find(({ textContent }) => textContent === before.textContent);
    if (!same || document.activeElement !== document.body) return;
    moveTo(same, drawn);
    same.focus({ preventScroll: true });
  }
}

const panelOf = (part: Element): string | undefined => part.closest(".panel")?.id;

/** Makes a mark the one at which the Tab key stops. */
function moveTo(mark: HTMLElement, list: HTMLElement): void {
  for (const one of list.querySelectorAll("a")) one.tabIndex = one === mark ? 0 : -1;
}

/** Those that stand too near to each other as one. */
function together(all: readonly Mark[]): readonly Mark[] {
  const marked: Mark[] = [];
  for (const one of all.toSorted((a, b) => a.x - b.x)) {
    const last = marked.at(-1);
    if (last && one.x - last.x < APART) {
      marked[marked.length - 1] = { x: last.x, releases: [...last.releases, ...one.releases] };
    } else marked.push(one);
  }
  return marked;
}

function list(all: readonly Mark[], width: number, when: (release: Release) => string): HTMLElement {
  const links = all.map((mark, at) => link(mark, width, when, at === 0));
  const element = el("ul", { class: `${KIND}s`, "aria-label": t("Releases") }, links.map((one) => el("li", {}, one)));
  // One stop of the Tab key for each chart; the arrows lead from mark to mark.
  element.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const now = links.findIndex((one) => one === document.activeElement);
    const next = step === undefined ? undefined : links[now + step];
    if (!next) return;
    event.preventDefault();
    moveTo(next, element);
    next.focus();
  });
  return element;
}

/** Leads to the events of the day. */
function link({ x, releases }: Mark, width: number, when: (release: Release) => string, first: boolean): HTMLElement {
  const days = releases.map((one) => one.day);
  const said = releases.slice(0, NAMED).map((one) => `${named(one)}: ${when(one)}`);
  const more = releases.length - said.length;
  const address = { view: "explore", days: "", from: days[0] ?? "", to: days.at(-1) ?? "" };
  const element = el(
    "a",
    {
      href: addressOf(address),
      "data-view": "explore",
      tabindex: first ? 0 : -1,
      class: x > width / 2 ? "leftwards" : "",
    },
    el("span", {}, [...said, ...(more > 0 ? [t("{count} more", { count: more })] : [])].join("\n")),
  );
  element.addEventListener("click", () => element.href = addressOf(address));
  element.style.insetInlineStart = `${x}px`;
  return element;
}

function named({ kind, sender, release }: Release): string {
  if (kind === "contract") return t("Contract {name}", { name: release });
  const name = kind === "release" ? t("Release {name}", { name: release }) : release;
  return sender === null ? name : t("{name}, {sender}", { name, sender });
}
