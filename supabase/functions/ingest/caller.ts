/** Who is calling, from the key and the user token that came with the request. */

import type { CallerKind } from "./gate.ts";
import { Refusal } from "./refusal.ts";
import type { Keys } from "./settings.ts";

export interface Caller {
  readonly kind: CallerKind;
  /** The user's id; null for everybody else. */
  readonly id: string | null;
}

/** Verifies a user's access token and returns its `sub`; throws a Refusal otherwise. */
export type VerifyUser = (token: string) => Promise<string>;

const VISITOR: Caller = { kind: "visitor", id: null };
const TRUSTED: Caller = { kind: "trusted", id: null };

export async function identify(
  request: Request,
  url: URL,
  keys: Keys,
  verifyUser: VerifyUser,
): Promise<Caller> {
  const bearer = bearerOf(request.headers);
  const header = request.headers.get("apikey");
  const inAddress = url.searchParams.get("apikey");
  // supabase-js repeats the key as the bearer while nobody is signed in: then it is a key, not a token.
  const bearerCaller = bearer === null ? null : callerOfKey(bearer, keys);
  const keyCaller = header !== null ? callerOfKey(header, keys) : callerOfAddress(inAddress, keys);

  if (header !== null && keyCaller === null) throw badKey();
  if (bearerCaller !== null) {
    return bearerCaller.kind === "trusted" || keyCaller === null ? bearerCaller : keyCaller;
  }
  if (keyCaller === null) {
    throw new Refusal(
      "no_credentials",
      "the request carries no API key",
      "send the project's publishable key in the apikey header (a beacon: in ?apikey=)",
      { "WWW-Authenticate": "Bearer" },
    );
  }
  // A user's token narrows any key, as it does in PostgREST.
  return bearer === null ? keyCaller : { kind: "user", id: await verifyUser(bearer) };
}

function bearerOf(headers: Headers): string | null {
  const value = headers.get("authorization");
  if (value === null) return null;
  const token = /^bearer +(\S+)$/i.exec(value.trim())?.[1];
  if (token === undefined) throw badToken();
  return token;
}

/** Only a public key may be in the address, because addresses end up in logs and histories. */
function callerOfAddress(key: string | null, keys: Keys): Caller | null {
  if (key === null) return null;
  const caller = callerOfKey(key, keys);
  if (caller === null) throw badKey();
  if (caller.kind === "trusted") {
    throw new Refusal(
      "bad_credentials",
      "a secret key was sent in the address",
      "send it in the apikey header, and replace it: an address is written to logs on its way",
    );
  }
  return caller;
}

function callerOfKey(key: string, keys: Keys): Caller | null {
  if (isOneOf(key, keys.secret)) return TRUSTED;
  if (isOneOf(key, keys.publishable)) return VISITOR;
  return null;
}

/** Compares with every key to its end, so that the time it takes reveals none of them. */
function isOneOf(presented: string, keys: readonly string[]): boolean {
  let found = 0;
  for (const key of keys) found |= equal(presented, key);
  return found === 1;
}

function equal(presented: string, key: string): number {
  let difference = presented.length ^ key.length;
  for (let i = 0; i < presented.length; i += 1) {
    difference |= presented.charCodeAt(i) ^ key.charCodeAt(i % key.length);
  }
  return difference === 0 ? 1 : 0;
}

export function badKey(): Refusal {
  return new Refusal(
    "bad_credentials",
    "the API key is not one of this project's",
    "send the project's publishable or secret key in the apikey header",
    { "WWW-Authenticate": "Bearer" },
  );
}

export function badToken(): Refusal {
  return new Refusal(
    "bad_credentials",
    "the user token is not valid, or has expired",
    "refresh the session and send its access token as Authorization: Bearer, or leave the header out",
    { "WWW-Authenticate": 'Bearer error="invalid_token"' },
  );
}
