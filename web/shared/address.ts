import { EMAIL_BYTES } from "./limits.ts";

// The grammar of the HTML living standard, with a dot in the domain.
const GRAMMAR = /^[\w.!#$%&'*+/=?^`{|}~-]+@[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)+$/;

/** The address in the form that is hashed, which every sender makes alike; undefined if it is not an address. */
export function normalisedAddress(email: string): string | undefined {
  const address = email.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, "")
    // JavaScript makes two characters of this one; the contract lower-cases one by one.
    .replaceAll("İ", "i")
    .toLowerCase();
  return address.length <= EMAIL_BYTES && GRAMMAR.test(address) ? address : undefined;
}
