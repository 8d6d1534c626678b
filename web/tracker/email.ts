// The e-mail hash without WebAssembly; where the contract module may run, it does the same.

import { normalisedAddress } from "../shared/address.ts";

/** SHA-256 of the normalised address in hex; undefined if it is not an address, or if the page may not hash (no secure context). */
export async function hashEmail(email: string): Promise<string | undefined> {
  const address = normalisedAddress(email);
  if (address === undefined) return;
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
