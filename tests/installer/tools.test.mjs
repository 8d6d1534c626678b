/** What the command says and does apart from coming and going: words, types, judging, secrets, upgrades. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import process from "node:process";
import { denoBinary, packageCommand, root } from "../runner/paths.mjs";
import { serveFunction } from "../function/serve.mjs";
import { blocks } from "../docs/documents.mjs";
import { project } from "./scene.mjs";

const CONFIG = { "config.toml": 'project_id = "tools"\n' };
const COMMANDS = [
  "init",
  "status",
  "doctor",
  "enable",
  "upgrade",
  "uninstall",
  "types",
  "import",
  "export",
  "check",
  "alerts",
  "mcp",
];

describe("the words of the command", () => {
  const scene = project("words", CONFIG);
  const cases = [
    { args: [], code: 2, says: /^Usage/ },
    { args: ["--help"], code: 0, says: /init[\s\S]*uninstall/ },
    { args: ["--version"], code: 0, says: /^\d+\.\d+\.\d+\n$/ },
    { args: ["init", "-h"], code: 0, says: /--function NAME/ },
    { args: ["instal"], code: 2, says: /there is no command instal; --help lists them/ },
    { args: ["init", "--dryrun"], code: 2, says: /dryrun[\s\S]*audience-gate init --help/ },
    { args: ["init", "here"], code: 2, says: /takes 0 words and got 1/ },
    {
      args: ["init", "--folder", "missing"],
      code: 1,
      says: /no supabase\/config\.toml in missing; there is one in \.: use --folder \.\n$/,
    },
    { args: ["upgrade"], code: 1, says: /npx audience-gate init/ },
    { args: ["enable", "all", "--db-url", "postgresql://"], code: 2, says: /jobs, push or signing, not all/ },
    { args: ["enable", "jobs"], code: 2, says: /needs --db-url/ },
    { args: ["status"], code: 1, says: /npx audience-gate init/ },
    { args: ["uninstall"], code: 0, says: /Nothing of the gate/ },
    { args: ["uninstall", "--export", "x"], code: 2, says: /--export needs --db-url/ },
    { args: ["check", "missing.ndjson"], code: 2, says: /missing.ndjson cannot be read \(ENOENT\)/ },
    { args: ["check", "-", "--registry", "missing.json"], code: 1, says: /missing.json cannot be read/ },
    { args: ["alerts"], code: 2, says: /--url, or AUDIENCE_GATE_URL/ },
    { args: ["alerts", "--url", "http://127.0.0.1:1"], code: 2, says: /set AUDIENCE_GATE_KEY to a secret key/ },
    ...COMMANDS.map((name) => ({
      args: [name, "--help"],
      code: 0,
      says: new RegExp(`^Usage: audience-gate ${name} `),
    })),
  ];

  test("are understood, or answered with what to do", () => {
    const wrong = cases.flatMap(({ args, code, says }) => {
      const ended = scene.gate(args);
      return ended.code === code && says.test(ended.said) ? [] : [{ args, ...ended }];
    });
    assert.deepEqual(wrong, []);
  });

  test("never repeat the password of a database", () => {
    const { code, said } = scene.gate(["init", "--db-url", "postgresql://postgres:hush-hush@127.0.0.1:1/postgres"]);
    assert.equal(code, 1);
    assert.match(said, /cannot be reached \(ECONNREFUSED\)/);
    assert.doesNotMatch(said, /hush/);
  });
});

describe("the function in a project", () => {
  const scene = project("function", CONFIG);
  const entry = join(scene.folder, "supabase/functions/ingest/index.ts");
  test("holds everything that it imports, and no test", () => {
    assert.equal(scene.gate(["init"]).code, 0);
    const { status, stderr } = spawnSync(denoBinary("deno"), ["check", "index.ts"], {
      cwd: join(scene.folder, "supabase/functions/ingest"),
      encoding: "utf8",
      env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
    });
    assert.equal(status, 0, stderr);
    assert.deepEqual(Object.keys(scene.files()).filter((path) => /_test\.ts$/.test(path)), []);
  });
  for (const deno of /** @type {const} */ (["deno-hosted", "deno"])) {
    test(`answers on ${deno}`, async () => {
      const served = await serveFunction({ deno, entry });
      try {
        const { fingerprint } = await (await fetch(`${served.url}/contract`)).json();
        assert.equal(fingerprint, JSON.parse(readFileSync(join(root, "contract.json"), "utf8")).fingerprint);
      } finally {
        await served.stop();
      }
    });
  }
});

test("secrets are another project's own, are never shown, and are not for others to read", () => {
  const scenes = ["one", "two"].map((name) => project(`secrets ${name}`, CONFIG));
  const peppers = scenes.map((scene) => {
    const { said } = scene.gate(["init"]);
    const path = join(scene.folder, "supabase/functions/.env");
    const [, pepper] = /^AUDIENCE_GATE_EMAIL_PEPPER=([0-9a-f]{64})$/m.exec(readFileSync(path, "utf8")) ?? [];
    assert.ok(pepper && !said.includes(pepper));
    assert.equal(statSync(path).mode & 0o077, 0);
    return pepper;
  });
  assert.notEqual(peppers[0], peppers[1]);
});

