-- Months of the event log outside the database, and history brought in: what `audience-gate archive`, `detach`,
-- `restore` and `load` call. Apply it in one transaction, as the role that applies migrations; applying it again
-- changes nothing. Archiving and loading work on any log; detaching and restoring need monthly partitions
-- (partitions.sql). SCALING.md says when and how.

-- A sum over rows is the same in whatever order they come, so neither side has to sort. The command line writes a
-- row alike (src/cli/rows.rs): texts behind their length, so that no two rows are written alike, metadata last.
create or replace function audience_gate.hash_events(source regclass, first_at timestamptz, end_at timestamptz)
returns table (events bigint, first_created_at timestamptz, last_created_at timestamptz, content_hash text)
language plpgsql
stable
set search_path = ''
as $$
declare
  unknown text;
begin
  select string_agg(a.attname, ', ' order by a.attnum) into unknown
  from pg_catalog.pg_attribute a
  where a.attrelid = source and a.attnum > 0 and not a.attisdropped and a.attname <> all (array[
    'id', 'created_at', 'user_id', 'session_id', 'event_type', 'event_category', 'event_source', 'utm_source', 'utm_medium',
    'utm_campaign', 'utm_content', 'utm_term', 'metadata', 'site_id', 'occurred_at', 'rejected']);
  if unknown is not null then
    raise exception 'the event log has columns that an archive would lose: %', unknown
      using errcode = 'feature_not_supported', hint = 'keep such values in metadata, or in a table of their own';
  end if;
  return query execute format($query$
    select h.events, h.first_at, h.last_at,
      encode(sha256(convert_to(h.events || ':' || h.lane_1 || ':' || h.lane_2, 'UTF8')), 'hex')
    from (
      select count(*) as events, min(e.created_at) as first_at, max(e.created_at) as last_at,
        coalesce(sum(('x' || substr(d.digest, 1, 16))::bit(64)::bigint), 0) as lane_1,
        coalesce(sum(('x' || substr(d.digest, 17, 16))::bit(64)::bigint), 0) as lane_2
      from %s e
      cross join lateral (
        select encode(sha256(convert_to(concat(
          e.id, ',', (extract(epoch from e.created_at) * 1000000)::bigint, ',', e.user_id, ',',
          octet_length(e.session_id), ':', e.session_id, ',', octet_length(e.event_type), ':', e.event_type, ',',
          octet_length(e.event_category), ':', e.event_category, ',', octet_length(e.event_source), ':', e.event_source, ',',
          octet_length(e.utm_source), ':', e.utm_source, ',', octet_length(e.utm_medium), ':', e.utm_medium, ',',
          octet_length(e.utm_campaign), ':', e.utm_campaign, ',', octet_length(e.utm_content), ':', e.utm_content, ',',
          octet_length(e.utm_term), ':', e.utm_term, ',', e.site_id, ',',
          (extract(epoch from e.occurred_at) * 1000000)::bigint, ',', e.rejected, ',', e.metadata
        ), 'UTF8')), 'hex') as digest
        offset 0
      ) d
      where e.created_at >= $1 and e.created_at < $2
    ) h
  $query$, source) using first_at, end_at;
end;
$$;
comment on function audience_gate.hash_events(regclass, timestamptz, timestamptz) is
  'Counts and hashes the events of a table within a time, so that an archive of them can be told to hold the same.';

-- Each month is found from the one before by the index on created_at, without reading the log.
create or replace function audience_gate.event_months()
returns table (month date, closed boolean)
language sql
stable
set search_path = ''
as $$
  with recursive found as (
    select date_trunc('month', min(e.created_at), 'UTC') as first_at from public.audience_events e
    union all
    select (
      select date_trunc('month', min(e.created_at), 'UTC') from public.audience_events e
      where e.created_at >= f.first_at + interval '1 month'
    ) from found f where f.first_at is not null
  )
  -- An hour in which what was begun before the month's end can still be recorded in it.
  select (f.first_at at time zone 'UTC')::date, f.first_at + interval '1 month' < now() - interval '1 hour'
  from found f where f.first_at is not null
  order by 1
