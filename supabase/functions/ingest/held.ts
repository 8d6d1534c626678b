/**
 * Senders who were told to wait. One who comes again too early, with no less than before, is told so again before anything
 * is judged, because judging and asking the database are what a request costs.
 */

/** How many senders are remembered; the one that was told first is forgotten first. */
const MOST_SENDERS = 10_000;
/** After this long the database is asked again, because its owner may have raised the limit. */
const MOST_MS = 60_000;

/**
 * One session or site over its limit says nothing about the others at its address, unless they send as much at once, which
 * no page does.
 */
const OWN_SCOPES = new Set(["address", "caller"]);
const MUCH_BYTES = 65_536;

interface Hold {
  readonly since: number;
  readonly until: number;
  /** A smaller body may have fewer events, which may be within the limit. */
  readonly bytes: number;
}

export class HeldBack {
  readonly #holds = new Map<string, Hold>();

  /** The sender was told at `now` to wait so many seconds with a body of so many bytes, because of a limit of that scope. */
  hold(sender: string, scope: string | undefined, bytes: number, seconds: number, now: number): void {
    if (!OWN_SCOPES.has(scope ?? "") && bytes <= MUCH_BYTES) return;
    this.#holds.delete(sender);
    this.#holds.set(sender, { since: now, until: now + seconds * 1000, bytes });
    const [first] = this.#holds.keys();
    if (this.#holds.size > MOST_SENDERS && first !== undefined) this.#holds.delete(first);
  }

  /** How many seconds the sender still has to wait with such a body, or null if the database is to be asked. */
  secondsFor(sender: string, bytes: number, now: number): number | null {
    const hold = this.#holds.get(sender);
    if (hold === undefined) return null;
    // A clock that was set back must not keep anybody out for longer.
    const isOver = now < hold.since || now >= Math.min(hold.until, hold.since + MOST_MS);
    if (isOver) this.#holds.delete(sender);
    return isOver || bytes < hold.bytes ? null : (hold.until - now) / 1000;
  }
}
