/** Payment card numbers by the brands' own prefixes and lengths, and how their groups are joined. */
import { number, text, times } from "./cases.mjs";
import { seeded, withLuhn } from "./random.mjs";

/** Prefixes and lengths as the brands publish them (ISO/IEC 7812 issuer ranges). @type {Record<string, { prefixes: string[], lengths: number[] }>} */
const BRANDS = {
  "Visa": { prefixes: ["4"], lengths: [16] },
  "Visa, 13 digits": { prefixes: ["4"], lengths: [13] },
  "Visa, 19 digits": { prefixes: ["4"], lengths: [19] },
  "Mastercard": { prefixes: ["51", "52", "53", "54", "55"], lengths: [16] },
  "Mastercard, series 2": { prefixes: ["2221", "2300", "2500", "2699", "2720"], lengths: [16] },
  "American Express": { prefixes: ["34", "37"], lengths: [15] },
  "Discover": { prefixes: ["6011", "644", "649", "65"], lengths: [16] },
  "Diners Club": { prefixes: ["300", "305", "36", "38"], lengths: [14] },
  "JCB": { prefixes: ["3528", "3540", "3589"], lengths: [16] },
  "UnionPay": { prefixes: ["62"], lengths: [16, 17, 18, 19] },
  "Maestro": { prefixes: ["5018", "5020", "5038", "6304", "6759", "6761", "6763"], lengths: [16, 18, 19] },
  "Mir": { prefixes: ["2200", "2204"], lengths: [16] },
};

/** What stands between two groups. */
const JOINTS = {
  "nothing": "",
  "spaces": " ",
  "hyphens": "-",
  "dots": ".",
  "slashes": "/",
  "underscores": "_",
  "no-break spaces": "\u00a0",
  "narrow no-break spaces": "\u202f",
  "thin spaces": "\u2009",
  "two spaces": "  ",
  "tabs": "\t",
  "en dashes": "\u2013",
  "%20": "%20",
  "plus signs": "+",
};

/** As printed on the card: four by four, or 4-6-5 and 4-6-4. @param {string} digits @param {string} joint */
function grouped(digits, joint) {
  const sizes = { 14: [4, 6, 4], 15: [4, 6, 5] }[digits.length] ?? [4, 4, 4, 4, 4];
  let at = 0;
  return sizes.map((size) => digits.slice(at, at += size)).filter(Boolean).join(joint);
}

/** @param {number} many of each brand @returns {import("./cases.mjs").Kind[]} */
export function cards(many) {
  const random = seeded("cards");
  const all = Object.entries(BRANDS).map(([brand, { prefixes, lengths }]) => ({
    brand,
    numbers: times(many, () => {
      const prefix = random.of(prefixes);
      return withLuhn(prefix + random.digits(random.of(lengths) - prefix.length - 1));
    }),
  }));
  // Those of 13 digits have a kind of their own: every tenth of them is an EAN too, and is taken for one.
  const numbers = all.flatMap(({ numbers }) => numbers).filter((digits) => digits.length > 13);
  const kind = (/** @type {string} */ name, /** @type {import("./cases.mjs").Case[]} */ cases) => ({
    group: "card",
    name,
    cases,
  });
  return [
    ...all.map(({ brand, numbers }) => kind(`brand: ${brand}`, numbers.map((digits) => text("value", digits, digits)))),
    ...Object.entries(JOINTS).slice(1).map(([name, joint]) =>
      kind(
        `joined by ${name}`,
        numbers.map((digits) => text("value", grouped(digits, joint), grouped(digits, joint))),
      )
    ),
    kind("digit by digit", numbers.map((digits) => text("value", [...digits].join(" "), [...digits].join(" ")))),
    kind("two groups", numbers.map((digits) => text("value", `${digits.slice(0, 6)} ${digits.slice(6)}`))),
    kind(
      "in a sentence",
      numbers.map((digits) => text("value", `paid with ${grouped(digits, " ")} today`, grouped(digits, " "))),
    ),
    kind("in a query string", numbers.map((digits) => text("value", `/pay?n=${digits}&ok=1`, digits))),
    kind("between letters", numbers.map((digits) => text("value", `card:${digits};cvc`, digits))),
    kind("as a JSON number", numbers.map((digits) => number("value", digits))),
    kind("in an array", numbers.map((digits) => ({ metadata: `{"value":[1,"${digits}"]}`, personal: digits }))),
    kind("as a key", numbers.map((digits) => text(digits, "1", digits))),
  ];
}
