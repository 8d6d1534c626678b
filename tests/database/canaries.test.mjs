import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { root } from "../runner/paths.mjs";
import { NEEDLE, planted, TEXTS } from "../support/canaries.mjs";
import { event, ingest, insert, newSession } from "./events.mjs";
import { SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

for (const version of SCENARIO_VERSIONS) {
  describe(`canaries on Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    /** @type {pg.Client} */
    let admin;
    /** @type {pg.Client} */
    let client;

    before(async () => {
      postgres = await startPostgres({
        version,
        settings: { log_min_messages: "info", log_min_error_statement: "info" },
      });
      admin = new pg.Client({ connectionString: postgres.adminUrl });
      client = new pg.Client({ connectionString: postgres.url });
      await admin.connect();
      await client.connect();
      await client.query("set role service_role");
    });
    after(async () => {
      await client.end();
      await admin.end();
      await postgres.stop();
    });

    /** Every row of every table of the database, as text. */
    async function stored() {
      const { rows: tables } = await admin.query(
        `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'm', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
           and (c.relkind <> 'm' or c.relispopulated)`,
      );
      const found = [];
      for (const { name } of tables) {
        const { rows } = await admin.query(
          `select t::text as row from ${name} t`,
        );
        found.push(...rows.map(({ row }) => ({ where: name, text: row })));
      }
      return found;
    }
    const logged = () =>
      readFileSync(postgres.logFile, "utf8").split("\n").map((text) => ({
        where: "the server log",
        text,
      }));

    /** @param {{ what: string, send: () => Promise<unknown> }[]} cases */
    async function check(cases) {
      const answers = [];
      for (const { what, send } of cases) {
        const text = await send().then(
          JSON.stringify,
          (error) => JSON.stringify({ ...error, message: error.message }),
        );
        answers.push({ where: `the answer for ${what}`, text: text ?? "" });
      }
      const found = [...answers, ...await stored(), ...logged()].filter((
        { text },
      ) => NEEDLE.test(text));
      assert.deepEqual(
        found.map(({ where, text }) => `${where}: ${text.slice(0, 300)}`),
        [],
      );
    }
    /** @param {Parameters<typeof planted>} sorts */
    const sent = (...sorts) => planted(...sorts).map(({ what, changes }) => ({ what, sent: event(changes) }));

    it("are nowhere after direct inserts", async () => {
      const cases = sent("columns", "metadata");
      await check(cases.map(({ what, sent }) => ({ what, send: () => insert(client, [sent]) })));
      const { rows: [{ count }] } = await admin.query(
        "select count(*)::int from public.audience_events where rejected",
      );
      assert.equal(count, cases.length);
    });

    it("are nowhere after batches whose contract is not proven", async () => {
      await check(
        sent("columns", "metadata", "untyped").map(({ what, sent }) => ({
          what,
          send: async () => {
            const answer = await ingest(client, [sent], { contract: "another" });
            assert.equal(answer.rejected.length, 1, what);
            return answer.rejected;
          },
        })),
      );
    });

    it("are nowhere after batches that lie about their contract", async () => {
      const categories = sent("columns").filter(({ what }) => what.endsWith("in event_category"));
      await check(
        [...sent("untyped"), ...categories].map(({ what, sent }) => ({
          what,
          send: () => ingest(client, [sent]).then(() => null),
        })),
      );
    });

    it("are nowhere after statements that fail", async () => {
      const text = TEXTS.email;
      const row = event({ metadata: { page_path: `/?q=${text}` } });
      await client.query(
        "insert into public.audience_event_types (id, category, tier, description) values ('fails_late', 'engagement', 'consumer', '')",
      );
      await check([
        {
          what: "an id that was recorded meanwhile",
          send: () => insert(client, [row, row]),
        },
        {
          what: "a session of blanks and an address",
          send: () => insert(client, [event({ session_id: "   ", utm_term: text })]),
        },
        {
          what: "a row of nulls and an address",
          send: () => insert(client, [{ utm_campaign: text }]),
        },
        {
          what: "a campaign too long for its index",
          send: () => insert(client, [event({ utm_campaign: `${text} `.repeat(400) })]),
        },
        {
          what: "repeatable read",
          send: async () => {
            await client.query("begin isolation level repeatable read");
            try {
              return await insert(client, [row]);
            } finally {
              await client.query("rollback");
            }
          },
        },
        {
          what: "a time-out",
          send: async () => {
            await client.query("set statement_timeout = 1");
            try {
              return await ingest(
                client,
                Array.from(
                  { length: 300 },
                  () => event({ metadata: row.metadata }),
                ),
                { contract: "another" },
              );
            } finally {
              await client.query("set statement_timeout = 0");
            }
          },
        },
        {
          what: "an update",
          send: () =>
            client.query("update public.audience_events set metadata = $1", [
              JSON.stringify(row.metadata),
            ]),
        },
        {
          what: "a user who speaks for another, without a right to insert",
          send: async () => {
            await client.query("set role anon");
            try {
              return await insert(client, [
                event({
                  user_id: randomUUID(),
                  session_id: `${newSession()} ${text}`,
                }),
              ]);
            } finally {
              await client.query("set role service_role");
            }
          },
        },
      ]);
    });

    it("are quoted by Postgres itself where SECURITY.md says so, and nowhere else", async () => {
      // Every type that a role of the API can send a value of: of a column that it writes, or of a function's argument.
      const { rows: types } = await admin.query(
        `select distinct format_type(s.type, null) as name
         from (
           select a.atttypid from pg_attribute a join pg_class c on c.oid = a.attrelid, unnest($1::text[]) as role
           where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v') and a.attnum > 0
             and not a.attisdropped and has_column_privilege(role, c.oid, a.attnum, 'insert, update')
           union
           select t.type from pg_proc p, unnest(p.proargtypes::oid[]) as t (type), unnest($1::text[]) as role
           where p.pronamespace = 'public'::regnamespace and has_function_privilege(role, p.oid, 'execute')
         ) s (type)
         order by 1`,
        [["anon", "authenticated", "service_role"]],
      );
      const quoting = async (/** @type {string} */ sql, /** @type {string} */ sent) => {
        const from = readFileSync(postgres.logFile, "utf8").length;
        const error = await client.query(sql, [sent]).then(
          () => "",
          (error) => JSON.stringify({ ...error, message: error.message }),
        );
        return NEEDLE.test(error) || NEEDLE.test(readFileSync(postgres.logFile, "utf8").slice(from));
      };
      /** @type {string[]} */
      const found = [];
      /** @type {string[]} */
      const withNul = [];
      for (const { name } of types) {
        const sql = `select r.sent from json_to_record($1) as r (sent ${name})`;
        if (await quoting(sql, JSON.stringify({ sent: TEXTS.email }))) found.push(name);
        if (await quoting(sql, JSON.stringify({ sent: `${TEXTS.email}\0` }))) withNul.push(name);
      }
      const [, list] = /Postgres itself quotes what no column can hold[^]*?where (`[^]*?) is\s+expected/.exec(
        readFileSync(join(root, "SECURITY.md"), "utf8"),
      ) ?? [];
      // Before Postgres 16, whatever cannot be read as `xid8` is nought.
      const listed = [...list?.matchAll(/`([^`]+)`/g) ?? []].map(([, name]) => name).filter((name) =>
        version > 15 || name !== "xid8"
      );
      assert.deepEqual(found, listed, "types");
      assert.deepEqual(withNul, types.map(({ name }) => name), "U+0000 in any JSON");
      assert.ok(await quoting("select $1::json", `{"session_id": ${TEXTS.email}`), "a body that is no JSON");
    });
  });
}
