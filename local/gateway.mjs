import { createServer, request as send } from "node:http";
import { Readable } from "node:stream";

/**
 * One address for everything, with the paths of a Supabase project.
 *
 * @typedef {object} Behind
 * @property {(request: Request) => Promise<Response>} [database] answers /rest/v1 and /auth/v1
 * @property {number} [functionPort] answers /functions/v1/ingest
 * @property {(path: string) => Page | undefined} [page] answers everything else
 *
 * @typedef {{ status: number, headers: Record<string, string>, body: Buffer | string }} Page
 */

const FUNCTION = /^\/functions\/v1(\/ingest(?:[/?].*)?)$/;
const DATABASE = /^\/(?:rest|auth)\/v1(?:[/?]|$)/;

/** @param {Behind} behind filled in while the stack starts; what is not there yet answers 503 */
export function createGateway(behind) {
  // The database computes in this thread, for seconds at a time. A connection must outlast that, or it would be closed
  // while a sender's next request is waiting in it.
  return createServer({ keepAliveTimeout: 120_000 }, (incoming, outgoing) => {
    const path = incoming.url ?? "/";
    const toFunction = FUNCTION.exec(path);
    if (toFunction) {
      return behind.functionPort ? toPort(incoming, outgoing, behind.functionPort, toFunction[1]) : starting(outgoing);
    }
    if (DATABASE.test(path)) {
      return behind.database ? toDatabase(incoming, outgoing, behind.database) : starting(outgoing);
    }
    const page = behind.page?.(path);
    if (!page) return starting(outgoing);
    outgoing.writeHead(page.status, page.headers);
    outgoing.end(incoming.method === "HEAD" ? undefined : page.body);
  });
}

/**
 * @param {import("node:http").IncomingMessage} incoming
 * @param {import("node:http").ServerResponse} outgoing
 * @param {number} port
 * @param {string} path what the platform shows to a function: the function's own name and what follows
 */
function toPort(incoming, outgoing, port, path) {
  const forward = send({
    host: "127.0.0.1",
    port,
    path,
    method: incoming.method,
    headers: {
      ...incoming.headers,
      "x-forwarded-for": incoming.socket.remoteAddress ?? "",
      "x-forwarded-host": incoming.headers.host ?? "",
      "x-forwarded-proto": "http",
    },
  }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
    answer.on("error", () => outgoing.destroy());
  });
  forward.on("error", () => {
    if (outgoing.headersSent) outgoing.destroy();
    else starting(outgoing);
  });
  // When a sender goes away, its request ends too.
  outgoing.on("close", () => forward.destroy());
  incoming.pipe(forward);
}

/**
 * @param {import("node:http").IncomingMessage} incoming
 * @param {import("node:http").ServerResponse} outgoing
 * @param {(request: Request) => Promise<Response>} database
 */
async function toDatabase(incoming, outgoing, database) {
  try {
    const response = await database(toRequest(incoming));
    outgoing.writeHead(
      response.status,
      Object.fromEntries(withCors(incoming, response.headers)),
    );
    if (response.body) {
      Readable.fromWeb(
        /** @type {import("node:stream/web").ReadableStream} */ (response.body),
      ).pipe(outgoing);
    } else outgoing.end();
  } catch {
    // The reason may quote what was sent, so nobody is told.
    if (outgoing.headersSent) outgoing.destroy();
    else {
      answer(outgoing, 500, "internal", "the local database could not answer");
    }
  }
}

function toRequest(/** @type {import("node:http").IncomingMessage} */ incoming) {
  const headers = new Headers();
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at], incoming.rawHeaders[at + 1]);
  }
  const method = incoming.method ?? "GET";
  const body = method === "GET" || method === "HEAD" ? null : /** @type {ReadableStream} */ (Readable.toWeb(incoming));
  return new Request(
    new URL(incoming.url ?? "/", `http://${incoming.headers.host}`),
    /** @type {RequestInit} */ ({ method, headers, body, duplex: "half" }),
  );
}

/** A project's own API answers pages from every origin; the function limits origins by site. */
function withCors(
  /** @type {import("node:http").IncomingMessage} */ incoming,
  /** @type {Headers} */ headers,
) {
  const origin = incoming.headers.origin;
  if (origin && !headers.has("access-control-allow-origin")) {
    headers.set("access-control-allow-origin", origin);
    headers.append("vary", "Origin");
  }
  return headers;
}

function starting(/** @type {import("node:http").ServerResponse} */ outgoing) {
  outgoing.setHeader("retry-after", "1");
  answer(outgoing, 503, "starting", "this part of the stack is still starting");
}

/**
 * @param {import("node:http").ServerResponse} outgoing
 * @param {number} status @param {string} code @param {string} message
 */
function answer(outgoing, status, code, message) {
  outgoing.writeHead(status, { "content-type": "application/json" });
  outgoing.end(JSON.stringify({ error: { code, message } }));
}
