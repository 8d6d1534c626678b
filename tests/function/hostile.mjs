/** Bodies that nobody sends by accident: seeded, so that a failing one can be sent again. */

/** @typedef {{ seed: number, body: Uint8Array, headers: Record<string, string> }} Hostile */

const valid = {
  id: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
  session_id: "session-0001",
  event_type: "content_view",
  event_category: "engagement",
  event_source: "web",
  occurred_at: "2026-11-21T12:00:00Z",
  utm_campaign: "spring",
  metadata: {
    content_id: "a",
    duration_seconds: 30,
    nested: { list: [1, "é", null, true] },
  },
};

const WRONG_VALUES = [
  null,
  true,
  0,
  -1,
  1e308,
  2 ** 53,
  "",
  " ",
  "\u0000",
  "x".repeat(300),
  [],
  {},
  [[]],
  { a: {} },
  "null",
  "0x10",
  "jo@example.test",
  "4111 1111 1111 1111",
  "\u202e",
  "🙂".repeat(200),
  "__proto__",
  "'; drop table x; --",
  "%00",
  "${1}",
];
// None of these is JSON, but each looks like JSON to some reader.
const WRONG_TEXTS = [
  "",
  " ",
  "null",
  "true",
  "1",
  '""',
  "{",
  "}",
  "[",
  "]",
  "[,]",
  "{}",
  "[{}]",
  "[[]]",
  '{"events":{}}',
  '{"events":null}',
  '{"events":[',
  "NaN",
  "Infinity",
  "-",
  "01",
  "1e400",
  "[1e400]",
  "'a'",
  "{'a':1}",
  '{"a":1,}',
  '{"a":1}{"a":1}',
  '{"a":"\\x"}',
  '{"a":"\\ud800"}',
  '{"a":"\\u0000"}',
  '{"a":"\u0001"}',
  "/* */{}",
  "\ufeff{}",
  '{"a"',
  '{"a":',
  '"\\',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{}}}',
  "\u2028",
  "<xml/>",
  "a=b&c=d",
  "--x\r\n\r\n",
];
const DEEP = ["[", '{"a":', '[{"metadata":', '{"events":['];
const MEDIA = [
  "application/json",
  "text/plain",
  "application/x-ndjson",
  "application/json; charset=utf-8",
];

const encoder = new TextEncoder();

/** A generator of numbers in [0, 1), the same for the same seed. @returns {() => number} */
function numbers(/** @type {number} */ seed) {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 4294967296;
  };
}

/** @param {number} seed @returns {Hostile} */
export function hostile(seed) {
  const random = numbers(seed * 2654435761);
  const below = (/** @type {number} */ limit) => Math.floor(random() * limit);
  const pick = (/** @type {any} */ list) => list[below(list.length)];
  const text = () =>
    JSON.stringify(
      pick([valid, [valid, valid], {
        events: [valid, { ...valid, id: undefined }],
      }]),
    );

  /** @type {(() => string | Uint8Array)[]} */
  const makers = [
    () => pick(WRONG_TEXTS),
    () => text().slice(0, below(text().length)),
    () => JSON.stringify(withWrong(valid, pick, below)),
    () =>
      JSON.stringify(
        Array.from(
          { length: 1 + below(40) },
          () => withWrong(valid, pick, below),
        ),
      ),
    () => pick(DEEP).repeat(1 + below(pick([40, 5000, 100_000]))),
    () => `{"session_id":${"[".repeat(1 + below(300))}${"]".repeat(below(300))}}`,
    () => flipped(encoder.encode(text()), 1 + below(8), below),
    () => Uint8Array.from({ length: below(pick([20, 3000])) }, () => below(256)),
    () => utf16(text(), random() < 0.5),
    () => encoder.encode(text()).map((byte) => random() < 0.01 ? 0x80 + below(128) : byte),
    () => text().replace(/:/, pick([":1e999", ":-", ":\t", "::", ":\u0000"])),
    () => `{"a":"${"x".repeat(below(pick([9000, 1_100_000])))}"}`,
    () =>
      `[${
        Array(below(pick([10, 2500]))).fill(
          pick(["{}", "1", "null", '{"id":"x"}']),
        ).join(",")
      }]`,
    () => `{${'"session_id":"session-0001",'.repeat(below(50))}"event_type":"content_view"}`,
    () => [text(), pick(WRONG_TEXTS), text()].join(pick(["\n", "\r\n", "", ","])),
    () => `{"metadata":{${Array.from({ length: below(3000) }, (_, i) => `"k${i}":${i}`).join(",")}}}`,
    () =>
      text().replaceAll(
        "session",
        pick(["\\u0073ession", "\\ud83d", "sess\\u0000ion", "\\/"]),
      ),
    () => `{"n":${"9".repeat(1 + below(500))}.${"1".repeat(below(100))}}`,
  ];
  const made = pick(makers)();
  const headers = {
    "content-type": pick(MEDIA),
    ...(random() < 0.03 ? { "content-encoding": "gzip" } : {}),
  };
  return {
    seed,
    body: typeof made === "string" ? encoder.encode(made) : made,
    headers,
  };
}

/** @param {Record<string, unknown>} event @param {(list: unknown[]) => any} pick @param {(limit: number) => number} below */
function withWrong(event, pick, below) {
  const keys = Object.keys(event);
  /** @type {Record<string, unknown>} */
  const changed = {
    ...event,
    id: crypto.randomUUID(),
    session_id: `session-${below(1e9)}`,
  };
  for (let i = 0; i <= below(4); i += 1) {
    const value = pick(WRONG_VALUES);
    if (below(4) === 0) {
      changed.metadata = {
        ...(/** @type {object} */ (event.metadata)),
        [String(pick(WRONG_VALUES))]: value,
      };
    } else changed[below(6) === 0 ? String(pick(WRONG_VALUES)) : pick(keys)] = value;
  }
  return changed;
}

/** @param {Uint8Array} bytes @param {number} count @param {(limit: number) => number} below */
function flipped(bytes, count, below) {
  for (let i = 0; i < count; i += 1) {
    bytes[below(bytes.length)] ^= 1 << below(8);
  }
  return bytes;
}

/** @param {string} text @param {boolean} marked */
function utf16(text, marked) {
  const units = Uint16Array.from(
    marked ? `\ufeff${text}` : text,
    (unit) => unit.charCodeAt(0),
  );
  return new Uint8Array(units.buffer);
}
