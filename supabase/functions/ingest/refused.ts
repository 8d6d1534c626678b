/**
 * Counts of the requests that were refused whole, by minute, site and reason.
 *
 * A refused request costs the store nothing of its own: the isolate gathers for a moment and sends all counts together,
 * one call at a time. What an isolate has gathered is lost if it ends within that moment.
 */

import type { Log } from "./log.ts";
import type { Registry } from "./registry.ts";
import type { RefusalCode } from "./refusal.ts";
import type { Store } from "./store.ts";
import { StoreFailure } from "./store.ts";

/** So many requests of one minute, from pages of one site, were refused for one reason. */
export interface RefusedCount {
  readonly minute: string;
  /** Null: the default site. */
  readonly site_id: string | null;
  readonly reason: RefusalCode;
  readonly requests: number;
}

export interface RefusedDeps {
  readonly store: Pick<Store, "countRefused">;
  readonly clock: () => number;
  readonly log: Log;
  /** Waits while counts are gathered. */
  readonly pause: (ms: number) => Promise<void>;
  /** Keeps the isolate alive until the promise settles. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

const GATHER_MS = 1_000;
/** How many counts are kept while the store cannot be reached, which is hours of minutes. */
const MOST_COUNTS = 1_000;

export class RefusedRequests {
  readonly #deps: RefusedDeps;
  #counts = new Map<string, RefusedCount>();
  #sending = false;

  constructor(deps: RefusedDeps) {
    this.#deps = deps;
  }

  /** Counts one request. */
  note(reason: RefusalCode, origin: string | null, registry: Registry | null): void {
    const minute = new Date(Math.floor(this.#deps.clock() / 60_000) * 60_000).toISOString();
    this.#add({ minute, site_id: siteOf(origin, registry), reason, requests: 1 });
    if (this.#sending) return;
    this.#sending = true;
    this.#deps.waitUntil(
      this.#send().finally(() => {
        this.#sending = false;
      }),
    );
  }

  async #send(): Promise<void> {
    while (this.#counts.size > 0) {
      await this.#deps.pause(GATHER_MS);
      const counts = [...this.#counts.values()];
      this.#counts = new Map();
      try {
        await this.#deps.store.countRefused(counts);
      } catch (error) {
        // They are sent with the next refusal.
        counts.forEach((count) => this.#add(count));
        this.#deps.log({ event: "refused", failure: error instanceof StoreFailure ? error.message : "unknown" });
        return;
      }
    }
  }

  #add(count: RefusedCount): void {
    const key = `${count.minute} ${count.site_id} ${count.reason}`;
    const known = this.#counts.get(key);
    if (known === undefined && this.#counts.size >= MOST_COUNTS) return;
    this.#counts.set(key, { ...count, requests: count.requests + (known?.requests ?? 0) });
  }
}

/** The site whose origins list the page that asked. */
function siteOf(origin: string | null, registry: Registry | null): string | null {
  if (origin === null || registry === null) return null;
  return registry.sites.find(({ origins }) => origins?.includes(origin))?.id ?? null;
}
