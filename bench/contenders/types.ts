/** The types that the JavaScript contenders share. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Members = { [key: string]: Json };

export type PayloadProperty = {
  type?: "string" | "number" | "integer" | "boolean" | "object" | "array";
  enum?: Json[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
};
export type PayloadSchema = {
  properties: Record<string, PayloadProperty>;
  required: string[];
  additionalProperties?: boolean;
};

export type Snapshot = {
  version: string;
  default_site: string;
  event_types: { id: string; category: string; payload_schema: PayloadSchema | null }[];
  rules: string[];
  rule_terms: Terms[];
  states: string[];
  blocked_jumps: [string, string][];
  sites: { id: string; origins: string[] | null }[];
};

/** The registry in the form in which the contenders look things up. */
export type Registry = {
  version: string;
  defaultSite: string;
  types: Map<string, { category: string; payload: PayloadSchema | null }>;
  rules: Map<string, Terms>;
  states: Set<string>;
  blockedJumps: Set<string>;
  sites: Map<string, Set<string> | null>;
};

export type Caller = "visitor" | "user" | "trusted";

export type Context = {
  caller: Caller;
  callerId?: string | null;
  origin?: string | null;
  receivedAt: number;
  registry: Registry;
  /** The fingerprint and the reasons of the contract, by rule id. */
  contract: string;
  reasons: Record<string, string>;
};

/** The result of judging a body: the same facts from every contender. */
export type Outcome = { accepted: number; rejected: number; argument: Uint8Array; answer: Uint8Array };

/** What comes with a body. */
export type Request = Pick<Context, "caller" | "callerId" | "origin" | "receivedAt">;

/** What a rule demands of the change that it explains; null demands nothing. */
export type Terms = {
  id: string;
  prior_state: string | null;
  new_state: string | null;
  inactivity_days: number | null;
};

/** A way to judge bodies, once it knows the registry and the contract. */
export type Contender = {
  load(snapshot: Snapshot, contract: { fingerprint: string; rules: readonly { id: string; reason: string }[] }): void;
  judge(body: Uint8Array, request: Request): Outcome;
  /** The same with e-mails hashed by WebCrypto. */
  judgeWeb?(body: Uint8Array, request: Request): Promise<Outcome>;
};

/** The violated rules of one parsed event, in order; an empty list if it is accepted. */
export type JudgeEvent = (event: Json, context: Context) => readonly string[];

export function compileRegistry(snapshot: Snapshot): Registry {
  return {
    version: snapshot.version,
    defaultSite: snapshot.default_site,
    types: new Map(
      snapshot.event_types.map(({ id, category, payload_schema }) => [id, { category, payload: payload_schema }]),
    ),
    rules: new Map(snapshot.rule_terms.map((terms) => [terms.id, terms])),
    states: new Set(snapshot.states),
    blockedJumps: new Set(snapshot.blocked_jumps.map(([from, to]) => `${from} ${to}`.toLowerCase())),
    sites: new Map(snapshot.sites.map(({ id, origins }) => [id, origins && new Set(origins)])),
  };
}
