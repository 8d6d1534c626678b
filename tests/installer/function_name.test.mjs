/** The function under a name of the project's own: its files, its section, its address, and what is said of it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { serverUrl } from "../../installer/server.mjs";
import { project } from "./scene.mjs";

const CONFIG = 'project_id = "named"\n\n[functions.ingest]\nverify_jwt = true\n';
const THEIRS = { "config.toml": CONFIG, "functions/ingest/index.ts": "Deno.serve(() => new Response());\n" };

/** @param {ReturnType<typeof project>} scene @param {string[]} args */
function done(scene, ...args) {
  const { code, said } = scene.gate(args);
  assert.equal(code, 0, said);
  return said;
}
const functions = (/** @type {ReturnType<typeof project>} */ scene) =>
  Object.keys(scene.files()).flatMap((path) => /^supabase\/functions\/([\w-]+)\/index\.ts$/.exec(path)?.[1] ?? []);

test("a project that has a function ingest gives the gate's another name", () => {
  const scene = project("named", THEIRS);
  const theirs = scene.files();
  const refused = scene.gate(["init"]);
  assert.equal(refused.code, 1);
  assert.match(refused.said, /function of your own in supabase\/functions\/ingest; [^\n]*init --function NAME/);
  assert.deepEqual(scene.files(), theirs);

  assert.match(done(scene, "init", "--function", "audience"), /functions deploy audience --use-api/);
  assert.deepEqual(functions(scene), ["audience", "ingest"]);
  const config = scene.files()["supabase/config.toml"];
  assert.ok(config.startsWith(CONFIG));
  assert.match(config, /\n\[functions\.audience\]\n[\s\S]*"\.\/functions\/audience\/index\.ts"/);
  assert.doesNotMatch(config.slice(CONFIG.length), /ingest/);
  const once = scene.files();
  assert.match(done(scene, "init"), /nothing was changed/);
  assert.match(done(scene, "upgrade"), /nothing was changed/);
  assert.deepEqual(scene.files(), once);
  assert.match(done(scene, "status"), /function +audience\n/);

  assert.match(done(scene, "uninstall"), /functions delete audience/);
  assert.deepEqual(functions(scene), ["ingest"]);
  assert.equal(scene.files()["supabase/config.toml"], CONFIG);
});

test("a function that is renamed leaves nothing under its former name", () => {
  const scene = project("renamed", { "config.toml": 'project_id = "renamed"\n' });
  done(scene, "init");
  const pepper = readFileSync(join(scene.folder, "supabase/functions/.env"), "utf8");
  const said = done(scene, "init", "--function", "events");
  assert.match(said, /Once nothing is sent to ingest any more: npx supabase functions delete ingest/);
  assert.equal(existsSync(join(scene.folder, "supabase/functions/ingest")), false);
  assert.deepEqual(functions(scene), ["events"]);
  assert.doesNotMatch(scene.files()["supabase/config.toml"], /ingest/);
  assert.equal(readFileSync(join(scene.folder, "supabase/functions/.env"), "utf8"), pepper);
  done(scene, "status");
});

test("the doctor asks the function under its name", () => {
  const scene = project("asked", { "config.toml": 'project_id = "asked"\n' });
  done(scene, "init", "--function", "events");
  const { said } = scene.gate(["doctor", "--url", "http://127.0.0.1:1"]);
  assert.match(said, /the function does not answer\n {2}npx supabase functions deploy events --use-api/);
  assert.equal(serverUrl({ url: "https://a.supabase.co" }, "events"), "https://a.supabase.co/functions/v1/events");
});

test("what the platform takes for no name is refused", () => {
  const scene = project("misnamed", { "config.toml": 'project_id = "misnamed"\n' });
  for (const name of ["", "../up", "_shared", "two words", "a/b", "1st"]) {
    const { code, said } = scene.gate(["init", `--function=${name}`]);
    assert.deepEqual([code, /--function is/.test(said)], [2, true], name);
  }
  assert.deepEqual(functions(scene), []);
});
