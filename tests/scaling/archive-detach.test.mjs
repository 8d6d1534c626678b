import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { event, ingest } from "../database/events.mjs";
import { SCENARIO_VERSIONS } from "../database/postgres.mjs";
import { applyArchive, gate, history, monthBefore, record, rowsOf, wholeHash } from "./archived.mjs";
import { useLog } from "./log.mjs";
import { operate, partition } from "./partitioned.mjs";

const ROWS = 1200;

for (const version of SCENARIO_VERSIONS) {
  describe(`audience-gate detach and restore on Postgres ${version}`, () => {
    /** @type {string[]} this month and the ones before */
    const months = [];
    const log = useLog(async ({ client, url, folder }) => {
      for (const ago of [0, 1, 2, 3]) months.push(await monthBefore(client, ago));
      await record(client, 3, ROWS);
      await applyArchive(client);
      assert.equal(gate(url, "archive", folder).status, 0);
    }, { version });
    const archive = log.folder;
    const partitions = async () => {
      const { rows } = await log.client.query("select partition from audience_gate.event_partitions order by 1");
      return rows.map((row) => row.partition);
    };
    const named = (/** @type {string} */ month) => `audience_events_${month.replace("-", "_")}`;

    it("says what to do where the log has no partitions", () => {
      const ran = gate(log.url, "detach", archive, months[3]);
      assert.equal(ran.status, 2);
      assert.match(ran.stderr, /no monthly partitions: give it partitions first/);
    });

    it("finds the same archive in a partitioned log, and detaches nothing during a move", async () => {
      await partition(log.client);
      const ran = gate(log.url, "detach", archive, months[3]);
      assert.equal(ran.status, 2);
      assert.match(ran.stderr, /being moved/);
      await operate(log.client, "drop_standby()");
      const again = gate(log.url, "archive", archive, "--verify");
      assert.deepEqual([again.status, again.stderr], [0, ""]);
    });

    it("detaches nothing that the archive does not hold", async () => {
      const before_it = await wholeHash(log.client);
      const missing = gate(log.url, "detach", archive, "2001-01");
      assert.equal(missing.status, 2);
      assert.match(missing.stderr, /has no 2001-01; archive the month first/);

      const file = join(archive, months[3], "events-00001.parquet");
      const bytes = readFileSync(file);
      appendFileSync(file, "x");
      const damaged = gate(log.url, "detach", archive, months[3]);
      writeFileSync(file, bytes);
      assert.equal(damaged.status, 2);
      assert.match(damaged.stderr, /SHA-256 differs/);

      const manifest = join(archive, months[3], "_manifest.json");
      const said = readFileSync(manifest, "utf8");
      writeFileSync(manifest, said.replace(/("content_hash": ")./, "$1_"));
      const other = gate(log.url, "detach", archive, months[3]);
      writeFileSync(manifest, said);
      assert.equal(other.status, 2);
      assert.match(other.stderr, /is not what the database holds/);
      assert.deepEqual(await wholeHash(log.client), before_it);
    });

    for (const how of ["kept", "dropped"]) {
      it(`gives the same log after it was detached, ${how}, and restored`, async () => {
        const month = months[how === "kept" ? 3 : 2];
        const { rows: [{ since }] } = await log.client.query("select clock_timestamp()::text as since");
        const before_it = await history(log.client, since);
        const rows = await rowsOf(log.client, month);
        const words = how === "dropped" ? ["--drop"] : [];
        const detached = gate(log.url, "detach", archive, month, ...words);
        assert.deepEqual([detached.status, detached.stderr], [0, ""]);
        assert.equal((await history(log.client, since)).events, before_it.events - ROWS);
        assert.ok(!(await partitions()).includes(named(month)));
        const { rows: [{ kept }] } = await log.client.query("select to_regclass($1) is not null as kept", [
          `audience_gate_partitions.${named(month)}_detached`,
        ]);
        assert.equal(kept, how === "kept");
        if (kept) {
          await assert.rejects(
            log.client.query(`delete from audience_gate_partitions.${named(month)}_detached`),
            /append-only/,
          );
        }
        assert.equal(gate(log.url, "detach", archive, month).status, 2);
        assert.match(
          gate(log.url, "archive", archive, "--month", month).stdout,
          new RegExp(`${month} is archived, and no longer in`),
        );

        // A retry of an event that was accepted and is archived.
        const [id, , user_id, session_id] = rows.find((row) => row[15] === false) ?? [];
        const retry = await ingest(log.client, [
          {
            id,
            user_id,
            session_id,
            event_type: "page_view",
            event_category: "engagement",
            event_source: "web",
            metadata: { page_path: "/" },
          },
        ]);
        assert.deepEqual([retry.accepted, retry.replayed], [0, [0]]);
        // The id of an audit row is nobody's to use, although its record has gone with the month.
        const [rejected] = rows.find((row) => row[15] === true) ?? [];
        const refused = await ingest(log.client, [event({ id: rejected })]);
        assert.deepEqual([refused.accepted, refused.replayed], [0, []]);
        const rejections = /** @type {{ index: number, rule_id: string }[]} */ (refused.rejected);
        assert.deepEqual(rejections.map(({ index, rule_id }) => [index, rule_id]), [[0, "identity.id_reuse"]]);

        const restored = gate(log.url, "restore", archive, month);
        assert.deepEqual([restored.status, restored.stderr], [0, ""]);
        // The attempt left a record of its own, which is all that came in meanwhile.
        const whole = await history(log.client);
        assert.equal(whole.events, before_it.events + 1);
        assert.deepEqual(await history(log.client, since), before_it);
        assert.ok((await partitions()).includes(named(month)));
        assert.equal(gate(log.url, "restore", archive, month).status, 2);
      });
    }

    it("restores a month with everything that its neighbours have", async () => {
      const shape = async (/** @type {string} */ month) => {
        const { rows: [row] } = await log.client.query(
          `select c.relrowsecurity, c.relowner::regrole::text as owner, c.relacl::text,
             (select array_agg(t.tgname::text order by t.tgname) from pg_trigger t where t.tgrelid = c.oid) as triggers,
             (select array_agg(regexp_replace(pg_get_indexdef(i.indexrelid), 'INDEX .* ON \\S+', '') order by 1)
              from pg_index i join pg_inherits h on h.inhrelid = i.indexrelid where i.indrelid = c.oid) as indexes,
             (select array_agg(k.conname::text order by k.conname) from pg_constraint k
              where k.conrelid = c.oid and k.contype = 'c') as checks,
             (select count(*)::int from pg_index i where i.indrelid = c.oid) as all_indexes
           from pg_class c where c.oid = $1::regclass`,
          [`audience_gate_partitions.${named(month)}`],
        );
        row.indexes.sort();
        return row;
      };
      assert.deepEqual(await shape(months[2]), await shape(months[1]));
      assert.deepEqual(await shape(months[3]), await shape(months[1]));
    });

    it("restores only what was detached", async () => {
      assert.equal(gate(log.url, "detach", archive, months[2], "--drop").status, 0);
      const manifest = join(archive, months[2], "_manifest.json");
      const said = readFileSync(manifest, "utf8");
      writeFileSync(manifest, said.replace(/("rows": )\d+/, "$13"));
      const ran = gate(log.url, "restore", archive, months[2]);
      writeFileSync(manifest, said);
      assert.equal(ran.status, 2);
      assert.match(ran.stderr, /not of what was detached/);
      assert.ok(!(await partitions()).includes(named(months[2])));
      assert.equal(gate(log.url, "restore", archive, months[2]).status, 0);
    });

    it("leaves an event and a line in the log for each", async () => {
      const { rows: events } = await log.client.query(
        `select event_type, metadata ->> 'month' as month, metadata ->> 'actor' as actor, rejected from public.audience_events
         where event_source = 'command-line' order by created_at`,
      );
      const wanted = [months[3], months[3], months[2], months[2], months[2], months[2]].map((month, index) => ({
        event_type: index % 2 === 0 ? "month_detached" : "month_restored",
        month,
        actor: "postgres",
        rejected: false,
      }));
      assert.deepEqual(events, wanted);
      const { rows: lines } = await log.client.query(
        "select action as event_type, detail ->> 'month' as month, actor from audience_gate.partition_log where action like 'month%' order by id",
      );
      assert.deepEqual(lines, wanted.map(({ rejected: _, ...line }) => line));
    });
  });
}
