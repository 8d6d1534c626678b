-- Months of the event log outside the database: what `audience-gate archive`, `detach` and `restore` call. Apply it in
-- one transaction, as the role that applies migrations; applying it again changes nothing. Archiving works on any log;
-- detaching and restoring need monthly partitions (partitions.sql). SCALING.md says when and how.

-- A sum over rows does not depend on their order, so neither side has to sort. The command line writes rows in the
-- same form (crates/cli/src/rows.rs): each text after its length, so that no two rows look the same, metadata last.
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
    'utm_campaign', 'utm_content', 'utm_term', 'metadata', 'site_id', 'occurred_at', 'rejected', 'contract',
    -- It means nothing elsewhere.
    'recorded_xid']);
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
          (extract(epoch from e.occurred_at) * 1000000)::bigint, ',', e.rejected, ',', %s, e.metadata
        ), 'UTF8')), 'hex') as digest
        offset 0
      ) d
      where e.created_at >= $1 and e.created_at < $2
    ) h
  $query$, source,
    -- Archives of the first release have no contract, and their hashes hold for the rows that were judged by the first one.
    case when exists (select from pg_catalog.pg_attribute a where a.attrelid = source and a.attname = 'contract' and not a.attisdropped)
      then $part$ case coalesce(e.contract, '-') when '41d8b79ac76c9fef' then '' else coalesce(e.contract, '-') || ',' end $part$
      else '''''' end) using first_at, end_at;
end;
$$;
comment on function audience_gate.hash_events(regclass, timestamptz, timestamptz) is
  'Counts and hashes the events that a table holds of a time, so that they can be compared with an archive.';

-- The index on created_at leads from each month to the next, so the log is not read.
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
  -- For an hour, transactions that began before the end of the month may still record events in it.
  select (f.first_at at time zone 'UTC')::date, f.first_at + interval '1 month' < now() - interval '1 hour'
  from found f where f.first_at is not null
  order by 1
$$;
comment on function audience_gate.event_months() is
  'The months, in UTC, of which the event log has events. A month is closed when it ended more than an hour ago, so '
  'that nothing more is recorded in it.';

-- What an operator does to the log is itself an event in the log, judged like any other.
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
  'The partition of the month in which a day lies. Refuses if the log has no partitions, or is being moved.';

create or replace function audience_gate.keep_month(first_at timestamptz, end_at timestamptz)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  keys constant text[] := audience_gate.figure_keys();
begin
  insert into audience_gate.kept_events (id, created_at, occurred_at, site_id, user_id, session_id, event_type, event_category,
    utm_source, utm_medium, utm_campaign, utm_content, utm_term, metadata)
  select e.id, e.created_at, e.occurred_at, e.site_id, e.user_id, e.session_id, e.event_type, e.event_category, e.utm_source,
    e.utm_medium, e.utm_campaign, e.utm_content, e.utm_term,
    (select coalesce(jsonb_object_agg(m.key, m.value), '{}') from jsonb_each(e.metadata) m where m.key = any (keys))
  from public.audience_events e
  where e.created_at >= first_at and e.created_at < end_at and not e.rejected and e.contract is not null
  order by e.created_at;
  insert into audience_gate.kept_receipts (site_id, slot, rule_id, events)
  select r.site_id, date_bin('15 minutes', r.created_at, timestamptz '2000-01-01Z'),
    case when r.replayed_at is null then r.rule_id else '' end, count(*)
  from audience_gate.received r
  where r.created_at >= first_at and r.created_at < end_at
  group by 1, 2, 3;
  -- The next fold would look in vain for what it has not taken yet.
  if exists (select from audience_gate.received r where r.created_at >= first_at and r.created_at < end_at and not r.folded) then
    perform audience_gate.rebuild_figures();
  end if;
end;
$$;
comment on function audience_gate.keep_month(timestamptz, timestamptz) is
  'Keeps what figures need of the events of a month, which is then detached.';

-- While the month is hashed only those who write to that month would wait, and nobody does. The log itself is
-- locked only for the moment in which the month is detached.
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

  perform audience_gate.keep_month(first_at, end_at);
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
  'Takes a month out of the event log if it holds what its archive holds. The partition is kept as a table of its '
  'own, closed and append-only, or dropped. Its ids stay known, and its figures stay.';

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
  where l.action in ('month_detached', 'month_erased') and l.detail ->> 'month' = to_char(month, 'YYYY-MM')
  order by l.id desc limit 1;
  if (detached ->> 'row_count', detached ->> 'content_hash') is distinct from (expected_events::text, expected_hash) then
    raise exception 'the archive is not of what was detached as %', to_char(month, 'YYYY-MM')
      using errcode = 'data_exception', hint = case
        when detached is null then 'this database never detached the month; bring its events in with audience-gate load'
        else 'find the archive with the content_hash that audience_gate.partition_log has' end;
  end if;
  execute format('create table audience_gate_partitions.%I (like public.audience_events including defaults including constraints
    including comments including storage including statistics)', named);
  -- The figures hold these rows.
  execute format('alter table audience_gate_partitions.%I alter column recorded_xid set default ''3''', named);
  return 'audience_gate_partitions.' || named;