test("a secrets file under version control is refused, and one that is not is ignored from then on", () => {
  const scene = project("tracked", { ...CONFIG, "functions/.env": "KEY=theirs\n" });
  const git = (/** @type {string[]} */ ...args) => spawnSync("git", args, { cwd: scene.folder, encoding: "utf8" });
  git("init", "--quiet");
  git("add", "--force", "supabase/functions/.env");
  const refused = scene.gate(["init"]);
  assert.equal(refused.code, 1);
  assert.match(refused.said, /git rm --cached supabase\/functions\/\.env/);
  git("rm", "--quiet", "--cached", "supabase/functions/.env");
  assert.equal(scene.gate(["init"]).code, 0);
  assert.equal(git("check-ignore", "supabase/functions/.env").status, 0);
});

test("an edited file is left, until somebody says otherwise", () => {
  const scene = project("edited", CONFIG);
  scene.gate(["init"]);
  const path = join(scene.folder, "supabase/functions/ingest/log.ts");
  const written = readFileSync(path, "utf8");
  appendFileSync(path, "// ours\n");
  for (const name of ["init", "upgrade", "uninstall"]) {
    const { code, said } = scene.gate([name]);
    assert.equal(code, 1, name);
    assert.match(said, /edited since they were written: supabase\/functions\/ingest\/log\.ts/);
  }
  assert.match(scene.gate(["status"]).said, /edited +supabase\/functions\/ingest\/log\.ts/);
  assert.equal(scene.gate(["upgrade", "--force"]).code, 0);
  assert.equal(readFileSync(path, "utf8"), written);
  assert.equal(scene.gate(["status"]).code, 0);
});

test("a project that copied release 0.1.0 by hand gets what is newer, and keeps what it has", () => {
  const releases = join(root, "supabase/contract/releases/0.1.0.json");
  const old = Object.keys(JSON.parse(readFileSync(releases, "utf8")).migrations);
  const files = Object.fromEntries(
    old.map((name) => [`migrations/${name}`, readFileSync(join(root, "supabase/migrations", name), "utf8")]),
  );
  const scene = project("by hand", {
    "config.toml": readFileSync(join(root, "supabase/config.toml"), "utf8"),
    ...files,
    "functions/ingest/index.ts": "// of 0.1.0\n",
  });
  assert.match(scene.gate(["init"]).said, /npx audience-gate upgrade/);
  const upgraded = scene.gate(["upgrade"]);
  assert.equal(upgraded.code, 0, upgraded.said);
  const migrations = Object.keys(scene.files()).filter((path) => path.includes("migrations"));
  assert.equal(migrations.filter((path) => /_(preflight|schedules|roles)\.sql$/.test(path)).length, 2);
  assert.ok(migrations.some((path) => /_audience_gate_\d{6}_install_secrets\.sql$/.test(path)));
  assert.equal(scene.gate(["upgrade"]).said.includes("nothing was changed"), true);
});

test("whoever reads only the beginning of an output gets no error", () => {
  const scene = project("beginning", CONFIG);
  const one = { category: "engagement", description: "x".repeat(200), payload_schema: null };
  const types = Array.from({ length: 2000 }, (_, number) => ({ id: `type_${number}`, ...one }));
  writeFileSync(join(scene.folder, "registry.json"), JSON.stringify({ event_types: types }));
  for (const command of ["types", "export"]) {
    const { stdout, stderr } = spawnSync(
      "sh",
      ["-c", `"${process.execPath}" "${scene.command}" ${command} --registry registry.json | head -n 1`],
      { cwd: scene.folder, encoding: "utf8" },
    );
    assert.deepEqual([stderr, stdout.split("\n").length], ["", 2], command);
  }
});

