-- Loading history that was recorded elsewhere: what `audience-gate load` calls, and the only way in that lets a row
-- keep its own created_at. Apply it after archive.sql, in one transaction, as the role that applies migrations.
-- Applying it again changes nothing. SCALING.md says when to use it, and how.

create table if not exists audience_gate.loads (
  id bigint generated always as identity primary key,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz null,
  actor text not null default audience_gate.actor(),
  event_id uuid null
);
comment on table audience_gate.loads is
  'The loads of history, one at a time. A load that was broken off is continued by the next.';
comment on column audience_gate.loads.id is 'In the order in which they began.';
comment on column audience_gate.loads.started_at is 'When it began.';
comment on column audience_gate.loads.finished_at is 'When it ended; null: it is under way or was broken off.';
comment on column audience_gate.loads.actor is 'Who loads: the role that the client acted as.';
comment on column audience_gate.loads.event_id is 'The system event that reports it.';

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
comment on table audience_gate.load_files is
  'How far each file of history is loaded. A file is known by what it holds, not by its name.';
comment on column audience_gate.load_files.sha256 is 'The SHA-256 of the file.';
comment on column audience_gate.load_files.load_id is 'The load it belongs to.';
comment on column audience_gate.load_files.through is 'The line or row up to which its events are stored.';
comment on column audience_gate.load_files.accepted is 'How many of its events were recorded.';
comment on column audience_gate.load_files.replayed is 'How many had been recorded before.';
comment on column audience_gate.load_files.repeated is
  'How many were rejected as double fires. Each has its audit row.';
comment on column audience_gate.load_files.refused is 'How many the contract rejected and the operator left out.';
comment on column audience_gate.load_files.first_created_at is 'When the earliest of its events was recorded.';
comment on column audience_gate.load_files.last_created_at is 'When the latest of its events was recorded.';
comment on column audience_gate.load_files.finished is 'True: the file is loaded to its end.';

create unlogged table if not exists audience_gate.load_rows (
  place bigint not null,
  id uuid not null,
  created_at timestamptz not null,
  rejected boolean not null,
  event jsonb not null
);
comment on table audience_gate.load_rows is
  'Judged events on their way from the copy to the log. Empty outside the transaction that loads them.';
comment on column audience_gate.load_rows.place is 'The line or row of the file.';
comment on column audience_gate.load_rows.id is 'The id of the event, its own or derived.';
comment on column audience_gate.load_rows.created_at is 'When it was recorded.';
comment on column audience_gate.load_rows.rejected is 'True: it is an audit row.';
comment on column audience_gate.load_rows.event is 'The event as it was judged.';
alter table audience_gate.loads enable row level security;
alter table audience_gate.load_files enable row level security;
alter table audience_gate.load_rows enable row level security;
revoke all on table audience_gate.loads, audience_gate.load_files, audience_gate.load_rows
  from public, anon, authenticated, service_role;
grant select, delete on table audience_gate.load_rows to audience_gate_store;
drop policy if exists load_rows_gate on audience_gate.load_rows;
create policy load_rows_gate on audience_gate.load_rows to audience_gate_store using (true);

-- It waits for a moment, because the server needs one to notice that the load before has ended or was killed.
create or replace function audience_gate.begin_load()
returns void
language plpgsql
volatile
set search_path = ''
set lock_timeout = '5s'
as $$
begin
  perform pg_advisory_lock(hashtextextended('audience_gate.load', 0));
exception when lock_not_available then
  raise exception 'another load is under way' using errcode = 'object_in_use', hint = 'wait for its end';
end;
$$;
comment on function audience_gate.begin_load() is 'Keeps others from loading until this connection ends.';

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
comment on function audience_gate.claim_file(text) is
  'Adds a file to the load under way, and says how far it is loaded already.';

-- Of events that may be double fires of each other, all but the first are decided one by one, in the order of the
-- file. They form chains: events with one key, each less than the window of a double fire after the one before.
create or replace function audience_gate.doubtful_rows()
returns bigint[]
language sql
stable
set search_path = ''
as $$
  with keyed as (
    select r.place, r.id, coalesce((r.event ->> 'occurred_at')::timestamptz, r.created_at) as happened_at,
      audience_gate.fire_key(
        r.event ->> 'session_id', r.event ->> 'event_type', (r.event ->> 'user_id')::uuid) as fire_key
    from audience_gate.load_rows r where not r.rejected
  ), linked as (
    select k.*, coalesce(k.happened_at - lag(k.happened_at) over near_by >= audience_gate.fire_window(), true) as begins
    from keyed k window near_by as (partition by k.fire_key order by k.happened_at, k.place)
  ), chained as (
    select l.*, count(*) filter (where l.begins) over (partition by l.fire_key order by l.happened_at, l.place) as chain
    from linked l
  )
  select coalesce(array_agg(d.place order by d.place), array[]::bigint[])
  from (select c.place, row_number() over (partition by c.fire_key, c.chain order by c.place) > 1 as late from chained c) d
  where d.late