end;
$$;
comment on function audience_gate.begin_restore(date, bigint, text) is
  'Makes the table into which a month is copied back, in the transaction that then calls finish_restore().';

-- The table gets its indexes and the proof of its bounds before it is attached, so that attaching takes a moment.
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
  -- An archive of the first release does not tell rows that are older than the gate from those that it judged.
  perform audience_gate.mark_unjudged(part);

  -- Ids that keep_keys has had forgotten meanwhile are known again.
  execute format('insert into audience_gate.event_keys (id, created_at, rejected)
    select e.id, e.created_at, e.rejected from %s e on conflict (id) do nothing', part);
  execute format('select count(*) as strangers from %s e join audience_gate.event_keys k on k.id = e.id
    where k.created_at <> e.created_at', part) into item;
  if item.strangers > 0 then
    raise exception '% ids of the archive were recorded again since their keys were forgotten', item.strangers
      using errcode = 'unique_violation', hint = 'nothing was restored; read the archive where it is';
  end if;
  delete from audience_gate.kept_events k where k.created_at >= first_at and k.created_at < end_at;
  delete from audience_gate.kept_receipts k where k.slot >= first_at and k.slot < end_at;
  execute format('alter table public.audience_events attach partition %s for values from (%L) to (%L)', part, first_at, end_at);
  execute format('alter table %s drop constraint within_month, alter column recorded_xid set default pg_current_xact_id()', part);
  if kept is not null then
    execute format('drop table %s', kept);
  end if;
  facts := jsonb_build_object('month', to_char(month, 'YYYY-MM'), 'row_count', expected_events, 'content_hash', expected_hash);
  insert into audience_gate.partition_log (action, detail) values ('month_restored', facts);
  perform audience_gate.note_in_log('month_restored', facts);
  perform audience_gate.rebuild_figures();
  return facts;
end;
$$;
comment on function audience_gate.finish_restore(date, bigint, text) is
  'Attaches a month that was copied back if it holds what its archive holds, and drops the table that was kept of '
  'it.';

-- Of a month that was detached and dropped, the rows that may be a person's come back for the length of one transaction,
-- as one more table of events, so that what an erasure does is written once.
create or replace function audience_gate.begin_archive_erasure()
returns text
language plpgsql
volatile
set search_path = ''
as $$
begin
  create table audience_gate_partitions.audience_events_archived_detached (
    like public.audience_events including defaults including constraints);
  revoke all on table audience_gate_partitions.audience_events_archived_detached
    from public, anon, authenticated, service_role, audience_gate_store;
  grant select, update on table audience_gate_partitions.audience_events_archived_detached to audience_gate_owner;
  create index on audience_gate_partitions.audience_events_archived_detached (id);
  create index on audience_gate_partitions.audience_events_archived_detached (session_id);
  create index on audience_gate_partitions.audience_events_archived_detached (user_id);
  return 'audience_gate_partitions.audience_events_archived_detached';
end;
$$;
comment on function audience_gate.begin_archive_erasure() is
  'Makes the table into which the archived rows that may be a person''s are copied, in the transaction that erases them.';

create or replace function audience_gate.end_archive_erasure()
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  drop table if exists audience_gate_partitions.audience_events_archived_detached;
end;
$$;
comment on function audience_gate.end_archive_erasure() is 'Drops that table again, in the same transaction.';

create or replace function audience_gate.is_detached(month date)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return to_regclass('audience_gate.partition_log') is not null
    and to_regclass('audience_gate_partitions.audience_events_' || to_char(month, 'YYYY_MM')) is null
    and exists (select from audience_gate.partition_log l
      where l.action = 'month_detached' and l.detail ->> 'month' = to_char(month, 'YYYY-MM'));
end;
$$;
comment on function audience_gate.is_detached(date) is 'Whether a month was detached from the event log and is not back.';

create or replace function audience_gate.note_erased_month(month date, events bigint, content_hash text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  if audience_gate.is_detached(month) then
    insert into audience_gate.partition_log (action, detail) values ('month_erased', jsonb_build_object(
      'month', to_char(month, 'YYYY-MM'), 'row_count', events, 'content_hash', content_hash));
  end if;
end;
$$;
comment on function audience_gate.note_erased_month(date, bigint, text) is
  'Notes what the archive of a detached month holds since somebody was erased from it, so that it can be restored, and the '
  'archive of before cannot.';

-- For the operator alone: not even back ends may call these.
do $$
declare
  signature text;
begin
  foreach signature in array array['hash_events(regclass, timestamptz, timestamptz)', 'event_months()',
    'note_in_log(text, jsonb)', 'partition_to_change(date)', 'keep_month(timestamptz, timestamptz)',
    'detach_month(date, bigint, text, boolean)',
    'begin_restore(date, bigint, text)', 'finish_restore(date, bigint, text)', 'begin_archive_erasure()',
    'end_archive_erasure()', 'is_detached(date)', 'note_erased_month(date, bigint, text)'] loop
    execute format('revoke all on function audience_gate.%s from public', signature);
  end loop;
end $$;
