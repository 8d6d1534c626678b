-- Errors, timings and receipts, kept by the fold as the figures about people are: by slot, for every zone, and by the local
-- days of the zones that a site counts. Their numbers add up, so the live tail is simply added.

drop materialized view audience_gate.errors_daily;
drop materialized view audience_gate.performance_daily;
drop materialized view audience_gate.data_quality_by_rule;

create or replace view audience_gate.error_log with (security_invoker = true) as
select e.site_id, e.created_at, e.at, e.event_type, left(coalesce(e.metadata ->> x.code_key, ''), 200) as code,
  e.recorded_xid, e.folded, e.id
from audience_gate.counted_events e
join audience_gate.error_events x on x.event_type = e.event_type;
comment on column audience_gate.error_log.recorded_xid is 'The transaction that recorded it.';
comment on column audience_gate.error_log.id is 'The id of the event.';
comment on column audience_gate.error_log.folded is 'Whether the tables of figures hold it; else it is in the live tail.';

create or replace view audience_gate.measurements with (security_invoker = true) as
select
  n.site_id, n.created_at, n.at, n.event_type, n.measure, n.unit, n.value, audience_gate.histogram_bucket(n.value) as bucket,
  n.recorded_xid, n.folded
from (
  select
    e.site_id, e.created_at, e.at, e.event_type, m.metadata_key as measure, m.unit,
    case when jsonb_typeof(e.metadata -> m.metadata_key) = 'number'
      then least(greatest((e.metadata ->> m.metadata_key)::numeric, 0), 1e15) end as value,
    e.recorded_xid, e.folded
  from audience_gate.counted_events e
  join audience_gate.performance_measures m on m.event_type = e.event_type
) n
where n.value is not null;
comment on column audience_gate.measurements.recorded_xid is 'The transaction that recorded it.';
comment on column audience_gate.measurements.folded is 'Whether the tables of figures hold it; else it is in the live tail.';

create table audience_gate.error_slots (
  site_id uuid,
  slot timestamptz,
  event_type text,
  code text,
  events bigint not null,
  primary key (site_id, slot, event_type, code)
);
create index idx_error_slots_empty on audience_gate.error_slots (site_id) where events = 0;
comment on table audience_gate.error_slots is
  'Errors by site, slot of fifteen minutes, event type and code.';
comment on column audience_gate.error_slots.site_id is 'The site.';
comment on column audience_gate.error_slots.slot is 'When the fifteen minutes began.';
comment on column audience_gate.error_slots.event_type is 'The type of event.';
comment on column audience_gate.error_slots.code is 'The code; empty: none was sent.';
comment on column audience_gate.error_slots.events is 'How many errors.';

create table audience_gate.error_days (
  site_zone integer,
  day date,
  event_type text,
  code text,
  events bigint not null,
  primary key (site_zone, day, event_type, code)
);
create index idx_error_days_empty on audience_gate.error_days (site_zone) where events = 0;
comment on table audience_gate.error_days is
  'error_slots by local day.';
comment on column audience_gate.error_days.site_zone is 'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.error_days.day is 'The local day.';
comment on column audience_gate.error_days.event_type is 'The type of event.';
comment on column audience_gate.error_days.code is 'The code; empty: none was sent.';
comment on column audience_gate.error_days.events is 'How many errors.';

create or replace view audience_gate.whole_error_slots with (security_invoker = true) as
select l.site_id, date_bin('15 minutes', l.at, timestamptz '2000-01-01Z') as slot, l.event_type, l.code, count(*)::bigint as events
from audience_gate.error_log l
where l.folded
group by 1, 2, 3, 4;
comment on view audience_gate.whole_error_slots is 'What error_slots holds, from all events.';

create or replace view audience_gate.whole_error_days with (security_invoker = true) as
select z.site_id, z.id as site_zone, (s.slot at time zone z.time_zone)::date as day, s.event_type, s.code,
  sum(s.events)::bigint as events
from audience_gate.error_slots s
join audience_gate.site_zones z on z.site_id = s.site_id
group by 1, 2, 3, 4, 5;
comment on view audience_gate.whole_error_days is 'What error_days holds, from all slots.';

