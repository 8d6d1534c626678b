/** The database of `DATABASE_URL` as an engine of the suite. What it is given to judge by is undone at the end. */
import process from "node:process";
import { createInterface } from "node:readline";
import pg from "pg";

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query("begin");

/** The sites and the rules of a snapshot; its other lists are those that ship. @param {Record<string, any>} registry */
async function load({ sites, own_rules }) {
  await client.query("delete from public.audience_own_rules");
  await client.query(
    `insert into public.audience_sites (id, name, origins) select s.id, s.id::text, s.origins
     from jsonb_to_recordset($1) as s (id uuid, origins text[])
     on conflict (id) do update set origins = excluded.origins`,
    [JSON.stringify(sites)],
  );
  await client.query(
    `insert into public.audience_own_rules (id, category, event_type, site_id, schema, mode, reasons)
     select r.id, r.category, r.event_type, r.site_id, r.schema, r.mode, r.reasons
     from jsonb_to_recordset($1) as r (
       id text, category text, event_type text, site_id uuid, schema jsonb, mode text, reasons jsonb)`,
    [JSON.stringify(own_rules)],
  );
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.registry) {
    await load(asked.registry);
    console.log(JSON.stringify({ registry: asked.registry.version, judges: "values" }));
    continue;
  }
  const { rows: [row] } = await client.query(
    "select audience_gate.violations($1::text::jsonb, $2, $3, $4, $5) as violates",
    [asked.event.replace(/^\ufeff/, ""), asked.caller, asked.caller_id, asked.origin, asked.received_at],
  );
  console.log(JSON.stringify({ case: asked.case, ...row }));
}
await client.query("rollback");
await client.end();
