-- Monthly partitions for public.audience_events, which an install may choose: what they consist of. ingest.sql
-- records batches in them; standby.sql, move.sql and swap.sql bring an install there and back. Apply all of them
-- in one transaction, as the role that applies migrations. Applying them again changes nothing. SCALING.md says
-- when to use them, and how.
--
-- On a partitioned table the database itself cannot keep an id unique, because a unique index has to include
-- the month. The table event_keys does it instead, and finds a recorded id without looking into every month.

create schema if not exists audience_gate_partitions;
comment on schema audience_gate_partitions is 'The partitions of the event log. Nobody reads or writes them by name.';
create schema if not exists audience_gate_standby;
comment on schema audience_gate_standby is 'While the event log is moved: the copy that is not in use.';
revoke all on schema audience_gate_partitions, audience_gate_standby from public, anon, authenticated, service_role;
grant usage, create on schema audience_gate_partitions, audience_gate_standby to audience_gate_owner;
grant execute on function public.audience_events_append_only() to audience_gate_owner;

create table if not exists audience_gate.event_keys (
  id uuid primary key,
  created_at timestamptz not null,
  rejected boolean not null
);
create index if not exists idx_event_keys_created_at on audience_gate.event_keys using brin (created_at);
comment on table audience_gate.event_keys is
  'Each recorded id of the partitioned event log, once. It is what makes a retry a replay, whatever month the event '
  'is in.';
comment on column audience_gate.event_keys.id is 'The id of an event.';
comment on column audience_gate.event_keys.created_at is 'When it was recorded, which tells the month.';
comment on column audience_gate.event_keys.rejected is 'True: the id stands for a rejection.';

create table if not exists audience_gate.partition_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor text not null default audience_gate.actor(),
  action text not null,
  detail jsonb not null default '{}'
);
comment on table audience_gate.partition_log is
  'What was done to the shape of the event log, append-only: partitions that were made, moves that were begun, '
  'swapped and ended.';
comment on column audience_gate.partition_log.id is 'In the order of writing.';
comment on column audience_gate.partition_log.at is 'When it was done.';
comment on column audience_gate.partition_log.actor is 'Who did it: the role that the client acted as.';
comment on column audience_gate.partition_log.action is
  'partition_added, move_begun, move_verified, swapped, standby_dropped, month_detached, month_restored or month_erased.';
comment on column audience_gate.partition_log.detail is 'Names, months and numbers of rows.';

alter table audience_gate.event_keys enable row level security;
alter table audience_gate.partition_log enable row level security;
revoke all on table audience_gate.event_keys, audience_gate.partition_log from public, anon, authenticated, service_role;
grant select, insert on table audience_gate.event_keys to audience_gate_store;
grant select, insert, delete on table audience_gate.event_keys to audience_gate_owner;
grant insert on table audience_gate.partition_log to audience_gate_owner;
drop policy if exists event_keys_gate on audience_gate.event_keys;
create policy event_keys_gate on audience_gate.event_keys to audience_gate_owner, audience_gate_store using (true) with check (true);
drop policy if exists partition_log_gate on audience_gate.partition_log;
create policy partition_log_gate on audience_gate.partition_log for insert to audience_gate_owner with check (true);
drop trigger if exists trg_partition_log_append_only on audience_gate.partition_log;
create trigger trg_partition_log_append_only before update or delete on audience_gate.partition_log
for each row execute function public.audience_events_append_only();
drop trigger if exists trg_partition_log_no_truncate on audience_gate.partition_log;
create trigger trg_partition_log_no_truncate before truncate on audience_gate.partition_log
for each statement execute function public.audience_events_append_only();

-- Does what the primary key did for rows that do not come from the batch function, which writes keys itself. Direct
-- inserts have looked their ids up, so a key that is taken was taken meanwhile, and the statement has to be judged anew; an
-- audit row is skipped, because it stands for the same rejection. A bulk load, which acts as audience_gate_store, gets an
-- error as the primary key gave it, because nobody counts its replays.
create or replace function audience_gate.keep_key()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  insert into audience_gate.event_keys (id, created_at, rejected)
  values (new.id, new.created_at, new.rejected)
  on conflict (id) do nothing;
  if found then
    return new;
  end if;
  if audience_gate.actor() = 'audience_gate_store' then
    raise exception 'an event of this id is recorded' using errcode = 'unique_violation',
      hint = 'leave recorded events out of the load';
  end if;
  if not new.rejected then
    raise exception 'an id was recorded meanwhile' using errcode = 'serialization_failure',
      hint = 'send the statement again; nothing of it was recorded';
  end if;
  return null;
