// A backup of before an erasure is restored: who was erased since is erased again, from a list that names nobody.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { root } from "../runner/paths.mjs";
import { ADA, BOB, CANARIES, HASH, holding, scene, SHARED } from "./erase_scene.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

const folder = mkdtempSync(join(tmpdir(), "audience-gate-erase-again-"));
after(() => rmSync(folder, { recursive: true }));

for (const version of SCENARIO_VERSIONS) {
  describe(`Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    /** @type {unknown} */
    let list;
    const restored = () => postgres.adminUrl.replace("/postgres?", "/restored?");
    const run = (/** @type {string} */ sql, /** @type {unknown[]} */ values = [], url = postgres.url) =>
      asClient(url, async (client) => (await client.query(sql, values)).rows);
    const again = (/** @type {unknown} */ erasures) =>
      run("select audience_gate.erase_again($1) as done", [JSON.stringify(erasures)], restored())
        .then(([{ done }]) => done);
    const others = (/** @type {string} */ url) =>
      run(
        `select to_jsonb(e) as row from public.audience_events e
        where not e.rejected and e.user_id = '${BOB}' and e.session_id = 'session-of-bob' order by 1`,
        [],
        url,
      );

    before(async () => {
      postgres = await startPostgres({ version });
      await asClient(postgres.url, scene);
      await asClient(postgres.adminUrl.replace("/postgres?", "/template1?"), async (client) => {
        await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'postgres'");
        await client.query("create database restored template postgres");
      });
      for (
        const [kind, subject] of [["user_id", ADA], ["email_hash", HASH], ["session_id", SHARED], ["user_id", ADA]]
      ) {
        await run("select audience_gate.erase_subject($1, $2, 'request 17')", [kind, subject]);
      }
      [{ list }] = await run("select audience_gate.export_erasures(now() - interval '1 hour') as list");
    });
    after(() => postgres.stop());

    test("the list names nobody, and holds what was erased since a time", async () => {
      assert.equal(/** @type {unknown[]} */ (list).length, 4);
      assert.ok(![...CANARIES, SHARED].some((text) => JSON.stringify(list).includes(text)));
      const [{ none }] = await run("select audience_gate.export_erasures(now() + interval '1 hour') as none");
      assert.deepEqual(none, []);
    });

    test("who was erased is erased from the restored database, and nobody else is", async () => {
      const before = await others(restored());
      const [erasing] =
        /** @type {string} */ (readFileSync(join(root, "SECURITY.md"), "utf8")).match(/^ {4}\(printf .*$/m) ?? [];
      writeFileSync(join(folder, "erasures.json"), JSON.stringify(list));
      const told = execFileSync("bash", ["-c", `${erasing} -At`], {
        cwd: folder,
        env: { ...process.env, DATABASE_URL: restored() },
        encoding: "utf8",
      });
      assert.deepEqual(JSON.parse(told), { erased: 3, absent: 0 });
      await run("select audience_gate.refresh_analytics()", [], restored());
      await run(`delete from auth.users where id = '${ADA}'`, [], restored());
      await run("vacuum (full, analyze)", [], restored());
      assert.deepEqual(await asClient(restored(), (client) => holding(client, [...CANARIES, SHARED])), []);
      assert.deepEqual(await others(restored()), before);
    });

    test("a second time nothing is left to erase, and what is no list is refused", async () => {
      assert.deepEqual(await again(list), { erased: 0, absent: 3 });
      assert.deepEqual(await again([]), { erased: 0, absent: 0 });
      for (
        const wrong of [{}, null, [{}], [{ subject_kind: "user_id", keep: "nothing", reason: "x", tombstone: ADA }]]
      ) {
        await assert.rejects(again(wrong), /that is no list of erasures/);
      }
    });

    test("no role of the API may read the list or use it", async () => {
      for (const role of ["anon", "authenticated", "service_role"]) {
        for (const call of ["export_erasures(now())", "erase_again('[]')", "present_subjects('user_id')"]) {
          await assert.rejects(run(`set role ${role}; select audience_gate.${call}`), /permission denied/);
        }
      }
    });
  });
}
