/** Social security numbers, IP addresses and credentials. */
import { text, times } from "./cases.mjs";
import { seeded } from "./random.mjs";

/** @typedef {import("./random.mjs").Random} Random */

const SEPARATORS = {
  "hyphens": "-",
  "spaces": " ",
  "dots": ".",
  "slashes": "/",
  "underscores": "_",
  "no-break spaces": "\u00a0",
  "en dashes": "\u2013",
};

/** One that may have been issued. @param {Random} random */
function socialSecurity(random) {
  let area = "";
  while (area === "" || area === "000" || area === "666") area = String(random.between(1, 899)).padStart(3, "0");
  return [area, String(random.between(1, 99)).padStart(2, "0"), String(random.between(1, 9999)).padStart(4, "0")];
}

const v4 = (/** @type {Random} */ random) =>
  [random.between(1, 223), ...times(3, () => random.between(0, 255))].join(".");
const group = (/** @type {Random} */ random) => random.between(1, 0xffff).toString(16);

/** @type {Record<string, (random: Random) => string>} */
const ADDRESSES = {
  "version 4": v4,
  "version 4, with a port": (random) => `${v4(random)}:${random.between(1024, 65535)}`,
  "version 6, whole": (random) => times(8, () => group(random).padStart(4, "0")).join(":"),
  "version 6, shortened": (random) => `2001:db8:${group(random)}::${group(random)}`,
  "version 6, in capitals": (random) => `2A02:${group(random)}:${group(random)}::${group(random)}`.toUpperCase(),
  "version 6, link-local": (random) => `fe80::${times(4, () => group(random)).join(":")}`,
  "version 6, in brackets": (random) => `[2001:db8::${group(random)}]`,
  "version 4 in version 6": (random) => `::ffff:${v4(random)}`,
};

const base64 = (/** @type {Random} */ random, /** @type {number} */ length) =>
  random.text(length, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

/** Put together from parts, so that no scanner of repositories takes this file for a leak. */
const CREDENTIALS = /** @type {Record<string, (random: Random) => string>} */ ({
  "JSON Web Token": (random) => `eyJ${"hbGciOiJIUzI1NiJ9"}.eyJ${base64(random, 40)}.${base64(random, 43)}`,
  "Bearer": (random) => `Bearer ${random.word(random.between(24, 60))}`,
  "Bearer in a header": (random) => `Authorization: Bearer ${base64(random, 40)}`,
  "Stripe": (random) => `${random.of(["sk", "rk"])}_${"live"}_${random.word(24)}`,
  "Supabase": (random) => `sb_${"secret"}_${base64(random, 31)}`,
  "AWS": (random) => `${"AKI"}A${random.text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")}`,
  "GitHub": (random) => `gh${random.of("pousr")}_${random.word(36)}`,
  "Slack": (random) => `xox${random.of("bpas")}-${random.digits(12)}-${random.digits(12)}-${random.word(24)}`,
  "private key": (random) =>
    `-----BEGIN ${random.of(["", "RSA ", "EC ", "OPENSSH "])}PRIVATE KEY-----\n${base64(random, 64)}`,
  "token in a query string": (random) => `https://app.example/reset?token=${base64(random, 32)}`,
  "access token in a query string": (random) => `/callback#access_token=${base64(random, 40)}&expires_in=3600`,
  "password in a query string": (random) => `/login?user=1&password=${random.word(10)}`,
});

/** @param {number} many @returns {import("./cases.mjs").Kind[]} */
export function numbers(many) {
  const random = seeded("numbers");
  return [
    ...Object.entries(SEPARATORS).map(([name, separator]) => ({
      group: "social security number",
      name: `with ${name}`,
      cases: times(many, (index) => {
        const written = socialSecurity(random).join(separator);
        return text("value", index % 3 === 0 ? `number ${written} on file` : written, written);
      }),
    })),
    ...Object.entries(ADDRESSES).map(([name, make]) => ({
      group: "IP address",
      name,
      cases: times(many, () => {
        const address = make(random);
        return text("value", address, address);
      }),
    })),
    ...Object.entries(CREDENTIALS).map(([name, make]) => ({
      group: "credential",
      name,
      cases: times(many, () => {
        const secret = make(random);
        return text("value", secret, secret.split(/[\n ]/).at(-1));
      }),
    })),
  ];
}
