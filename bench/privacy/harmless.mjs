/** Values that look like numbers of persons and are none: of goods, orders, advertisements, places and moments. */
import { number, text, times } from "./cases.mjs";
import { seeded, withGtin } from "./random.mjs";

/** @typedef {import("./random.mjs").Random} Random */

const iso = (/** @type {number} */ moment) => new Date(moment).toISOString();
const day = (/** @type {number} */ moment) => iso(moment).slice(0, 10);
const compact = (/** @type {number} */ moment) => iso(moment).replace(/\D/g, "").slice(0, 14);
const german = (/** @type {number} */ moment) => day(moment).split("-").reverse().join(".");
const american = (/** @type {number} */ moment) =>
  `${day(moment).slice(5).replace("-", "/")}/${day(moment).slice(0, 4)}`;
const degrees = (/** @type {Random} */ random, /** @type {number} */ most, /** @type {number} */ places) =>
  (random.next() * 2 * most - most).toFixed(places);
const signed = (/** @type {string} */ value) => value.startsWith("-") ? value : `+${value}`;
const nonZero = (/** @type {Random} */ random, /** @type {number} */ length) =>
  String(random.between(1, 9)) + random.digits(length - 1);

/** Hyphens where agencies put them: by the length of the publisher's number. @param {string} isbn @param {Random} random */
function hyphenated(isbn, random) {
  const cut = random.between(6, 9);
  return [isbn.slice(0, 3), isbn[3], isbn.slice(4, cut), isbn.slice(cut, 12), isbn[12]].join("-");
}

function isbn10(/** @type {Random} */ random) {
  const digits = random.digits(9);
  const check = [...digits].reduce((sum, digit, index) => sum + Number(digit) * (index + 1), 0) % 11;
  return digits + (check === 10 ? "X" : check);
}

/** What is an address of the internet too, unless the key says otherwise. */
const BY_KEY = new Set(["version of four small parts"]);

