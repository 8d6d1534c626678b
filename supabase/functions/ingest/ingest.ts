/**
 * The front door: `(deps) => (Request) => Promise<Response>`.
 *
 * A request is identified, read, judged by one call of the module and recorded in one round trip; each step may refuse it.
 */

import { sendAlerts } from "./alerts.ts";
import { rateHeaders, settle } from "./answer.ts";
import type { BodyLimits } from "./body.ts";
import { bodyKind, readBody } from "./body.ts";
import type { VerifyUser } from "./caller.ts";
import { identify } from "./caller.ts";
import { allowOrigin, preflight } from "./cors.ts";
import type { Bytes, Gate } from "./gate.ts";
import { HeldBack } from "./held.ts";
import { languages, translated } from "./languages.ts";
import type { Line, Log } from "./log.ts";
import { keyedReports, readReports, REPORT_BYTES, reportArgument, settleReports } from "./page_reports.ts";
import { PaidTime } from "./paid.ts";
import { addressOf, RateKeys } from "./rate.ts";
import { Refusal, refusalOf } from "./refusal.ts";
import { RefusedRequests } from "./refused.ts";
import { RegistryCopy } from "./registry.ts";
import { createReports, type ReportPath } from "./reports.ts";
import type { Keys } from "./settings.ts";
import type { Limited, Store } from "./store.ts";
import { asking } from "./store.ts";
import type { Tell } from "./webhook.ts";

export interface Deps {
  readonly gate: Gate;
  readonly store: Store;
  readonly verifyUser: VerifyUser;
  /** Calls a webhook. */
  readonly tell: Tell;
  readonly keys: Keys;
  /** The key that each day's rate key is derived from. */
  readonly serviceKey: string;
  readonly emailPepper: string | undefined;
  readonly addressHeader: string | null;
  readonly limits: BodyLimits & { readonly events: number };
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly newId: () => string;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly log: Log;
  readonly pause: (ms: number) => Promise<void>;
  /** Keeps the isolate alive until the promise settles. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export type Handler = (request: Request) => Promise<Response>;

/** A method is any word that a sender likes, so only these are logged as they came. */
const METHODS = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]);

