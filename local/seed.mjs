import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { history } from "./demo/history.mjs";
import { podcast } from "./demo/podcast.mjs";
import { root, secretKey } from "./settings.mjs";

const DAYS = 42;

/**
 * Fills a new database with the two sites of the demo, once. The weeks before today are judged here by the same contract,
 * each event at the time it happened, and loaded along the documented bulk path (the role audience_gate_store);
 * today's events are sent to the function, like all others.
 *
 * @param {{ database: import("./database.mjs").Database, url: string, say: (message: string) => void }} stack
 */
export async function seed({ database, url, say }) {
  const { rows } = await database.query("select exists (select from public.audience_events) as used");
  if (rows[0].used) return;

  say("filling the demo site");
  const now = Date.now();
  const [magazine, second] = [[...history({ now, days: DAYS })], [...podcast({ now, days: DAYS })]];

  // One transaction: a stack that is killed half-way stays empty, and its next start fills it.
  await database.exec("begin");
  try {
    await database.exec(readFileSync(join(root, "supabase", "seed.sql"), "utf8"));
    await database.exec(readFileSync(join(root, "local", "demo", "podcast.sql"), "utf8"));
    await load(database, await judgedDays(database, [...magazine.slice(0, -1), ...second.slice(0, -1)]));
    await database.exec(readFileSync(join(root, "local", "demo", "room.sql"), "utf8"));
    await database.exec("commit");
  } catch (error) {
    await database.exec("rollback");
    throw error;
  }

  const run = async (/** @type {string[]} */ ...jobs) => {
    for (const job of jobs) await database.query("select audience_gate.run_job($1)", [job]);
  };
  say("computing the demo's states and figures");
  // Who has been away is said before today's events come in, so that these are the latest.
  await run("derive_states", "sweep_inactivity");
  await atFrontDoor(url, [...magazine[DAYS].events, ...second[DAYS].events]);
  // All that the schedule would begin with, so that nothing moves by itself after the greeting.
  await run("derive_states", "sweep_inactivity", "derive_states", "refresh_analytics", "check_alerts");
}

/** What runs SQL, with parameters and without. @typedef {Pick<import("./database.mjs").Database, "query" | "exec">} Sql */

/**
 * Some days' events as rows of the table, judged by the same contract that every other caller has.
 * @param {Sql} database whose registry counts @param {{ start: number, events: Record<string, unknown>[] }[]} days
 */
export async function judgedDays(database, days) {
  const gate = await contract(database);
  return days.flatMap(({ start, events }) => judged(gate, start, events));
}

/** Stores rows along the bulk path, in the transaction that is open. @param {Sql} database @param {object[]} rows */
export async function load(database, rows) {
  await database.exec("set local role audience_gate_store");
  for (let at = 0; at < rows.length; at += 1000) {
    await database.query(LOAD, [JSON.stringify(rows.slice(at, at + 1000))]);
  }
  await database.exec("reset role");
}

const LOAD = `
  insert into public.audience_events (
    id, created_at, occurred_at, user_id, session_id, event_type, event_category, event_source, site_id,
    utm_source, utm_medium, utm_campaign, utm_content, utm_term, metadata, rejected, contract
  )
  select
    -- An audit row has no id of its own until a database gives it one.
    coalesce(r.id, gen_random_uuid()), r.created_at, r.occurred_at, r.user_id, r.session_id, r.event_type, r.event_category, r.event_source,
    coalesce(r.site_id, audience_gate.default_site()),
    r.utm_source, r.utm_medium, r.utm_campaign, r.utm_content, r.utm_term, r.metadata, r.rejected,
    audience_gate.contract_fingerprint()
  from jsonb_to_recordset($1::jsonb) as r (
    id uuid, created_at timestamptz, occurred_at timestamptz, user_id uuid, session_id text, event_type text,
    event_category text, event_source text, site_id uuid, utm_source text, utm_medium text, utm_campaign text,
    utm_content text, utm_term text, metadata jsonb, rejected boolean
  )`;

/** The same contract that every other caller has, with this database's registry. */
async function contract(/** @type {Sql} */ database) {
  const gate = await import("../pkg/inline.js");
  const { rows } = await database.query("select audience_gate.registry() as registry");
  gate.loadRegistry(JSON.stringify(rows[0].registry));
  return gate;
}

/**
 * One day's events as rows of the table, the rejected ones as their audit rows, at the times they arrived.
 *
 * @param {typeof import("../pkg/inline.js")} gate
 * @param {number} start
 * @param {Record<string, unknown>[]} events
 */
function judged(gate, start, events) {
  const rows = [];
  for (let at = 0; at < events.length; at += 1000) {
    const group = events.slice(at, at + 1000);
    const judgement = gate.judge(new TextEncoder().encode(JSON.stringify(group)), {
      caller: "trusted",
      receivedAt: start + 24 * 60 * 60 * 1000,
      seed: new Uint8Array(randomBytes(16)),
      sourceSystem: "edge-function",
    });
    const { batch } = JSON.parse(new TextDecoder().decode(judgement.argument));
    const arrived = (/** @type {{ index: number }} */ row) => group[row.index].occurred_at;
    for (const row of batch.accepted) rows.push({ ...row, created_at: arrived(row), rejected: false });
    for (const row of batch.rejected) {
      rows.push({
        ...row,
        created_at: arrived(row),
        event_type: "event_validation_fail",
        event_category: "system",
        rejected: true,
      });
    }
  }
  return rows;
}

async function atFrontDoor(/** @type {string} */ url, /** @type {Record<string, unknown>[]} */ events) {
  for (let at = 0; at < events.length; at += 500) {
    const response = await fetch(`${url}/functions/v1/ingest`, {
      method: "POST",
      headers: { apikey: secretKey, "content-type": "application/json" },
      body: JSON.stringify(events.slice(at, at + 500)),
    });
    if (response.status >= 300 && response.status !== 422) {
      throw new Error(`the demo's events were not taken: ${response.status} ${await response.text()}`);
    }
    await response.body?.cancel();
  }
}
