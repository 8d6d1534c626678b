/** User tokens, verified by supabase's own client: locally where the project signs asymmetrically, else by its server. */

import type { GoTrueClient } from "@supabase/auth-js";
import type { VerifyUser } from "./caller.ts";
import { badToken } from "./caller.ts";
import { Refusal } from "./refusal.ts";
import type { Jwks } from "./settings.ts";

export interface UserOptions {
  readonly url: string;
  readonly key: string;
  readonly jwks: Jwks | null;
  readonly timeoutMs: number;
  readonly clock: () => number;
}

// Without this, a token that only the auth server can verify would cost every request of a session a round trip.
const REMEMBERED_MS = 60_000;
const REMEMBERED_TOKENS = 1000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function createVerifyUser(options: UserOptions): VerifyUser {
  const { clock, jwks } = options;
  const remembered = new Map<string, { sub: string; until: number }>();
  let loading: Promise<GoTrueClient> | null = null;

  return async (token) => {
    const known = remembered.get(token);
    if (known !== undefined && clock() < known.until) return known.sub;
    remembered.delete(token);

    loading ??= client(options);
    const { data, error } = await (await loading)
      .getClaims(
        token,
        jwks === null ? {} : { jwks: { keys: [...jwks.keys] as never } },
      )
      // Whatever a malformed token trips over is the token's fault.
      .catch(() => ({ data: null, error: null }));
    if (error !== null && isOutage(error)) {
      throw new Refusal(
        "auth_unavailable",
        "the user token could not be verified in time",
        "send the request again with the same event ids; nothing was recorded",
        { "Retry-After": "2" },
      );
    }
    const claims = data?.claims;
    const sub = claims?.sub;
    if (
      claims === undefined || typeof sub !== "string" || !UUID.test(sub) ||
      isServiceRole(claims.role)
    ) {
      throw badToken();
    }
    if (remembered.size >= REMEMBERED_TOKENS) remembered.clear();
    remembered.set(token, {
      sub,
      until: Math.min(clock() + REMEMBERED_MS, (claims.exp ?? 0) * 1000),
    });
    return sub;
  };
}

/** Loaded with the first user token: visitors' cold starts do not pay for it. */
async function client(
  { url, key, timeoutMs }: UserOptions,
): Promise<GoTrueClient> {
  const { GoTrueClient } = await import("@supabase/auth-js");
  return new GoTrueClient({
    url: `${url}/auth/v1`,
    headers: { apikey: key },
    persistSession: false,
    autoRefreshToken: false,
    detectSessionInUrl: false,
    fetch: (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(timeoutMs) }),
  });
}

/** A legacy key is also a token, but belongs to no user. */
function isServiceRole(role: unknown): boolean {
  return role === "anon" || role === "service_role";
}

function isOutage(
  error: { name: string; status?: number | undefined },
): boolean {
  return error.name === "AuthRetryableFetchError" ||
    (error.status ?? 0) >= 500 || error.status === 429;
}
