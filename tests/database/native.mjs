/** The native gate and the module over the same events, and where they differ. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { judge, loadRegistry } from "../../pkg/inline.js";
import { expected } from "../package/cases.mjs";

const { registry, receivedAt, cases } = expected();
export { cases };
const BODY_EVENTS = 1000;
const BODY_CHARACTERS = 250_000;

/** @typedef {{ accepted: string[], rejected: Map<number, string> }} Lines what the program wrote of events; of rejected ones, by their place */
/** @typedef {Record<string, any>} Row */
/** @typedef {{ accepted: Row[], rejected: Map<number, Row> }} Verdicts the same, read */
/** @typedef {{ caller: "trusted" | "visitor" | "user", callerId: string | null }} By */

/** @type {By[]} */
export const CALLERS = [
  { caller: "trusted", callerId: null },
  { caller: "visitor", callerId: null },
  { caller: "user", callerId: "3f2b8c1e-5a4d-4f6b-9c7e-1d2a3b4c5d6e" },
];
const [TRUSTED] = CALLERS;

/** What each writes at the end of a rejected event's record, whatever it says. */
const endOf = (/** @type {string} */ system) => `,"source_system":"${system}"},"event_source":"${system}"}`;
const ENDS = { native: endOf("command-line"), module: endOf("edge-function") };

