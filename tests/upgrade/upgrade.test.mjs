// The later migrations turn a database of any released version into what a new database is, while events come in.
// The next release is made here: it has one more rule and event type, another bound and another weight.
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { event, ingest, insert } from "../database/events.mjs";
import { asClient, migrate, SCENARIO_VERSIONS, startPostgres, VERSIONS } from "../database/postgres.mjs";
import { size } from "../long.mjs";
import { expected } from "../package/cases.mjs";
import { within } from "../stack/launch.mjs";
import { until } from "../until.mjs";
import { checkout, recipe, release, releases } from "./checkout.mjs";
import { described, dumped, shipped } from "./schema.mjs";

/** How many events the database holds before the upgrade. */
const ROWS = size({ short: 20_000, long: 1_000_000 });

/** One second on an idle machine; a shared one gets proportionally more. */
const limit = () => 1000 * within(1);

/** Event types whose weight changes. */
const WEIGHTS = new Map([["page_view", 0.3], ["site_search", 2]]);

const copy = checkout("upgrade");
/** @type {string[]} */
let frozen;
/** @type {{ version: string, migrations: string[] }[]} */
let released;

before(() => {
  release(copy);
  frozen = copy.migrations();
  released = releases(copy);
  copy.apply(recipe("src/contract/rules.rs"));
  copy.apply(recipe("taxonomy.json"));
  copy.edit(
    "src/contract/rules.rs",
    (text) => text.replace("Number(F::DurationSeconds, 20, None)", "Number(F::DurationSeconds, 25, None)"),
  );
  copy.edit("taxonomy.json", (text) => {
    const taxonomy = JSON.parse(text);
    for (const type of taxonomy.event_types) if (WEIGHTS.has(type.id)) type.score_weight = WEIGHTS.get(type.id);
    return JSON.stringify(taxonomy);
  });
  copy.emit();
});
after(() => copy.remove());

/** The migrations of a release and of the releases before it. @param {number} index */
const upTo = (index) => {
  const names = new Set(released.slice(0, index + 1).flatMap(({ migrations }) => migrations));
  return frozen.filter((path) => names.has(basename(path)));
};

/**
 * The migrations as they would be if the first release had today's contract. Its rows need the columns that the registry
 * got later; the migration that adds them can be run twice.
 */
const asIfMadeToday = () => {
  const releasesOfTheContract = copy.migrations().filter((path) => /_contract_\w+\.sql$/.test(path));
  const columns = copy.migrations().filter((path) => path.endsWith("_registry_columns.sql"));
  return copy.migrations().flatMap((path) => {
    if (path === releasesOfTheContract[0]) {
      return [...columns, join(copy.folder, "supabase", "contract", "contract.sql")];
    }
    return releasesOfTheContract.includes(path) ? [] : [path];
  });
};

/** An event that only the older contract accepts. */
const viewOf20Seconds = () =>
  event({ event_type: "content_view", metadata: { content_id: "guide-7", duration_seconds: 22 } });

/** Two events: one that only the older contract accepts, and one that both accept. */
const both = () => [viewOf20Seconds(), event()];

const STORED = `insert into public.audience_events (session_id, event_type, event_category, event_source, metadata)
  select 'session-before-' || n, 'page_view', 'engagement', 'web', '{"page_path": "/before"}'
  from generate_series(1, $1::int) n`;

for (const version of VERSIONS) {
  describe(`an upgrade on Postgres ${version}`, () => {
    /** @type {import("../database/postgres.mjs").Postgres} */
    let fresh;
    before(async () => {
      fresh = await startPostgres({ version, migrations: asIfMadeToday() });
    });
    after(() => fresh.stop());

    it("turns every released version into what a new database is", async () => {
      const wanted = await asClient(fresh.url, async (client) => ({
        dump: dumped(fresh.url, version),
        schema: await described(client),
        rows: await shipped(client),
        verdicts: await verdicts(client),
      }));
      for (const [index, { version: from }] of released.entries()) {
        const old = await startPostgres({ version, migrations: upTo(index) });
        try {
          const found = await asClient(old.url, async (client) => {
            await migrate(client, copy.migrations().filter((path) => !upTo(index).includes(path)));
            return {
              dump: dumped(old.url, version),
              schema: await described(client),
              rows: await shipped(client),
              verdicts: await verdicts(client),
            };
          });
          assert.deepEqual(found, wanted, `from ${from}`);
        } finally {
          await old.stop();
        }
      }
    });
  });
}

