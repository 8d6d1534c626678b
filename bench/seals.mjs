/**
 * What a proven history costs: `npm run bench:seals`, with `-- ROWS` at another size. Sealing, verifying from the database and
 * from the archive, proofs in a browser, storage, ingest with seals beside ingest without, and erasing somebody with ten
 * thousand events. Throwaway Postgres 17, release build of the command line. Writes `bench/SEALS.md`, and fails where a bar is
 * missed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import pg from "pg";
import { startPostgres } from "../tests/database/postgres.mjs";
import { applyArchive, gate } from "../tests/scaling/archived.mjs";
import { machine, publish, record } from "./history.mjs";
import { compareIngest } from "./seals/ingest.mjs";
import { checkInBrowser } from "./seals/proof.mjs";
import { render } from "./seals/report.mjs";

const ROWS = Number(process.argv[2] ?? 1_000_000);
const MONTHS = 4;
/** How many events somebody has who is erased, and how many of them there are. */
const EVENTS = 10_000;
const PEOPLE = 3;
const ROUNDS = 3;

const person = (/** @type {number} */ number) => `aaaaaaaa-2222-4222-8222-00000000000${number}`;
const median = (/** @type {number[]} */ values) => values.sort((a, b) => a - b)[values.length >> 1];

/** @typedef {Awaited<ReturnType<typeof measure>>} Measured */

