/**
 * Sends a back end's events to the function `ingest`: each is on the disk before `track` returns, goes out with the same
 * id as often as it takes, and leaves the queue with a verdict.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { backOff, outcomeOf } from "../../web/tracker/retry.ts";
import { Refused } from "./errors.ts";
import { complete } from "./event.ts";
import { Queue } from "./queue.ts";
import { post, type Result, target } from "./request.ts";
import type { EventInput, Options, Report, Verdict } from "./types.ts";

export { AudienceGateError, BadEvent, Misconfigured, QueueFull, Refused } from "./errors.ts";
export { hashEmail } from "./event.ts";
export type { EventInput, Options, Report, Verdict, Violation } from "./types.ts";

/** The function's own limit, and less than its limit of bytes. */
const MOST_EVENTS = 1000;
const MOST_BYTES = 1_000_000;

type Item = { id: string; text: string };
type Counts = Pick<Report, "accepted" | "replayed" | "rejected" | "undeliverable">;

export class AudienceGate {
  readonly #queue: Queue;
  readonly #url: string | undefined;
  readonly #onVerdict: NonNullable<Options["onVerdict"]>;
  #limit = MOST_EVENTS;
  #running: Promise<Report> | undefined;

  constructor({ queue, url, maxEvents = 10_000, onVerdict = tellLosses }: Options) {
    this.#queue = new Queue(queue, maxEvents);
    this.#url = url;
    this.#onVerdict = onVerdict;
  }

  /** Queues an event, and returns its id as soon as it is on the disk. */
  async track(event: EventInput): Promise<string> {
    const { id, text } = complete(event);
    await this.#queue.put(id, text);
    return id;
  }

  /**
   * Sends what is queued, and goes on for as long as this many seconds allow; with 0 it does not wait, and ends with the
   * first request that the function takes. What is then left stays queued. A second call joins the one that runs.
   */
  flush(seconds = 30): Promise<Report> {
    this.#running ??= this.#drain(Date.now() + seconds * 1000).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #drain(end: number): Promise<Report> {
    const to = target(this.#url);
    const counts: Counts = { accepted: 0, replayed: 0, rejected: 0, undeliverable: 0 };
    await this.#queue.tidy();
    let split = false;
    do {
      const rest = (await this.#queue.pause()).until - Date.now();
      if (rest > 0 && Date.now() + rest > end) break;
      if (rest > 0) await sleep(rest);
      const items = await this.#take(counts);
      if (items.length === 0) break;
      split = await this.#send(to, items, counts);
    } while (split || Date.now() < end);
    const queued = (await this.#queue.ids()).length;
    const wait = queued > 0 ? Math.max(0, (await this.#queue.pause()).until - Date.now()) / 1000 : 0;
    return { ...counts, queued, wait };
  }

  /** As many of the oldest events as one request may hold. */
  async #take(counts: Counts): Promise<Item[]> {
    const items: Item[] = [];
    let bytes = 0;
    for (const id of await this.#queue.ids()) {
      if (items.length === this.#limit) break;
      const text = await this.#queue.text(id);
      if (text === undefined) continue;
      if (!isObject(text)) {
        await this.#settle(id, { index: 0, status: "undeliverable", reason: "its file is damaged" }, counts);
        continue;
      }
      bytes += Buffer.byteLength(text) + 1;
      if (bytes > MOST_BYTES) break;
      items.push({ id, text });
    }
    return items;
  }

  /** True if the next request is to be smaller, and due at once. */
  async #send(to: { url: string; key: string }, items: Item[], counts: Counts): Promise<boolean> {
    const { status, results = [], error, wait } = await post(to, items.map(({ text }) => text));
    const outcome = outcomeOf(status);
    if (outcome === "halt") {
      const said = error?.message ? `${error.message}; ${error.hint ?? ""}` : "check the address";
      throw new Refused(status, error?.code ?? "", `the function answered ${status}: ${said}`);
    }
    if (outcome === "split") {
      this.#limit = Math.ceil(items.length / 2);
      const [only] = items;
      if (only && items.length === 1) {
        const reason = results[0]?.reason ?? error?.message ?? `the function answered ${status} to it alone`;
        await this.#settle(only.id, { index: 0, status: "undeliverable", reason }, counts);
      }
      return true;
    }
    let settled = 0;
    for (const result of outcome === "settled" ? results : []) {
      const item = items[result.index];
      if (!item || (result.status !== "accepted" && result.status !== "rejected")) continue;
      await this.#settle(item.id, result, counts);
      settled += 1;
    }
    if (settled > 0) {
      this.#limit = Math.min(this.#limit * 2, MOST_EVENTS);
      await this.#queue.setPause(undefined);
      return false;
    }
    const { attempt } = await this.#queue.pause();
    const until = Date.now() + Math.max(wait ?? 0, backOff(attempt, Math.random()));
    await this.#queue.setPause({ until, attempt: attempt + 1 });
    return false;
  }

  /** Tells the verdict first: an event that leaves the queue without one would be lost in silence. */
  async #settle(id: string, result: Result, counts: Counts): Promise<void> {
    const { rule_id = null, reason = "", violations = [], replayed = false } = result;
    const status = result.status as Verdict["status"];
    await this.#onVerdict({ id, status, replayed, rule_id, reason, violations });
    counts[replayed ? "replayed" : status] += 1;
    await this.#queue.remove(id);
  }
}

function isObject(text: string): boolean {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function tellLosses({ id, status, rule_id, reason }: Verdict): void {
  if (status !== "accepted") console.error(`audience-gate: ${id} was ${status}: ${rule_id ?? ""} ${reason}`);
}
