/** Writes the cases from the corpus and from the cases of own rules: `node conformance/write.mjs`. A test holds them to it. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expected } from "../tests/package/cases.mjs";

// Faults of a text that a value of Postgres hides, or that it refuses before any rule is applied.
const ONLY_IN_TEXT = new Set(["parse.json", "parse.text", "parse.number", "parse.duplicate_key"]);

const BASE = { session_id: "session-0001", event_type: "page_view", event_category: "engagement", event_source: "web" };

const read = (/** @type {string} */ path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

/** Each file with its text. @returns {Record<string, string>} */
export function files() {
  const { registry, receivedAt, cases } = expected();
  const received_at = new Date(receivedAt).toISOString();
  const lines = (/** @type {object[]} */ all) => all.map((one) => `${JSON.stringify(one)}\n`).join("");
  const contract = cases.flatMap(({ name, text, caller, callerId, origin, violates, only_in_text }) => {
    if (violates === undefined) return [];
    const isOfText = only_in_text || violates.some((id) => ONLY_IN_TEXT.has(id));
    return [{
      name,
      event: text,
      caller,
      caller_id: callerId ?? null,
      origin: origin ?? null,
      violates,
      ...(isOfText ? { only_in_text: true } : {}),
    }];
  });
  const own = read("../tests/support/own_rules.json");
  const site = { id: "00000000-0000-4000-8000-0000000000aa", origins: null };
  const ours = { ...registry, version: "own rules", own_rules: own.rules, sites: [...registry.sites, site] };
  const ownCases = own.cases.map((/** @type {any} */ { name, event, violations }) => ({
    name,
    event: JSON.stringify({ ...BASE, ...event }),
    caller: "trusted",
    caller_id: null,
    origin: null,
    violates: violations.map((/** @type {{ rule_id: string }} */ { rule_id }) => rule_id),
  }));
  return {
    "contract.ndjson": lines([{ received_at, registry }, ...contract]),
    "own_rules.ndjson": lines([{ received_at, registry: ours }, ...ownCases]),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(files())) writeFileSync(new URL(name, import.meta.url), text);
}
