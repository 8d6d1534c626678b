import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../runner/paths.mjs";
import { snapshot } from "../../web/shared/snapshot.mjs";

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} text the event as it is sent
 * @property {"visitor" | "user" | "trusted"} caller
 * @property {string | null} [callerId]
 * @property {string | null} [origin]
 * @property {string[]} [violates] every violated rule, in order
 * @property {boolean} [only_in_text] whether a value read from the text no longer shows the fault
 * @property {string} [first] the first violated rule, if only that is written down
 */

/** @typedef {{ id: string, accepts: string, rejects: string }} Rule */
/** @typedef {{ description: string, text?: string, event?: object, caller?: Case["caller"], caller_id?: string | null, origin?: string | null, violates: string[], only_in_text?: boolean }} Written */

const read = (/** @type {string} */ path) => JSON.parse(readFileSync(join(root, path), "utf8"));

/** The registry that ships, as a snapshot. */
export const registry = () => snapshot(read("taxonomy.json"));

/** The moment at which every example and every corpus case is judged. */
export const RECEIVED_AT = Date.parse("2026-11-21T12:00:00Z");

// Only the store can look up what was recorded before.
const OF_THE_STORE = new Set(["identity.id_reuse", "duplicate.double_fire"]);
const NEEDS_A_VISITOR = new Set(["identity.user_id", "retention.trusted_caller", "system.trusted_caller"]);

/** Both examples of every rule. @returns {Case[]} */
function examples() {
  const { rules } = /** @type {{ rules: Rule[] }} */ (read("contract.json"));
  return rules.flatMap(({ id, accepts, rejects }) => [
    { name: `${id} accepts`, text: accepts, caller: "trusted", violates: [] },
    {
      name: `${id} rejects`,
      text: rejects,
      caller: NEEDS_A_VISITOR.has(id) ? "visitor" : "trusted",
      ...(OF_THE_STORE.has(id) ? { violates: [] } : { first: id }),
    },
  ]);
}

/** The written corpus that every engine reads. @returns {Case[]} */
function corpus() {
  const folder = join(root, "tests/corpus");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith(".json")).sort().flatMap((file) =>
    /** @type {Written[]} */ (read(`tests/corpus/${file}`)).map((one, index) => ({
      name: `${file} ${index}: ${one.description}`,
      text: one.text ?? JSON.stringify(one.event),
      caller: one.caller ?? "trusted",
      callerId: one.caller_id,
      origin: one.origin,
      violates: one.violates,
      only_in_text: one.only_in_text,
    }))
  );
}

export function expected() {
  return { registry: registry(), receivedAt: RECEIVED_AT, cases: [...examples(), ...corpus()] };
}
