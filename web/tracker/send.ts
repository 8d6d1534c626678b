// Brings the queue to the server: at least once from here, exactly once there, because ids are stable.
import type { Area } from "./area.ts";
import type { Clock } from "./clock.ts";
import { isReport, type Queue } from "./queue.ts";
import { backOff, outcomeOf, retryAfter } from "./retry.ts";
import type { User, Violation } from "./types.ts";

type Result = {
  index: number;
  id?: string;
  status: string;
  replayed?: boolean;
  rule_id?: string;
  reason?: string;
  violations?: unknown[];
};
type Answer = { status: number; results?: Result[]; wait?: number | undefined };
/** What is sent: an event, or a report about one. */
export type Item = {
  key: string;
  id: string;
  bytes: number;
  /** When it was queued, by the device's clock; undefined if the page said when it happened. */
  at: number | undefined;
  owner: unknown;
  type: string;
  text: string;
};

export type SenderOptions = {
  endpoint: string;
  key: string;
  area: Area;
  /** Prefix of our storage keys; also the name of the lock. */
  prefix: string;
  queue: Queue;
  clock: Clock;
  user(): User | null;
  accepted(id: string, type: string, replayed: boolean): void;
  rejected(item: Item, violations: readonly Violation[]): void;
  reported(): void;
  undeliverable(id: string): void;
  failed(status: number, message: string): void;
};

export type Sender = {
  flush(): Promise<void>;
  schedule(ms: number): void;
  /** The page may never run again: sends what fits, without waiting. */
  hide(): void;
  online(): void;
};

const MOST_EVENTS = 50;
const BATCH_BYTES = 256 * 1024;
// Browsers allow 64 KiB of keepalive bodies at a time, for all scripts of a page together.
const KEEPALIVE_BYTES = 60 * 1024;
const TIME_LIMIT = 15_000;

