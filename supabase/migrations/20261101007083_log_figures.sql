-- Timings, read from their cells, and the views by which whoever asks the database itself reads those of errors, timings and
-- receipts.

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
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, p_grain, 160);
  return query
  with cells as (
    select * from audience_gate.timing_cells(p_site, r.site_zone, p_zone, r.views_hold, r.first_day, r.last_day)
  ), placed as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, c.day::timestamp)::date end as period, c.*
    from cells c
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

create materialized view audience_gate.errors_daily as select * from audience_gate.error_days with data;
create unique index idx_errors_daily_key on audience_gate.errors_daily (site_zone, day, event_type, code);
comment on materialized view audience_gate.errors_daily is
  'Errors by site, local day, event type and code.';
comment on column audience_gate.errors_daily.site_zone is 'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.errors_daily.day is 'The local day.';
comment on column audience_gate.errors_daily.event_type is 'The type of event.';
comment on column audience_gate.errors_daily.code is 'The code; empty: none was sent.';
comment on column audience_gate.errors_daily.events is 'How many errors.';

create materialized view audience_gate.performance_daily as select * from audience_gate.timing_days with data;
create unique index idx_performance_daily_key on audience_gate.performance_daily (site_zone, day, event_type, measure, bucket);
comment on materialized view audience_gate.performance_daily is
  'Measurements by site, local day and measure, as histograms that can be merged.';
comment on column audience_gate.performance_daily.site_zone is 'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.performance_daily.day is 'The local day.';
comment on column audience_gate.performance_daily.event_type is 'The type of event.';
comment on column audience_gate.performance_daily.measure is 'The metadata key that holds the numbers.';
comment on column audience_gate.performance_daily.bucket is 'The bucket of the histogram.';
comment on column audience_gate.performance_daily.samples is 'How many numbers lie in it.';
comment on column audience_gate.performance_daily.total is 'Their sum.';
comment on column audience_gate.performance_daily.maximum is 'The largest of them.';

create materialized view audience_gate.data_quality_by_rule as select * from audience_gate.receipt_slots with data;
create unique index idx_data_quality_by_rule_key on audience_gate.data_quality_by_rule (site_id, slot, rule_id);
comment on materialized view audience_gate.data_quality_by_rule is
  'Events received, by site and by slot of fifteen minutes: accepted (rule_id empty), rejected by each rule, and those '
  'that nobody has judged (rule_id unjudged).';
comment on column audience_gate.data_quality_by_rule.site_id is 'The site.';
comment on column audience_gate.data_quality_by_rule.slot is 'When the fifteen minutes began.';
comment on column audience_gate.data_quality_by_rule.rule_id is 'The rule; empty: accepted; unjudged: not judged yet.';
comment on column audience_gate.data_quality_by_rule.events is 'How many events.';

do $$
declare
  made text;
begin
  foreach made in array array['errors_daily', 'performance_daily', 'data_quality_by_rule'] loop
    execute format('alter materialized view audience_gate.%I owner to audience_gate_owner', made);
    execute format('revoke all on audience_gate.%I from public, anon, authenticated, service_role', made);
  end loop;
end $$;
