// A person is erased: nothing of them is found again anywhere, nobody else's rows and no figure change, every checkpoint of
// before still verifies, and nobody can pass an edit off as an erasure.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { commandLine } from "../command_line.mjs";
import { ADA, BOB, CANARIES, figures, HASH, holding, isKnown, OWN, scene, SENT, SHARED, SITE } from "./erase_scene.mjs";
import { ingest, insert } from "./events.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

/** How an owner edits rows and calls it an erasure, with every trigger off, and how it is told. @type {{ what: string, sql: string, told: RegExp }[]} */
const FORGED = [
  {
    what: "a salt is thrown away, and the row edited",
    sql: `with one as (update audience_gate.leaf set salt = null, commitment = hash where leaf_index = (
        select leaf_index from audience_gate.leaf l join public.audience_events e on e.id = l.event_id where e.user_id = '${BOB}' limit 1)
        returning event_id)
      update public.audience_events set metadata = '{"duration_seconds": 9}' where id = (select event_id from one)`,
    told: /has no salt, and no erasure says why/,
  },
  {
    what: "an erasure is made up and not sealed",
    sql: `insert into audience_gate.erasures (id, subject_kind, keep, reason, erased_by, tombstone)
        values ('${SITE}', 'user_id', 'nothing', 'made up', 'role:postgres', sha256('x'));
      with one as (update audience_gate.leaf set salt = null, commitment = hash where leaf_index = (
        select leaf_index from audience_gate.leaf l join public.audience_events e on e.id = l.event_id where e.user_id = '${BOB}' limit 1)
        returning event_id, uuid_send(gen_random_uuid()) as salt)
      insert into audience_gate.erased_rows select '${SITE}', e.id, null, null, o.salt, audience_gate.event_commitment(o.salt, e.user_id,
        e.session_id, e.utm_source, e.utm_medium, e.utm_campaign, e.utm_content, e.utm_term, e.occurred_at, e.metadata)
      from one o join public.audience_events e on e.id = o.event_id`,
    told: /is said to be erased by an erasure that is not sealed/,
  },
  {
    what: "a row is added to what an erasure changed",
    sql: `with one as (update audience_gate.leaf set salt = null, commitment = hash where leaf_index = (
        select leaf_index from audience_gate.leaf l join public.audience_events e on e.id = l.event_id where e.user_id = '${BOB}' limit 1)
        returning event_id, uuid_send(gen_random_uuid()) as salt)
      insert into audience_gate.erased_rows select (select id from audience_gate.erasures limit 1), e.id, null, null, o.salt,
        audience_gate.event_commitment(o.salt, e.user_id, e.session_id, e.utm_source, e.utm_medium, e.utm_campaign, e.utm_content,
          e.utm_term, e.occurred_at, e.metadata)
      from one o join public.audience_events e on e.id = o.event_id`,
    told: /erasure \S+ was changed after it was sealed/,
  },
  {
    what: "an erased row is edited",
    sql: `update public.audience_events set metadata = '{"duration_seconds": 86000}' where id = '${SENT[1].id}'`,
    told: new RegExp(`event ${SENT[1].id} was changed after it was erased`),
  },
  {
    what: "an erased row is back-dated",
    sql: `update public.audience_events set created_at = created_at - interval '1 day' where id = '${SENT[1].id}'`,
    told: new RegExp(`event ${SENT[1].id} was changed after it was erased`),
  },
  {
    what: "the reason of an erasure is edited",
    sql: "update audience_gate.erasures set reason = 'another' where keep = 'pseudonym'",
    told: /erasure \S+ was changed after it was sealed/,
  },
  {
    what: "an erasure is taken back out",
    sql:
      `delete from audience_gate.leaf where erasure_id is not null; delete from audience_gate.erased_rows; delete from audience_gate.erasures`,
    told: /has no salt, and no erasure says why/,
  },
];

