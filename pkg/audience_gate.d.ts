/* tslint:disable */
/* eslint-disable */
/** Bytes in a buffer that nobody else writes to. */
export type Bytes = ReturnType<Uint8Array["slice"]>;

/** Who sends: nobody known, a signed-in user, or a back end with a secret key. */
export type Caller = "visitor" | "user" | "trusted";

/** What an install has registered, as `audience_gate.registry()` and `GET …/registry` give it. */
export interface Registry {
    readonly version: string;
    readonly default_site: string;
    readonly event_types: readonly { readonly id: string; readonly category: string; readonly payload_schema?: object | null }[];
    readonly rules: readonly string[];
    readonly states: readonly string[];
    readonly blocked_jumps: readonly (readonly [from: string, to: string])[];
    /** The rules of the install's own; those in `enforce` are judged by. */
    readonly own_rules?: readonly OwnRule[];
    readonly sites?: readonly { readonly id: string; readonly origins: readonly string[] | null }[];
}

/** A row of `public.audience_own_rules`. */
export interface OwnRule {
    readonly id: OwnRuleId;
    readonly category: string | null;
    readonly event_type: string | null;
    readonly site_id: string | null;
    /** A JSON Schema over the event. */
    readonly schema: object | boolean;
    readonly mode: "observe" | "enforce";
    readonly reasons: { readonly en: string; readonly [language: string]: string };
}

export type OwnRuleId = `own.${string}`;

export interface Violation {
    readonly rule_id: RuleId | OwnRuleId;
    /** What is wrong, why it matters, what to send instead. */
    readonly reason: string;
    /** Where to look, as a JSON pointer into the event. */
    readonly path: string;
}

export interface Verdict {
    readonly accepted: boolean;
    /** Every violated rule, in the order of the contract, and after them those of the install's own. */
    readonly violations: readonly Violation[];
}

/** Of whom and of when an event is judged; what is left out is not held against it. */
export interface CheckContext {
    readonly caller?: Caller;
    readonly callerId?: string | null;
    readonly origin?: string | null;
    /** Milliseconds since 1970. */
    readonly receivedAt?: number;
}

/** Judges one event, given as JSON text, as its bytes or as an object; by the loaded registry unless one is given. */
export function check(
event: string | Uint8Array | object,
registry?: Registry | string | Uint8Array | null,
context?: CheckContext,
): Verdict;

/**
 * Takes the registry that events are judged by from now on. Until then the rules that need one are left to the server.
 * Throws where the snapshot cannot be read, and keeps the registry it had. Returns what of it cannot be judged by here, if
 * anything: the server judges by that.
 */
export function loadRegistry(registry: Registry | string | Uint8Array): string | undefined;

export interface JudgeContext {
    readonly caller: Caller;
    readonly callerId?: string | null;
    readonly origin?: string | null;
    /** Milliseconds since 1970. */
    readonly receivedAt: number;
    /** Sixteen random bytes; the ids of events that came without one derive from them. */
    readonly seed: Uint8Array;
    /** One event a line, instead of one JSON text. */
    readonly ndjson?: boolean;
    readonly dryRun?: boolean;
    /** Which system judges; `edge-function` where nothing is said. */
    readonly sourceSystem?: string;
    /** JSON text that travels to the store as it is. */
    readonly rate?: string;
    /** Keys the hash of an e-mail address, whether the address was sent or its hash. */
    readonly pepper?: string;
}

export interface Judgement {
    /** How many events there were. Of more than 1000, only the first 1000 are judged: refuse such a body. */
    readonly total: number;
    readonly accepted: number;
    readonly rejected: number;
    /** False: the body is not JSON at all. */
    readonly readable: boolean;
    /** The finished body of `rpc/ingest_audience_events`. */
    readonly argument: Bytes;
    /** The finished answer, should the store take everything. */
    readonly answer: Bytes;
}

/** Judges a whole request body: one event, an array, `{"events": […]}`, or NDJSON. */
export function judge(body: Uint8Array, context: JudgeContext): Judgement;

/**
 * The hash that is stored instead of an e-mail address, which with a pepper is the HMAC-SHA-256 of its SHA-256; undefined
 * where it is not a valid one.
 */
export function hashEmail(email: string, pepper?: string): string | undefined;

/** A text, or JSON as text, with everything personal replaced. */
export function redact(text: string): string;

export interface Rule {
    readonly id: RuleId;
    /** From the user's document word for word, or closing a hole in it. */
    readonly kind: "contract" | "guard";
    /** The category that it binds; null binds every event. */
    readonly category: EventCategory | null;
    readonly when: string;
    readonly must: string;
    readonly reason: string;
    readonly path: string;
    /** The text of an event that satisfies the contract. */
    readonly accepts: string;
    /** A text whose first violation is this rule. */
    readonly rejects: string;
}

/** The rules, their version, and the fingerprint by which engines know that they judge alike. */
export function contract(): { readonly version: string; readonly fingerprint: string; readonly rules: readonly Rule[] };


// Generated by `npm run emit` from src/contract/rules.rs and taxonomy.json; do not edit.

