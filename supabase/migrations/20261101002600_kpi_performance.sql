-- Performance: percentiles of the numbers that events report.
--
-- They come from a histogram whose buckets grow by 2 %: two of them merge by adding, and any percentile read
-- from one is within 1 % of the true one.

create table if not exists audience_gate.performance_measures (
  event_type text not null,
  metadata_key text not null,
  unit text not null,
  primary key (event_type, metadata_key)
);
comment on table audience_gate.performance_measures is
  'Which numbers in metadata are measurements whose percentiles are reported.';
comment on column audience_gate.performance_measures.event_type is 'An id of public.audience_event_types.';
comment on column audience_gate.performance_measures.metadata_key is 'The metadata key that holds the number.';
comment on column audience_gate.performance_measures.unit is 'The unit of the number.';
alter table audience_gate.performance_measures enable row level security;
revoke all on table audience_gate.performance_measures from public, anon, authenticated, service_role;

insert into audience_gate.performance_measures (event_type, metadata_key, unit)
values
  ('page_performance', 'load_ms', 'ms'), ('page_performance', 'first_byte_ms', 'ms'),
  ('page_performance', 'first_paint_ms', 'ms'), ('page_performance', 'largest_paint_ms', 'ms'),
  ('page_performance', 'interaction_ms', 'ms'), ('page_performance', 'layout_shift', 'score'),
  ('server_performance', 'load_ms', 'ms'), ('job_completed', 'duration_ms', 'ms')
on conflict do nothing;

-- Numbers below 1e-9 count as zero, those above 1e15 as 1e15.
create or replace function audience_gate.histogram_bucket(value numeric)
returns integer
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return case
    when value < 1e-9 then -2000
    else ceil(ln(value::double precision) / ln(1.02::double precision))::integer
  end;
end;
$$;
comment on function audience_gate.histogram_bucket(numeric) is
  'The bucket of the histogram in which a number lies: the n-th ends at 1.02 to the power of n; -2000 is that of '
  'zero.';

-- A percentile is the value of the first bucket that has at least that share of the samples in it or below it.
create or replace function audience_gate.bucket_value(bucket integer)
returns numeric
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return case when bucket = -2000 then 0 else (2 * power(1.02::double precision, bucket) / 2.02)::numeric end;
end;
$$;
comment on function audience_gate.bucket_value(integer) is
  'The value that stands for a bucket of the histogram. It is within 1 % of each number in the bucket, and so is a '
  'nearest-rank percentile that is read from it.';

create or replace view audience_gate.measurements with (security_invoker = true) as
select
  n.site_id, n.created_at, n.at, n.event_type, n.measure, n.unit, n.value,
  audience_gate.histogram_bucket(n.value) as bucket
from (
  select
    e.site_id, e.created_at, coalesce(e.occurred_at, e.created_at) as at, e.event_type,
    m.metadata_key as measure, m.unit,
    case when jsonb_typeof(e.metadata -> m.metadata_key) = 'number'
      then least(greatest((e.metadata ->> m.metadata_key)::numeric, 0), 1e15) end as value
  from public.audience_events e
  join audience_gate.performance_measures m on m.event_type = e.event_type
  where not e.rejected
) n
where n.value is not null;
comment on view audience_gate.measurements is
  'The measurements in accepted events, each with its bucket of the histogram.';
comment on column audience_gate.measurements.site_id is 'The site.';
comment on column audience_gate.measurements.created_at is 'When the event was received.';
comment on column audience_gate.measurements.at is 'When it happened.';
comment on column audience_gate.measurements.event_type is 'The type of event.';
comment on column audience_gate.measurements.measure is 'The metadata key that holds the number.';
comment on column audience_gate.measurements.unit is 'Its unit.';
comment on column audience_gate.measurements.value is 'The number, from 0 to 1e15.';
comment on column audience_gate.measurements.bucket is
  'The bucket of the histogram; audience_gate.bucket_value() gives its value.';

create materialized view if not exists audience_gate.performance_daily as
select
  z.id as site_zone, (m.at at time zone z.time_zone)::date as day, m.event_type, m.measure, m.bucket,
  count(*)::bigint as samples, sum(m.value) as total, max(m.value) as maximum
from audience_gate.measurements m
join audience_gate.site_zones z on z.site_id = m.site_id
where m.created_at < (select s.covered_until from audience_gate.analytics_settings s)
group by 1, 2, 3, 4, 5
with data;
create unique index if not exists idx_performance_daily_key
  on audience_gate.performance_daily (site_zone, day, event_type, measure, bucket);
