// Sealed history against its owner: whatever somebody changes who may do anything in the database, with every trigger off,
// is found from one checkpoint that was kept, and the row is named.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { buildSync } from "esbuild";
import { commandLine } from "../command_line.mjs";
import { blocks, commands } from "../docs/documents.mjs";
import { root } from "../runner/paths.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";
import { event, TAMPERED } from "./seal_tampered.mjs";

const MEMBER = "3f2b8c1e-5a4d-4f6b-9c7e-1d2a3b4c5d6e";
const ROWS = 700;

/** The events: every column with and without a value, and payloads that JSON's readers do not all write alike. */
const EVENTS = `
  insert into public.audience_events
    (id, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium, utm_campaign, occurred_at, metadata)
  select ('00000000-0000-4000-9000-' || lpad(i::text, 12, '0'))::uuid,
    case when i % 3 = 0 then '${MEMBER}'::uuid end, 'session-of-' || i, 'page_view', 'engagement', 'web',
    case when i % 2 = 0 then 'letter' end, case when i % 2 = 0 then 'mail' end, case when i % 2 = 0 then 'größe ☃' end,
    case when i % 5 > 0 then now() - i * interval '1 minute' end,
    '{"page_path": "/guides", "scale": 48.50, "small": 1e-7, "words": ["é", "\\u0022", 1.0], "none": null}'
  from generate_series(1, ${ROWS}) i`;

const folder = mkdtempSync(join(tmpdir(), "audience-gate-seal-"));
const file = (/** @type {string} */ name) => join(folder, name);
buildSync({
  entryPoints: [join(root, "web/shared/proof.ts")],
  outfile: file("proof.mjs"),
  bundle: true,
  format: "esm",
  logLevel: "error",
});
/** @type {typeof import("../../web/shared/proof.ts")} */
const { checkProof } = await import(file("proof.mjs"));
const program = commandLine();
after(() => rmSync(folder, { recursive: true }));

/** @param {string} url @param {string[]} args */
function seal(url, ...args) {
  const { status, stdout, stderr } = spawnSync(program, ["seal", ...args], {
    env: { ...process.env, DATABASE_URL: url },
    encoding: "utf8",
  });
  return { status, out: stdout + stderr };
}

