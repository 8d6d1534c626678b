// What each answer means for the events it was about. The whole matrix is here, and the tests walk it.

/**
 * - `settled`: the answer has a verdict for each event
 * - `split`: something in the batch is in the way; halve it, and give up on a single event
 * - `retry`: the same ids again, later
 * - `halt`: no retry can help (wrong key, wrong address); keep the events, tell the developer
 */
export type Outcome = "settled" | "split" | "retry" | "halt";

/** Status 0 means that there was no answer: offline, a broken connection, the time limit. */
export function outcomeOf(status: number): Outcome {
  if (status === 200 || status === 207 || status === 422) return "settled";
  if (status === 400 || status === 413) return "split";
  if (
    status === 0 || status === 408 || status === 425 || status === 429 ||
    status >= 500
  ) return "retry";
  return "halt";
}

const FIRST = 1000;
const LONGEST = 5 * 60_000;
/** After so many failures in a row, which take an hour and a half, one attempt an hour is enough. */
const MANY = 25;
const HOURLY = 3_600_000;

/** Milliseconds a server asks for: seconds or an HTTP date; undefined when it asks for nothing readable. */
export function retryAfter(
  header: string | null,
  now: number,
): number | undefined {
  if (!header) return;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  // At most a day, whatever a faulty header says.
  return wait >= 0 ? Math.min(wait, 86_400_000) : undefined;
}

/**
 * Doubles from one second to five minutes, and is an hour in the end; the upper half is random, so that clients do not
 * return in step.
 */
export function backOff(attempt: number, random: number): number {
  const ceiling = attempt < MANY ? Math.min(LONGEST, FIRST * 2 ** attempt) : HOURLY;
  return ceiling / 2 + (random * ceiling) / 2;
}
