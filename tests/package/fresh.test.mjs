/** What is committed under `pkg/` was built from the sources beside it, is small, and does not grow in use. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import { fingerprint } from "../../build/fingerprint.mjs";
import * as gate from "../../pkg/inline.js";
import * as web from "../../pkg/audience_gate.js";
import { root } from "../runner/paths.mjs";
import { RECEIVED_AT, registry } from "./cases.mjs";

const read = (/** @type {string} */ path) => readFileSync(join(root, path));
const module = read("pkg/audience_gate_bg.wasm");
const stamp = JSON.parse(read("pkg/build.json").toString());
const REBUILD = "run `npm run build`";

test("it was built from these sources", () => assert.equal(stamp.sources, fingerprint(), REBUILD));

test("it is the module that was built", () => {
  assert.equal(stamp.module, createHash("sha256").update(module).digest("hex"), REBUILD);
});

test("the inline entry carries the same module", () => {
  const characters = read("pkg/inline.js").toString().match(/"([^"]{9999,})"/)?.[1] ?? "";
  const carried = Buffer.from(Array.from(characters, (character) => (character.charCodeAt(0) - 32) & 255));
  assert.ok(carried.equals(module), REBUILD);
});

test("it judges by the contract that was emitted, and says so", () => {
  const { version, fingerprint: emitted } = JSON.parse(read("contract.json").toString());
  assert.equal(gate.contract().fingerprint, emitted, REBUILD);
  const context = { caller: /** @type {const} */ ("visitor"), receivedAt: RECEIVED_AT, seed: new Uint8Array(16) };
  const { answer } = gate.judge(new TextEncoder().encode("[]"), context);
  assert.equal(JSON.parse(new TextDecoder().decode(answer)).contract, `${version}+${emitted}`, REBUILD);
});

test("the module names no folder of the machine that built it", () => {
  const named = module.toString("latin1").match(/[\w./-]*(?:\/root|\/home|\/Users|\/tmp|\/work|\.cargo)[\w./-]*/g);
  assert.equal(named, null);
});

for (const [path, most] of Object.entries({ "pkg/audience_gate_bg.wasm": 74, "pkg/inline.js": 89 })) {
  test(`${path} has at most ${most} KB of brotli`, () => {
    const shipped = brotliCompressSync(read(path)).length;
    assert.ok(shipped <= most * 1024, `${shipped} bytes`);
  });
}

test("its memory stays as it is after the first bodies", () => {
  const { memory } = web.initSync({ module });
  web.loadRegistry(registry());
  const event = {
    session_id: "session-0001",
    event_type: "page_view",
    event_category: "engagement",
    event_source: "web",
    email: "ada@example.com",
    metadata: { page_path: "/pricing" },
  };
  const accepted = JSON.stringify(event);
  const rejected = JSON.stringify({ ...event, metadata: { page_path: "/pricing", note: "call +14155552671" } });
  const body = new TextEncoder().encode(`[${Array.from({ length: 1000 }, (_, at) => at % 9 ? accepted : rejected)}]`);
  const context = { caller: /** @type {const} */ ("visitor"), receivedAt: RECEIVED_AT, seed: new Uint8Array(16) };
  const judge = (/** @type {number} */ times) => {
    for (let call = 0; call < times; call++) {
      const { total, accepted } = web.judge(body, context);
      assert.deepEqual([total, accepted], [1000, 888]);
    }
    return memory.buffer.byteLength;
  };
  assert.equal(judge(290), judge(10));
});
