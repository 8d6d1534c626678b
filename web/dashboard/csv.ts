/** What a table shows, as a file that spreadsheets open. */
import { el } from "../shared/dom.ts";

type Cell = string | number | null;

export function csvButton(
  name: string,
  head: readonly string[],
  rows: () => readonly (readonly Cell[])[],
): HTMLButtonElement {
  return el("button", {
    class: "button small",
    type: "button",
    "aria-label": `Save as CSV: ${name}`,
    onclick: () => save(`${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.csv`, csv([head, ...rows()])),
  }, "Save as CSV");
}

export function csv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** A text that a spreadsheet would run as a formula is told apart from one by an apostrophe. */
function cell(value: Cell): string {
  if (typeof value === "number") return String(value);
  const text = value ?? "";
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  const link = el("a", { href: url, download: name });
  link.click();
  // The browser has taken the file by the next turn of the event loop.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
