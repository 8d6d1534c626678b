/**
 * The fast road into the module: `judge` and `check` copy bytes into a buffer that lives there, make one call of a few
 * numbers, and read a fixed record. With bindings that are generated, one event takes twice as long.
 */
import { json } from "./objects.js";

/**
 * What the module exports for this file alone, by the names that wasm-bindgen gives them.
 *
 * @typedef {object} Exports
 * @property {WebAssembly.Memory} memory
 * @property {(length: number) => number} road_input
 * @property {() => number} road_record
 * @property {(context: object) => TypeError | undefined} road_terms
 * @property {(length: number, receivedAt: number, flags: number) => void} road_judge
 * @property {(registry: unknown) => TypeError | undefined} road_given
 * @property {(length: number, receivedAt: number) => void} road_check
 */

/**
 * Where things are: the length of a seed, the bits of the flags, and the slots of the record.
 *
 * @typedef {Record<"seed" | "ndjson" | "dry_run" | "total" | "accepted" | "rejected" | "readable" | "output" |
 *   "argument" | "answer", number>} Layout
 */

// What says that it is pure is left out of a bundle that has no use for it.
const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder();
/** One large copy into the module was measured up to ten times slower than the same bytes in pieces. */
const PIECE = 65536;
const SLAB = 65536;
const OWN_BUFFER = 8192;

/** @type {Exports} */
let wasm;
/** @type {Layout} */
let layout;
// Kept beside its views, because asking the module for it is a call.
/** @type {ArrayBuffer} */
let memory;
/** @type {Uint8Array} */
let bytes;
/** @type {Uint32Array} */
let words;
let record = 0;
let input = 0;
let capacity = -1;
/** What the module was told last. It begins with a caller that does not exist, so the first call always tells it. */
let terms = /** @type {{ [term in keyof import("audience-gate").JudgeContext]?: unknown }} */ ({
  caller: null,
});
/** @type {ArrayBuffer} */
let shared;
/** @type {Uint8Array} */
let slab;
let slabUsed = SLAB;

/**
 * Called by the module when it starts.
 *
 * @param {Exports} exports
 * @param {Layout} given
 */
export function connect(exports, given) {
  wasm = exports;
  layout = given;
  viewMemory();
}

/**
 * Judges a whole request body: one event, an array, `{"events": […]}`, or NDJSON.
 *
 * @param {Uint8Array} body
 * @param {import("audience-gate").JudgeContext} context
 * @returns {import("audience-gate").Judgement}
 */
export function judge(body, context) {
  if (!ArrayBuffer.isView(body)) throw new TypeError("the body is not a Uint8Array: encode a text with TextEncoder");
  if (context.seed?.length !== layout.seed) throw new TypeError(`the seed is not a Uint8Array of ${layout.seed} bytes`);
  const length = body.length;
  if (!sameTerms(context)) tellTerms(context);
  reserve(length);
  bytes.set(context.seed, input);
  const start = input + layout.seed;
  if (length <= PIECE) {
    bytes.set(body, start);
  } else {
    for (let at = 0; at < length; at += PIECE) bytes.set(body.subarray(at, at + PIECE), start + at);
  }
  wasm.road_judge(
    length,
    context.receivedAt,
    (context.ndjson ? layout.ndjson : 0) | (context.dryRun ? layout.dry_run : 0),
  );
  if (bytes.length === 0) viewMemory();
  const [argument, answer] = keep(
    words[record + layout.output],
    words[record + layout.argument],
    words[record + layout.answer],
  );
  return {
    total: words[record + layout.total],
    accepted: words[record + layout.accepted],
    rejected: words[record + layout.rejected],
    readable: words[record + layout.readable] === 1,
    argument,
    answer,
  };
}

/**
 * Judges one event, given as JSON text, as its bytes or as an object; by the loaded registry unless one is given.
 *
 * @param {string | Uint8Array | object} event
 * @param {import("audience-gate").Registry | string | Uint8Array | null} [registry]
 * @param {import("audience-gate").CheckContext} [context]
 * @returns {import("audience-gate").Verdict}
 */
export function check(event, registry, { caller = "trusted", callerId, origin, receivedAt = Date.now() } = {}) {
  if (typeof receivedAt !== "number") throw new TypeError("receivedAt is not a number");
  const given = event instanceof Uint8Array || typeof event === "string" ? event : json(event, "event");
  if (caller !== terms.caller || callerId !== terms.callerId || origin !== terms.origin) {
    tellTerms({ caller, callerId, origin });
  }
  if (registry !== undefined && registry !== null) {
    const fault = wasm.road_given(registry);
    if (fault) throw fault;
  }
  wasm.road_check(write(given), receivedAt);
  if (bytes.length === 0) viewMemory();
  const report = new Uint8Array(memory, words[record + layout.output], words[record + layout.argument]);
  return JSON.parse(decoder.decode(report));
}

/**
 * Writes a text or its bytes into the buffer; how many bytes they are.
 *
 * @param {string | Uint8Array} given
 */
function write(given) {
  // A character of a text becomes at most three bytes.
  reserve(typeof given === "string" ? given.length * 3 : given.length);
  const start = input + layout.seed;
  if (typeof given === "string") return encoder.encodeInto(given, bytes.subarray(start)).written;
  bytes.set(given, start);
  return given.length;
}

/**
 * Makes sure that the buffer holds a body of this length.
 *
 * @param {number} length
 */
function reserve(length) {
  if (length > capacity) {
    input = wasm.road_input(length);
    record = wasm.road_record() >>> 2;
    capacity = length;
  }
  // Growing the module's memory empties the views of it.
  if (bytes.length === 0) viewMemory();
}

function viewMemory() {
  memory = wasm.memory.buffer;
  bytes = new Uint8Array(memory);
  words = new Uint32Array(memory);
}

/**
 * A copy, in two parts, that later calls leave alone. Small ones share a buffer, because making one costs more than
 * filling it.
 *
 * @param {number} start
 * @param {number} first
 * @param {number} second
 */
function keep(start, first, second) {
  const length = first + second;
  const written = new Uint8Array(memory, start, length);
  if (length > OWN_BUFFER) {
    // Unlike a slice, a copy made this way is not filled with zeros first.
    const own = new Uint8Array(written).buffer;
    return [new Uint8Array(own, 0, first), new Uint8Array(own, first, second)];
  }
  if (slabUsed + length > SLAB) {
    shared = new ArrayBuffer(SLAB);
    slab = new Uint8Array(shared);
    slabUsed = 0;
  }
  const at = slabUsed;
  slabUsed += length;
  slab.set(written, at);
  return [new Uint8Array(shared, at, first), new Uint8Array(shared, at + first, second)];
}

/** @param {import("audience-gate").JudgeContext} context */
function sameTerms(context) {
  return context.caller === terms.caller && context.callerId === terms.callerId && context.origin === terms.origin &&
    context.sourceSystem === terms.sourceSystem && context.rate === terms.rate && context.pepper === terms.pepper;
}

/** @param {Omit<import("audience-gate").JudgeContext, "receivedAt" | "seed">} context */
function tellTerms(context) {
  const fault = wasm.road_terms(context);
  if (fault) throw fault;
  const { caller, callerId, origin, sourceSystem, rate, pepper } = context;
  terms = { caller, callerId, origin, sourceSystem, rate, pepper };
}
