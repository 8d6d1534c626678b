/** What `check` and `loadRegistry` say of objects that JSON does not have, or not quite: a verdict, or what is wrong where. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as gate from "../../pkg/inline.js";
import { RECEIVED_AT, registry } from "./cases.mjs";

const encoder = new TextEncoder();
const context = { caller: /** @type {const} */ ("visitor"), receivedAt: RECEIVED_AT };

/** An event that is accepted; each case adds one thing to it. */
const event = (/** @type {object} */ metadata, /** @type {object} */ base = {}) => ({
  session_id: "session-0001",
  event_type: "page_view",
  event_category: "engagement",
  event_source: "web",
  // As it is, with the getters it has.
  metadata: Object.defineProperties({ page_path: "/pricing" }, Object.getOwnPropertyDescriptors(metadata)),
  ...base,
});

/** What `check` comes to: the violated rules, or the error. */
function said(/** @type {unknown} */ value) {
  try {
    const given = /** @type {object} */ (value);
    return gate.check(given, registry(), context).violations.map(({ rule_id }) => rule_id).join() || "accepted";
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${error}`;
  }
}

const circle = /** @type {Record<string, unknown>} */ (event({}));
circle.metadata = { page_path: "/", deep: [{ again: circle }] };
const shared = { name: "twice, but no circle" };
const deep = (/** @type {number} */ levels) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);
class Page {
  constructor() {
    this.depth = 3;
  }
  get ignored() {
    return 1n;
  }
}

/** @type {{ name: string, value: unknown, says: string }[]} */
const CASES = [
  { name: "a plain object", value: event({}), says: "accepted" },
  { name: "without a prototype", value: Object.assign(Object.create(null), event({})), says: "accepted" },
  { name: "an instance of a class", value: event({ page: new Page() }), says: "accepted" },
  { name: "undefined is left out", value: event({ a: undefined }, { user_id: undefined }), says: "accepted" },
  { name: "undefined in a list is null", value: event({ list: [1, undefined] }), says: "accepted" },
  { name: "a hole in a list is null", value: event({ list: [1, , 3] }), says: "accepted" },
  { name: "null", value: event({ a: null, b: {}, c: [] }), says: "accepted" },
  { name: "a symbol as a key is left out", value: event({ [Symbol("key")]: 1 }), says: "accepted" },
  { name: "a function is left out", value: event({ a: () => 1 }), says: "accepted" },
  { name: "a date", value: event({}, { occurred_at: new Date(RECEIVED_AT) }), says: "accepted" },
  { name: "an address", value: event({ link: new URL("https://example.com/a") }), says: "accepted" },
  { name: "the same object twice", value: event({ a: shared, b: [shared] }), says: "accepted" },
  { name: "a proxy", value: event({ a: new Proxy({ b: 1 }, {}) }), says: "accepted" },
  { name: "a key that is written with an escape", value: event({ 'a"\n': "\u0007 or \u2028" }), says: "accepted" },
  { name: "half of a pair of surrogates", value: event({ a: "\ud800" }), says: "parse.text" },
  { name: "nested too deep", value: event({ a: deep(40) }), says: "parse.depth" },
  { name: "a list", value: [event({})], says: "parse.shape" },
  { name: "a number", value: 42, says: "parse.shape" },
  { name: "a boxed text", value: event({ a: Object("text") }), says: "accepted" },
  {
    name: "a map",
    value: event({ tags: new Map([["a", 1]]) }),
    says: "TypeError: event.metadata.tags is a Map, which JSON does not have: send a plain object or a list",
  },
  {
    name: "a set in a list",
    value: event({ lists: [[], new Set([1])] }),
    says: "TypeError: event.metadata.lists[1] is a Set, which JSON does not have: send a plain object or a list",
  },
  {
    name: "bytes",
    value: event({ raw: new Uint8Array([1, 2]) }),
    says: "TypeError: event.metadata.raw is a Uint8Array, which JSON does not have: send a plain object or a list",
  },
  {
    name: "a promise",
    value: event({ later: Promise.resolve(1) }),
    says: "TypeError: event.metadata.later is a Promise, which JSON does not have: send a plain object or a list",
  },
  {
    name: "an event that is itself a map",
    value: new Map(),
    says: "TypeError: event is a Map, which JSON does not have: send a plain object or a list",
  },
  {
    name: "a BigInt",
    value: event({ count: 1n }),
    says: "TypeError: event.metadata.count is a BigInt, which JSON does not have: send a number or a text",
  },
  {
    name: "not a number",
    value: event({ duration: NaN }),
    says: "TypeError: event.metadata.duration is NaN, which JSON does not have: leave it out",
  },
  {
    name: "infinity",
    value: event({ list: [-Infinity] }),
    says: "TypeError: event.metadata.list[0] is -Infinity, which JSON does not have: leave it out",
  },
  {
    name: "an invalid date",
    value: event({}, { occurred_at: new Date(NaN) }),
    says: "TypeError: event.occurred_at is a Date of no time, which JSON does not have: leave it out",
  },
  {
    name: "a circle",
    value: circle,
    says: "TypeError: event.metadata.deep[0].again leads back to an object that it is part of",
  },
  {
    name: "a getter that throws",
    value: event({
      get title() {
        throw new RangeError("no title yet");
      },
    }),
    says: "TypeError: event.metadata.title cannot be read: no title yet",
  },
  {
    name: "a getter that throws a text",
    value: event({
      get title() {
        throw "no title yet";
      },
    }),
    says: "TypeError: event.metadata.title cannot be read: no title yet",
  },
  {
    name: "a toJSON that throws",
    value: event({
      page: {
        toJSON() {
          throw new Error("not ready");
        },
      },
    }),
    says: "TypeError: event.metadata.page cannot be read: not ready",
  },
  {
    name: "a proxy that was revoked",
    value: event({
      page: (() => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      })(),
    }),
    says: "TypeError: event.metadata.page cannot be read: Cannot perform 'get' on a proxy that has been revoked",
  },
  { name: "nothing", value: undefined, says: "TypeError: event is undefined, which JSON does not have" },
  { name: "a function", value: () => 1, says: "TypeError: event is a function, which JSON does not have" },
  { name: "a symbol", value: Symbol("a"), says: "TypeError: event is a symbol, which JSON does not have" },
  { name: "nested past any walk", value: event({ a: deep(3000), b: NaN }), says: "TypeError: event.metadata.a" },
];

const failures = (/** @type {{ name: string, says: string, got: string }[]} */ found) =>
  assert.equal(found.length, 0, `\n${found.map((one) => `${one.name}: ${one.got}, and not ${one.says}`).join("\n")}`);

test("every object gets a verdict, or an error that says what is wrong and where", () => {
  failures(
    CASES.map((one) => ({ ...one, got: said(one.value) })).filter(({ got, says, name }) =>
      name === "nested past any walk" ? !got.startsWith(says) : got !== says
    ),
  );
});

test("an object gets the verdict of what JSON.stringify would send", () => {
  const accepted = CASES.filter(({ says }) => !says.startsWith("TypeError"));
  failures(
    accepted.map((one) => ({ ...one, got: said(JSON.stringify(one.value)) })).filter(({ got, says }) => got !== says),
  );
});

test("the error of a getter is the cause of the error", () => {
  const cause = new RangeError("no title yet");
  const value = event({
    get title() {
      throw cause;
    },
  });
  assert.throws(() => gate.check(value), (error) => error instanceof TypeError && error.cause === cause);
});

test("what went wrong leaves nothing that the next call would stumble over", () => {
  for (let call = 0; call < 20; call++) for (const { value } of CASES) said(value);
  assert.equal(said(event({})), "accepted");
  assert.equal(said(JSON.stringify(event({ a: 1 }))), "accepted");
});

test("a registry is taken as an object, a text and bytes, and refused with its reason", () => {
  const snapshot = registry();
  for (const given of [snapshot, JSON.stringify(snapshot), encoder.encode(JSON.stringify(snapshot))]) {
    gate.loadRegistry(given);
  }
  const wrong = (/** @type {object} */ changed) => /** @type {any} */ ({ ...snapshot, ...changed });
  const refused = [
    [
      wrong({ states: new Set(["S0"]) }),
      "registry.states is a Set, which JSON does not have: send a plain object or a list",
    ],
    [wrong({ version: 1n }), "registry.version is a BigInt, which JSON does not have: send a number or a text"],
    ["{", "the registry snapshot is not JSON"],
  ];
  for (const [given, message] of refused) {
    assert.throws(() => gate.loadRegistry(given), { name: "TypeError", message });
    assert.throws(() => gate.check(event({}), given), { name: "TypeError", message });
  }
  assert.equal(said(event({})), "accepted");
});

test("a caller that does not exist is refused", () => {
  const seed = new Uint8Array(16);
  const body = encoder.encode(JSON.stringify(event({})));
  const judge = (/** @type {object} */ given) => () =>
    gate.judge(body, /** @type {any} */ ({ caller: "visitor", receivedAt: RECEIVED_AT, seed, ...given }));
  const check = (/** @type {object} */ given) => () => gate.check(event({}), null, /** @type {any} */ (given));
  const none = "caller is not one of visitor, user and trusted";
  /** @type {[() => void, string][]} */
  const calls = [
    [judge({ caller: "root" }), none],
    [judge({ caller: undefined }), none],
    [judge({ caller: 1 }), "caller is not a text"],
    [judge({ callerId: 7 }), "callerId is not a text"],
    [judge({ pepper: new Uint8Array(4) }), "pepper is not a text"],
    [judge({ seed: new Uint8Array(8) }), "the seed is not a Uint8Array of 16 bytes"],
    [
      () => gate.judge(/** @type {any} */ ("{}"), /** @type {any} */ ({})),
      "the body is not a Uint8Array: encode a text with TextEncoder",
    ],
    [check({ caller: "root" }), none],
    [check({ receivedAt: "now" }), "receivedAt is not a number"],
    [check({ origin: 1 }), "origin is not a text"],
  ];
  for (const [call, message] of calls) assert.throws(call, { name: "TypeError", message });
  assert.equal(judge({})().accepted, 1);
});
