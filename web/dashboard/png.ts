/** A panel as a picture: its shapes and words as they stand there, in the colours of the theme, and below them what they show. */
import { byId, el } from "../shared/dom.ts";
import { fileName, save } from "./csv.ts";
import type { Filters } from "./filters.ts";
import { span } from "./format.ts";

/** What can be pressed or unfolded, which a picture cannot be. */
const LEFT_OUT = ".button, select, fieldset, details, header a, .visually-hidden, .releases";
const SCALE = 2;
const FOOT = 34;

export async function savePicture(panel: HTMLElement, title: string, filters: Filters): Promise<void> {
  const canvas = await painted(panel, caption(filters));
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) save(`${fileName(title)}.png`, blob);
}

function caption({ range, tier, narrowed }: Filters): string {
  const site = byId<HTMLSelectElement>("site-choice").selectedOptions[0]?.textContent ?? "";
  const said = [
    site,
    `${span(range, "exact" in narrowed)} (${range.zone})`,
    tier === "all" ? "" : tier,
    ...Object.values(narrowed).map((value) => value === true ? "" : value),
  ];
  return said.filter(Boolean).join(" · ");
}

async function painted(panel: HTMLElement, foot: string): Promise<HTMLCanvasElement> {
  const { left, top, width } = panel.getBoundingClientRect();
  const elements = [...panel.querySelectorAll("*")].filter((one) => one.closest(LEFT_OUT) === null);
  const drawings = elements.filter((one) => one instanceof SVGSVGElement);
  const boxes = elements.filter((one) => one instanceof HTMLElement && isFilled(one));
  const words = [...wordsIn(panel)];
  const low = Math.max(...[...drawings, ...boxes, ...words].map((one) => bottomOf(one)));
  const height = low - top + FOOT;
  const canvas = el("canvas", { width: Math.ceil(width * SCALE), height: Math.ceil(height * SCALE) });
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser draws no pictures");
  context.scale(SCALE, SCALE);
  context.fillStyle = getComputedStyle(panel).backgroundColor;
  context.fillRect(0, 0, width, height);
  context.translate(-left, -top);
  for (const box of boxes) paintBox(context, box);
  for (const drawing of drawings) {
    const { x, y, width, height } = drawing.getBoundingClientRect();
    context.drawImage(await image(drawing), x, y, width, height);
  }
  for (const word of words) paintWord(context, word);
  const body = getComputedStyle(document.body);
  context.font = `400 12px ${body.fontFamily}`;
  context.fillStyle = colourOf("var(--quiet)");
  context.fillText(foot, left + 20, low + FOOT - 14, width - 40);
  return canvas;
}

const isFilled = (one: Element): boolean =>
  !/^(transparent|rgba\(.*, 0\))$/.test(getComputedStyle(one).backgroundColor);

interface Word {
  readonly text: string;
  readonly box: DOMRect;
  readonly style: CSSStyleDeclaration;
  readonly drawn: boolean;
}

function bottomOf(one: Element | Word): number {
  return (one instanceof Element ? one.getBoundingClientRect() : one.box).bottom;
}

/** Word by word, as a line may break between any two. */
function* wordsIn(panel: HTMLElement): Generator<Word> {
  const nodes = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
    const parent = node.parentElement;
    if (!parent || parent.closest(LEFT_OUT)) continue;
    for (const { 0: text, index } of (node.textContent ?? "").matchAll(/\S+/g)) {
      range.setStart(node, index);
      range.setEnd(node, index + text.length);
      const box = range.getBoundingClientRect();
      if (isSeen(box, parent, panel)) {
        yield { text, box, style: getComputedStyle(parent), drawn: parent instanceof SVGElement };
      }
    }
  }
}

/** Whether nothing around it cuts it off. */
function isSeen(box: DOMRect, parent: Element, panel: HTMLElement): boolean {
  for (let around: Element | null = parent; around && around !== panel; around = around.parentElement) {
    if (around instanceof SVGElement || getComputedStyle(around).overflow === "visible") continue;
    const { right, bottom } = around.getBoundingClientRect();
    if (box.right > right + 1 || box.bottom > bottom + 1) return false;
  }
  return box.width > 0;
}

function paintBox(context: CanvasRenderingContext2D, box: Element): void {
  const { x, y, width, height } = box.getBoundingClientRect();
  const style = getComputedStyle(box);
  context.fillStyle = style.backgroundColor;
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(parseFloat(style.borderRadius) || 0, width / 2, height / 2));
  context.fill();
}

function paintWord(context: CanvasRenderingContext2D, { text, box, style, drawn }: Word): void {
  context.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  context.letterSpacing = style.letterSpacing === "normal" ? "0px" : style.letterSpacing;
  context.fillStyle = drawn ? style.fill : style.color;
  const { fontBoundingBoxAscent: ascent, fontBoundingBoxDescent: descent } = context.measureText(text);
  context.fillText(text, box.x, box.y + (box.height - ascent - descent) / 2 + ascent);
}

/** What a colour of the theme is now: a picture knows neither its variables nor whether it is dark. */
function colourOf(value: string): string {
  const probe = el("i");
  probe.style.color = value;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** A drawing without its words, which are written in the page's own fonts: a picture in a picture has none. */
async function image(drawing: Element): Promise<HTMLImageElement> {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  for (const word of copy.querySelectorAll("text, [aria-label=tip]")) word.remove();
  const style = getComputedStyle(drawing);
  copy.setAttribute("color", style.color);
  const written = new XMLSerializer().serializeToString(copy).replaceAll(/var\(--[\w-]+\)/g, colourOf);
  const made = new Image();
  made.src = `data:image/svg+xml,${encodeURIComponent(written)}`;
  await made.decode();
  return made;
}