export function createIngest(deps: Deps): Handler {
  const { clock, gate, limits } = deps;
  const registry = new RegistryCopy(deps);
  const rateKeys = new RateKeys(deps.serviceKey);
  const heldBack = new HeldBack();
  const paidTime = new PaidTime();
  const report = createReports(gate, registry, deps.store, clock);
  const refused = new RefusedRequests(deps);
  registry.refresh();

  return async (request) => {
    const start = clock();
    const origin = request.headers.get("origin");
    const line: Line = {
      event: "request",
      request_id: deps.newId(),
      method: METHODS.has(request.method) ? request.method : "other",
    };
    const response = await route(request, origin, line).catch((error) => {
      const refusal = refusalOf(error);
      line.code = refusal.code;
      refused.note(refusal.code, origin, registry.current);
      // The message of an unforeseen error may quote a sender's value, so only its name is logged.
      if (refusal.code === "internal") {
        line.failure = error instanceof Error ? error.name : "unknown";
      }
      return refusal.toResponse();
    });
    const { headers, status } = response;
    headers.set("Request-Id", String(line.request_id));
    headers.set("X-Content-Type-Options", "nosniff");
    // By this clock events are judged: a page learns from it how wrong its own is.
    headers.set("Date", new Date(start).toUTCString());
    if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
    allowOrigin(headers, origin, registry.current);

    deps.log({ ...line, status, ms: clock() - start });
    return response;
  };

  async function route(
    request: Request,
    origin: string | null,
    line: Line,
  ): Promise<Response> {
    const { method } = request;
    const url = new URL(request.url);
    const path = pathOf(url);
    line.route = path;
    if (path === null) throw notFound();
    if (method === "OPTIONS") return preflight(origin, registry.current);
    if (path === "/") {
      if (method !== "POST") throw methodNotAllowed("POST, OPTIONS");
      return await ingest(request, url, origin, line);
    }
    if (path === "/reports") {
      if (method !== "POST") throw methodNotAllowed("POST, OPTIONS");
      return await takeReports(request, url, origin, line);
    }
    if (path === "/alerts") {
      if (method !== "POST") throw methodNotAllowed("POST, OPTIONS");
      const caller = await identify(request, url, deps.keys, deps.verifyUser);
      line.caller = caller.kind;
      return await sendAlerts(deps, caller, url.searchParams.has("test"), line);
    }
    if (method !== "GET" && method !== "HEAD") {
      throw methodNotAllowed("GET, HEAD, OPTIONS");
    }
    return await report(path, request, line);
  }

  async function ingest(
    request: Request,
    url: URL,
    origin: string | null,
    line: Line,
  ): Promise<Response> {
    const caller = await identify(request, url, deps.keys, deps.verifyUser);
    line.caller = caller.kind;
    const { ndjson } = bodyKind(request.headers);
    const body = await readBody(request, limits);
    line.bytes = body.byteLength;
    // Any value but a plain no means yes.
    const dryRun = !["0", "false"].includes(
      url.searchParams.get("dry_run") ?? "0",
    );
    line.dry_run = dryRun;

    registry.refresh();
    const receivedAt = clock();
    const address = addressOf(request.headers, deps.addressHeader);
    const rate = await rateKeys.forRequest(address, caller, receivedAt);
    refuseHeldBack(rate, body, receivedAt);
    const judgedFrom = clock();
    const judgement = gate.judge(body, {
      caller: caller.kind,
      callerId: caller.id,
      origin,
      receivedAt,
      seed: deps.randomBytes(16),
      ndjson,
      dryRun,
      rate,
      pepper: deps.emailPepper,
    });
    const asked = clock();
    if (rate !== undefined) paidTime.took(rate, asked - judgedFrom, asked);
    line.events = judgement.total;
    if (judgement.total > limits.events) {
      throw tooManyEvents(judgement.total, limits.events);
    }
    if (judgement.readable && judgement.total === 0) {
      return jsonBytes(judgement.answer, 200);
    }

    const stored = await asking(
      () => deps.store.ingest(judgement.argument),
      line,
    );
    line.store_ms = clock() - asked;
    if (stored.limited) throw limited(stored.limited, rate, body);

    const settled = settle(judgement, stored);
    Object.assign(line, settled.counts);
    if (settled.counts.rejected > 0) registry.refresh("soon");
    const wanted = settled.counts.rejected > 0 ? languages(request.headers.get("accept-language")) : [];
    const told = wanted.length > 0 ? translated(settled.body, wanted, registry.current) : settled.body;
    const response = jsonBytes(told, settled.status);
    rateHeaders(response.headers, stored.rate);
    return response;
  }

  /** What a page refused by itself. */
  async function takeReports(request: Request, url: URL, origin: string | null, line: Line): Promise<Response> {
    const caller = await identify(request, url, deps.keys, deps.verifyUser);
    line.caller = caller.kind;
    bodyKind(request.headers);
    const body = await readBody(request, { ...limits, bytes: Math.min(limits.bytes, REPORT_BYTES) });
    line.bytes = body.byteLength;
    const receivedAt = clock();
    const address = addressOf(request.headers, deps.addressHeader);
    const rate = await rateKeys.forRequest(address, caller, receivedAt);
    refuseHeldBack(rate, body, receivedAt);
    const reports = await keyedReports(readReports(body), deps.emailPepper);
    line.events = reports.length;
    const argument = reportArgument(reports, caller, origin, receivedAt, rate);
    const stored = await asking(() => deps.store.report(argument), line);
    line.store_ms = clock() - receivedAt;
    if (stored.limited) throw limited(stored.limited, rate, body);

    const { body: answer, status, counts } = settleReports(reports.length, stored);
    Object.assign(line, counts);
    const response = jsonBytes(answer, status);
    rateHeaders(response.headers, stored.rate);
    return response;
  }

  /** The database need not be asked about a sender that it has just told to wait, nor about one who keeps this process busy. */
  function refuseHeldBack(sender: string | undefined, { byteLength }: Uint8Array, now: number): void {
    if (sender === undefined) return;
    const seconds = heldBack.secondsFor(sender, byteLength, now) ?? paidTime.secondsFor(sender, byteLength, now);
    if (seconds !== null) throw rateLimited(seconds);
  }

  function limited({ retry_after, scope }: Limited, sender: string | undefined, body: Uint8Array): Refusal {
    if (sender !== undefined) heldBack.hold(sender, scope, body.byteLength, retry_after, clock());
    return rateLimited(retry_after);
  }
}

const PATH = /^(?:\/functions\/v1)?\/[^/]+(\/contract|\/registry|\/checkpoint|\/health|\/reports|\/alerts)?\/?$/;

/** The platform strips `/functions/v1` before the function sees the address; other hosts may not. */
function pathOf(url: URL): "/" | "/reports" | "/alerts" | ReportPath | null {
  const match = PATH.exec(url.pathname);
  return match === null ? null : (match[1] ?? "/") as "/contract";
}

function jsonBytes(body: Bytes | string, status: number): Response {
  return new Response(body, {
    status,
    headers: { "Content-Type": "application/json" },
  });
}

function notFound(): Refusal {
  return new Refusal(
    "not_found",
    "there is nothing at this address",
    "POST events to the function itself; GET its /contract, /registry, /checkpoint or /health",
  );
}

function methodNotAllowed(allowed: string): Refusal {
  return new Refusal(
    "method_not_allowed",
    "this address does not take that method",
    `use ${allowed}`,
    {
      Allow: allowed,
    },
  );
}

function tooManyEvents(total: number, limit: number): Refusal {
  return new Refusal(
    "too_many_events",
    `the body holds ${total} events, and ${limit} are allowed`,
    "split it; nothing was recorded",
  );
}

function rateLimited(retryAfter: number): Refusal {
  return new Refusal(
    "rate_limited",
    "too many events in too short a time",
    "send them again with the same event ids after Retry-After seconds; nothing was recorded",
    { "Retry-After": String(Math.max(1, Math.ceil(retryAfter))) },
  );
}
