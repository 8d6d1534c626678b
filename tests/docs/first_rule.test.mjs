// The guide to a first rule, from its first block to its last, on a stack of its own: what it prints is what comes.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import process from "node:process";
import { promisify } from "node:util";
import { startStack } from "../../local/stack.mjs";
import { commandLine } from "../command_line.mjs";
import { begun } from "../stack/beginning.mjs";
import { freePort } from "../stack/launch.mjs";
import { blocks, commands, root } from "./documents.mjs";

/** @type {import("../../local/stack.mjs").Stack} */
let stack;
const folder = mkdtempSync(join(tmpdir(), "audience-gate-first-rule-"));
/** A page view that the rule refuses. */
const EVENT =
  '{"session_id":"first-rule-5","event_type":"page_view","event_category":"engagement","event_source":"web","metadata":{"page_path":"/blog"}}';

before(async () => {
  await begun(join(folder, "stack"));
  stack = await startStack({ folder: join(folder, "stack"), port: await freePort(), demo: false, pages: false });
  writeFileSync(join(folder, "events.ndjson"), `${EVENT}\n`);
});
after(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What each kind of block answers. @type {Record<string, (text: string) => Promise<unknown>>} */
const ANSWER = {
  sql: async (text) => (await stack.database.exec(text)).at(-1)?.rows,
  js: async (text) => {
    const file = join(folder, "page.mjs");
    writeFileSync(file, text.replace("audience-gate/inline", join(root, "pkg", "inline.js")));
    return JSON.parse((await promisify(execFile)(process.execPath, [file], { cwd: folder })).stdout);
  },
  sh: async (text) => {
    const [command = ""] = commands(text);
    const asked = /^psql "\$DATABASE_URL" -Atc '([^']+)' > (\S+)$/.exec(command);
    if (asked) {
      const { rows: [row] } = await stack.database.query(`select (${asked[1]})::text as text`);
      return writeFileSync(join(folder, asked[2] ?? ""), String(row?.text));
    }
    if (command.startsWith("audience-gate ")) return refusesByIt(command.split(" ").slice(1));
    const here = command.replaceAll("http://127.0.0.1:54321", stack.url);
    return JSON.parse((await promisify(execFile)("bash", ["-c", here])).stdout);
  },
};

/** @param {string[]} args */
function refusesByIt(args) {
  const { status, stdout, stderr } = spawnSync(commandLine(), args, { cwd: folder, encoding: "utf8" });
  assert.equal(status, 1, stderr);
  assert.deepEqual(JSON.parse(stdout).first_rejected[0].violations, [{
    rule_id: "own.shop",
    path: "/metadata/page_path",
  }]);
}

test("the guide to a first rule does what it says", async () => {
  for (const { language, text, answer, line } of blocks("docs/first-rule.md")) {
    const given = ANSWER[language];
    if (!given) continue;
    const found = await given(text);
    if (answer?.language !== "json") continue;
    const plain = JSON.parse(JSON.stringify(found, (key, value) => key === "contract" ? "this version" : value));
    assert.deepEqual(plain, JSON.parse(answer.text), `line ${line}`);
  }
});
