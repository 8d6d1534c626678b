#!/usr/bin/env node
/**
 * What judging costs in the database: `npm run bench:database`, with `-- 10000 10000000` at other numbers of stored rows.
 *
 * One run on a throwaway real Postgres, in which all ways in take turns, so that changes in the machine's speed affect
 * all of them. The same rows go into the enforced table and into a copy of it, as large and with the same indexes,
 * that has no triggers. Writes bench/DATABASE.md.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { cpus } from "node:os";
import process from "node:process";
import pg from "pg";
import { signatureOf } from "../tests/database/events.mjs";
import { signingKeys, startPostgres } from "../tests/database/postgres.mjs";
import { publish, record } from "./history.mjs";

const ROWS = 1000;
const ROUNDS = 15;
const SIZES = process.argv.slice(2).map(Number);
const STORED = SIZES.length > 0 ? SIZES : [10_000, 1_000_000];
const TARGETS = { "batch function": 0.8, "direct INSERT": 0.3 };

const COLUMNS = [
  "id",
  "user_id",
  "session_id",
  "event_type",
  "event_category",
  "event_source",
  "utm_source",
  "utm_medium",
  "utm_campaign",
  "utm_content",
  "utm_term",
  "metadata",
  "site_id",
  "occurred_at",
];
const SITE = "00000000-0000-4000-8000-000000000001";
const TYPES = [
  ["page_view", "engagement", { page_path: "/guides/first-steps" }],
  ["content_view", "engagement", {
    content_id: "guide-17",
    page_path: "/guides/first-steps",
    duration_seconds: 48,
    scroll_depth_percent: 71,
  }],
  ["campaign_landing", "attribution", { landing_page: "/guides" }],
  ["content_share", "advocacy", {
    platform: "web",
    share_type: "link",
    content_id: "guide-17",
  }],
  ["feature_used", "engagement", {
    feature_id: "export",
    page_path: "/tools",
  }],
];

/** Without digits, so that no session can look like a card number. */
const letters = (/** @type {Buffer} */ bytes) =>
  Array.from(bytes, (byte) => String.fromCharCode(97 + byte % 26)).join("");

/** A batch as a site sends it: about fifty sessions, every event of its own kind or time. */
function rows() {
  const sessions = Array.from(
    { length: 50 },
    () => letters(randomBytes(24)),
  );
  const users = sessions.map((_, i) => i % 3 ? null : randomUUID());
  const now = Date.now();
  return Array.from({ length: ROWS }, (_, i) => {
    const session = i % sessions.length;
    const [event_type, event_category, metadata] = TYPES[i % TYPES.length];
    const campaign = i % 4 === 0;
    return {
      id: randomUUID(),
      user_id: users[session],
      session_id: sessions[session],
      event_type,
      event_category,
      event_source: "web",
      utm_source: campaign ? "newsletter" : null,
      utm_medium: campaign ? "email" : null,
      utm_campaign: campaign ? "autumn-2026" : null,
      utm_content: null,
      utm_term: null,
      metadata,
      site_id: SITE,
      occurred_at: new Date(now - i * 4000).toISOString(),
    };
  });
}

const values = (/** @type {Record<string, unknown>[]} */ events) =>
  events.flatMap((event) =>
    COLUMNS.map((column) => column === "metadata" ? JSON.stringify(event["metadata"]) : event[column])
  );
const multiRow = (/** @type {string} */ table) =>
  `insert into ${table} (${COLUMNS}) values ${
    Array.from(
      { length: ROWS },
      (_, row) => `(${COLUMNS.map((_, column) => `$${row * COLUMNS.length + column + 1}`)})`,
    )
  }`;

/** Each way in, from rows to recorded rows. What the client prepares is not timed. */
const WAYS = {
  "plain INSERT": (/** @type {any} */ events) => ({
    text: multiRow("bench.plain"),
    values: values(events),
  }),
  "batch function": (/** @type {any} */ events, /** @type {any} */ proof) => {
    const body = JSON.stringify({
      batch: {
        ...proof.judged,
        source_system: "edge-function",
        caller: "trusted",
        caller_id: null,
        origin: null,
        received_at: new Date().toISOString(),
        dry_run: false,
        rate: null,
        accepted: events.map((/** @type {object} */ event, /** @type {number} */ index) => ({ index, ...event })),
        rejected: [],
      },
    });
    return {
      text: "select public.ingest_audience_events_signed($1, $2) as answer",
      values: [body, signatureOf(proof.key, body)],
    };
  },
  "direct INSERT": (/** @type {any} */ events) => ({
    text: multiRow("public.audience_events"),
    values: values(events),
  }),
};

