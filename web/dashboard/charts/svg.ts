/**
 * The few shapes that the charts are made of: a scale, marks with a name, words, and a tip that follows the pointer. A
 * charting library has them too, and was three fifths of what the first screen weighed.
 */

type Value = string | number | null | undefined;
export type Attributes = Readonly<Record<string, Value>>;
export type Point = readonly [x: number, y: number];
export interface Scale {
  (value: number): number;
  /** Round values inside the domain, about as many as are asked for. */
  readonly ticks: (most: number) => readonly number[];
}
/** What is said of a point of the drawing while the pointer is near it; one line of text for each line. */
export interface Tip {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

const round = (value: number): number => Math.round(value * 100) / 100;

export function shape<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) {
      element.setAttribute(key, String(typeof value === "number" ? round(value) : value));
    }
  }
  element.append(...children);
  return element;
}

/** Shapes of one kind, under its name. */
export function marks(kind: string, shapes: readonly Node[], attributes: Attributes = {}): SVGGElement {
  return shape("g", { "aria-label": kind, ...attributes }, ...shapes);
}

export function rectangle(
  [x1, x2]: readonly [number, number],
  [y1, y2]: readonly [number, number],
  attributes: Attributes,
  inset = 0,
): SVGRectElement {
  return shape("rect", {
    x: Math.min(x1, x2) + inset,
    y: Math.min(y1, y2) + inset,
    width: Math.max(0, Math.abs(x2 - x1) - 2 * inset),
    height: Math.max(0, Math.abs(y2 - y1) - 2 * inset),
    ...attributes,
  });
}

/** Words whose middle is at `y`. */
export function words(x: number, y: number, text: string, attributes: Attributes = {}): SVGTextElement {
  return shape("text", { x, y, dy: "0.32em", ...attributes }, text);
}

/** As much of a text as has room, at the size that charts are written in. */
export function shortened(text: string, room: number): string {
  const most = Math.max(4, Math.floor(room / 6.4));
  return text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text;
}

/** How much room names beside a drawing take: as the longest needs, but a third of the drawing at most. */
export function roomFor(names: readonly string[], least: number, width: number): number {
  return Math.min(width / 3, Math.max(least, 12 + 6.4 * Math.max(0, ...names.map(({ length }) => length))));
}

export function line(points: readonly Point[]): string {
  return points.map(([x, y], at) => `${at === 0 ? "M" : "L"}${round(x)},${round(y)}`).join("");
}

/** The path around what lies between two lines. */
export function between(above: readonly Point[], below: readonly Point[]): string {
  return `${line([...above, ...below.toReversed()])}Z`;
}

export function linear(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const [low, high] = domain;
  const length = high - low || 1;
  const scale = (value: number): number => range[0] + ((value - low) / length) * (range[1] - range[0]);
  return Object.assign(scale, { ticks: (most: number) => rounds(low, high, most) });
}

function rounds(low: number, high: number, most: number): readonly number[] {
  const rough = (high - low) / Math.max(1, most);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((times) => times * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => (first + at) * step);
}

/** One picture with one name; assistive technology reads the table below it instead of its parts. */
export function picture(
  label: string,
  [width, height]: readonly [number, number],
  shapes: readonly Node[],
  tips: readonly Tip[] = [],
): SVGSVGElement {
  const svg = shape("svg", {
    width,
    height,
    viewBox: `0 0 ${round(width)} ${round(height)}`,
    role: "img",
    "aria-label": label,
    fill: "currentColor",
  }, ...shapes);
  if (tips.length > 0) follow(svg, tips, width);
  return svg;
}

const PAD = 9;
const LINE = 17;

/** Shows the tip that is nearest to the pointer. */
function follow(svg: SVGSVGElement, tips: readonly Tip[], width: number): void {
  let shown: { readonly tip: Tip; readonly element: SVGGElement } | undefined;
  svg.addEventListener("pointermove", show);
  svg.addEventListener("pointerdown", show);
  svg.addEventListener("pointerleave", hide);

  function show(event: PointerEvent): void {
    const matrix = svg.getScreenCTM();
    if (!matrix) return;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    // What is above or below the pointer is nearer than what is beside it.
    const far = (tip: Tip): number => Math.abs(tip.x - x) + Math.abs(tip.y - y) / 4;
    const tip = tips.reduce((best, one) => (far(one) < far(best) ? one : best));
    if (shown?.tip === tip) return;
    hide();
    shown = { tip, element: marks("tip", []) };
    svg.append(shown.element);
    fill(shown.element, tip, width);
  }

  function hide(): void {
    shown?.element.remove();
    shown = undefined;
  }
}

function fill(element: SVGGElement, { x, y, text }: Tip, width: number): void {
  const lines = text.split("\n");
  const written = shape(
    "text",
    { fill: "var(--ink)" },
    ...lines.map((one, at) => shape("tspan", { x: PAD, y: PAD + 11 + at * LINE }, one)),
  );
  element.append(written);
  const wide = written.getBBox().width + 2 * PAD;
  const high = lines.length * LINE + 2 * PAD - 4;
  const left = x + 12 + wide > width ? Math.max(0, x - 12 - wide) : x + 12;
  element.setAttribute("transform", `translate(${round(left)},${round(Math.max(0, y - high / 2))})`);
  element.setAttribute("pointer-events", "none");
  const box = { rx: 6, fill: "var(--raised)", stroke: "var(--edge)" };
  element.prepend(rectangle([0, wide], [0, high], box));
}
