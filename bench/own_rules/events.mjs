/** The page views of the corpus that the validators are measured on. */
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "../../tests/runner/paths.mjs";

const { outputFiles: [script] } = await build({
  entryPoints: [join(root, "bench/corpus.ts")],
  bundle: true,
  format: "esm",
  write: false,
});

/** @type {typeof import("../corpus.ts")} */
const { corpora, REQUEST } = await import(`data:text/javascript,${encodeURIComponent(script?.text ?? "")}`);

/** What the module is told of the request. */
export { REQUEST };

/** The event type of all of them. */
export const TYPE = "page_view";

/** So many of them, as they are sent; nothing is wrong with any. @param {number} count @returns {string[]} */
export function pageViews(count) {
  // One event in seven is a page view.
  const [{ events } = { events: [] }] = corpora(count * 10);
  const views = events.filter((event) => JSON.parse(event).event_type === TYPE).slice(0, count);
  if (views.length < count) throw new Error(`the corpus has only ${views.length} page views`);
  return views;
}