const postgres = await startPostgres({
  version: 15,
  settings: {
    shared_buffers: "1GB",
    max_wal_size: "8GB",
    checkpoint_timeout: "1h",
    autovacuum: "off",
  },
});
const admin = new pg.Client({ connectionString: postgres.adminUrl });
const client = new pg.Client({ connectionString: postgres.url });
/** @type {Record<string, Record<string, number[]>>} */
const results = {};
let version = "";
try {
  await admin.connect();
  await client.connect();
  version = (await admin.query("show server_version")).rows[0].server_version;
  await admin.query(`
    create schema bench;
    create table bench.plain (like public.audience_events including all);
    grant usage on schema bench to service_role;
    grant insert on bench.plain to service_role;
  `);
  await client.query("set role service_role");
  const { rows: [judged] } = await client.query(
    "select audience_gate.contract_fingerprint() as contract, audience_gate.registry() ->> 'version' as registry",
  );
  const proof = { judged, key: String(signingKeys.get(new URL(postgres.url).port)) };
  // Plans are made while the tables are empty, as in a young project, and then kept.
  for (const way of Object.values(WAYS)) await client.query(way(rows(), proof));

  for (const stored of STORED) {
    await fill(stored);
    console.log(`${stored.toLocaleString("en")} rows stored`);
    /** @type {Record<string, number[]>} */
    const rates = (results[stored] = {});
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, way] of Object.entries(WAYS)) {
        const query = way(rows(), proof);
        const started = process.hrtime.bigint();
        const answer = await client.query(query);
        const seconds = Number(process.hrtime.bigint() - started) / 1e9;
        (rates[name] ??= []).push(ROWS / seconds);
        if (
          name === "batch function" && answer.rows[0].answer.accepted !== ROWS
        ) {
          throw new Error(
            `not all rows were accepted: ${JSON.stringify(answer.rows[0].answer).slice(0, 500)}`,
          );
        }
      }
    }
    const { rows: [{ audited }] } = await admin.query(
      "select count(*)::int as audited from public.audience_events where rejected",
    );
    if (audited > 0) throw new Error(`${audited} rows were rejected`);
    for (const name of Object.keys(WAYS)) console.log(`  ${line(name, rates)}`);
  }
} finally {
  await client.end();
  await admin.end();
  await postgres.stop();
}
report();

/**
 * Fills both tables up to a number of rows, all older than any event the rounds send. It goes row by row into both, so
 * that neither has more of its pages in memory than the other.
 * @param {number} stored
 */
async function fill(stored) {
  const { rows: [{ have }] } = await admin.query(
    "select count(*)::int as have from public.audience_events",
  );
  await admin.query("alter table public.audience_events disable trigger all");
  await admin.query(
    `with filled as (
       insert into public.audience_events
         (created_at, user_id, session_id, event_type, event_category, event_source, utm_campaign, metadata, contract)
       select now() - interval '30 days' + n * interval '0.2 seconds',
         case when n % 3 = 0 then md5((n / 50)::text)::uuid end, 's_' || left(md5((n / 20)::text), 24),
         (array['page_view', 'content_view', 'campaign_landing', 'content_share', 'feature_used'])[1 + n % 5],
         (array['engagement', 'engagement', 'attribution', 'advocacy', 'engagement'])[1 + n % 5], 'web',
         case when n % 4 = 0 then 'campaign-' || n % 100 end,
         jsonb_build_object('page_path', '/guides/' || n % 1000, 'content_id', 'guide-' || n % 1000), audience_gate.contract_fingerprint()
       from generate_series($1::int, $2) n
       returning *
     )
     insert into bench.plain select * from filled`,
    [have, stored - 1],
  );
  await admin.query("alter table public.audience_events enable trigger all");
  await admin.query("checkpoint");
}

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Rounds are compared with the plain INSERT of the same round. @param {string} name @param {Record<string, number[]>} rates */
function ratio(name, rates) {
  return median(rates[name].map((rate, i) => rate / rates["plain INSERT"][i]));
}

/** @param {string} name @param {Record<string, number[]>} rates */
function line(name, rates) {
  return `${name}: ${Math.round(median(rates[name])).toLocaleString("en")} rows/s, ${ratio(name, rates).toFixed(2)}×`;
}

function report() {
  const names = Object.keys(WAYS);
  const table = [
    `| stored rows | ${names.map((name) => `${name}, rows/s`).join(" | ")} | batch / plain | direct / plain |`,
    `|---:|${names.map(() => "---:|").join("")}---:|---:|`,
    ...STORED.map((stored) => {
      const rates = results[stored];
      const speeds = names.map((name) => Math.round(median(rates[name])).toLocaleString("en"));
      const ratios = names.slice(1).map((name) => `${ratio(name, rates).toFixed(2)}×`);
      return `| ${stored.toLocaleString("en")} | ${speeds.join(" | ")} | ${ratios.join(" | ")} |`;
    }),
  ];
  const text = `<!-- Written by \`npm run bench:database\`. -->
# What judging costs in the database

${table.join("\n")}

Postgres ${version}, ${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.versions.node}, ${
    new Date().toISOString().slice(0, 10)
  }; one
connection, ${
    ROWS.toLocaleString("en")
  } rows a statement and transaction, ${ROUNDS} rounds, medians; the three ways in take turns, a ratio compares
statements of one round. fsync is off for all of them, so that what is compared is work and not the disk.

- **plain INSERT**: one multi-row INSERT into a copy of the table with the same rows and indexes, and no triggers.
- **batch function**: \`public.ingest_audience_events_signed\`, whose caller proves by a signature that it judged by this contract: replays and
  repeats are looked up, and everything a hosted install has hanging on the table runs. Target: at least ${
    TARGETS["batch function"]
  }×.
- **direct INSERT**: the same multi-row INSERT into the enforced table: every row judged by the whole contract in the
  trigger. Target: at least ${TARGETS["direct INSERT"]}×.

All plans were made while the tables were empty. The tables were then filled row by row, one with the other, so that
neither has more of its pages in memory.
`;
  publish("DATABASE.md", text);
  record(
    "database",
    Object.fromEntries(STORED.flatMap((stored) =>
      names.flatMap((name) => [
        [`${name}, ${stored} stored, rows/s`, { value: median(results[stored][name]), better: "higher" }],
        [`${name}, ${stored} stored, against a plain INSERT`, {
          value: ratio(name, results[stored]),
          better: "higher",
        }],
      ])
    )),
  );
  const missed = STORED.flatMap((stored) =>
    Object.entries(TARGETS).filter(([name, target]) => ratio(name, results[stored]) < target)
      .map(([name]) => `${name} at ${stored.toLocaleString("en")} rows`)
  );
  if (missed.length > 0) {
    console.error(`below target: ${missed.join(", ")}`);
    process.exitCode = 1;
  }
}
