// The native gate and the module are one source compiled twice, and say the same of every event: the rules that it
// violates with their places, the redacted record with its digests, and what is kept of an accepted event. Each audit
// row is itself a valid event to both, and what no text may hold is refused alike. AUDIENCE_GATE_SEED=… and
// AUDIENCE_GATE_EVENTS=… as in the differential test.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { judge, loadRegistry } from "../../pkg/inline.js";
import { size } from "../long.mjs";
import { expected } from "../package/cases.mjs";
import { root } from "../runner/paths.mjs";
import { generated, hostile, random } from "./generated.mjs";

const { registry, receivedAt, cases } = expected();
const GENERATED = Number(process.env.AUDIENCE_GATE_EVENTS ?? size({ short: 10_000, long: 10_000_000 }));
const seed = Number(process.env.AUDIENCE_GATE_SEED ?? Date.now() % 2 ** 31);
/** How many events are compared at once. */
const AT_ONCE = 10_000;
const BODY_EVENTS = 1000;
const BODY_CHARACTERS = 250_000;
/** What the ids of a body derive from. */
const SEED = new Uint8Array(16).fill(7);

/** @typedef {Record<string, any>} Row */
/** @typedef {{ accepted: Row[], rejected: Map<number, Row> }} Verdicts what became of events, by their place */
/** @typedef {{ caller: "trusted" | "visitor" | "user", callerId: string | null }} By */

const USER = "3f2b8c1e-5a4d-4f6b-9c7e-1d2a3b4c5d6e";
/** @type {By[]} */
const CALLERS = [
  { caller: "trusted", callerId: null },
  { caller: "visitor", callerId: null },
  { caller: "user", callerId: USER },
];

const folder = mkdtempSync(join(tmpdir(), "audience-gate-native-"));
after(() => rmSync(folder, { recursive: true }));
const file = (/** @type {string} */ name) => join(folder, name);
writeFileSync(file("registry.json"), JSON.stringify(registry));
loadRegistry(JSON.stringify(registry));

/** The program, in the form in which the size of the run needs it. */
function program() {
  const form = GENERATED > 100_000 ? "release" : "debug";
  const command = ["build", "--locked", "-p", "audience-gate-cli", ...(form === "release" ? ["--release"] : [])];
  execFileSync("cargo", command, { cwd: root, stdio: "pipe" });
  return join(root, process.env.CARGO_TARGET_DIR ?? "target", form, "audience-gate");
}

