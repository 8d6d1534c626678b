/**
 * What the dearest texts cost: each is made to keep one recogniser busy at every byte. In the module a text of 1 MB is
 * redacted, which runs every recogniser over it and over what it leaves; in a real Postgres an event with a text of 8 KB
 * is judged and redacted, and what counts is the time of a processor.
 */
import { redact } from "../../pkg/inline.js";
import { asClient, startPostgres } from "../../tests/database/postgres.mjs";
import { processor } from "../analytics_load.mjs";

export const LIMITS = { module: 50, sql: 35, growth: 2.3 };
const MODULE_BYTES = 1 << 20;
const SQL_BYTES = 8 << 10;
const ROUNDS = 5;
/** Below this many milliseconds a ratio of two times says nothing. */
const MEASURABLE = 2;

/** What is repeated to fill the text. */
const UNITS = [
  ...[
    "@",
    "a@",
    "a@a",
    "a@a.",
    "a@a.a",
    "%40",
    "a%40a.",
    "%25",
    "a%2540",
    "&#64;",
    "&#x40;a.",
    "a&commat;",
    "＠a",
    '"a"@',
  ],
  ...['"@', "<a@", "a@b-", ".@", "\\u0040"],
  ...["4", "4-", "41 ", "4111 ", "4111 1111 ", "4.1/", "5 ", "3782 ", "62 ", "4\u00a0", "4111%20", "0 ", "4111-"],
  ...["411111111111111 ", "4111111111111112", "1a", "2026-11-26 ", "00000000-0000-4000-8000-000000000000 "],
  ...["+", "+1", "+1 ", "+1-", "%2B1", "00", "0049 ", "(", "(4", "tel:", "tel:4", "phone ", "tel 0", "call 1 "],
  ...["DE", "DE89", "DE89 3704 ", "GB82 WEST ", "A1", "AA00", "AL47 2"],
  ...["0-", "078-05-", "078 05 ", "123.45.", "1.", "1.1.1.", "::", "a:", "fe80:", "255.", "1:1:"],
  ...[
    "eyJ",
    "eyJ.",
    "eyJa.eyJ",
    "Bearer ",
    "bearer",
    "sk_live_",
    "AKIA",
    "ghp_",
    "xox",
    "xoxb-",
    "-----BEGIN ",
    "token=",
  ],
  ...["?token", "password=", "sb_secret_"],
  ...["?", "&", "?a=", "&a=1", "a=&", "?phone", "&phone=", "%3d", "%26", "?%70", "?first_name=", "/?"],
  ...["a", "A", "aB", "a_", "é", "İ", "电话", "\\", '"', "%", "%2", " ", "\u00a0", "x1_"],
];

/** @param {string} unit @param {number} bytes */
const filled = (unit, bytes) => unit.repeat(Math.ceil(bytes / Buffer.byteLength(unit)));

/** As a value, as a key, and as many keys. @type {Record<string, (text: string) => unknown>} */
const PLACES = {
  value: (text) => ({ note: text }),
  key: (text) => ({ [text]: "x" }),
};

/**
 * The fastest of some runs with the whole text, and with half of it: in turns, so that what else the machine does slows both.
 * @param {string} unit @param {string} place @param {number} bytes
 * @param {(size: number) => number | Promise<number>} run in milliseconds
 * @returns {Promise<Cost>}
 */
async function cost(unit, place, bytes, run) {
  const found = { unit, place, whole: Infinity, half: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    found.whole = Math.min(found.whole, await run(bytes));
    found.half = Math.min(found.half, await run(bytes / 2));
  }
  return found;
}

/** @typedef {{ unit: string, place: string, whole: number, half: number }} Cost in milliseconds, and of half the text */

/** @returns {Promise<Cost[]>} the dearest first */
export function inModule(bytes = MODULE_BYTES) {
  return dearest((unit, place) =>
    cost(unit, place, bytes, (size) => {
      const text = JSON.stringify(PLACES[place](filled(unit, size)));
      const started = performance.now();
      redact(text);
      return performance.now() - started;
    })
  );
}

/** @param {15 | 17} version @returns {Promise<Cost[]>} the dearest first */
export async function inPostgres(version, bytes = SQL_BYTES) {
  const server = await startPostgres({ version, settings: { jit: "off" } });
  try {
    return await asClient(
      server.adminUrl,
      (client) =>
        dearest((unit, place) =>
          cost(unit, place, bytes, async (size) => {
            const event = JSON.stringify({
              session_id: "worst-text",
              event_type: "share_click",
              event_category: "advocacy",
              event_source: "bench",
              metadata: PLACES[place](filled(unit, size)),
            });
            const before = await processor(client);
            await client.query("select public.validate_audience_event($1::jsonb)", [event]);
            return await processor(client) - before;
          })
        ),
    );
  } finally {
    await server.stop();
  }
}

/** @param {(unit: string, place: string) => Promise<Cost>} measure */
async function dearest(measure) {
  /** @type {Cost[]} */
  const costs = [];
  for (const unit of UNITS) {
    for (const place of Object.keys(PLACES)) costs.push(await measure(unit, place));
  }
  return costs.sort((a, b) => b.whole - a.whole);
}

/** How much dearer twice the text is. @param {Cost} cost */
export const growth = ({ whole, half }) => whole / half;

/** Every limit that is broken, one per line. @param {string} where @param {Cost[]} costs @param {number} limit */
export function broken(where, costs, limit) {
  return costs.flatMap((cost) => {
    const what = `${where}: ${JSON.stringify(cost.unit)} as a ${cost.place}`;
    return [
      ...(cost.whole > limit ? [`${what} takes ${cost.whole.toFixed(1)} ms, not ${limit}`] : []),
      ...(cost.whole > MEASURABLE && growth(cost) > LIMITS.growth
        ? [`${what} takes ${growth(cost).toFixed(1)} times as long if twice as long`]
        : []),
    ];
  });
}
