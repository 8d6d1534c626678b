/** The command as strangers run it: from the packed tarball, in folders and with databases unlike those of a first try. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { asClient, startPostgres } from "../database/postgres.mjs";
import { project as installed } from "../package/install.mjs";
import { root } from "../runner/paths.mjs";

const { folder } = await installed();
const CONFIG = 'project_id = "stranger"\n';
/** A user who may not write what belongs to root. */
const NOBODY = 65534;

const base = mkdtempSync(join(tmpdir(), "audience-gate-strangers-"));
process.on("exit", () => rmSync(base, { recursive: true, force: true }));
chmodSync(base, 0o755);

/** A folder with files, in which the package is installed as `npm install` of the tarball leaves it. @param {Record<string, string>} files */
function project(files) {
  const at = mkdtempSync(join(base, "project-"));
  for (const name of ["node_modules", "package.json"]) {
    cpSync(join(folder, name), join(at, name), { recursive: true, verbatimSymlinks: true });
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(at, path)), { recursive: true });
    writeFileSync(join(at, path), text);
  }
  return at;
}

/** What npx runs. @param {string} at */
const command = (at) => join(at, "node_modules/audience-gate/installer/main.mjs");

/** @param {string} at @param {string[]} args @param {{ uid?: number, within?: string }} [how] */
function gate(at, args, { uid, within = "." } = {}) {
  const { DATABASE_URL: _, ...env } = process.env;
  const how = { cwd: join(at, within), encoding: /** @type {const} */ ("utf8"), env, ...(uid && { uid, gid: uid }) };
  const { status, stdout, stderr } = spawnSync(process.execPath, [command(at), ...args], how);
  return { code: status, said: stdout + stderr };
}

/** Every file under `supabase` with its text. @param {string} at */
const files = (at) =>
  Object.fromEntries(
    readdirSync(join(at, "supabase"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(at.length + 1), readFileSync(path, "utf8")]),
  );

test("npx finds the command, without a network and outside of any repository", () => {
  const at = project({ "supabase/config.toml": CONFIG });
  const npx = (/** @type {string[]} */ ...args) =>
    spawnSync("npx", ["--offline", "audience-gate", ...args], {
      cwd: at,
      encoding: "utf8",
      // Whatever asked a registry would fail.
      env: { ...process.env, npm_config_registry: "http://127.0.0.1:9", GIT_CEILING_DIRECTORIES: dirname(at) },
    });
  const { status, stdout, stderr } = npx("init");
  assert.equal(status, 0, stderr);
  assert.match(stdout, /\n {2}npx supabase db push\n/);
  // No repository says what is ignored, so the file that git would read does.
  assert.match(files(at)["supabase/.gitignore"], /^\/functions\/\.env$/m);
  assert.match(npx("init").stdout, /nothing was changed/);
  assert.equal(npx("uninstall").status, 0);
});

test("in a monorepo it says where the project is, and leads there", () => {
  const at = project({ "apps/shop/supabase/config.toml": CONFIG, "apps/shop/src/index.ts": "" });
  assert.match(
    gate(at, ["init"], { within: "node_modules/audience-gate" }).said,
    /run this where it is, or first: npx supabase init/,
  );
  const lost = gate(at, ["init"]);
  assert.deepEqual([lost.code, /in apps\/shop: use --folder apps\/shop\n/.test(lost.said)], [1, true], lost.said);
  for (const within of ["apps/shop/src", "apps/shop/supabase"]) {
    assert.match(gate(at, ["status"], { within }).said, /there is one in \.\.: use --folder \.\.\n/);
  }
  const led = gate(at, ["init", "--folder", "apps/shop"]);
  assert.equal(led.code, 0, led.said);
  assert.match(led.said, /\n {2}cd apps\/shop\n {2}npx supabase db push\n/);
  assert.match(gate(at, ["status"], { within: "apps/shop" }).said, /^function +ingest$/m);
  assert.match(gate(at, ["uninstall", "--folder", "apps/shop"]).said, /\n {2}cd apps\/shop\n/);
});

