/** Which registry a command goes by: a file, an address, or the one that ships. */
import { readFileSync } from "node:fs";
import { text } from "./command.mjs";
import { Refusal } from "./errors.mjs";
import { registry as shipped } from "./shipped.mjs";

/** @typedef {{ id: string, category: string, payload_schema?: unknown }} EventType */

/** The text of `--registry`: a file, an address, or the word shipped; undefined where it is not given. @param {import("./command.mjs").Values} values */
export async function registryText(values) {
  const from = text(values, "registry");
  if (from === undefined) return undefined;
  if (from === "shipped") return shipped();
  return /^https?:\/\//.test(from) ? await fetched(from) : readText(from);
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Refusal(
      `${file} cannot be read (${/** @type {{ code?: string }} */ (error).code}); name a file that --registry can read`,
    );
  }
}

/** @param {string} url */
async function fetched(url) {
  // An address may hold a key, so no message quotes it.
  let response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(15_000) });
  } catch {
    throw new Refusal(
      "the address of --registry does not answer; it is https://YOUR-REF.supabase.co/functions/v1/ingest/registry",
    );
  }
  if (!response.ok) {
    throw new Refusal(`the address of --registry answered ${response.status}; it is the function's, with /registry`);
  }
  return await response.text();
}

/** The event types of a snapshot. @param {string} snapshot @returns {EventType[]} */
export function eventTypes(snapshot) {
  let types;
  try {
    types = JSON.parse(snapshot).event_types;
  } catch {
    throw new Refusal("the registry is not JSON; take it from the function's /registry");
  }
  if (
    !Array.isArray(types) || !types.every((type) => typeof type?.id === "string" && typeof type?.category === "string")
  ) {
    throw new Refusal("the registry names no event types; take it from the function's /registry");
  }
  return types;
}
