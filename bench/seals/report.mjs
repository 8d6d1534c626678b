/** What a million rows may cost; at ten million, verifying has ten times as long. */
const BARS = { verify: 6, offline: 2, share: 35, thousand: 100, erasing: 2, proof: 5, bytes: 1024, ingest: 3 };

/**
 * The report, and which bars are missed. Those of time hold for a million rows, and grow with them.
 * @param {{
 *   small: import("../seals.mjs").Measured, large: import("../seals.mjs").Measured,
 *   browser: Awaited<ReturnType<typeof import("./proof.mjs").checkInBrowser>>,
 *   slower: Awaited<ReturnType<typeof import("./ingest.mjs").compareIngest>>, machine: string
 * }} measured
 */
export function render({ small, large, browser, slower, machine }) {
  const millions = large.rows / 1e6;
  const number = (/** @type {number} */ value, digits = 1) => value.toFixed(digits);
  const grown = (/** @type {"verify" | "offline" | "sealing"} */ what) =>
    `${
      number(
        large[what] / small[what] / (large.rows / small.rows) * (what === "sealing" ? large.rows / small.rows : 1),
        2,
      )
    }`;
  /** @type {[string, string, string, string, number, number][]} */
  const rows = [
    [
      "verify from the database, s",
      number(small.verify, 2),
      number(large.verify, 2),
      grown("verify"),
      large.verify,
      BARS.verify * millions,
    ],
    [
      "verify from the archive, s",
      number(small.offline, 2),
      number(large.offline, 2),
      grown("offline"),
      large.offline,
      BARS.offline * millions,
    ],
    ["seal a row, µs", number(small.sealing), number(large.sealing), grown("sealing"), 0, Infinity],
    [
      "seal 1,000 rows that came in, ms",
      number(small.thousand),
      number(large.thousand),
      "",
      large.thousand,
      BARS.thousand,
    ],
    ["beside the table and its indexes, %", number(small.share), number(large.share), "", large.share, BARS.share],
    ["the same, bytes a row", number(small.bytes, 0), number(large.bytes, 0), "", 0, Infinity],
    [
      "erase somebody with 10,000 events, s",
      number(small.erasing, 2),
      number(large.erasing, 2),
      "",
      large.erasing,
      BARS.erasing,
    ],
  ];
  const single = /** @type {[string, string, number, number][]} */ ([
    [`a proof: ${browser.hashes} hashes, bytes`, String(browser.hashes * 32), browser.hashes * 32, BARS.bytes],
    ["the file of it, with row, commitment and note, bytes", String(browser.bytes), 0, Infinity],
    ["check it in Chromium, ms", number(browser.milliseconds, 2), browser.milliseconds, BARS.proof],
    [
      `record a batch of ${slower.batch}, ms: without seals ${number(slower.without)}, with them`,
      `${number(slower.with)} (${slower.longer < 0 ? "−" : "+"}${number(Math.abs(slower.longer))} %)`,
      slower.longer,
      BARS.ingest,
    ],
  ]);
  const bar = (/** @type {number} */ most) => most === Infinity ? "" : `≤ ${Number(most.toPrecision(3))}`;
  const faults = [
    ...rows.map((row) => /** @type {const} */ ([row[0], row[4], row[5]])),
    ...single.map((row) => /** @type {const} */ ([row[0], row[2], row[3]])),
  ]
    .filter(([, value, most]) => value > most).map(([name, value, most]) =>
      `${name}: ${number(value, 2)}, may be ${most}`
    );
  const text = `<!-- \`npm run bench:seals\` writes this; do not edit it. -->

# What a proven history costs

${
    large.rows.toLocaleString("en")
  } events of four closed months, and a quarter of them, on a throwaway Postgres 17 with \`fsync\` off; ${machine}. Verifying
is the best of three runs of the command, whole, with the checkpoint; everything else is a median. Growth is by how much a
row costs more among all of them than among a quarter: 1 is linear.

| | ${small.rows.toLocaleString("en")} | ${large.rows.toLocaleString("en")} | growth | may be |
|---|---:|---:|---:|---:|
${
    rows.map(([name, less, more, growth, , most]) => `| ${name} | ${less} | ${more} | ${growth} | ${bar(most)} |`).join(
      "\n",
    )
  }

| | | may be |
|---|---:|---:|
${
    single.map(([name, shown, , most]) => `| ${name} | ${shown} | ${bar(most)}${most === BARS.ingest ? " %" : ""} |`)
      .join("\n")
  }

The last line is of ${slower.rounds} pairs of batches, which two databases on one server took in turn.
`;
  return { text, faults };
}
