/** What the senders of a load send: visitors one event at a time, back ends batches, one in ten refused, one in a hundred hostile. */
import { randomUUID } from "node:crypto";
import { publishableKey, secretKey } from "../../local/settings.mjs";

/**
 * @typedef {object} Sent
 * @property {"visitor" | "back end" | "hostile"} by
 * @property {string} body
 * @property {string} key
 * @property {{ id: string, refused: boolean }[]} events those with an id, which the tables can be asked for
 */

export const HOSTILE = 0.01;
export const REFUSED = 0.1;
const BACK_END = 0.2;

const letters = (/** @type {number} */ length) =>
  Array.from({ length }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26))).join("");

/** Bodies that cost their reader something, or are nothing. @type {(() => string)[]} */
const HOSTILE_BODIES = [
  () => "{",
  () => `[${"[".repeat(2000)}`,
  () => `{"session_id":"${"\\u0000".repeat(50)}"}`,
  () => JSON.stringify({ note: "4111 ".repeat(6000) }),
  () => JSON.stringify(Array.from({ length: 40 }, () => ({ metadata: { note: "+1 ".repeat(300) } }))),
  () =>
    JSON.stringify({
      ...event(false),
      metadata: { page_path: "/", card: "4111111111111111", mail: "ada@example.com" },
    }),
];

/** @param {boolean} refused */
function event(refused) {
  const viewed = Math.random() < 0.5;
  return {
    id: randomUUID(),
    session_id: `session-${letters(20)}`,
    event_type: viewed ? "content_view" : "page_view",
    event_category: "engagement",
    event_source: "load",
    metadata: refused ? {} : { page_path: `/${letters(6)}`, ...(viewed ? { duration_seconds: 30 } : {}) },
  };
}

/** The next request of a sender. @returns {Sent} */
export function next() {
  if (Math.random() < HOSTILE) {
    const body = HOSTILE_BODIES[Math.floor(Math.random() * HOSTILE_BODIES.length)]();
    return { by: "hostile", body, key: publishableKey, events: [] };
  }
  const isBackEnd = Math.random() < BACK_END;
  const all = Array.from({ length: isBackEnd ? 50 : 1 + Math.floor(Math.random() * 3) }, () => {
    const refused = Math.random() < REFUSED;
    return { refused, event: event(refused) };
  });
  return {
    by: isBackEnd ? "back end" : "visitor",
    body: JSON.stringify(all.map(({ event }) => event)),
    key: isBackEnd ? secretKey : publishableKey,
    events: all.map(({ refused, event }) => ({ id: event.id, refused })),
  };
}
