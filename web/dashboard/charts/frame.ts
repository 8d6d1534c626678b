/** What all charts share: one colour per tier, a legend, and the same numbers as a table. */
import { el } from "../../shared/dom.ts";
import { csvButton } from "../csv.ts";
import { t } from "../texts.ts";

export const TIERS = ["consumer", "practitioner", "clinic", "network", "system"] as const;
const HEAT = [0, 1, 2, 3, 4, 5].map((step) => `var(--heat-${step})`);
const OTHERS = [
  "var(--tier-consumer)",
  "var(--tier-practitioner)",
  "var(--tier-clinic)",
  "var(--tier-network)",
  "var(--madder)",
  "var(--tier-system)",
];

export interface Size {
  readonly width: number;
}
/** What a chart of states is drawn with: their ids, lowest first. */
export interface StatesSize extends Size {
  readonly states: readonly string[];
}
/** Which colour stands for what. Colours are CSS variables, so a chart follows a change of theme without being drawn again. */
export interface Colours {
  readonly domain: readonly string[];
  readonly range: readonly string[];
}

export const tierScale: Colours = { domain: TIERS, range: TIERS.map((tier) => `var(--tier-${tier})`) };

/** States get darker as they get higher, however many there are: the colours between two of the theme are mixed of them. */
export function stateScale(states: readonly string[]): Colours {
  const step = (HEAT.length - 1) / Math.max(1, states.length - 1);
  return {
    domain: states,
    range: states.map((_, index) => {
      const place = Math.round(index * step * 100) / 100;
      const [low, high] = [HEAT[Math.floor(place)] ?? "", HEAT[Math.ceil(place)] ?? ""];
      return low === high ? low : `color-mix(in oklab, ${low}, ${high} ${Math.round(place % 1 * 100)}%)`;
    }),
  };
}

export function seriesScale(names: readonly string[]): Colours {
  return { domain: names, range: names.map((_, index) => OTHERS[index % OTHERS.length] ?? "") };
}

export function colourOf({ domain, range }: Colours, key: string): string {
  return range[domain.indexOf(key)] ?? "var(--edge)";
}

export function heat(share: number): string {
  return HEAT[Math.min(5, Math.max(0, Math.ceil(share * 5)))] ?? "";
}

export function legend(
  scale: Colours,
  shown: readonly string[],
  name: (key: string) => string = (key) => key,
): HTMLElement {
  return el(
    "ul",
    { class: "legend" },
    scale.domain.map((key) => shown.includes(key) && el("li", {}, swatch(colourOf(scale, key)), name(key))),
  );
}

function swatch(colour: string): HTMLElement {
  const mark = el("i", { "aria-hidden": "true" });
  mark.style.background = colour;
  return mark;
}

/** The drawing, with the same numbers below it as a table. */
export function withTable(
  drawing: Element,
  caption: string,
  head: readonly string[],
  body: readonly (readonly (string | number)[])[],
): HTMLElement {
  return el(
    "figure",
    { class: "chart" },
    drawing,
    el(
      "details",
      { class: "as-table" },
      el("summary", {}, t("As a table")),
      el(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": t("{caption}, as a table", { caption }) },
        table(caption, head, body),
      ),
      csvButton(caption, head, () => body),
    ),
  );
}

export function table(
  caption: string,
  head: readonly string[],
  body: readonly (readonly (string | number | Node)[])[],
): HTMLTableElement {
  return el(
    "table",
    {},
    el("caption", { class: "visually-hidden" }, caption),
    el(
      "thead",
      {},
      el("tr", {}, head.map((name, column) => el("th", { scope: "col", class: column > 0 ? "number" : null }, name))),
    ),
    el(
      "tbody",
      {},
      body.map((cells) =>
        el(
          "tr",
          {},
          cells.map((
            cell,
            column,
          ) => (column === 0 ? el("th", { scope: "row" }, cell) : el("td", { class: "number" }, cell))),
        )
      ),
    ),
  );
}

/** What a chart tells those around it once it is drawn. */
export const DRAWN = "chartdrawn";

/** Draws again whenever the available width changes, so that a chart is never squeezed or cut off. `height` is kept free before. */
export function fitted(drawAt: (width: number) => Element, height = 0): HTMLElement {
  const box = el("div", { class: "fitted" });
  box.style.minBlockSize = `${height}px`;
  let width = 0;
  new ResizeObserver(([entry]) => {
    const now = Math.floor(entry?.contentRect.width ?? 0);
    if (now === 0 || now === width) return;
    width = now;
    const drawing = drawAt(width);
    // One picture with one name: assistive technology skips its parts, and reads the table below it.
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", drawing.getAttribute("aria-label") ?? "");
    drawing.setAttribute("aria-hidden", "true");
    box.replaceChildren(drawing);
    box.dispatchEvent(new Event(DRAWN, { bubbles: true }));
  }).observe(box);
  return box;
}
