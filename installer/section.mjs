/**
 * A section of ours in a file of somebody's own, between two comments, at its end. Every other byte stays as it is: a file
 * whose last line is not ended has no ended line afterwards either, which is how taking the section out knows.
 */
const BEGIN = "# audience-gate: begin";
const END = "# audience-gate: end";

const lineEnd = (/** @type {string} */ text) => /\r\n/.test(text) ? "\r\n" : "\n";

/** The section with its comments, or undefined if the text has no section. @param {string} text */
export function section(text) {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  return begin < 0 || end < begin ? undefined : text.slice(begin, end + END.length);
}

/** The lines of the section. @param {string} text */
export const sectionLines = (text) => section(text)?.split(/\r?\n/).slice(1, -1) ?? [];

/** A text with the section, new or in place of the one it had. @param {string} text @param {string[]} lines */
export function withSection(text, lines) {
  const eol = lineEnd(text);
  const made = [BEGIN, ...lines, END].join(eol);
  const old = section(text);
  if (old !== undefined) return text.replace(old, () => made);
  if (text === "") return `${made}${eol}`;
  return text.endsWith("\n") ? `${text}${eol}${made}${eol}` : `${text}${eol}${eol}${made}`;
}

/** A text as it was before the section. @param {string} text */
export function withoutSection(text) {
  const old = section(text);
  if (old === undefined) return text;
  const eol = lineEnd(text);
  const at = text.indexOf(old);
  const before = text.slice(0, at);
  const after = text.slice(at + old.length);
  if (before === "") return after.startsWith(eol) ? after.slice(eol.length) : after;
  // The empty line before it goes too, and so does one line end: its own, or if it has none, that of the line before.
  const kept = before.endsWith(eol) ? before.slice(0, -eol.length) : before;
  if (after === "") return kept.endsWith(eol) ? kept.slice(0, -eol.length) : kept;
  return kept + (after.startsWith(eol) ? after.slice(eol.length) : after);
}