create or replace function audience_gate.error_tail(p_site uuid, p_views_hold boolean)
returns table (slot timestamptz, event_type text, code text, events bigint)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
  select date_bin('15 minutes', l.at, timestamptz '2000-01-01Z'), l.event_type, l.code, count(*)::bigint
  from (
    select * from audience_gate.error_log l
    where p_views_hold and l.site_id = p_site and not l.folded
      and l.recorded_xid >= (select pg_snapshot_xmin(s.folded) from audience_gate.fold_state s)
    union all
    select * from audience_gate.error_log l where not p_views_hold and l.site_id = p_site
  ) l
  group by 1, 2, 3;
end;
$$;
comment on function audience_gate.error_tail(uuid, boolean) is
  'What the live tail adds to error_slots; everything, where the tables do not hold.';

create or replace function audience_gate.error_cells(
  p_site uuid, p_site_zone integer, p_time_zone text, p_views_hold boolean, p_first_day date, p_last_day date
)
returns table (day date, event_type text, code text, events bigint)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select v.day, v.event_type, v.code, v.events
  from audience_gate.error_days v
  where p_views_hold and v.site_zone = p_site_zone and v.day between p_first_day and p_last_day
  union all
  select d.* from (
    select (s.slot at time zone p_time_zone)::date as day, s.event_type, s.code, s.events
    from (
      select v.slot, v.event_type, v.code, v.events
      from audience_gate.error_slots v
      where p_views_hold and p_site_zone is null and v.site_id = p_site
        and v.slot >= ((p_first_day - 1)::timestamp at time zone p_time_zone)
        and v.slot < ((p_last_day + 2)::timestamp at time zone p_time_zone)
      union all
      select t.slot, t.event_type, t.code, t.events from audience_gate.error_tail(p_site, p_views_hold) t
    ) s
  ) d
  where d.day between p_first_day and p_last_day;
end;
$$;
comment on function audience_gate.error_cells(uuid, integer, text, boolean, date, date) is
  'Errors on the local days of a range.';

create table audience_gate.timing_slots (
  site_id uuid,
  slot timestamptz,
  event_type text,
  measure text,
  bucket integer,
  samples bigint not null,
  total numeric not null,
  maximum numeric not null,
  primary key (site_id, slot, event_type, measure, bucket)
);
comment on table audience_gate.timing_slots is
  'Measurements by site, slot of fifteen minutes and measure, as histograms that can be merged.';
comment on column audience_gate.timing_slots.site_id is 'The site.';
comment on column audience_gate.timing_slots.slot is 'When the fifteen minutes began.';
comment on column audience_gate.timing_slots.event_type is 'The type of event.';
comment on column audience_gate.timing_slots.measure is 'The metadata key that holds the numbers.';
comment on column audience_gate.timing_slots.bucket is 'The bucket of the histogram.';
comment on column audience_gate.timing_slots.samples is 'How many numbers lie in it.';
comment on column audience_gate.timing_slots.total is 'Their sum.';
comment on column audience_gate.timing_slots.maximum is 'The largest of them.';

create table audience_gate.timing_days (
  site_zone integer,
  day date,
  event_type text,
  measure text,
  bucket integer,
  samples bigint not null,
  total numeric not null,
  maximum numeric not null,
  primary key (site_zone, day, event_type, measure, bucket)
);
comment on table audience_gate.timing_days is
  'timing_slots by local day.';
comment on column audience_gate.timing_days.site_zone is 'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.timing_days.day is 'The local day.';
comment on column audience_gate.timing_days.event_type is 'The type of event.';
comment on column audience_gate.timing_days.measure is 'The metadata key that holds the numbers.';
comment on column audience_gate.timing_days.bucket is 'The bucket of the histogram.';
comment on column audience_gate.timing_days.samples is 'How many numbers lie in it.';
comment on column audience_gate.timing_days.total is 'Their sum.';
comment on column audience_gate.timing_days.maximum is 'The largest of them.';

create or replace view audience_gate.whole_timing_slots with (security_invoker = true) as
select l.site_id, date_bin('15 minutes', l.at, timestamptz '2000-01-01Z') as slot, l.event_type, l.measure, l.bucket,
  count(*)::bigint as samples, sum(l.value) as total, max(l.value) as maximum
