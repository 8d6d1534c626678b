// What is queued of an event: complete, so that every attempt sends the same, and without any address.
import { createHash, randomBytes } from "node:crypto";
import { normalisedAddress } from "../../web/shared/address.ts";
import { BadEvent } from "./errors.ts";
import type { EventInput } from "./types.ts";

/** More than any event can hold that the gate accepts; it bounds the queue. */
export const MOST_BYTES = 65_536;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let last = { ms: 0, count: 0 };

/** A UUID of version 7: first the time, then a count within the millisecond, so that ids sort as they were made. */
export function newId(): string {
  const ms = Math.max(Date.now(), last.ms);
  const count = ms === last.ms ? last.count + 1 : 0;
  last = count < 4096 ? { ms, count } : { ms: ms + 1, count: 0 };
  const hex = last.ms.toString(16).padStart(12, "0") + "7" + last.count.toString(16).padStart(3, "0");
  const random = randomBytes(8);
  random[0] = (random[0] ?? 0) & 0x3f | 0x80;
  return (hex + random.toString("hex")).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** SHA-256 of the normalised address, as every sender makes it; undefined if it is not an address. */
export function hashEmail(email: string): string | undefined {
  const address = normalisedAddress(email);
  return address && createHash("sha256").update(address).digest("hex");
}

/** The event's id and its text. */
export function complete(input: EventInput): { id: string; text: string } {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new BadEvent("an event is an object; track one at a time");
  }
  const { email, ...rest } = input;
  if (rest.id && !rest.occurred_at) {
    throw new BadEvent(
      "an event with an id of its own needs `occurred_at` too, or it would differ when it comes again",
    );
  }
  const id = String(rest.id ?? newId()).toLowerCase();
  if (!UUID.test(id)) throw new BadEvent("`id` is not a UUID; leave it out to get one");
  const event = { ...rest, id, occurred_at: rest.occurred_at ?? new Date().toISOString() };
  if (email !== undefined && email !== null) {
    const hash = hashEmail(String(email));
    if (!hash) throw new BadEvent("`email` is not an e-mail address");
    const { email_hash_kind: _, ...metadata } = event.metadata ?? {};
    event.metadata = { ...metadata, email_hash: hash };
  }
  const text = textOf(event);
  if (Buffer.byteLength(text) > MOST_BYTES) throw new BadEvent(`the event has more than ${MOST_BYTES} bytes`);
  return { id, text };
}

function textOf(event: object): string {
  try {
    return JSON.stringify(event);
  } catch {
    throw new BadEvent("the event cannot be written as JSON: it holds itself, or a BigInt");
  }
}
