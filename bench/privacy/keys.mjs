/** Keys that name personal data, as products and languages write them, each with a value that it would have. */
import { readdirSync, readFileSync } from "node:fs";

/** What a key of each kind of data would hold. @type {Record<string, unknown>} */
const VALUES = {
  email: "(hidden)",
  name: "Ada Lovelace",
  phone: "555 2671",
  address: "12 St James's Square",
  postcode: "SW1Y 4JH",
  birth: "1815-12-10",
  gender: "female",
  number: "X-48-20-71",
  ip: "(unknown)",
  health: "asthma",
  belief: "quaker",
  password: "correct horse",
  place: 51.5074,
};

const folder = new URL("keys/", import.meta.url);

/** Keys by their source: each file names keys by the kind of data. @returns {import("./cases.mjs").Kind[]} */
export function keys() {
  return readdirSync(folder).sort().flatMap((file) => {
    /** @type {Record<string, Record<string, string[]>>} */
    const sources = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
    const cases = (
      /** @type {Record<string, string[]>} */ byKind,
      /** @type {(key: string, value: unknown) => string} */ write,
    ) => Object.entries(byKind).flatMap(([kind, all]) => all.map((key) => ({ metadata: write(key, VALUES[kind]) })));
    return Object.entries(sources).flatMap(([name, byKind]) => [
      { group: "personal keys", name, cases: cases(byKind, (key, value) => nested(key.split("/"), value)) },
      {
        group: "personal keys",
        name: `${name}, in a query string`,
        cases: cases(
          byKind,
          (key, value) =>
            JSON.stringify({
              page_path: `/search?q=shoes&${key.split("/").at(-1)}=${encodeURIComponent(String(value))}`,
            }),
        ),
      },
    ]);
  });
}

/** `a/b` is the key b of an object under the key a. @param {string[]} path @param {unknown} value */
function nested(path, value) {
  return JSON.stringify(path.reduceRight((inner, key) => ({ [key]: inner }), /** @type {any} */ (value)));
}

/** Payloads of public tracking plans, one a line; none holds anything personal. @returns {import("./cases.mjs").Kind[]} */
export function payloads() {
  const from = new URL("payloads/", import.meta.url);
  return readdirSync(from).sort().map((file) => ({
    group: "realistic payloads",
    name: file.replace(".ndjson", ""),
    cases: readFileSync(new URL(file, from), "utf8").trim().split("\n").map((metadata) => ({ metadata })),
  }));
}
