import { MISTAKES } from "./mistakes.mjs";
import { uuidOf } from "./random.mjs";

/** @typedef {import("./random.mjs").Random} Random */

export const DAY = 24 * 60 * 60 * 1000;

/** How busy each day of the week is, from Sunday on. */
export const WEEK = [0.6, 1.1, 1.2, 1.15, 1.05, 0.9, 0.55];

/** One in twenty-five events has a mistake. */
const MISTAKEN = 0.04;

/** Turns what people do on one day into events with ids, sessions and times. */
export class Writer {
  /** @type {(Record<string, unknown> & { occurred_at: string })[]} */
  events = [];
  #random;
  #start;
  #end;
  #day;
  #mistaken;

  constructor(
    /** @type {Random} */ random,
    /** @type {number} */ start,
    /** @type {number} */ end,
    /** @type {number} */ day,
    mistaken = MISTAKEN,
  ) {
    this.#random = random;
    this.#start = start;
    this.#end = end;
    this.#day = day;
    this.#mistaken = mistaken;
  }

  /**
   * @param {{ name: string, userId: string | null, source: string }} who
   * @param {import("./people.mjs").Draft[]} drafts
   */
  session(who, drafts) {
    const length = drafts.length * 60_000;
    let time = this.#start + this.#random.next() * Math.max(this.#end - this.#start - length, 1);
    const session_id = `demo-${this.#day}-${who.name}`;
    for (const draft of drafts) {
      this.#write({ user_id: who.userId, ...draft, session_id, event_source: who.source }, time);
      if (this.#random.chance(this.#mistaken)) {
        this.#write({ ...this.#mistake(), user_id: who.userId, session_id, event_source: who.source }, time + 4000);
      }
      time += 5000 + this.#random.next() * 50_000;
    }
  }

  system(/** @type {string} */ event_type, /** @type {Record<string, unknown>} */ metadata) {
    this.#write({
      event_type,
      event_category: "system",
      event_source: "backend",
      session_id: `demo-${this.#day}-backend`,
      metadata: { validation_rule_id: "none", validation_result: "accepted", source_system: "backend", ...metadata },
    }, this.#start + this.#random.next() * Math.max(this.#end - this.#start, 1));
  }

  #write(/** @type {Record<string, unknown>} */ event, /** @type {number} */ time) {
    if (time >= this.#end) return;
    this.events.push({
      id: uuidOf(`${new Date(this.#start).toISOString()} ${event.session_id} ${this.events.length}`),
      ...event,
      occurred_at: new Date(time).toISOString(),
    });
  }

  #mistake() {
    const total = MISTAKES.reduce((sum, { weight }) => sum + weight, 0);
    let at = this.#random.next() * total;
    return (MISTAKES.find(({ weight }) => (at -= weight) < 0) ?? MISTAKES[0]).draft;
  }
}
