-- Looks, before anything is changed, for all that is in the way of the audience gate, and says it all at once. Then it
-- notes how the tables that are taken over were, so that an uninstall can leave them that way.

do $preflight$
declare
  -- What the migrations after this one make in schema public.
  tables constant text[] := string_to_array('{{tables}}', ' ');
  relations constant text[] := string_to_array('{{relations}}', ' ');
  functions constant text[] := string_to_array('{{functions}}', ' ');
  -- Two tables and a function may be there: made by the documents that the gate was specified by.
  shapes constant jsonb := '{
    "audience_events": {
      "id": "uuid", "created_at": "timestamp with time zone", "user_id": "uuid", "session_id": "text", "event_type": "text",
      "event_category": "text", "event_source": "text", "utm_source": "text", "utm_medium": "text", "utm_campaign": "text",
      "utm_content": "text", "utm_term": "text", "metadata": "jsonb"},
    "audience_state": {
      "user_id": "uuid", "current_state": "text", "state_updated_at": "timestamp with time zone",
      "engagement_score": "numeric", "last_event_type": "text", "metadata": "jsonb"}}';
  added constant jsonb := '{
    "audience_events": {
      "site_id": "uuid", "occurred_at": "timestamp with time zone", "rejected": "boolean", "contract": "text"},
    "audience_state": {}}';
  missing text;
  found record;
  faults text[] := '{}';
