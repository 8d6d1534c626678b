// The contract itself, loaded on its own so that no page waits for it: the same rules the server and the database judge by.
import { check, hashEmail, initSync, loadRegistry, redact } from "../../pkg/audience_gate.js";
import type { Violation } from "./types.ts";

export type Contract = {
  /** `userId` is the user in whose name the event is sent; null for a visitor. */
  check(event: string, userId: string | null, now: number): readonly Violation[];
  hashEmail(email: string): string | undefined;
  /** JSON as text, with everything personal replaced. */
  redact(text: string): string;
};

/** For how many milliseconds a browser may keep the registry, and the date that came with it. */
const KEPT = 60_000;

/** Fails where a content security policy forbids WebAssembly; the server then judges alone. */
export async function load(
  endpoint: string,
  key: string,
  siteId: string | undefined,
  learn: (date: string | null, sent: number, old: number) => void,
): Promise<Contract> {
  const sent = Date.now();
  const quiet = { credentials: "omit", referrerPolicy: "no-referrer" } as const;
  const registry = fetch(`${endpoint}/registry?apikey=${encodeURIComponent(key)}`, quiet)
    .then((response) => {
      learn(response.headers.get("date"), sent, KEPT);
      return response.ok ? response.json() : undefined;
    })
    .catch(() => undefined);
  const module = await fetch(new URL("./audience_gate_bg.wasm", import.meta.url), { referrerPolicy: "no-referrer" });
  initSync({ module: await WebAssembly.compile(await module.arrayBuffer()) });
  const snapshot = await registry;
  // Without it, the contract is judged all the same, except for what the site registered itself.
  if (snapshot) {
    // The list of sites is not public: the server decides whether ours may be written to.
    loadRegistry(JSON.stringify({ ...snapshot, sites: [{ id: siteId ?? snapshot.default_site, origins: null }] }));
  }
  return {
    check: (event, callerId, receivedAt) =>
      check(event, null, { caller: callerId ? "user" : "visitor", callerId, receivedAt }).violations,
    hashEmail,
    redact,
  };
}
