/** Strings that recognisers of personal data are commonly tested not to take for one. */
import { text, times } from "./cases.mjs";
import { seeded, withLuhn } from "./random.mjs";

/** The last digit changed, so that no check holds. @param {string} digits */
const spoilt = (digits) => digits.slice(0, -1) + (Number(digits.at(-1)) + 1) % 10;

/** @type {Record<string, string[]>} */
const WRITTEN = {
  "no e-mail address": [
    ...["@ada", "ada@", "@example.com", "ada@localhost", "a @ b", "see @team", "/@jane.doe", "medium.com/@jane.doe"],
    ...["https://www.tiktok.com/@some.name/video/7106594312292453675", "https://mastodon.example/@someone"],
    ...["logo@2x.png", "hero@3x.webp", "icon@1.5x.png", "next@15.0.0", "next@15.0.0.rc1", "@scope/package@1.2.3"],
    ...["react@18.2.0-canary.1", "user@", "email at example dot com", "5 @ 3.50", "meet @ 10.30", "npm:vite@8.3.8"],
    ...["https://esm.sh/preact@10.26.4", "https://cdn.example/npm/vue@3.4.1/dist/vue.js", "docker.io/app@sha256:ab12"],
    ...["@media (min-width: 40rem)", "@font-face", "C@t", "r@nd0m", "%40", "50%40off", "ssh git@", "#@!%", "@@@"],
  ],
  "no card": [
    ...["4111 1111 1111 1112", "4111111111111112", "1234 5678 9012 3456", "0000 0000 0000 0000", "5500-0000-0000-0005"],
    ...["1111111111111111", "9999999999999999", "41111111", "4111 1111 1111", "411111111111111111111111"],
  ],
  "no social security number": [
    ...["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "12-345-6789", "123-456-789"],
    ...["123-45-67890", "1234-56-7890", "123-45-678", "123 45-6789", "123.45-6789"],
  ],
  "no telephone number": [
    ...["+1", "+12", "+1234", "1 + 2 = 3", "C++11 and C++14", "+100 points", "+0.5 %", "0 to 100", "2026", "24/7"],
    ...["10-20-30", "1.234.567,89", "100 200 300", "4.5 of 5", "12:30-14:00", "+49", "00:00:00", "0-0-0", "007"],
    ...["00000000", "000123", "UTC+02:00", "GMT+1", "A4 210x297", "1920x1080", "3.14159265358979", "ISO 9001:2015"],
  ],
  "no IBAN": [
    ...["DE00 0000 0000 0000 0000 00", "GB82 WEST 1234 5698 7654 33", "DE89", "FR14 2004", "XX12 3456 7890 1234"],
    ...["GB82WEST1234569876543", "DE8937040044053201300", "AB12CD34EF56GH78", "SKU-DE89-3704-0044"],
  ],
  "no IP address": [
    ...[
      "256.1.1.1",
      "1.2.3",
      "1.2.3.4.5",
      "999.999.999.999",
      "1.2.3.04a",
      "::g",
      "12:34",
      "1:2:3",
      "a::b::c",
      "10.15.7",
    ],
    ...["03:04:05", "aa:bb:cc:dd:ee:ff", "std::vector", "ns::Class::method", "1.1.1.", "version 1.2"],
  ],
  "no credential": [
    ...["eyJ", "Bearer of news", "a bearer bond", "sk_test", "the token was empty", "?tokens=3", "token_count=12"],
    ...["xoxo", "AKIA", "ghp", "/password-reset", "?password_length=12", "BEGIN PUBLIC KEY", "sb_publishable_"],
    ...["pk_live_is_public", "secret santa", "keyboard=qwerty", "eyJhbGciOiJub25lIn0", "?page_token_hint=none"],
  ],
};

/** @param {number} many of each kind that is made @returns {import("./cases.mjs").Kind[]} */
export function negatives(many) {
  const random = seeded("negatives");
  const kind = (/** @type {string} */ name, /** @type {string[]} */ all) => ({
    group: "negatives of recognisers",
    name,
    cases: all.map((one) => text("value", one)),
  });
  return [
    ...Object.entries(WRITTEN).map(([name, all]) => kind(name, all)),
    kind(
      "a card's digits without its check",
      times(many, () => spoilt(withLuhn(`${random.of(["4", "51", "2221"])}${random.digits(14)}`.slice(0, 15)))),
    ),
    kind(
      "an IBAN without its check",
      times(many, () => {
        const account = random.digits(18);
        const right = String(98n - BigInt(`${account}131400`) % 97n).padStart(2, "0");
        return `DE${right === "50" ? "51" : "50"}${account}`;
      }),
    ),
    kind(
      "a social security number that is never issued",
      times(many, () => `${random.of(["000", "666", "9" + random.digits(2)])}-${random.digits(2)}-${random.digits(4)}`),
    ),
  ];
}
