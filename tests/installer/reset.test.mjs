/** `supabase db reset`, as the real CLI does it on a real Postgres: everything of the project in order, then its seeds. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { asClient, startPostgres, VERSIONS } from "../database/postgres.mjs";
import { size } from "../long.mjs";
import { project, quick } from "./scene.mjs";
import { SHAPES } from "./reset_shapes.mjs";

/** The short form resets for the newer version of Postgres alone. */
for (const version of VERSIONS.slice(-size({ short: 1, long: VERSIONS.length }))) {
  describe(`on Postgres ${version}`, () => {
    /** @type {import("../database/postgres.mjs").Postgres} */
    let postgres;
    before(async () => {
      postgres = await startPostgres({ version, migrations: [] });
    });
    after(() => postgres.stop());

    /** What a query answers: its only column of its last row. @param {string} sql */
    const answer = (sql) =>
      asClient(postgres.url, async (client) => {
        const results = /** @type {{ rows: object[] }[]} */ ([await client.query(sql)].flat());
        return Object.values(results.at(-1)?.rows.at(-1) ?? {})[0];
      });

    // One database is reset for one project after the other, so that whatever a reset leaves would be in the way of the next.
    for (const { name, files, config = {}, told, holds } of SHAPES) {
      test(`a project ${name}: a reset makes its database with the gate`, async (t) => {
        const scene = project(`${name} ${version}`, { ".keep": "", ...files });
        const done = (/** @type {import("./scene.mjs").Ended} */ { code, said }) => assert.equal(code, 0, said);
        done(scene.supabase("init"));
        const path = join(scene.folder, "supabase/config.toml");
        let settings = readFileSync(path, "utf8");
        for (const [before, after] of Object.entries(config)) {
          assert.ok(settings.includes(before), `the CLI no longer writes: ${before}`);
          settings = settings.replace(before, after);
        }
        writeFileSync(path, settings);
        const theirs = scene.files();

        const written = quick(t, () => scene.gate(["init"]));
        done(written);
        const mind = /^Mind: .*$/m.exec(written.said)?.[0];
        if (told) assert.match(mind ?? "", told);
        else assert.equal(mind, undefined);
        done(scene.supabase("db", "reset", "--db-url", postgres.url));
        done(scene.gate(["status", "--db-url", postgres.url]));
        for (const [sql, expected] of holds) assert.deepEqual(await answer(sql), expected, sql);
        for (const [file, text] of Object.entries(files)) assert.equal(scene.files()[join("supabase", file)], text);

        const once = scene.files();
        done(scene.gate(["init"]));
        assert.deepEqual(scene.files(), once);
        if (!size({ short: 0, long: 1 })) return;
        done(scene.supabase("db", "reset", "--db-url", postgres.url));
        done(scene.gate(["uninstall", "--db-url", postgres.url]));
        assert.deepEqual(scene.files(), theirs);
        assert.equal(await answer("select to_regnamespace('audience_gate') is null"), true);
      });
    }
  });
}
