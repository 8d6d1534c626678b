/** E-mail addresses: what a valid one is, and its hash. */
import { createHash } from "node:crypto";

// The grammar of the HTML living standard, with a dot in the domain.
const VALID =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;
const encoder = new TextEncoder();

/** The normalised address, or undefined if it is not valid. */
export function normalEmail(text: string): string | undefined {
  const normal = text.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, "").toLowerCase();
  return normal.length <= 254 && VALID.test(normal) ? normal : undefined;
}

export function hashEmail(normal: string): string {
  return createHash("sha256").update(normal).digest("hex");
}

export async function hashEmailWeb(normal: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(normal)));
  let hex = "";
  for (const byte of digest) hex += (byte < 16 ? "0" : "") + byte.toString(16);
  return hex;
}
