/** One question and its answer: loads and draws it, says if there is nothing, and if it fails, says so and tries again. */
import { el } from "../shared/dom.ts";
import { addressOf } from "./address.ts";
import type { Filters } from "./filters.ts";
import { type Kpi, ReadError } from "./kpi.ts";
import { unfollowed } from "./narrowing.ts";
import { t } from "./texts.ts";

export interface Context {
  readonly kpi: Kpi;
  readonly filters: Filters;
}
export interface Spec<T> {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly load: (context: Context) => Promise<T>;
  /** What to say instead of a drawing; undefined if there is something to draw. */
  readonly empty: (data: T, context: Context) => string | undefined;
  readonly render: (data: T, context: Context) => Node;
  readonly tools?: (redraw: () => void) => HTMLElement;
  /** The words of the address where the events behind the figures are listed. */
  readonly see?: Readonly<Record<string, string>>;
  /** `load` depends on the tools, so a change of them asks the server again. */
  readonly reload?: boolean;
}
export interface Panel {
  readonly element: HTMLElement;
  /** Says that what it shows is of an earlier question, whose answer is no longer waited for. */
  readonly overtake: () => void;
  readonly refresh: (context: Context) => Promise<void>;
}

export function panel<T>(spec: Spec<T>): Panel {
  const limits = limitsOf();
  const body = el("div", { class: "panel-body" }, el("div", { class: "waiting", role: "presentation" }));
  let context: Context | undefined;
  let shown: { readonly data: T; readonly context: Context } | undefined;
  let asked = 0;

  const element = el(
    "section",
    { class: "panel card", id: spec.id, "aria-labelledby": `${spec.id}-title`, "aria-busy": "true" },
    el(
      "header",
      { class: "panel-head" },
      el(
        "div",
        {},
        el("h3", { id: `${spec.id}-title` }, spec.title),
        el("p", { class: "quiet small" }, spec.note, spec.see && [" ", seeLink(spec.title, spec.see)]),
        limits.element,
      ),
      spec.tools?.(() => {
        if (spec.reload && context) void refresh(context);
        else if (shown) draw();
      }),
    ),
    body,
  );
  return { element, overtake, refresh };

  function overtake(): void {
    asked += 1;
    element.setAttribute("aria-busy", "true");
  }

  async function refresh(now: Context): Promise<void> {
    context = now;
    limits.say(spec.id, now.filters);
    overtake();
    const turn = asked;
    try {
      const data = await spec.load(now);
      // An answer that a later question has overtaken is not shown.
      if (turn !== asked) return;
      shown = { data, context: now };
      draw();
    } catch (error) {
      if (turn === asked) fail(error);
    } finally {
      if (turn === asked) element.setAttribute("aria-busy", "false");
    }
  }

  function draw(): void {
    if (!shown) return;
    const message = spec.empty(shown.data, shown.context);
    const open = body.querySelector<HTMLDetailsElement>(".as-table")?.open ?? false;
    body.replaceChildren(
      message === undefined ? spec.render(shown.data, shown.context) : el("p", { class: "nothing" }, message),
    );
    const table = body.querySelector<HTMLDetailsElement>(".as-table");
    if (table) table.open = open;
    if (message !== undefined) return;
    const save = pngButton(element, spec.title, () => shown?.context.filters);
    if (table) table.append(" ", save);
    else body.append(el("p", { class: "under" }, save));
  }

  function fail(error: unknown): void {
    console.error(error);
    body.replaceChildren(
      el(
        "div",
        { class: "failure" },
        el("p", {}, explain(error)),
        el("button", {
          class: "button",
          type: "button",
          "aria-label": t("Try again: {title}", { title: spec.title }),
          onclick: () => context && void refresh(context),
        }, t("Try again")),
      ),
    );
  }
}

/** The line in a panel's head that says which of the filters it cannot follow. */
export function limitsOf(): { readonly element: HTMLElement; readonly say: (panel: string, filters: Filters) => void } {
  const element = el("p", { class: "small unfollowed", hidden: true });
  return {
    element,
    say: (panel, filters) => {
      element.textContent = unfollowed(panel, filters);
      element.hidden = element.textContent === "";
    },
  };
}

/** The panel as a picture, with its title and what it shows. */
export function pngButton(panel: HTMLElement, title: string, filters: () => Filters | undefined): HTMLElement {
  return el("button", {
    class: "button small",
    type: "button",
    "aria-label": t("Save as PNG: {name}", { name: title }),
    onclick: () => {
      const now = filters();
      if (now) void import("./png.ts").then(({ savePicture }) => savePicture(panel, title, now));
    },
  }, t("Save as PNG"));
}

/** Made when it is followed, so that it takes the range along that the reader has chosen by then. */
function seeLink(title: string, words: Readonly<Record<string, string>>): HTMLElement {
  return el("a", {
    href: addressOf(words),
    "data-view": words["view"],
    "aria-label": t("See the events: {title}", { title }),
    onclick: (event) => (event.currentTarget as HTMLAnchorElement).href = addressOf(words),
  }, t("See the events"));
}

export function explain(error: unknown): string {
  if (error instanceof ReadError) {
    if (error.code === "42501") {
      return t("You are not a member of this site any more. Ask its owner, or choose another site.");
    }
    if (error.code === "22023") return `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
    if (error.code === "57014") return t("The database took too long for this range. Choose a shorter one.");
  }
  return t("These numbers could not be read. Check the connection and try again.");
}

/** A row of radio buttons in a panel's head. */
export function choice(
  name: string,
  label: string,
  options: Readonly<Record<string, string>>,
  onchange: () => void,
): { readonly element: HTMLElement; readonly value: () => string } {
  const element = el(
    "fieldset",
    { class: "segments small", onchange: () => onchange() },
    el("legend", { class: "visually-hidden" }, label),
    Object.entries(options).map(([value, text], index) =>
      el("label", {}, el("input", { type: "radio", name, value, checked: index === 0 }), el("span", {}, text))
    ),
  );
  return { element, value: () => element.querySelector<HTMLInputElement>("input:checked")?.value ?? "" };
}
