// Sealed history against its owner: whatever somebody changes who may do anything in the database, with every trigger off,
// is found from one checkpoint that was kept, and the row is named.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { blocks, commands } from "../docs/documents.mjs";
import { root } from "../runner/paths.mjs";
import { asClient, startPostgres, VERSIONS } from "./postgres.mjs";

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

const event = (/** @type {number} */ number) => `00000000-0000-4000-9000-${String(number).padStart(12, "0")}`;

/** What an owner does with every trigger off, and how it is told. @type {{ what: string, sql: string, told: RegExp }[]} */
const TAMPERED = [
  {
    what: "a value is edited",
    sql: `update public.audience_events set metadata = jsonb_set(metadata, '{scale}', '48.5') where id = '${event(7)}'`,
    told: new RegExp(`event ${event(7)} was changed after it was sealed`),
  },
  {
    what: "an event is given to another member",
    sql: `update public.audience_events set user_id = '${event(1)}' where id = '${event(9)}'`,
    told: new RegExp(`event ${event(9)} was changed`),
  },
  {
    what: "a rejection is hidden",
    sql: `update public.audience_events set rejected = not rejected where id = '${event(11)}'`,
    told: new RegExp(`event ${event(11)} was changed`),
  },
  {
    what: "a row is deleted",
    sql: `delete from public.audience_events where id = '${event(20)}'`,
    told: new RegExp(`event ${event(20)} is missing`),
  },
  {
    what: "a row is inserted inside",
    sql:
      `insert into public.audience_events (id, created_at, session_id, event_type, event_category, event_source, contract)
      values ('${event(9001)}', now() - interval '1 hour', 'session-made-up', 'page_view', 'engagement', 'web',
        audience_gate.contract_fingerprint())`,
    told: new RegExp(`event ${event(9001)} was added past the queue`),
  },
  {
    what: "a row is inserted inside, and counted as waiting",
    sql: `insert into public.audience_events (id, created_at, session_id, event_type, event_category, event_source)
      values ('${event(9002)}', now() - interval '1 hour', 'session-made-up', 'page_view', 'engagement', 'web');
      insert into audience_gate.leaf (leaf_index, event_id, salt, commitment, hash)
        select 350, '${
      event(9002)
    }', salt, commitment, hash from audience_gate.leaf where leaf_index = 1 on conflict (leaf_index) do update set event_id = excluded.event_id`,
    told: new RegExp(`event ${event(9002)} was changed after it was sealed`),
  },
  {
    what: "two leaves are swapped",
    sql: `update audience_gate.leaf set leaf_index = -1 where leaf_index = 30;
      update audience_gate.leaf set leaf_index = 30 where leaf_index = 31;
      update audience_gate.leaf set leaf_index = 31 where leaf_index = -1`,
    told: /leaves 0 to 255 are not those that were sealed/,
  },
  {
    what: "an event is back-dated",
    sql: `update public.audience_events set created_at = created_at - interval '1 day' where id = '${event(40)}'`,
    told: new RegExp(`event ${event(40)} was changed`),
  },
  {
    what: "the end is cut off, with its seals",
    sql:
      `delete from public.audience_events e using audience_gate.leaf l where l.event_id = e.id and l.leaf_index >= 600;
      delete from audience_gate.leaf where leaf_index >= 600;
      delete from audience_gate.seal;
      insert into audience_gate.seal (size, root) values (600, audience_gate.subtree(0, 600))`,
    told: /the checkpoint covers \d+ leaves, and there are 600: the end was cut off/,
  },
  {
    what: "rows and their leaves are cut out of the middle",
    sql:
      `delete from public.audience_events e using audience_gate.leaf l where l.event_id = e.id and l.leaf_index between 100 and 109;
      delete from audience_gate.leaf where leaf_index between 100 and 109`,
    told: /10 leaves before leaf 110 are missing/,
  },
  {
    what: "a whole period is replaced",
    sql: `update public.audience_events set session_id = 'another', metadata = '{}' where id between '${
      event(50)
    }' and '${event(60)}'`,
    told: new RegExp(`event ${event(55)} was changed`),
  },
  {
    what: "a row is edited, and everything sealed again",
    sql: `update public.audience_events set metadata = '{}' where id = '${event(70)}';
      truncate audience_gate.leaf, audience_gate.tile, audience_gate.seal;
      insert into audience_gate.unsealed (event_id) select id from public.audience_events;
      insert into audience_gate.unsealed (change_id) select id from public.audience_state_events;
      select audience_gate.seal_rows('{}')`,
    told: /the first \d+ leaves do not lead to the root of the checkpoint: the history was rewritten/,
  },
  {
    what: "a change of state is handed to another person",
    sql: `update public.audience_state_events set changed_by = 'user:${
      event(1)
    }' where id = (select min(id) from public.audience_state_events)`,
    told: /change of state \d+ was changed/,
  },
];

const folder = mkdtempSync(join(tmpdir(), "audience-gate-seal-"));
const file = (/** @type {string} */ name) => join(folder, name);
execFileSync("cargo", ["build", "--locked", "-p", "audience-gate-cli"], { cwd: root, stdio: "pipe" });
const program = join(root, process.env.CARGO_TARGET_DIR ?? "target", "debug", "audience-gate");
after(() => rmSync(folder, { recursive: true }));

/** @param {string} url @param {string[]} args */
function seal(url, ...args) {
  const { status, stdout, stderr } = spawnSync(program, ["seal", ...args], {
    env: { ...process.env, DATABASE_URL: url },
    encoding: "utf8",
  });
  return { status, out: stdout + stderr };
}

for (const version of VERSIONS) {
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
          const here = command.replace(/^audience-gate/, program).replace(/prove \S+/, `prove ${id}`);
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
