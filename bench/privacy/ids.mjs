/** Random ids as applications write them: with a prefix, in a path, in a URN. None of them is anybody's number. */
import { text, times } from "./cases.mjs";
import { seeded } from "./random.mjs";

/** @typedef {import("./random.mjs").Random} Random */

const CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS = "0123456789";
const BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BASE62 = DIGITS + CAPITALS + CAPITALS.toLowerCase();

/** Of the kinds that are like no other, every letter and digit at random. @type {Record<string, (random: Random) => string>} */
const IDS = {
  "UUID": (random) => random.uuid(),
  "UUID in capitals": (random) => random.uuid().toUpperCase(),
  "hash of 32": (random) => random.hex(32),
  "hash of 64": (random) => random.hex(64),
  "ULID": (random) => `01${random.text(24, BASE32)}`,
  "nanoid": (random) => random.text(21, `${BASE62}_-`),
  "KSUID": (random) => `2${random.text(26, BASE62)}`,
};

/** Before an id, and after it. */
const AROUND = [
  ["session-", ""],
  ["sess_", ""],
  ["ch12-", ""],
  ["es01_", ""],
  ["user:", ""],
  ["urn:uuid:", ""],
  ["/orders/", ""],
  ["/a/", "/items/12"],
  ["https://shop.example/cart/", "?step=2"],
  ["{", "}"],
];

/** @param {number} many of each kind @returns {import("./cases.mjs").Kind[]} */
export function ids(many) {
  const random = seeded("ids");
  return Object.entries(IDS).map(([name, make]) => ({
    group: "ids with something around them",
    name,
    cases: times(many, (index) => {
      const [before, after] = AROUND[index % AROUND.length];
      return text("value", `${before}${make(random)}${after}`);
    }),
  }));
}
