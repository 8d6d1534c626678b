-- The online move of public.audience_events onto monthly partitions, and back onto one table.
--
-- There are two tables: the one in use, public.audience_events, and the standby. A trigger repeats each insert
-- into the one in use on the standby, in the same transaction, and a job copies what was there before. So any
-- snapshot taken after the copy finds the two equal, which is checked without a lock. A swap only exchanges their
-- names, and another swap undoes it until the standby is dropped.

create table if not exists audience_gate.partition_move (
  only_one boolean primary key default true,
  begun_at timestamptz not null default clock_timestamp(),
  copy_until timestamptz null,
  copied_at timestamptz null,
  copied_id uuid null,
  copied_rows bigint not null default 0,
  estimated_rows bigint not null,
  copied boolean not null default false,
  verified_at timestamptz null,
  swapped_at timestamptz null,
  constraint partition_move_only_one_chk check (only_one)
);
comment on table audience_gate.partition_move is 'The move that is under way: one row or none.';
comment on column audience_gate.partition_move.only_one is 'Always true: there is one move at a time.';
comment on column audience_gate.partition_move.begun_at is 'When inserts began to be repeated on the standby.';
comment on column audience_gate.partition_move.copy_until is
  'When the newest event of that moment was recorded. All later ones were repeated.';
comment on column audience_gate.partition_move.copied_at is
  'How far copying has come: the created_at of the last event copied.';
comment on column audience_gate.partition_move.copied_id is 'The id of the last event copied.';
comment on column audience_gate.partition_move.copied_rows is 'How many events the copy has looked at so far.';
comment on column audience_gate.partition_move.estimated_rows is 'About how many there were to copy.';
comment on column audience_gate.partition_move.copied is 'True: everything is on the standby, and stays there.';
comment on column audience_gate.partition_move.verified_at is
  'When both tables were last found equal, month by month.';
comment on column audience_gate.partition_move.swapped_at is 'When the tables last changed places.';
alter table audience_gate.partition_move enable row level security;
revoke all on table audience_gate.partition_move from public, anon, authenticated, service_role;
grant select, update on table audience_gate.partition_move to audience_gate_owner;
grant select on table audience_gate.partition_move to service_role;
drop policy if exists partition_move_gate on audience_gate.partition_move;
create policy partition_move_gate on audience_gate.partition_move to audience_gate_owner using (true) with check (true);

-- No trigger keeps the keys of a standby: each of its ids comes from the log in use, which holds it once.
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
  'Writes the events of an insert to the standby too, and with the argument keyed their keys as well.';
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
comment on function audience_gate.repeat_inserts() is
  'Has each insert into the log in use repeated on the standby from now on.';

create or replace function audience_gate.start_move(destination text)
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
begin
  perform audience_gate.fit_functions();
  -- Waits for the transactions that are inserting, so that what they insert is in copy_until, and the rest repeated.
  perform audience_gate.repeat_inserts();
  insert into audience_gate.partition_move (copy_until, estimated_rows)
  select (select max(e.created_at) from public.audience_events e),
    (select greatest(c.reltuples, 0) from pg_catalog.pg_class c where c.oid = 'public.audience_events'::regclass);
  insert into audience_gate.partition_log (action, detail)
  select 'move_begun', jsonb_build_object('to', destination, 'copy_until', m.copy_until, 'estimated_rows', m.estimated_rows)
  from audience_gate.partition_move m;
  insert into audience_gate.jobs (name, description, schedule, action, settings) values
    ('copy_events', 'copies the event log to the standby of a move', '* * * * *', 'copy_events', '{"batch_size": 5000, "max_seconds": 20}')
  on conflict (name) do update set active = true;
  return (select to_jsonb(m) from audience_gate.partition_move m);
end;
$$;
comment on function audience_gate.start_move(text) is
  'Has each insert repeated on the standby, and starts the job that copies what is there already.';

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
begin
  if obstacles <> '{}' then
    raise exception 'audience_events cannot be moved: %', array_to_string(obstacles, '; ')
      using errcode = 'object_not_in_prerequisite_state', hint = 'remove what is named, and make it again after the move';
  end if;

  perform audience_gate.make_standby('primary key (id, created_at)) partition by range (created_at)');
  create index idx_audience_events_created_at_brin on audience_gate_standby.audience_events using brin (created_at);
  comment on index audience_gate_standby.idx_audience_events_created_at_brin is 'For scans over long times: a few kilobytes a month.';
  create table audience_gate_partitions.audience_events_default partition of audience_gate_standby.audience_events default;
  perform audience_gate.guard_partition('audience_gate_partitions.audience_events_default',
    'Events of months that have no partition yet; audience_gate.keep_partitions brings them home.');
  alter table audience_gate_standby.audience_events owner to audience_gate_owner;
  perform audience_gate.add_partition(n::date)
  from generate_series((select date_trunc('month', coalesce(min(e.created_at), now())) from public.audience_events e),
    now() + interval '3 months', interval '1 month') n;
  return audience_gate.start_move('partitions');
end;
$$;
comment on function audience_gate.begin_move() is
  'Makes the partitioned standby, has every insert repeated on it, and starts the job that copies what is there '
  'already.';

create or replace function audience_gate.begin_return()
returns jsonb
language plpgsql
volatile
set search_path = ''
set lock_timeout = '3s'
as $$
declare
  obstacles text[] := array(
    select 'the table is not partitioned' where audience_gate.partitioned_events() is distinct from 'public.audience_events'::regclass
    union all
    select o from audience_gate.obstacles_to_move() o);
begin
  if obstacles <> '{}' then
    raise exception 'audience_events cannot be moved back: %', array_to_string(obstacles, '; ')
      using errcode = 'object_not_in_prerequisite_state', hint = 'remove what is named, and make it again after the move';
  end if;

  perform audience_gate.make_standby('primary key (id))');
  -- What the owner of the partitioned log may do without being granted it.
  grant select, insert, update on table audience_gate_standby.audience_events to audience_gate_owner;
  return audience_gate.start_move('one table');
end;
$$;
comment on function audience_gate.begin_return() is
  'The way back after a move has ended: makes one table as the standby of the partitioned log. Goes on like any '
  'move.';

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
  'Copies events to the standby, oldest first and batch by batch, and goes on where it stopped. Settings: '
  'batch_size, max_seconds (0: one batch).';
alter function audience_gate.copy_events(jsonb) owner to audience_gate_owner;
