/** The whole contract in tuned plain TypeScript: every violated rule, in the order of the contract. */
import { hashEmail, normalEmail } from "./email.ts";
import { codePoints, payloadHolds } from "./payload.ts";
import { inspect, namesBlockedJump, namesLike, namesScore, oversized } from "./privacy.ts";
import { readTime } from "./time.ts";
import type { Context, Json, Members } from "./types.ts";

const NONE: readonly string[] = [];
const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
const SHA256 = /^(?!(.)\1*$)[0-9a-f]{64}$/;
const EMPTY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const isHash = (value: Json | undefined) => typeof value === "string" && SHA256.test(value) && value !== EMPTY_HASH;
const INK = /[^\s\u0085]|\ufeff/;
const KNOWN = new Set([
  "id",
  "occurred_at",
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
  "site_id",
  "metadata",
  "email",
]);
const REQUIRED = ["session_id", "event_type", "event_category", "event_source"] as const;
const UTM = ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"] as const;
const CATEGORIES = new Set(["engagement", "subscription", "advocacy", "retention", "attribution", "system"]);
const EMPTY: Members = {};

const present = (value: Json | undefined) =>
  value !== undefined && value !== null && (typeof value !== "string" || INK.test(value));
const named = (value: Json | undefined) => typeof value === "number" || (typeof value === "string" && INK.test(value));
const isObject = (value: Json | undefined): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const atLeast = (value: Json | undefined, least: number, most = Infinity) =>
  typeof value === "number" && value >= least && value <= most;
const longerThan = (value: Json | undefined, most: number) =>
  typeof value === "string" && value.length > most && codePoints(value) > most;
const within = (text: string, least: number, most: number) => {
  if (text.length >= least * 2 && text.length <= most) return true;
  const length = codePoints(text);
  return length >= least && length <= most;
};

/** The ids of the rules that the event violates. Every accepted event gets the same empty list. */
export function violations(event: Json, context: Context): readonly string[] {
  if (!isObject(event)) return ["parse.shape"];
  const found: string[] = [];
  const seen = inspect(event);
  if (seen.tooDeep) found.push("parse.depth");
  if (seen.unstorableText) found.push("parse.text");
  if (seen.unstorableNumber) found.push("parse.number");
  if (found.length > 0) return found;

  for (const key in event) {
    if (!KNOWN.has(key)) {
      found.push("base.field_known");
      break;
    }
  }
  base(event, found);
  sanity(event, context, found);
  const metadata = isObject(event.metadata) ? event.metadata : EMPTY;
  category(event, metadata, context, found);
  if (namesBlockedJump(metadata, context.registry.blockedJumps)) found.push("state.escalation");
  if (seen.rawEmail) found.push("privacy.raw_email");
  if (seen.personalKey) found.push("privacy.personal_key");
  if (seen.personalValue) found.push("privacy.personal_value");
  identity(event, context, found);
  registry(event, metadata, context, found);
  return found.length === 0 ? NONE : found;
}

function base(event: Members, found: string[]) {
  if (badUuid(event.id)) found.push("base.id");
  if (badUuid(event.user_id)) found.push("base.user_id");
  if (badUuid(event.site_id)) found.push("base.site_id");
  for (const field of REQUIRED) {
    const value = event[field];
    if (typeof value !== "string" || !INK.test(value)) found.push(`base.${field}`);
  }
  for (const field of UTM) {
    const value = event[field];
    if (value !== undefined && value !== null && typeof value !== "string") {
      found.push("base.utm");
      break;
    }
  }
  const { metadata, occurred_at: occurredAt, email } = event;
  if (metadata !== undefined && metadata !== null && !isObject(metadata)) found.push("base.metadata");
  if (present(occurredAt) && (typeof occurredAt !== "string" || Number.isNaN(readTime(occurredAt)))) {
    found.push("base.occurred_at");
  }
  if (present(email) && !subscribes(event) && (typeof email !== "string" || normalEmail(email) === undefined)) {
    found.push("base.email");
  }
}

function badUuid(value: Json | undefined): boolean {
  return present(value) && (typeof value !== "string" || !UUID.test(value));
}

const subscribes = (event: Members) =>
  event.event_category === "subscription" && event.event_type === "email_subscribe";

function sanity(event: Members, context: Context, found: string[]) {
  const { event_type: type, session_id: session, event_category: category, occurred_at: occurredAt } = event;
  if (typeof type === "string" && INK.test(type) && !within(type, 3, 64)) found.push("sanity.event_type_length");
  if (typeof session === "string" && INK.test(session) && !within(session, 8, 128)) {
    found.push("sanity.session_id_length");
  }
  if (longerThan(event.event_source, 64) || UTM.some((field) => longerThan(event[field], 256))) {
    found.push("sanity.text_length");
  }
  if (isObject(event.metadata) && oversized(event.metadata, event.email)) found.push("sanity.metadata_size");
  if (typeof category === "string" && INK.test(category) && !CATEGORIES.has(category)) {
    found.push("sanity.event_category");
  }
  if (typeof occurredAt === "string") {
    const ahead = readTime(occurredAt) - context.receivedAt;
    if (ahead > 300_000 || ahead < -604_800_000) found.push("sanity.occurred_at_window");
  }
}