/** @param {number} rows */
async function measure(rows) {
  const folder = mkdtempSync(join(tmpdir(), "audience-gate-bench-"));
  const [archive, key, note] = ["archive", "key", "note"].map((name) => join(folder, name));
  const postgres = await startPostgres();
  const client = new pg.Client({ connectionString: postgres.url });
  const run = async (/** @type {string} */ sql, /** @type {unknown[]} */ values = []) =>
    (await client.query(sql, values)).rows;
  /** Milliseconds of some work. @param {() => unknown} work */
  const timed = async (work) => {
    const start = performance.now();
    await work();
    return performance.now() - start;
  };
  /** The command line, which has to end well. @param {string[]} words */
  const command = (...words) => {
    const { status, stdout, stderr } = gate(postgres.url, ...words);
    if (status !== 0) throw new Error(`${words.join(" ")} ended with ${status}: ${stdout}${stderr}`);
    return stdout;
  };
  try {
    await client.connect();
    await applyArchive(client);
    await fill(client, rows);
    await run("vacuum analyze public.audience_events");
    await run("select audience_gate.start_sealing()");
    const sealing = await timed(() =>
      run(`select audience_gate.seal_rows('{"batch_size": 10000, "max_seconds": 3600}')`)
    );
    await run("vacuum analyze audience_gate.leaf");
    const [{ share, bytes }] = await run(`select
      sum(pg_total_relation_size(c)) filter (where c <> 'public.audience_events'::regclass)
        / sum(pg_total_relation_size(c)) filter (where c = 'public.audience_events'::regclass)::float8 as share,
      sum(pg_total_relation_size(c)) filter (where c <> 'public.audience_events'::regclass)::float8 / ${rows} as bytes
      from unnest(array['public.audience_events', 'audience_gate.leaf', 'audience_gate.tile', 'audience_gate.seal']::regclass[]) c`);
    const verifier = command("seal", "key", "example.com/events", "--out", key).trim();
    command("seal", "sign", "--key", key, "--note", note);

    const known = ["--checkpoint", note, "--key", verifier];
    const verify = [];
    for (let round = 0; round < ROUNDS; round++) verify.push(await timed(() => command("seal", "verify", ...known)));
    command("archive", archive);
    const offline = [];
    for (let round = 0; round < ROUNDS; round++) {
      offline.push(await timed(() => command("seal", "verify", "--archive", archive, ...known)));
    }
    const [{ id, site_id }] = await run("select id, site_id from public.audience_events order by created_at limit 1");
    const [{ proof }] = await run("select public.audience_event_proof($1, $2) as proof", [site_id, id]);

    const thousand = [];
    for (let round = 0; round < 9; round++) {
      await fill(client, 1000);
      thousand.push(await timed(() => run("select audience_gate.seal_rows('{}')")));
    }
    const erasing = [];
    for (let one = 0; one < PEOPLE; one++) {
      erasing.push(
        await timed(() => run("select audience_gate.erase_subject('user_id', $1, 'request 17')", [person(one)])),
      );
    }
    command("seal", "verify", ...known);
    return {
      rows,
      sealing: sealing / rows * 1000,
      thousand: median(thousand),
      share: share * 100,
      bytes,
      verify: Math.min(...verify) / 1000,
      offline: Math.min(...offline) / 1000,
      erasing: median(erasing) / 1000,
      proof,
      verifier,
    };
  } finally {
    await client.end();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Events as a site has them, of closed months, with a few people who did much. @param {pg.Client} client @param {number} rows */
async function fill(client, rows) {
  await client.query("set role audience_gate_store");
  await client.query(
    `insert into public.audience_events (id, created_at, user_id, session_id, event_type, event_category, event_source,
       utm_source, utm_medium, utm_campaign, metadata, occurred_at, contract)
     select gen_random_uuid(), made.at,
       case when n % ${Math.max(Math.floor(rows / EVENTS), 1)} < ${PEOPLE} and ${rows} > ${EVENTS}
         then ('aaaaaaaa-2222-4222-8222-00000000000' || n % ${Math.max(Math.floor(rows / EVENTS), 1)})::uuid
         when n % 3 = 0 then md5('user' || n / 60)::uuid end,
       case when n % ${Math.max(Math.floor(rows / EVENTS), 1)} < ${PEOPLE} and ${rows} > ${EVENTS}
         then md5('busy' || n % ${Math.max(Math.floor(rows / EVENTS), 1)} || n / ${
      rows / 100
    }) else md5('session' || n / 6) end,
       case when n % 4 = 0 then 'content_view' else 'page_view' end, 'engagement', 'web',
       case when n / 6 % 5 = 0 then 'newsletter' end, case when n / 6 % 5 = 0 then 'email' end,
       case when n / 6 % 5 = 0 then 'spring-' || n / 6 % 7 end,
       case when n % 4 = 0 then jsonb_build_object('content_id', 'article-' || n % 500, 'duration_seconds', 20 + n % 400,
           'scroll_depth_percent', n % 101)
         else jsonb_build_object('page_path', '/articles/' || n % 500, 'referrer', 'https://example.org/' || n % 50) end,
       made.at - interval '1 second', audience_gate.contract_fingerprint()
     from generate_series(1, ${rows}) n
     cross join lateral (
       select date_trunc('month', now(), 'UTC') - (n % ${MONTHS} + 1) * interval '1 month' + n * (interval '27 days' / ${rows}) as at
     ) made`,
  );
  await client.query("reset role");
}

const small = await measure(Math.round(ROWS / 4));
const large = await measure(ROWS);
const browser = await checkInBrowser(large.proof, large.verifier);
const slower = await compareIngest();
const { text, faults } = render({ small, large, browser, slower, machine: machine() });
publish("SEALS.md", text);
record("seals", {
  "verify from the database, s": { value: large.verify, better: "lower" },
  "verify from the archive, s": { value: large.offline, better: "lower" },
  "seal a row, µs": { value: large.sealing, better: "lower" },
  "seal 1000 rows, ms": { value: large.thousand, better: "lower" },
  "storage, %": { value: large.share, better: "lower" },
  "erase 10000 events, s": { value: large.erasing, better: "lower" },
  "check a proof, ms": { value: browser.milliseconds, better: "lower" },
  "ingest with seals, % longer": { value: slower.longer, better: "lower" },
});
if (faults.length > 0) {
  console.error(`\n${faults.join("\n")}`);
  process.exitCode = 1;
}
