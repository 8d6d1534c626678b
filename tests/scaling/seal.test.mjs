// An archive against whoever may write its files, its manifests and the seals beside it: whatever they change is found from
// one checkpoint that was kept, without a database, and the row is named.
import assert from "node:assert/strict";
import { cpSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ADA } from "../database/erase_scene.mjs";
import { SCENARIO_VERSIONS } from "../database/postgres.mjs";
import { applyArchive, forge, gate, monthBefore, record } from "./archived.mjs";
import { useLog } from "./log.mjs";
import { operate, partition } from "./partitioned.mjs";

const ROWS = 300;
const STRANGER = "77777777-2222-4222-8222-000000000001";

for (const version of SCENARIO_VERSIONS) {
  describe(`seals of an archive on Postgres ${version}`, () => {
    /** @type {string[]} */
    const months = [];
    let verifier = "";
    const log = useLog(async ({ client, url, folder }) => {
      for (const ago of [0, 1, 2, 3]) months.push(await monthBefore(client, ago));
      await record(client, 3, ROWS);
      await applyArchive(client);
      await client.query("select audience_gate.start_sealing()");
      await client.query("select audience_gate.seal_rows('{}')");
      verifier = gate(url, "seal", "key", "example.com/events", "--out", join(folder, "seal.key")).stdout.trim();
      assert.equal(
        gate(url, "seal", "sign", "--key", join(folder, "seal.key"), "--note", join(folder, "old")).status,
        0,
      );
    }, { version });
    const { folder } = log;
    const archive = join(folder, "log");
    const run = (/** @type {string} */ sql, /** @type {unknown[]} */ values = []) =>
      log.client.query(sql, values).then(({ rows }) => rows);
    /** @param {string} place @param {string} [note] */
    const verify = (place, note = "new") => {
      const words = ["verify", "--archive", place, "--checkpoint", join(folder, note), "--key", verifier];
      const { status, stdout, stderr } = gate("", "seal", ...words);
      return { status, out: stdout + stderr };
    };
    /** Some event of a month that was judged and is its sender's still. @param {string} month @param {number} place */
    const eventOf = async (month, place) =>
      (await run(
        `select e.id from public.audience_events e join audience_gate.leaf l on l.event_id = e.id
         where to_char(e.created_at at time zone 'UTC', 'YYYY-MM') = $1 and l.salt is not null and not e.rejected
           and e.occurred_at is null
         order by e.created_at offset $2 limit 1`,
        [month, place],
      ))[0].id;

    it("says what to do where nothing is sealed or nothing archived", () => {
      assert.match(verify(archive, "old").out, /cannot read/);
      assert.equal(verify(archive, "old").status, 2);
    });

    it("an archive verifies without a database, from an old note and from a new one", () => {
      assert.match(gate(log.url, "archive", archive, "--keep", "1").stdout, /\d+ seals written/);
      const { status, out } = verify(archive, "old");
      assert.equal(status, 0, out);
      assert.match(out, /sealed rows are as they were when the checkpoint was signed/);
      assert.match(out, new RegExp(`^2\\d\\d events are of months that the archive does not have`, "m"));
      forge(archive, [{ what: "check", month: months[2] }]);
    });

    it("months that were erased in, detached and dropped since verify too", async () => {
      await run("set role audience_gate_store");
      await run(
        `insert into public.audience_events
           (id, user_id, session_id, event_type, event_category, event_source, metadata, contract, created_at)
         select gen_random_uuid(), $1, 'session-of-ada', 'page_view', 'engagement', 'web', '{"page_path": "/canary"}', audience_gate.contract_fingerprint(),
           date_trunc('month', now(), 'UTC') - interval '1 month' + n * interval '1 hour' from generate_series(1, 5) n`,
        [ADA],
      );
      await run("reset role");
      await run("select audience_gate.seal_rows('{}')");
      await run("select audience_gate.erase_subject('user_id', $1, 'request 17')", [ADA]);
      await partition(log.client);
      await operate(log.client, "drop_standby()");
      assert.equal(gate(log.url, "archive", archive).status, 0);
      assert.equal(gate(log.url, "detach", archive, months[3], "--drop").status, 0);
      assert.equal(gate(log.url, "detach", archive, months[2]).status, 0);
      await run("select audience_gate.seal_rows('{}')");
      const sign = gate(log.url, "seal", "sign", "--key", join(folder, "seal.key"), "--note", join(folder, "new"));
      assert.equal(sign.status, 0, sign.stderr);
      assert.match(
        verify(archive).out,
        /the end was cut off, or the archive was written before the checkpoint was signed/,
      );
      assert.equal(gate(log.url, "archive", archive).status, 0);
      for (const note of ["old", "new"]) {
        const { status, out } = verify(archive, note);
        assert.equal(status, 0, out);
        assert.match(out, /5 of them were erased since/);
      }
      assert.ok(!existsSync(join(archive, "_seals.partial")));
    });

    it("whatever is changed in files, manifests and seals is found, and named", async () => {
      const month = months[1];
      /** @type {string[]} */
      const events = [];
      for (const place of [3, 5, 7, 9, 11, 13, 15, 17]) events.push(await eventOf(month, place));
      const [one, two, three, four, five, six, seven, eight] = events;
      const [{ id: erased }] = await run("select event_id as id from audience_gate.erased_rows limit 1");
      /** @type {{ what: string, steps: Record<string, unknown>[], told: RegExp }[]} */
      const forgeries = [
        {
          what: "a value is edited",
          steps: [{ what: "set", month, id: one, values: { metadata: '{"page_path": "/another"}' } }],
          told: new RegExp(`^event ${one} was changed after it was sealed \\(leaf \\d+\\)$`, "m"),
        },
        {
          what: "an event is given to another member",
          steps: [{ what: "set", month, id: two, values: { user_id: STRANGER } }],
          told: new RegExp(`^event ${two} was changed`, "m"),
        },
        {
          what: "a rejection is hidden",
          steps: [{ what: "set", month, id: three, values: { rejected: true } }],
          told: new RegExp(`^event ${three} was changed`, "m"),
        },
        {
          what: "an event is back-dated",
          steps: [{ what: "back-date", month, id: four }],
          told: new RegExp(`^event ${four} was changed`, "m"),
        },
        {
          what: "a row is deleted",
          steps: [{ what: "delete", month, id: five }],
          told: new RegExp(`^event ${five} is missing \\(leaf \\d+\\)$`, "m"),
        },
        {
          what: "a row is deleted with its leaf",
          steps: [{ what: "delete", month, id: five }, { what: "unseal", id: five }],
          told: /^1 leaves before leaf \d+ are missing: rows were cut out$/m,
        },
        {
          what: "a row is inserted",
          steps: [{ what: "insert", month, id: six, values: { id: STRANGER } }],
          told: new RegExp(`^event ${STRANGER} of ${month} is not sealed: it was added`, "m"),
        },
        {
          what: "a row is there twice",
          steps: [{ what: "insert", month, id: six, values: {} }],
          told: new RegExp(`^event ${six} of ${month} is not sealed: .* or twice$`, "m"),
        },
        {
          what: "a file is added, which readers of the folder read",
          steps: [{ what: "add-file", month, name: "events-00009.parquet" }],
          told: /events-00009\.parquet was added: the manifest does not name it$/m,
        },
        {
          what: "a row is moved to another month",
          steps: [{ what: "move", month, id: seven, name: months[2] }],
          told: new RegExp(`^event ${seven} is not of ${months[2]}, where it is archived`, "m"),
        },
        {
          what: "a row passes for one that nobody judged",
          steps: [{ what: "set", month, id: eight, values: { contract: null } }],
          told: new RegExp(`^event ${eight} is missing`, "m"),
        },
        {
          what: "two leaves are swapped",
          steps: [{ what: "swap", first: 30, past: 31 }],
          told: /^leaves 0 to 255 are not those that were sealed/m,
        },
        {
          what: "the end is cut off, with its leaves",
          steps: [{ what: "cut", month, first: 600 }],
          told: /the checkpoint covers \d+ leaves, and there are 600: the end was cut off/,
        },
        {
          what: "a whole month is removed",
          steps: [{ what: "remove-month", month: months[3] }],
          told: new RegExp("^event \\S+ is missing \\(leaf \\d+\\)$", "m"),
        },
        {
          what: "an erased row is edited",
          steps: [{ what: "set", month, id: erased, values: { metadata: '{"duration_seconds": 86000}' } }],
          told: new RegExp(`^event ${erased} was changed after it was erased`, "m"),
        },
        {
          what: "a row is taken off the list of an erasure",
          steps: [{ what: "relist" }],
          told: /^erasure \S+ was changed after it was sealed/m,
        },
        {
          what: "a row is edited and sealed again",
          steps: [{ what: "set", month, id: one, values: { metadata: "{}" } }, { what: "reseal", month, id: one }],
          told: /the first \d+ leaves do not lead to the root of the checkpoint: the history was rewritten/,
        },
      ];
      /** @type {string[]} */
      const missed = [];
      const forged = join(folder, "forged");
      for (const { what, steps, told } of forgeries) {
        cpSync(archive, forged, { recursive: true });
        forge(forged, steps);
        const { status, out } = verify(forged);
        if (status !== 1 || !told.test(out)) missed.push(`${what}: ${status} ${out}`);
        rmSync(forged, { recursive: true });
      }
      assert.deepEqual(missed, []);
    });

    it("a damaged file is told as one, and nothing is proven without its seals", () => {
      const damaged = join(folder, "damaged");
      cpSync(archive, damaged, { recursive: true });
      writeFileSync(join(damaged, months[2], "events-00001.parquet"), "PAR1 not PAR1");
      assert.equal(verify(damaged).status, 2);
      rmSync(join(damaged, "_seals"), { recursive: true });
      const { status, out } = verify(damaged);
      assert.equal(status, 2);
      assert.match(out, /has no seals: run `audience-gate archive` on it/);
    });
  });
}
