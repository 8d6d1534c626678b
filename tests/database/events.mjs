import { createHash, createHmac, randomBytes, randomUUID } from "node:crypto";
import { signingKeys } from "./postgres.mjs";

/** @typedef {import("pg").Client} Client */
/** @typedef {Record<string, unknown>} Event */

/** A new session, so that cases on one database do not meet. The digits of a whole UUID never count as a card's. */
export const newSession = () => `session-${randomUUID()}`;

/** An event the contract accepts. @param {Event} [members] @returns {Event} */
export function event(members = {}) {
  return {
    id: randomUUID(),
    session_id: newSession(),
    event_type: "page_view",
    event_category: "engagement",
    event_source: "web",
    metadata: { page_path: "/pricing" },
    ...members,
  };
}

/** Seconds from now, as a sender writes it. @param {number} base milliseconds since the epoch @param {number} seconds */
export const at = (base, seconds) => new Date(base + Math.round(seconds * 1000)).toISOString();

/**
 * A batch as the function makes it: with the fingerprint and registry version of this database, so that, signed, only
 * what depends on the table is judged.
 * @param {Client} client @param {Event[]} events @param {Event} [members] of the batch @returns {Promise<Event>}
 */
export async function batchOf(client, events, members = {}) {
  const { rows: [proof] } = await client.query(
    "select audience_gate.contract_fingerprint() as contract, audience_gate.registry() ->> 'version' as registry",
  );
  return {
    ...proof,
    source_system: "edge-function",
    caller: "trusted",
    caller_id: null,
    origin: null,
    received_at: new Date().toISOString(),
    dry_run: false,
    rate: null,
    accepted: events.map((sent, index) => ({ index, ...sent })),
    rejected: [],
    ...members,
  };
}

/** What proves who judged a body. @param {string} key @param {string} body @param {number} [time] */
export function signatureOf(key, body, time = Date.now()) {
  const nonce = randomBytes(16).toString("hex");
  const id = createHash("sha256").update(`audience-gate key id|${key}`).digest("hex").slice(0, 16);
  const digest = createHmac("sha256", Buffer.from(key, "hex")).update(`${time}.${nonce}.${body}`).digest("hex");
  return `t=${time},n=${nonce},k=${id},s=${digest}`;
}

/** Sends a body under a signature. @param {Client} client @param {string} body @param {string} signature */
export async function sendSigned(client, body, signature) {
  const { rows: [{ answer }] } = await client.query(
    "select public.ingest_audience_events_signed($1, $2) as answer",
    [body, signature],
  );
  return answer;
}

/** Sends a batch as a caller does who proves nothing. @param {Client} client @param {Event} batch */
export async function sendUnsigned(client, batch) {
  const { rows: [{ answer }] } = await client.query(
    "select public.ingest_audience_events($1) as answer",
    [JSON.stringify(batch)],
  );
  return answer;
}

/**
 * Sends a batch the way the function does: signed, or as before 0.2.0 where the server began with less.
 * @param {Client} client @param {Event[]} events @param {Event} [members]
 */
export async function ingest(client, events, members = {}) {
  const batch = await batchOf(client, events, members);
  const key = signingKeys.get(String(client.port));
  if (!key) return sendUnsigned(client, batch);
  const body = JSON.stringify({ batch });
  return sendSigned(client, body, signatureOf(key, body));
}

const COLUMNS = [
  "id",
  "user_id",
  "session_id",
  "event_type",
  "event_category",
  "event_source",
  "utm_source",
  "utm_medium",
  "utm_campaign",
  "utm_content",
  "utm_term",
  "metadata",
  "site_id",
  "occurred_at",
];

/** Inserts rows directly, in one statement, under the enforcement. @param {Client} client @param {Event[]} events */
export async function insert(client, events) {
  const columns = COLUMNS.filter((column) => events.some((sent) => column in sent));
  await client.query(
    `insert into public.audience_events (${columns})
     select ${columns} from jsonb_populate_recordset(null::public.audience_events, $1)`,
    [JSON.stringify(events)],
  );
}

/** How many events of some sessions or ids the log holds. @param {Client} client @param {"session_id" | "id"} column @param {unknown[]} values */
export async function counted(client, column, values) {
  const { rows: [counts] } = await client.query(
    `select count(*) filter (where not rejected)::int as accepted, count(*) filter (where rejected)::int as audited
     from public.audience_events where ${column} = any ($1)`,
    [values],
  );
  return counts;
}
