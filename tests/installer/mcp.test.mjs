/** The server for agents, in a conversation as a client of the protocol has it. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { project } from "./scene.mjs";

const scene = project("mcp", { "config.toml": 'project_id = "mcp"\n' });
const EVENT = {
  session_id: "session-mcp-1",
  event_type: "content_view",
  event_category: "engagement",
  event_source: "web",
  metadata: { content_id: "a", duration_seconds: 4 },
};

const call = (/** @type {string} */ name, /** @type {object} */ given) => ({
  method: "tools/call",
  params: { name, arguments: given },
});
const has = (/** @type {unknown} */ answer, /** @type {string[]} */ ...words) => {
  const text = JSON.stringify(answer);
  return words.filter((word) => !text.includes(word)).map((word) => `no ${word} in ${text.slice(0, 500)}`);
};
/** @typedef {{ result: { content: { text: string }[], isError?: boolean, protocolVersion?: string }, error?: { code: number } }} Answer */
const told = (/** @type {Answer} */ { result }) => JSON.parse(result.content[0].text);

/** What is asked, and what is wrong with an answer. @type {[asked: object, wrong: (answer: Answer) => unknown[]][]} */
const CONVERSATION = [
  [
    { method: "initialize", params: { protocolVersion: "2025-03-26", capabilities: {}, clientInfo: { name: "test" } } },
    (answer) => has(answer, '"protocolVersion":"2025-03-26"', '"tools":{}', '"name":"audience-gate"'),
  ],
  [{ method: "initialize", params: { protocolVersion: "1999-01-01" } }, (answer) => has(answer, "2025-06-18")],
  [{ method: "ping" }, (answer) => has(answer, '"result":{}')],
  [
    { method: "tools/list" },
    (answer) => has(answer, "list_rules", "list_event_types", "check_event", "explain_rejection", '"inputSchema"'),
  ],
  [call("check_event", { event: EVENT }), (answer) => {
    const { accepted, violations } = told(answer);
    const ids = violations.map((/** @type {{ rule_id: string }} */ { rule_id }) => rule_id);
    return accepted || `${ids}` !== "engagement.content_view_threshold" ? [accepted, ids] : [];
  }],
  [
    call("check_event", { event: { ...EVENT, metadata: { content_id: "a", duration_seconds: 40 } } }),
    (answer) => told(answer).accepted ? [] : [told(answer)],
  ],
  [
    call("check_event", { event: { ...EVENT, event_type: "page_vew" } }),
    (answer) => has(answer, "registry.event_type"),
  ],
  [
    call("check_event", { event: { ...EVENT, user_id: "7c9e6679-7425-40de-944b-e07fc1f90ae7" } }),
    (answer) => has(answer, "identity.user_id"),
  ],
  [call("check_event", {}), ({ result }) => result.isError ? [] : [result]],
  [
    call("explain_rejection", { rule_id: "subscription.consent" }),
    (answer) => has(answer, "accepts", "consent_recorded"),
  ],
  [call("explain_rejection", { rule_id: "parse.json" }), (answer) => has(answer, "rejects")],
  [call("explain_rejection", { rule_id: "base.colour" }), ({ result }) => result.isError ? [] : [result]],
  [
    call("list_rules", { category: "advocacy" }),
    (answer) => told(answer).filter((/** @type {{ category: string }} */ { category }) => category !== "advocacy"),
  ],
  [call("list_event_types", { category: "advocacy" }), (answer) => has(answer, "referral_click")],
  [call("drop_tables", {}), ({ error }) => error?.code === -32602 ? [] : [error]],
  [{ method: "resources/list" }, ({ error }) => error?.code === -32601 ? [] : [error]],
];

test("an agent is told what an event must be, and why one was rejected", () => {
  const lines = CONVERSATION.map(([asked], id) => JSON.stringify({ jsonrpc: "2.0", id, ...asked }));
  const notification = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });
  const { code, said } = scene.gate(["mcp"], [lines[0], notification, "not JSON", "", ...lines.slice(1)].join("\n"));
  assert.equal(code, 0, said);
  const [first, unreadable, ...rest] = said.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual([unreadable.id, unreadable.error.code], [null, -32700]);
  const answers = [first, ...rest];
  assert.deepEqual(answers.map(({ id }) => id), CONVERSATION.map((_, id) => id));
  const wrong = CONVERSATION.flatMap(([asked, faults], id) => faults(answers[id]).map((fault) => [asked, fault]));
  assert.deepEqual(wrong, []);
});

test("it judges by the types of an install that is named", () => {
  const registry = JSON.parse(readFileSync(join(scene.packaged, "install/registry.json"), "utf8"));
  registry.event_types.push({ id: "webinar_joined", category: "engagement", payload_schema: null });
  writeFileSync(join(scene.folder, "registry.json"), JSON.stringify(registry));
  const asked = {
    jsonrpc: "2.0",
    id: 1,
    ...call("check_event", { event: { ...EVENT, event_type: "webinar_joined" } }),
  };
  const { said } = scene.gate(["mcp", "--registry", "registry.json"], JSON.stringify(asked));
  assert.equal(told(JSON.parse(said)).accepted, true, said);
});

test("the package tells agents how to use it", () => {
  const skill = readFileSync(join(scene.packaged, "SKILL.md"), "utf8");
  assert.match(skill, /^---\nname: audience-gate\ndescription: .{50,1024}\n---\n/);
  const tools = [...skill.matchAll(/`(list_\w+|check_\w+|explain_\w+)`/g)].map(([, name]) => name);
  const { said } = scene.gate(["mcp"], JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }));
  const there = JSON.parse(said).result.tools.map((/** @type {{ name: string }} */ { name }) => name);
  assert.deepEqual([...new Set(tools)].sort(), there.sort());
});
