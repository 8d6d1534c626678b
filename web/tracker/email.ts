// The e-mail hash without WebAssembly; where the contract module may run, it does the same.

import { EMAIL_BYTES } from "../shared/limits.ts";

// The grammar of the HTML living standard, with a dot in the domain.
const GRAMMAR = /^[\w.!#$%&'*+/=?^`{|}~-]+@[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)+$/;

/** SHA-256 of the normalised address in hex; undefined if it is not an address, or if the page may not hash (no secure context). */
export async function hashEmail(email: string): Promise<string | undefined> {
  const address = email.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, "")
    // JavaScript makes two characters of this one; the contract lower-cases one by one.
    .replaceAll("İ", "i")
    .toLowerCase();
  if (address.length > EMAIL_BYTES || !GRAMMAR.test(address)) return;
  try {
    const digest = await crypto.subtle.digest(
      "SHA-256",
      new TextEncoder().encode(address),
    );
    return Array.from(
      new Uint8Array(digest),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join("");
  } catch {
    // no secure context: no hash, and so no event with an address
  }
}
