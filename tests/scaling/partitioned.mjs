import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {import("pg").Client} Client */

const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "supabase", "scaling");

/** Applies the scaling scripts as SCALING.md says: all in one transaction. @param {Client} client */
export async function applyScripts(client) {
  const scripts = ["partitions", "ingest", "standby", "move", "swap"].map((name) =>
    readFileSync(join(folder, `${name}.sql`), "utf8")
  );
  await client.query(`begin;\n${scripts.join("\n")}\ncommit`);
}

/** Calls an operator's function and returns its answer. @param {Client} client @param {string} call */
export async function operate(client, call) {
  const { rows: [{ answer }] } = await client.query(`select audience_gate.${call} as answer`);
  return answer;
}

/** Calls it until no lock is in its way, as an operator would. @param {Client} client @param {string} call */
export async function insist(client, call) {
  for (let attempt = 0;; attempt++) {
    try {
      return await operate(client, call);
    } catch (error) {
      if (/** @type {{ code?: string }} */ (error).code !== "55P03" || attempt === 10) throw error;
    }
  }
}

/** The whole move of a quiet database. @param {Client} client */
export async function partition(client) {
  await applyScripts(client);
  await operate(client, "begin_move()");
  await operate(client, `copy_events('{"max_seconds": 60}')`);
  await operate(client, "verify_move()");
  await operate(client, "swap_events()");
}

/** Inserts rows as a bulk load does, with their own times. @param {Client} client @param {string} select */
export async function load(client, select) {
  await client.query("set role audience_gate_store");
  try {
    await client.query(
      `insert into public.audience_events
         (id, created_at, session_id, event_type, event_category, event_source, metadata, contract)
       select l.id::uuid, l.created_at::timestamptz, l.session_id, l.event_type, l.event_category, l.event_source, l.metadata::jsonb,
         audience_gate.contract_fingerprint()
       from (${select}) l (id, created_at, session_id, event_type, event_category, event_source, metadata)`,
    );
  } finally {
    await client.query("reset role");
  }
}
