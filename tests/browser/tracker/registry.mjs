// The default taxonomy as the snapshot that `GET …/registry` answers with.
import { readFileSync } from "node:fs";

const file = new URL("../../../taxonomy.json", import.meta.url);

export function registrySnapshot() {
  const registry = JSON.parse(readFileSync(file, "utf8"));
  return {
    version: registry.version,
    default_site: registry.default_site.id,
    event_types: registry.event_types.map(({ id, category, payload_schema }) => ({ id, category, payload_schema })),
    rules: registry.rules.map((rule) => rule.id),
    states: registry.states.map((state) => state.id),
    blocked_jumps: registry.blocked_jumps.map(({ from_state, to_state }) => [from_state, to_state]),
  };
}
