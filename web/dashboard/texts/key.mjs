/**
 * By what a text is found in the table of a language: the page has the English of each text already, and sending it again
 * with every translation would double a table.
 *
 * @param {string} text
 * @returns {string}
 */
export function keyOf(text) {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 8).toString(36);
}
