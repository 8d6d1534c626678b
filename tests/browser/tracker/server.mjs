// A loopback stand-in for the function that loses, delays and refuses on demand, and remembers what it stored.
// Like the real one it records an id once and answers the second time `replayed`.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

/**
 * @typedef {{ status: number, headers?: Record<string, string>, text?: string }
 *   | { lost: "before" | "after" }
 *   | { held: Promise<unknown> }} Fault `held`: answered once that promise resolves
 * @typedef {Record<string, any>} Row
 * @typedef {{ csp?: string, script?: boolean, judge?: (event: Row) => { rule_id: string, reason: string, path?: string }[] }} Settings
 * @typedef {{ id: string, status: string, rule_id?: string, reason?: string, violations?: { rule_id: string, path?: string }[] }} Verdict
 * @typedef {import("node:http").IncomingMessage} Incoming
 * @typedef {import("node:http").ServerResponse} Outgoing
 */

const dist = fileURLToPath(
  new URL("../../../web/dist/tracker/", import.meta.url),
);
/** @type {Record<string, string>} */
const TYPES = { js: "text/javascript", wasm: "application/wasm" };

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8">
<title>Test page</title><body style="height:4000px"><h1>Test page</h1>
<script type="module" src="/page.js"></script></body></html>`;

const SCRIPT_PAGE = (/** @type {string} */ attributes) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Script form</title>
<body style="height:4000px"><h1>Script form</h1><script src="/early.js"></script>
<script src="/tracker/audience-gate.js" ${attributes}></script></body></html>`;

const EARLY = `window.log = [];
for (const kind of ["accept", "reject", "drop", "error"])
  addEventListener("audiencegate:" + kind, ({ detail }) => log.push({ kind, ...detail }));
(window.audienceGate ??= []).push(["track", { event_type: "feature_used", event_category: "engagement",
  metadata: { page_path: "/early", feature_id: "early" } }]);`;

const PAGE_SCRIPT = `import { createTracker } from "/tracker/tracker.js";
window.log = [];
const note = (kind) => (detail) => log.push({ kind, ...detail });
if (window.config) window.tracker = createTracker((window.configure ?? ((same) => same))({ key: "sb_publishable_test",
  debug: false, onAccept: note("accept"), onReject: note("reject"), onDrop: note("drop"), onError: note("error"),
  ...config }));`;

