/**
 * What every client does, as data: the same for each language. A case is steps of a client on an empty queue; the first
 * that goes another way fails it.
 */
import { randomUUID } from "node:crypto";
import { publishableKey } from "../../local/settings.mjs";
import { SESSION_LIMIT } from "./gate.mjs";

/**
 * @typedef {object} Case
 * @property {string} name a promise
 * @property {import("./front.mjs").Step[]} [front] what happens to its requests
 * @property {number} [most] the events that a request may hold
 * @property {import("./drivers.mjs").Settings} [settings]
 * @property {Step[]} steps
 * @property {number[]} [sent] the events of each request that was made
 * @property {number} [pause] milliseconds that lie at least between its first two requests
 * @property {string[]} [left] unfinished files that stay in the queue
 *
 * @typedef {object} Step one of the first five; and what is then told
 * @property {unknown} [track] an event; an object gets a session, `$SESSION` is the same in all steps
 * @property {number} [flush]
 * @property {number} [spend] events that somebody else sends in that session, until its limit is reached
 * @property {{ name: string, text: string, hours?: number }} [file] a file that is found in the queue
 * @property {"restart" | "next language"} [as] the process ends, and another goes on, with other settings if there are any
 * @property {import("./drivers.mjs").Settings} [settings]
 * @property {string} [error] its class
 * @property {Record<string, unknown>} [told] members of the report or the error
 * @property {Record<string, unknown>[]} [verdicts] members of each verdict that was told, in any order
 */

const event = (/** @type {Record<string, unknown>} */ changes = {}) => ({
  event_type: "content_view",
  event_category: "engagement",
  event_source: "back-end",
  metadata: { content_id: "a", duration_seconds: 30 },
  ...changes,
});
const short = event({ metadata: { content_id: "a", duration_seconds: 4 } });
const subscription = event({
  event_type: "email_subscribe",
  event_category: "subscription",
  email: " Reader@Example.com",
  metadata: { channel: "newsletter", consent_recorded: true },
});
const track = (/** @type {unknown} */ what = event()) => ({ track: what });
const all = (/** @type {number} */ count) => ({ flush: 20, told: { accepted: count, queued: 0, wait: 0 } });
const own = event({ session_id: "$SESSION", id: "$OWN", occurred_at: "$NOW" });
const ID = "01a1fc98-c8ed-7be6-ac09-ad5fe2e9f3a4";
const now = () => new Date().toISOString();