end;
$$;
comment on function audience_gate.keep_key() is
  'Keeps the id of an event on its way in, and refuses an event whose id was taken meanwhile.';

-- A row goes to its month before a trigger sees it, and cannot leave that month. So a created_at that was sent is
-- replaced by inserting the row again, as the same role and under the same policies.
create or replace function audience_gate.set_clock()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  if date_trunc('month', new.created_at, 'UTC') = date_trunc('month', now(), 'UTC') then
    return new;
  end if;
  new.created_at := now();
  insert into public.audience_events select new.*;
  return null;
end;
$$;
comment on function audience_gate.set_clock() is
  'Records an event that names another month now, as every event is recorded.';

-- Triggers and policies of the partitioned table do not bind whoever names a partition, and a partition loses
-- those that it inherits when it is detached.
create or replace function audience_gate.guard_partition(part regclass, meaning text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  item record;
begin
  execute format('comment on table %s is %L', part, meaning);
  for item in
    select a.attname from pg_catalog.pg_attribute a where a.attrelid = part and a.attnum > 0 and not a.attisdropped
  loop
    execute format('comment on column %s.%I is ''As in public.audience_events.''', part, item.attname);
  end loop;
  execute format('alter table %s owner to audience_gate_owner', part);
  execute format('alter table %s enable row level security', part);
  execute format('revoke all on table %s from public, anon, authenticated, service_role, audience_gate_store', part);
  execute format('create trigger trg_partition_append_only before update or delete on %s
    for each row execute function public.audience_events_append_only()', part);
  execute format('create trigger trg_partition_no_truncate before truncate on %s
    for each statement execute function public.audience_events_append_only()', part);
end;
$$;
comment on function audience_gate.guard_partition(regclass, text) is
  'Closes a partition of the event log to everybody, and makes it append-only of its own.';

create or replace function audience_gate.partitioned_events()
returns regclass
language sql
stable
set search_path = ''
as $$
  select c.oid::regclass
  from pg_catalog.pg_class c
  where c.oid in (to_regclass('public.audience_events'), to_regclass('audience_gate_standby.audience_events'))
    and c.relkind = 'p'
$$;
comment on function audience_gate.partitioned_events() is
  'The partitioned event log, in use or still being filled; null if there is none.';

-- The partition is attached rather than created in place, because attaching lets others read and write meanwhile.
-- Rows that fell into the default partition are moved to it first, in the same transaction.
create or replace function audience_gate.add_partition(month date)
returns bigint
language plpgsql
volatile
set search_path = ''
as $$
declare
  whole regclass := audience_gate.partitioned_events();
  part text := 'audience_events_' || to_char(month, 'YYYY_MM');
  first_at timestamptz := date_trunc('month', month::timestamp) at time zone 'UTC';
  end_at timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') at time zone 'UTC';
  brought bigint;
begin
  if to_regclass('audience_gate_partitions.' || part) is not null then
    return 0;
  end if;
  execute format('create table audience_gate_partitions.%I (like %s including defaults including constraints
    including comments including storage including statistics)', part, whole);
  perform audience_gate.guard_partition(('audience_gate_partitions.' || part)::regclass,
    'Events recorded in ' || to_char(month, 'YYYY-MM') || ' (UTC).');

  lock table audience_gate_partitions.audience_events_default in access exclusive mode;
  if exists (select from audience_gate_partitions.audience_events_default d where d.created_at >= first_at and d.created_at < end_at) then
    alter table audience_gate_partitions.audience_events_default disable trigger user;
    execute format('with brought as (
        delete from audience_gate_partitions.audience_events_default d where d.created_at >= $1 and d.created_at < $2 returning d.*)
      insert into audience_gate_partitions.%I select * from brought', part)
    using first_at, end_at;
    get diagnostics brought = row_count;
    alter table audience_gate_partitions.audience_events_default enable trigger user;
  end if;
  execute format('alter table %s attach partition audience_gate_partitions.%I for values from (%L) to (%L)', whole, part, first_at, end_at);
  insert into audience_gate.partition_log (action, detail)
  values ('partition_added', jsonb_build_object('partition', part, 'from_default', coalesce(brought, 0)));
  return coalesce(brought, 0);
end;
$$;
comment on function audience_gate.add_partition(date) is
  'Adds the month in which a day lies, and returns how many of its events had fallen into the default partition.';

create or replace function audience_gate.keep_partitions(settings jsonb default '{}')
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
set timezone = 'UTC'
set lock_timeout = '3s'
as $$
declare
  wanted date;
  added text[] := array[]::text[];
  brought bigint := 0;
  forgotten bigint := 0;
begin
  if audience_gate.partitioned_events() is null then
    return jsonb_build_object('partitioned', false);
  end if;
  -- An array, because no table can be altered while a query still reads it.
  foreach wanted in array array(
    select n::date from generate_series(date_trunc('month', now()),
      now() + coalesce((settings ->> 'months_ahead')::integer, 3) * interval '1 month', interval '1 month') n
    union
    select distinct date_trunc('month', d.created_at)::date from audience_gate_partitions.audience_events_default d
    order by 1
  ) loop
    if to_regclass('audience_gate_partitions.audience_events_' || to_char(wanted, 'YYYY_MM')) is null then
      brought := brought + audience_gate.add_partition(wanted);
      added := added || to_char(wanted, 'YYYY-MM');
    end if;
  end loop;
  if settings ->> 'keep_keys' is not null then
    delete from audience_gate.event_keys k
    where k.created_at < now() - greatest((settings ->> 'keep_keys')::interval, interval '31 days');
    get diagnostics forgotten = row_count;
  end if;
  return jsonb_build_object('added', added, 'from_default', brought, 'keys_forgotten', forgotten);
end;
$$;
comment on function audience_gate.keep_partitions(jsonb) is
  'Adds the months to come, and those of events that fell into the default partition. Settings: months_ahead; '
  'keep_keys, an interval of at least 31 days after which ids are forgotten (null: never).';

create or replace view audience_gate.event_partitions with (security_invoker = true) as
select c.relname::text as partition, pg_catalog.pg_get_expr(c.relpartbound, c.oid) as bounds,
  greatest(c.reltuples, 0)::bigint as estimated_rows, pg_catalog.pg_total_relation_size(c.oid) as bytes
from pg_catalog.pg_inherits i
join pg_catalog.pg_class c on c.oid = i.inhrelid
where i.inhparent = audience_gate.partitioned_events();
comment on view audience_gate.event_partitions is
  'The partitions of the event log with their sizes. If the default partition is not empty, a month was missing.';
comment on column audience_gate.event_partitions.partition is 'The name of the partition.';
comment on column audience_gate.event_partitions.bounds is 'Which times it holds.';
comment on column audience_gate.event_partitions.estimated_rows is 'About how many events are in it.';
comment on column audience_gate.event_partitions.bytes is 'Its size, with its indexes.';
revoke all on table audience_gate.event_partitions from public, anon, authenticated, service_role;
grant select on table audience_gate.event_partitions to service_role;

do $$
declare
  signature text;
begin
  foreach signature in array array['keep_key()', 'set_clock()', 'keep_partitions(jsonb)', 'partitioned_events()',
    'add_partition(date)', 'guard_partition(regclass, text)'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public', signature);
  end loop;
end $$;
grant execute on function audience_gate.keep_partitions(jsonb) to service_role;
grant execute on function audience_gate.partitioned_events() to service_role;

insert into audience_gate.jobs (name, description, schedule, action, settings) values
  ('keep_partitions', 'makes the months of the event log before they begin', '17 2 * * *', 'keep_partitions',
    '{"months_ahead": 3, "keep_keys": null}')
on conflict do nothing;