for (const version of SCENARIO_VERSIONS) {
  describe(`Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    const key = file(`key-${version}`);
    const note = file(`note-${version}`);
    let verifier = "";
    const run = (/** @type {string} */ sql) => asClient(postgres.url, async (client) => (await client.query(sql)).rows);

    before(async () => {
      postgres = await startPostgres({ version });
      // Some rows are older than the seals, the others come after.
      await run(EVENTS.replace(`generate_series(1, ${ROWS})`, "generate_series(1, 100)"));
      await run("select audience_gate.start_sealing()");
      await run(EVENTS.replace("generate_series(1,", "generate_series(101,"));
      await run(`update audience_gate.jobs set active = false where name <> 'seal_rows'`);
      await run("select audience_gate.run_job('derive_states')");
      await run("select audience_gate.run_job('seal_rows')");
      const made = seal(postgres.url, "key", "example.com/events", "--out", key);
      verifier = made.out.trim();
    });
    after(() => postgres.stop());

    test("the private half of a key is only its owner's, and the public half is printed", () => {
      assert.equal(statSync(key).mode & 0o777, 0o600);
      assert.match(verifier, /^example\.com\/events\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}$/);
      assert.equal(seal(postgres.url, "key", "example.com/events", "--out", key).status, 2, "a key is overwritten");
    });

    test("everything that was recorded is sealed, and is as it was sealed", async () => {
      assert.equal(seal(postgres.url, "sign", "--key", key, "--note", note).status, 0);
      const [{ events, changes, leaves }] = await run(`select
        (select count(*)::int from public.audience_events) as events,
        (select count(*)::int from public.audience_state_events) as changes,
        (select count(*)::int from audience_gate.leaf) as leaves`);
      assert.ok(events >= ROWS && changes > 0);
      assert.equal(leaves, events + changes);
      const { status, out } = seal(postgres.url, "verify", "--checkpoint", note, "--key", verifier);
      assert.equal(status, 0, out);
      assert.match(out, new RegExp(`the first ${leaves} of ${leaves} sealed rows are as they were`));
    });

    test("a note continues the one before, and rows sealed later do not break it", async () => {
      writeFileSync(file(`old-${version}`), readFileSync(note));
      await run(EVENTS.replace("generate_series(1, 700)", "generate_series(2001, 2300)"));
      const waiting = seal(postgres.url, "verify", "--checkpoint", note, "--key", verifier);
      assert.equal(waiting.status, 0, waiting.out);
      assert.match(waiting.out, /300 rows wait to be sealed/);
      await run("select audience_gate.run_job('seal_rows')");
      assert.equal(seal(postgres.url, "sign", "--key", key, "--note", note).status, 0);
      for (const kept of [note, file(`old-${version}`)]) {
        const { status, out } = seal(postgres.url, "verify", "--checkpoint", kept, "--key", verifier);
        assert.equal(status, 0, out);
      }
    });

    test("a proof shows a row to whoever has no database, and what can tell a person only when asked", () => {
      const prove = (/** @type {string[]} */ ...more) =>
        seal(postgres.url, "prove", event(42), "--checkpoint", note, "--key", verifier, ...more);
      const closed = prove();
      assert.equal(closed.status, 0, closed.out);
      assert.ok(closed.out.length < 3000 && !closed.out.includes("session-of-42"), closed.out);
      const opened = prove("--open");
      assert.match(opened.out, /session-of-42/);
      for (const [proof, shown] of /** @type {const} */ ([[closed, /page_view/], [opened, /session-of-42/]])) {
        writeFileSync(file("proof"), proof.out);
        const { status, out } = seal("", "check", file("proof"), "--key", verifier);
        assert.equal(status, 0, out);
        assert.match(out, shown);
      }
      for (
        const [from, to] of [["page_view", "page_open"], ["session-of-42", "session-of-43"], [
          '"leaf_index": ',
          '"leaf_index": 1',
        ]]
      ) {
        writeFileSync(file("proof"), opened.out.replace(from, to));
        assert.equal(seal("", "check", file("proof"), "--key", verifier).status, 1, `${from} → ${to}`);
      }
    });

    test("the database gives members the same proof, and a browser checks it as the command line does", async () => {
      const written = JSON.parse(seal(postgres.url, "prove", event(42), "--checkpoint", note, "--key", verifier).out);
      const [{ proof }] = await run(`select public.audience_event_proof(site_id, id) as proof
        from public.audience_events where id = '${event(42)}'`);
      assert.deepEqual(proof, written);
      const { values, ...proven } = await checkProof(proof, verifier);
      const size = Number(written.checkpoint.split("\n")[1]);
      assert.deepEqual(proven, { kind: "event", origin: "example.com/events", size });
      assert.deepEqual([values[0], values[4], values[5], values[6]], [event(42), "page_view", "engagement", "web"]);

      /** @type {string[]} */
      const believed = [];
      const believe = async (/** @type {string} */ what, /** @type {unknown} */ forged, key = verifier) =>
        await checkProof(/** @type {any} */ (forged), key).then(() => believed.push(what), () => {});
      // Every character of every text, one at a time.
      for (const name of ["entry", "commitment", "checkpoint"]) {
        for (let place = 0; place < proof[name].length; place += 1) {
          const other = proof[name][place] === "1" ? "2" : "1";
          const forged = proof[name].slice(0, place) + other + proof[name].slice(place + 1);
          await believe(`${name} ${place}`, { ...proof, [name]: forged });
        }
      }
      for (const [place, hash] of proof.path.entries()) {
        const path = [...proof.path];
        path[place] = hash.replace(/^./, hash.startsWith("0") ? "1" : "0");
        await believe(`path ${place}`, { ...proof, path });
        await believe(`path without ${place}`, { ...proof, path: proof.path.toSpliced(place, 1) });
        await believe(`path with ${place} twice`, { ...proof, path: proof.path.toSpliced(place, 0, hash) });
      }
      for (const index of [-1, 0.5, NaN, proof.leaf_index - 1, proof.leaf_index + 1, size, 2 ** 53, "1", null]) {
        await believe(`leaf ${index}`, { ...proof, leaf_index: index });
      }
      const other = seal("", "key", "example.com/events", "--out", file(`other-${version}`)).out.trim();
      for (const key of ["", other, verifier.replace("example.com", "example.org"), `${verifier}A`]) {
        await believe(`key ${key}`, proof, key);
      }
      assert.deepEqual(believed, []);
    });

    test("whatever the owner of the database changes is found from one checkpoint", async () => {
      /** @type {string[]} */
      const missed = [];
      for (const { what, sql, told } of TAMPERED) {
        const name = `tampered_${TAMPERED.findIndex((one) => one.what === what)}`;
        await asClient(postgres.adminUrl.replace("/postgres?", "/template1?"), async (client) => {
          await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'postgres'");
          await client.query(`create database ${name} template postgres`);
        });
        const url = postgres.adminUrl.replace("/postgres?", `/${name}?`);
        await asClient(url, async (client) => {
          await client.query("set session_replication_role = replica");
          await client.query(sql);
        });
        const { status, out } = seal(url, "verify", "--checkpoint", note, "--key", verifier);
        if (status !== 1 || !told.test(out)) missed.push(`${what}: ${status} ${out}`);
      }
      assert.deepEqual(missed, []);
    });

    test("who signs does not continue a history that was rewritten", () => {
      const url = postgres.adminUrl.replace("/postgres?", `/tampered_${TAMPERED.length - 2}?`);
      const { status, out } = seal(url, "sign", "--key", key, "--note", note);
      assert.equal(status, 1, out);
      assert.match(out, /not signed: the tree of \d+ leaves does not continue the one of \d+/);
    });

    test("the commands of SEALS.md do what it says, in its order", async () => {
      const work = mkdtempSync(join(folder, "document-"));
      const [{ id }] = await run("select event_id as id from audience_gate.leaf where leaf_index = 0");
      for (const { text } of blocks("SEALS.md").filter(({ language }) => language === "sh")) {
        for (const command of commands(text)) {
          const here = command.replace(/^audience-gate/, `"${program}"`).replace(/prove \S+/, `prove ${id}`);
          const { status, stdout, stderr } = spawnSync("sh", ["-c", here], {
            cwd: work,
            env: { ...process.env, DATABASE_URL: postgres.url },
            encoding: "utf8",
          });
          assert.equal(status, 0, `${command}\n${stdout}${stderr}`);
        }
      }
    });

    test("no role of the API reads or writes a seal", async () => {
      /** @type {string[]} */
      const open = [];
      for (const role of ["anon", "authenticated", "service_role"]) {
        for (const table of ["unsealed", "leaf", "tile", "seal", "checkpoint"]) {
          await run(`begin; set local role ${role}; select from audience_gate.${table}; commit`).then(
            () => open.push(`${role} reads ${table}`),
            () => run("rollback"),
          );
        }
      }
      assert.deepEqual(open, []);
    });
  });
}
