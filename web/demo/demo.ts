// An article like that of any site, connected to the tracker as any site would be.
import { byId, el } from "../shared/dom.ts";
import { themeSwitch } from "../shared/theme.ts";
import { createTracker } from "../tracker/tracker.js";
import type { EventInput } from "../tracker/types.ts";
import { createLedger } from "./ledger.ts";
import { MISTAKES } from "./mistakes.ts";

/** Both filled in by build.mjs: a project, or nothing for the local stack that serves this page. */
declare const PROJECT_URL: string;
declare const PUBLISHABLE_KEY: string;

const ARTICLE = "good-night";
const ledger = createLedger();

const tracker = createTracker({
  endpoint: `${PROJECT_URL || location.origin}/functions/v1/ingest`,
  key: PUBLISHABLE_KEY,
  consentVersion: "2026-11",
  content: { content_id: ARTICLE },
  contract: new URL("../tracker/contract.js", import.meta.url).href,
  onAccept: ({ id, event_type, replayed }) =>
    ledger.show(id, event_type, { label: replayed ? "accepted before" : "accepted", tone: "pass" }),
  onReject: ({ id, event_type, by, violations }) =>
    ledger.show(id, event_type, {
      label: by === "browser" ? "stopped in the page" : "rejected by the gate",
      tone: "refuse",
      violations,
    }),
  onDrop: ({ id, reason }) => ledger.show(id, "dropped", { label: reason.replace("_", " "), tone: "warn" }),
  onError: ({ status, message }) =>
    ledger.show(`error ${status}`, `HTTP ${status}`, {
      label: "no connection",
      tone: "warn",
      violations: [{ rule_id: "", reason: message }],
    }),
});

async function track(event: EventInput) {
  const result = await tracker.track(event);
  if (result.status === "queued") ledger.wait(result.id, event.event_type);
  if (result.status === "withheld") ask(true);
  return result;
}

const engagement = (event_type: string, metadata: EventInput["metadata"]): EventInput => ({
  event_type,
  event_category: "engagement",
  metadata: { content_id: ARTICLE, ...metadata },
});

const ACTIONS: Record<string, () => unknown> = {
  save: () => track(engagement("content_saved", { collection_id: "to-read" })),
  share: () =>
    track({
      event_type: "content_share",
      event_category: "advocacy",
      metadata: { platform: "link", share_type: "copy", content_id: ARTICLE },
    }),
  export: () => track(engagement("report_exported", { format: "pdf" })),
  breathe,
};
for (const button of document.querySelectorAll<HTMLElement>("[data-do]")) {
  button.addEventListener("click", () => ACTIONS[button.dataset["do"] ?? ""]?.());
}

for (const { label, event, times = 1 } of MISTAKES) {
  const fire = () => {
    for (let count = 0; count < times; count++) track(event);
  };
  byId("mistakes").append(el("button", { class: "button", type: "button", onclick: fire }, label));
}

let breathing = false;
async function breathe() {
  if (breathing) return;
  breathing = true;
  const [ring, words] = [byId("ring"), byId("breath")];
  for (let breath = 1; breath <= 4; breath++) {
    for (const [phase, seconds] of [["in", 4], ["out", 6]] as const) {
      ring.className = phase;
      words.textContent = `Breath ${breath} of 4: ${phase} for ${seconds} seconds`;
      await new Promise((done) => setTimeout(done, seconds * 1000));
    }
  }
  ring.className = "";
  words.textContent = "Done. Notice your shoulders.";
  breathing = false;
  await track(engagement("tool_used", { tool_id: "four-breaths", outcome: "completed" }));
}

const letter = byId<HTMLFormElement>("letter");
letter.addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const fields = new FormData(letter);
  const result = await track({
    event_type: "email_subscribe",
    event_category: "subscription",
    email: String(fields.get("address")),
    metadata: { channel: "newsletter", consent_recorded: fields.get("agreed") === "on", form_id: "article-end" },
  });
  byId("letter-answer").textContent = {
    queued: "Thank you. The first letter comes on Sunday.",
    rejected: "That did not work: a valid address and your agreement are needed.",
    withheld: "Please answer the question at the bottom of the page first.",
  }[result.status];
});

// --- Consent: asked for once, and withdrawn with one click.
function ask(asked: boolean) {
  byId("ask").hidden = !asked;
  byId("withdraw").hidden = asked;
}
for (const button of document.querySelectorAll<HTMLElement>("[data-consent]")) {
  button.addEventListener("click", () => {
    tracker.consent(button.dataset["consent"] === "granted" ? "granted" : "denied");
    ask(false);
  });
}
byId("withdraw").addEventListener("click", () => {
  tracker.consent("denied");
  ask(true);
});
ask(tracker.permission() === "ask");
byId("flush").addEventListener("click", () => tracker.flush());
byId("theme").append(themeSwitch());

const CHECKS = {
  here: "Judged in this page before it is queued, and again by the gate.",
  away: "This page may not run WebAssembly: the gate alone judges.",
  none: "This browser says it does not want to be tracked, so nothing is.",
};
if (tracker.permission() === "privacy_signal") byId("check").textContent = CHECKS.none;
else tracker.ready().then((here) => byId("check").textContent = here ? CHECKS.here : CHECKS.away);

setInterval(() => ledger.sums(tracker.stats()), 250);
