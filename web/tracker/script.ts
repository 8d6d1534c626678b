// The one-line form: `<script async src=".../audience-gate.js" data-endpoint data-key>` makes `window.audienceGate`.
import { createTracker } from "./tracker.ts";
import type { Automatic, ConsentState, Tracker, TrackerOptions } from "./types.ts";

type Call = [
  method: "track" | "page" | "consent" | "flush",
  ...args: unknown[],
];

const script = document.currentScript as HTMLScriptElement;
const {
  endpoint = "",
  key = "",
  site,
  source,
  content,
  consent,
  consentVersion,
  automatic,
  storage,
  signals,
  debug,
  contract,
  reports,
  automation,
  paths,
} = script.dataset;
const page = window as { audienceGate?: Call[] | Tracker };
const early = page.audienceGate;

const tracker = createTracker({
  endpoint,
  key,
  contract: contract === "off" ? false : new URL(contract ?? "contract.js", script.src).href,
  respectPrivacySignals: signals !== "ignore",
  reportRejected: reports !== "off",
  ...(automation && { automation: automation as NonNullable<TrackerOptions["automation"]> }),
  ...(paths && { paths: paths as "cut" | "keep" }),
  ...(site && { siteId: site }),
  ...(content && { content: { content_id: content } }),
  ...(source && { source }),
  ...(consent && { consent: consent as ConsentState }),
  ...(consentVersion && { consentVersion }),
  ...(automatic !== undefined &&
    { automatic: automatic.split(/\s+/) as Automatic[] }),
  ...(storage &&
    { storage: storage as NonNullable<TrackerOptions["storage"]> }),
  ...(debug !== undefined && { debug: debug !== "off" }),
  // Verdicts also arrive as events, for pages without a module of their own.
  onAccept: (detail) => announce("accept", detail),
  onReject: (detail) => announce("reject", detail),
  onDrop: (detail) => announce("drop", detail),
  onError: (detail) => announce("error", detail),
});

function announce(kind: string, detail: unknown): void {
  dispatchEvent(new CustomEvent(`audiencegate:${kind}`, { detail }));
}

page.audienceGate = tracker;
// Calls made before this script had loaded: `(window.audienceGate ??= []).push(["track", {…}])`.
if (Array.isArray(early)) {
  for (const [method, ...args] of early) {
    (tracker[method] as (...args: unknown[]) => unknown)(...args);
  }
}