/** What the module answers to a body. @param {Uint8Array} body @param {By} by @param {{ ndjson?: boolean }} [form] */
export function answered(body, by, form = {}) {
  // What the ids derive from is the same in each run.
  const seed = new Uint8Array(16).fill(7);
  return new TextDecoder().decode(judge(body, { ...by, ...form, origin: null, receivedAt, seed }).argument);
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

/** Each body of events with the module's answer, and the place of its first event. @param {string[]} texts @param {By} by */
function* answers(texts, by) {
  let start = 0;
  for (const body of bodies(texts)) {
    yield { body, start, answer: answered(new TextEncoder().encode(`{"events":[${body}]}`), by) };
    start += body.length;
  }
}

/** What the module says of events. @param {string[]} texts @param {By} by @returns {Verdicts} */
function byModule(texts, by) {
  /** @type {Verdicts} */
  const verdicts = { accepted: [], rejected: new Map() };
  for (const { body, start, answer } of answers(texts, by)) {
    const { accepted, rejected } = JSON.parse(answer).batch;
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
  }
  return verdicts;
}

/**
 * Whether the module answers a body with nothing but what the program wrote of the same events, byte for byte.
 *
 * @param {string} answer @param {number} many how many events it has
 * @param {(string | undefined)[]} rejected what the program wrote of each that it rejected
 * @param {() => string | undefined} nextAccepted
 * @param {By} by
 */
function isSame(answer, many, rejected, nextAccepted, { callerId }) {
  const begin = `"accepted":[`;
  let at = answer.indexOf(begin) + begin.length;
  /** @type {string[]} */
  const records = [];
  const goesOn = (/** @type {string} */ text, skipped = 0) => {
    const does = answer.startsWith(text, at + skipped);
    if (does) at += skipped + text.length;
    return does;
  };
  const id = `,"id":"00000000-0000-0000-0000-000000000000"`.length;
  let isFirst = true;
  for (let index = 0; index < many; index++) {
    const record = rejected[index];
    if (record !== undefined) {
      if (!record.endsWith(ENDS.native)) return false;
      records.push(`{"index":${index},${record.slice(1, -ENDS.native.length)}${ENDS.module}`);
      continue;
    }
    const rest = `,${nextAccepted()?.slice(1)}`;
    if (!goesOn(`${isFirst ? "" : ","}{"index":${index}`)) return false;
    isFirst = false;
    // Only a body gives an event without an id one, and its sender to an event without a user.
    const user = `,"user_id":"${callerId}"${rest}`;
    if (!goesOn(rest) && !goesOn(rest, id) && !goesOn(user) && !goesOn(user, id)) return false;
  }
  return goesOn(`],"rejected":[${records}]}}`) && at === answer.length;
}

/** A row without the name of the engine that wrote it, as a text. @param {Row | undefined} row */
export function told(row) {
  if (!row) return "accepted";
  const { event_source: _, metadata: { source_system: __, ...metadata }, ...columns } = row;
  return JSON.stringify({ ...columns, metadata });
}

/** The columns of an accepted event that say something. @param {Row} row */
const kept = (row) => JSON.stringify(Object.entries(row).filter(([, value]) => value !== null).sort());

/** The event that an audit row is. @param {string} row */
const asEvent = (row) => `{"event_type":"event_validation_fail","event_category":"system",${row.slice(1)}`;

/** Compares the two. @param {string} gate the program @param {string} folder for what it reads and writes */
export function comparison(gate, folder) {
  const file = (/** @type {string} */ name) => join(folder, name);
  writeFileSync(file("registry.json"), JSON.stringify(registry));
  loadRegistry(JSON.stringify(registry));

  /** What the program says of events, one a line. @param {string | Buffer} lines @param {By} by @returns {Lines} */
  function byProgram(lines, { caller, callerId }) {
    writeFileSync(file("events"), lines);
    const { status, stderr } = spawnSync(gate, [
      ...["check", file("events"), "--input", "ndjson", "--registry", file("registry.json"), "--threads", "1"],
      ...["--caller", callerId ?? caller, "--at", new Date(receivedAt).toISOString()],
      ...["--accepted", file("accepted"), "--rejected", file("rejected")],
    ], { encoding: "utf8" });
    assert.ok(status === 0 || status === 1, stderr);
    const written = (/** @type {string} */ name) => readFileSync(file(name), "utf8").split("\n").slice(0, -1);
    const before = `{"file":${JSON.stringify(file("events"))},"line":`;
    const rejected = written("rejected").map((line) => {
      assert.ok(line.startsWith(before), line);
      const end = line.indexOf(",", before.length);
      return /** @type {const} */ ([Number(line.slice(before.length, end)) - 1, `{${line.slice(end + 1)}`]);
    });
    return { accepted: written("accepted"), rejected: new Map(rejected) };
  }

  /** Fails with the events on which the two differ. @param {string[]} texts @param {By} by @param {Lines} lines the program's */
  function agree(texts, by, lines) {
    const module = byModule(texts, by);
    const wrong = texts.flatMap((text, index) => {
      const line = lines.rejected.get(index);
      const [left, right] = [told(line && JSON.parse(line)), told(module.rejected.get(index))];
      return left === right ? [] : [`${text}\n  ${left}\n  ${right}`];
    });
    assert.equal(wrong.length, 0, `${wrong.length} of ${texts.length} differ:\n${wrong.slice(0, 5).join("\n")}`);
    assert.deepEqual(lines.accepted.map((line) => kept(JSON.parse(line))), module.accepted.map(kept));
  }

  /**
   * Fails with the events on which the two differ, and with the audit rows that one wrote and the other refuses. The
   * bytes are compared first; events are only looked at one by one where those differ.
   *
   * @param {string[]} texts @param {By} by
   */
  function compare(texts, by) {
    const native = byProgram(texts.join("\n"), by);
    let place = 0;
    let looked = 0;
    for (const { body, start, answer } of answers(texts, by)) {
      const rejected = body.map((_, index) => native.rejected.get(start + index));
      const first = place;
      place += rejected.filter((record) => record === undefined).length;
      let next = first;
      if (isSame(answer, body.length, rejected, () => native.accepted[next++], by)) continue;
      looked += body.length;
      const own = rejected.flatMap((record, index) =>
        record === undefined ? [] : [/** @type {const} */ ([index, record])]
      );
      agree(body, by, { accepted: native.accepted.slice(first, place), rejected: new Map(own) });
    }
    assert.equal(place, native.accepted.length);
    // Each is an event to the engine that did not write it.
    const records = [...native.rejected.values()].map(asEvent);
    for (const { answer } of answers(records, TRUSTED)) {
      if (!answer.endsWith(`"rejected":[]}}`)) assert.deepEqual(JSON.parse(answer).batch.rejected.slice(0, 5), []);
    }
    const ofModule = records.map((record) => record.slice(0, -ENDS.native.length) + ENDS.module);
    assert.deepEqual([...byProgram(ofModule.join("\n"), TRUSTED).rejected.values()].slice(0, 5), []);
    return { rejected: native.rejected.size, looked };
  }
  return { byProgram, compare };
}
