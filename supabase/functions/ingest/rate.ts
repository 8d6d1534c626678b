/**
 * The keys under which the database counts.
 *
 * An address never leaves the function. Its HMAC does, under a key derived from the service key and the UTC day, so that
 * yesterday's rows cannot be joined with today's, nor guessed back into addresses.
 */

import type { Caller } from "./caller.ts";

const DAY_MS = 86_400_000;

export class RateKeys {
  readonly #serviceKey: string;
  #day = NaN;
  #key: Promise<CryptoKey> | null = null;

  constructor(serviceKey: string) {
    this.#serviceKey = serviceKey;
  }

  /**
   * The JSON text of `batch.rate`; undefined for a trusted caller, who has no limit. The database decides what a key
   * costs, and counts sites and sessions, because it has the events.
   */
  async forRequest(
    address: string | null,
    caller: Caller,
    now: number,
  ): Promise<string | undefined> {
    if (caller.kind === "trusted") return undefined;
    const subjects: [scope: string, subject: string][] = [];
    if (address !== null) subjects.push(["address", networkOf(address)]);
    if (caller.id !== null) subjects.push(["caller", caller.id]);
    const keys = await Promise.all(
      subjects.map(async ([scope, subject]) => ({
        key: await this.#hash(`${scope}:${subject}`, now),
        scope,
      })),
    );
    return JSON.stringify({ keys });
  }

  async #hash(subject: string, now: number): Promise<string> {
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#day || this.#key === null) {
      this.#day = day;
      this.#key = dayKey(this.#serviceKey, day);
    }
    return hex(await sign(await this.#key, subject));
  }
}

/**
 * The caller's address as the nearest hop saw it: the last entry of the header that this platform's edge writes, or of
 * `X-Forwarded-For`, to which each hop appends what it saw. A caller can send any other header, so none is believed.
 */
export function addressOf(headers: Headers, trusted: string | null): string | null {
  return headers.get(trusted ?? "x-forwarded-for")?.split(",").at(-1)?.trim() || null;
}

/** One household or server has a whole /64 of IPv6, so that is what is counted. */
function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = "", tail] = address.toLowerCase().split("%")[0]?.split("::") ??
    [];
  const left = head === "" ? [] : head.split(":");
  const right = tail ? tail.split(":") : [];
  const middle = tail === undefined ? [] : Array(Math.max(0, 8 - left.length - right.length)).fill("0");
  return [...left, ...middle, ...right].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}

async function dayKey(serviceKey: string, day: number): Promise<CryptoKey> {
  return await hmacKey(
    await sign(
      await hmacKey(new TextEncoder().encode(serviceKey)),
      `audience-gate rate ${day}`,
    ),
  );
}

function hmacKey(raw: BufferSource): Promise<CryptoKey> {
  return crypto.subtle.importKey(
    "raw",
    raw,
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
}

function sign(key: CryptoKey, text: string): Promise<ArrayBuffer> {
  return crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text));
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(
    new Uint8Array(bytes),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}
