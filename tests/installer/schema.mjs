/** A database as it is, to be compared with how it was before the gate came and with how it is after the gate has gone. */
import { asClient } from "../database/postgres.mjs";
import { described, dumped } from "../upgrade/schema.mjs";

/** Rights that nobody has granted, and the same rights granted one by one, are one thing to a server and to pg_dump. */
const plainRights = (/** @type {string} */ line) =>
  line.replace(/ rights \{?(?:postgres=\w+\/postgres|=X\/postgres|,)*\}? /, " rights of its owner ");

/** What a dump has beside the objects of our schemas: of Postgres 17 there is no pg_dump here. */
const AROUND = `
select format('schema %s owner %s rights %s comment %s', n.nspname, n.nspowner::regrole, n.nspacl::text, obj_description(n.oid))
  from pg_namespace n where n.nspname !~ '^(pg_|supabase_migrations$)'
union all
select format('default of %s in %s for %s: %s', d.defaclrole::regrole, d.defaclnamespace, d.defaclobjtype, d.defaclacl::text)
  from pg_default_acl d
union all
select format('type %s of %s owner %s labels %s', t.oid::regtype, t.typtype, t.typowner::regrole, (
    select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid))
  from pg_type t join pg_namespace n on n.oid = t.typnamespace where n.nspname !~ '^(pg_|information_schema|supabase_migrations)'
union all
select format('extension %s %s', e.extname, e.extversion) from pg_extension e
union all
select format('event trigger %s on %s: %s', e.evtname, e.evtevent, e.evtfoid::regproc) from pg_event_trigger e
union all
select format('publication %s %s', p.pubname, p.puballtables) from pg_publication p
union all
select format('setting of %s in %s: %s', s.setrole, s.setdatabase, s.setconfig) from pg_db_role_setting s
order by 1`;

/** Everything in a database but the CLI's own history. @param {string} url @param {number} version */
export const schema = async (url, version) => ({
  dump: dumped(url, version, ["--exclude-schema=supabase_migrations"]),
  around: await asClient(url, async (client) => (await client.query(AROUND)).rows),
  catalogue: (await asClient(url, described)).map(plainRights),
  roles: await asClient(
    url,
    async (client) => (await client.query("select rolname from pg_roles where rolname like 'audience%'")).rows,
  ),
});
