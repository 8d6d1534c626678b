// Without the contract the page keeps e-mail addresses back by a finder of its own, and hashes them by itself: both must
// say what the module says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { check, hashEmail } from "../../../pkg/inline.js";

const { outputFiles: [{ text }] } = await build({
  stdin: {
    contents: `export { anyHoldsAddress } from "./guard.ts"; export { hashEmail } from "./email.ts";`,
    resolveDir: fileURLToPath(new URL("../../../web/tracker/", import.meta.url)),
  },
  bundle: true,
  format: "esm",
  write: false,
});
/** @type {typeof import("../../../web/tracker/guard.ts") & typeof import("../../../web/tracker/email.ts")} */
const page = await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);

const LOCALS = ["ada", "ada.lovelace", "a+b", "o'hara", "x_y-z", "4711", "ada%2Blove", "İrem", "jürgen", "用户"];
const DOMAINS = ["example.com", "mail.example.co.uk", "exämple.com", "xn--exmple-cua.com", "a-b.museum", "EXAMPLE.ORG"];
const SIGNS = ["@", "%40", "%2540", "＠", "&#64;", "&commat;", "&#x40;"];
const AROUND = [
  ["", ""],
  ["write to ", " today"],
  ["<", ">"],
  ["mailto:", "?subject=x"],
  ["/thanks?m=", "&n=1"],
  ['"', '"'],
  ["(", ")."],
  ["von:", ","],
];
/** Texts that look like an address, and are none or are one all the same. */
const OTHERS = [
  "/@jane.doe",
  "medium.com/@jane.doe",
  "https://example.com/@ada@mastodon.example",
  "logo@2x.png",
  "img/logo@3x.webp",
  "next@15.0.0",
  "next@15.0.0.rc1",
  "@scope/package@1.2.3",
  "react@^19",
  "user@localhost",
  "a@b",
  "@example.com",
  "ada@",
  "ada @ example.com",
  "12:30@venue.de",
  '"ada"@example.com',
  '"ada lovelace"@example.com',
  "ada@example.123",
  "ada@-example.com",
  "ada@example..com",
  "ada.@example.com",
  "ada@exam_ple.com",
  "ada%40example%2Ecom",
  "ada&#64;example&#46;com",
  "price 5@10.50",
  "git@github.com:a/b.git",
  "100%",
  "%",
  "%4",
  "a%40",
  "",
];
/** What disguises are made of, in any order. */
const PARTS = [
  ...["a", "1", "v2", "ü", "é.", "ｅ", "X", "😀", "٣", "\u200b", "com", "png", "co", "amp;", "25", "#64;"],
  ...[".", "..", "@", "-", "_", "%", "&", '"', "/", "／", " ", ":", "<", ">", "=", "。", "＠"],
  ...["%40", "%2540", "%2E", "%2e", "&#64;", "&amp;"],
];
let seed = 7;
const below = (/** @type {number} */ most) => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return seed % most;
};
const mixed = () => Array.from({ length: 2 + below(9) }, () => PARTS[below(PARTS.length)]).join("");
const corpus = [
  ...Array.from({ length: 20_000 }, mixed),
  ...OTHERS,
  ...LOCALS.flatMap((local) =>
    DOMAINS.flatMap((domain) =>
      SIGNS.flatMap((sign) => AROUND.map(([before, after]) => `${before}${local}${sign}${domain}${after}`))
    )
  ),
];

/** Whether the module finds a raw address in a text of an event. @param {string} note */
const found = (note) =>
  check({
    session_id: "session-of-a-test",
    event_type: "page_view",
    event_category: "engagement",
    event_source: "web",
    metadata: { page_path: "/", note },
  }).violations.some(({ rule_id }) => rule_id === "privacy.raw_email");

test(`the page's finder and the module's agree on ${corpus.length} texts`, () => {
  const wrong = corpus.filter((note) => page.anyHoldsAddress(JSON.stringify({ note })) !== found(note));
  assert.deepEqual(wrong.slice(0, 40).map((note) => `${found(note) ? "missed" : "false alarm"}: ${note}`), []);
});

test("the page's hash of an address is the module's, and so is what counts as one", async () => {
  const addresses = [
    ...LOCALS.flatMap((local) => DOMAINS.map((domain) => `${local}@${domain}`)),
    ...OTHERS,
    ...["İrem@example.com", "IREM@EXAMPLE.COM", "KELVIN@example.com", "ſharp@example.com", " ada@example.com\n"],
    ...["\u00a0ada@example.com", "\vada@example.com", "ada@example.c", "ada@1.2.3.4", "ada@example.com."],
    ...[`${"a".repeat(64)}@example.com`, `${"a".repeat(242)}@example.com`, `${"a".repeat(243)}@example.com`],
    ...[`a@${"b".repeat(63)}.com`, `a@${"b".repeat(64)}.com`, "a@b-.com", "a@b.c-d", "a@b.co-", "a..b@example.com"],
  ];
  /** @type {string[]} */
  const wrong = [];
  for (const address of addresses) {
    const [here, there] = [await page.hashEmail(address), hashEmail(address)];
    if (here !== there) wrong.push(`${JSON.stringify(address)}: ${here ? "an address" : "none"} in the page alone`);
  }
  assert.deepEqual(wrong, []);
});
