-- The cores of the reading functions about errors, performance, data quality and states.

create or replace function audience_gate.kpi_errors(p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text)
returns table (period date, event_type text, code text, events bigint, per_thousand numeric)
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
    select v.day, v.event_type, v.code, v.events
    from audience_gate.errors_daily v
    where v.site_zone = r.site_zone and v.day between r.first_day and r.last_day
    union all
    select (l.at at time zone p_zone)::date, l.event_type, l.code, 1
    from audience_gate.error_log l
    where l.site_id = p_site and l.created_at >= r.covered_until
  ), summed as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, c.day::timestamp)::date end as period,
      c.event_type, c.code, sum(c.events)::bigint as events
    from cells c
    where c.day between r.first_day and r.last_day
    group by 1, 2, 3
  ), beside as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, b.day::timestamp)::date end as period,
      sum(b.events) as events
    from (
      select v.day, v.events from audience_gate.engagement_by_tier v where v.site_zone = r.site_zone and v.tier = 'all'
      union all
      select (a.at at time zone p_zone)::date, 1
      from audience_gate.activity a
      where a.site_id = p_site and a.created_at >= r.covered_until
    ) b
    where b.day between r.first_day and r.last_day
    group by 1
  )
  select s.period, s.event_type, s.code, s.events, round(1000.0 * s.events / nullif(b.events, 0), 4)
  from summed s
  left join beside b on b.period = s.period
  order by s.period, s.events desc, s.event_type, s.code;
end;
$$;

create or replace function audience_gate.kpi_performance(p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text)
returns table (
  period date, measure text, unit text, samples bigint, mean numeric, p50 numeric, p75 numeric, p95 numeric, p99 numeric, max numeric
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

create or replace function audience_gate.kpi_data_quality(p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text)
returns table (period date, rule_id text, accepted bigint, rejected bigint, received bigint, rate numeric, share numeric)
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
    select v.day, v.rule_id, v.events
    from audience_gate.data_quality_by_rule v
    where v.site_zone = r.site_zone and v.day between r.first_day and r.last_day
    union all
    select (c.created_at at time zone p_zone)::date, c.rule_id, 1
    from audience_gate.receipts c
    where c.site_id = p_site and c.created_at >= r.covered_until
  ), placed as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, c.day::timestamp)::date end as period, c.rule_id, c.events
    from cells c
    where c.day between r.first_day and r.last_day
  ), whole as (
    select p.period, coalesce(sum(p.events) filter (where p.rule_id = ''), 0)::bigint as accepted,
      coalesce(sum(p.events) filter (where p.rule_id <> ''), 0)::bigint as rejected
    from placed p
    group by 1
  ), by_rule as (
    select p.period, p.rule_id, sum(p.events)::bigint as rejected
    from placed p
    where p.rule_id <> ''
    group by 1, 2
    union all
    select w.period, null, w.rejected from whole w
  )
  select w.period, b.rule_id, w.accepted, b.rejected, w.accepted + w.rejected,
    round(b.rejected::numeric / nullif(w.accepted + w.rejected, 0), 4), round(b.rejected::numeric / nullif(w.rejected, 0), 4)
  from whole w
  join by_rule b on b.period = w.period
  order by w.period, b.rule_id nulls first;
end;
$$;

create or replace function audience_gate.kpi_state_funnel(p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text)
returns table (from_state text, to_state text, transitions bigint, average_dwell_seconds numeric)
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
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  return query
  with cells as (
    select v.from_state, v.to_state, v.transitions, v.seconds
    from audience_gate.state_flow v
    where v.site_zone = r.site_zone and v.day between r.first_day and r.last_day
    union all
    select m.from_state, m.to_state, 1, m.stayed_seconds
    from audience_gate.state_moves m
    where m.site_id = p_site and m.changed_at >= r.covered_until
      and (m.at at time zone p_zone)::date between r.first_day and r.last_day
  )
  select nullif(c.from_state, ''), c.to_state, sum(c.transitions)::bigint,
    round(sum(c.seconds) / nullif(sum(c.transitions) filter (where c.seconds is not null), 0), 1)
  from cells c
  group by c.from_state, c.to_state
  order by c.from_state, c.to_state;
end;
$$;

create or replace function audience_gate.kpi_state_dwell(p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text)
returns table (state text, stays bigint, mean_seconds numeric, p50_seconds numeric, p90_seconds numeric)
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
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  return query
  with cells as (
    select v.state, v.bucket, v.stays, v.seconds
    from audience_gate.state_dwell v
    where v.site_zone = r.site_zone and v.day between r.first_day and r.last_day
    union all
    select y.state, y.bucket, 1, y.seconds
    from audience_gate.state_stays y
    where y.site_id = p_site and y.changed_at >= r.covered_until
      and (y.at at time zone p_zone)::date between r.first_day and r.last_day
  ), ranked as (
    select c.*, sum(c.stays) over (named order by c.bucket) as upto, (sum(c.stays) over named)::double precision as everything
    from cells c
    window named as (partition by c.state)
  ), summed as (
    select k.state, sum(k.stays)::bigint as stays, sum(k.seconds) as seconds,
      min(k.bucket) filter (where k.upto >= ceil(0.5 * k.everything)) as p50,
      min(k.bucket) filter (where k.upto >= ceil(0.9 * k.everything)) as p90
    from ranked k
    group by 1
  )
  select s.state, s.stays, round(s.seconds / s.stays, 1),
    round(audience_gate.bucket_value(s.p50), 1), round(audience_gate.bucket_value(s.p90), 1)
  from summed s
  order by s.state;
end;
$$;

create or replace function audience_gate.kpi_state_trend(p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text)
returns table (period date, state text, entered bigint, left_state bigint, people_at_end bigint)
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
    select v.day, v.from_state, v.to_state, v.transitions
    from audience_gate.state_flow v
    where v.site_zone = r.site_zone and v.day <= r.last_day
    union all
    select (m.at at time zone p_zone)::date, m.from_state, m.to_state, 1
    from audience_gate.state_moves m
    where m.site_id = p_site and m.changed_at >= r.covered_until
  ), moves as (
    -- What lies before the range is where its first period starts from.
    select case when c.day < r.first_day then '-infinity'::date when p_grain = 'total' then r.first_day
        else date_trunc(p_grain, c.day::timestamp)::date end as period,
      m.state, sum(m.entered * c.transitions)::bigint as entered, sum(m.gone * c.transitions)::bigint as gone
    from cells c
    cross join lateral (values (c.to_state, 1, 0), (c.from_state, 0, 1)) m (state, entered, gone)
    where c.day <= r.last_day and m.state <> ''
    group by 1, 2
  ), grid as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, d.day)::date end as period, s.id as state
    from generate_series(case p_grain when 'total' then r.last_day else r.first_day end::timestamp, r.last_day::timestamp, interval '1 day') d (day)
    cross join public.audience_states s
    union
    select '-infinity', s.id from public.audience_states s
  ), counted as (
    select g.period, g.state, coalesce(m.entered, 0) as entered, coalesce(m.gone, 0) as gone,
      sum(coalesce(m.entered, 0) - coalesce(m.gone, 0)) over (partition by g.state order by g.period)::bigint as people_at_end
    from grid g
    left join moves m on m.period = g.period and m.state = g.state
  )
  select c.period, c.state, c.entered, c.gone, c.people_at_end
  from counted c
  where c.period > '-infinity'
  order by c.period, c.state;
end;
$$;
