import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { postgresBin } from "../runner/system.mjs";

/** @typedef {import("pg").Client} Client */

/** What makes up the two schemas, as the server itself writes it: one line per object, with its owner and its rights. */
const DESCRIBE = `
with ours as (
  select oid from pg_namespace where nspname in ('public', 'audience_gate', 'audience_gate_partitions')
)
select format('function %s owner %s rights %s comment %s', pg_get_functiondef(p.oid), p.proowner::regrole,
    p.proacl::text, obj_description(p.oid, 'pg_proc'))
  from pg_proc p where p.pronamespace in (select oid from ours) and p.prokind in ('f', 'p')
union all
select format('relation %s kind %s owner %s rights %s row security %s comment %s', c.oid::regclass, c.relkind,
    c.relowner::regrole, c.relacl::text, c.relrowsecurity, obj_description(c.oid, 'pg_class'))
  from pg_class c where c.relnamespace in (select oid from ours)
union all
select format('column %s.%s %s %s default %s comment %s', a.attrelid::regclass, a.attname,
    format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
    col_description(a.attrelid, a.attnum))
  from pg_attribute a join pg_class c on c.oid = a.attrelid and c.relnamespace in (select oid from ours)
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attnum > 0 and not a.attisdropped
union all
select format('definition %s', pg_get_viewdef(c.oid))
  from pg_class c where c.relnamespace in (select oid from ours) and c.relkind in ('v', 'm')
union all
select pg_get_indexdef(i.indexrelid) from pg_index i
  join pg_class c on c.oid = i.indexrelid and c.relnamespace in (select oid from ours)
union all
select format('constraint %s on %s %s', o.conname, o.conrelid::regclass, pg_get_constraintdef(o.oid))
  from pg_constraint o where o.connamespace in (select oid from ours)
union all
select pg_get_triggerdef(t.oid) from pg_trigger t
  join pg_class c on c.oid = t.tgrelid and c.relnamespace in (select oid from ours) where not t.tgisinternal
union all
select format('policy %s on %s.%s %s %s %s using %s check %s', policyname, schemaname, tablename, permissive, roles, cmd,
    qual, with_check) from pg_policies
order by 1`;

/** The schema of a database, in its catalogue's words. @param {Client} client @returns {Promise<string[]>} */
export async function described(client) {
  const { rows } = await client.query({ text: DESCRIBE, rowMode: "array" });
  return rows.map(([line]) => line);
}

/**
 * The schema as pg_dump writes it, if there is a pg_dump of the server's version.
 *
 * @param {string} url @param {number} version @param {string[]} options of pg_dump
 */
export function dumped(url, version, options = []) {
  const program = join(postgresBin, "pg_dump");
  if (version !== 15 || !existsSync(program)) return [];
  const { status, stdout, stderr } = spawnSync(program, ["--schema-only", `--dbname=${url}`, ...options], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr);
  // Newer versions write a random key around the dump.
  return stdout.split("\n").filter((line) => line && !line.startsWith("\\"));
}

/** What is in the tables that a release writes to. @param {Client} client */
export async function shipped(client) {
  const { rows: [{ tables }] } = await client.query(`select jsonb_build_object(
    'rules', (select jsonb_agg(r order by r.id) from audience_gate.contract_rules r),
    'event types', (select jsonb_agg(t order by t.id)
      from public.audience_event_types t),
    'states', (select jsonb_agg(s order by s.id) from public.audience_states s),
    'retention rules', (select jsonb_agg(r order by r.id) from public.audience_rules r),
    'blocked jumps', (select jsonb_agg(j order by j.from_state, j.to_state) from public.audience_blocked_jumps j),
    'fingerprint', audience_gate.contract_fingerprint()) as tables`);
  return tables;
}
