// A partitioned log against its owner: months that are swapped, replaced or dropped with every trigger off are found in the
// database from one checkpoint that was kept, and the rows are named.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { asClient, SCENARIO_VERSIONS } from "../database/postgres.mjs";
import { applyArchive, gate, monthBefore, record } from "./archived.mjs";
import { useLog } from "./log.mjs";
import { operate, partition } from "./partitioned.mjs";

const ROWS = 700;

for (const version of SCENARIO_VERSIONS) {
  describe(`seals of a partitioned log on Postgres ${version}`, () => {
    /** The months, the newest first. @type {string[]} */
    const months = [];
    let verifier = "";
    const log = useLog(async ({ client, url, folder }) => {
      for (const ago of [0, 1, 2, 3]) months.push(await monthBefore(client, ago));
      await record(client, 3, ROWS);
      await applyArchive(client);
      await partition(client);
      await operate(client, "drop_standby()");
      await client.query("select audience_gate.start_sealing()");
      await client.query("select audience_gate.seal_rows('{}')");
      verifier = gate(url, "seal", "key", "example.com/events", "--out", join(folder, "seal.key")).stdout.trim();
      const sign = gate(url, "seal", "sign", "--key", join(folder, "seal.key"), "--note", join(folder, "old"));
      assert.equal(sign.status, 0, sign.stderr);
      await client.query(
        `insert into public.audience_events (session_id, event_type, event_category, event_source, metadata)
        select 'session-later', 'page_view', 'engagement', 'web', '{"page_path": "/"}' from generate_series(1, 20)`,
      );
      await client.query("select audience_gate.seal_rows('{}')");
    }, { version });
    const verify = (/** @type {string} */ url) => {
      const words = ["verify", "--checkpoint", join(log.folder, "old"), "--key", verifier];
      const { status, stdout, stderr } = gate(url, "seal", ...words);
      return { status, out: stdout + stderr };
    };
    const named = (/** @type {string} */ month) => `audience_events_${month.replace("-", "_")}`;
    const table = (/** @type {string} */ month) => `audience_gate_partitions.${named(month)}`;
    const attach = (/** @type {string} */ month) =>
      `alter table public.audience_events attach partition ${table(month)}
         for values from ('${month}-01 00:00Z') to ('${months[months.indexOf(month) - 1]}-01 00:00Z');`;
    const detach = (/** @type {string} */ month) =>
      `alter table public.audience_events detach partition ${table(month)};`;
    /** Another table takes the place of a month's. @param {string} month @param {string} edit what it holds otherwise */
    const swap = (month, edit) => `
      create table audience_gate_partitions.another (like ${table(month)} including all);
      insert into audience_gate_partitions.another select * from ${table(month)};
      ${edit}
      ${detach(month)}
      drop table ${table(month)};
      alter table audience_gate_partitions.another rename to ${named(month)};
      ${attach(month)}`;

    it("a month that is detached and attached again, as it was, is no forgery", async () => {
      await asClient(log.adminUrl, (client) => client.query(detach(months[2]) + attach(months[2])));
      const { status, out } = verify(log.url);
      assert.equal(status, 0, out);
    });

    it("whatever is done to months is found from the old checkpoint, and rows are named", async () => {
      const one = (await log.client.query(`select e.id from ${table(months[2])} e
        where e.contract is not null and not e.rejected order by e.created_at offset 7 limit 1`)).rows[0].id;
      const is = "[0-9a-f-]{36}";
      /** @type {{ what: string, sql: string, told: RegExp }[]} */
      const forgeries = [
        {
          what: "a partition is swapped for a copy with a value edited",
          sql: swap(months[2], `update audience_gate_partitions.another set metadata = '{}' where id = '${one}';`),
          told: new RegExp(`^event ${one} was changed after it was sealed \\(leaf \\d+\\)$`, "m"),
        },
        {
          what: "a partition is swapped for a copy without a row",
          sql: swap(months[2], `delete from audience_gate_partitions.another where id = '${one}';`),
          told: new RegExp(`^event ${one} is missing \\(leaf \\d+\\)`, "m"),
        },
        {
          what: "a partition is swapped for a copy with a row more",
          sql: swap(
            months[2],
            `insert into audience_gate_partitions.another (id, created_at, session_id, event_type, event_category, event_source, contract)
             select '77777777-2222-4222-8222-000000000001', e.created_at, 'made-up', 'page_view', 'engagement', 'web', e.contract
             from audience_gate_partitions.another e where e.id = '${one}';`,
          ),
          told: /^event 77777777-2222-4222-8222-000000000001 was added past the queue/m,
        },
        {
          what: "the partitions of two months are swapped",
          sql: `${detach(months[1])} ${detach(months[2])}
            update ${table(months[1])} set created_at = created_at - interval '45 days';
            update ${table(months[2])} set created_at = created_at + interval '1 month';
            delete from ${table(months[1])} where created_at < '${months[2]}-01 00:00Z' or created_at >= '${
            months[1]
          }-01 00:00Z';
            alter table ${table(months[1])} rename to another;
            alter table ${table(months[2])} rename to ${named(months[1])};
            alter table audience_gate_partitions.another rename to ${named(months[2])};
            ${attach(months[1])} ${attach(months[2])}`,
          told: new RegExp(`^event ${is} was changed after it was sealed`, "m"),
        },
        {
          what: "two rows change places",
          sql:
            `update public.audience_events e set created_at = o.created_at, session_id = o.session_id, metadata = o.metadata,
              event_type = o.event_type
            from public.audience_events o
            where e.id <> o.id and e.id in ('${one}', (select id from ${table(months[2])} where id <> '${one}'
                and contract is not null order by created_at limit 1))
              and o.id in ('${one}', (select id from ${table(months[2])} where id <> '${one}'
                and contract is not null order by created_at limit 1))`,
          told: new RegExp(`^event ${one} was changed after it was sealed`, "m"),
        },
        {
          what: "created_at is moved to another month",
          sql: `update public.audience_events set created_at = created_at - interval '1 month' where id = '${one}'`,
          told: new RegExp(`^event ${one} was changed after it was sealed`, "m"),
        },
        {
          what: "an event is put into another month too",
          sql: `create temp table copied as select * from public.audience_events where id = '${one}';
            update copied set created_at = created_at - interval '1 month';
            insert into public.audience_events select * from copied`,
          told: new RegExp(`^event ${one} is there twice$`, "m"),
        },
        {
          what: "a whole month is replaced by another history",
          sql: swap(months[2], "update audience_gate_partitions.another set id = gen_random_uuid(), metadata = '{}';"),
          told: new RegExp(`^event ${is} is missing \\(leaf \\d+\\)[^]*and \\d+ more`, "m"),
        },
        {
          what: "a partition is dropped",
          sql: `${detach(months[3])} drop table ${table(months[3])};`,
          told: new RegExp(`^event ${is} is missing \\(leaf \\d+\\)`, "m"),
        },
        {
          what: "the last thousand are removed, with their seals",
          sql:
            `with gone as (delete from audience_gate.leaf where leaf_index >= (select max(leaf_index) - 999 from audience_gate.leaf)
              returning event_id)
            delete from public.audience_events where id in (select event_id from gone);
            delete from audience_gate.tile where tile_index >= (select max(leaf_index) + 1 from audience_gate.leaf) / 256;
            delete from audience_gate.seal;
            insert into audience_gate.seal (size, root)
              select max(leaf_index) + 1, audience_gate.subtree(0, max(leaf_index) + 1) from audience_gate.leaf`,
          told: /^the checkpoint covers \d+ leaves, and there are \d+: the end was cut off/m,
        },
        {
          what: "the last thousand are removed, without their seals",
          sql: `delete from public.audience_events where id in (
            select event_id from audience_gate.leaf order by leaf_index desc limit 1000)`,
          told: new RegExp(`^event ${is} is missing \\(leaf \\d+\\)[^]*and 980 more`, "m"),
        },
        {
          what: "a partition is swapped, and everything sealed again",
          sql: `${swap(months[2], `update audience_gate_partitions.another set metadata = '{}' where id = '${one}';`)}
            truncate audience_gate.leaf, audience_gate.tile, audience_gate.seal;
            insert into audience_gate.unsealed (event_id) select id from public.audience_events where contract is not null;
            select audience_gate.seal_rows('{}')`,
          told: /the first \d+ leaves do not lead to the root of the checkpoint: the history was rewritten/,
        },
      ];
      /** @type {string[]} */
      const missed = [];
      await log.client.end();
      for (const [place, { what, sql, told }] of forgeries.entries()) {
        await asClient(log.adminUrl.replace("/postgres?", "/template1?"), async (client) => {
          await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'postgres'");
          await client.query(`create database forged_${place} template postgres`);
        });
        const url = log.adminUrl.replace("/postgres?", `/forged_${place}?`);
        await asClient(url, async (client) => {
          await client.query("set session_replication_role = replica");
          await client.query(sql);
        });
        const { status, out } = verify(url);
        if (status !== 1 || !told.test(out)) missed.push(`${what}: ${status} ${out}`);
      }
      assert.deepEqual(missed, []);
    });
  });
}