function category(event: Members, metadata: Members, context: Context, found: string[]) {
  switch (event.event_category) {
    case "engagement":
      return engagement(event, metadata, found);
    case "subscription":
      return subscription(event, metadata, found);
    case "advocacy":
      if (!present(metadata.platform)) found.push("advocacy.platform");
      if (!present(metadata.share_type)) found.push("advocacy.share_type");
      if (event.event_type === "referral_click" && !present(metadata.outbound_target)) {
        found.push("advocacy.outbound_target");
      }
      if (namesLike(event.event_type) || namesLike(metadata.share_type)) found.push("advocacy.not_like");
      return;
    case "retention":
      return retention(metadata, context, found);
    case "attribution":
      if (!present(metadata.landing_page)) found.push("attribution.landing_page");
      if (present(event.utm_campaign) && !(present(event.utm_source) && present(event.utm_medium))) {
        found.push("attribution.utm_complete");
      }
      return;
    case "system":
      for (const key of ["validation_rule_id", "validation_result", "source_system"]) {
        if (!present(metadata[key])) found.push(`system.${key}`);
      }
      if (
        event.event_type === "event_validation_fail" &&
        !(present(metadata.rejection_reason) && metadata.original_payload_snapshot !== undefined)
      ) {
        found.push("system.audit_complete");
      }
      if (namesScore({ ...metadata, original_payload_snapshot: null })) found.push("system.no_score");
      if (context.caller !== "trusted") found.push("system.trusted_caller");
  }
}

function engagement(event: Members, metadata: Members, found: string[]) {
  const { duration_seconds: duration, scroll_depth_percent: depth } = metadata;
  if (!named(metadata.content_id) && !named(metadata.page_path)) found.push("engagement.subject");
  if ((present(duration) && !atLeast(duration, 0)) || (present(depth) && !atLeast(depth, 0, 100))) {
    found.push("engagement.measure");
  }
  if (event.event_type !== "content_view") return;
  if (!present(duration) && !present(depth)) found.push("engagement.content_view_evidence");
  if (!atLeast(duration, 20) && !atLeast(depth, 30)) found.push("engagement.content_view_threshold");
}

function subscription(event: Members, metadata: Members, found: string[]) {
  if (!present(metadata.channel)) found.push("subscription.channel");
  if (metadata.consent_recorded !== true) found.push("subscription.consent");
  const { email_hash: hash } = metadata;
  if (event.event_type !== "email_subscribe") {
    if (present(hash) && !isHash(hash)) found.push("subscription.email_hash");
    return;
  }
  const { email } = event;
  const addressed = present(email);
  const hashed = present(hash);
  const sound = (addressed || hashed) &&
    (!addressed || (typeof email === "string" && normalEmail(email) !== undefined)) &&
    (!hashed || isHash(hash)) &&
    (!addressed || !hashed || hashEmail(normalEmail(email as string)!) === hash);
  if (!sound) found.push("subscription.email_hash");
}

function retention(metadata: Members, context: Context, found: string[]) {
  const { registry } = context;
  const { prior_state: from, new_state: to, rule_id: rule } = metadata;
  if (typeof from !== "string" || !registry.states.has(from)) found.push("retention.prior_state");
  if (typeof to !== "string" || !registry.states.has(to)) found.push("retention.new_state");
  if (!atLeast(metadata.inactivity_days, 0)) found.push("retention.inactivity_days");
  if (!present(rule)) found.push("retention.rule_id");
  else if (typeof rule !== "string" || !registry.rules.has(rule)) found.push("retention.rule_recognised");
  const terms = typeof rule === "string" ? registry.rules.get(rule) : undefined;
  if (
    terms && !(
      (terms.prior_state === null || terms.prior_state === from) &&
      (terms.new_state === null || terms.new_state === to) &&
      (terms.inactivity_days === null || atLeast(metadata.inactivity_days, terms.inactivity_days))
    )
  ) {
    found.push("retention.rule_terms");
  }
  if (context.caller !== "trusted") found.push("retention.trusted_caller");
}

function identity(event: Members, context: Context, found: string[]) {
  const { user_id: user, site_id: site } = event;
  if (context.caller !== "trusted" && present(user)) {
    const own = context.caller === "user" && typeof user === "string" && user.toLowerCase() === context.callerId;
    if (!own) found.push("identity.user_id");
  }
  if (present(site) && (typeof site !== "string" || !UUID.test(site))) return;
  const { sites, defaultSite } = context.registry;
  const origins = sites.get(typeof site === "string" && present(site) ? site.toLowerCase() : defaultSite);
  if (origins === undefined || (origins && context.origin && !origins.has(context.origin))) found.push("identity.site");
}

function registry(event: Members, metadata: Members, context: Context, found: string[]) {
  const { event_type: type, event_category: category } = event;
  if (typeof type !== "string" || !INK.test(type)) return;
  const entry = context.registry.types.get(type);
  if (!entry) return void found.push("registry.event_type");
  if (typeof category === "string" && CATEGORIES.has(category) && category !== entry.category) {
    found.push("registry.event_category");
  }
  if (entry.payload && !payloadHolds(entry.payload, metadata)) found.push("registry.payload");
}
