-- The end of a move: the two tables are compared and swapped, and the one that is not wanted is dropped.

create or replace function audience_gate.compare_events()
returns table (month date, rows_in_use bigint, rows_on_standby bigint, same boolean)
language plpgsql
stable
set search_path = ''
set timezone = 'UTC'
as $$
begin
  -- One statement, so one snapshot of both.
  return query select coalesce(u.period, s.period)::date, coalesce(u.events, 0), coalesce(s.events, 0),
    coalesce((u.events, u.hash) = (s.events, s.hash), false)
  from (
    select date_trunc('month', e.created_at) as period, count(*) as events, sum(hash_record_extended(e, 0)::numeric) as hash
    from public.audience_events e group by 1
  ) u
  full join (
    select date_trunc('month', e.created_at) as period, count(*) as events, sum(hash_record_extended(e, 0)::numeric) as hash
    from audience_gate_standby.audience_events e group by 1
  ) s on s.period = u.period
  order by 1;
end;
$$;
comment on function audience_gate.compare_events() is
  'Both tables of a move, month by month: how many events they hold, and whether all values are the same. Takes no '
  'lock that writers would notice.';

create or replace function audience_gate.verify_move()
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
  answer jsonb;
begin
  if not exists (select from audience_gate.partition_move m where m.copied) then
    raise exception 'not everything is copied yet' using errcode = 'object_not_in_prerequisite_state',
      hint = 'audience_gate.partition_move says how far it is';
  end if;
  select jsonb_build_object('same', coalesce(bool_and(c.same), true), 'rows', coalesce(sum(c.rows_in_use), 0), 'different',
    coalesce(jsonb_agg(c.month) filter (where not c.same), '[]'))
  into answer from audience_gate.compare_events() c;
  update audience_gate.partition_move set verified_at = case when (answer ->> 'same')::boolean then clock_timestamp() end;
  insert into audience_gate.partition_log (action, detail) values ('move_verified', answer);
  return answer;
end;
$$;
comment on function audience_gate.verify_move() is
  'Compares both tables, and notes whether they may be swapped. Once equal they stay equal, because each insert '
  'goes into both.';

create or replace function audience_gate.swap_events()
returns jsonb
language plpgsql
volatile
set search_path = ''
set lock_timeout = '3s'
as $$
declare
  was regclass := 'public.audience_events';
  now_used regclass := to_regclass('audience_gate_standby.audience_events');
  partitioned boolean := audience_gate.partitioned_events() = now_used;
  triggers jsonb;
  views jsonb;
  functions jsonb;
  item jsonb;