export function createSender(options: SenderOptions): Sender {
  const { area, queue, clock } = options;
  const pauseKey = `${options.prefix}pause`;
  let limit = MOST_EVENTS;
  /** Where nothing more is sent from this page: events, reports. */
  const halted = [false, false];
  let running: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let due = 0;
  /** The ids in keepalive requests that are under way, with their bytes. */
  const flying = new Map<string, number>();

  /** The pause is kept in storage, because what the server told one tab holds for all. */
  const pause = (): { until: number; attempt: number; told: boolean } => {
    try {
      const kept = JSON.parse(area.get(pauseKey) ?? "");
      // A clock that was set back must not silence the tracker for longer than any pause lasts.
      if (kept.until < Date.now() + 86_400_000) return kept;
    } catch {
      // no pause is on record
    }
    return { until: 0, attempt: 0, told: false };
  };

  const wait = (asked: number | undefined) => {
    const attempt = pause().attempt + 1;
    const ms = Math.max(asked ?? 0, backOff(attempt - 1, Math.random()));
    area.set(
      pauseKey,
      JSON.stringify({
        until: Date.now() + ms,
        attempt,
        told: asked !== undefined,
      }),
    );
    schedule(ms);
  };

  const schedule = (ms: number) => {
    const at = Date.now() + ms;
    if (timer !== undefined && due <= at) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => {
      timer = undefined;
      void flush();
    }, ms);
  };

  const take = (reports: boolean, most: number, bytes: number, user: User | null): Item[] => {
    const items: Item[] = [];
    if (halted[Number(reports)]) return items;
    for (const { key, id, bytes: size, at } of queue.list()) {
      if (isReport(id) !== reports || flying.has(id)) continue;
      bytes -= size + 1;
      if (items.length === most || (bytes < 0 && items.length > 0)) break;
      const text = queue.text(key);
      if (text === undefined) continue;
      try {
        const read = JSON.parse(text);
        const { user_id, event_type } = reports ? read.event : read;
        // Another person's events wait for that person, so that a shared device does not mix people up. What no person is
        // called is not waited for: who sent it is to be told.
        if (user_id === user?.id || !/^[\da-f-]{36}$/i.test(user_id)) {
          items.push({ key, id, bytes: size, at, owner: user_id, type: event_type, text });
        }
      } catch {
        if (queue.remove(key)) options.undeliverable(id);
      }
    }
    return items;
  };

  const address = (reports: boolean, last: boolean) =>
    `${options.endpoint}${reports ? "/reports" : ""}${last ? `?apikey=${encodeURIComponent(options.key)}` : ""}`;

  const post = async (
    items: Item[],
    user: User | null,
    reports: boolean,
    last: boolean,
  ): Promise<Answer> => {
    const sent = Date.now();
    const headers: Record<string, string> = {
      // As plain text a closing page's request needs no preflight.
      "content-type": last ? "text/plain" : "application/json",
      ...(!last && { apikey: options.key }),
      ...(user && { authorization: `Bearer ${user.token}` }),
    };
    try {
      const response = await fetch(address(reports, last), {
        method: "POST",
        headers,
        body: `[${items.map((item) => item.text).join()}]`,
        credentials: "omit",
        // An address may tell who is reading, and the event says what of it may be known.
        referrerPolicy: "no-referrer",
        keepalive: last,
        signal: AbortSignal.timeout?.(TIME_LIMIT) ?? null,
      });
      const { status } = response;
      clock.learn(response.headers.get("date"), sent);
      const asked = retryAfter(response.headers.get("retry-after"), Date.now());
      if (outcomeOf(status) !== "settled") return { status, wait: asked };
      const { results } = await response.json();
      // A captive portal answers 200 as well: without verdicts there was no answer.
      return Array.isArray(results) ? { status, results } : { status: 0 };
    } catch {
      return { status: 0 };
    }
  };

  /** True if at least one event was settled. */
  const settle = (items: Item[], results: Result[]): boolean => {
    let progress = false;
    for (const result of results) {
      const item = items[result.index];
      if (
        !item || !isReport(item.id) && (result.id ?? item.id).toLowerCase() !== item.id.toLowerCase()
      ) continue;
      if (!["accepted", "rejected", "reported"].includes(result.status)) continue;
      progress = true;
      if (!queue.remove(item.key)) continue;
      if (isReport(item.id)) result.status === "reported" ? options.reported() : options.undeliverable(item.id);
      else if (result.status === "accepted") options.accepted(item.id, item.type, result.replayed === true);
      else options.rejected(item, violationsOf(result));
    }
    return progress;
  };

  const drain = async () => {
    for (;;) {
      const rest = pause().until - Date.now();
      if (rest > 0) return schedule(rest);
      const user = options.user();
      // Reports come after the events.
      let reports = false;
      let items = take(reports, limit, BATCH_BYTES, user);
      if (items.length === 0) items = take(reports = true, limit, KEEPALIVE_BYTES, user);
      if (items.length === 0) return;
      if (!navigator.onLine) return schedule(30_000);
      const answer = await post(items, user, reports, false);
      const outcome = outcomeOf(answer.status);
      if (outcome === "settled" && settle(items, answer.results ?? [])) {
        area.remove(pauseKey);
        limit = Math.min(limit * 2, MOST_EVENTS);
      } else if (outcome === "split") {
        limit = Math.ceil(items.length / 2);
        const [only] = items;
        if (items.length === 1 && only && queue.remove(only.key)) {
          options.undeliverable(only.id);
          options.failed(answer.status, "the event can never be delivered");
        }
      } else if (outcome === "halt" && !(answer.status === 401 && user)) {
        halted[Number(reports)] = true;
        options.failed(
          answer.status,
          reports ? "this function takes no reports" : "check the endpoint and the key; events stay queued",
        );
        if (!reports) return;
      } else {
        // A user's token may just have expired: the next attempt asks for a new one.
        return wait(answer.wait);
      }
    }
  };

  const flush = (): Promise<void> => {
    const exclusive = async () => {
      try {
        // One tab sends for all; the lock of a killed tab is released by the browser.
        await navigator.locks.request(
          options.prefix,
          { ifAvailable: true },
          (lock) => (lock ? drain() : schedule(1000)),
        );
      } catch {
        // No locks here: two tabs may send the same ids, and the server answers the second `replayed`.
        await drain();
      }
    };
    running ??= exclusive().finally(() => {
      running = undefined;
    });
    return running;
  };

  const part = (reports: boolean) => {
    const user = options.user();
    let room = KEEPALIVE_BYTES;
    for (const bytes of flying.values()) room -= bytes;
    const items = room > 0 ? take(reports, reports ? MOST_EVENTS : Infinity, room, user) : [];
    if (items.length === 0) return;
    if (!("keepalive" in Request.prototype)) {
      const plain = items.filter((item) => !item.owner).map((item) => item.text);
      if (plain.length > 0) navigator.sendBeacon(address(reports, true), `[${plain.join()}]`);
      return;
    }
    for (const item of items) flying.set(item.id, item.bytes);
    void post(items, user, reports, true).then((answer) => {
      for (const item of items) flying.delete(item.id);
      // Events without a verdict are still queued, and go again with the same ids.
      const outcome = outcomeOf(answer.status);
      if (outcome === "settled") settle(items, answer.results ?? []);
      else if (outcome === "retry") wait(answer.wait);
      else if (!halted[Number(reports)]) schedule(1000);
    });
  };

  return {
    flush,
    schedule,
    hide() {
      const { told, until } = pause();
      if (halted[0] || (told && until > Date.now())) return;
      part(false);
      part(true);
    },
    online() {
      // Our own back-off ends with the outage; what the server asked for does not.
      if (!pause().told) area.remove(pauseKey);
      schedule(0);
    },
  };
}

function violationsOf(
  { rule_id = "unknown", reason = "", violations = [] }: Result,
): readonly Violation[] {
  // A function of before 0.2.0 names the rules alone.
  const all = violations.map((one) => (typeof one === "string" ? { rule_id: one } : (one as { rule_id: string })));
  if (!all.some((one) => one.rule_id === rule_id)) all.unshift({ rule_id });
  // The reason of the first is told.
  return all.map((one) => ({ ...one, reason: one.rule_id === rule_id ? reason : "" }));
}
