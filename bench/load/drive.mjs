/**
 * The real function and a real Postgres under mixed load on this machine, with faults on the way. What PostgREST does is
 * done by a thin gateway in the process of the senders, so their cost is in the figures too.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { asClient, signingKeys, startPostgres } from "../../tests/database/postgres.mjs";
import { startRpcGateway } from "../../tests/function/rpc-gateway.mjs";
import { serveFunction } from "../../tests/function/serve.mjs";
import { movableClock } from "./clock.mjs";
import { smallDisk } from "./small_disk.mjs";
import { next } from "./traffic.mjs";

/** @typedef {{ seconds: number, senders: number, faults: boolean }} Plan */
/**
 * @typedef {object} Result
 * @property {number} seconds
 * @property {number} requests that were answered for good
 * @property {{ sent: number, accepted: number, replayed: number, rejected: number, hostile: number }} events
 * @property {number} unavailable answers 503 or broken connections, sent again
 * @property {string[]} wrong every answer that must not be, and every event that is not in the tables as it was answered
 * @property {{ p50: number, p95: number, p99: number }} latency of requests outside faults, in milliseconds
 * @property {number[]} memory of the function in MB, after each tenth of the time; it begins anew where it was killed
 * @property {number} deadlocks
 * @property {string[]} faults
 * @property {number} cores
 */

const MOST_TRIES = 200;

