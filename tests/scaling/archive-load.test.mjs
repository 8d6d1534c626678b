import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import pg from "pg";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "../database/postgres.mjs";
import { applyArchive, begin, gate, inForce, monthBefore, record, writeElsewhere } from "./archived.mjs";
import { useLog } from "./log.mjs";
import { operate, partition } from "./partitioned.mjs";
import { until } from "../until.mjs";

/** @typedef {Record<string, unknown>} Event */

const DAY = 86_400_000;
const START = Date.UTC(2025, 2, 3, 12);

/** An event of history. @param {Event} members @returns {Event} */
const past = (members = {}) => ({
  session_id: `past-${randomUUID()}`,
  event_type: "page_view",
  event_category: "engagement",
  event_source: "web",
  occurred_at: new Date(START).toISOString(),
  metadata: { page_path: "/" },
  ...members,
});

/** @param {Event[]} events */
const lines = (events) => events.map((event) => JSON.stringify(event) + "\n").join("");

for (const version of SCENARIO_VERSIONS) {
  describe(`audience-gate load on Postgres ${version}`, () => {
    const log = useLog(({ client }) => applyArchive(client), { version });
    const { folder } = log;
    /** @param {string} name @param {Event[]} events */
    const file = (name, events) => {
      const path = join(folder, name);
      const text = lines(events);
      writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
      return path;
    };
    const load = (/** @type {string[]} */ ...words) => gate(log.url, "load", ...words);
    const sessions = async (/** @type {string} */ session) => {
      const { rows } = await log.client.query(
        "select id, created_at, rejected from public.audience_events where session_id like $1 order by created_at, id",
        [`${session}%`],
      );
      return rows;
    };

    it("gives an archive back, equal, in another database", async () => {
      await record(log.client, 2, 1500);
      const archive = join(folder, "archive");
      assert.equal(gate(log.url, "archive", archive, "--file-rows", "700").status, 0);
      mkdirSync(join(archive, "2001-01.partial"));
      writeFileSync(join(archive, "2001-01.partial", "events-00001.parquet"), "half");
      const other = await startPostgres({ version });
      try {
        await asClient(other.url, async (second) => {
          await applyArchive(second);
          const ran = gate(other.url, "load", archive);
          assert.deepEqual([ran.status, ran.stderr], [0, ""]);
          assert.match(
            ran.stdout,
            /events-00003.parquet: 100 loaded.* 4 records of rejections brought up to this contract/,
          );
          assert.deepEqual(await inForce(second), await inForce(log.client));
          const { rows: [row] } = await second.query(
            `select count(distinct contract)::int as contracts, bool_and(contract = audience_gate.contract_fingerprint()) as judged,
               bool_and(metadata ?& array['rejection_reason', 'original_payload_snapshot']) filter (where rejected) as complete
             from public.audience_events`,
          );
          assert.deepEqual(row, { contracts: 1, judged: true, complete: true });
        });
      } finally {
        await other.stop();
      }
      const here = load(archive);
      assert.match(here.stdout, /events-00001.parquet: 0 loaded, 700 recorded before, 0 repeats/);
    });

    it("loads what check accepts, once, whatever the file is called, and reports it", async () => {
      const events = Array.from({ length: 30 }, (_, n) =>
        past({
          session_id: `checked-${n}`,
          ...(n % 2 ? { id: randomUUID().toUpperCase() } : {}),
          occurred_at: new Date(START + n * DAY).toISOString(),
          ...(n === 3
            ? {
              event_type: "email_subscribe",
              event_category: "subscription",
              email: "somebody@example.org",
              metadata: { channel: "web", consent_recorded: true },
            }
            : {}),
        }));
      const raw = file("raw.ndjson", events);
      const accepted = join(folder, "accepted.ndjson");
      assert.equal(gate(log.url, "check", raw, "--at", "occurred", "--accepted", accepted).status, 0);
      const ran = load(accepted);
      assert.deepEqual([ran.status, ran.stderr], [0, ""]);
      const rows = await sessions("checked-");
      assert.deepEqual(rows.map((row) => row.created_at.toISOString()), events.map((event) => event.occurred_at));
      assert.equal(rows[1].id, String(events[1].id).toLowerCase());

      copyFileSync(accepted, join(folder, "renamed.ndjson"));
      assert.match(load(join(folder, "renamed.ndjson")).stdout, /was loaded before/);
      // The file is longer now, so it is another file, but the same events have the same ids in it.
      writeFileSync(accepted, lines([past({ session_id: "checked-more" })]), { flag: "a" });
      assert.match(load(accepted).stdout, /1 loaded, 30 recorded before/);

      const { rows: loads } = await log.client.query(
        `select e.metadata, e.event_category, e.rejected, l.actor, l.finished_at is not null as finished, now() - e.created_at < '1 minute' as recent
         from audience_gate.loads l join public.audience_events e on e.id = l.event_id order by l.id`,
      );
      const [{ metadata, ...rest }] = loads.slice(-2);
      assert.deepEqual(rest, {
        event_category: "system",
        rejected: false,
        actor: "postgres",
        finished: true,
        recent: true,
      });
      assert.equal(metadata.row_count, 30);
      assert.equal(metadata.file_count, 1);
      assert.equal(metadata.actor, "postgres");
      assert.equal(Date.parse(metadata.first_created_at), START);
      assert.equal(Date.parse(metadata.last_created_at), START + 29 * DAY);
      assert.match(metadata.files_hash, /^[0-9a-f]{64}$/);
    });

    it("waits until the server has noticed that the load before has ended, and does not wait for one that has not", async () => {
      const path = file("after.ndjson", [past({ session_id: "after-another" })]);
      const other = new pg.Client({ connectionString: log.url });
      await other.connect();
      await other.query("select audience_gate.begin_load()");
      const refused = load(path);
      assert.deepEqual([refused.status, refused.stdout], [2, ""]);
      assert.match(refused.stderr, /another load is under way.*wait for its end/s);
      // Its connection ends a second after it has loaded its last file.
      other.on("error", () => undefined);
      await other.query("select audience_gate.finish_load()");
      const ended = other.query("select pg_sleep(1), pg_terminate_backend(pg_backend_pid())").catch(() => undefined);
      assert.match(load(path).stdout, /after.ndjson: 1 loaded/);
      await ended;
    });

    it("loads Parquet as Spark, pandas and Hive write it", async () => {
      const events = Array.from({ length: 100 }, (_, n) =>
        past({
          session_id: `elsewhere-${String(n).padStart(3, "0")}`,
          occurred_at: new Date(START + n * 60_000 + 123).toISOString(),
          utm_source: n % 3 ? "news" : null,
          metadata: { page_path: "/ü", n },
        }));
      const folder_of_it = join(folder, "elsewhere");
      writeElsewhere(folder_of_it, file("elsewhere.ndjson", events));
      const ran = load(folder_of_it);
      assert.deepEqual([ran.status, ran.stderr], [0, ""]);
      const { rows } = await log.client.query(
        `select session_id, occurred_at, created_at = occurred_at as same, utm_source, metadata
         from public.audience_events where session_id like 'elsewhere-%' order by session_id`,
      );
      assert.deepEqual(
        rows.map(({ occurred_at, ...row }) => ({ ...row, occurred_at: occurred_at.toISOString() })),
        events.map(({ session_id, occurred_at, utm_source, metadata }) => ({
          session_id,
          same: true,
          utm_source,
          metadata,
          occurred_at,
        })),
      );
      assert.match(load(folder_of_it).stdout, /part-hive.parquet: was loaded before/);
    });

    it("goes on after being killed, and adds nothing twice", async () => {
      const count = 60_000;
      const many = Array.from(
        { length: count },
        (_, n) => past({ session_id: `killed-${n}`, occurred_at: new Date(START + n * 60_000).toISOString() }),
      );
      const path = file("many.ndjson.gz", many);
      const through = async () => {
        const { rows: [row] } = await log.client.query(
          "select coalesce(max(f.through) filter (where not f.finished), 0)::int as through from audience_gate.load_files f",
        );
        return row.through;
      };
      const child = begin(log.url, "load", path);
      const ended = new Promise((resolve) => child.once("exit", resolve));
      await until(async () => child.exitCode !== null || await through() >= 20_000, "20,000 events are loaded", 120);
      child.kill("SIGKILL");
      await ended;
      const stopped = await through();
      assert.ok(stopped >= 20_000 && stopped < count, `it was killed half-way, at ${stopped}`);
      assert.equal((await sessions("killed-")).length, stopped);

      // The server may need a moment to notice.
      let ran = load(path);
      await until(() => {
        if (ran.status === 0) return true;
        assert.match(ran.stderr, /another load is under way/);
        ran = load(path);
        return ran.stderr;
      }, "the server has noticed that the first load is gone");
      assert.match(
        ran.stdout,
        new RegExp(`: ${count - stopped} loaded, 0 recorded before, .* going on after event ${stopped}`),
      );
      assert.equal((await sessions("killed-")).length, count);
      const { rows: [{ metadata }] } = await log.client.query(
        "select metadata from public.audience_events where event_type = 'history_loaded' order by created_at desc limit 1",
      );
      assert.equal(metadata.row_count, count);
      await log.client.query(
        "create temp table killed as select session_id from public.audience_events where session_id like 'killed-%'",
      );
      const { rows: [{ different }] } = await log.client.query(
        "select count(distinct session_id)::int as different from killed",
      );
      assert.equal(different, count);
    });

    it("refuses a file with events that the contract refuses, unless they are to be left out", async () => {
      const path = file("mixed.ndjson", [
        past({ session_id: "mixed-good" }),
        past({ session_id: "mixed-bad", metadata: {} }),
        past({ session_id: "mixed-late", created_at: new Date(START + 9 * DAY).toISOString() }),
        past({ session_id: "mixed-never", occurred_at: undefined }),
        past({
          session_id: "mixed-ahead",
          occurred_at: undefined,
          created_at: new Date(Date.now() + DAY).toISOString(),
        }),
        past({ session_id: "mixed-claim", rejected: true }),
        past({ session_id: "mixed-type", event_type: "no_such_event" }),
      ]);
      const ran = load(path);
      assert.equal(ran.status, 1);
      assert.equal((await sessions("mixed-")).length, 0);
      assert.match(ran.stderr, /line 2: engagement\.subject/);
      assert.match(ran.stderr, /line 3: sanity\.occurred_at_window/);
      assert.match(ran.stderr, /line 4: .*--at TIME/);
      assert.match(ran.stderr, /line 5: .*future/);
      assert.match(ran.stderr, /line 6: only the gate's records/);
      assert.match(ran.stderr, /6 of its 7 events are refused.*--skip-refused/);
      const rest = load(path, "--skip-refused");
      assert.equal(rest.status, 1);
      assert.match(rest.stdout, /1 loaded, 0 recorded before, 0 repeats rejected, 6 refused/);
      assert.equal((await sessions("mixed-")).length, 1);
    });

    it("takes created_at before occurred_at, and --at for events without either", async () => {
      const own = new Date(START + 3 * DAY).toISOString();
      const path = file("times.ndjson", [
        past({ session_id: "times-own", created_at: own }),
        past({ session_id: "times-none", occurred_at: null }),
      ]);
      assert.equal(load(path, "--at", "2025-01-31T09:30:00Z").status, 0);
      assert.deepEqual((await sessions("times-")).map((row) => row.created_at.toISOString()), [
        "2025-01-31T09:30:00.000Z",
        own,
      ]);
    });

    it("rejects double fires as the gate would have, within history and against the log", async () => {
      let seed = 20261121;
      const random = (/** @type {number} */ n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
      const events = Array.from({ length: 400 }, () =>
        past({
          id: randomUUID(),
          session_id: `fires-session-${random(4)}`,
          event_type: ["page_view", "scroll_depth"][random(1)],
          user_id: random(2) ? "00000000-0000-4000-8000-00000000000a" : null,
          occurred_at: new Date(START + random(600) * 500).toISOString(),
        }));
      /** @type {Map<string, number[]>} */
      const accepted = new Map();
      /** @type {Set<unknown>} */
      const repeats = new Set();
      for (const event of events) {
        const key = `${event.session_id} ${event.user_id}`;
        const time = Date.parse(String(event.occurred_at));
        const before_it = accepted.get(key) ?? [];
        if (before_it.some((other) => Math.abs(other - time) < 3000)) repeats.add(event.id);
        else accepted.set(key, [...before_it, time]);
      }
      assert.ok(repeats.size > 50 && repeats.size < 390);
      // Two files: the second meets what the first left in the log.
      const ran = load(file("fires-1.ndjson", events.slice(0, 150)), file("fires-2.ndjson", events.slice(150)));
      assert.equal(ran.status, 0, ran.stderr);
      const { rows } = await log.client.query(
        `select id, metadata ->> 'event_id' as sent, metadata ->> 'validation_rule_id' as rule
         from public.audience_events where session_id like 'fires-%' and rejected`,
      );
      assert.deepEqual(new Set(rows.map(({ sent }) => sent)), repeats);
      // The id that was sent stays free: the record of a rejection has one of its own.
      assert.ok(rows.every(({ id, sent, rule }) => id !== sent && rule === "duplicate.double_fire"));
      assert.equal((await sessions("fires-")).length, 400);
    });

    it("is followed by states and figures", async () => {
      const member = randomUUID();
      const bought = (/** @type {number} */ n) =>
        past({
          user_id: member,
          session_id: `state-session-${n}`,
          event_type: "content_view",
          metadata: { content_id: "x", duration_seconds: 60 },
          occurred_at: new Date(START + n * DAY).toISOString(),
        });
      assert.equal(load(file("late.ndjson", [bought(5)])).status, 0);
      const derived = async () => {
        await log.client.query("select audience_gate.derive_states()");
        const { rows: [row] } = await log.client.query(
          "select engagement_score::float as score, last_event_type from public.audience_site_state where user_id = $1",
          [member],
        );
        return row;
      };
      const { rows: [{ weight }] } = await log.client.query(
        "select score_weight::float as weight from public.audience_event_types where id = 'content_view'",
      );
      assert.ok(weight > 0);
      assert.equal((await derived()).score, weight);
      // These are earlier than what is already derived, so the member's state is derived again.
      assert.equal(load(file("early.ndjson", [bought(1), bought(2)])).status, 0);
      assert.equal((await derived()).score, 3 * weight);
      const { rows: [{ refreshed }] } = await log.client.query("select audience_gate.refresh_analytics() as refreshed");
      assert.equal(refreshed.outcome, "ok");
      const { rows: [{ days }] } = await log.client.query(
        "select count(distinct (slot at time zone 'UTC')::date)::int as days from audience_gate.person_slots where person = $1",
        [member],
      );
      assert.equal(days, 3);
    });

    it("does not let anybody else set times", async () => {
      await log.client.query("set role service_role");
      for (
        const call of [
          "audience_gate.record_history(null, '{}')",
          "audience_gate.load_batch('', 0, 0, true, '', '')",
          "audience_gate.begin_load()",
          "audience_gate.detach_month('2025-01-01', 0, '', true)",
        ]
      ) {
        await assert.rejects(log.client.query(`select ${call}`), /permission denied/);
      }
      await assert.rejects(log.client.query("insert into audience_gate.load_rows default values"), /permission denied/);
      await log.client.query("reset role");
    });

    it("fills the months of a partitioned log, but not a detached one", async () => {
      await partition(log.client);
      await operate(log.client, "drop_standby()");
      const when = new Date(Date.UTC(2019, 4, 5)).toISOString();
      const ran = load(file("old.ndjson", [past({ session_id: "parts-old", occurred_at: when })]));
      assert.deepEqual([ran.status, ran.stderr], [0, ""]);
      const { rows: [{ part }] } = await log.client.query(
        "select tableoid::regclass::text as part from public.audience_events where session_id = 'parts-old'",
      );
      assert.equal(part, "audience_gate_partitions.audience_events_2019_05");
      const archive = join(folder, "parts");
      assert.equal(gate(log.url, "archive", archive, "--month", "2019-05").status, 0);
      assert.equal(gate(log.url, "detach", archive, "2019-05", "--drop").status, 0);
      const late = file("old-more.ndjson", [past({ session_id: "parts-more", occurred_at: when })]);
      const refused = load(late);
      assert.equal(refused.status, 2);
      assert.match(refused.stderr, /2019-05 is detached: bring it back first: audience-gate restore/);
      assert.equal(gate(log.url, "restore", archive, "2019-05").status, 0);
      assert.match(load(late).stdout, /1 loaded/);
      assert.match(load(join(archive, "2019-05")).stdout, /0 loaded, 1 recorded before/);
      const month = await monthBefore(log.client, 1);
      assert.equal(gate(log.url, "archive", archive, "--month", month).status, 0);
    });
  });
}
