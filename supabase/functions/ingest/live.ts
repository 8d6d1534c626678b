/** The dependencies of the running function. */

import type { Gate } from "./gate.ts";
import type { Deps } from "./ingest.ts";
import { REQUEST_BYTES, REQUEST_EVENTS } from "./limits.ts";
import { consoleLog } from "./log.ts";
import type { Settings } from "./settings.ts";
import { createSign } from "./sign.ts";
import { createStore } from "./store.ts";
import { createVerifyUser } from "./users.ts";
import { createTell, LOOPBACK } from "./webhook.ts";

/** Set by the hosted runtime only. */
declare const EdgeRuntime:
  | { waitUntil(work: Promise<unknown>): void }
  | undefined;

export function liveDeps(gate: Gate, settings: Settings): Deps {
  const { supabaseUrl: url, serviceKey: key, storeTimeoutMs: timeoutMs, jwks } = settings;
  const { signingKey } = settings;
  const clock = Date.now;
  const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));
  const sign = signingKey === null ? null : createSign({ key: signingKey, clock, randomBytes });
  return {
    gate,
    store: createStore({ url, key, timeoutMs, sign }),
    verifyUser: createVerifyUser({ url, key, jwks, timeoutMs, clock }),
    tell: createTell({
      secret: settings.alertSecret,
      local: LOOPBACK.includes(new URL(url).hostname),
      timeoutMs: 5000,
      clock,
    }),
    keys: settings.keys,
    serviceKey: key,
    emailPepper: settings.emailPepper,
    addressHeader: settings.addressHeader,
    limits: { bytes: REQUEST_BYTES, events: REQUEST_EVENTS, ms: 10_000 },
    clock,
    newId: () => crypto.randomUUID(),
    randomBytes,
    log: consoleLog,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    waitUntil: (work) => {
      if (typeof EdgeRuntime !== "undefined") EdgeRuntime.waitUntil(work);
    },
  };
}
