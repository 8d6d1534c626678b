/** What the contract's own module says of schemas and of keys, so that the installer has no list of either. */
import { check, loadRegistry } from "audience-gate/inline";

/**
 * An install's registry without its event types and rules, which have no part in what is asked here. Its personal words do.
 *
 * @param {string} snapshot
 */
export function moduleFor(snapshot) {
  // A snapshot that cannot be read is refused here, as a whole.
  loadRegistry(snapshot);
  const base = { ...JSON.parse(snapshot), event_types: [], own_rules: [] };
  loadRegistry(JSON.stringify(base));
  /** @type {Map<string, string | undefined>} */
  const known = new Map();

  /** The place of what the gate cannot judge by in a schema; undefined if it can judge by all. @param {unknown} schema */
  function fault(schema) {
    const text = JSON.stringify(schema);
    if (known.has(text)) return known.get(text);
    const rule = { id: "own.asked", mode: "enforce", category: null, event_type: null, schema, reasons: {} };
    const said = loadRegistry(JSON.stringify({ ...base, own_rules: [rule] }));
    loadRegistry(JSON.stringify(base));
    const place = said === undefined ? undefined : /mend (#.*)$/.exec(said)?.[1] ?? "#";
    // A whole schema is asked about once, what a keyword says again and again.
    if (text.length < 1000) known.set(text, place);
    return place;
  }

  return {
    fault,
    /** Whether the gate can judge by what a keyword says. @param {string} keyword @param {unknown} value */
    takes: (keyword, value) => fault({ [keyword]: value }) === undefined,
    isPersonal,
  };
}

/** The rules that an event of this type would break with this metadata, of those whose ids begin so. @param {string} beginning @param {string} type @param {string} category @param {Record<string, unknown>} metadata */
export function broken(beginning, type, category, metadata) {
  const event = { session_id: "plan-0001", event_type: type, event_category: category, event_source: "plan", metadata };
  return check(event, undefined, { caller: "trusted" }).violations.filter(({ rule_id }) =>
    rule_id.startsWith(beginning)
  );
}

/** @type {Map<string, boolean>} */
const asked = new Map();
/** Whether the gate refuses an event that has this key, with a value of this type. @param {string} key @param {unknown} type */
function isPersonal(key, type) {
  const values = { number: 1.5, integer: 7, boolean: true, object: { of: 1 }, array: ["of"] };
  const value = values[/** @type {keyof typeof values} */ (type)] ?? "of";
  const question = JSON.stringify([key, value]);
  const known = asked.get(question);
  if (known !== undefined) return known;
  const answer = broken("privacy.", "planned", "engagement", { [key]: value }).length > 0;
  asked.set(question, answer);
  return answer;
}
