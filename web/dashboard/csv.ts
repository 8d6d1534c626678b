/** What a table shows, as a file that spreadsheets open. */
import { el } from "../shared/dom.ts";
import { t } from "./texts.ts";

type Cell = string | number | null;

export function csvButton(
  name: string,
  head: readonly string[],
  rows: () => readonly (readonly Cell[])[],
): HTMLButtonElement {
  return el("button", {
    class: "button small",
    type: "button",
    "aria-label": t("Save as CSV: {name}", { name }),
    onclick: () =>
      save(`${fileName(name)}.csv`, new Blob(["\ufeff", csv([head, ...rows()])], { type: "text/csv;charset=utf-8" })),
  }, t("Save as CSV"));
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

/** A name as a file's, in letters of any language. */
export function fileName(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-").replaceAll(/^-|-$/g, "");
}

export function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = el("a", { href: url, download: name });
  link.click();
  // The browser has taken the file by the next turn of the event loop.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