begin
  if to_regprocedure('audience_gate.contract_fingerprint()') is not null then
    raise exception 'the audience gate is installed in this database already'
      using hint = 'Upgrade it with: npx audience-gate upgrade';
  end if;

  -- The server and what Supabase puts in it.
  if current_setting('server_version_num')::integer < 150000 then
    faults := faults || format('this is Postgres %s: upgrade the project to Postgres 15 or later', current_setting('server_version'));
  end if;
  select string_agg(r.name, ', ') into missing
  from unnest(array['anon', 'authenticated', 'service_role']) as r (name)
  where not exists (select from pg_catalog.pg_roles p where p.rolname = r.name);
  if missing is not null then
    faults := faults || format('there is no role %s: use the database of a Supabase project', missing);
  end if;
  if to_regprocedure('auth.uid()') is null then
    faults := faults || 'there is no function auth.uid(): use the database of a Supabase project'::text;
  end if;
  if not has_database_privilege(current_database(), 'create') then
    faults := faults || format('%I may not create a schema here: apply the migrations as the role postgres', current_user);
  end if;
  if not (select r.rolcreaterole or r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user) then
    faults := faults || format('%I may not create roles: apply the migrations as the role postgres', current_user);
  end if;

  -- Names that are taken.
  for found in
    select n.nspname as name from pg_catalog.pg_namespace n where n.nspname in ('audience_gate', 'audience_gate_partitions')
  loop
    faults := faults || format('there is a schema %I: rename or drop it', found.name);
  end loop;
  for found in
    select c.relname as name, pg_catalog.pg_describe_object('pg_catalog.pg_class'::regclass, c.oid, 0) as what, c.relkind as kind
    from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relname = any (tables || relations)
      and not (c.relname in ('audience_events', 'audience_state') and c.relkind = 'r')
      and not exists (
        select from pg_catalog.pg_index i
        where i.indexrelid = c.oid
          and i.indrelid in (to_regclass('public.audience_events'), to_regclass('public.audience_state')))
    order by c.relname
  loop
    faults := faults || format('there is a %s in schema public: rename it', found.what);
  end loop;
  for found in
    select t.typname as name from pg_catalog.pg_type t
    where t.typnamespace = 'public'::regnamespace and t.typname = any (tables) and t.typrelid = 0
  loop
    faults := faults || format('there is a type %I in schema public: rename it', found.name);
  end loop;
  for found in
    select p.oid::regprocedure::text as name from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname = any (functions)
      and not (p.proname = 'audience_events_append_only' and p.pronargs = 0 and p.prorettype = 'trigger'::regtype)
    order by 1
  loop
    faults := faults || format('there is a function %s in schema public: rename it', found.name);
  end loop;

  -- Tables that can be taken over, if their columns are what the gate reads and writes.
  for found in
    select s.key as name, wanted.key as column_name, wanted.value as type, format_type(a.atttypid, a.atttypmod) as is_type,
      c.relkind
    from jsonb_each(shapes) s
    join pg_catalog.pg_class c on c.relnamespace = 'public'::regnamespace and c.relname = s.key and c.relkind = 'r'
    cross join jsonb_each_text(s.value) wanted
    left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = wanted.key and not a.attisdropped
    where format_type(a.atttypid, a.atttypmod) is distinct from wanted.value
    union all
    select s.key, wanted.key, wanted.value, format_type(a.atttypid, a.atttypmod), c.relkind
    from jsonb_each(added) s
    join pg_catalog.pg_class c on c.relnamespace = 'public'::regnamespace and c.relname = s.key and c.relkind = 'r'
    cross join jsonb_each_text(s.value) wanted
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = wanted.key and not a.attisdropped
    where format_type(a.atttypid, a.atttypmod) <> wanted.value
    order by 1, 2
  loop
    faults := faults || case
      when found.is_type is null then format(
        'public.%I has no column %I of type %s: add it, or rename the table', found.name, found.column_name, found.type)
      else format('column %I of public.%I is of type %s and must be %s: alter it, or rename the table',
        found.column_name, found.name, found.is_type, found.type)
    end;
  end loop;

  if faults <> '{}' then
    raise exception E'the audience gate cannot be installed yet, and nothing was changed:\n- %', array_to_string(faults, E'\n- ')
      using hint = 'Mend these, then push the migrations again.';
  end if;

  create schema audience_gate;
  create table audience_gate.adopted (
    place integer primary key generated always as identity,
    owner text not null,
    kind text not null,
    name text not null,
    definition text not null
  );
  comment on table audience_gate.adopted is
    'How the tables that the gate took over were before: what is of whom, and what an uninstall leaves.';
  comment on column audience_gate.adopted.place is 'The order in which an uninstall brings it back.';
  comment on column audience_gate.adopted.owner is 'The table that it belongs to, or the function.';
  comment on column audience_gate.adopted.kind is
    'table, column, constraint, index, trigger, policy, right, comment or function.';
  comment on column audience_gate.adopted.name is 'Its name.';
  comment on column audience_gate.adopted.definition is 'The statement that makes it, or what it says.';
  alter table audience_gate.adopted enable row level security;
  revoke all on table audience_gate.adopted from public, anon, authenticated, service_role;

  insert into audience_gate.adopted (owner, kind, name, definition)
  select 'audience_events_append_only', 'function', p.proname, pg_get_functiondef(p.oid)
  from pg_catalog.pg_proc p
  where p.pronamespace = 'public'::regnamespace and p.proname = 'audience_events_append_only';
  insert into audience_gate.adopted (owner, kind, name, definition)
  select r.owner, r.kind, r.name, r.definition
  from (
    select 1 as step, c.relname::text as owner, 'table' as kind, c.relname::text as name, c.relrowsecurity::text as definition
    from pg_catalog.pg_class c
    where c.oid in (to_regclass('public.audience_events'), to_regclass('public.audience_state'))
    union all
    select 2, c.relname, 'column', a.attname, format_type(a.atttypid, a.atttypmod)
    from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.oid in (to_regclass('public.audience_events'), to_regclass('public.audience_state'))
    union all
    select 3, c.relname, 'constraint', o.conname, pg_get_constraintdef(o.oid)
    from pg_catalog.pg_class c join pg_catalog.pg_constraint o on o.conrelid = c.oid
    where c.oid in (to_regclass('public.audience_events'), to_regclass('public.audience_state'))
    union all
    select 4, c.relname, 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
    from pg_catalog.pg_class c join pg_catalog.pg_index i on i.indrelid = c.oid
    where c.oid in (to_regclass('public.audience_events'), to_regclass('public.audience_state'))
    union all
    select 5, c.relname, 'trigger', t.tgname, pg_get_triggerdef(t.oid)
    from pg_catalog.pg_class c join pg_catalog.pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal
    where c.oid in (to_regclass('public.audience_events'), to_regclass('public.audience_state'))
    union all
    select 6, p.tablename, 'policy', p.policyname, format('create policy %I on public.%I as %s for %s to %s%s%s', p.policyname,
      p.tablename, p.permissive, p.cmd, (select string_agg(quote_ident(r), ', ') from unnest(p.roles) r),
      ' using (' || p.qual || ')', ' with check (' || p.with_check || ')')
    from pg_catalog.pg_policies p
    where p.schemaname = 'public' and p.tablename in ('audience_events', 'audience_state')
    union all
    select 7, c.relname, 'right', coalesce(nullif(a.grantee, 0)::regrole::text, 'public'),
      format('grant %s on table public.%I to %s%s', a.privilege_type, c.relname, coalesce(nullif(a.grantee, 0)::regrole::text, 'public'),
        case when a.is_grantable then ' with grant option' else '' end)
    from pg_catalog.pg_class c
    cross join lateral aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
    where c.oid in (to_regclass('public.audience_events'), to_regclass('public.audience_state')) and a.grantee <> c.relowner
    union all
    select 8, c.relname, 'comment', coalesce(a.attname, ''), d.description
    from pg_catalog.pg_class c join pg_catalog.pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass
    left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
    where c.oid in (to_regclass('public.audience_events'), to_regclass('public.audience_state'))
    union all
    select 9, p.proname, 'right', coalesce(nullif(a.grantee, 0)::regrole::text, 'public'),
      format('grant execute on function %s to %s', p.oid::regprocedure, coalesce(nullif(a.grantee, 0)::regrole::text, 'public'))
    from pg_catalog.pg_proc p
    cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.pronamespace = 'public'::regnamespace and p.proname = 'audience_events_append_only' and a.grantee <> p.proowner
  ) r
  order by r.step;
end
$preflight$;