$$;
comment on function audience_gate.event_months() is
  'The months (UTC) that the event log has events of; closed: ended more than an hour ago, so that nothing is recorded in them any more.';

-- What an operator does to the log is an event of the log, judged like any other.
create or replace function audience_gate.note_in_log(event_type text, facts jsonb)
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
  noted uuid := gen_random_uuid();
begin
  insert into public.audience_events (id, session_id, event_type, event_category, event_source, metadata)
  values (noted, 'archive-' || noted, event_type, 'system', 'command-line', facts || jsonb_build_object(
    'validation_rule_id', 'archive.' || event_type, 'validation_result', 'verified', 'source_system', 'command-line',
    'actor', audience_gate.actor()));
  if not exists (select from public.audience_events e where e.id = noted and not e.rejected) then
    raise exception 'the event % was not accepted by the contract', event_type
      using errcode = 'check_violation',
        hint = 'act as a role that bypasses row level security, such as postgres, with the migrations of this release applied';
  end if;
  return noted;
end;
$$;
comment on function audience_gate.note_in_log(text, jsonb) is
  'Records a system event about something that was done to the event log itself, with who did it.';

-- The name of a month's partition, and what stands in the way of changing its place.
create or replace function audience_gate.partition_to_change(month date)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  if to_regclass('audience_gate_standby.audience_events') is not null then
    raise exception 'the event log is being moved' using errcode = 'object_not_in_prerequisite_state',
      hint = 'end the move first: select audience_gate.drop_standby()';
  end if;
  if not exists (select from pg_catalog.pg_class c where c.oid = 'public.audience_events'::regclass and c.relkind = 'p') then
    raise exception 'the event log has no monthly partitions' using errcode = 'object_not_in_prerequisite_state',
      hint = 'give it partitions first, as SCALING.md says under "Monthly partitions"; archiving needs none';
  end if;
  return 'audience_events_' || to_char(month, 'YYYY_MM');
end;
$$;
comment on function audience_gate.partition_to_change(date) is
  'The partition of the month that a day is in; refuses where the log has none, or is being moved.';

-- Nobody waits while the month is hashed: only writers of that month would. The log itself is locked for the moment
-- of the detaching alone.
create or replace function audience_gate.detach_month(
  month date, expected_events bigint, expected_hash text, dropping boolean
)
returns jsonb
language plpgsql
volatile
set search_path = ''
set lock_timeout = '3s'
as $$
declare
  named text := audience_gate.partition_to_change(month);
  part regclass := to_regclass('audience_gate_partitions.' || named);
  first_at timestamptz := date_trunc('month', month::timestamp) at time zone 'UTC';
  end_at timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') at time zone 'UTC';
  found record;
  facts jsonb;
begin
  if part is null or not exists (select from pg_catalog.pg_inherits i
    where i.inhrelid = part and i.inhparent = 'public.audience_events'::regclass) then
    raise exception 'the event log has no partition of %', to_char(month, 'YYYY-MM')
      using errcode = 'undefined_table', hint = 'audience_gate.event_partitions lists those there are';
  end if;
  if end_at >= now() then
    raise exception '% is open', to_char(month, 'YYYY-MM') using errcode = 'object_in_use', hint = 'detach it after its end';
  end if;
  execute format('lock table %s in share row exclusive mode', part);
  select * into strict found from audience_gate.hash_events(part, first_at, end_at);
  if (found.events, found.content_hash) is distinct from (expected_events, expected_hash) then
    raise exception 'the archive of % is not what the database holds: % events there, % here',
      to_char(month, 'YYYY-MM'), expected_events, found.events
      using errcode = 'data_exception', hint = 'archive the month again with --again, then detach it; nothing was detached';
  end if;

  execute format('alter table public.audience_events detach partition %s', part);
  if dropping then
    execute format('drop table %s', part);
  else
    execute format('alter table %s rename to %I', part, named || '_detached');
    execute format('comment on table %s is %L', part, 'Events recorded in ' || to_char(month, 'YYYY-MM')
      || ' (UTC), detached from the event log after they were archived.');
  end if;
  facts := jsonb_build_object('month', to_char(month, 'YYYY-MM'), 'row_count', found.events,
    'content_hash', found.content_hash, 'is_dropped', dropping);
  insert into audience_gate.partition_log (action, detail) values ('month_detached', facts);
  perform audience_gate.note_in_log('month_detached', facts);
  return facts;