from audience_gate.measurements l
where l.folded
group by 1, 2, 3, 4, 5;
comment on view audience_gate.whole_timing_slots is 'What timing_slots holds, from all events.';

create or replace view audience_gate.whole_timing_days with (security_invoker = true) as
select z.site_id, z.id as site_zone, (s.slot at time zone z.time_zone)::date as day, s.event_type, s.measure, s.bucket,
  sum(s.samples)::bigint as samples, sum(s.total) as total, max(s.maximum) as maximum
from audience_gate.timing_slots s
join audience_gate.site_zones z on z.site_id = s.site_id
group by 1, 2, 3, 4, 5, 6;
comment on view audience_gate.whole_timing_days is 'What timing_days holds, from all slots.';

create or replace function audience_gate.timing_tail(p_site uuid, p_views_hold boolean)
returns table (slot timestamptz, event_type text, measure text, bucket integer, samples bigint, total numeric, maximum numeric)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
  select date_bin('15 minutes', l.at, timestamptz '2000-01-01Z'), l.event_type, l.measure, l.bucket, count(*)::bigint,
    sum(l.value), max(l.value)
  from (
    select * from audience_gate.measurements l
    where p_views_hold and l.site_id = p_site and not l.folded
      and l.recorded_xid >= (select pg_snapshot_xmin(s.folded) from audience_gate.fold_state s)
    union all
    select * from audience_gate.measurements l where not p_views_hold and l.site_id = p_site
  ) l
  group by 1, 2, 3, 4;
end;
$$;
comment on function audience_gate.timing_tail(uuid, boolean) is
  'What the live tail adds to timing_slots; everything, where the tables do not hold.';

create or replace function audience_gate.timing_cells(
  p_site uuid, p_site_zone integer, p_time_zone text, p_views_hold boolean, p_first_day date, p_last_day date
)
returns table (day date, event_type text, measure text, bucket integer, samples bigint, total numeric, maximum numeric)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select v.day, v.event_type, v.measure, v.bucket, v.samples, v.total, v.maximum
  from audience_gate.timing_days v
  where p_views_hold and v.site_zone = p_site_zone and v.day between p_first_day and p_last_day
  union all
  select d.* from (
    select (s.slot at time zone p_time_zone)::date as day, s.event_type, s.measure, s.bucket, s.samples, s.total, s.maximum
    from (
      select v.slot, v.event_type, v.measure, v.bucket, v.samples, v.total, v.maximum
      from audience_gate.timing_slots v
      where p_views_hold and p_site_zone is null and v.site_id = p_site
        and v.slot >= ((p_first_day - 1)::timestamp at time zone p_time_zone)
        and v.slot < ((p_last_day + 2)::timestamp at time zone p_time_zone)
      union all
      select t.slot, t.event_type, t.measure, t.bucket, t.samples, t.total, t.maximum from audience_gate.timing_tail(p_site, p_views_hold) t
    ) s
  ) d
  where d.day between p_first_day and p_last_day;
end;
$$;
comment on function audience_gate.timing_cells(uuid, integer, text, boolean, date, date) is
  'Measurements on the local days of a range.';

do $$
declare
  made text;
begin
  foreach made in array array['error_slots', 'error_days', 'timing_slots', 'timing_days'] loop
    execute format('alter table audience_gate.%I owner to audience_gate_owner', made);
    execute format('alter table audience_gate.%I enable row level security', made);
    execute format('create policy %I on audience_gate.%I to audience_gate_owner using (true) with check (true)', made || '_gate', made);
    execute format('revoke all on audience_gate.%I from public, anon, authenticated, service_role', made);
  end loop;
  foreach made in array array['whole_error_slots', 'whole_error_days', 'whole_timing_slots', 'whole_timing_days'] loop
    execute format('alter view audience_gate.%I owner to audience_gate_owner', made);
    execute format('revoke all on audience_gate.%I from public, anon, authenticated, service_role', made);
  end loop;
  foreach made in array array[
    'error_tail(uuid, boolean)',
    'timing_tail(uuid, boolean)',
    'error_cells(uuid, integer, text, boolean, date, date)',
    'timing_cells(uuid, integer, text, boolean, date, date)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', made);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
  end loop;
end $$;