begin
  if now_used is null or not exists (select from audience_gate.partition_move m where m.verified_at is not null) then
    raise exception 'both tables must be found equal first' using errcode = 'object_not_in_prerequisite_state',
      hint = 'select audience_gate.verify_move()';
  end if;
  -- In the order in which copying and writers take them.
  perform from audience_gate.partition_move m for update;
  lock table public.audience_events in access exclusive mode;
  lock table audience_gate_standby.audience_events in access exclusive mode;

  -- Noted while the names still mean what they are to mean again afterwards.
  select coalesce(jsonb_agg(jsonb_build_object('name', t.tgname, 'definition', pg_catalog.pg_get_triggerdef(t.oid))), '[]')
  into triggers from pg_catalog.pg_trigger t
  where t.tgrelid = was and not t.tgisinternal and t.tgname not in (
    'trg_audience_events_append_only', 'trg_audience_events_no_truncate', 'trg_audience_events_key',
    'trg_audience_events_clock', 'trg_audience_events_repeat');
  select coalesce(jsonb_agg(distinct jsonb_build_object(
    'view', v.oid::regclass::text, 'definition', pg_catalog.pg_get_viewdef(v.oid),
    'options', coalesce('with (' || array_to_string(v.reloptions, ', ') || ')', ''))), '[]')
  into views from pg_catalog.pg_depend d
  join pg_catalog.pg_rewrite r on r.oid = d.objid join pg_catalog.pg_class v on v.oid = r.ev_class
  where d.classid = 'pg_catalog.pg_rewrite'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = was
    and v.relkind = 'v';
  select coalesce(jsonb_agg(jsonb_build_object('id', p.oid, 'definition', pg_catalog.pg_get_functiondef(p.oid),
    'signature', p.oid::regprocedure::text, 'owner', pg_catalog.pg_get_userbyid(p.proowner),
    'comment', obj_description(p.oid, 'pg_proc'),
    'callers', (
      select jsonb_agg(pg_catalog.pg_get_userbyid(a.grantee)) from aclexplode(p.proacl) a
      where a.grantee not in (0, p.proowner)))), '[]')
  into functions from pg_catalog.pg_depend d
  join pg_catalog.pg_class c on c.oid = was join pg_catalog.pg_proc p on p.oid = d.objid
  where d.classid = 'pg_catalog.pg_proc'::regclass and d.refclassid = 'pg_catalog.pg_type'::regclass and d.refobjid = c.reltype;

  for item in select * from jsonb_array_elements(triggers) loop
    execute format('drop trigger %I on public.audience_events', item ->> 'name');
  end loop;
  drop trigger if exists trg_audience_events_clock on public.audience_events;
  drop trigger if exists trg_audience_events_key on public.audience_events;
  drop trigger trg_audience_events_repeat on public.audience_events;

  alter table public.audience_events set schema audience_gate;
  alter table audience_gate_standby.audience_events set schema public;
  alter table audience_gate.audience_events set schema audience_gate_standby;

  perform audience_gate.copy_protection(was, now_used);
  for item in select * from jsonb_array_elements(views) loop
    execute format('create or replace view %s %s as %s', item ->> 'view', item ->> 'options', item ->> 'definition');
  end loop;
  for item in select * from jsonb_array_elements(functions) loop
    execute item ->> 'definition';
    execute format('alter function %s owner to %I', item ->> 'signature', item ->> 'owner');
    execute format('revoke all on function %s from public', item ->> 'signature');
    execute format('comment on function %s is %L', item ->> 'signature', item ->> 'comment');
    execute coalesce((select string_agg(format('grant execute on function %s to %I', item ->> 'signature', g.caller), '; ')
      from jsonb_array_elements_text(nullif(item -> 'callers', 'null')) as g (caller)), 'select');
    execute format('drop function %s', (item ->> 'id')::oid::regprocedure);
  end loop;
  for item in select * from jsonb_array_elements(triggers) loop
    execute item ->> 'definition';
  end loop;
  if partitioned then
    create trigger trg_audience_events_clock before insert on public.audience_events
      for each row when (current_user <> 'audience_gate_store') execute function audience_gate.set_clock();
    create trigger trg_audience_events_key before insert on public.audience_events
      for each row when (current_user <> 'audience_gate_store' or current_setting('audience_gate.keyed', true) is distinct from 'yes')
      execute function audience_gate.keep_key();
  end if;
  perform audience_gate.fit_functions();
  perform audience_gate.repeat_inserts();

  update audience_gate.partition_move set swapped_at = clock_timestamp();
  item := jsonb_build_object('partitioned', partitioned);
  insert into audience_gate.partition_log (action, detail) values ('swapped', item);
  return item;
end;
$$;
comment on function audience_gate.swap_events() is
  'Swaps the two tables of a move, there or back, in one short transaction. Nobody waits longer than three seconds '
  'for it.';

create or replace function audience_gate.drop_standby()
returns jsonb
language plpgsql
volatile
set search_path = ''
set lock_timeout = '3s'
as $$
declare
  partitioned boolean := audience_gate.partitioned_events() = to_regclass('audience_gate_standby.audience_events');
  answer jsonb;
begin
  if partitioned is null and to_regclass('audience_gate_standby.audience_events') is null then
    raise exception 'there is no standby' using errcode = 'object_not_in_prerequisite_state', hint = 'no move is under way';
  end if;
  perform from audience_gate.partition_move m for update;
  lock table public.audience_events in access exclusive mode;
  drop trigger trg_audience_events_repeat on public.audience_events;
  drop table audience_gate_standby.audience_events;
  if partitioned then
    truncate table audience_gate.event_keys;
  end if;
  perform audience_gate.fit_functions();
  delete from audience_gate.partition_move;
  update audience_gate.jobs set active = false where name = 'copy_events';
  answer := jsonb_build_object('dropped', case when partitioned then 'partitioned' else 'unpartitioned' end);
  insert into audience_gate.partition_log (action, detail) values ('standby_dropped', answer);
  return answer;
end;
$$;
comment on function audience_gate.drop_standby() is
  'Ends a move by dropping the table that is not in use. Before the swap this gives the move up; after it, only a '
  'move back undoes it.';

-- For the operator alone: not even back ends may call these.
do $$
declare
  signature text;
begin
  foreach signature in array array['repeat_on_standby()', 'repeat_inserts()', 'start_move(text)', 'begin_move()', 'begin_return()',
    'copy_events(jsonb)', 'compare_events()', 'verify_move()', 'swap_events()', 'drop_standby()'] loop
    execute format('revoke all on function audience_gate.%s from public', signature);
  end loop;
end $$;