end;
$$;
comment on function audience_gate.detach_month(date, bigint, text, boolean) is
  'Takes a month out of the event log, where it holds what its archive holds; the partition stays by itself, closed and append-only, or is dropped. The ids stay known.';

create or replace function audience_gate.begin_restore(month date, expected_events bigint, expected_hash text)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  named text := audience_gate.partition_to_change(month);
  detached jsonb;
begin
  if to_regclass('audience_gate_partitions.' || named) is not null then
    raise exception '% is in the event log', to_char(month, 'YYYY-MM')
      using errcode = 'duplicate_table', hint = 'there is nothing to restore; audience_gate.event_partitions lists the months';
  end if;
  select l.detail into detached from audience_gate.partition_log l
  where l.action = 'month_detached' and l.detail ->> 'month' = to_char(month, 'YYYY-MM')
  order by l.id desc limit 1;
  if (detached ->> 'row_count', detached ->> 'content_hash') is distinct from (expected_events::text, expected_hash) then
    raise exception 'the archive is not of what was detached as %', to_char(month, 'YYYY-MM')
      using errcode = 'data_exception', hint = case
        when detached is null then 'this database never detached the month; bring its events in with audience-gate load'
        else 'find the archive with the content_hash that audience_gate.partition_log has' end;
  end if;
  execute format('create table audience_gate_partitions.%I (like public.audience_events including defaults including constraints
    including comments including storage including statistics)', named);
  return 'audience_gate_partitions.' || named;
end;
$$;
comment on function audience_gate.begin_restore(date, bigint, text) is
  'Makes the table that a month is copied back into, by the same transaction that calls finish_restore.';

-- The table gets its indexes and the proof of its bounds before it is attached, so that attaching is short.
create or replace function audience_gate.finish_restore(month date, expected_events bigint, expected_hash text)
returns jsonb
language plpgsql
volatile
set search_path = ''
set lock_timeout = '3s'
as $$
declare
  named text := audience_gate.partition_to_change(month);
  part regclass := ('audience_gate_partitions.' || named)::regclass;
  kept regclass := to_regclass('audience_gate_partitions.' || named || '_detached');
  first_at timestamptz := date_trunc('month', month::timestamp) at time zone 'UTC';
  end_at timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') at time zone 'UTC';
  item record;
  facts jsonb;
