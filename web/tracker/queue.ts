// The queue of unsent events. Each event has a storage key of its own, so that tabs append and remove without a lock
// and a killed tab leaves nothing half-written. The key carries time, size and id: sizes need no reads.
import type { Area } from "./area.ts";

export type Entry = { key: string; id: string; bytes: number; text: string };

export type Queue = {
  put(id: string, text: string): void;
  list(): Omit<Entry, "text">[];
  text(key: string): string | undefined;
  /** False when another tab, or an earlier answer, had already settled the event. */
  remove(key: string): boolean;
  clear(): void;
};

const encoder = new TextEncoder();
let count = 0;

export function createQueue(
  area: Area,
  prefix: string,
  maxBytes: number,
  onFull: (id: string) => void,
): Queue {
  const queue: Queue = {
    put(id, text) {
      const bytes = encoder.encode(text).length;
      const queued = queue.list();
      // An id that is queued already is the same event, and keeps its place.
      if (queued.some((entry) => entry.id === id)) return;
      let total = queued.reduce((sum, entry) => sum + entry.bytes, bytes);
      for (const oldest of queued) {
        if (total <= maxBytes) break;
        total -= oldest.bytes;
        if (queue.remove(oldest.key)) onFull(oldest.id);
      }
      if (total > maxBytes) return onFull(id);
      const order = (count++ % 46656).toString(36).padStart(3, "0");
      area.set(
        `${prefix}${Date.now().toString(36)}${order}.${bytes}.${id}`,
        text,
      );
    },
    list: () =>
      area.keys(prefix).map((key) => {
        const [, bytes, ...id] = key.slice(prefix.length).split(".");
        return { key, id: id.join("."), bytes: Number(bytes) };
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
