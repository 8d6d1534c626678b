-- The online move of public.audience_events onto monthly partitions, and the way back.
--
-- Two tables stand side by side: the one in use, public.audience_events, and the standby. A trigger repeats
-- every insert into the one in use on the standby, in the same transaction, and copying brings what was
-- there before. So any snapshot taken after the copy finds the two equal, which is checked without a lock;
-- swapping them is a matter of names, and can be undone by swapping again until the standby is dropped.

create table if not exists audience_gate.partition_move (
  only_one boolean primary key default true check (only_one),
  begun_at timestamptz not null default clock_timestamp(),
  copy_until timestamptz null,
  copied_at timestamptz null,
  copied_id uuid null,
  copied_rows bigint not null default 0,
  estimated_rows bigint not null,
  copied boolean not null default false,
  verified_at timestamptz null,
  swapped_at timestamptz null
);
comment on table audience_gate.partition_move is 'The move that is under way: one row, or none.';
comment on column audience_gate.partition_move.only_one is 'Always true: there is one move at a time.';
comment on column audience_gate.partition_move.begun_at is 'When inserts began to be repeated on the standby.';
comment on column audience_gate.partition_move.copy_until is 'The newest event there was then; what came later was repeated.';
comment on column audience_gate.partition_move.copied_at is 'How far copying has come: the created_at of the last event copied.';
comment on column audience_gate.partition_move.copied_id is 'And its id.';
comment on column audience_gate.partition_move.copied_rows is 'How many events were looked at for copying so far.';
comment on column audience_gate.partition_move.estimated_rows is 'About how many there were to copy.';
comment on column audience_gate.partition_move.copied is 'True: everything is on the standby, and stays there.';
comment on column audience_gate.partition_move.verified_at is 'When both tables were last found equal, month by month.';
comment on column audience_gate.partition_move.swapped_at is 'When the tables last changed places.';
alter table audience_gate.partition_move enable row level security;
revoke all on table audience_gate.partition_move from public, anon, authenticated, service_role;
grant select, update on table audience_gate.partition_move to audience_gate_owner;
grant select on table audience_gate.partition_move to service_role;
drop policy if exists partition_move_gate on audience_gate.partition_move;
create policy partition_move_gate on audience_gate.partition_move to audience_gate_owner using (true) with check (true);

-- No trigger keeps the keys of a standby: every id comes from the log in use, where it is there once.
create or replace function audience_gate.repeat_on_standby()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if tg_argv[0] = 'keyed' then
    insert into audience_gate.event_keys (id, created_at, rejected)
    select a.id, a.created_at, a.rejected from arrived a
    on conflict do nothing;
  end if;
  insert into audience_gate_standby.audience_events select a.* from arrived a on conflict do nothing;
  return null;
end;
$$;
comment on function audience_gate.repeat_on_standby() is
  'Writes the events of an insert to the standby too; with the argument keyed, and their keys.';
alter function audience_gate.repeat_on_standby() owner to audience_gate_owner;

create or replace function audience_gate.repeat_inserts()
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  execute format('create trigger trg_audience_events_repeat after insert on public.audience_events
    referencing new table as arrived for each statement execute function audience_gate.repeat_on_standby(%L)',
    case when audience_gate.partitioned_events() = 'public.audience_events'::regclass then 'plain' else 'keyed' end);
end;
$$;
comment on function audience_gate.repeat_inserts() is 'From now on, has every insert into the log in use repeated on the standby.';

-- Everything that would be lost by giving the name to another table, and is not carried over, stops the move.
create or replace function audience_gate.obstacles_to_partitions()
returns setof text
language sql
stable
set search_path = ''
as $$
  with log as (select c.* from pg_catalog.pg_class c where c.oid = 'public.audience_events'::regclass)
  select 'the table is partitioned already' from log where log.relkind = 'p'
  union all
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
comment on function audience_gate.obstacles_to_partitions() is
  'What of public.audience_events a move could not carry over; it begins only where there is nothing.';

-- Policies, grants and row level security of one table, made those of another.
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
comment on function audience_gate.copy_protection(regclass, regclass) is 'Gives a table the policies and grants of another.';

create or replace function audience_gate.begin_move()
returns jsonb
language plpgsql
volatile
set search_path = ''
set timezone = 'UTC'
set lock_timeout = '3s'
as $$
declare
  obstacles text[] := array(select audience_gate.obstacles_to_partitions());
  item record;
