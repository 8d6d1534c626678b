// The queue of unsent events. Each event has a storage key of its own, so that tabs append and remove without a lock
// and a killed tab leaves nothing half-written. The key carries time, size and id: sizes need no reads.
import type { Area } from "./area.ts";

/** `at` is when it was queued, by the device's clock; undefined if the page said itself when it happened. */
export type Entry = { key: string; id: string; bytes: number; at: number | undefined; text: string };

/** The id in the queue of a report about an event that was not sent. */
export const REPORT = "report.";

export type Queue = {
  /** `at`: when it was queued first, if it is there again in another form; undefined: somebody else says when it was. */
  put(id: string, text: string, at: number | undefined): void;
  list(): Omit<Entry, "text">[];
  text(key: string): string | undefined;
  /** False when another tab, or an earlier answer, had already settled the event. */
  remove(key: string): boolean;
  clear(): void;
};

/** Marks the key of an event whose time is not the tracker's. */
const FOREIGN = "f";

export const isReport = (id: string): boolean => id.startsWith(REPORT);

const encoder = new TextEncoder();
let count = 0;

export function createQueue(
  area: Area,
  prefix: string,
  maxBytes: number,
  onFull: (id: string) => void,
): Queue {
  const queue: Queue = {
    put(id, text, at) {
      const bytes = encoder.encode(text).length;
      const queued = queue.list();
      // An id that is queued already is the same event, and keeps its place.
      if (queued.some((entry) => entry.id === id)) return;
      let total = queued.reduce((sum, entry) => sum + entry.bytes, bytes);
      // Reports go before events do.
      for (const oldest of queued.sort((a, b) => Number(isReport(b.id)) - Number(isReport(a.id)))) {
        if (total <= maxBytes) break;
        total -= oldest.bytes;
        if (queue.remove(oldest.key)) onFull(oldest.id);
      }
      if (total > maxBytes) return onFull(id);
      const order = (count++ % 46656).toString(36).padStart(3, "0");
      area.set(
        `${prefix}${(at ?? Date.now()).toString(36)}${order}.${bytes}${at === undefined ? FOREIGN : ""}.${id}`,
        text,
      );
    },
    list: () =>
      area.keys(prefix).map((key) => {
        const [time = "", bytes = "", ...id] = key.slice(prefix.length).split(".");
        const at = bytes.endsWith(FOREIGN) ? undefined : Number.parseInt(time.slice(0, -3), 36);
        return { key, id: id.join("."), bytes: Number.parseInt(bytes), at };
      }),
    text: area.get,
    remove(key) {
      const present = area.get(key) !== undefined;
      area.remove(key);
      return present;
    },
    clear() {
      for (const entry of queue.list()) {
        if (queue.remove(entry.key)) onFull(entry.id);
      }
    },
  };
  return queue;
}