/** Under which key, and what; a number means that it is sent as a JSON number. */
const KINDS = /** @type {Record<string, [key: string, make: (random: Random) => string, as?: "number"]>} */ ({
  "EAN-13": ["ean", (random) => withGtin(random.digits(12))],
  "EAN-13 as a number": ["ean", (random) => withGtin(nonZero(random, 12)), "number"],
  "GTIN-14": ["gtin", (random) => withGtin(random.digits(13))],
  "UPC-A": ["upc", (random) => withGtin(random.digits(11))],
  "ISBN-13": ["isbn", (random) => withGtin(`97${random.of("89")}${random.digits(9)}`)],
  "ISBN-13, hyphenated": ["isbn", (random) => hyphenated(withGtin(`97${random.of("89")}${random.digits(9)}`), random)],
  "ISBN-10": ["isbn", isbn10],
  "order of Amazon": ["order_id", (random) => `${nonZero(random, 3)}-${random.digits(7)}-${random.digits(7)}`],
  "order of Shopify": ["order_id", (random) => nonZero(random, 13)],
  "order of Shopify as a number": ["order_id", (random) => nonZero(random, 13), "number"],
  "order, 8 to 12 digits": ["order_id", (random) => nonZero(random, random.between(8, 12))],
  "order with letters": ["order_id", (random) => `ORD-${random.digits(8)}-${random.letters(3).toUpperCase()}`],
  "invoice by date": ["invoice", (random) => `INV-${compact(random.moment()).slice(0, 8)}-${random.digits(5)}`],
  "advertisement of Meta": ["utm_content", (random) => `${random.of(["120", "238"])}${random.digits(14)}`],
  "advertisement of Meta, 18 digits": ["ad_id", (random) => `1202${random.digits(14)}`],
  "advertisement of Google": ["campaign_id", (random) => nonZero(random, random.between(10, 12))],
  "advertisement of TikTok": ["ad_id", (random) => `17${random.digits(14)}`],
  "advertisement as a number": ["ad_id", (random) => `1202${random.digits(12)}`, "number"],
  "click of Google": ["gclid", (random) => `Cj0KCQ${random.word(80)}`],
  "click of Meta": ["fbclid", (random) => `IwAR${random.word(57)}`],
  "browser of Google Analytics": [
    "client_id",
    (random) => `${nonZero(random, 10)}.${Math.floor(random.moment() / 1000)}`,
  ],
  "cookie of Google Analytics": ["ga", (random) => `GA1.2.${nonZero(random, 9)}.${Math.floor(random.moment() / 1000)}`],
  "browser of Meta": ["fbp", (random) => `fb.1.${random.moment()}.${nonZero(random, 10)}`],
  "seconds since 1970": ["ts", (random) => String(Math.floor(random.moment() / 1000))],
  "milliseconds as a number": ["ts", (random) => String(random.moment()), "number"],
  "microseconds since 1970": ["event_timestamp", (random) => `${random.moment()}${random.digits(3)}`],
  "microseconds as a number": ["event_timestamp", (random) => `${random.moment()}${random.digits(3)}`, "number"],
  "nanoseconds since 1970": ["start_time", (random) => `${random.moment()}${random.digits(6)}`],
  "RFC 3339": ["at", (random) => iso(random.moment())],
  "RFC 3339 with an offset": ["at", (random) => iso(random.moment()).replace("Z", `+0${random.between(1, 9)}:00`)],
  "YYYYMMDDhhmmss": ["at", (random) => compact(random.moment())],
  "YYYYMMDDhhmmss as a number": ["at", (random) => compact(random.moment()), "number"],
  "YYYYMMDD-hhmmss": ["at", (random) => compact(random.moment()).replace(/^(.{8})/, "$1-")],
  "two dates": ["range", (random) => `${day(random.moment())} ${day(random.moment())}`],
  "two dates, with a slash": ["range", (random) => `${day(random.moment())}/${day(random.moment())}`],
  "two dates, in full": [
    "range",
    (random) => `${compact(random.moment()).slice(0, 8)}-${compact(random.moment()).slice(0, 8)}`,
  ],
  "two dates, with dots": ["range", (random) => `${german(random.moment())} - ${german(random.moment())}`],
  "two dates, American": ["range", (random) => `${american(random.moment())}-${american(random.moment())}`],
  "coordinates": ["ll", (random) => `${degrees(random, 90, 6)},${degrees(random, 180, 6)}`],
  "coordinates with signs": ["ll", (random) => `${signed(degrees(random, 90, 6))},${signed(degrees(random, 180, 6))}`],
  "coordinates, ISO 6709": ["ll", (random) => `${signed(degrees(random, 90, 4))}${signed(degrees(random, 180, 4))}/`],
  "a change": ["delta", (random) => `+${random.between(1, 99999)}`],
  "version": ["version", (random) => [random.between(0, 20), random.between(0, 60), random.between(0, 99)].join(".")],
  "version of Chrome": [
    "browser_version",
    (random) => `1${random.digits(2)}.0.${random.between(4000, 7999)}.${random.between(10, 250)}`,
  ],
  "version of four small parts": ["app_version", (random) => times(4, () => random.between(0, 30)).join(".")],
  "version with a tag": ["sdk", (random) => `next@1${random.digits(1)}.${random.digits(1)}.0-rc.${random.digits(1)}`],
  "UUID": ["uuid", (random) => random.uuid()],
  "UUID of digits": [
    "uuid",
    (random) =>
      `${random.digits(8)}-${random.digits(4)}-4${random.digits(3)}-8${random.digits(3)}-${random.digits(12)}`,
  ],
  "MD5": ["etag", (random) => random.hex(32)],
  "SHA-1": ["commit", (random) => random.hex(40)],
  "SHA-256": ["digest", (random) => random.hex(64)],
  "short commit": ["build", (random) => random.hex(random.between(7, 12))],
  "ULID": ["id", (random) => `01${random.text(24, "0123456789ABCDEFGHJKMNPQRSTVWXYZ")}`],
  "nanoid": ["id", (random) => random.text(21, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-")],
  "Snowflake": ["post_id", (random) => `1${random.digits(18)}`],
  "part number": [
    "sku",
    (random) => `${random.letters(2).toUpperCase()}-${random.digits(3)}-${random.digits(2)}-${random.digits(4)}`,
  ],
  "price": ["total", (random) => `${random.between(1, 9999)}.${random.digits(2)}`, "number"],
  "tracking of a parcel": ["tracking", (random) => `1Z${random.text(16, "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ")}`],
});

/** @param {number} many of each kind @returns {import("./cases.mjs").Kind[]} */
export function harmless(many) {
  const random = seeded("harmless");
  return Object.entries(KINDS).map(([name, [key, make, as]]) => ({
    group: "harmless values",
    name,
    cases: times(many, (index) => {
      // Under its own key, and under one that says nothing.
      const under = index % 2 === 0 || BY_KEY.has(name) ? key : "value";
      return as === "number" ? number(under, make(random)) : text(under, make(random));
    }),
  }));
}