/** @type {Case[]} */
export const CASES = [
  {
    name: "sends what is queued in one request, and forgets it",
    steps: [track(), track(), track(), all(3), { flush: 20, told: { accepted: 0, queued: 0 } }],
    sent: [3],
  },
  {
    name: "tells of each event what became of it, with rule, reason and place",
    steps: [track(), track(short), {
      flush: 20,
      told: { accepted: 1, rejected: 1, queued: 0 },
      verdicts: [
        { status: "accepted", rule_id: null },
        {
          status: "rejected",
          rule_id: "engagement.content_view_threshold",
          violations: [{ rule_id: "engagement.content_view_threshold", path: "/metadata" }],
        },
      ],
    }],
  },
  {
    name: "waits as long as an answer 503 asks, and sends the same again",
    front: [{ status: 503, headers: { "retry-after": "2" } }],
    steps: [track(), track(), all(2)],
    sent: [2, 2],
    pause: 1950,
  },
  {
    name: "outlasts a function that has lost its database",
    front: ["unavailable"],
    steps: [track(), all(1)],
    sent: [1, 1],
    pause: 1950,
  },
  {
    name: "outlasts the rate limit of a session",
    settings: { key: publishableKey },
    steps: [
      track(event({ session_id: "$SESSION", event_type: "page_view", metadata: { page_path: "/" } })),
      { spend: SESSION_LIMIT.burst },
      all(1),
    ],
    sent: [1, 1],
    pause: 950,
  },
  {
    name: "sends again what was cut off before the function heard of it",
    front: ["cut"],
    steps: [track(), all(1)],
    sent: [1, 1],
    pause: 450,
  },
  {
    name: "sends again after half an answer, and is told what was recorded before",
    front: ["half"],
    steps: [track(), track(short), {
      flush: 20,
      told: { accepted: 0, replayed: 1, rejected: 1, queued: 0 },
      verdicts: [{ status: "accepted", replayed: true }, { status: "rejected" }],
    }],
    sent: [2, 2],
  },
  {
    name: "takes no answer without verdicts for one",
    front: [{ status: 200, headers: { "content-type": "text/html" }, body: "<h1>Sign in</h1>" }],
    steps: [track(), all(1)],
    sent: [1, 1],
  },
  {
    name: "gives up waiting when its time is over, keeps the event, and remembers the pause",
    front: [{ status: 429, headers: { "retry-after": "600" } }],
    steps: [
      track(),
      { flush: 0, told: { accepted: 0, queued: 1, wait: 600 } },
      { as: "restart" },
      { flush: 0, told: { accepted: 0, queued: 1, wait: 600 } },
    ],
    sent: [1],
  },
  {
    name: "believes no pause that lasts longer than a day",
    steps: [{ file: { name: "pause", text: '{"until": 99999999999999, "attempt": 3}' } }, track(), all(1)],
  },
  {
    name: "ends at once where it was told not to wait, and the next goes on",
    front: ["cut"],
    steps: [track(), { flush: 0, told: { accepted: 0, queued: 1 } }, all(1)],
  },
  {
    name: "halves a request that is too large until it is taken",
    most: 2,
    steps: [track(), track(), track(), track(), track(), all(5)],
    sent: [5, 3, 2, 3, 2, 1],
  },
  {
    name: "halves on, even where it was told not to wait",
    most: 1,
    steps: [track(), track(), track(), { flush: 0, told: { accepted: 1, queued: 2 } }, all(2)],
    sent: [3, 2, 1, 2, 1, 1],
  },
  {
    name: "gives up on an event that no request can hold, and says so",
    most: 0,
    steps: [track(), {
      flush: 20,
      told: { accepted: 0, undeliverable: 1, queued: 0 },
      verdicts: [{ status: "undeliverable" }],
    }],
    sent: [1],
  },
  {
    name: "keeps the events if the key is wrong, and sends them with the right one",
    settings: { key: "sb_secret_wrong" },
    steps: [
      track(),
      { flush: 20, error: "Refused", told: { status: 401, code: "bad_credentials" } },
      { as: "restart", settings: {} },
      all(1),
    ],
    sent: [1, 1],
  },
  {
    name: "follows nobody who points elsewhere",
    front: [{ status: 307, headers: { location: "http://127.0.0.1:9/" } }],
    steps: [track(), { flush: 20, error: "Refused", told: { status: 307 } }],
    sent: [1],
  },
  {
    name: "sends nothing without a key",
    settings: { key: "" },
    steps: [track(), { flush: 20, error: "Misconfigured" }],
    sent: [],
  },
  {
    name: "sends nothing without an address",
    settings: { url: "" },
    steps: [track(), { flush: 20, error: "Misconfigured" }],
    sent: [],
  },
  {
    name: "sends no key in the clear",
    settings: { url: "http://example.com/functions/v1/ingest" },
    steps: [track(), { flush: 20, error: "Misconfigured" }],
    sent: [],
  },
  {
    name: "hashes an address before it is queued",
    steps: [track(subscription), all(1)],
    sent: [1],
  },
  {
    name: "queues nothing that is no event",
    steps: [
      { track: 5, error: "BadEvent" },
      { track: [event()], error: "BadEvent" },
      { track: { ...subscription, email: "nobody" }, error: "BadEvent" },
      { track: event({ id: "../../etc/passwd", occurred_at: now() }), error: "BadEvent" },
      { track: event({ id: randomUUID() }), error: "BadEvent" },
      { track: event({ metadata: { content_id: "a".repeat(70_000) } }), error: "BadEvent" },
      { flush: 20, told: { accepted: 0, queued: 0 } },
    ],
    sent: [],
  },
  {
    name: "takes an id of the sender's own, and has an event once that is tracked twice",
    steps: [
      track(own),
      track(own),
      all(1),
      track(own),
      { flush: 20, told: { accepted: 0, replayed: 1, queued: 0 } },
    ],
    sent: [1, 1],
  },
  {
    name: "takes no more than its queue may hold, and loses none that it took",
    settings: { options: { maxEvents: 2 } },
    steps: [track(), track(), { track: event(), error: "QueueFull" }, all(2), track(), all(1)],
  },
  {
    name: "says of a damaged file that its event is lost, and sends the others",
    steps: [
      { file: { name: `${ID}.json`, text: '{"session_id": "se' } },
      track(),
      {
        flush: 20,
        told: { accepted: 1, undeliverable: 1, queued: 0 },
        verdicts: [{ id: ID, status: "undeliverable" }, { status: "accepted" }],
      },
    ],
    sent: [1],
  },
  {
    name: "removes what killed processes left unfinished, and leaves what is under way",
    steps: [
      { file: { name: "a.tmp", text: "{", hours: 2 } },
      { file: { name: "b.tmp", text: "{", hours: 0 } },
      track(),
      all(1),
    ],
    left: ["b.tmp"],
  },
  {
    name: "sends what another language has queued",
    steps: [track(), track(subscription), { as: "next language" }, all(2)],
    sent: [2],
  },
  {
    name: "sends every character as it is",
    steps: [track(event({ metadata: { content_id: 'Ünï — \u2028 🎈 "\\/', duration_seconds: 30.5 } })), all(1)],
  },
];
