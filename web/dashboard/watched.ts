/** Whether somebody looks at the page. A tab that nobody looks at asks the project nothing. */

/** So long after somebody last moved, pressed or scrolled, nobody is taken to be there. */
const PATIENCE = 5 * 60_000;
const SIGNS = ["pointermove", "pointerdown", "keydown", "wheel", "scroll", "focus", "visibilitychange"];

let lastSign = Date.now();
const waiting = new Set<() => void>();

export function isWatched(): boolean {
  return !document.hidden && Date.now() - lastSign < PATIENCE;
}

/** Calls back whenever somebody returns. */
export function onReturn(act: () => void, signal: AbortSignal): void {
  waiting.add(act);
  signal.addEventListener("abort", () => waiting.delete(act));
}

for (const sign of SIGNS) addEventListener(sign, seen, { capture: true, passive: true });

function seen(event: Event): void {
  const away = !isWatched() || event.type === "visibilitychange";
  lastSign = Date.now();
  if (away && !document.hidden) { for (const act of waiting) act(); }
}
