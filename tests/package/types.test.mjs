/** The types of the installed package say what they should to the compiler that people use. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { blocks } from "../docs/documents.mjs";
import { packageCommand } from "../runner/paths.mjs";
import { project, write } from "./install.mjs";

const { folder } = await project();
const [node, tsc] = packageCommand("typescript", "tsc");
const OPTIONS = [
  "--noEmit",
  "--strict",
  "--skipLibCheck",
  "false",
  "--module",
  "nodenext",
  "--target",
  "es2022",
  "--lib",
  "es2024,dom",
];

/** The codes of the compiler's errors in a program. */
function complaints(/** @type {string} */ program, /** @type {string} */ file = "program.ts") {
  write(folder, file, program);
  const { stdout } = spawnSync(node, [tsc, ...OPTIONS, file], {
    cwd: folder,
    encoding: "utf8",
  });
  return stdout.match(/error TS\d+/g) ?? [];
}

const USE = `
  import init, * as web from "audience-gate";
  import { check, contract, hashEmail, judge, loadRegistry, redact, type AudienceEvent, type OwnRuleId, type RuleId, type Verdict } from "audience-gate/inline";
  import { AudienceGate, QueueFull, Refused, type Report, type Verdict as Outcome } from "audience-gate/client";
  const event: AudienceEvent = {
    session_id: "session-0001", event_type: "page_view", event_category: "engagement", event_source: "web",
    metadata: { page_path: "/pricing" },
  };
  const verdict: Verdict = check(event);
  const ids: (RuleId | OwnRuleId)[] = verdict.violations.map(({ rule_id }) => rule_id);
  const hash: string | undefined = hashEmail("ada@example.com");
  const { argument } = judge(new Uint8Array(), { caller: "visitor", receivedAt: 0, seed: new Uint8Array(16) });
  new Response(argument);
  loadRegistry("{}");
  const gate = new AudienceGate({ queue: "queue", onVerdict: ({ id, status }: Outcome) => console.log(id, status) });
  const sending: Promise<Report> = gate.track({ ...event, email: "ada@example.com" }).then(() => gate.flush(10));
  sending.catch((error) => console.log(error instanceof Refused ? error.status : error instanceof QueueFull));
  console.log(ids, hash, redact(""), contract().rules[0]?.id, init, web.check(event));
`;

const CASES = [
  {
    name: "a key in the code of a back end",
    program: `${USE}; new AudienceGate({ queue: "queue", key: "sb_secret_" });`,
    expected: ["error TS2353"],
  },
  { name: "the documented use", program: USE, expected: [] },
  {
    name: "a rule that does not exist",
    program: `${USE}; const wrong: RuleId = "base.colour"; console.log(wrong);`,
    expected: ["error TS2322"],
  },
  {
    name: "a caller that does not exist",
    program: `${USE}; judge(new Uint8Array(), { caller: "root", receivedAt: 0, seed: new Uint8Array(16) });`,
    expected: ["error TS2322"],
  },
];

const REQUIRED = `
  import gate = require("audience-gate");
  import { check, type RuleId } from "audience-gate/inline";
  import { AudienceGate } from "audience-gate/client";
  import { createTracker } from "audience-gate/tracker";
  const ids: RuleId[] = [];
  createTracker({ endpoint: "https://example.com", key: "sb_publishable_x", contract: "/contract.js" });
  console.log(ids, check("{}"), gate.check("{}"), new AudienceGate({ queue: "queue" }));
`;

test("the documented use, where modules are required", () => assert.deepEqual(complaints(REQUIRED, "program.cts"), []));
test("a tracker that was required and is not told where the contract is", () => {
  const program = REQUIRED.replace(', contract: "/contract.js"', "");
  assert.deepEqual(complaints(program, "program.cts"), ["error TS2345"]);
});

const shown = ["README.md", "clients/README.md"].flatMap(blocks)
  .filter(({ language, text }) => language === "ts" && text.includes("audience-gate/client"))
  .map(({ document, text }) => ({ name: `the back end that ${document} shows`, program: text, expected: [] }));
test("both documents show a back end", () => assert.equal(shown.length, 2));

for (const { name, program, expected } of [...CASES, ...shown]) {
  test(name, () => assert.deepEqual(complaints(program), expected));
}
