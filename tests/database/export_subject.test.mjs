// What is held of a person is exported whole, with what each column means, without anybody else, and as a page.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { commandLine } from "../command_line.mjs";
import { blocks, commands } from "../docs/documents.mjs";
import { ADA, BOB, HASH, holding, OWN, scene, SENT, SHARED } from "./erase_scene.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

const program = commandLine();

/**
 * @typedef {{ table: string, meaning: string | null, columns: { name: string, meaning: string | null }[],
 *   rows: Record<string, unknown>[] }} Table
 * @typedef {{ kind: string, also_known_as: Record<string, string[]>, tables: Table[] }} Export
 */

for (const version of SCENARIO_VERSIONS) {
  describe(`Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    before(async () => {
      postgres = await startPostgres({ version });
      await asClient(postgres.url, scene);
    });
    after(() => postgres.stop());
    const write = (/** @type {string} */ kind, /** @type {string} */ subject, /** @type {string[]} */ ...more) =>
      spawnSync(program, ["export-subject", kind, ...more], {
        input: `${subject}\n`,
        env: { ...process.env, DATABASE_URL: postgres.url },
        encoding: "utf8",
      });
    const exported = (/** @type {string} */ kind, /** @type {string} */ subject) => {
      const { status, stdout, stderr } = write(kind, subject);
      assert.equal(status, 0, stderr);
      return /** @type {Export} */ (JSON.parse(stdout));
    };

    test("every row that names her is in it, and every column says what it means", async () => {
      const { tables, also_known_as } = exported("user_id", ADA);
      const ids = tables.filter(({ table }) => table === "public.audience_events").flatMap(({ rows }) =>
        rows.map(({ id }) => id)
      );
      // The reader's subscription is known by its hash alone, and what was refused is under an id of its own.
      const theirs = SENT.slice(0, -2).map(({ id }) => id);
      assert.deepEqual(theirs.filter((id) => !ids.includes(id)), []);
      assert.deepEqual(also_known_as.email_hash, [HASH]);
      assert.deepEqual(also_known_as.session_id.sort(), [OWN, SHARED].sort());
      assert.deepEqual(
        tables.flatMap(({ table, columns }) =>
          columns.filter(({ meaning }) => !meaning).map(({ name }) => `${table}.${name}`)
        ),
        [],
      );
      const inExport = new Set(tables.map(({ table }) => table.replace(/^public\./, "")));
      const held = await asClient(postgres.adminUrl, (client) => holding(client, [ADA]));
      const missing = new Set(held.map((row) => row.split(":")[0]).filter((name) => !inExport.has(name)));
      // The views behind the figures are made from the events.
      assert.deepEqual(
        [...missing].filter((name) => !/pg_statistic|person_days|session_users|session_slots|visits/.test(name)),
        [],
      );
    });

    test("nobody else is in it", () => {
      for (const [kind, subject] of [["user_id", ADA], ["email_hash", HASH], ["session_id", OWN]]) {
        assert.ok(!JSON.stringify(exported(kind, subject)).includes(BOB), kind);
      }
    });

    test("the page shows every value, and runs nothing", async () => {
      await asClient(postgres.url, (client) =>
        client.query(
          `insert into public.audience_events (session_id, user_id, event_type, event_category, event_source, metadata) values
            ('${OWN}', '${ADA}', 'page_view', 'engagement', 'web', '{"page_path": "/<script>alert(1)</script>&\\"x"}')`,
        ));
      const { status, stdout } = write("user_id", ADA, "--html");
      assert.equal(status, 0);
      assert.match(stdout, /^<!doctype html>\n<html lang="en">/);
      assert.match(stdout, /&lt;script&gt;alert\(1\)/);
      assert.doesNotMatch(stdout, /<script|<img|https?:\/\/(?!example)/);
      for (const { id } of SENT.slice(0, 30)) assert.ok(stdout.includes(String(id)), String(id));
    });

    test("the commands of SECURITY.md write both", () => {
      const lines = blocks("SECURITY.md").filter(({ language }) => language === "sh").flatMap(({ text }) =>
        commands(text)
      );
      const written = lines.filter((command) => command.includes("export-subject"));
      assert.equal(written.length, 2);
      for (const command of written) {
        const { status, stdout, stderr } = spawnSync("sh", [
          "-c",
          command.replace("audience-gate", `"${program}"`).replace(/ > .*/, ""),
        ], {
          env: { ...process.env, DATABASE_URL: postgres.url, USER_ID: ADA },
          encoding: "utf8",
        });
        assert.equal(status, 0, stderr);
        assert.ok(stdout.includes(OWN), command);
      }
    });

    test("after an erasure nothing is held, and no role of the API exports", async () => {
      /** @type {string[]} */
      const open = [];
      for (const role of ["anon", "authenticated", "service_role"]) {
        await asClient(
          postgres.url,
          (client) => client.query(`set role ${role}; select audience_gate.export_subject('user_id', '${BOB}')`),
        ).then(
          () => open.push(role),
          () => {},
        );
      }
      assert.deepEqual(open, []);
      await asClient(
        postgres.url,
        (client) => client.query(`select audience_gate.erase_subject('user_id', '${ADA}', 'request')`),
      );
      assert.deepEqual(exported("user_id", ADA).tables, []);
    });

    test("what is no id is refused without being repeated", () => {
      for (const [kind, subject] of [["user_id", "canary"], ["user_id", ""], ["email_hash", "canary@example.com"]]) {
        const { status, stdout, stderr } = write(kind, subject);
        assert.equal(status, 2);
        assert.doesNotMatch(stdout + stderr, /canary/);
      }
    });
  });
}