export async function startServer(/** @type {Settings} */ settings = {}) {
  const state = {
    origin: "",
    endpoint: "",
    /** @type {Row[]} */ rows: [],
    /** @type {Row[]} */ refused: [],
    /** @type {{ event: Row, violations: { rule_id: string, path?: string }[] }[]} one row each */ reports: [],
    /** @type {{ at: number, path: string, ids: string[], headers: import("node:http").IncomingHttpHeaders, query: string, fault?: Fault }[]} */
    requests: [],
    /** @type {Fault[]} each request to the function uses one up */
    faults: [],
    /** Unless 0, what every report is answered with, as by a function that knows none. */
    reportStatus: 0,
    /** How many requests to the function are over, however they ended. */
    answered: 0,
    /** @type {(() => Fault | undefined) | undefined} */ randomFault: undefined,
    /** @type {object | undefined} */ registry: undefined,
    stored: () => /** @type {string[]} */ (state.rows.map((row) => row.id)),
    /** Attributes of the one-line script, for pages that use it. */
    script: (/** @type {string} */ attributes) => {
      scriptAttributes = attributes;
    },
    close: async () => {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      }
    },
  };
  let scriptAttributes = "";
  /** @type {Map<string, Verdict>} */
  const known = new Map();

  const store = (/** @type {Row[]} */ events) =>
    events.map((event, index) => {
      const first = known.get(event.id);
      if (first) {
        return { ...first, index, replayed: true };
      }
      const [violation] = settings.judge?.(event) ?? [];
      /** @type {Verdict} */
      const result = violation
        ? {
          id: event.id,
          status: "rejected",
          rule_id: violation.rule_id,
          reason: violation.reason,
          violations: [{ rule_id: violation.rule_id, path: violation.path }],
        }
        : { id: event.id, status: "accepted" };
      // An event that was refused may come again, corrected.
      if (!violation) known.set(event.id, result);
      (violation ? state.refused : state.rows).push(event);
      return { ...result, index };
    });

  // A literal repeat adds no row.
  const record = (/** @type {typeof state.reports} */ reports) =>
    reports.map((report, index) => {
      const told = JSON.stringify(report);
      if (!state.reports.some((one) => JSON.stringify(one) === told)) state.reports.push(report);
      return { index, status: "reported" };
    });

  /** @param {Incoming} request @param {Outgoing} response @param {URL} url */
  const ingest = async (request, response, url) => {
    const origin = request.headers.origin;
    if (origin) {
      response.setHeader("access-control-allow-origin", origin);
      response.setHeader("access-control-expose-headers", "date, retry-after");
    }
    if (request.method === "OPTIONS") {
      response.setHeader(
        "access-control-allow-headers",
        "authorization, apikey, content-type",
      );
      return response.writeHead(204).end();
    }
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    const events = /** @type {Row[]} */ (JSON.parse(text));
    const isReport = url.pathname.endsWith("/reports");
    const fault = state.faults.shift() ?? state.randomFault?.();
    state.requests.push({
      at: Date.now(),
      path: url.pathname,
      ids: events.map((event) => isReport ? `report of ${event.event.id}` : event.id),
      headers: request.headers,
      query: url.search,
      fault,
    });
    if (isReport && state.reportStatus) return response.writeHead(state.reportStatus).end("{}");
    if (fault && "held" in fault) await fault.held;
    if (fault && "status" in fault) {
      return response.writeHead(fault.status, fault.headers).end(
        fault.text ?? "{}",
      );
    }
    if (fault && "lost" in fault) {
      if (fault.lost === "after") isReport ? record(/** @type {any} */ (events)) : store(events);
      return request.socket.destroy();
    }
    const results = isReport ? record(/** @type {any} */ (events)) : store(events);
    const rejected = results.filter((one) => one.status === "rejected").length;
    const status = rejected === 0 ? 200 : rejected < results.length ? 207 : 422;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ results }));
  };

  const handle = async (/** @type {Incoming} */ request, /** @type {Outgoing} */ response) => {
    const url = new URL(request.url ?? "/", "http://loopback");
    if (url.pathname === "/ingest" || url.pathname === "/ingest/reports") {
      await ingest(request, response, url);
      if (request.method !== "OPTIONS") state.answered += 1;
      return;
    }
    if (url.pathname === "/ingest/registry") {
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-expose-headers", "date");
      return response.writeHead(state.registry ? 200 : 404).end(
        JSON.stringify(state.registry ?? {}),
      );
    }
    if (url.pathname === "/page.js" || url.pathname === "/early.js") {
      response.setHeader("content-type", "text/javascript");
      return response.end(url.pathname === "/page.js" ? PAGE_SCRIPT : EARLY);
    }
    if (url.pathname.startsWith("/tracker/")) {
      const name = url.pathname.slice("/tracker/".length);
      response.setHeader(
        "content-type",
        TYPES[name.split(".").at(-1) ?? ""] ?? "text/plain",
      );
      return response.end(await readFile(dist + name));
    }
    if (settings.csp) {
      response.setHeader("content-security-policy", settings.csp);
    }
    response.setHeader("content-type", "text/html");
    response.end(settings.script ? SCRIPT_PAGE(scriptAttributes) : PAGE);
  };

  /** @type {import("node:http").Server[]} */
  const servers = [];
  const listen = async () => {
    const server = createServer((request, response) => {
      handle(request, response).catch((error) => response.writeHead(500).end(String(error)));
    });
    await new Promise((done) => server.listen(0, "127.0.0.1", () => done(undefined)));
    servers.push(server);
    return `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
  };
  // There are two origins, as in reality: the page's and the project's.
  state.origin = await listen();
  state.endpoint = `${await listen()}/ingest`;
  return state;
}
