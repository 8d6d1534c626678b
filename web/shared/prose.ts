/** Lays out the contract's texts, which begin in lower case, have no full stop, and name fields in backticks. */
import { type Child, el } from "./dom.ts";

export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

export function prose(text: string): readonly Child[] {
  return text.split("`").map((part, index) => (index % 2 === 1 ? el("code", {}, part) : part));
}
