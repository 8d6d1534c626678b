/** Turns a request body into what the store and the sender are given, around whichever validator judges the events. */
import { createHash } from "node:crypto";
import { hashEmail, hashEmailWeb, normalEmail } from "./email.ts";
import { redact } from "./privacy.ts";
import { compileRegistry } from "./types.ts";
import type { Contender, Context, Json, JudgeEvent, Members, Outcome, Registry, Request } from "./types.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

// An `undefined` member is left out by `JSON.stringify`.
type Row = { [key: string]: Json | undefined };
type Batch = {
  accepted: Row[];
  rejected: Members[];
  results: Members[];
  unhashed: { metadata: Members; email: string }[];
};

/** The contender that judges events in this way. */
export function contender(judgeEvent: JudgeEvent): Contender {
  let registry: Registry;
  let contract: string;
  let reasons: Record<string, string>;
  const contextOf = ({ caller, callerId, origin, receivedAt }: Request): Context => (
    { caller, callerId, origin, receivedAt, registry, contract, reasons }
  );
  return {
    load(snapshot, { fingerprint, rules }) {
      registry = compileRegistry(snapshot);
      contract = fingerprint;
      reasons = Object.fromEntries(rules.map(({ id, reason }) => [id, reason]));
    },
    judge(body, request) {
      const context = contextOf(request);
      const batch = judgeEvents(body, context, judgeEvent);
      for (const { metadata, email } of batch.unhashed) setHash(metadata, hashEmail(email));
      return serialise(batch, context);
    },
    async judgeWeb(body, request) {
      const context = contextOf(request);
      const batch = judgeEvents(body, context, judgeEvent);
      const hashes = await Promise.all(batch.unhashed.map(({ email }) => hashEmailWeb(email)));
      batch.unhashed.forEach(({ metadata }, at) => setHash(metadata, hashes[at]));
      return serialise(batch, context);
    },
  };
}

function judgeEvents(body: Uint8Array, context: Context, judgeEvent: JudgeEvent): Batch {
  const parsed: Json = JSON.parse(decoder.decode(body));
  const events = Array.isArray(parsed) ? parsed : [parsed];
  const batch: Batch = { accepted: [], rejected: [], results: [], unhashed: [] };
  for (let index = 0; index < events.length; index++) {
    const event = events[index];
    const violations = judgeEvent(event, context);
    if (violations.length === 0) accept(event as Row, index, context, batch);
    else reject(event, index, violations, context, batch);
  }
  return batch;
}

function accept(event: Row, index: number, context: Context, batch: Batch) {
  const id = typeof event.id === "string" ? event.id : crypto.randomUUID();
  // Nobody else holds the parsed event, so it becomes the row, which is far cheaper than copying it.
  event.index = index;
  event.id = id;
  event.site_id ??= context.registry.defaultSite;
  event.metadata ??= {};
  if (context.caller === "user" && event.user_id === undefined) event.user_id = context.callerId ?? null;
  const { email } = event;
  if (email !== undefined) {
    const normal = typeof email === "string" ? normalEmail(email) : undefined;
    event.email = undefined;
    if (normal !== undefined) batch.unhashed.push({ metadata: event.metadata as Members, email: normal });
  }
  batch.accepted.push(event);
  batch.results.push({ index, id, status: "accepted" });
}

function setHash(metadata: Members, hash: string) {
  metadata.email_hash = hash;
  metadata.email_hash_kind = "sha256";
}

function reject(event: Json, index: number, violations: readonly string[], context: Context, batch: Batch) {
  const fields = typeof event === "object" && event !== null && !Array.isArray(event) ? event : {};
  const id = validUuid(fields.id) ?? crypto.randomUUID();
  const rule = violations[0];
  const reason = context.reasons[rule];
  const text = encoder.encode(JSON.stringify(event));
  batch.rejected.push({
    index,
    id,
    user_id: null,
    session_id: typeof fields.session_id === "string" && fields.session_id.length >= 8
      ? fields.session_id
      : "unknown-session",
    event_source: "edge-function",
    site_id: validUuid(fields.site_id) ?? context.registry.defaultSite,
    metadata: {
      validation_rule_id: rule,
      validation_result: "rejected",
      rejection_reason: reason,
      violations: [...violations],
      original_payload_snapshot: redact(event),
      payload_sha256: createHash("sha256").update(text).digest("hex"),
      payload_bytes: text.length,
      source_system: "edge-function",
      contract: context.contract,
    },
  });
  batch.results.push({ index, id, status: "rejected", rule_id: rule, reason, violations: [...violations] });
}

function validUuid(value: Json | undefined): string | undefined {
  return typeof value === "string" && UUID.test(value) ? value : undefined;
}

function serialise({ accepted, rejected, results }: Batch, context: Context): Outcome {
  const batch = {
    contract: context.contract,
    registry: context.registry.version,
    source_system: "edge-function",
    caller: context.caller,
    caller_id: context.callerId ?? null,
    origin: context.origin ?? null,
    received_at: new Date(context.receivedAt).toISOString(),
    dry_run: false,
    rate: null,
    accepted,
    rejected,
  };
  const answer = {
    accepted: accepted.length,
    replayed: 0,
    rejected: rejected.length,
    contract: context.contract,
    results,
  };
  return {
    accepted: accepted.length,
    rejected: rejected.length,
    argument: encoder.encode(JSON.stringify({ batch })),
    answer: encoder.encode(JSON.stringify(answer)),
  };
}