describe("the types of an install", () => {
  const scene = project("types", CONFIG);
  const [node, tsc] = packageCommand("typescript", "tsc");
  const complaints = (/** @type {string} */ program) => {
    writeFileSync(
      join(scene.folder, "program.ts"),
      `import { event, type AudienceEvent, type TrackedEvent } from "./events.js";
      declare function track(event: TrackedEvent): void;
      ${program}`,
    );
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2024,dom"];
    const { stdout } = spawnSync(node, [tsc, ...options, "program.ts"], { cwd: scene.folder, encoding: "utf8" });
    return stdout.match(/error TS\d+/g)?.length ?? 0;
  };
  // The programs of a page that the documents show; tests/package/types.test.mjs has those of back ends.
  const shown = ["README.md", "DEPLOY.md"].flatMap(blocks)
    .filter(({ language, text }) => language === "ts" && !text.includes("audience-gate/client"));
  const [typed, started] = shown.map(({ text }) => text.replace(/^import .*"\.\/events\.js";$/m, ""));
  const good = [
    `import type { Tracker } from "audience-gate/tracker"; declare const tracker: Tracker; ${typed}`,
    started,
    `track(event("page_view", { page_path: "/pricing", device_class: "mobile" }));`,
    `const one: AudienceEvent = { session_id: "session-0001", event_type: "page_view", event_category: "engagement",
       event_source: "web", metadata: { page_path: "/" } }; if (one.event_type === "page_view") one.metadata.page_path.at(0);`,
  ];
  const bad = [
    `track(event("page_veiw", { page_path: "/pricing" }));`,
    `track(event("page_view", { page_path: "/pricing", device_clas: "mobile" }));`,
    `track(event("page_view", { page_path: "/pricing", device_class: "fridge" }));`,
    `track(event("page_view", { page_path: 7 }));`,
    `track(event("page_view", {}));`,
    `track({ event_type: "page_view", event_category: "advocacy", metadata: { page_path: "/" } });`,
  ];

  test("let in what the registry takes, and nothing that is misspelt", () => {
    const written = scene.gate(["types", "--out", "events.ts"]);
    assert.equal(written.code, 0, written.said);
    assert.equal(shown.length, 2);
    const wrong = [
      ...good.map((program) => ({ program, expected: true })),
      ...bad.map((program) => ({ program, expected: false })),
    ].filter(({ program, expected }) => (complaints(program) === 0) !== expected);
    assert.deepEqual(wrong, []);
  });

  test("say what lists and objects within a payload hold", () => {
    const line = {
      type: "object",
      properties: { sku: { type: "string" }, part: { $ref: "#/$defs/line" } },
      required: ["sku"],
    };
    const payload_schema = {
      properties: {
        lines: { type: "array", items: { $ref: "#/$defs/line" } },
        pair: { type: "array", prefixItems: [{ type: "string" }, { type: "number" }], items: false },
        place: { type: "object", properties: { hall: { enum: ["north", "south"] } }, required: ["hall"] },
        rates: { type: "object", additionalProperties: { type: "number" } },
      },
      oneOf: [{ required: ["lines"] }, { required: ["bundle"] }],
      dependentRequired: { bundle: ["reason"] },
      $defs: { line },
    };
    const types = [{ id: "basket_filled", category: "engagement", payload_schema }];
    writeFileSync(join(scene.folder, "registry.json"), JSON.stringify({ event_types: types }));
    const { code, said } = scene.gate(["types", "--registry", "registry.json", "--out", "events.ts"]);
    assert.equal(code, 0, said);
    const given = (/** @type {string} */ metadata) => `track(event("basket_filled", { page_path: "/", ${metadata} }));`;
    const wrong = [
      ...[
        'lines: [{ sku: "a", part: { sku: "b" } }], pair: ["a", 1], place: { hall: "north" }, rates: { a: 1 }',
        'bundle: 7, reason: "why"',
      ].map((metadata) => ({ metadata, expected: true })),
      ...[
        "lines: [{ sku: 1 }]",
        "lines: [{}]",
        'lines: [{ sku: "a", sise: 1 }]',
        'pair: ["a", "b"]',
        'pair: ["a", 1, 2]',
        'place: { hall: "east" }',
        'rates: { a: "b" }',
        "bundel: 7",
      ].map((metadata) => ({ metadata, expected: false })),
    ].filter(({ metadata, expected }) => (complaints(given(metadata)) === 0) !== expected);
    assert.deepEqual(wrong, []);
  });

  test("come from a registry of the install, too", () => {
    const types = [{
      id: 'a"b',
      category: "engagement",
      payload_schema: { properties: { n: { enum: [1, "x", null] } } },
    }];
    writeFileSync(join(scene.folder, "registry.json"), JSON.stringify({ event_types: types }));
    const { said, code } = scene.gate(["types", "--registry", "registry.json"]);
    assert.equal(code, 0, said);
    assert.match(said, /"a\\"b": \{ "n"\?: 1 \| "x" \| null \};/);
  });
});

test("check judges lines, and says when it had no registry", () => {
  const scene = project("check", CONFIG);
  const event = {
    session_id: "session-0001",
    event_type: "contnt_view",
    event_category: "engagement",
    event_source: "web",
    metadata: { page_path: "/" },
  };
  const lines = `${JSON.stringify(event)}\n\n{"broken\n`;
  const without = scene.gate(["check", "-"], lines);
  assert.equal(without.code, 1);
  assert.match(without.said, /^line 3: parse\.json[\s\S]*1 accepted, 1 rejected\nJudged without a registry/);
  const with_ = scene.gate(["check", "-", "--registry", "shipped"], lines);
  assert.match(with_.said, /line 1: registry\.event_type at \/event_type[\s\S]*0 accepted, 2 rejected\n$/);
  const json = scene.gate(["check", "-", "--format", "json"], lines).said.trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  assert.deepEqual(json.map(({ line, accepted, registry }) => [line, accepted, registry]), [[1, true, false], [
    3,
    false,
    false,
  ]]);
  assert.equal(existsSync(join(scene.folder, "supabase/migrations")), false);
});
