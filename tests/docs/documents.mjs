import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export const GUIDES = "docs/guides";

/** Every document at the top of the repository that people wrote, and the guides; the generated ones have tests of their own. */
export const documents = [...readdirSync(root), ...readdirSync(join(root, GUIDES)).map((name) => join(GUIDES, name))]
  .filter((name) => name.endsWith(".md"))
  .filter((name) => !/^<!-- .*(generated|npm run)/i.test(readFileSync(join(root, name), "utf8")));

/**
 * @typedef {object} Block a fenced block, and the one right after it if that is its answer
 * @property {string} document
 * @property {number} line
 * @property {string} language
 * @property {string} text
 * @property {{ language: string, text: string } | undefined} answer
 */

/** @param {string} document @returns {Block[]} */
export function blocks(document) {
  const source = readFileSync(join(root, document), "utf8");
  const found = [...source.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    document,
    line: source.slice(0, match.index).split("\n").length,
    language: match[1],
    text: match[2],
    start: match.index,
    end: match.index + match[0].length,
  }));
  return found.map((block, index) => {
    const next = found[index + 1];
    const adjacent = next && source.slice(block.end, next.start).trim() === "";
    return { ...block, answer: adjacent ? { language: next.language, text: next.text } : undefined };
  });
}

/** The commands of a shell block, continued lines joined. @param {string} text */
export function commands(text) {
  return text.replaceAll(/\\\n\s*/g, "").split("\n").map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
