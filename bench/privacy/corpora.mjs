/** Everything that is judged, in two lists: what holds something personal, and what does not. */
import { cards } from "./cards.mjs";
import { emails } from "./emails.mjs";
import { harmless } from "./harmless.mjs";
import { ibans } from "./ibans.mjs";
import { ids } from "./ids.mjs";
import { keys, payloads } from "./keys.mjs";
import { negatives } from "./negatives.mjs";
import { numbers } from "./numbers.mjs";
import { phones } from "./phones.mjs";

/** @param {{ few?: boolean }} [how] `few`: a tenth, for a test at every change */
export function corpora({ few = false } = {}) {
  const many = (/** @type {number} */ whole) => few ? Math.ceil(whole / 10) : whole;
  return {
    personal: [
      ...emails(many(240)),
      ...cards(many(40)),
      ...ibans(many(10)),
      ...phones(),
      ...numbers(many(300)),
      ...keys(),
    ],
    harmless: [...payloads(), ...harmless(many(2000)), ...ids(many(100_000)), ...negatives(many(500))],
  };
}
