/** JSON laid out for reading: keys in one colour, redacted values marked. */
import { el } from "./dom.ts";

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?/g;

export function jsonBlock(value: unknown, label: string): HTMLPreElement {
  return textBlock(JSON.stringify(value, null, 2), label);
}

/** JSON on several lines, unless that would lose something: a key sent twice, or a digit of a number. */
export function tidied(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text ? JSON.stringify(value, null, 2) : text;
  } catch {
    return text;
  }
}

export function textBlock(text: string, label: string): HTMLPreElement {
  const block = el("pre", { tabindex: 0, role: "region", "aria-label": label });
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    block.append(text.slice(at, match.index));
    const [whole, literal = "", colon] = match;
    const kind = colon ? "json-key" : literal.includes("[redacted:") ? "json-mark" : undefined;
    block.append(kind ? el("span", { class: kind }, literal) : literal, colon ?? "");
    at = match.index + whole.length;
  }
  block.append(text.slice(at));
  return block;
}
