/**
 * The isolate's copy of the registry.
 *
 * No request waits for it: without a copy the gate judges what needs none and the database judges the rest.
 */

import type { Gate } from "./gate.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store.ts";
import { StoreFailure } from "./store.ts";

export interface Site {
  readonly id: string;
  /** Null: every origin. */
  readonly origins: readonly string[] | null;
}

export interface OwnRule {
  readonly id?: string;
  /** By language. */
  readonly reasons?: Readonly<Record<string, string>>;
  readonly mode: string;
  /** Null: every site. */
  readonly site_id: string | null;
}

export interface Registry {
  readonly version: string;
  readonly default_site: string;
  readonly own_rules?: readonly OwnRule[];
  readonly sites: readonly Site[];
}

export interface RegistryDeps {
  readonly store: Pick<Store, "registry">;
  readonly gate: Pick<Gate, "loadRegistry">;
  readonly clock: () => number;
  readonly log: Log;
  /** Keeps the isolate alive until the promise settles. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

// `soon` is for after a rejection: the registry may by now have what an old copy rejects.
const FRESH_MS = { "in time": 60_000, soon: 5_000 };

export class RegistryCopy {
  readonly #deps: RegistryDeps;
  #registry: Registry | null = null;
  #text = "";
  #isFit = true;
  #askedAt = -Infinity;
  #asking: Promise<void> | null = null;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
  }

  /** The newest copy at hand, however old. */
  get current(): Registry | null {
    return this.#registry;
  }

  /** Whether the gate judges by all of it. */
  get isFit(): boolean {
    return this.#isFit;
  }

  /** The same, after a `load` has succeeded. */
  get loaded(): Registry {
    if (this.#registry === null) throw new StoreFailure("no registry");
    return this.#registry;
  }

  /** Asks for a newer copy in the background if this one is old; with `soon`, if it is not brand new. */
  refresh(need: "in time" | "soon" = "in time"): void {
    const age = this.#deps.clock() - this.#askedAt;
    if (this.#asking !== null || age < FRESH_MS[need]) return;
    const failed = (error: unknown) => this.#deps.log({ event: "registry", failure: failureOf(error) });
    this.#deps.waitUntil(this.load().catch(failed));
  }

  /** Asks now; requests that come meanwhile share the question. */
  load(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask(): Promise<void> {
    // Set before the answer, so that a store that is down is asked no more often than one that is up.
    this.#askedAt = this.#deps.clock();
    const text = await this.#deps.store.registry();
    if (text === this.#text) return;
    const registry = registryOf(text);
    const faults = this.#deps.gate.loadRegistry(text);
    // The gate says of every batch that it did not judge by the whole registry, so that the database judges it again.
    if (faults !== undefined) this.#deps.log({ event: "registry", failure: faults });
    this.#registry = registry;
    this.#text = text;
    this.#isFit = faults === undefined;
  }
}

function registryOf(text: string): Registry {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new StoreFailure("the answer is not JSON");
  }
  if (isRegistry(value)) return value;
  throw new StoreFailure("the answer is not a registry");
}

function isRegistry(value: unknown): value is Registry {
  return typeof value === "object" && value !== null && "version" in value &&
    "sites" in value &&
    Array.isArray(value.sites);
}

function failureOf(error: unknown): string {
  return error instanceof StoreFailure ? error.message : "the gate cannot read this registry";
}