$$;
comment on function audience_gate.doubtful_rows() is
  'The places of those copied events that have to be decided after others of their batch.';

-- Runs as the role whose inserts count as judged, for the rows that the operator's command judged and copied. The
-- settings keep the plan on an index, even one that was made while the log was empty, and have it not compiled.
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
      coalesce(x.site_id, audience_gate.default_site()) as site,
      audience_gate.fire_key(x.session_id, x.event_type, x.user_id) as fire_key
    from audience_gate.load_rows r
    cross join lateral jsonb_to_record(r.event) as x (
      site_id uuid, session_id text, event_type text, event_category text, event_source text, utm_source text,
      utm_medium text, utm_campaign text, utm_content text, utm_term text, user_id uuid, occurred_at timestamptz, metadata jsonb)
    where (only_places is null or r.place = any (only_places)) and r.place <> all (without_places)
  ), seen as materialized (
    select s.*, not s.rejected and coalesce(repeat.found, false) as repeats
    from sent s
    -- An event is recorded five minutes before it happened at the earliest; a day leaves room for clocks. A bound from
    -- above too would make the planner take the time for as selective as the key, which it is not.
    left join lateral (
      select true as found from public.audience_events e
      where audience_gate.fire_key(e.session_id, e.event_type, e.user_id) = s.fire_key
        and coalesce(e.occurred_at, e.created_at) > s.happened_at - audience_gate.fire_window()
        and coalesce(e.occurred_at, e.created_at) < s.happened_at + audience_gate.fire_window()
        and e.created_at > s.happened_at - interval '1 day'
        and not e.rejected
        and (e.session_id, e.event_type, e.user_id) is not distinct from (s.session_id, s.event_type, s.user_id)
      limit 1
    ) repeat on true
  ), stored as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium,
      utm_campaign, utm_content, utm_term, metadata, site_id, occurred_at, rejected, contract
    )
    select s.id, s.created_at, s.user_id, s.session_id, s.event_type, s.event_category, s.event_source, s.utm_source,
      s.utm_medium, s.utm_campaign, s.utm_content, s.utm_term, coalesce(s.metadata, '{}'), s.site, s.occurred_at, s.rejected,
      audience_gate.contract_fingerprint()
    from seen s where not s.repeats
    on conflict do nothing
    returning 1
  ), refused as materialized (
    select s.id, s.created_at, s.user_id, s.session_id, s.site,
      audience_gate.refused_metadata(s.event || jsonb_build_object('id', s.id),
        audience_gate.rejection_metadata('{}', array['duplicate.double_fire'], 'command-line')) as metadata
    from seen s
    -- A replay repeats itself and needs no audit row. "limit 1" makes the planner look ids up instead of joining.
    where s.repeats and (select e.id from public.audience_events e where e.id = s.id limit 1) is null
  ), audited as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected, contract
    )
    select audience_gate.rejection_id(r.id, r.metadata), r.created_at, r.user_id, r.session_id, 'event_validation_fail', 'system',
      'command-line', r.metadata, r.site, true, audience_gate.contract_fingerprint()
    from refused r
    on conflict do nothing
    returning 1
  )
  select (select count(*) from stored), (select count(*) from audited);
end;
$$;
comment on function audience_gate.record_history(bigint[], bigint[]) is
  'Records the copied events with their own times: double fires as audit rows, and recorded ids not at all.';

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
    array_agg(distinct audience_gate.session_bucket(r.event ->> 'session_id')) as buckets
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
  'Records what was copied into audience_gate.load_rows, together with how far the file is.';

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
  -- Files that are not finished will be continued. The load is reported when all of them are.
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
  return facts;
end;
$$;
comment on function audience_gate.finish_load() is 'Ends the load under way, and reports it in the log.';
alter function audience_gate.record_history(bigint[], bigint[]) owner to audience_gate_store;

-- For the operator alone: not even back ends may call these.
do $$
declare
  signature text;
begin
  foreach signature in array array['begin_load()', 'claim_file(text)', 'doubtful_rows()', 'record_history(bigint[], bigint[])',
    'load_batch(text, bigint, bigint, boolean, text, text)', 'finish_load()'] loop
    execute format('revoke all on function audience_gate.%s from public', signature);
  end loop;
end $$;