for (const version of SCENARIO_VERSIONS) {
  describe(`an upgrade of a database in use on Postgres ${version}`, () => {
    it("leaves what the install made of the taxonomy, and mends what it did not touch", async () => {
      const old = await startPostgres({ version, migrations: upTo(released.length - 1) });
      try {
        await asClient(old.url, async (client) => {
          await client.query(`
            update public.audience_event_types set score_weight = 7 where id = 'page_view';
            insert into public.audience_event_types (id, category, tier, score_weight, description)
            values ('webinar_joined', 'advocacy', 'network', 9, 'ours');`);
          await migrate(client, copy.migrations().filter((path) => !frozen.includes(path)));
          const { rows } = await client.query(`select id, score_weight::float as weight from public.audience_event_types
            where id in ('page_view', 'site_search', 'webinar_joined') order by id`);
          assert.deepEqual(rows, [
            { id: "page_view", weight: 7 },
            { id: "site_search", weight: 2 },
            { id: "webinar_joined", weight: 9 },
          ]);
        });
      } finally {
        await old.stop();
      }
    });

    it(`with ${ROWS} events, while more come in, loses none and keeps nobody waiting for a second`, async (t) => {
      const old = await startPostgres({ version, migrations: upTo(released.length - 1) });
      try {
        await asClient(old.url, (client) => client.query(STORED, [ROWS]));
        const proof = await asClient(old.url, async (client) => (await client.query(PROOF)).rows[0]);
        const senders = await Promise.all([
          sending(old.url, both, (client, sent) => ingest(client, sent, proof)),
          sending(old.url, both, insert),
          sending(old.url, () => [viewOf20Seconds()], insert),
        ]);
        await until(() => senders.every(({ requests }) => requests.length >= 20), "events come in", 120);
        const began = performance.now();
        await asClient(
          old.url,
          (client) => migrate(client, copy.migrations().filter((path) => !frozen.includes(path))),
        );
        const ended = performance.now();
        const counts = senders.map(({ requests }) => requests.length);
        await until(
          () => senders.every(({ requests }, index) => requests.length >= counts[index] + 20),
          "events come in after the upgrade",
          120,
        );
        const requests = (await Promise.all(senders.map(({ stop }) => stop()))).flat();

        const refused = requests.filter(({ error }) => error);
        assert.deepEqual(refused.map(({ error }) => String(error)), [], "a request was refused");
        const longest = Math.max(...requests.map(({ from, to }) => to - from));
        assert.ok(longest < limit(), `a request waited for ${longest} ms`);
        await asClient(old.url, async (client) => {
          const { rows: [now] } = await client.query(PROOF);
          assert.notEqual(now.contract, proof.contract);
          await nothingIsLost(client, requests);
          await verdictsSwitchAtOnce(client, requests, { began, ended, newer: now.contract });
          // A function of the last release claims its own contract, so the database judges its batches again.
          const { rejected } = await ingest(client, [viewOf20Seconds()], proof);
          assert.deepEqual(rejected.map((/** @type {{ rule_id: string }} */ { rule_id }) => rule_id), [
            "engagement.content_view_threshold",
          ]);
        });
        t.diagnostic(
          `${requests.length} requests, the longest ${longest.toFixed(0)} ms; the migration ${
            (ended - began).toFixed(0)
          } ms`,
        );
      } finally {
        await old.stop();
      }
    });
  });
}