describe("where a file cannot be written", () => {
  for (
    const { what, spoil, says } of [
      {
        what: "one that is theirs",
        spoil: (/** @type {string} */ at) => chmodSync(join(at, "supabase/config.toml"), 0o444),
        says: /^audience-gate: supabase\/config\.toml cannot be written \(EACCES\); no file was changed\n$/,
      },
      {
        what: "any",
        spoil: (/** @type {string} */ at) => chmodSync(join(at, "supabase"), 0o555),
        says:
          /^audience-gate: supabase\/migrations\/\d+_audience_gate_000000_preflight\.sql cannot be written \(EACCES\)/,
      },
      {
        what: "one that cannot be read either",
        spoil: (/** @type {string} */ at) => chmodSync(join(at, "supabase/config.toml"), 0o000),
        says: /^audience-gate: supabase\/config\.toml cannot be read \(EACCES\)\n$/,
      },
      {
        what: "a folder, where a file is in its place",
        spoil: (/** @type {string} */ at) => writeFileSync(join(at, "supabase/functions"), "mine"),
        says:
          /^audience-gate: supabase\/functions\/ingest\/\S+ cannot be written \((EEXIST|ENOTDIR)\); no file was changed\n$/,
      },
    ]
  ) {
    test(`${what}, none is`, () => {
      const at = project({ "supabase/config.toml": CONFIG });
      // Root may write everything.
      const uid = process.getuid?.() === 0 ? NOBODY : undefined;
      for (const path of uid ? [".", "supabase", "supabase/config.toml"] : []) {
        chownSync(join(at, path), NOBODY, NOBODY);
      }
      spoil(at);
      const before = files(at);
      const { code, said } = gate(at, ["init"], { uid });
      assert.equal(code, 1);
      assert.match(said, says);
      assert.deepEqual(files(at), before);
      const folders = readdirSync(join(at, "supabase"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
      assert.deepEqual(folders.map(({ name }) => name), []);
    });
  }
});

test("two at once write everything once", async () => {
  const at = project({ "supabase/config.toml": CONFIG });
  const ended = await Promise.all([1, 2, 3].map(() =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [command(at), "init"], { cwd: at, stdio: ["ignore", "pipe", "pipe"] });
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => said += text);
      child.on("close", () => resolve(said));
    })
  ));
  const said = /** @type {string[]} */ (ended);
  assert.equal(said.filter((one) => /^Written:/.test(one)).length, 1, said.join("\n"));
  const known = /^Written:|nothing was changed|another audience-gate is at work in this project/;
  assert.deepEqual(said.filter((one) => !known.test(one)), []);
  const migrations = readdirSync(join(at, "supabase/migrations")).map((name) => name.replace(/^\d+/, ""));
  assert.equal(new Set(migrations).size, migrations.length);
  assert.equal(gate(at, ["status"]).code, 0);
});

test("after an init that was cut off, the next says what to do, and that mends it", () => {
  const at = project({ "supabase/config.toml": CONFIG });
  // As a process leaves it that was killed.
  const { pid } = spawnSync(process.execPath, ["--eval", ""]);
  writeFileSync(join(at, "supabase/.audience-gate.lock"), `${pid}`);
  assert.equal(gate(at, ["init"]).code, 0);
  const whole = Object.keys(files(at)).length;
  for (const name of readdirSync(join(at, "supabase/migrations")).slice(9)) {
    rmSync(join(at, "supabase/migrations", name));
  }
  rmSync(join(at, "supabase/functions"), { recursive: true });
  rmSync(join(at, "supabase/audience-gate.json"));
  assert.match(gate(at, ["init"]).said, /or an init of it was cut off; run: npx audience-gate upgrade\n$/);
  assert.equal(gate(at, ["upgrade"]).code, 0);
  assert.equal(Object.keys(files(at)).length, whole);
  assert.equal(gate(at, ["status"]).code, 0);
  assert.equal(gate(at, ["uninstall", "--force"]).code, 0);
});

