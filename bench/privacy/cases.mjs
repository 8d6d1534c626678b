/** One metadata object to judge, as JSON text, and what in it is personal, if anything is. */

/** @typedef {{ metadata: string, personal?: string }} Case */
/**
 * @typedef {object} Kind
 * @property {string} group
 * @property {string} name
 * @property {Case[]} cases
 */

/** A text under a key. @param {string} key @param {string} text @param {string} [personal] @returns {Case} */
export const text = (key, text, personal) => ({ metadata: JSON.stringify({ [key]: text }), personal });

/** A JSON number under a key, with the digits as they are. @param {string} key @param {string} digits @returns {Case} */
export const number = (key, digits) => ({ metadata: `{${JSON.stringify(key)}:${digits}}`, personal: digits });

/** @template T @param {number} many @param {(index: number) => T} make */
export const times = (many, make) => Array.from({ length: many }, (_, index) => make(index));