begin
  for item in
    select unnest(array[part, kept]) as source
  loop
    continue when item.source is null;
    if not exists (select from audience_gate.hash_events(item.source, first_at, end_at) h
      where h.events = expected_events and h.content_hash = expected_hash) then
      raise exception '% does not hold what the archive holds', item.source using errcode = 'data_exception',
        hint = 'nothing was restored';
    end if;
  end loop;
  execute format('alter table %s add constraint within_month check (created_at >= %L and created_at < %L)', part, first_at, end_at);
  for item in
    select pg_catalog.pg_get_indexdef(i.indexrelid) as definition, c.relname as name, k.conname as key, k.oid as key_id
    from pg_catalog.pg_index i
    join pg_catalog.pg_class c on c.oid = i.indexrelid
    left join pg_catalog.pg_constraint k on k.conindid = i.indexrelid and k.contype in ('p', 'u')
    where i.indrelid = 'public.audience_events'::regclass
  loop
    if item.key is not null then
      execute format('alter table %s add %s', part, pg_catalog.pg_get_constraintdef(item.key_id));
    else
      execute regexp_replace(item.definition, 'INDEX .* ON ONLY \S+ ', format('INDEX ON %s ', part));
    end if;
  end loop;
  perform audience_gate.guard_partition(part, 'Events recorded in ' || to_char(month, 'YYYY-MM') || ' (UTC).');

  -- Ids that were forgotten meanwhile, as keep_keys has it, are known again.
  execute format('insert into audience_gate.event_keys (id, created_at, rejected)
    select e.id, e.created_at, e.rejected from %s e on conflict (id) do nothing', part);
  execute format('select count(*) as strangers from %s e join audience_gate.event_keys k on k.id = e.id
    where k.created_at <> e.created_at', part) into item;
  if item.strangers > 0 then
    raise exception '% ids of the archive were recorded again since their keys were forgotten', item.strangers
      using errcode = 'unique_violation', hint = 'nothing was restored; read the archive where it is';
  end if;
  execute format('alter table public.audience_events attach partition %s for values from (%L) to (%L)', part, first_at, end_at);
  execute format('alter table %s drop constraint within_month', part);
  if kept is not null then
    execute format('drop table %s', kept);
  end if;
  facts := jsonb_build_object('month', to_char(month, 'YYYY-MM'), 'row_count', expected_events, 'content_hash', expected_hash);
  insert into audience_gate.partition_log (action, detail) values ('month_restored', facts);
  perform audience_gate.note_in_log('month_restored', facts);
  return facts;
end;
$$;
comment on function audience_gate.finish_restore(date, bigint, text) is
  'Attaches a month that was copied back, where it holds what its archive holds, and drops the one that was kept beside it.';

-- History has times of its own: the one way into the log by which created_at is not the present.

create table if not exists audience_gate.loads (
  id bigint generated always as identity primary key,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz null,
  actor text not null default audience_gate.actor(),
  event_id uuid null
);
comment on table audience_gate.loads is 'Each load of history; one at a time, and a load that was broken off is gone on with by the next.';
comment on column audience_gate.loads.id is 'In order of beginning.';
comment on column audience_gate.loads.started_at is 'When it began.';
comment on column audience_gate.loads.finished_at is 'When it ended; null: it goes on, or was broken off.';
comment on column audience_gate.loads.actor is 'Who: the role the client acted as.';
comment on column audience_gate.loads.event_id is 'The system event that tells of it.';

create table if not exists audience_gate.load_files (
  sha256 text primary key,
  load_id bigint not null references audience_gate.loads (id),
  through bigint not null default 0,
  accepted bigint not null default 0,
  replayed bigint not null default 0,
  repeated bigint not null default 0,
  refused bigint not null default 0,
  first_created_at timestamptz null,
  last_created_at timestamptz null,
  finished boolean not null default false
);
create index if not exists load_files_load_id on audience_gate.load_files (load_id);
comment on table audience_gate.load_files is 'How far each file of history is loaded, known by what it holds and not by its name.';
comment on column audience_gate.load_files.sha256 is 'The SHA-256 of the file.';
comment on column audience_gate.load_files.load_id is 'The load it belongs to.';
comment on column audience_gate.load_files.through is 'The line or row up to which its events are stored.';
comment on column audience_gate.load_files.accepted is 'How many of its events were recorded.';
comment on column audience_gate.load_files.replayed is 'How many were recorded before.';
comment on column audience_gate.load_files.repeated is 'How many were rejected as double fires; each has its audit row.';
comment on column audience_gate.load_files.refused is 'How many the contract refused, and the operator left out.';
comment on column audience_gate.load_files.first_created_at is 'The earliest time that one of them was recorded.';
comment on column audience_gate.load_files.last_created_at is 'The latest.';
comment on column audience_gate.load_files.finished is 'True: it is loaded to its end.';

create unlogged table if not exists audience_gate.load_rows (
  place bigint not null,
  id uuid not null,
  created_at timestamptz not null,
  rejected boolean not null,
  event jsonb not null
);
comment on table audience_gate.load_rows is 'Judged events between the copy and the log; empty outside the transaction that loads them.';
comment on column audience_gate.load_rows.place is 'The line or row of the file.';
comment on column audience_gate.load_rows.id is 'The id of the event, its own or derived.';
comment on column audience_gate.load_rows.created_at is 'When it was recorded.';
comment on column audience_gate.load_rows.rejected is 'True: it is the record of a rejection.';
comment on column audience_gate.load_rows.event is 'The event as it was judged.';
alter table audience_gate.loads enable row level security;
alter table audience_gate.load_files enable row level security;
alter table audience_gate.load_rows enable row level security;
revoke all on table audience_gate.loads, audience_gate.load_files, audience_gate.load_rows
  from public, anon, authenticated, service_role;
grant select, delete on table audience_gate.load_rows to audience_gate_store;
drop policy if exists load_rows_gate on audience_gate.load_rows;
create policy load_rows_gate on audience_gate.load_rows to audience_gate_store using (true);

create or replace function audience_gate.begin_load()
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  if not pg_try_advisory_lock(hashtextextended('audience_gate.load', 0)) then
    raise exception 'another load is under way' using errcode = 'object_in_use', hint = 'wait for its end';
  end if;
end;
$$;
comment on function audience_gate.begin_load() is 'Keeps others from loading until the connection ends.';

create or replace function audience_gate.claim_file(file_hash text)
returns table (through bigint, finished boolean)
language plpgsql
volatile
set search_path = ''
as $$
declare
  load bigint := (select l.id from audience_gate.loads l where l.finished_at is null);
begin
  if not exists (select from audience_gate.load_files f where f.sha256 = file_hash) then
    if load is null then
      insert into audience_gate.loads default values returning id into load;
    end if;
    insert into audience_gate.load_files (sha256, load_id) values (file_hash, load);
  end if;
  return query select f.through, f.finished from audience_gate.load_files f where f.sha256 = file_hash;
end;
$$;
comment on function audience_gate.claim_file(text) is 'Has a file loaded by the load under way, or says how far it is already.';

-- Of events that could be repeats of each other, all but the first are decided one by one, in the order of the file:
-- each chain of events of one kind with less than three seconds from one to the next.
create or replace function audience_gate.doubtful_rows()
returns bigint[]
language sql
stable
set search_path = ''
as $$
  with keyed as (
    select r.place, r.id, coalesce((r.event ->> 'occurred_at')::timestamptz, r.created_at) as happened_at,
      hashtextextended(r.event ->> 'session_id', hashtextextended(r.event ->> 'event_type',
        coalesce(uuid_hash_extended((r.event ->> 'user_id')::uuid, 0), 0))) as fire_key
    from audience_gate.load_rows r where not r.rejected
  ), linked as (
    select k.*, coalesce(k.happened_at - lag(k.happened_at) over near_by >= interval '3 seconds', true) as begins
    from keyed k window near_by as (partition by k.fire_key order by k.happened_at, k.place)
  ), chained as (
    select l.*, count(*) filter (where l.begins) over (partition by l.fire_key order by l.happened_at, l.place) as chain
    from linked l
  )
  select coalesce(array_agg(d.place order by d.place), array[]::bigint[])
  from (select c.place, row_number() over (partition by c.fire_key, c.chain order by c.place) > 1 as late from chained c) d
  where d.late
$$;
comment on function audience_gate.doubtful_rows() is 'The places of the copied events that have to be decided after others of their batch.';

-- Acts as the role whose inserts are taken as judged, for the rows that the operator's command judged and copied. The
-- settings keep the plan on an index, also one that was made while the log was empty, and have it not compiled.
create or replace function audience_gate.record_history(only_places bigint[], without_places bigint[])
returns table (accepted bigint, repeated bigint)
language plpgsql
volatile
security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
begin
  return query with sent as materialized (
    select r.id, r.created_at, r.rejected, r.event, x.*, coalesce(x.occurred_at, r.created_at) as happened_at,
      coalesce(x.site_id, '00000000-0000-4000-8000-000000000001') as site,
      hashtextextended(x.session_id, hashtextextended(x.event_type, coalesce(uuid_hash_extended(x.user_id, 0), 0))) as fire_key
    from audience_gate.load_rows r
    cross join lateral jsonb_to_record(r.event) as x (
      site_id uuid, session_id text, event_type text, event_category text, event_source text, utm_source text,
      utm_medium text, utm_campaign text, utm_content text, utm_term text, user_id uuid, occurred_at timestamptz, metadata jsonb)
    where (only_places is null or r.place = any (only_places)) and r.place <> all (without_places)
  ), seen as materialized (
    select s.*, not s.rejected and coalesce(repeat.found, false) as repeats
    from sent s
    -- An event is recorded five minutes before it happened at the earliest; a day leaves room for clocks. Bounded from
    -- above as well, the time would look to the planner as telling as the key, and it is not.
    left join lateral (
      select true as found from public.audience_events e
      where hashtextextended(e.session_id, hashtextextended(e.event_type, coalesce(uuid_hash_extended(e.user_id, 0), 0))) = s.fire_key
        and coalesce(e.occurred_at, e.created_at) > s.happened_at - interval '3 seconds'
        and coalesce(e.occurred_at, e.created_at) < s.happened_at + interval '3 seconds'
        and e.created_at > s.happened_at - interval '1 day'
        and not e.rejected
        and (e.session_id, e.event_type, e.user_id, e.site_id) is not distinct from (s.session_id, s.event_type, s.user_id, s.site)
      limit 1
    ) repeat on true
  ), stored as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium,
      utm_campaign, utm_content, utm_term, metadata, site_id, occurred_at, rejected
    )
    select s.id, s.created_at, s.user_id, s.session_id, s.event_type, s.event_category, s.event_source, s.utm_source,
      s.utm_medium, s.utm_campaign, s.utm_content, s.utm_term, coalesce(s.metadata, '{}'), s.site, s.occurred_at, s.rejected
    from seen s where not s.repeats
    on conflict do nothing
    returning 1
  ), audited as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected
    )
    select s.id, s.created_at, s.user_id, s.session_id, 'event_validation_fail', 'system', 'command-line',
      audience_gate.rejection_metadata(s.event, array['duplicate.double_fire'], 'command-line'), s.site, true
    from seen s
    -- Of a replay, which repeats itself, nobody wants the audit row; "limit 1" has ids looked up instead of joined.
    where s.repeats and (select e.id from public.audience_events e where e.id = s.id limit 1) is null
    on conflict do nothing
    returning 1
  )
  select (select count(*) from stored), (select count(*) from audited);
