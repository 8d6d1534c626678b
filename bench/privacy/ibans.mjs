/** International bank account numbers of every country that has them, with right check digits. */
import { text, times } from "./cases.mjs";
import { seeded } from "./random.mjs";

/**
 * What follows the country and the check digits, from the SWIFT registry: lengths with n for digits, a for capitals and
 * c for either.
 */
const FORMS = `
AD8n12c AE19n AL8n16c AT16n AZ4a20c BA16n BE12n BG4a6n8c BH4a14c BI23n BR23n1a1c BY4c4n16c CH5n12c CR18n CY8n16c CZ20n
DE18n DJ23n DK14n DO4c20n EE16n EG25n ES20n FI14n FK2a12n FO14n FR10n11c2n GB4a14n GE2a16n GI4a15c GL14n GR7n16c GT4c20c
HR17n HU24n IE4a14n IL19n IQ4a15n IS22n IT1a10n12c JO4a4n18c KW4a22c KZ3n13c LB4n20c LC4a24c LI5n12c LT16n LU3n13c
LV4a13c LY21n MC10n11c2n MD2c18c ME18n MK3n10c2n MN16n MR23n MT4a5n18c MU4a19n3a NI4a20n NL4a10n NO11n OM3n16c PK4a16c
PL24n PS4a21c PT21n QA4a21c RO4a16c RS18n RU14n15c SA2n18c SC4a20n3a SD14n SE20n SI15n SK20n SM1a10n12c SO19n ST21n
SV4a20n TL19n TN20n TR6n16c UA6n19c VA18n VG4a16n XK16n YE4a4n18c`.trim().split(/\s+/);

const CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Two digits by which the whole, read as a number, leaves one when divided by 97. @param {string} country @param {string} account */
function checkDigits(country, account) {
  const digits = [...`${account}${country}00`].map((letter) => parseInt(letter, 36)).join("");
  return String(98n - BigInt(digits) % 97n).padStart(2, "0");
}

const fours = (/** @type {string} */ iban) => iban.match(/.{1,4}/g) ?? [];

/** @type {Record<string, (iban: string) => string>} */
const WRITTEN = {
  "as it is": (iban) => iban,
  "in groups of four": (iban) => fours(iban).join(" "),
  "with hyphens": (iban) => fours(iban).join("-"),
  "with no-break spaces": (iban) => fours(iban).join("\u00a0"),
  "in small letters": (iban) => iban.toLowerCase(),
  "in a sentence": (iban) => `refund to ${fours(iban).join(" ")} please`,
  "in a query string": (iban) => `/refund?account=${iban}&step=2`,
};

/** @param {number} many of each country @returns {import("./cases.mjs").Kind[]} */
export function ibans(many) {
  const random = seeded("ibans");
  const all = FORMS.flatMap((form) =>
    times(many, () => {
      const country = form.slice(0, 2);
      const account = [...form.slice(2).matchAll(/(\d+)([nac])/g)].map(([, length, kind]) =>
        random.text(Number(length), { n: "0123456789", a: CAPITALS, c: `${CAPITALS}0123456789` }[kind] ?? "")
      ).join("");
      return country + checkDigits(country, account) + account;
    })
  );
  return Object.entries(WRITTEN).map(([name, write]) => ({
    group: "IBAN",
    name,
    cases: all.map((iban) => text("value", write(iban), iban)),
  }));
}