begin
  if obstacles <> '{}' then
    raise exception 'audience_events cannot be moved: %', array_to_string(obstacles, '; ')
      using errcode = 'object_not_in_prerequisite_state', hint = 'remove what is named, and make it anew after the move';
  end if;

  create table audience_gate_standby.audience_events (
    like public.audience_events including defaults including constraints including comments including storage including statistics,
    primary key (id, created_at)
  ) partition by range (created_at);
  execute format('comment on table audience_gate_standby.audience_events is %L', obj_description('public.audience_events'::regclass, 'pg_class'));
  for item in
    select i.indexrelid, c.relname, regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid),
      ' ON public\.audience_events ', ' ON audience_gate_standby.audience_events ') as definition
    from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
    where i.indrelid = 'public.audience_events'::regclass and not i.indisunique
  loop
    execute item.definition;
    execute format('comment on index audience_gate_standby.%I is %L', item.relname, obj_description(item.indexrelid, 'pg_class'));
  end loop;
  create index audience_events_created_at_brin on audience_gate_standby.audience_events using brin (created_at);
  comment on index audience_gate_standby.audience_events_created_at_brin is 'For scans over long times: a few kilobytes a month.';

  create table audience_gate_partitions.audience_events_default partition of audience_gate_standby.audience_events default;
  perform audience_gate.guard_partition('audience_gate_partitions.audience_events_default',
    'Events of months that have no partition yet; audience_gate.keep_partitions brings them home.');
  create trigger trg_audience_events_append_only before update or delete on audience_gate_standby.audience_events
    for each row execute function public.audience_events_append_only();
  create trigger trg_audience_events_no_truncate before truncate on audience_gate_standby.audience_events
    for each statement execute function public.audience_events_append_only();
  perform audience_gate.copy_protection('public.audience_events', 'audience_gate_standby.audience_events');
  alter table audience_gate_standby.audience_events owner to audience_gate_owner;
  perform audience_gate.add_partition(n::date)
  from generate_series((select date_trunc('month', coalesce(min(e.created_at), now())) from public.audience_events e),
    now() + interval '3 months', interval '1 month') n;

  perform audience_gate.fit_functions();

  -- Waits for the transactions that are inserting, so that what they insert is in copy_until, and the rest repeated.
  perform audience_gate.repeat_inserts();
  insert into audience_gate.partition_move (copy_until, estimated_rows)
  select (select max(e.created_at) from public.audience_events e),
    (select greatest(c.reltuples, 0) from pg_catalog.pg_class c where c.oid = 'public.audience_events'::regclass);
  insert into audience_gate.partition_log (action, detail)
  select 'move_begun', jsonb_build_object('copy_until', m.copy_until, 'estimated_rows', m.estimated_rows) from audience_gate.partition_move m;
  insert into audience_gate.jobs (name, description, schedule, action, settings) values
    ('copy_events', 'copies the event log to the standby of a move', '* * * * *', 'copy_events', '{"batch_size": 5000, "max_seconds": 20}')
  on conflict (name) do update set active = true;
  return (select to_jsonb(m) from audience_gate.partition_move m);
end;
$$;
comment on function audience_gate.begin_move() is
  'Makes the partitioned standby, has every insert repeated on it, and starts the job that copies what is there already.';

create or replace function audience_gate.copy_events(settings jsonb default '{}')
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  batch integer := coalesce((settings ->> 'batch_size')::integer, 5000);
  deadline timestamptz := clock_timestamp() + coalesce((settings ->> 'max_seconds')::numeric, 0) * interval '1 second';
  keyless boolean := audience_gate.partitioned_events() = to_regclass('audience_gate_standby.audience_events');
  move audience_gate.partition_move;
  looked_at bigint;
  last_at timestamptz;
  last_id uuid;
begin
  select * into move from audience_gate.partition_move m for update;
  while found and not move.copied loop
    with next as materialized (
      select e.* from public.audience_events e
      where e.created_at <= move.copy_until
        and (move.copied_at is null or (e.created_at >= move.copied_at and (e.created_at, e.id) > (move.copied_at, move.copied_id)))
      order by e.created_at, e.id
      limit batch
    ), keyed as (
      insert into audience_gate.event_keys (id, created_at, rejected)
      select n.id, n.created_at, n.rejected from next n where keyless on conflict do nothing
    ), stored as (
      insert into audience_gate_standby.audience_events select n.* from next n on conflict do nothing
    )
    select count(*), (array_agg(n.created_at order by n.created_at desc, n.id desc))[1],
      (array_agg(n.id order by n.created_at desc, n.id desc))[1]
    into looked_at, last_at, last_id from next n;
    update audience_gate.partition_move m
    set copied_rows = m.copied_rows + looked_at, copied_at = coalesce(last_at, m.copied_at),
      copied_id = coalesce(last_id, m.copied_id), copied = looked_at < batch
    returning * into move;
    exit when clock_timestamp() >= deadline;
  end loop;
  return coalesce(to_jsonb(move), '{}');
end;
$$;
comment on function audience_gate.copy_events(jsonb) is
  'Copies events to the standby, oldest first, a batch at a time, and goes on where it stopped. settings: batch_size, max_seconds (0: one batch).';
alter function audience_gate.copy_events(jsonb) owner to audience_gate_owner;