/** What the program says of events, one a line. @param {string} gate @param {string | Buffer} lines @param {By} by @returns {Verdicts} */
function byProgram(gate, lines, { caller, callerId }) {
  writeFileSync(file("events"), lines);
  const { status, stderr } = spawnSync(gate, [
    ...["check", file("events"), "--input", "ndjson", "--registry", file("registry.json")],
    ...["--caller", callerId ?? caller, "--at", new Date(receivedAt).toISOString()],
    ...["--accepted", file("accepted"), "--rejected", file("rejected")],
  ], { encoding: "utf8" });
  assert.ok(status === 0 || status === 1, stderr);
  const rows = (/** @type {string} */ name) =>
    readFileSync(file(name), "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line));
  const rejected = rows("rejected").map(({ file: _, line, ...row }) => /** @type {const} */ ([line - 1, row]));
  return { accepted: rows("accepted"), rejected: new Map(rejected) };
}

/** Bodies of events that the module takes, as many in each as may be. @param {string[]} texts @returns {Iterable<string[]>} */
function* bodies(texts) {
  /** @type {string[]} */
  let body = [];
  let characters = 0;
  for (const text of texts) {
    if (body.length === BODY_EVENTS || (body.length > 0 && characters + text.length > BODY_CHARACTERS)) {
      yield body;
      [body, characters] = [[], 0];
    }
    body.push(text);
    characters += text.length;
  }
  if (body.length > 0) yield body;
}

/** What the module says of events. @param {string[]} texts @param {By} by @returns {Verdicts} */
function byModule(texts, by) {
  /** @type {Verdicts} */
  const verdicts = { accepted: [], rejected: new Map() };
  let start = 0;
  for (const body of bodies(texts)) {
    const bytes = new TextEncoder().encode(`{"events":[${body}]}`);
    const { argument } = judge(bytes, { ...by, origin: null, receivedAt, seed: SEED });
    const { accepted, rejected } = JSON.parse(new TextDecoder().decode(argument)).batch;
    assert.equal(accepted.length + rejected.length, body.length);
    for (const { index, ...row } of accepted) {
      const sent = JSON.parse(body[index]);
      // Only a body gives an event without an id one, and its sender to an event without a user. White space is no id,
      // and there is more of it than JavaScript trims.
      if (!/^[0-9a-f-]{36}$/i.test(sent.id)) delete row.id;
      if (sent.user_id === undefined) delete row.user_id;
      verdicts.accepted.push(row);
    }
    for (const { index, ...row } of rejected) verdicts.rejected.set(start + index, row);
    start += body.length;
  }
  return verdicts;
}

/** A row without the name of the engine that wrote it, as a text. @param {Row | undefined} row */
function told(row) {
  if (!row) return "accepted";
  const { event_source: _, metadata: { source_system: __, ...metadata }, ...columns } = row;
  return JSON.stringify({ ...columns, metadata });
}

/** The columns of an accepted event that say something. @param {Row} row */
function kept(row) {
  return JSON.stringify(Object.entries(row).filter(([, value]) => value !== null).sort());
}

/** The event that an audit row is. @param {Row} row */
const asEvent = ({ session_id, event_source, metadata }) =>
  JSON.stringify({ session_id, event_type: "event_validation_fail", event_category: "system", event_source, metadata });

/** Fails with the events on which the two differ, and with the audit rows that either refuses. @param {string} gate @param {string[]} texts @param {By} by */
function compare(gate, texts, by) {
  const native = byProgram(gate, texts.join("\n"), by);
  const module = byModule(texts, by);
  const wrong = texts.flatMap((text, index) => {
    const [left, right] = [told(native.rejected.get(index)), told(module.rejected.get(index))];
    return left === right ? [] : [`${text}\n  ${left}\n  ${right}`];
  });
  assert.equal(wrong.length, 0, `${wrong.length} of ${texts.length} differ:\n${wrong.slice(0, 5).join("\n")}`);
  assert.deepEqual(native.accepted.map(kept), module.accepted.map(kept));
  const audits = [...native.rejected.values(), ...module.rejected.values()].map(asEvent);
  for (const judged of [byProgram(gate, audits.join("\n"), CALLERS[0]), byModule(audits, CALLERS[0])]) {
    assert.deepEqual([...judged.rejected.values()].slice(0, 5), []);
  }
  return native.rejected.size;
}

test(`the native gate and the module say the same of ${GENERATED} generated events (seed ${seed})`, () => {
  const gate = program();
  let rejected = 0;
  for (let start = 0; start < GENERATED; start += AT_ONCE) {
    const count = Math.min(AT_ONCE, GENERATED - start);
    const crooked = Math.ceil(count / 10);
    const part = seed + start;
    const events = [...generated(count - crooked, cases, part), ...hostile(crooked, part)];
    rejected += compare(gate, events.map(({ text }) => text), CALLERS[(start / AT_ONCE) % CALLERS.length]);
  }
  assert.ok(rejected > GENERATED / 4, `only ${rejected} events are rejected`);
});

/** What no JSON text may hold: bytes that are not UTF-8, or cut it, and the characters that Postgres cannot store. */
const UNREADABLE = [
  ...[[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80], [0x00], [0xff, 0xfe]],
  ...["\\u0000", "\\ud83d", "\\ude00", "\\ude00\\ud83d"].map((text) => [...Buffer.from(text)]),
].map((bytes) => Buffer.from(bytes));

test(`the native gate and the module say the same of unreadable bytes at any place of an event (seed ${seed})`, () => {
  const gate = program();
  const next = random(seed);
  const lines = generated(UNREADABLE.length * 75, cases, seed).map(({ text }, index) => {
    const event = Buffer.from(text);
    const at = Math.floor(next() * (event.length + 1));
    return Buffer.concat([event.subarray(0, at), UNREADABLE[index % UNREADABLE.length], event.subarray(at)]);
  });
  const body = Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")]));
  const native = byProgram(gate, body, CALLERS[0]).rejected;
  const { argument } = judge(body, { ...CALLERS[0], origin: null, receivedAt, seed: SEED, ndjson: true });
  /** @type {Row[]} */
  const rows = JSON.parse(new TextDecoder().decode(argument)).batch.rejected;
  const module = new Map(rows.map(({ index, ...row }) => [index, row]));
  const wrong = lines.flatMap((line, index) => {
    const [left, right] = [told(native.get(index)), told(module.get(index))];
    return left === right && left !== "accepted" ? [] : [`${line.toString("latin1")}\n  ${left}\n  ${right}`];
  });
  assert.equal(wrong.length, 0, `${wrong.length} differ or are accepted:\n${wrong.slice(0, 5).join("\n")}`);
});

test("the native gate and the module say the same of each case of the corpus, whoever sends it", () => {
  const gate = program();
  const written = cases.map(({ text }) => text).filter((text) => !/[\n\r\ufeff]/.test(text) && isJson(text));
  assert.ok(written.length > 300, `only ${written.length} cases`);
  for (const by of CALLERS) compare(gate, written, by);
});

/** @param {string} text */
function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