/** @param {Plan} plan @returns {Promise<Result>} */
export async function drive({ seconds, senders, faults: withFaults }) {
  const clock = withFaults ? movableClock() : null;
  const postgres = await startPostgres({
    settings: { fsync: "on", max_connections: 60 },
    environment: clock?.environment,
  });
  await asClient(
    postgres.adminUrl,
    (client) => client.query("update public.audience_rate_limits set burst = 2000000000, per_minute = 1000000000"),
  );
  const disk = withFaults ? await smallDisk(postgres) : null;
  const gateway = await startRpcGateway({ database: postgres.url, connections: 16 });
  const environment = {
    ...clock?.environment,
    AUDIENCE_GATE_STORE_TIMEOUT_MS: "3000",
    AUDIENCE_GATE_SIGNING_KEY: signingKeys.get(new URL(postgres.url).port) ?? "",
  };
  let served = await serveFunction({ store: gateway.url, environment });

  /** @type {Map<string, "accepted" | "rejected">} */
  const told = new Map();
  const events = { sent: 0, accepted: 0, replayed: 0, rejected: 0, hostile: 0 };
  /** @type {string[]} */
  const wrong = [];
  /** @type {string[]} */
  const faults = [];
  /** @type {number[]} */
  const times = [];
  let [requests, unavailable, inFault, stopped] = [0, 0, false, false];

  /** One request until it is answered for good. @param {import("./traffic.mjs").Sent} sent */
  async function send(sent) {
    for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
      const started = performance.now();
      const wasInFault = inFault;
      /** @type {Response | undefined} */
      let response;
      let text = "";
      try {
        const begun = await fetch(served.url, {
          method: "POST",
          headers: { "content-type": "application/json", apikey: sent.key },
          body: sent.body,
          signal: AbortSignal.timeout(15_000),
        });
        text = await begun.text();
        response = begun;
      } catch {
        // The function was killed, before its answer or within it: as with a broken network, the sender tries again.
      }
      if (response === undefined || response.status === 503) {
        if (response && !response.headers.has("retry-after")) wrong.push("503 without Retry-After");
        unavailable++;
        await pause(50 + Math.random() * 100);
        continue;
      }
      if (!wasInFault && !inFault && attempt === 0) times.push(performance.now() - started);
      return { status: response.status, text };
    }
    throw new Error("a request was never answered");
  }

  async function sender() {
    while (!stopped) {
      const sent = next();
      const { status, text } = await send(sent);
      requests++;
      if (sent.by === "hostile") {
        events.hostile++;
        if (status >= 500) wrong.push(`${status} for a hostile body`);
        continue;
      }
      if (![200, 207, 422].includes(status)) {
        wrong.push(`${status}: ${text.slice(0, 200)}`);
        continue;
      }
      /** @type {{ id: string, status: "accepted" | "rejected", replayed?: boolean }[]} */
      const results = JSON.parse(text).results;
      if (results.length !== sent.events.length) {
        wrong.push(`${results.length} answers for ${sent.events.length} events`);
      }
      for (const [index, { id, refused }] of sent.events.entries()) {
        const { status, replayed } = results[index];
        events.sent++;
        events[status === "accepted" && replayed ? "replayed" : status]++;
        told.set(id, status);
        if ((status === "rejected") !== refused) wrong.push(`${id} was ${status}`);
      }
    }
  }

  /** Breaks something for a while. @param {string} what @param {() => unknown} work */
  async function fault(what, work) {
    inFault = true;
    await work();
    faults.push(what);
    await pause(1000);
    inFault = false;
  }
  const crash = () =>
    asClient(postgres.adminUrl, async (client) => {
      client.on("error", () => {});
      const { rows } = await client.query(
        "select pid from pg_stat_activity where backend_type = 'client backend' limit 1",
      );
      // A session that dies by SIGKILL takes the whole server through its recovery.
      process.kill(rows[0].pid, "SIGKILL");
      await pause(500);
    }).catch(() => {});
  const restart = async () => {
    process.kill(served.pid, "SIGKILL");
    served = await serveFunction({ store: gateway.url, environment });
  };

  const started = performance.now();
  const all = Promise.all(Array.from({ length: senders }, sender));
  /** @type {number[]} */
  const memory = [];
  try {
    for (let tenth = 1; tenth <= 10; tenth++) {
      await Promise.race([pause(seconds * 100), all]);
      memory.push(megabytes(served.pid));
      if (withFaults && [3, 7].includes(tenth)) await fault("the database crashed and recovered", crash);
      if (disk && tenth === 4) await fault("the disk of the event log was full for two seconds", () => disk.fill(2000));
      if (clock && tenth === 6) await fault("the clock jumped ahead by an hour", () => clock.set(3600));
      if (clock && tenth === 8) await fault("the clock jumped back by two hours", () => clock.set(-3600));
      if (withFaults && tenth === 5) await fault("the function was killed and started again", restart);
    }
    stopped = true;
    await all;
    const taken = (performance.now() - started) / 1000;
    wrong.push(...await compare(postgres.adminUrl, told));
    times.sort((a, b) => a - b);
    const at = (/** @type {number} */ share) => times[Math.floor(times.length * share)] ?? NaN;
    return {
      seconds: taken,
      requests,
      events,
      unavailable,
      wrong,
      latency: { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
      memory,
      deadlocks: readFileSync(postgres.logFile, "utf8").split("deadlock detected").length - 1,
      faults,
      cores: availableParallelism(),
    };
  } finally {
    stopped = true;
    await all.catch(() => {});
    await served.stop();
    await gateway.close();
    await postgres.stop();
    disk?.remove();
    clock?.remove();
  }
}

/** What a process has in memory. @param {number} pid */
function megabytes(pid) {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** Every event that the tables do not have as its sender was told. @param {string} url @param {Map<string, "accepted" | "rejected">} told */
async function compare(url, told) {
  const { rows } = await asClient(url, (client) =>
    client.query(`
      select case when rejected then metadata ->> 'event_id' else id::text end as id, rejected, count(*)::integer as copies
      from public.audience_events
      group by 1, 2`));
  const stored = new Map(rows.filter(({ id }) => told.has(id)).map((row) => [row.id, row]));
  return [...told].flatMap(([id, status]) => {
    const row = stored.get(id);
    const is = row === undefined
      ? "not there"
      : row.copies !== 1
      ? `there ${row.copies} times`
      : row.rejected
      ? "rejected"
      : "accepted";
    return is === status ? [] : [`${id}: told ${status}, is ${is}`];
  });
}
