/** The registry and the contract that every contender is told, from the files that the whole project is built from. */
import contractDocument from "../contract.json" with { type: "json" };
import registry from "../taxonomy.json" with { type: "json" };
import type { PayloadSchema, Snapshot } from "./contenders/types.ts";

export const contract = contractDocument;

export const snapshot: Snapshot = {
  version: registry.version,
  default_site: registry.default_site.id,
  event_types: registry.event_types.map(({ id, category, payload_schema }) => ({
    id,
    category,
    payload_schema: payload_schema as PayloadSchema | null,
  })),
  rules: registry.rules.map(({ id }) => id),
  rule_terms: registry.rules.map(({ id, prior_state, new_state, inactivity_days }) => ({
    id,
    prior_state,
    new_state,
    inactivity_days,
  })),
  states: registry.states.map(({ id }) => id),
  blocked_jumps: registry.blocked_jumps.map(({ from_state, to_state }) => [from_state, to_state]),
  sites: [{ id: registry.default_site.id, origins: null }],
};
