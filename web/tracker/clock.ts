// The time by the server's clock: how wrong the device's is, is learned from the answers and kept for the next page.
import type { Area } from "./area.ts";

export type Clock = {
  now(): number;
  /** `sent` is when the question was asked, by the device's clock; `old`, how old the answer may be at most. */
  learn(date: string | null, sent: number, old?: number): void;
};

// The header has whole seconds, and an answer may be on its way for as long as a request may take. Less is no error.
const GRAIN = 20_000;

export function createClock(area: Area, key: string): Clock {
  return {
    now: () => Date.now() + (Number(area.get(key)) || 0),
    learn(date, sent, old = 0) {
      const error = Date.parse(date ?? "") - (sent + Date.now()) / 2;
      if (Math.abs(error) > GRAIN + old) area.set(key, String(Math.round(error)));
      else if (Math.abs(error) <= GRAIN) area.remove(key);
    },
  };
}
