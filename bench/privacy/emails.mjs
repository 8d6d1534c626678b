/** Raw e-mail addresses in the forms in which they are found in events. */
import { allFakers } from "@faker-js/faker";
import { text, times } from "./cases.mjs";
import { seeded } from "./random.mjs";

/** The languages that names are taken from. */
export const LANGUAGES = /** @type {const} */ (
  ["en", "de", "fr", "es", "it", "pt_BR", "nl", "pl", "tr", "ja", "ru", "ar"]
);

/** Domains with a name outside ASCII. */
const INTERNATIONAL = ["exämple.com", "пример.рф", "例え.jp", "münchen.de", "mañana.es", "موقع.مصر", "bücher.example"];
const TOP = ["com", "org", "de", "io", "co.uk", "com.br", "museum", "xn--p1ai", "app", "email"];

/** @type {Record<string, (address: string, local: string, domain: string) => string>} */
const FORMS = {
  "as it is": (address) => address,
  "in capitals": (address) => address.toUpperCase(),
  "in a sentence": (address) => `please write to ${address}, thank you`,
  "before a full stop": (address) => `Signed up as ${address}.`,
  "in angle brackets": (address) => `Ada Lovelace <${address}>`,
  "as a link": (address) => `mailto:${address}?subject=hello`,
  "in a query string": (address) => `https://shop.example/thanks?customer=${address}&step=2`,
  "in a path": (address) => `/unsubscribe/${address}/confirm`,
  "percent-encoded": (_, local, domain) => `${encodeURIComponent(local)}%40${domain}`,
  "percent-encoded, the dots too": (_, local, domain) => `${local}%40${domain.replaceAll(".", "%2E")}`,
  "percent-encoded twice": (_, local, domain) => `/r?to=${local}%2540${domain}`,
  "HTML: decimal": (_, local, domain) => `${local}&#64;${domain}`,
  "HTML: hexadecimal": (_, local, domain) => `${local}&#x40;${domain}`,
  "HTML: named": (_, local, domain) => `${local}&commat;${domain}`,
  "full-width sign": (_, local, domain) => `${local}＠${domain}`,
  "quoted local part": (_, local, domain) => `"${local}"@${domain}`,
  "quoted, with a space": (_, local, domain) => `"${local.replace(/\W/g, " ")}"@${domain}`,
  "tagged": (_, local, domain) => `${local}+news.2026@${domain}`,
  "below a subdomain": (_, local, domain) => `${local}@mail.eu-west.${domain}`,
  "international domain": (address, local) => `${local}@${INTERNATIONAL[address.length % INTERNATIONAL.length]}`,
  "in JSON within a text": (address) => JSON.stringify({ contact: address }),
  "joined to others": (address) => `${address};second@example.org`,
};

/** @param {number} many @returns {import("./cases.mjs").Kind[]} */
export function emails(many) {
  const random = seeded("emails");
  const addresses = times(many, (index) => {
    const faker = allFakers[LANGUAGES[index % LANGUAGES.length]];
    faker.seed(index);
    const plain = (/** @type {string} */ name) =>
      name.normalize("NFKD").toLowerCase().replace(/[^a-z]/g, "") || random.letters(5);
    const local = `${plain(faker.person.firstName())}${random.of([".", "_", "-", ""])}${
      plain(faker.person.lastName())
    }${random.of(["", String(random.between(1, 99))])}`;
    return { local, domain: `${random.of(["example", "mail-host", "post", "web7"])}.${random.of(TOP)}` };
  });
  return [
    ...Object.entries(FORMS).map(([name, form]) => ({
      group: "e-mail",
      name,
      cases: addresses.map(({ local, domain }) =>
        text("note", form(`${local}@${domain}`, local, domain), `${local}@${domain}`)
      ),
    })),
    {
      group: "e-mail",
      name: "as a key",
      cases: addresses.map(({ local, domain }) => text(`${local}@${domain}`, "1", `${local}@${domain}`)),
    },
  ];
}
