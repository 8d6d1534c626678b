/** `supabase db reset`, as the real CLI does it on a real Postgres: everything of the project in order, then its seeds. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { asClient, startPostgres } from "../database/postgres.mjs";
import { project } from "./scene.mjs";
import { SHAPES } from "./reset_shapes.mjs";

/** @type {import("../database/postgres.mjs").Postgres} */
let postgres;
before(async () => {
  postgres = await startPostgres({ migrations: [] });
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
  test(`a project ${name}: a reset makes its database with the gate`, async () => {
    const scene = project(name, { ".keep": "", ...files });
    const done = (/** @type {import("./scene.mjs").Ended} */ { code, said }) => assert.equal(code, 0, said);
    done(scene.supabase("init"));
    const path = join(scene.folder, "supabase/config.toml");
    let settings = readFileSync(path, "utf8");
    for (const [before, after] of Object.entries(config)) {
      assert.ok(settings.includes(before), `the CLI no longer writes: ${before}`);
      settings = settings.replace(before, after);
    }
    writeFileSync(path, settings);

    const written = scene.gate(["init"]);
    done(written);
    const mind = /^Mind: .*$/m.exec(written.said)?.[0];
    if (told) assert.match(mind ?? "", told);
    else assert.equal(mind, undefined);
    done(scene.supabase("db", "reset", "--db-url", postgres.url));
    done(scene.gate(["status", "--db-url", postgres.url]));
    for (const [sql, expected] of holds) assert.deepEqual(await answer(sql), expected, sql);
    for (const [file, text] of Object.entries(files)) assert.equal(scene.files()[join("supabase", file)], text);
  });
}