const PROOF = "select audience_gate.contract_fingerprint() as contract, audience_gate.registry_version() as registry";

/** What a database says about every case of the corpus, and about the events that only one of the contracts accepts. @param {pg.Client} client */
async function verdicts(client) {
  const { cases, receivedAt } = expected();
  const texts = [
    ...cases.filter(({ violates, first }) => !(violates ?? [first]).some((id) => id?.startsWith("parse."))),
    {
      text: JSON.stringify(viewOf20Seconds()),
      caller: "trusted",
    },
  ];
  const { rows } = await client.query({
    text: `select array_to_string(audience_gate.violations(event::jsonb, caller, null, null, $3), ' ')
      from unnest($1::text[], $2::text[]) with ordinality sent(event, caller, place) order by place`,
    values: [
      texts.map(({ text }) => text.replace(/^\ufeff/, "")),
      texts.map(({ caller }) => caller),
      new Date(receivedAt).toISOString(),
    ],
    rowMode: "array",
  });
  return rows.map(([violated]) => violated);
}

/**
 * @typedef {{ sent: Record<string, unknown>[], from: number, to: number, error?: unknown }} Request
 */

/**
 * Sends one request after the other until it is stopped.
 *
 * @param {string} url
 * @param {() => Record<string, unknown>[]} events the events of one request
 * @param {(client: pg.Client, sent: Record<string, unknown>[]) => Promise<unknown>} send
 */
async function sending(url, events, send) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("set role service_role");
  /** @type {Request[]} */
  const requests = [];
  let stopped = false;
  const loop = (async () => {
    while (!stopped) {
      const sent = events();
      const from = performance.now();
      const error = await send(client, sent).then(() => undefined, (failure) => failure);
      requests.push({ sent, from, to: performance.now(), error });
    }
  })();
  return {
    requests,
    stop: async () => {
      stopped = true;
      await loop;
      await client.end();
      return requests;
    },
  };
}

/** The id of what was sent. An audit row of the first release has it as its own. */
const SENT = "case when e.rejected then coalesce(e.metadata ->> 'event_id', e.id::text) else e.id::text end";

/** Every event that was sent has its own row: the event itself if it was accepted, or the audit row of its rejection. */
async function nothingIsLost(/** @type {pg.Client} */ client, /** @type {Request[]} */ requests) {
  const ids = requests.flatMap(({ sent }) => sent.map(({ id }) => id));
  const { rows } = await client.query(
    `select count(distinct ${SENT})::int as found from public.audience_events e where ${SENT} = any ($1)`,
    [ids],
  );
  assert.equal(rows[0].found, ids.length);
}

/**
 * A request before the upgrade is judged by the older contract, one after it by the newer, and one during it by one of
 * the two, which the audit row names.
 *
 * @param {pg.Client} client @param {Request[]} requests
 * @param {{ began: number, ended: number, newer: string }} upgrade
 */
async function verdictsSwitchAtOnce(client, requests, { began, ended, newer }) {
  const { rows } = await client.query(
    `select ${SENT} as id, rejected, metadata -> 'violations' as violations, split_part(metadata ->> 'contract', '+', 2) as contract
     from public.audience_events e where ${SENT} = any ($1)`,
    [requests.map(({ sent }) => sent[0].id)],
  );
  const verdicts = new Map(rows.map((row) => [row.id, row]));
  const wrong = requests.filter(({ sent, from, to }) => {
    const { rejected, violations, contract } = verdicts.get(sent[0].id);
    if (to < began) return rejected;
    if (from > ended) return !rejected;
    return rejected &&
      (contract !== newer ||
        violations.map((/** @type {any} */ violated) => violated.rule_id ?? violated).join() !==
          "engagement.content_view_threshold");
  });
  assert.deepEqual(wrong, []);
  assert.ok(requests.some(({ to }) => to < began) && requests.some(({ from }) => from > ended));
}
