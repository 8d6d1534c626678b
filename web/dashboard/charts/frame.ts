/** What all charts share: the plot's frame, one colour per tier, a legend, and the same numbers as a table. */
import * as Plot from "@observablehq/plot";
import { el } from "../../shared/dom.ts";
import { csvButton } from "../csv.ts";

export const TIERS = ["consumer", "practitioner", "clinic", "network", "system"] as const;
export const STATES = ["S0", "S1", "S2", "S3", "S4", "S5"] as const;
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

/** Colours are CSS variables, so a chart follows a change of theme without being drawn again. */
export const tierScale: Plot.ScaleOptions = {
  type: "categorical",
  domain: [...TIERS],
  range: TIERS.map((tier) => `var(--tier-${tier})`),
};
export const stateScale: Plot.ScaleOptions = { type: "categorical", domain: [...STATES], range: HEAT };

export function seriesScale(names: readonly string[]): Plot.ScaleOptions {
  return {
    type: "categorical",
    domain: [...names],
    range: names.map((_, index) => OTHERS[index % OTHERS.length] ?? ""),
  };
}

export function heat(share: number): string {
  return HEAT[Math.min(5, Math.max(0, Math.ceil(share * 5)))] ?? "";
}

export function draw(label: string, options: Plot.PlotOptions): SVGSVGElement {
  const svg = Plot.plot({ marginTop: 16, marginRight: 12, marginBottom: 28, marginLeft: 44, ...options });
  if (!(svg instanceof SVGSVGElement)) throw new TypeError("a chart is one drawing: its legend is drawn apart");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  return svg;
}

export const grid = (): Plot.Markish => Plot.gridY({ stroke: "var(--line)", strokeOpacity: 1, ticks: 4 });
export const base = (): Plot.Markish => Plot.ruleY([0], { stroke: "var(--edge)" });
export const axisCount = (format: (value: number) => string): Plot.Markish =>
  Plot.axisY({ ticks: 4, tickSize: 0, tickFormat: format, label: null });
export const axisTime = (width: number): Plot.Markish =>
  Plot.axisX({ ticks: Math.max(2, Math.floor(width / 90)), tickSize: 0, label: null });
export const TIP = { fill: "var(--raised)", stroke: "var(--edge)", textPadding: 9, pathFilter: "none" } as const;

/** A bar's rectangle spans its period; weeks begin on Mondays, as in the database. */
export function interval(grain: "day" | "week" | "month"): "day" | "monday" | "month" {
  return grain === "week" ? "monday" : grain;
}

export function legend(
  scale: Plot.ScaleOptions,
  shown: readonly string[],
  name: (key: string) => string = (key) => key,
): HTMLElement {
  const domain = [...(scale.domain ?? [])].map(String);
  const range = [...((scale.range ?? []) as Iterable<unknown>)].map(String);
  return el(
    "ul",
    { class: "legend" },
    domain.map((key, index) => shown.includes(key) && el("li", {}, swatch(range[index] ?? ""), name(key))),
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
      el("summary", {}, "As a table"),
      el(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": `${caption}, as a table` },
        table(caption, head, body),
      ),
      csvButton(caption, head, () => body),
    ),
  );
}

export function table(
  caption: string,
  head: readonly string[],
  body: readonly (readonly (string | number)[])[],
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

/** Draws again whenever the available width changes, so that a chart is never squeezed or cut off. */
export function fitted(drawAt: (width: number) => Element): HTMLElement {
  const box = el("div", { class: "fitted" });
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
  }).observe(box);
  return box;
}
