/** The playground: what is typed into the editor is judged here at once. Nothing is sent anywhere. */
import { byId, el } from "../shared/dom.ts";
import { jsonBlock, tidied } from "../shared/json.ts";
import { themeSwitch } from "../shared/theme.ts";
import { builder } from "./builder.ts";
import { type Example, EXAMPLES } from "./examples.ts";
import { type Caller, openGate } from "./gate.ts";
import { hashPanel } from "./hash.ts";
import { sharedText, shareLink } from "../shared/share.ts";
import { judgeText } from "./verdict.ts";
import { everyRule, findings, gauntlet, headline, rows } from "./views.ts";

byId("theme").replaceWith(themeSwitch());

try {
  await play();
} catch (error) {
  console.error(error);
  byId("verdict-title").textContent = "The contract could not be loaded";
  byId("verdict-detail").textContent =
    "This page needs WebAssembly. Allow it (in a content security policy: 'wasm-unsafe-eval') and load the page again.";
}

async function play(): Promise<void> {
  const { gate, registry, source } = await openGate();
  const contract = gate.contract();
  const rules = new Map<string, (typeof contract.rules)[number]>(contract.rules.map((rule) => [rule.id, rule]));
  const editor = byId<HTMLTextAreaElement>("editor");
  const form = builder(registry, (text) => {
    editor.value = text;
    byId("share-panel").hidden = true;
    judge();
  });
  const callerId = crypto.randomUUID();

  byId("contract-line").textContent =
    `Contract ${contract.version}, ${contract.rules.length} rules, ${contract.fingerprint.slice(0, 12)}. ` +
    (source === "server"
      ? "Event types come from this server's registry."
      : "Event types come from the registry that ships.");

  for (const passes of [true, false]) {
    byId(passes ? "examples-pass" : "examples-refuse").append(
      ...EXAMPLES.filter((example) => example.passes === passes).map((example) =>
        el("button", { class: "chip", type: "button", onclick: () => show(example) }, example.name)
      ),
    );
  }
  editor.addEventListener("input", () => {
    // The link made earlier no longer leads to this text.
    byId("share-panel").hidden = true;
    judge();
  });
  byId("sender").addEventListener("input", judge);
  byId<HTMLInputElement>("mode-form").addEventListener("change", swapMode);
  byId<HTMLInputElement>("mode-json").addEventListener("change", swapMode);
  byId("tidy").addEventListener("click", tidy);
  byId("share").addEventListener("click", () => void share());
  window.addEventListener("hashchange", () => void openHash());
  hashPanel(gate);

  show(EXAMPLES[0] as Example);
  await openHash();
  document.documentElement.dataset["ready"] = "true";

  function show(example: Example): void {
    choose(example.trusted ? "trusted" : "visitor");
    put(JSON.stringify(example.event, null, 2));
  }

  function put(text: string): void {
    editor.value = text;
    byId("share-panel").hidden = true;
    form.read(text);
    judge();
  }

  function choose(caller: Caller): void {
    byId<HTMLInputElement>(`caller-${caller}`).checked = true;
  }

  function judge(): void {
    const caller = document.querySelector<HTMLInputElement>("input[name=caller]:checked")?.value as Caller;
    const verdict = judgeText(gate, rules, editor.value, {
      caller,
      callerId,
      origin: byId<HTMLInputElement>("origin").value.trim(),
    });
    const { passed, title, detail } = headline(verdict);
    byId("verdict").dataset["state"] = passed ? "pass" : "refuse";
    byId("verdict-title").textContent = title;
    byId("verdict-detail").textContent = detail;
    byId("verdict-cost").textContent = `${verdict.bytes.toLocaleString("en")} bytes judged in ${
      verdict.milliseconds.toFixed(1)
    } ms`;
    byId("gauntlet").replaceChildren(gauntlet(contract.rules, verdict));
    byId("findings").replaceChildren(...findings(verdict));
    byId("rules").replaceChildren(everyRule(contract.rules, verdict));
    byId("rows").replaceChildren(rows(verdict));
    byId("answer").replaceChildren(jsonBlock(verdict.answer, "The answer to the sender"));
  }

  function swapMode(): void {
    const asForm = byId<HTMLInputElement>("mode-form").checked;
    if (asForm) form.read(editor.value);
    byId("builder").hidden = !asForm;
    byId("editor-box").hidden = asForm;
  }

  function tidy(): void {
    try {
      put(JSON.stringify(JSON.parse(editor.value), null, 2));
    } catch {
      // Text that is not JSON stays as it is: the verdict says so already.
    }
  }

  async function share(): Promise<void> {
    const text = editor.value;
    const shared = await shareLink(text, location.href, gate.redact);
    if (editor.value !== text) return;
    const panel = byId("share-panel");
    if (!shared.ok) {
      panel.replaceChildren(el("p", { role: "status" }, shared.reason));
      panel.hidden = false;
      return;
    }
    const field = el("input", { id: "share-url", readonly: true, value: shared.url });
    const copied = el("span", { role: "status", class: "small" });
    const copy = el(
      "button",
      { class: "button", type: "button", onclick: () => void copyText(shared.url, copied) },
      "Copy link",
    );
    panel.replaceChildren(
      el(
        "div",
        { class: "field" },
        el("label", { for: "share-url" }, "Link to this event"),
        el("div", { class: "share-row" }, field, copy),
      ),
      el(
        "p",
        { class: "small" },
        "The part after # holds this text. Browsers do not send that part to a server, but whoever has the link can read it.",
        shared.changed && " E-mail addresses and other personal values were replaced before the link was made.",
      ),
      copied,
    );
    panel.hidden = false;
    field.select();
  }

  async function openHash(): Promise<void> {
    const parameters = new URLSearchParams(location.hash.slice(1));
    const rule = rules.get(parameters.get("rule") ?? "");
    const text = rule
      ? tidied(parameters.get("example") === "accepts" ? rule.accepts : rule.rejects)
      : await sharedText(location.hash);
    if (text !== undefined) put(text);
  }
}

async function copyText(text: string, status: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    status.textContent = "Copied.";
  } catch {
    status.textContent = "The browser did not allow copying; select the link and copy it by hand.";
  }
}