comment on materialized view audience_gate.performance_daily is
  'Measurements by site, local day and measure, as histograms that can be merged.';
comment on column audience_gate.performance_daily.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.performance_daily.day is 'The local day.';
comment on column audience_gate.performance_daily.event_type is 'The type of event.';
comment on column audience_gate.performance_daily.measure is 'The metadata key that holds the numbers.';
comment on column audience_gate.performance_daily.bucket is 'The bucket of the histogram.';
comment on column audience_gate.performance_daily.samples is 'How many numbers lie in it.';
comment on column audience_gate.performance_daily.total is 'Their sum.';
comment on column audience_gate.performance_daily.maximum is 'The largest of them.';

create or replace function audience_gate.kpi_performance(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text
)
returns table (
  period date, measure text, unit text, samples bigint, mean numeric, p50 numeric, p75 numeric, p95 numeric, p99
  numeric, max numeric
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
#variable_conflict use_column
declare
  r record;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, p_grain, 160);
  return query
  with cells as (
    select v.day, v.event_type, v.measure, v.bucket, v.samples, v.total, v.maximum
    from audience_gate.performance_daily v
    where v.site_zone = r.site_zone and v.day between r.first_day and r.last_day
    union all
    select (m.at at time zone p_zone)::date, m.event_type, m.measure, m.bucket, 1, m.value, m.value
    from audience_gate.measurements m
    where m.site_id = p_site and m.created_at >= r.covered_until
  ), placed as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, c.day::timestamp)::date end as period, c.*
    from cells c
    where c.day between r.first_day and r.last_day
  ), ranked as (
    -- Cells of one bucket are peers, so that each counts all of them.
    select p.*, sum(p.samples) over (named order by p.bucket) as upto, (sum(p.samples) over named)::double precision as everything
    from placed p
    window named as (partition by p.period, p.event_type, p.measure)
  ), summed as (
    select k.period, k.event_type, k.measure, sum(k.samples)::bigint as samples, sum(k.total) as total, max(k.maximum) as maximum,
      min(k.bucket) filter (where k.upto >= ceil(0.5 * k.everything)) as p50,
      min(k.bucket) filter (where k.upto >= ceil(0.75 * k.everything)) as p75,
      min(k.bucket) filter (where k.upto >= ceil(0.95 * k.everything)) as p95,
      min(k.bucket) filter (where k.upto >= ceil(0.99 * k.everything)) as p99
    from ranked k
    group by 1, 2, 3
  )
  select s.period, s.event_type || '.' || s.measure, u.unit, s.samples, round(s.total / s.samples, 6),
    least(round(audience_gate.bucket_value(s.p50), 6), s.maximum), least(round(audience_gate.bucket_value(s.p75), 6), s.maximum),
    least(round(audience_gate.bucket_value(s.p95), 6), s.maximum), least(round(audience_gate.bucket_value(s.p99), 6), s.maximum),
    s.maximum
  from summed s
  left join audience_gate.performance_measures u on u.event_type = s.event_type and u.metadata_key = s.measure
  order by s.period, 2;
end;
$$;
comment on function audience_gate.kpi_performance(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_performance() returns.';
comment on function audience_gate.kpi_performance(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_performance() returns.';
comment on function audience_gate.kpi_performance(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_performance() returns.';

create or replace function public.kpi_performance(
  site uuid, from_time timestamptz, to_time timestamptz, grain text default 'total', time_zone text default 'UTC'
)
returns table (
  period date, measure text, unit text, samples bigint, mean numeric, p50 numeric, p75 numeric, p95 numeric, p99
  numeric, max numeric
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_performance(site, from_time, to_time, grain, time_zone) $$;
comment on function public.kpi_performance(uuid, timestamptz, timestamptz, text, text)
is $$Performance: percentiles of the numbers that performance_measures names.
Grain: total, day, week or month, at most 160 periods, by measure.
Time zone: periods are local.
Source: performance_daily
period: first local day of the period
measure: event type and metadata key
unit: the unit of the measure
samples: count of measurements
mean: their exact mean
p50: nearest-rank median, within 1 % of the true one, from a histogram whose buckets grow by 2 %
p75: 75th percentile, likewise
p95: 95th percentile, likewise
p99: 99th percentile, likewise
max: the exact maximum$$;
