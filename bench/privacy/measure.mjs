/** Judges every case with the real module, as the metadata of an event, and counts. */
import { check, redact } from "../../pkg/inline.js";

/** @typedef {import("./cases.mjs").Case} Case */
/**
 * @typedef {object} Measured
 * @property {string} group
 * @property {string} name
 * @property {number} cases
 * @property {number} found how many a privacy rule refused
 * @property {number} left of those found, how many still showed the personal value after redaction
 * @property {string[]} wrong the metadata of every case that was judged wrongly
 */

/** The rules of privacy that an event with this metadata breaks. @param {string} metadata */
export const broken = (metadata) =>
  check(
    `{"session_id":"privacy-figures","event_type":"share_click","event_category":"advocacy","event_source":"bench","metadata":${metadata}}`,
  ).violations.map(({ rule_id }) => rule_id).filter((id) => id.startsWith("privacy."));

/** @param {Case} one */
function survives({ metadata, personal }) {
  const redacted = redact(metadata);
  return (personal !== undefined && redacted.includes(JSON.stringify(personal).slice(1, -1))) ||
    broken(redacted).length > 0;
}

/** @param {import("./cases.mjs").Kind[]} kinds @param {"personal" | "harmless"} are @returns {Measured[]} */
export function measure(kinds, are) {
  return kinds.map(({ group, name, cases }) => {
    const found = cases.filter(({ metadata }) => broken(metadata).length > 0);
    const is = new Set(found);
    const wrong = are === "personal" ? cases.filter((one) => !is.has(one)) : found;
    return {
      group,
      name,
      cases: cases.length,
      found: found.length,
      left: are === "personal" ? found.filter(survives).length : 0,
      wrong: wrong.map(({ metadata }) => metadata),
    };
  });
}
