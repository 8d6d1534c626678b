import { setTimeout as sleep } from "node:timers/promises";
import { performance } from "node:perf_hooks";
import pg from "pg";
import { event as eventOf, ingest } from "../tests/database/events.mjs";
import { newId } from "./ids.mjs";

/** Codes of failures such as a lock timeout or a deadlock: nothing was recorded, so the same batch is sent again. */
const AGAIN = new Set(["55P03", "40P01", "40001", "57014"]);
export const BATCH = 100;

const event = (/** @type {Record<string, unknown>} */ members) => eventOf({ id: newId(), ...members });

/**
 * Sends batches at a rate until stopped, like a function that serves visitors: new events, two retries of recorded
 * events, two double fires of events of the batch before, and one event that its own engine rejected.
 *
 * @param {string} url @param {number} rate events a second
 */
export async function startSender(url, rate) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("set role service_role");
  const tally = { sent: 0, accepted: 0, replayed: 0, rejected: 0, retries: 0, seconds: 0 };
  /** @type {{ phase: string, ms: number }[]} */
  const batches = [];
  let phase = "";
  let going = true;
  /** @type {Record<string, unknown>[]} */
  let earlier = [];

  const compose = () => {
    const session = (/** @type {number} */ i) => ({ session_id: `sent-session-${tally.sent + i}` });
    const fresh = Array.from({ length: BATCH - 1 - (earlier.length > 0 ? 4 : 0) }, (_, i) => event(session(i)));
    const doubles = earlier.slice(2, 4).map(({ session_id }) => event({ session_id }));
    const rejected = [{
      id: newId(),
      ...session(BATCH),
      event_source: "edge-function",
      metadata: { validation_rule_id: "base.utm" },
    }];
    const accepted = [...fresh, ...earlier.slice(0, 2), ...doubles];
    earlier = fresh;
    return { accepted, rejected };
  };

  const run = async () => {
    const begun = performance.now();
    for (let turn = 0; going; turn++) {
      const due = begun + turn * BATCH / rate * 1000;
      await sleep(Math.max(0, due - performance.now()));
      const during = phase;
      const { accepted, rejected } = compose();
      const start = performance.now();
      const answer = await insist(accepted, rejected);
      batches.push({ phase: during, ms: performance.now() - start });
      tally.sent += accepted.length + rejected.length;
      tally.accepted += answer.accepted;
      tally.replayed += answer.replayed.length;
      tally.rejected += answer.rejected.length + rejected.length;
      tally.seconds = (performance.now() - begun) / 1000;
    }
  };
  /** @param {Record<string, unknown>[]} accepted @param {Record<string, unknown>[]} rejected */
  const insist = async (accepted, rejected) => {
    for (;;) {
      try {
        return await ingest(client, accepted, { rejected });
      } catch (error) {
        if (!AGAIN.has(/** @type {{ code?: string }} */ (error).code ?? "")) throw error;
        tally.retries++;
      }
    }
  };

  const done = run();
  done.catch(() => going = false);
  return {
    tally,
    batches,
    /** Sets the phase that batches count towards from now on. @param {string} name */
    during: (name) => phase = name,
    stop: async () => {
      going = false;
      await done.finally(() => client.end());
    },
  };
}
