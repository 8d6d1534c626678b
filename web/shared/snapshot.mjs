// From the taxonomy as it is written to the snapshot that the contract judges with.

/**
 * @typedef {{ id: string, category: string, payload_schema: object | null, active?: boolean }} EventType
 * @typedef {{ id: string, prior_state: string | null, new_state: string | null, inactivity_days: number | null, active?: boolean }} Rule
 * @typedef {{ from_state: string, to_state: string }} Jump
 *
 * The fields of `taxonomy.json` that a snapshot takes.
 * @typedef {{ version: string, default_site: { id: string }, event_types: EventType[], rules: Rule[], states: { id: string }[], blocked_jumps: Jump[] }} Taxonomy
 */

/** Its one site is the default one, which takes every origin. */
export function snapshot(/** @type {Taxonomy} */ taxonomy) {
  const active = (/** @type {{ active?: boolean }} */ entry) => entry.active !== false;
  return {
    version: taxonomy.version,
    default_site: taxonomy.default_site.id,
    event_types: taxonomy.event_types.filter(active).map(({ id, category, payload_schema }) => ({
      id,
      category,
      payload_schema,
    })),
    rules: taxonomy.rules.filter(active).map(({ id }) => id),
    rule_terms: taxonomy.rules.filter(active).map(({ id, prior_state, new_state, inactivity_days }) => ({
      id,
      prior_state,
      new_state,
      inactivity_days,
    })),
    states: taxonomy.states.map(({ id }) => id),
    blocked_jumps: taxonomy.blocked_jumps.map((
      { from_state, to_state },
    ) => /** @type {[from: string, to: string]} */ ([from_state, to_state])),
    personal_words: /** @type {string[]} */ ([]),
    own_rules: /** @type {never[]} */ ([]),
    sites: [{ id: taxonomy.default_site.id, origins: null }],
  };
}
