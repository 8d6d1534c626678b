/**
 * The time that each sender has taken to be judged. Reading a body whole holds up everybody else in this process, and the
 * database's limits count events, not how hard a text is to read: so the time itself is paid off, at a rate.
 */

/** How many senders are remembered; the one that was judged longest ago is forgotten first. */
const MOST_SENDERS = 10_000;
/** One sender may take a fiftieth of the time… */
const PAID_OFF = 50;
/** … and so much of it at once: a little more than an ordinary body of the greatest size takes. */
const AT_ONCE_MS = 100;
/** A body as small as this takes a few milliseconds at worst, and comes from a page. */
const LITTLE_BYTES = 10_000;
/** A clock that jumped during a judgement keeps nobody out for longer. */
const MOST_MS = 60_000;

export class PaidTime {
  /** When all that a sender took is paid off. */
  readonly #paidAt = new Map<string, number>();

  /** Notes how many milliseconds it took to judge a body of this sender, which ended at `now`. */
  took(sender: string, ms: number, now: number): void {
    const paidAt = Math.max(now, this.#paidAt.get(sender) ?? 0) + Math.max(0, ms) * PAID_OFF;
    this.#paidAt.delete(sender);
    if (paidAt > now) this.#paidAt.set(sender, Math.min(paidAt, now + MOST_MS));
    const [first] = this.#paidAt.keys();
    if (this.#paidAt.size > MOST_SENDERS && first !== undefined) this.#paidAt.delete(first);
  }

  /** How many seconds the sender still has to wait with a body of so many bytes, or null if it may be judged. */
  secondsFor(sender: string, bytes: number, now: number): number | null {
    const paidAt = Math.min(this.#paidAt.get(sender) ?? 0, now + MOST_MS);
    const left = paidAt - AT_ONCE_MS * PAID_OFF - now;
    return left > 0 && bytes > LITTLE_BYTES ? left / 1000 : null;
  }
}
