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
