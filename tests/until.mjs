import { setTimeout as pause } from "node:timers/promises";

/**
 * Waits until a condition answers `true`, and fails with its last answer if it never does. No test sleeps for a fixed
 * time: that is too short on a busy machine and too long on every other.
 *
 * @param {() => unknown} condition may be asynchronous; any answer but `true` is kept for the message
 * @param {string} what what is waited for, as a statement
 * @param {number} [seconds]
 */
export async function until(condition, what, seconds = 45) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const seen = await condition();
    if (seen === true) return;
    if (performance.now() > end) {
      throw new Error(`not within ${seconds} s: ${what} (last seen: ${JSON.stringify(seen)})`);
    }
    await pause(20);
  }
}
