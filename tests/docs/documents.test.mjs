import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import process from "node:process";
import { promisify } from "node:util";
import { startStack } from "../../local/stack.mjs";
import { begun } from "../stack/beginning.mjs";
import { freePort } from "../stack/launch.mjs";
import { blocks, commands, documents, GUIDES, root } from "./documents.mjs";
import { base, filesOf } from "./guides.mjs";

/** @typedef {import("./documents.mjs").Block} Block */

/** @type {import("../../local/stack.mjs").Stack} */
let stack;
const folder = mkdtempSync(join(tmpdir(), "audience-gate-docs-"));
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

before(async () => {
  await begun(join(folder, "stack"));
  stack = await startStack({ folder: join(folder, "stack"), port: await freePort(), demo: false, pages: false });
});
after(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * How each kind of command in the documents is executed; the first pattern that matches counts. A command that matches
 * no pattern fails the test, so that no document can promise what nobody ran.
 *
 * @type {[RegExp, (command: string, block: Block) => void | Promise<void>][]}
 */
const EXECUTE = [
  [/^curl .*127\.0\.0\.1:54321/, throughTheStack],
  // Running these in full would run this test inside itself, so each is only asked what it would do.
  [/^npm start$/, () => run("npm", ["start", "--", "--help"])],
  [/^npm test(?: -- (?!--list)\S+)?$/, () => run("npm", ["test", "--", "--list"])],
  [/^npm test -- --list$/, () => run("npm", ["test", "--", "--list"])],
  [/^npm (?:install|ci)$/, () => run("npm", ["install", "--dry-run", "--no-audit", "--no-fund"])],
  // tests/installer installs the package as it is published; here nothing is fetched.
  [/^npm install --save-dev audience-gate pg$/, namesThePackage],
  [/^npm install audience-gate$/, namesThePackage],
  // guides.test.mjs does what the guides say in a project.
  [/^cp -R node_modules\/audience-gate\//, copiesFromThePackage],
  [/^pip install "audience-gate @ git\+/, installsTheFolder],
  [/^python3 send\.py$/, () => assert.ok("send.py" in filesOf("python").files)],
  [/^npx audience-gate /, packageHelp],
  [/^npm run emit$/, () => run("npm", ["run", "emit", "--", "--check"])],
  [
    /^(?:VITE_\w+=\S+ )*npm run [\w:]+/,
    (command) => assert.ok(scripts[/npm run ([\w:]+)/.exec(command)?.[1] ?? ""], `there is no script for: ${command}`),
  ],
  [/^cargo build --release -p audience-gate-cli$/, (command) => run("cargo", command.split(" ").slice(1))],
  [/^audience-gate legacy /, asksForDatabase],
  // tests/database/seal.test.mjs runs them, one after the other.
  [/^audience-gate seal /, (command) => knowsOptions(command)],
  // tests/database/export_subject.test.mjs runs them.
  [/^printf .* \| audience-gate export-subject /, (command) => knowsOptions(command.replace(/^.* \| /, ""))],
  [/^(?:\.\/target\/release\/)?audience-gate /, commandLine],
  [/^(?:npx )?supabase /, supabaseHelp],
  [/^node \S+\.mjs/, (command) => assert.ok(existsSync(join(root, command.split(" ")[1])), command)],
];

/** @param {string} command @param {Block} block */
async function execute(command, block) {
  const found = EXECUTE.find(([pattern]) => pattern.test(command));
  assert.ok(found, "no test runs a command like this; add one to EXECUTE");
  await found[1](command, block);
}

/** The program has the subcommand and its options. @param {string} command */
function knowsOptions(command) {
  const help = run("cargo", [...COMMAND_LINE, ...command.split(" ").slice(1, 3), "--help"]);
  for (const [option] of command.matchAll(/--\w+/g)) {
    assert.ok(help.includes(option), `${command}: there is no ${option}`);
  }
}

/** @param {string} program @param {string[]} args @param {number[]} codes */
function run(program, args, codes = [0]) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: "utf8" });
  assert.ok(codes.includes(status ?? -1), `${program} ${args.join(" ")} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** Sends a document's curl to this test's stack. If an answer is printed below it, that must be the real one. */
async function throughTheStack(/** @type {string} */ command, /** @type {Block} */ block) {
  const here = command.replaceAll("http://127.0.0.1:54321", stack.url);
  const { stdout } = await promisify(execFile)("bash", ["-c", here], { cwd: root });
  if (block.answer?.language === "json") {
    assert.deepEqual(settled(JSON.parse(stdout)), settled(JSON.parse(block.answer.text)));
  }
}

/** Minted ids differ from run to run, and the contract's fingerprint with every rule; everything else is as printed. */
function settled(/** @type {unknown} */ answer) {
  return JSON.parse(
    JSON.stringify(answer, (key, value) => key === "id" ? "minted" : key === "contract" ? "this version" : value),
  );
}

const COMMAND_LINE = ["run", "--quiet", "--release", "-p", "audience-gate-cli", "--"];

function commandLine(/** @type {string} */ command) {
  const args = command.split(" ").slice(1).map((arg) => arg.replaceAll(/^'|'$/g, ""));
  run("cargo", [...COMMAND_LINE, ...args], args[0] === "check" ? [0, 1] : [0]);
}

/**
 * A command for somebody's own database cannot run here, but it asks for one only after it has understood its words.
 * The tests of scaling/legacy.test.mjs run each on a database.
 */
function asksForDatabase(/** @type {string} */ command) {
  const { DATABASE_URL: _, ...env } = process.env;
  const args = [...COMMAND_LINE, ...command.split(" ").slice(1)];
  const { status, stderr } = spawnSync("cargo", args, { cwd: root, env, encoding: "utf8" });
  assert.equal(status, 2, stderr);
  assert.match(stderr, /^audience-gate: DATABASE_URL is not set/m);
}

/** The packages that the command installs are ours and the one that it may use. */
function namesThePackage() {
  const { name, peerDependencies } = JSON.parse(readFileSync(join(root, "build/npm/package.json"), "utf8"));
  assert.deepEqual([name, ...Object.keys(peerDependencies)], ["audience-gate", "pg"]);
}

/** What is copied is in the package. @param {string} command */
function copiesFromThePackage(command) {
  const [, , from] = command.split(" ");
  assert.ok(existsSync(join(base, from)), `the package has no ${from}`);
}

/** The folder that the address names is there, and has that name. @param {string} command */
function installsTheFolder(command) {
  const [, subdirectory = ""] = /#subdirectory=([\w/]+)"$/.exec(command) ?? [];
  assert.match(readFileSync(join(root, subdirectory, "pyproject.toml"), "utf8"), /^name = "audience-gate"$/m);
}

/** The package's command is for somebody's own project, too: tests/installer runs it there. */
function packageHelp(/** @type {string} */ command) {
  const [name, ...words] = command.split(" ").slice(2);
  const help = run(process.execPath, ["installer/main.mjs", name, "--help"]);
  for (const word of words.filter((word) => /^--|^(jobs|signing)$/.test(word))) {
    assert.ok(help.includes(word), `audience-gate ${name} knows no ${word}`);
  }
}

/** A command for somebody's own project cannot run here, but its help shows whether it exists with these flags. */
function supabaseHelp(/** @type {string} */ command) {
  const words = command.replace(/^npx /, "").split(" ").slice(1);
  const flag = words.findIndex((word) => word.startsWith("-"));
  const named = (flag < 0 ? words : words.slice(0, flag)).filter((word) => /^[a-z]+$/.test(word)).slice(0, 2);
  const help = run(join(root, "node_modules", ".bin", "supabase"), [...named, "--help"]);
  for (const option of words.filter((word) => word.startsWith("--"))) {
    assert.ok(help.includes(option.split("=")[0]), `supabase ${named.join(" ")} knows no ${option}`);
  }
}

test("every command of the documents runs", async (t) => {
  const failures = [];
  let count = 0;
  for (const block of documents.flatMap(blocks).filter(({ language }) => /^(sh|bash|shell|console)$/.test(language))) {
    for (const command of commands(block.text)) {
      count += 1;
      try {
        await execute(command, block);
      } catch (error) {
        failures.push(`${block.document}:${block.line}  ${command}\n${/** @type {Error} */ (error).message}`);
      }
    }
  }
  assert.deepEqual(failures, [], failures.join("\n\n"));
  assert.ok(count > 0);
  t.diagnostic(`${count} commands`);
});

test("every piece of SQL of the documents runs", async () => {
  for (const { text, document, line } of documents.flatMap(blocks).filter(({ language }) => language === "sql")) {
    await stack.database.exec("begin");
    try {
      await stack.database.exec(text);
    } catch (error) {
      assert.fail(`${document}:${line}: ${/** @type {Error} */ (error).message}`);
    } finally {
      await stack.database.exec("rollback");
    }
  }
});

test("every piece of JavaScript of the documents prints what the document says", async () => {
  for (
    const { text, answer, document, line } of documents.filter((name) => !name.startsWith(GUIDES)).flatMap(blocks)
      .filter(({ language }) => language === "js")
  ) {
    const file = join(folder, `line-${line}.mjs`);
    writeFileSync(
      file,
      text.replaceAll(/"audience-gate\/(\w+)"/g, (_, name) => `"${join(root, "pkg", `${name}.js`)}"`)
        .replaceAll("http://127.0.0.1:54321", stack.url),
    );
    // This does not block, because the stack that the code may ask runs in this process.
    const { stdout } = await promisify(execFile)("node", [file]);
    if (answer) assert.equal(loose(stdout), loose(answer.text), `${document}:${line}`);
  }
});

const loose = (/** @type {string} */ text) => text.replaceAll(/["']/g, '"').replaceAll(/\s+/g, " ").trim();

test("every diff of the documents still applies", () => {
  for (const { text, document, line } of documents.flatMap(blocks).filter(({ language }) => language === "diff")) {
    const file = join(folder, "change.diff");
    writeFileSync(file, text);
    const { status, stderr } = spawnSync("git", ["apply", "--check", file], {
      cwd: root,
      encoding: "utf8",
    });
    assert.equal(status, 0, `${document}:${line}\n${stderr}`);
  }
});

test("every attribute of a script tag is one that the tracker reads", () => {
  const script = readFileSync(join(root, "web", "tracker", "script.ts"), "utf8");
  const known = new Set(/const \{([^}]*)\} = script\.dataset/s.exec(script)?.[1].match(/\w+/g));
  const used = documents.flatMap(blocks).filter(({ language }) => language === "html")
    .flatMap(({ text }) => [...text.matchAll(/\bdata-([\w-]+)/g)].map(([, name]) => camel(name)));
  assert.deepEqual(used.filter((name) => !known.has(name)), []);
});

const camel = (/** @type {string} */ name) => name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());

/** Every document of the repository, generated or not. */
const everyDocument = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
}).stdout.trim().split("\n").filter((path) => !path.startsWith(".github/"));

/** What a document links to or shows, as paths from the root. @param {string} document */
function targets(document) {
  const text = readFileSync(join(root, document), "utf8").replaceAll(/^```[\s\S]*?^```$/gm, "");
  return [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)|(?:src|srcset)="([^"]+)"/g)]
    .map(([, link, picture]) => join(dirname(document), link ?? picture));
}

test("every link between the documents leads somewhere", () => {
  const missing = everyDocument.flatMap((document) =>
    targets(document).filter((target) => !existsSync(join(root, target))).map((target) => `${document}: ${target}`)
  );
  assert.deepEqual(missing, []);
});

test("the README leads to every document", () => {
  const linked = new Set(targets("README.md"));
  assert.deepEqual(everyDocument.filter((document) => document !== "README.md" && !linked.has(document)), []);
});
