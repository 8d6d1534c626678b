// The JavaScript half of the boundary; `npm run build` joins it to what wasm-bindgen generates, where `wasm`, the
// exports of the module, and the `gate…` functions come from, and to `CONTRACT`, the text of `contract.json`.

const CALLERS = { visitor: 0, user: 1, trusted: 2 };
const NDJSON = 1;
const DRY_RUN = 2;
const SEED = 16;
// One large copy into the module was measured up to ten times slower than the same bytes in pieces.
const PIECE = 65536;
const SLAB = 65536;
const OWN_BUFFER = 8192;

// What says that it is pure is left out of a bundle that only checks.
const encoder = new TextEncoder();
// Kept beside its views, because asking one for it is a call.
let memory = /* @__PURE__ */ new ArrayBuffer(0);
let bytes = /* @__PURE__ */ new Uint8Array(0);
let words = /* @__PURE__ */ new Uint32Array(0);
let record = 0;
let input = 0;
let capacity = -1;
let terms = {};
let shared = /* @__PURE__ */ new ArrayBuffer(0);
let slab = /* @__PURE__ */ new Uint8Array(0);
let slabUsed = SLAB;
let rules;

/** Judges a whole request body: one event, an array, `{"events": […]}`, or NDJSON. */
export function judge(body, context) {
  const length = body.length;
  if (!sameTerms(context)) tellTerms(context);
  if (length > capacity) {
    input = gateInput(length);
    record = gateRecord() >>> 2;
    capacity = length;
  }
  // Growing the module's memory leaves empty views behind.
  if (bytes.length === 0) viewMemory();
  bytes.set(context.seed, input);
  if (length <= PIECE) {
    bytes.set(body, input + SEED);
  } else {
    for (let at = 0; at < length; at += PIECE) bytes.set(body.subarray(at, at + PIECE), input + SEED + at);
  }
  wasm.gateJudge(length, context.receivedAt, (context.ndjson ? NDJSON : 0) | (context.dryRun ? DRY_RUN : 0));
  if (bytes.length === 0) viewMemory();
  const [argument, answer] = keep(words[record + 4], words[record + 5], words[record + 6]);
  return {
    total: words[record],
    accepted: words[record + 1],
    rejected: words[record + 2],
    readable: words[record + 3] === 1,
    argument,
    answer,
  };
}

function viewMemory() {
  memory = wasm.memory.buffer;
  bytes = new Uint8Array(memory);
  words = new Uint32Array(memory);
}

/**
 * A copy, in two parts, that later calls leave alone; small ones share a buffer, because making one costs more than
 * filling it.
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

function sameTerms(context) {
  return context.caller === terms.caller && context.callerId === terms.callerId && context.origin === terms.origin &&
    context.sourceSystem === terms.sourceSystem && context.rate === terms.rate && context.pepper === terms.pepper;
}

function tellTerms({ caller, callerId, origin, sourceSystem, rate, pepper }) {
  gateTerms(callerNumber(caller), callerId, origin, sourceSystem ?? "edge-function", rate, pepper);
  terms = { caller, callerId, origin, sourceSystem, rate, pepper };
}

function callerNumber(caller) {
  const number = CALLERS[caller];
  if (number === undefined) throw new TypeError("caller is none of visitor, user, trusted");
  return number;
}

/** Judges one event, given as JSON text, as its bytes or as an object; by the loaded registry unless one is given. */
export function check(event, registry, { caller = "trusted", callerId, origin, receivedAt = Date.now() } = {}) {
  const snapshot = registry && jsonBytes(registry);
  const report = gateCheck(jsonBytes(event), snapshot, callerNumber(caller), callerId, origin, receivedAt);
  if (!report.startsWith("{")) throw new TypeError(report);
  return JSON.parse(report);
}

/** Takes the registry snapshot that events are judged by from now on. */
export function loadRegistry(registry) {
  const reason = gateRegistry(jsonBytes(registry));
  if (reason) throw new TypeError(reason);
}

function jsonBytes(value) {
  if (value instanceof Uint8Array) return value;
  return encoder.encode(typeof value === "string" ? value : JSON.stringify(value) ?? "");
}

/** The hash of an e-mail address, or nothing where it is not a valid one. */
export function hashEmail(email, pepper) {
  return gateHash(email, pepper);
}

/** A text, or JSON as text, with everything personal replaced. */
export function redact(text) {
  return gateRedact(text);
}

/** The rules, their version, and the fingerprint of what this module judges by. */
export function contract() {
  return rules ??= { ...JSON.parse(CONTRACT), fingerprint: gateFingerprint() };
}
