-- The standby of a move: what would keep it from being like the log in use, and how it is made.

-- A move is refused if anything would be lost when another table takes over the name.
create or replace function audience_gate.obstacles_to_move()
returns setof text
language sql
stable
set search_path = ''
as $$
  with log as (select c.* from pg_catalog.pg_class c where c.oid = 'public.audience_events'::regclass)
  select 'a move is under way: see audience_gate.partition_move' from log
  where to_regclass('audience_gate_standby.audience_events') is not null
  union all
  select format('foreign key %s of %s', k.conname, k.conrelid::regclass) from pg_catalog.pg_constraint k, log
  where k.contype = 'f' and log.oid in (k.conrelid, k.confrelid)
  union all
  select format('publication %s', p.pubname) from pg_catalog.pg_publication_rel r
  join pg_catalog.pg_publication p on p.oid = r.prpubid, log where r.prrelid = log.oid
  union all
  select format('unique index %s', i.indexrelid::regclass) from pg_catalog.pg_index i, log
  where i.indrelid = log.oid and i.indisunique and not i.indisprimary
  union all
  select format('privileges on the column %s', a.attname) from pg_catalog.pg_attribute a, log
  where a.attrelid = log.oid and a.attacl is not null
  union all
  select format('row trigger %s with a transition table', t.tgname) from pg_catalog.pg_trigger t, log
  where t.tgrelid = log.oid and t.tgtype & 1 = 1 and t.tgnewtable is not null
  union all
  select pg_catalog.pg_describe_object(d.classid, d.objid, 0) from pg_catalog.pg_depend d, log
  where d.deptype = 'n' and (
    (d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = log.oid and d.classid = 'pg_catalog.pg_proc'::regclass)
    or (d.refclassid = 'pg_catalog.pg_type'::regclass and d.refobjid = log.reltype
      and d.classid not in ('pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_type'::regclass)))
  union all
  select format('materialized view %s', r.ev_class::regclass) from pg_catalog.pg_rewrite r
  join pg_catalog.pg_class v on v.oid = r.ev_class and v.relkind = 'm'
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid, log
  where d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = log.oid
$$;
comment on function audience_gate.obstacles_to_move() is
  'What a move of public.audience_events could not carry over, in either direction. A move begins only if there is '
  'no such thing.';

create or replace function audience_gate.obstacles_to_partitions()
returns setof text
language sql
stable
set search_path = ''
as $$
  select 'the table is partitioned already'
  where audience_gate.partitioned_events() = 'public.audience_events'::regclass
  union all
  select o from audience_gate.obstacles_to_move() o
$$;
comment on function audience_gate.obstacles_to_partitions() is
  'What is in the way of audience_gate.begin_move(), which begins only if nothing is.';

create or replace function audience_gate.copy_protection(source regclass, target regclass)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  item record;
begin
  execute format('alter table %s enable row level security', target);
  for item in select p.polname from pg_catalog.pg_policy p where p.polrelid = target loop
    execute format('drop policy %I on %s', item.polname, target);
  end loop;
  for item in
    select p.*, (select string_agg(case when r = 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(r)) end, ', ')
      from unnest(p.polroles) r) as roles
    from pg_catalog.pg_policy p where p.polrelid = source
  loop
    execute format('create policy %I on %s as %s for %s to %s', item.polname, target,
        case when item.polpermissive then 'permissive' else 'restrictive' end,
        case item.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
        item.roles)
      || coalesce(' using (' || pg_catalog.pg_get_expr(item.polqual, source) || ')', '')
      || coalesce(' with check (' || pg_catalog.pg_get_expr(item.polwithcheck, source) || ')', '');
  end loop;
  execute format('revoke all on table %s from public, anon, authenticated, service_role, audience_gate_store', target);
  for item in
    select a.grantee, a.privilege_type, a.is_grantable from pg_catalog.pg_class c, aclexplode(c.relacl) a
    where c.oid = source and a.grantee <> c.relowner
  loop
    execute format('grant %s on table %s to %s', item.privilege_type, target,
        case when item.grantee = 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(item.grantee)) end)
      || case when item.is_grantable then ' with grant option' else '' end;
  end loop;
end;
$$;
comment on function audience_gate.copy_protection(regclass, regclass) is
  'Gives one table the policies, grants and row level security of another.';

-- It has all that the log in use has, except what makes a table partitioned or not.
create or replace function audience_gate.make_standby(shape text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  item record;
begin
  execute 'create table audience_gate_standby.audience_events (like public.audience_events including defaults
    including constraints including comments including storage including statistics, ' || shape;
  execute format('comment on table audience_gate_standby.audience_events is %L',
    obj_description('public.audience_events'::regclass, 'pg_class'));
  for item in
    select i.indexrelid, c.relname, regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid),
      ' ON (ONLY )?public\.audience_events ', ' ON audience_gate_standby.audience_events ') as definition
    from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
    where i.indrelid = 'public.audience_events'::regclass and not i.indisunique and c.relname <> 'idx_audience_events_created_at_brin'
  loop
    execute item.definition;
    execute format('comment on index audience_gate_standby.%I is %L', item.relname, obj_description(item.indexrelid, 'pg_class'));
  end loop;
  create trigger trg_audience_events_append_only before update or delete on audience_gate_standby.audience_events
    for each row execute function public.audience_events_append_only();
  create trigger trg_audience_events_no_truncate before truncate on audience_gate_standby.audience_events
    for each statement execute function public.audience_events_append_only();
  perform audience_gate.copy_protection('public.audience_events', 'audience_gate_standby.audience_events');
end;
$$;
comment on function audience_gate.make_standby(text) is
  'Makes an empty standby. The shape is the rest of its definition, from the primary key on.';

do $$
declare
  signature text;
begin
  foreach signature in array array['obstacles_to_move()', 'obstacles_to_partitions()', 'copy_protection(regclass, regclass)',
    'make_standby(text)'] loop
    execute format('revoke all on function audience_gate.%s from public', signature);
  end loop;
end $$;
