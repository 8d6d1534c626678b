/** The light/dark switch. Without a choice the page follows the system; the choice is kept on this device. */
import { el, icon } from "./dom.ts";

const KEY = "audience-gate.theme";

/** `named`: whether the name is seen, or only heard. */
export function themeSwitch(name = "Dark theme", named = false): HTMLButtonElement {
  const root = document.documentElement;
  const stored = read();
  if (stored) root.dataset["theme"] = stored;
  const button = el(
    "button",
    { class: "button plain", type: "button", onclick: flip },
    icon("sun"),
    el("span", { class: named ? null : "visually-hidden" }, name),
  );
  describe();
  return button;

  function dark(): boolean {
    const chosen = root.dataset["theme"];
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }
  function flip(): void {
    root.dataset["theme"] = dark() ? "light" : "dark";
    try {
      localStorage.setItem(KEY, root.dataset["theme"]);
    } catch {
      // Storage refused (private window, policy): the choice then lasts for this page only.
    }
    describe();
  }
  function describe(): void {
    button.setAttribute("aria-pressed", String(dark()));
  }
}

function read(): "light" | "dark" | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : undefined;
  } catch {
    return undefined;
  }
}
