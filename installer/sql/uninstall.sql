-- Takes the audience gate out of this database: its tables with all that was recorded in them, its functions, schedules,
-- schema and roles. What it took over is left as it was. If anything else depends on it, nothing is removed at all.

do $uninstall$
declare
  tables constant text[] := string_to_array('{{tables}}', ' ');
  functions constant text[] := string_to_array('{{functions}}', ' ');
  -- The tables that were there before, and the function.
  adopted text[] := '{}';
  adopts boolean := to_regclass('audience_gate.adopted') is not null;
  item record;
  theirs text[];
  lost text;
  statement text;
begin
  if to_regnamespace('audience_gate') is null then
    raise notice 'the audience gate is not installed in this database';
    return;
  end if;
  -- Names are compared as the server writes them, which a setting of the role or the database may have quoted.
  perform set_config('quote_all_identifiers', 'off', true);

  create temporary table uninstall_adopted (place integer, owner text, kind text, name text, definition text) on commit drop;
  if adopts then
    execute 'insert into pg_temp.uninstall_adopted select * from audience_gate.adopted';
    select coalesce(array_agg(a.name), '{}') into adopted
    from pg_temp.uninstall_adopted a where a.kind in ('table', 'function');
  end if;
  if exists (select from pg_catalog.pg_class c
    where c.oid = to_regclass('public.audience_events') and c.relkind = 'p' and c.relname = any (adopted))
  then
    raise exception 'public.audience_events was there before the audience gate and is kept in partitions now'
      using hint = 'Move it back into one table first, as SCALING.md says.';
  end if;

  -- The histories of tables of the user's own are the user's: they stay, without the guards that were the gate's.
  if to_regclass('audience_gate.lifecycles') is not null then
    for item in execute 'select l.*, c.relname::text as name from audience_gate.lifecycles l
      join pg_catalog.pg_class c on c.oid = l.events join pg_catalog.pg_class t on t.oid = l.tracked'
    loop
      if item.untracked_at is null then
        execute 'select audience_gate.untrack_lifecycle($1, $2)' using item.tracked, item.stage_column;
      end if;
      execute format('drop trigger if exists a_hold_to_record on %s', item.events);
      execute format('drop trigger if exists a_keep_history on %s', item.events);
      execute format('drop policy if exists %I on %s', item.name || '_gate', item.events);
      -- Who sees the record sees its history, as before, but that is asked of every event.
      if exists (select from pg_catalog.pg_policy p where p.polrelid = item.events and p.polname = item.name || '_select') then
        execute format('alter policy %I on %s using (exists (select from %s r where r.%I = %I.%I))',
          item.name || '_select', item.events, item.tracked, item.key_column, item.name, item.entity_column);
      end if;
    end loop;
  end if;

  if exists (select from pg_catalog.pg_policy p
    where p.polrelid = to_regclass('realtime.messages') and p.polname = 'audience_gate_members')
  then
    execute 'drop policy audience_gate_members on realtime.messages';
  end if;

  -- All that is not the gate's, to be compared with what is left.
  create temporary view uninstall_theirs as
  with tables as (
    select c.oid from pg_catalog.pg_class c
    where c.relnamespace::regnamespace::text in ('audience_gate', 'audience_gate_partitions', 'pg_toast')
      or c.relnamespace::regnamespace::text ~ '^pg_(toast_)?temp'
      or c.relnamespace = 'public'::regnamespace and c.relname in (select unnest(string_to_array('{{tables}}', ' ')))
  ), gate as (
    select t.oid from tables t
    union all
    select i.indexrelid from pg_catalog.pg_index i where i.indrelid in (select t.oid from tables t)
    union all
    select d.objid from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
      and d.deptype in ('a', 'i') and d.refobjid in (select t.oid from tables t)
  )
  select format('%s %s', c.relkind, c.oid::regclass) as name from pg_catalog.pg_class c
  where c.oid not in (select oid from gate)
  union all
  select p.oid::regprocedure::text from pg_catalog.pg_proc p
  where p.pronamespace::regnamespace::text <> 'audience_gate'
    and not (p.pronamespace = 'public'::regnamespace and p.proname in (select unnest(string_to_array('{{functions}}', ' '))))
  union all
  select format('trigger %s on %s', t.tgname, t.tgrelid::regclass) from pg_catalog.pg_trigger t
  where t.tgrelid not in (select oid from gate) and not t.tgisinternal
  union all
  select format('policy %s on %s', p.polname, p.polrelid::regclass) from pg_catalog.pg_policy p
  where p.polrelid not in (select oid from gate)
  union all
  select format('constraint %s on %s', o.conname, o.conrelid::regclass) from pg_catalog.pg_constraint o
  where o.conrelid <> 0 and o.conrelid not in (select oid from gate)
  union all
  select format('default of column %s of %s', d.adnum, d.adrelid::regclass) from pg_catalog.pg_attrdef d
  where d.adrelid not in (select oid from gate)
  union all
  select format('column %s of %s', a.attname, a.attrelid::regclass) from pg_catalog.pg_attribute a
  where a.attnum > 0 and not a.attisdropped and a.attrelid not in (select oid from gate);
  select array_agg(t.name) into theirs from pg_temp.uninstall_theirs t;

  if exists (select from pg_catalog.pg_extension e where e.extname = 'pg_cron')
     and has_schema_privilege(current_user, 'cron', 'usage') then
    for item in execute
      'select c.jobname from cron.job c where c.jobname like ''audience-gate:%'' or c.jobname = ''audience-gate-log'''
    loop
      execute 'select cron.unschedule($1)' using item.jobname::text;
    end loop;
  end if;

  drop schema if exists audience_gate_partitions cascade;
  drop schema audience_gate cascade;
  select string_agg(format('public.%I', t.name), ', ') into statement
  from unnest(tables) as t (name)
  where t.name <> all (adopted) and to_regclass(format('public.%I', t.name)) is not null;
  if statement is not null then
    execute 'drop table ' || statement || ' cascade';
  end if;

  -- What was taken over: first without everything that can be made again.
  for item in
    select c.oid, c.relname from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname = any (tables)
  loop
    for statement in
      select format('drop trigger %I on public.%I', t.tgname, item.relname) from pg_catalog.pg_trigger t
      where t.tgrelid = item.oid and not t.tgisinternal
      union all
      select format('drop policy %I on public.%I', p.polname, item.relname) from pg_catalog.pg_policy p where p.polrelid = item.oid
      union all
      select format('alter table public.%I drop constraint %I cascade', item.relname, o.conname) from pg_catalog.pg_constraint o
      where o.conrelid = item.oid and not exists (
        select from pg_temp.uninstall_adopted a
        where a.owner = item.relname and a.kind = 'constraint' and a.name = o.conname)
      union all
      select format('drop index %s', i.indexrelid::regclass) from pg_catalog.pg_index i
      where i.indrelid = item.oid
        and not exists (select from pg_catalog.pg_constraint o where o.conindid = i.indexrelid)
        and not exists (
          select from pg_temp.uninstall_adopted a
          where a.owner = item.relname and a.kind = 'index' and a.definition = pg_get_indexdef(i.indexrelid))
      union all
      select format('revoke all on table public.%I from %s', item.relname, coalesce(nullif(a.grantee, 0)::regrole::text, 'public'))
      from pg_catalog.pg_class c cross join lateral aclexplode(c.relacl) a
      where c.oid = item.oid and a.grantee <> c.relowner
      union all
      select format('comment on table public.%I is null', item.relname)
      union all
      select format('comment on column public.%I.%I is null', item.relname, a.attname) from pg_catalog.pg_attribute a
      where a.attrelid = item.oid and a.attnum > 0 and not a.attisdropped
      union all
      select format('comment on index public.%I is null', c.relname)
      from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
      where i.indrelid = item.oid and exists (
        select from pg_temp.uninstall_adopted a
        where a.owner = item.relname and a.kind = 'index' and a.definition = pg_get_indexdef(i.indexrelid))
    loop
      execute statement;
    end loop;
    for statement in
      select format('alter table public.%I drop column %I cascade', item.relname, a.attname) from pg_catalog.pg_attribute a
      where a.attrelid = item.oid and a.attnum > 0 and not a.attisdropped and not exists (
        select from pg_temp.uninstall_adopted n
        where n.owner = item.relname and n.kind = 'column' and n.name = a.attname)
    loop
      execute statement;
    end loop;
  end loop;

  for statement in
    select format('drop function %s', p.oid::regprocedure) from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname = any (functions)
  loop
    execute statement;
  end loop;

  -- Then with what it had.
  for item in select * from pg_temp.uninstall_adopted a order by a.kind <> 'function', a.place loop
    case item.kind
      when 'table' then
        execute format('alter table public.%I %s row level security', item.name,
          case item.definition when 'true' then 'enable' else 'disable' end);
      when 'constraint' then
        if not exists (select from pg_catalog.pg_constraint o
          where o.conrelid = to_regclass(format('public.%I', item.owner)) and o.conname = item.name)
        then
          execute format('alter table public.%I add constraint %I %s', item.owner, item.name, item.definition);
        end if;
      when 'index' then
        if to_regclass(item.name) is null then
          execute item.definition;
        end if;
      when 'trigger', 'policy', 'right' then execute item.definition;
      when 'function' then
        execute item.definition;
        execute format('revoke all on function public.%I() from public, anon, authenticated, service_role', item.name);
      when 'comment' then
        execute format('comment on %s is %L', case item.name when '' then format('table public.%I', item.owner)
          else format('column public.%I.%I', item.owner, item.name) end, item.definition);
      else null;
    end case;
  end loop;

  -- The roles belong to the server, and another database of it may have the gate too.
  for item in
    select r.rolname from pg_catalog.pg_roles r where r.rolname in ('audience_gate_owner', 'audience_gate_store')
  loop
    execute format('drop owned by %I', item.rolname);
    begin
      execute format('drop role %I', item.rolname);
    exception when dependent_objects_still_exist then
      raise notice 'the role % is left, because another database uses it', item.rolname;
    end;
  end loop;

  select string_agg('- ' || t.name, e'\n' order by t.name) into lost
  from unnest(theirs) as t (name) where t.name not in (select u.name from pg_temp.uninstall_theirs u);
  if lost is not null then
    raise exception E'these depend on the audience gate, so nothing was removed:\n%', lost
      using hint = 'Drop them or change them, then uninstall again.';
  end if;
  drop view pg_temp.uninstall_theirs;
  drop table pg_temp.uninstall_adopted;
end
$uninstall$;
