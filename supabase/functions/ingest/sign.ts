/** The proof that this function judged a batch: a signature over the very bytes that go to the database. */

import type { Bytes } from "./gate.ts";

/** Makes the signature of a body. */
export type Sign = (body: Bytes) => Promise<string>;

export interface SignOptions {
  /** 64 hex digits, as `audience_gate.new_signing_key()` returned them. */
  readonly key: string;
  readonly clock: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

/** The database computes the same: HMAC-SHA-256 of `time.nonce.body`, under a key that both know by its id. */
export function createSign({ key, clock, randomBytes }: SignOptions): Sign {
  const secret = hmacKey(bytesOf(key));
  const id = crypto.subtle.digest("SHA-256", new TextEncoder().encode(`audience-gate key id|${key}`))
    .then((digest) => hex(new Uint8Array(digest)).slice(0, 16));
  return async (body) => {
    const time = String(clock());
    const nonce = hex(randomBytes(16));
    const head = new TextEncoder().encode(`${time}.${nonce}.`);
    const signed = new Uint8Array(head.length + body.length);
    signed.set(head);
    signed.set(body, head.length);
    return `t=${time},n=${nonce},k=${await id},s=${await hmac(await secret, signed)}`;
  };
}

/** A key of HMAC-SHA-256. */
export function hmacKey(secret: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** HMAC-SHA-256, in lower-case hexadecimal. */
export async function hmac(key: CryptoKey, message: Bytes): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.sign("HMAC", key, message)));
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
