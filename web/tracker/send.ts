// Brings the queue to the server: at least once from here, exactly once there, because ids are stable.
import type { Area } from "./area.ts";
import type { Queue } from "./queue.ts";
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
type Item = {
  key: string;
  id: string;
  bytes: number;
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
  user(): User | null;
  accepted(id: string, type: string, replayed: boolean): void;
  rejected(id: string, type: string, violations: readonly Violation[]): void;
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
  const { area, queue } = options;
  const pauseKey = `${options.prefix}pause`;
  let limit = MOST_EVENTS;
  let halted = false;
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

  const take = (most: number, bytes: number, user: User | null): Item[] => {
    const items: Item[] = [];
    for (const { key, id, bytes: size } of queue.list()) {
      if (flying.has(id)) continue;
      bytes -= size + 1;
      if (items.length === most || (bytes < 0 && items.length > 0)) break;
      const text = queue.text(key);
      if (text === undefined) continue;
      try {
        const { user_id, event_type } = JSON.parse(text);
        // Another person's events wait for that person, so that a shared device does not mix people up.
        if (!user_id || user_id === user?.id) {
          items.push({
            key,
            id,
            bytes: size,
            owner: user_id,
            type: event_type,
            text,
          });
        }
      } catch {
        if (queue.remove(key)) options.undeliverable(id);
      }
    }
    return items;
  };

  const post = async (
    items: Item[],
    user: User | null,
    last: boolean,
  ): Promise<Answer> => {
    const headers: Record<string, string> = {
      // As plain text a closing page's request needs no preflight.
      "content-type": last ? "text/plain" : "application/json",
      ...(!last && { apikey: options.key }),
      ...(user && { authorization: `Bearer ${user.token}` }),
    };
    try {
      const response = await fetch(
        last ? `${options.endpoint}?apikey=${encodeURIComponent(options.key)}` : options.endpoint,
        {
          method: "POST",
          headers,
          body: `[${items.map((item) => item.text).join()}]`,
          credentials: "omit",
          keepalive: last,
          signal: AbortSignal.timeout?.(TIME_LIMIT) ?? null,
        },
      );
      const { status } = response;
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
        !item || (result.id ?? item.id).toLowerCase() !== item.id.toLowerCase()
      ) continue;
      if (result.status !== "accepted" && result.status !== "rejected") {
        continue;
      }
      progress = true;
      if (!queue.remove(item.key)) continue;
      if (result.status === "accepted") {
        options.accepted(item.id, item.type, result.replayed === true);
      } else options.rejected(item.id, item.type, violationsOf(result));
    }
    return progress;
  };

  const drain = async () => {
    while (!halted) {
      const rest = pause().until - Date.now();
      if (rest > 0) return schedule(rest);
      const user = options.user();
      const items = take(limit, BATCH_BYTES, user);
      if (items.length === 0) return;
      if (!navigator.onLine) return schedule(30_000);
      const answer = await post(items, user, false);
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
        halted = true;
        options.failed(
          answer.status,
          "check the endpoint and the key; events stay queued",
        );
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

  return {
    flush,
    schedule,
    hide() {
      const { told, until } = pause();
      if (halted || (told && until > Date.now())) return;
      const user = options.user();
      let room = KEEPALIVE_BYTES;
      for (const bytes of flying.values()) room -= bytes;
      const items = room > 0 ? take(Infinity, room, user) : [];
      if (items.length === 0) return;
      if (!("keepalive" in Request.prototype)) {
        const plain = items.filter((item) => !item.owner).map((item) => item.text);
        if (plain.length > 0) {
          navigator.sendBeacon(
            `${options.endpoint}?apikey=${encodeURIComponent(options.key)}`,
            `[${plain.join()}]`,
          );
        }
        return;
      }
      for (const item of items) flying.set(item.id, item.bytes);
      void post(items, user, true).then((answer) => {
        for (const item of items) flying.delete(item.id);
        // Events without a verdict are still queued, and go again with the same ids.
        const outcome = outcomeOf(answer.status);
        if (outcome === "settled") settle(items, answer.results ?? []);
        else if (outcome === "retry") wait(answer.wait);
        else schedule(1000);
      });
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
  const first = { rule_id, reason };
  const others = violations.map((
    violation,
  ) => (typeof violation === "string" ? { rule_id: violation, reason: "" } : (violation as Violation)));
  return [
    first,
    ...others.filter((violation) => violation.rule_id !== rule_id),
  ];
}