end;
$$;
comment on function audience_gate.record_history(bigint[], bigint[]) is
  'Records the copied events with their own times: repeats as audit rows, recorded ids not at all.';

create or replace function audience_gate.load_batch(
  file_hash text, last_place bigint, refused_events bigint, is_end boolean, contract text, registry text
)
returns table (accepted bigint, replayed bigint, repeated bigint)
language plpgsql
volatile
set search_path = ''
as $$
declare
  doubtful bigint[];
  one bigint;
  period date;
  is_partitioned boolean := (select c.relkind = 'p' from pg_catalog.pg_class c where c.oid = 'public.audience_events'::regclass);
  facts record;
  answer record;
begin
  if (contract, registry) is distinct from (audience_gate.contract_fingerprint(), audience_gate.registry_version()) then
    raise exception 'the contract or the registry was changed since the load began' using errcode = 'object_not_in_prerequisite_state',
      hint = 'run the load again: it goes on where it stopped';
  end if;
  if is_partitioned then
    for period in select distinct date_trunc('month', r.created_at at time zone 'UTC')::date from audience_gate.load_rows r loop
      if 'month_detached' = (select l.action from audience_gate.partition_log l
        where l.detail ->> 'month' = to_char(period, 'YYYY-MM') and l.action in ('month_detached', 'month_restored')
        order by l.id desc limit 1) then
        raise exception '% is detached', to_char(period, 'YYYY-MM') using errcode = 'object_not_in_prerequisite_state',
          hint = 'bring it back first: audience-gate restore ARCHIVE ' || to_char(period, 'YYYY-MM');
      end if;
      perform audience_gate.add_partition(period);
    end loop;
  end if;

  select count(*) as events, min(r.created_at) as first_at, max(r.created_at) as last_at,
    array_agg(distinct hashtext(r.event ->> 'session_id') & 511) as buckets
  into facts from audience_gate.load_rows r;
  if facts.events > 0 then
    perform audience_gate.lock_sessions(array(select b from unnest(facts.buckets) b order by b));
  end if;
  doubtful := audience_gate.doubtful_rows();
  select r.accepted, r.repeated into accepted, repeated from audience_gate.record_history(null, doubtful) r;
  foreach one in array doubtful loop
    select r.accepted, r.repeated into answer from audience_gate.record_history(array[one], array[]::bigint[]) r;
    accepted := accepted + answer.accepted;
    repeated := repeated + answer.repeated;
  end loop;
  replayed := facts.events - accepted - repeated;
  delete from audience_gate.load_rows;

  update audience_gate.load_files f
  set through = last_place, accepted = f.accepted + load_batch.accepted, replayed = f.replayed + load_batch.replayed,
    repeated = f.repeated + load_batch.repeated, refused = f.refused + refused_events, finished = is_end,
    first_created_at = least(f.first_created_at, facts.first_at), last_created_at = greatest(f.last_created_at, facts.last_at)
  where f.sha256 = file_hash and not f.finished and f.through <= last_place;
  if not found then
    raise exception 'the file is further than this load knows' using errcode = 'object_in_use', hint = 'run the load again';
  end if;
  return next;
