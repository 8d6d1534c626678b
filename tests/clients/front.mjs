/** What stands between a client and the function: passes requests on, or does to them what a network does. */
import { once } from "node:events";
import { createServer } from "node:http";

/**
 * - `cut`: the connection breaks before the function hears of it
 * - `half`: the function records and answers, and the connection breaks in the middle of its answer
 * - `unavailable`: the function that answers has lost its database
 * - an answer: somebody else gives it, and the function hears nothing
 *
 * @typedef {"pass" | "cut" | "half" | "unavailable" | { status: number, headers?: Record<string, string>, body?: string }} Step
 * @typedef {{ arrived?: () => void, answered?: () => void }} Moments what happens when the function is about to hear of a
 *   request, and when it has answered
 * @typedef {{ at: number, key: string | undefined, body: string, events: number }} Seen
 */

/**
 * @param {{ healthy: string, ill: string }} functions
 * @param {Step[]} steps one for each request; then all pass
 * @param {number} [most] events of a request; it answers 413 to more
 */
export async function startFront(functions, steps, most = Infinity) {
  const left = [...steps];
  /** @type {Seen[]} */
  const seen = [];
  /** @type {Moments} */
  let watched = {};
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString("utf8");
    const events = JSON.parse(body).length;
    const key = /** @type {string | undefined} */ (request.headers.apikey);
    seen.push({ at: performance.now(), key, body, events });
    const { arrived, answered } = watched;
    arrived?.();
    const step = events > most ? { status: 413, body: "{}" } : left.shift() ?? "pass";
    if (step === "cut") return request.socket.destroy();
    if (typeof step === "object") return response.writeHead(step.status, step.headers).end(step.body ?? "");
    const asked = fetch(step === "unavailable" ? functions.ill : functions.healthy, {
      method: "POST",
      headers: { "content-type": "application/json", apikey: key ?? "" },
      body,
    });
    const answer = await asked.catch(() => undefined);
    // Nobody answers any more: the test is over.
    if (answer === undefined) return request.socket.destroy();
    const text = Buffer.from(await answer.arrayBuffer());
    answered?.();
    if (response.destroyed) return;
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => name !== "transfer-encoding"));
    response.writeHead(answer.status, { ...headers, "content-length": text.length });
    if (step !== "half") return response.end(text);
    response.write(text.subarray(0, text.length / 2), () => request.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}/ingest`,
    seen,
    /** @param {Moments} moments of the requests that come from now on */
    watch: (moments) => watched = moments,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