describe("a database whose password has characters of its own, and whose certificate nobody knows", () => {
  const PASSWORD = "p@s/s#w?o%r d:[ä]&'\\";
  /** @type {import("../database/postgres.mjs").Postgres | undefined} */
  let postgres;
  /** @type {string} */
  let at;
  /** @type {string} */
  let host;
  before(async () => {
    const [key, certificate] = ["server.key", "server.crt"].map((name) => join(folder, name));
    const signed = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"];
    execFileSync("openssl", [...signed, "-keyout", key, "-out", certificate], { stdio: "pipe" });
    postgres = await startPostgres({ migrations: [] });
    ({ host } = new URL(postgres.url));
    await asClient(postgres.adminUrl, async (client) => {
      const { rows: [{ hba, data }] } = await client.query(
        "select current_setting('hba_file') as hba, current_setting('data_directory') as data",
      );
      const { uid, gid } = statSync(data);
      for (const [file, mode] of /** @type {const} */ ([[key, 0o600], [certificate, 0o644]])) {
        const to = join(data, basename(file));
        copyFileSync(file, to);
        chmodSync(to, mode);
        chownSync(to, uid, gid);
      }
      await client.query(
        `copy (values ('host all supabase_admin all trust'), ('host all all all scram-sha-256')) to '${hba}'`,
      );
      await client.query(`alter role postgres password '${PASSWORD.replaceAll("'", "''")}'`);
      await client.query("alter system set ssl = on");
      await client.query("select pg_reload_conf()");
    });
    at = project({ "supabase/config.toml": CONFIG });
    symlinkSync(join(root, "node_modules/pg"), join(at, "node_modules/pg"));
  });
  after(() => postgres?.stop());
  const init = (/** @type {string} */ password, rest = "") =>
    gate(at, ["init", "--dry-run", "--db-url", `postgresql://postgres:${password}@${host}/postgres${rest}`]);

  test("is reached where they are written as an address has them, and otherwise it says how", () => {
    const right = init(encodeURIComponent(PASSWORD));
    assert.equal(right.code, 0, right.said);
    const misread = init("p@s/hush");
    assert.match(
      misread.said,
      /cannot be reached \(ENOTFOUND\); no server of that name is known; check it, and in a password/,
    );
    const cut = init("hush/hush");
    assert.match(cut.said, /^audience-gate: the address of --db-url cannot be read; in a password, write \/ as %2F/);
    const wrong = init("hush-hush");
    assert.match(wrong.said, /cannot be reached \(28P01\); check user and password; in a password, write/);
    for (const { code, said } of [misread, cut, wrong]) assert.deepEqual([code, /p@s|hush/.test(said)], [1, false]);
  });

  test("is refused where its certificate is asked for, with what to do, and that works", () => {
    const asked = init(encodeURIComponent(PASSWORD), "?sslmode=verify-full");
    assert.equal(asked.code, 1);
    assert.match(
      asked.said,
      /SELF_SIGNED_CERT\); the server's certificate is not one that Node knows; .*sslmode=no-verify\n$/,
    );
    const unasked = init(encodeURIComponent(PASSWORD), "?sslmode=no-verify");
    assert.equal(unasked.code, 0, unasked.said);
  });

  test("is told apart where it speaks no TLS, and where nobody listens", async () => {
    assert.ok(postgres);
    await asClient(postgres.adminUrl, async (client) => {
      await client.query("alter system set ssl = off");
      await client.query("select pg_reload_conf()");
    });
    const plain = init(encodeURIComponent(PASSWORD), "?sslmode=require");
    assert.equal(plain.code, 1);
    assert.match(plain.said, /\(NO_TLS\); the server speaks no TLS, which the address asks for; .*sslmode=disable\n$/);
    assert.equal(init(encodeURIComponent(PASSWORD), "?sslmode=disable").code, 0);
    const nobody = gate(at, ["init", "--dry-run", "--db-url", "postgresql://postgres:hush@127.0.0.1:1/postgres"]);
    assert.match(nobody.said, /\(ECONNREFUSED\); no server listens there; check host and port/);
  });
});
