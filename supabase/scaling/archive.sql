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

do $$
declare
  signature text;
begin
  foreach signature in array array['hash_events(regclass, timestamptz, timestamptz)', 'event_months()'] loop
    execute format('revoke all on function audience_gate.%s from public', signature);
  end loop;
end $$;