const folder = mkdtempSync(join(tmpdir(), "audience-gate-erase-"));
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
    const key = join(folder, `key-${version}`);
    const notes = ["first", "second"].map((name) => join(folder, `${name}-${version}`));
    let verifier = "";
    /** @type {Record<string, unknown>} */
    let figuresBefore;
    /** @type {unknown[]} */
    let othersBefore;
    const run = (/** @type {string} */ sql, /** @type {unknown[]} */ values = []) =>
      asClient(postgres.url, async (client) => (await client.query(sql, values)).rows);
    const erase = (/** @type {string} */ kind, /** @type {string} */ subject, keep = "pseudonym") =>
      run("select audience_gate.erase_subject($1, $2, 'request 17', $3) as done", [kind, subject, keep]).then((
        [{ done }],
      ) => done);
    const others = () =>
      run(`select to_jsonb(e) as row from public.audience_events e where not e.rejected and (e.user_id = '${BOB}'
          and e.session_id <> '${SHARED}' or e.session_id = 'session-of-nobody')
        union all select to_jsonb(s) from public.audience_site_state s where s.user_id = '${BOB}'
        union all select to_jsonb(h) - 'changed_by' - 'notes' from public.audience_state_events h where h.user_id = '${BOB}' order by 1`);

    before(async () => {
      postgres = await startPostgres({ version });
      await asClient(postgres.url, scene);
      verifier = seal(postgres.url, "key", "example.com/events", "--out", key).out.trim();
      for (const note of notes) {
        assert.equal(seal(postgres.url, "sign", "--key", key, "--note", note).status, 0);
        await run(`insert into public.audience_events (session_id, event_type, event_category, event_source, metadata)
          values ('session-later', 'page_view', 'engagement', 'web', '{"page_path": "/"}')`);
        await run("select audience_gate.seal_rows('{}')");
      }
      await run("select audience_gate.refresh_analytics()");
      figuresBefore = await asClient(postgres.url, figures);
      othersBefore = await others();
      const held = await asClient(postgres.adminUrl, (client) => holding(client, CANARIES));
      const places = new Set(held.map((row) => row.split(":")[0]));
      for (
        const table of [
          "audience_events",
          "audience_state",
          "audience_site_state",
          "audience_state_events",
          "audience_site_members",
          "audience_registry_events",
          "audience_observations",
          "deal_events",
          "audience_gate.job_runs",
          "audience_gate.session_users",
        ]
      ) assert.ok(places.has(table), `nothing of hers is in ${table}: ${[...places]}`);
    });
    after(() => postgres.stop());

    test("nothing of her is left in any table, view or statistic", async () => {
      const done = await erase("user_id", ADA);
      assert.ok(
        done.events >= 32 && done.states === 1 && done.state_changes > 0 && done.lifecycle_events === 1,
        JSON.stringify(done),
      );
      await erase("email_hash", HASH);
      // As an application does now: nothing that the gate keeps still refers to the account.
      await asClient(postgres.adminUrl, (client) => client.query(`delete from auth.users where id = '${ADA}'`));
      await run("select audience_gate.refresh_analytics()");
      // Statistics first, so that what is compacted holds none of before.
      await asClient(postgres.adminUrl, (client) => client.query("analyze"));
      await asClient(postgres.adminUrl, (client) => client.query("vacuum (full, analyze)"));
      assert.deepEqual(await asClient(postgres.adminUrl, (client) => holding(client, CANARIES)), []);
    });

    test("nothing of her is left in the files of tables and indexes", async () => {
      const [{ place }] = await asClient(postgres.adminUrl, async (client) => {
        await client.query("checkpoint");
        return (await client.query(`select current_setting('data_directory') || '/base/' || oid as place
          from pg_database where datname = 'postgres'`)).rows;
      });
      const needles = [Buffer.from(ADA.replaceAll("-", ""), "hex"), ...CANARIES.map((text) => Buffer.from(text))];
      const held = readdirSync(place).filter((name) => {
        const bytes = readFileSync(join(place, name));
        return needles.some((needle) => bytes.includes(needle));
      });
      assert.deepEqual(held, []);
    });

    test("nobody else's rows have changed", async () => assert.deepEqual(await others(), othersBefore));

    test("every figure is what it was", async () =>
      assert.deepEqual(await asClient(postgres.url, figures), figuresBefore));

    test("every checkpoint of before verifies, and a proof shows what is left", () => {
      for (const note of notes) {
        const { status, out } = seal(postgres.url, "verify", "--checkpoint", note, "--key", verifier);
        assert.equal(status, 0, out);
        assert.match(out, /were erased/);
        const proof = (/** @type {string[]} */ ...more) =>
          seal(postgres.url, "prove", String(SENT[1].id), "--checkpoint", note, "--key", verifier, ...more);
        assert.equal(proof().status, 0, proof().out);
        assert.match(proof("--open").out, /was erased, so only what is left of it can be proven/);
      }
    });

    test("nothing that is sent again brings her back", async () => {
      const count = () => run("select count(*)::int as rows from public.audience_events");
      const before = await count();
      await asClient(postgres.url, async (client) => {
        const answer = await ingest(client, SENT.filter(isKnown));
        assert.equal(answer.accepted, 0, JSON.stringify(answer));
        await insert(client, SENT);
      });
      assert.deepEqual(await count(), before);
      await run("select public.audience_replay()");
      await run("select public.audience_recompute_states()");
      await run("select audience_gate.derive_states()");
      assert.deepEqual(await asClient(postgres.adminUrl, (client) => holding(client, CANARIES)), []);
    });

    test("a second erasure finds nothing more, and a session is erased from what a user keeps", async () => {
      assert.equal((await erase("user_id", ADA)).events, 0);
      assert.ok((await erase("session_id", SHARED, "nothing")).events >= 2);
      await run("select audience_gate.refresh_analytics()");
      await asClient(postgres.adminUrl, (client) => client.query("analyze"));
      assert.deepEqual(await asClient(postgres.adminUrl, (client) => holding(client, [SHARED, OWN])), []);
      // The other's event in it is still the other's, in a session of no name.
      assert.equal((await others()).length, othersBefore.length + 1);
      const { status, out } = seal(postgres.url, "verify", "--checkpoint", notes[0], "--key", verifier);
      assert.equal(status, 0, out);
    });

    test("an edit that is passed off as an erasure is found", async () => {
      /** @type {string[]} */
      const missed = [];
      for (const [place, { what, sql, told }] of FORGED.entries()) {
        await asClient(postgres.adminUrl.replace("/postgres?", "/template1?"), async (client) => {
          await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'postgres'");
          await client.query(`create database forged_${place} template postgres`);
        });
        const url = postgres.adminUrl.replace("/postgres?", `/forged_${place}?`);
        await asClient(url, async (client) => {
          await client.query("set session_replication_role = replica");
          await client.query(sql);
        });
        const { status, out } = seal(url, "verify", "--checkpoint", notes[1], "--key", verifier);
        if (status !== 1 || !told.test(out)) missed.push(`${what}: ${status} ${out}`);
      }
      assert.deepEqual(missed, []);
    });

    test("no role of the API erases, and who acts as the owner of the gate changes nothing without an erasure", async () => {
      /** @type {string[]} */
      const open = [];
      const calls = [
        `select audience_gate.erase_subject('user_id', '${BOB}', 'request')`,
        `select audience_gate.erase_changes('${SITE}', '${BOB}', '${SITE}')`,
        "update public.audience_events set user_id = null",
        "update public.audience_events set metadata = '{}'",
        "update public.audience_state_events set notes = null",
        "update audience_gate.leaf set salt = null",
        "update public.deal_events set notes = null",
        `update public.audience_site_state set user_id = '${SITE}'`,
        "delete from audience_gate.erasures",
        "select from audience_gate.erased_rows",
      ];
      for (const role of ["anon", "authenticated", "service_role", "audience_gate_owner"]) {
        for (const call of role === "audience_gate_owner" ? calls.slice(2, -1) : calls) {
          await run(`begin; set local role ${role}; ${call}; commit`).then(
            () => open.push(`${role}: ${call}`),
            () => {},
          );
        }
      }
      assert.deepEqual(open, []);
    });

    test("what is no subject or no reason is refused, without being repeated", async () => {
      /** @type {string[]} */
      const wrong = [];
      for (
        const [kind, subject, reason, keep] of [
          ["user_id", "canary", "request", "nothing"],
          ["email_hash", "canary@example.com", "request", "nothing"],
          ["email_hash", "ca0a", "request", "nothing"],
          ["name", "canary", "request", "nothing"],
          ["session_id", "", "request", "nothing"],
          ["session_id", "session-canary", "", "nothing"],
          ["session_id", "session-canary", "mail of canary@example.com", "nothing"],
          ["session_id", "session-canary", "of session-canary", "nothing"],
          ["session_id", "session-canary", "request", "everything"],
        ]
      ) {
        await run("select audience_gate.erase_subject($1, $2, $3, $4)", [kind, subject, reason, keep]).then(
          () => wrong.push(`${kind} ${subject} ${reason} ${keep}`),
          (/** @type {Error} */ { message }) => message.includes("canary") && wrong.push(message),
        );
      }
      assert.deepEqual(wrong, []);
    });
  });
}