/** The id of a rule: public, and it never changes its meaning. */
export type RuleId =
| "parse.json"
| "parse.shape"
| "parse.depth"
| "parse.text"
| "parse.number"
| "parse.duplicate_key"
| "base.field_known"
| "base.id"
| "base.user_id"
| "base.site_id"
| "base.session_id"
| "base.event_type"
| "base.event_category"
| "base.event_source"
| "base.utm"
| "base.metadata"
| "base.occurred_at"
| "base.email"
| "sanity.event_type_length"
| "sanity.session_id_length"
| "sanity.text_length"
| "sanity.metadata_size"
| "sanity.event_category"
| "sanity.occurred_at_window"
| "engagement.subject"
| "engagement.measure"
| "engagement.content_view_evidence"
| "engagement.content_view_threshold"
| "subscription.channel"
| "subscription.consent"
| "subscription.email_hash"
| "advocacy.platform"
| "advocacy.share_type"
| "advocacy.outbound_target"
| "advocacy.not_like"
| "retention.prior_state"
| "retention.new_state"
| "retention.inactivity_days"
| "retention.rule_id"
| "retention.rule_recognised"
| "retention.rule_terms"
| "retention.trusted_caller"
| "attribution.landing_page"
| "attribution.utm_complete"
| "system.validation_rule_id"
| "system.validation_result"
| "system.source_system"
| "system.audit_complete"
| "system.no_score"
| "system.trusted_caller"
| "state.escalation"
| "privacy.raw_email"
| "privacy.personal_key"
| "privacy.personal_value"
| "privacy.secret"
| "identity.user_id"
| "identity.id_reuse"
| "identity.site"
| "registry.event_type"
| "registry.event_category"
| "registry.payload"
| "duplicate.double_fire";

export type EventCategory = "engagement" | "subscription" | "advocacy" | "retention" | "attribution" | "system";

/** What every event has, whatever its category. */
export interface EventBase {
    /** UUID; the idempotency key; if it is absent, the gate makes one */
    id?: string;
    /** RFC 3339; the sender's clock, at most 5 minutes after and 7 days before receipt; microseconds, further digits are cut */
    occurred_at?: string;
    /** UUID or null; who did it */
    user_id?: string | null;
    /** string of 8 to 128 characters; the session it happened in */
    session_id: string;
    /** string of 3 to 64 characters; an active entry of the event registry */
    event_type: string;
    /** string of at most 64 characters; the system that saw it */
    event_source: string;
    /** string of at most 256 characters, or null */
    utm_source?: string | null;
    /** string of at most 256 characters, or null */
    utm_medium?: string | null;
    /** string of at most 256 characters, or null */
    utm_campaign?: string | null;
    /** string of at most 256 characters, or null */
    utm_content?: string | null;
    /** string of at most 256 characters, or null */
    utm_term?: string | null;
    /** UUID; if it is absent, the default site */
    site_id?: string;
    /** string; input only: replaced by metadata.email_hash, never stored */
    email?: string;
}

export interface EngagementEvent extends EventBase {
    event_category: "engagement";
    metadata?: {
        /** string or number; what the visitor engaged with */
        content_id?: unknown;
        /** string or number; the page it happened on */
        page_path?: unknown;
        /** number of at least 0 */
        duration_seconds?: number;
        /** number from 0 to 100 */
        scroll_depth_percent?: number;
        [key: string]: unknown;
    };
}

export interface SubscriptionEvent extends EventBase {
    event_category: "subscription";
    metadata: {
        /** the channel subscribed to */
        channel: unknown;
        /** exactly true */
        consent_recorded: true;
        /** 64 lower-case hex digits */
        email_hash?: string;
        [key: string]: unknown;
    };
}

export interface AdvocacyEvent extends EventBase {
    event_category: "advocacy";
    metadata: {
        /** where it was shared */
        platform: unknown;
        /** how it was shared; never a like */
        share_type: unknown;
        /** where the referral leads */
        outbound_target?: unknown;
        [key: string]: unknown;
    };
}

export interface RetentionEvent extends EventBase {
    event_category: "retention";
    metadata: {
        /** a registered state */
        prior_state: string;
        /** a registered state */
        new_state: string;
        /** number of at least 0 */
        inactivity_days: number;
        /** an active rule of the registry */
        rule_id: unknown;
        [key: string]: unknown;
    };
}

export interface AttributionEvent extends EventBase {
    event_category: "attribution";
    metadata: {
        /** the page the visit began on */
        landing_page: unknown;
        [key: string]: unknown;
    };
}

export interface SystemEvent extends EventBase {
    event_category: "system";
    metadata: {
        /** the rule that was violated first */
        validation_rule_id: unknown;
        /** the outcome of the validation */
        validation_result: unknown;
        /** the system that judged */
        source_system: unknown;
        /** why the event was rejected */
        rejection_reason?: unknown;
        /** the rejected event, redacted */
        original_payload_snapshot?: unknown;
        [key: string]: unknown;
    };
}

/** An event as its sender writes it. */
export type AudienceEvent =
| EngagementEvent
| SubscriptionEvent
| AdvocacyEvent
| RetentionEvent
| AttributionEvent
| SystemEvent;



export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_road_free: (a: number, b: number) => void;
    readonly hashEmail: (a: number, b: number, c: number, d: number) => [number, number];
    readonly loadRegistry: (a: any) => [number, number, number, number];
    readonly redact: (a: number, b: number) => [number, number];
    readonly road_check: (a: number, b: number) => void;
    readonly road_given: (a: any) => any;
    readonly road_input: (a: number) => number;
    readonly road_judge: (a: number, b: number, c: number) => void;
    readonly road_record: () => number;
    readonly road_terms: (a: any) => any;
    readonly start: () => void;
    readonly __wbindgen_malloc: (a: number, b: number) => number;
    readonly __wbindgen_free: (a: number, b: number, c: number) => void;
    readonly __wbindgen_exn_store: (a: number) => void;
    readonly __externref_table_alloc: () => number;
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
    readonly __externref_table_dealloc: (a: number) => void;
    readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
