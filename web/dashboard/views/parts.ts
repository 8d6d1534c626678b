/** What the views share: their frame, tables that fold on a phone, messages of actions. */
import { type Child, el } from "../../shared/dom.ts";
import { sentence } from "../../shared/prose.ts";
import { csvButton } from "../csv.ts";
import { ReadError } from "../kpi.ts";
import { explain } from "../panel.ts";
import "./views.css";
import { t } from "../texts.ts";

export interface Column<T> {
  readonly name: string;
  readonly number?: boolean;
  readonly cell: (row: T) => Child;
  /** What the file says instead of the cell. */
  readonly text: (row: T) => string | number | null;
}

/** A heading, what the view is for, and the place for its filters. */
export function frame(main: HTMLElement, title: string, note: string, ...children: readonly Child[]): void {
  main.replaceChildren(
    el("div", { id: "filters", class: "filters", role: "group", "aria-label": t("What to show") }),
    el("header", { class: "view-head" }, el("h1", {}, title), el("p", { class: "quiet" }, note)),
    ...children.filter((child): child is Node => child instanceof Node),
  );
}

/** Rows that stay readable on a phone, where each becomes a card. */
export function grid<T>(caption: string, columns: readonly Column<T>[], rows: readonly T[]): HTMLElement {
  const kind = ({ number }: Column<T>) => (number ? "number" : null);
  return el(
    "div",
    { class: "listing" },
    el(
      "table",
      { class: "folding" },
      el("caption", { class: "visually-hidden" }, caption),
      el("thead", {}, el("tr", {}, columns.map((one) => el("th", { scope: "col", class: kind(one) }, one.name)))),
      el(
        "tbody",
        {},
        rows.map((row) =>
          el(
            "tr",
            {},
            columns.map((one, at) =>
              at === 0
                ? el("th", { scope: "row" }, one.cell(row))
                : el("td", { class: kind(one), "data-name": one.name }, el("span", {}, one.cell(row)))
            ),
          )
        ),
      ),
    ),
    el(
      "p",
      { class: "under" },
      csvButton(caption, columns.map(({ name }) => name), () => rows.map((row) => columns.map((one) => one.text(row)))),
    ),
  );
}

export function field(label: string, control: HTMLInputElement | HTMLSelectElement): HTMLElement {
  return el("div", { class: "field" }, el("label", { for: control.id }, label), control);
}

/** Draws what a promise brings into a box, or why it failed and a way to try again. */
export function loaded<T>(box: HTMLElement, load: () => Promise<T>, draw: (data: T) => Child): Promise<void> {
  box.setAttribute("aria-busy", "true");
  if (!box.firstChild) box.replaceChildren(el("div", { class: "waiting" }));
  return load().then(
    (data) => box.replaceChildren(el("div", {}, draw(data))),
    (error: unknown) => {
      console.error(error);
      box.replaceChildren(
        el(
          "div",
          { class: "failure" },
          el("p", {}, explain(error)),
          el(
            "button",
            { class: "button", type: "button", onclick: () => void loaded(box, load, draw) },
            t("Try again"),
          ),
        ),
      );
    },
  ).finally(() => box.setAttribute("aria-busy", "false"));
}

export function grouped<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const members = groups.get(key(item));
    if (members) members.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

/** A small drawing of counts over time. The words beside it say the same. */
export function spark(counts: readonly number[]): Element {
  const most = Math.max(1, ...counts);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${counts.length * 6} 22`);
  svg.setAttribute("class", "spark");
  svg.setAttribute("role", "img");
  const half = Math.floor(counts.length / 2);
  const sum = (part: readonly number[]) => part.reduce((total, value) => total + value, 0);
  svg.setAttribute(
    "aria-label",
    t("{first} in the first half, {second} in the second", {
      first: sum(counts.slice(0, half)),
      second: sum(counts.slice(half)),
    }),
  );
  counts.forEach((value, at) => {
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const height = value === 0 ? 1 : Math.max(2, (value / most) * 21);
    const shape = { x: at * 6, y: 22 - height, width: 4.5, height, class: value === 0 ? "none" : "some" };
    for (const [key, given] of Object.entries(shape)) bar.setAttribute(key, String(given));
    svg.append(bar);
  });
  return svg;
}

/** A button that does something at the server: it cannot be pressed twice, and says beside it what came of it. */
export function action(
  name: string,
  act: () => Promise<Child>,
  kind = "button",
): { readonly button: HTMLButtonElement; readonly outcome: HTMLElement } {
  const outcome = el("div", { class: "outcome", role: "status" });
  const button = el("button", { class: kind, type: "button", onclick: () => void run() }, name);
  return { button, outcome };

  async function run(): Promise<void> {
    button.disabled = true;
    try {
      outcome.replaceChildren(el("div", {}, await act()));
    } catch (error) {
      console.error(error);
      outcome.replaceChildren(el("p", { class: "problem" }, said(error)));
    } finally {
      button.disabled = false;
    }
  }
}

/** What the database said of an action: it refuses with what is wrong, in words for whoever acts. */
export function said(error: unknown): string {
  if (error instanceof ReadError && /row-level security|permission denied/.test(error.message)) {
    return t("You may not change this. Ask an owner of the site.");
  }
  return error instanceof ReadError && /^(22|23|42501|PT409|P0002|2BP01)/.test(error.code)
    ? sentence(error.message)
    : explain(error);
}