end;
$$;
comment on function audience_gate.load_batch(text, bigint, bigint, boolean, text, text) is
  'Records what was copied into load_rows, together with how far the file is.';

create or replace function audience_gate.finish_load()
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
  load bigint := (select l.id from audience_gate.loads l where l.finished_at is null);
  facts jsonb;
  noted uuid;
begin
  -- Files that are not finished are gone on with; the load is told of when all of them are.
  if load is null or exists (select from audience_gate.load_files f where f.load_id = load and not f.finished) then
    return null;
  end if;
  select jsonb_strip_nulls(jsonb_build_object('row_count', sum(f.accepted), 'replayed_count', sum(f.replayed),
    'repeated_count', sum(f.repeated), 'refused_count', sum(f.refused), 'file_count', count(*),
    'files_hash', encode(sha256(convert_to(string_agg(f.sha256, ',' order by f.sha256), 'UTF8')), 'hex'),
    'first_created_at', min(f.first_created_at), 'last_created_at', max(f.last_created_at)))
  into facts from audience_gate.load_files f where f.load_id = load;
  noted := audience_gate.note_in_log('history_loaded', facts);
  update audience_gate.loads set finished_at = clock_timestamp(), event_id = noted where id = load;
  perform pg_advisory_unlock(hashtextextended('audience_gate.load', 0));
  return facts;
end;
$$;
comment on function audience_gate.finish_load() is 'Ends the load under way, and tells of it in the log.';
alter function audience_gate.record_history(bigint[], bigint[]) owner to audience_gate_store;

-- For the operator alone: not even back ends may call these.
do $$
declare
  signature text;
begin
  foreach signature in array array['hash_events(regclass, timestamptz, timestamptz)', 'event_months()',
    'note_in_log(text, jsonb)', 'partition_to_change(date)', 'detach_month(date, bigint, text, boolean)',
    'begin_restore(date, bigint, text)', 'finish_restore(date, bigint, text)', 'begin_load()', 'claim_file(text)',
    'doubtful_rows()', 'record_history(bigint[], bigint[])', 'load_batch(text, bigint, bigint, boolean, text, text)',
    'finish_load()'] loop
    execute format('revoke all on function audience_gate.%s from public', signature);
  end loop;
end $$;
