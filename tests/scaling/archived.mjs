import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { commandLine } from "../command_line.mjs";
import { pythonOf } from "../runner/python.mjs";

/** @typedef {import("pg").Client} Client */

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");

/**
 * Runs a program that a test cannot do without.
 * @param {string} program @param {string[]} args @param {Record<string, string>} [env]
 */
function must(program, args, env) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${error ?? stderr}`);
  return stdout;
}

/** How a command is started. @param {string} url the database @returns {[string, Record<string, string | undefined>]} */
function started(url) {
  return [commandLine(), { ...process.env, DATABASE_URL: url }];
}

/** Runs `audience-gate` with these words on a database. @param {string} url @param {string[]} words */
export const gate = (url, ...words) => tell(url, "", ...words);

/** The same, with this on its standard input. @param {string} url @param {string} input @param {string[]} words */
export function tell(url, input, ...words) {
  const [program, env] = started(url);
  const { status, stdout, stderr } = spawnSync(program, words, { env, input, encoding: "utf8", maxBuffer: 1 << 28 });
  return { status, stdout, stderr };
}

/** The same, without waiting for its end. @param {string} url @param {string[]} words */
export function begin(url, ...words) {
  const [program, env] = started(url);
  return spawn(program, words, { env, stdio: ["pipe", "ignore", "ignore"] });
}

/** Runs one of the Python programs here, with the package versions of requirements.txt. @param {string} program @param {string[]} args */
const python = (program, args) => must(pythonOf("parquet"), [join(here, program), ...args]);

/** What pyarrow and DuckDB read from Parquet files. @param {string[]} files */
export const readElsewhere = (files) => JSON.parse(python("read_parquet.py", files));

/** A folder of Parquet as Spark and pandas write it, from events as JSON. @param {string} folder @param {string} events */
export const writeElsewhere = (folder, events) => python("write_parquet.py", [folder, events]);

/** Edits the files of an archive, so that all of it fits. @param {string} archive @param {Record<string, unknown>[]} steps */
export const forge = (archive, steps) => python("forge_parquet.py", [archive, JSON.stringify(steps)]);

/** As in spark/tests/cluster.py: the compiler for what runs long would cost more than it gives back. */
const SHORT_LIVED = `--driver-java-options "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC" pyspark-shell`;

/** Runs a program with Spark on this machine. @param {string[]} args */
const spark = (...args) =>
  must(pythonOf("spark"), args, {
    PYSPARK_PYTHON: pythonOf("spark"),
    SPARK_LOCAL_IP: "127.0.0.1",
    PYSPARK_SUBMIT_ARGS: SHORT_LIVED,
  });

/** What Spark reads from a folder of Parquet files. @param {string} folder */
export const readInSpark = (folder) => JSON.parse(spark(join(here, "read_spark.py"), folder));

/** Judges files with the Spark job. @param {string[]} words */
export function judgeInSpark(...words) {
  return spark(join(root, "spark", "judge.py"), "--gate", commandLine(), ...words);
}

/** Applies the scripts, as SCALING.md says. @param {Client} client */
export async function applyArchive(client) {
  const scripts = ["archive", "load"].map((name) =>
    readFileSync(join(root, "supabase", "scaling", `${name}.sql`), "utf8")
  );
  await client.query(`begin;\n${scripts.join("\n")}\ncommit`);
}

/** The columns of the log, in the table's order. */
const COLUMNS =
  "id, created_at, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium, utm_campaign, utm_content, utm_term, metadata, site_id, occurred_at, rejected, contract";

/**
 * History of every kind of value: `count` events for each of the last `months` months, as a bulk load puts them in. Some
 * are of an older contract, whose records of rejections had neither a reason nor a snapshot.
 * @param {Client} client @param {number} months @param {number} count
 */
export async function record(client, months, count) {
  await client.query("set role audience_gate_store");
  try {
    await client.query(
      `insert into public.audience_events (${COLUMNS})
       select gen_random_uuid(), made.at, case when n % 3 = 0 then gen_random_uuid() end, 'sitzung-ü-' || m || '-' || n,
         case when n % 11 = 0 then 'event_validation_fail' else 'page_view' end,
         case when n % 11 = 0 then 'system' else 'engagement' end, 'web',
         case when n % 2 = 0 then 'news, "quoted"' end, case when n % 2 = 0 then '' end, case when n % 5 = 0 then E'a\\tb\\nc\\\\N' end,
         null, case when n % 7 = 0 then '🦀 ' || repeat('x', n % 100) end,
         case when n % 11 = 0
           then jsonb_build_object('validation_rule_id', 'parse.json', 'validation_result', 'rejected', 'source_system', 'web')
             || case when n % 2 = 0 then jsonb_build_object('rejection_reason', 'not JSON', 'original_payload_snapshot', '{x') else '{}' end
           else jsonb_build_object('page_path', '/' || n, 'number', 1.50, 'großes', array['ä', null], 'deep', jsonb_build_object('x', n)) end,
         '00000000-0000-4000-8000-000000000001', case when n % 4 = 0 then made.at - interval '1.000001 seconds' end, n % 11 = 0,
         case when n % 13 <> 0 then case when n % 2 = 0 then audience_gate.contract_fingerprint() else '0123456789abcdef' end end
       from generate_series(1, $1) m cross join generate_series(1, $2) n
       cross join lateral (
         select date_trunc('month', now(), 'UTC') - m * interval '1 month' + n * interval '1 minute 0.000123 seconds' as at
       ) made`,
      [months, count],
    );
  } finally {
    await client.query("reset role");
  }
}

/** The month that was this many months ago. @param {Client} client @param {number} ago */
export async function monthBefore(client, ago) {
  const { rows: [{ month }] } = await client.query(
    "select to_char(date_trunc('month', now(), 'UTC') - $1 * interval '1 month', 'YYYY-MM') as month",
    [ago],
  );
  return month;
}

/** The rows of a month as readers of its Parquet should see them. @param {Client} client @param {string} month */
export async function rowsOf(client, month) {
  const micros = (/** @type {string} */ time) => `(extract(epoch from ${time}) * 1000000)::bigint`;
  const columns = COLUMNS.replace(/created_at|occurred_at/g, micros).replace("metadata", "metadata::text");
  const { rows } = await client.query({
    text: `select ${columns} from public.audience_events
      where to_char(created_at at time zone 'UTC', 'YYYY-MM') = $1 order by created_at, id`,
    values: [month],
    rowMode: "array",
  });
  return rows.map((row) =>
    row.map((value, index) => value !== null && (index === 1 || index === 14) ? Number(value) : value)
  );
}

/** One number for everything that the log holds, by an expression that the product does not use. @param {Client} client */
export const wholeHash = (client) => hashOf(client, "true");

/**
 * The same without the events that the command line leaves, and of what was recorded before a time.
 * @param {Client} client @param {string} [until]
 */
export const history = (client, until) => hashOf(client, "e.event_source <> 'command-line'", until);

/**
 * The same as a load of it leaves it, judged by the contract in force: of a rejection there are a reason and a snapshot.
 * @param {Client} client
 */
export const inForce = (client) =>
  hashOf(
    client,
    "e.event_source <> 'command-line'",
    "infinity",
    `to_jsonb(e) - array['contract', 'recorded_xid'] || jsonb_build_object('metadata', case when e.rejected
       then jsonb_build_object('rejection_reason', audience_gate.reason('parse.json'), 'original_payload_snapshot', null)
       else '{}' end || e.metadata)`,
  );

/** @param {Client} client @param {string} which @param {string} [until] @param {string} [what] */
async function hashOf(client, which, until = "infinity", what = "to_jsonb(e) - 'recorded_xid'") {
  const { rows: [row] } = await client.query(
    `select count(*)::int as events, md5(string_agg((${what})::text, E'\\n' order by e.created_at, e.id)) as hash
     from public.audience_events e where ${which} and e.created_at < $1`,
    [until],
  );
  return row;
}
