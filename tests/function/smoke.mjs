#!/usr/bin/env node
/**
 * Proves a deployed instance end to end without recording anything: `npm run smoke -- URL KEY`.
 * URL is the project's address or the function's; KEY a publishable or secret key.
 */
import { pathToFileURL } from "node:url";
import { contract } from "../../pkg/inline.js";

const event = {
  session_id: "smoke-test-session",
  event_type: "content_view",
  event_category: "engagement",
  event_source: "smoke-test",
  metadata: { content_id: "smoke-test", duration_seconds: 30 },
};

/** @typedef {{ name: string, problem: string | null, ms: number }} Result */

/** @param {string} url @param {string} key @returns {Promise<Result[]>} */
export async function smoke(url, key) {
  const base = url.replace(/\/+$/, "");
  const endpoint = /\/functions\/v1\/|\/ingest$/.test(base) ? base : `${base}/functions/v1/ingest`;
  /** @type {Result[]} */
  const results = [];

  /** @param {string} name @param {() => Promise<string | null>} work says what is wrong, or null */
  const step = async (name, work) => {
    const started = performance.now();
    const problem = await work().catch((error) => `${error.message}${error.cause ? `: ${error.cause.message}` : ""}`);
    results.push({ name, problem, ms: performance.now() - started });
  };
  /** @param {string} path @param {RequestInit} [init] */
  const ask = async (path, init) => {
    const response = await fetch(endpoint + path, {
      signal: AbortSignal.timeout(15_000),
      ...init,
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text.startsWith("{") ? JSON.parse(text) : {},
      text,
    };
  };
  /** @param {unknown} body @param {Record<string, string>} [headers] @param {string} [query] */
  const post = (body, headers = { apikey: key }, query = "?dry_run=1") =>
    ask(query, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  /** @param {{ status: number, text: string }} answer @param {number} status */
  const expected = ({ status: got, text }, status) =>
    got === status ? null : `answered ${got} instead of ${status}: ${text.slice(0, 300)}`;

  await step(
    "the function is deployed and has this checkout's contract",
    async () => {
      const answer = await ask("/contract");
      const { fingerprint } = contract();
      if (answer.status !== 200) return expected(answer, 200);
      return answer.body.fingerprint === fingerprint
        ? null
        : `its contract is ${answer.body.fingerprint}, this checkout's is ${fingerprint}: deploy the function`;
    },
  );
  await step(
    "it reaches the store, and the migrations are there",
    async () => expected(await ask("/health"), 200),
  );
  await step("the registry knows event types", async () => {
    const answer = await ask("/registry");
    if (answer.status !== 200) return expected(answer, 200);
    return answer.body.event_types?.length > 0 ? null : "no event type is registered";
  });
  await step("a good event is accepted", async () => {
    const answer = await post(event);
    return expected(answer, 200) ??
      (answer.body.accepted === 1 ? null : `not accepted: ${answer.text.slice(0, 300)}`);
  });
  await step("a bad event is rejected with its rule", async () => {
    const answer = await post({ ...event, session_id: "short" });
    return expected(answer, 422) ??
      (answer.body.results?.[0]?.rule_id === "sanity.session_id_length"
        ? null
        : `another rule: ${answer.text.slice(0, 300)}`);
  });
  await step("one bad event does not cost its batch", async () => {
    const answer = await post([event, { ...event, event_type: "no" }]);
    return expected(answer, 207);
  });
  await step("a body that is not JSON is refused as such", async () => {
    const answer = await ask("?dry_run=1", {
      method: "POST",
      headers: { apikey: key },
      body: "{",
    });
    return expected(answer, 400);
  });
  await step(
    "a stranger is refused",
    async () => expected(await post(event, { apikey: "sb_publishable_nobody" }), 401),
  );
  await step(
    "a request without a key is refused",
    async () => expected(await post(event, {}), 401),
  );
  await step("a browser may ask", async () => {
    const answer = await ask("", {
      method: "OPTIONS",
      headers: {
        origin: "https://smoke.example",
        "access-control-request-method": "POST",
      },
    });
    return expected(answer, 204);
  });
  return results;
}

async function main() {
  const [url, key] = process.argv.slice(2);
  if (!url || !key) {
    console.error(
      "usage: npm run smoke -- URL KEY\n  URL  https://<project>.supabase.co, or the function's own address\n  KEY  a publishable or secret key of the project",
    );
    process.exit(2);
  }
  const results = await smoke(url, key);
  for (const { name, problem, ms } of results) {
    console.log(
      `${problem === null ? "ok  " : "FAIL"} ${name} (${ms.toFixed(0)} ms)${
        problem === null ? "" : `\n     ${problem}`
      }`,
    );
  }
  const failed = results.filter(({ problem }) => problem !== null).length;
  console.log(
    `${results.length - failed} passed, ${failed} failed; nothing was recorded`,
  );
  process.exit(failed === 0 ? 0 : 1);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
