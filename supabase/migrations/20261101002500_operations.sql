-- Errors, performance and data quality: numbers that add up, so the live tail is simply added.

create or replace view audience_gate.error_log with (security_invoker = true) as
select
  e.site_id, e.created_at, coalesce(e.occurred_at, e.created_at) as at, e.event_type,
  coalesce(e.metadata ->> x.code_key, '') as code
from public.audience_events e
join audience_gate.error_events x on x.event_type = e.event_type
where not e.rejected;
comment on view audience_gate.error_log is 'Accepted events that count as errors, with their code.';

create materialized view audience_gate.errors_daily as
select z.id as site_zone, l.event_type, l.code, (l.at at time zone z.time_zone)::date as day, count(*)::bigint as events
from audience_gate.error_log l
join audience_gate.site_zones z on z.site_id = l.site_id
where l.created_at < (select s.covered_until from audience_gate.analytics_settings s)
group by 1, 2, 3, 4
with data;
create unique index errors_daily_key on audience_gate.errors_daily (site_zone, day, event_type, code);
comment on materialized view audience_gate.errors_daily is 'Errors per site, local day, event type and code.';

-- A histogram whose buckets grow by 2 %: two of them merge by adding, and any percentile read from
-- it is within 1 % of the true one. Numbers below 1e-9 are counted as zero, above 1e15 as 1e15.
create or replace view audience_gate.measurements with (security_invoker = true) as
select
  n.site_id, n.created_at, n.at, n.event_type, n.measure, n.unit, n.value,
  case when n.value < 1e-9 then -2000 else ceil(ln(n.value::double precision) / ln(1.02::double precision))::integer end as bucket
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
comment on view audience_gate.measurements is 'Every measurement in an accepted event, with its histogram bucket.';

create materialized view audience_gate.performance_daily as
select
  z.id as site_zone, (m.at at time zone z.time_zone)::date as day, m.event_type, m.measure, m.bucket,
  count(*)::bigint as samples, sum(m.value) as total, max(m.value) as maximum
from audience_gate.measurements m
join audience_gate.site_zones z on z.site_id = m.site_id
where m.created_at < (select s.covered_until from audience_gate.analytics_settings s)
group by 1, 2, 3, 4, 5
with data;
create unique index performance_daily_key on audience_gate.performance_daily (site_zone, day, event_type, measure, bucket);
comment on materialized view audience_gate.performance_daily is
  'Measurements per site, local day and measure, as a mergeable histogram.';

-- A percentile is the value of the first bucket that so many of the samples lie in or below.
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
  'The value that stands for a histogram bucket: within 1 % of every number in it, and so is the nearest-rank percentile read from it.';

create or replace view audience_gate.receipts with (security_invoker = true) as
select
  e.site_id, e.created_at,
  case when e.rejected then coalesce(e.metadata ->> 'validation_rule_id', 'unknown') else '' end as rule_id
from public.audience_events e;
comment on view audience_gate.receipts is 'Every event as received: accepted (rule_id empty) or rejected by a rule.';

create materialized view audience_gate.data_quality_by_rule as
select
  z.id as site_zone, r.rule_id, (r.created_at at time zone z.time_zone)::date as day,
  count(*)::bigint as events, max(r.created_at) as last_at
from audience_gate.receipts r
join audience_gate.site_zones z on z.site_id = r.site_id
where r.created_at < (select s.covered_until from audience_gate.analytics_settings s)
group by 1, 2, 3
with data;
create unique index data_quality_by_rule_key on audience_gate.data_quality_by_rule (site_zone, day, rule_id);
comment on materialized view audience_gate.data_quality_by_rule is
  'Events received per site and local day of receipt: accepted (rule_id empty), and rejected by each rule.';
