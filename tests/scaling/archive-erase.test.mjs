// People are erased from the months that only an archive has, and from its copies of those that the database has: nothing of
// them is left in a file, nobody else's row changes, every checkpoint of before verifies, and no kill leaves half of it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ADA } from "../database/erase_scene.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "../database/postgres.mjs";
import { applyArchive, begin, gate, monthBefore, readElsewhere, record, tell } from "./archived.mjs";
import { useLog } from "./log.mjs";
import { operate, partition } from "./partitioned.mjs";

const ROWS = 200;
const KILLS = 8;
const ADDRESS = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72";
const BOB = "77777777-2222-4222-8222-999999999999";
const victim = (/** @type {number} */ number) => `66666666-2222-4222-8222-${String(number).padStart(12, "0")}`;

for (const version of SCENARIO_VERSIONS) {
  describe(`people in an archive on Postgres ${version}`, () => {
    /** @type {string[]} */
    const months = [];
    let verifier = "";
    const log = useLog(async ({ client, url, folder }) => {
      for (const ago of [0, 1, 2, 3]) months.push(await monthBefore(client, ago));
      await record(client, 3, ROWS);
      await applyArchive(client);
      await partition(client);
      await operate(client, "drop_standby()");
      await client.query("select audience_gate.start_sealing()");
      await client.query("set role audience_gate_store");
      for (const ago of [1, 2, 3]) {
        for (const [place, row] of rows().entries()) {
          const values = { utm_content: "canary", metadata: { page_path: "/canary" }, ...row };
          await client.query(
            `insert into public.audience_events (id, user_id, session_id, event_type, event_category, event_source, utm_content,
               metadata, rejected, contract, created_at)
             select gen_random_uuid(), x.user_id, x.session_id, 'page_view', 'engagement', 'web', x.utm_content, x.metadata,
               coalesce(x.rejected, false), audience_gate.contract_fingerprint(),
               date_trunc('month', now(), 'UTC') - $2 * interval '1 month' + $3 * interval '1 minute'
             from jsonb_populate_record(null::public.audience_events, $1) x`,
            [values, ago, place],
          );
        }
      }
      await client.query("reset role");
      await client.query("select audience_gate.seal_rows('{}')");
      verifier = gate(url, "seal", "key", "example.com/events", "--out", join(folder, "seal.key")).stdout.trim();
      assert.equal(
        gate(url, "seal", "sign", "--key", join(folder, "seal.key"), "--note", join(folder, "note")).status,
        0,
      );
      assert.equal(gate(url, "archive", join(folder, "log"), "--file-rows", "100").status, 0);
      assert.equal(gate(url, "detach", join(folder, "log"), months[2]).status, 0);
      assert.equal(gate(url, "detach", join(folder, "log"), months[3], "--drop").status, 0);
      cpSync(join(folder, "log"), join(folder, "former"), { recursive: true });
    }, { version });
    const archive = join(log.folder, "log");
    /** Of each month: hers, one of her session before she signed in, one of a session with Bob, one that quotes her, theirs. */
    const rows = () => [
      { user_id: ADA, session_id: "session-of-ada" },
      { user_id: ADA, session_id: "session-on-a-kiosk" },
      { session_id: "session-of-ada" },
      { user_id: BOB, session_id: "session-on-a-kiosk", utm_content: null, metadata: { page_path: "/bob" } },
      { session_id: "session-on-a-kiosk", utm_content: null, metadata: { page_path: "/nobody" } },
      {
        session_id: "session-of-bob",
        utm_content: null,
        rejected: true,
        metadata: { rejection_reason: "no", original_payload_snapshot: { user_id: ADA, said: "canary" } },
      },
      { session_id: "session-of-a-reader", metadata: { page_path: "/canary", email_hash: ADDRESS } },
      ...Array.from(
        { length: KILLS },
        (_, number) => ({ user_id: victim(number), session_id: `session-of-${number}` }),
      ),
    ];
    /** @param {string} kind @param {string} subject @param {string[]} more */
    const erase = (kind, subject, ...more) =>
      tell(log.url, `${subject}\n`, "archive", "erase", archive, kind, "--reason", "request 17", ...more);
    const verify = () =>
      gate("", "seal", "verify", "--archive", archive, "--checkpoint", join(log.folder, "note"), "--key", verifier);
    /** Every row of the archive, as another program reads it. @param {string} [place] @returns {unknown[][]} */
    const held = (place = archive) =>
      readElsewhere(
        months.slice(1).flatMap((month) =>
          readdirSync(join(place, month)).filter((name) => name.endsWith(".parquet")).map((name) =>
            join(place, month, name)
          )
        ),
      ).duckdb.rows;
    /** @param {string[]} texts */
    const holding = (...texts) =>
      held().map((row) => JSON.stringify(row)).filter((row) => texts.some((text) => row.includes(text)));
    const nothingElse = () => assert.deepEqual(readdirSync(archive).sort(), [...months.slice(1).reverse(), "_seals"]);

    it("is refused, without the person, where an argument is wrong", () => {
      /** @type {[string, string, string[]][]} */
      const wrong = [["user_id", "canary", []], ["user_id", "", []], ["name", ADA, []], ["user_id", ADA, [
        "--keep",
        "all",
      ]]];
      for (const [kind, subject, more] of wrong) {
        const { status, stderr } = erase(kind, subject, ...more);
        assert.equal(status, 2, kind);
        assert.ok(!/canary|3f2b8c1e/.test(stderr), stderr);
      }
      assert.equal(tell(log.url, ADA, "archive", "erase", archive, "user_id", "--reason", `of ${ADA}`).status, 2);
      nothingElse();
    });

    it("a person is erased from the database and from every month of the archive, and nobody else is", async () => {
      const before = held();
      const { status, stdout, stderr } = erase("user_id", ADA);
      assert.deepEqual([status, stderr], [0, ""], stdout);
      assert.match(stdout, /: 12 events, 3 archived months written anew/);
      assert.match(stdout, /12 of them were erased since/);
      assert.deepEqual(holding(ADA, "session-of-ada"), []);
      const { rows: kept } = await asClient(log.adminUrl, (admin) =>
        admin.query(
          `select k.id from audience_gate.kept_events k
           where k.user_id = $1 or k.session_id = 'session-of-ada' or k.erased and (k.metadata ? 'page_path' or k.utm_content is not null)`,
          [ADA],
        ));
      assert.deepEqual(kept, [], "nor is anything of them kept for figures");
      const rest = held();
      assert.equal(rest.length, before.length);
      const changed = new Set(
        before.filter((row, place) => JSON.stringify(row) !== JSON.stringify(rest[place])).map((row) => row[0]),
      );
      assert.equal(changed.size, 12);
      assert.equal(holding("/bob", "/nobody").length, 6);
      nothingElse();
    });

    it("an address is erased too, and a second time nothing is left to erase", () => {
      assert.match(erase("email_hash", ADDRESS).stdout, /: 3 events, 3 archived months/);
      assert.deepEqual(holding(ADDRESS), []);
      assert.match(erase("user_id", ADA).stdout, /: 0 events, 0 archived months/);
    });

    it("the checkpoint of before verifies, and an archived month is restored as it is now and not as it was", () => {
      const { status, stdout } = verify();
      assert.equal(status, 0, stdout);
      assert.equal(gate(log.url, "restore", join(log.folder, "former"), months[3]).status, 2);
      assert.equal(gate(log.url, "restore", join(log.folder, "former"), months[2]).status, 2);
      for (const month of [months[2], months[3]]) {
        assert.deepEqual(gate(log.url, "restore", archive, month).stderr, "");
        assert.equal(gate(log.url, "detach", archive, month, "--drop").status, 0);
      }
      const again = gate(log.url, "archive", archive, "--verify");
      assert.deepEqual([again.status, again.stderr], [0, ""], again.stdout);
    });

    it("whoever was erased in SQL is erased from the archive with the next one", async () => {
      const other = (await log.client.query(
        `select user_id from public.audience_events where user_id is not null and created_at < now() - interval '31 days'
         and session_id like 'sitzung%' limit 1`,
      )).rows[0]?.user_id ?? (await log.client.query(
        "select user_id from public.audience_events where user_id is not null and session_id like 'sitzung%' limit 1",
      )).rows[0].user_id;
      await log.client.query("select audience_gate.erase_subject('user_id', $1, 'request 18')", [other]);
      assert.equal(holding(other).length, 1);
      assert.match(erase("user_id", ADA).stdout, /: 0 events, 1 archived months/);
      assert.deepEqual(holding(other), []);
      assert.equal(verify().status, 0);
    });

    it("months that wait for their swap are left where they are by every other database than their own", async () => {
      const { rows: [{ id }] } = await log.client.query(
        "select id from audience_gate.erasures order by erased_at limit 1",
      );
      const waiting = `${months[3]}.erased-${id}`;
      cpSync(join(archive, months[3]), join(archive, waiting), { recursive: true });
      const before = readdirSync(archive);
      const other = await startPostgres({ version });
      try {
        await asClient(other.url, applyArchive);
        // The databases of tests are copies of one install.
        await asClient(
          other.adminUrl,
          (client) =>
            client.query("update audience_gate.install_secrets set inner_pad = outer_pad, outer_pad = inner_pad"),
        );
        for (
          const refused of [
            gate(other.url, "archive", archive),
            gate(other.url, "archive", archive, "--again"),
            tell(other.url, `${ADA}\n`, "archive", "erase", archive, "user_id", "--reason", "request 17"),
          ]
        ) {
          assert.equal(refused.status, 2, refused.stdout);
          assert.match(refused.stderr, /is the archive of another database/);
          assert.deepEqual(readdirSync(archive), before);
        }
      } finally {
        await other.stop();
      }
      const own = gate(log.url, "archive", archive);
      assert.deepEqual([own.status, own.stderr], [0, ""], own.stdout);
      nothingElse();
    });

    it("whenever it is killed, the next run leaves nothing of the person and nothing beside the months", async () => {
      const count = held().length;
      const started = performance.now();
      assert.equal(erase("user_id", victim(0)).status, 0);
      const whole = performance.now() - started;
      for (let number = 1; number < KILLS; number += 1) {
        const running = begin(log.url, "archive", "erase", archive, "user_id", "--reason", "request 17");
        running.stdin?.end(`${victim(number)}\n`);
        const timer = setTimeout(() => running.kill("SIGKILL"), whole * number / KILLS);
        await once(running, "exit");
        clearTimeout(timer);
        assert.equal(held().length, count, "half a month is left");
        const { status, stdout, stderr } = erase("user_id", victim(number));
        assert.equal(status, 0, stdout + stderr);
        assert.deepEqual(holding(victim(number), `session-of-${number}"`), []);
        nothingElse();
      }
      const { status, stdout } = verify();
      assert.equal(status, 0, stdout);
    });
  });
}
