import { randomUUID } from "node:crypto";

/** An id like those of the tracker and the gate: UUID version 7, which begins with the time. */
export function newId() {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
