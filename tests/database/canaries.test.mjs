import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { event, ingest, insert, newSession } from "./events.mjs";
import { startPostgres, VERSIONS } from "./postgres.mjs";

/** Personal data in the forms in which people leave it lying about; none of it may be found again. */
const CANARIES = {
  email: "canary.bird@example.com",
  "encoded email": "canary.bird%40example.com",
  phone: "+491701234567",
  card: "4111 1111 1111 1111",
  "social security number": "219-09-9999",
  "address behind HTML": "canary.bird&#64;example.com",
  "bank account": "DE89 3704 0044 0532 0130 00",
  "credential": "?token=canary4f9c21d07b",
};
const NEEDLE = /canary|1701234567|4111 1111|219-09|3704 0044/i;

/** Every position that a sender can write to. Only the e-mail rule applies to texts that are columns. */
const POSITIONS = {
  session_id: (/** @type {string} */ text) => ({
    session_id: `session ${text}`,
  }),
  event_type: (/** @type {string} */ text) => ({ event_type: text }),
  event_category: (/** @type {string} */ text) => ({ event_category: text }),
  event_source: (/** @type {string} */ text) => ({ event_source: text }),
  utm_source: (/** @type {string} */ text) => ({ utm_source: text }),
  utm_medium: (/** @type {string} */ text) => ({ utm_medium: text }),
  utm_campaign: (/** @type {string} */ text) => ({ utm_campaign: text }),
  utm_content: (/** @type {string} */ text) => ({ utm_content: text }),
  utm_term: (/** @type {string} */ text) => ({ utm_term: text }),
  "a text": (/** @type {string} */ text) => ({
    metadata: { page_path: `/?q=${text}` },
  }),
  "a nested text": (/** @type {string} */ text) => ({
    metadata: { page_path: "/", a: [{ b: [text] }] },
  }),
  "a key": (/** @type {string} */ text) => ({
    metadata: { page_path: "/", [text]: 1 },
  }),
  "a nested key": (/** @type {string} */ text) => ({
    metadata: { page_path: "/", a: [{ [text]: true }] },
  }),
  "a personal key": (/** @type {string} */ text) => ({
    metadata: { page_path: "/", contact_email: text },
  }),
  "a long text": (/** @type {string} */ text) => ({
    metadata: { page_path: "/", note: "x".repeat(9000) + text },
  }),
  "metadata that is not an object": (/** @type {string} */ text) => ({
    metadata: [text],
  }),
  "metadata that is a text": (/** @type {string} */ text) => ({
    metadata: text,
  }),
};

/** Positions that a row of typed columns cannot hold, so that only the batch function meets them. */
const UNTYPED = {
  id: (/** @type {string} */ text) => ({ id: text }),
  user_id: (/** @type {string} */ text) => ({ user_id: text }),
  site_id: (/** @type {string} */ text) => ({ site_id: text }),
  occurred_at: (/** @type {string} */ text) => ({ occurred_at: text }),
  "an unknown field": (/** @type {string} */ text) => ({ contact: text }),
  "an unknown field's name": (/** @type {string} */ text) => ({ [text]: 1 }),
  "email of an event that is not a subscription": (
    /** @type {string} */ text,
  ) => ({ email: text }),
};

for (const version of VERSIONS) {
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
    const planted = (
      /** @type {Record<string, (text: string) => Record<string, unknown>>} */ positions,
      /** @type {[string, string][]} */ canaries,
    ) =>
      canaries.flatMap(([kind, text]) =>
        Object.entries(positions).map(([position, plant]) => ({
          what: `${kind} in ${position}`,
          sent: event(plant(text)),
        }))
      );
    const emails = Object.entries(CANARIES).filter(([kind]) => kind.includes("email"));
    const others = Object.entries(CANARIES).filter(([kind]) => !kind.includes("email"));
    const inMetadata = Object.fromEntries(
      Object.entries(POSITIONS).filter(([, plant]) => "metadata" in plant("")),
    );
    const cases = [
      ...planted(POSITIONS, emails),
      ...planted(inMetadata, others),
    ];

    it("are nowhere after direct inserts", async () => {
      await check(
        cases.map(({ what, sent }) => ({
          what,
          send: () => insert(client, [sent]),
        })),
      );
      const { rows: [{ count }] } = await admin.query(
        "select count(*)::int from public.audience_events where rejected",
      );
      assert.equal(count, cases.length);
    });

    it("are nowhere after batches whose contract is not proven", async () => {
      await check(
        [...cases, ...planted(UNTYPED, emails), ...planted(UNTYPED, others)]
          .map(({ what, sent }) => ({
            what,
            send: async () => {
              const answer = await ingest(client, [sent], {
                contract: "another",
              });
              assert.equal(answer.rejected.length, 1, what);
              return answer.rejected;
            },
          })),
      );
    });

    it("are nowhere after batches that lie about their contract", async () => {
      await check(
        planted(
          { ...UNTYPED, event_category: POSITIONS.event_category },
          emails,
        ).map(({ what, sent }) => ({
          what,
          send: () => ingest(client, [sent]).then(() => null),
        })),
      );
    });

    it("are nowhere after statements that fail", async () => {
      const text = CANARIES.email;
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
  });
}
