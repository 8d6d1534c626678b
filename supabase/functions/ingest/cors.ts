/**
 * What a browser may do, from the sites' own lists of origins.
 *
 * A preflight carries no event, so it is answered for the sites together; the event itself is then held to its own
 * site by `identity.site`. No answer ever allows cookies.
 */

import type { Registry } from "./registry.ts";

/** Every header supabase-js may send, and ours. */
export const ALLOWED_HEADERS = [
  "authorization",
  "x-client-info",
  "apikey",
  "content-type",
  "x-retry-count",
  "traceparent",
  "tracestate",
  "baggage",
  "content-encoding",
  "if-none-match",
];

const EXPOSED_HEADERS = "request-id, date, retry-after, etag, ratelimit-limit, ratelimit-remaining, ratelimit-reset";

export function allowOrigin(
  headers: Headers,
  origin: string | null,
  registry: Registry | null,
): boolean {
  headers.set("Vary", "Origin");
  if (origin === null || !accepts(registry, origin)) return false;
  headers.set("Access-Control-Allow-Origin", origin);
  headers.set("Access-Control-Expose-Headers", EXPOSED_HEADERS);
  return true;
}

export function preflight(
  origin: string | null,
  registry: Registry | null,
): Response {
  const response = new Response(null, { status: 204 });
  if (allowOrigin(response.headers, origin, registry)) {
    response.headers.set("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    response.headers.set(
      "Access-Control-Allow-Headers",
      ALLOWED_HEADERS.join(", "),
    );
    response.headers.set("Access-Control-Max-Age", "7200");
  }
  return response;
}

/** Without a registry every origin may ask; the database still rejects the event. */
function accepts(registry: Registry | null, origin: string): boolean {
  return registry === null ||
    registry.sites.some(({ origins }) => origins === null || origins.includes(origin));
}
