/** Telephone numbers: the example of every kind of number in every country, from Google's libphonenumber. */
import phone from "google-libphonenumber";
import { text } from "./cases.mjs";

const { PhoneNumberFormat, PhoneNumberType, PhoneNumberUtil } = phone;
const util = PhoneNumberUtil.getInstance();

/** Numbers that belong to a person or a household. Others (free calls, services, fax boxes) are reported apart. */
const PERSONAL = new Set(["FIXED_LINE", "MOBILE", "FIXED_LINE_OR_MOBILE", "VOIP", "PERSONAL_NUMBER", "PAGER"]);

/** Each number once. */
function examples() {
  /** @type {Map<string, { kind: string, number: import("google-libphonenumber").PhoneNumber }>} */
  const found = new Map();
  for (const region of util.getSupportedRegions()) {
    for (const [kind, type] of Object.entries(PhoneNumberType)) {
      const number = util.getExampleNumberForType(
        region,
        /** @type {import("google-libphonenumber").PhoneNumberType} */ (type),
      );
      if (!number) continue;
      const key = util.format(number, PhoneNumberFormat.E164);
      if (!found.has(key)) found.set(key, { kind, number });
    }
  }
  return [...found.values()];
}

/** Words that speak of a telephone, in the languages of the larger markets. */
const BESIDE = [
  ...[
    "call me on {}",
    "Phone: {}",
    "tel. {}",
    "my mobile is {}",
    "Tel.: {}",
    "Telefon: {}",
    "Handy {}",
    "Rufnummer {}",
  ],
  ...["téléphone : {}", "portable {}", "teléfono {}", "móvil: {}", "telefono {}", "cellulare {}", "telefone {}"],
  ...[
    "celular: {}",
    "telefoonnummer {}",
    "numer telefonu {}",
    "telefon numarası {}",
    "電話番号 {}",
    "手机 {}",
    "전화 {}",
  ],
  ...["телефон {}", "هاتف {}", "WhatsApp {}", "text {} for an answer"],
];
/** Keys that speak of a telephone without being refused by themselves in every engine. */
const KEYS = ["callback_number", "contact_number", "whatsapp", "phone_digits", "call_to", "sms_to", "tel_link"];

/** @returns {import("./cases.mjs").Kind[]} */
export function phones() {
  const all = examples();
  const own = all.filter(({ kind }) => PERSONAL.has(kind));
  const services = all.filter(({ kind }) => !PERSONAL.has(kind));
  const format = (/** @type {(typeof all)[number]} */ { number }, /** @type {keyof typeof PhoneNumberFormat} */ as) =>
    util.format(number, PhoneNumberFormat[as]);
  /** @param {string} group @param {string} name @param {typeof all} of @param {(one: (typeof all)[number], index: number) => import("./cases.mjs").Case} make */
  const kind = (group, name, of, make) => ({ group, name, cases: of.map(make) });
  const national = own.filter((one) => format(one, "NATIONAL").replace(/\D/g, "").length >= 7);
  return [
    kind("telephone", "E.164", own, (one) => text("value", format(one, "E164"), format(one, "E164"))),
    kind("telephone", "E.164 of a service", services, (one) => text("value", format(one, "E164"), format(one, "E164"))),
    kind(
      "telephone",
      "international, grouped",
      own,
      (one) => text("value", format(one, "INTERNATIONAL"), format(one, "INTERNATIONAL")),
    ),
    kind(
      "telephone",
      "international, no-break spaces",
      own,
      (one) => text("value", format(one, "INTERNATIONAL").replaceAll(" ", "\u00a0")),
    ),
    kind(
      "telephone",
      "percent-encoded",
      own,
      (one) => text("value", `/c?n=${encodeURIComponent(format(one, "E164"))}&a=1`),
    ),
    kind("telephone", "tel:", own, (one) => text("value", format(one, "RFC3966"))),
    kind("telephone", "tel: in a link", own, (one) => text("value", `tel:${format(one, "E164")}`)),
    kind("telephone", "00 before the country", own, (one) => text("value", format(one, "E164").replace("+", "00"))),
    kind("telephone", "00, grouped", own, (one) => text("value", format(one, "INTERNATIONAL").replace("+", "00"))),
    kind(
      "telephone",
      "in a sentence",
      own,
      (one) => text("value", `reach me at ${format(one, "INTERNATIONAL")} tonight`),
    ),
    kind(
      "national number",
      "beside a word",
      national,
      (one, index) => text("note", BESIDE[index % BESIDE.length].replace("{}", format(one, "NATIONAL"))),
    ),
    kind(
      "national number",
      "under a telephone's key",
      national,
      (one, index) => text(KEYS[index % KEYS.length], format(one, "NATIONAL")),
    ),
    kind("national number", "under the key `phone`", national, (one) => text("phone", format(one, "NATIONAL"))),
  ];
}
