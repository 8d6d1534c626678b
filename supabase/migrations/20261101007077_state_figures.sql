-- The figures of states, read from their cells.

create or replace function audience_gate.kpi_state_funnel(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text
)
returns table (from_state text, to_state text, transitions bigint, average_dwell_seconds numeric)
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
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  return query
  with cells as (
    select * from audience_gate.flow_cells(p_site, r.site_zone, p_zone, r.views_hold, r.first_day, r.last_day)
  )
  select nullif(c.from_state, ''), c.to_state, sum(c.transitions)::bigint,
    round(sum(c.seconds) / nullif(sum(c.stays), 0), 1)
  from cells c
  group by c.from_state, c.to_state
  order by c.from_state, c.to_state;
end;
$$;

create or replace function audience_gate.kpi_state_dwell(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text
)
returns table (state text, stays bigint, mean_seconds numeric, p50_seconds numeric, p90_seconds numeric)
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
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  return query
  with cells as (
    select * from audience_gate.stay_cells(p_site, r.site_zone, p_zone, r.views_hold, r.first_day, r.last_day)
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

create or replace function audience_gate.kpi_state_trend(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text
)
returns table (period date, state text, entered bigint, left_state bigint, people_at_end bigint)
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
    select * from audience_gate.flow_cells(p_site, r.site_zone, p_zone, r.views_hold, '-infinity', r.last_day)
  ), moves as (
    -- What lies before the range is where the first period starts from.
    select case when c.day < r.first_day then '-infinity'::date when p_grain = 'total' then r.first_day
        else date_trunc(p_grain, c.day::timestamp)::date end as period,
      m.state, sum(m.entered * c.transitions)::bigint as entered, sum(m.gone * c.transitions)::bigint as gone
    from cells c
    cross join lateral (values (c.to_state, 1, 0), (c.from_state, 0, 1)) m (state, entered, gone)
    where m.state <> ''
    group by 1, 2
  ), grid as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, d.day)::date end as period, s.id as state
    from generate_series(
      case p_grain when 'total' then r.last_day else r.first_day end::timestamp, r.last_day::timestamp, interval '1 day'
    ) d (day)
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

create materialized view audience_gate.state_flow as 
  select f.site_zone, f.day, f.from_state, f.to_state, f.transitions, case when f.stays > 0 then f.seconds end as seconds
  from audience_gate.flow_days f
 with data;
create unique index idx_state_flow_key on audience_gate.state_flow (site_zone, day, from_state, to_state);
comment on materialized view audience_gate.state_flow is
  'Transitions by site, local day, state before (empty for a first state) and state after, with the seconds spent '
  'in the state before.';
comment on column audience_gate.state_flow.site_zone is 'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.state_flow.day is 'The local day from which the changes hold.';
comment on column audience_gate.state_flow.from_state is 'The state before; empty for a first state.';
comment on column audience_gate.state_flow.to_state is 'The state after.';
comment on column audience_gate.state_flow.transitions is 'How many changes.';
comment on column audience_gate.state_flow.seconds is 'The sum of the seconds spent in the state before.';

create materialized view audience_gate.state_dwell as select * from audience_gate.stay_days with data;
create unique index idx_state_dwell_key on audience_gate.state_dwell (site_zone, day, state, bucket);
comment on materialized view audience_gate.state_dwell is
  'Completed stays by site, by the local day on which they ended, and by state, as histograms of seconds that can '
  'be merged.';
comment on column audience_gate.state_dwell.site_zone is 'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.state_dwell.day is 'The local day on which the stays ended.';
comment on column audience_gate.state_dwell.state is 'The state.';
comment on column audience_gate.state_dwell.bucket is 'The bucket of the histogram.';
comment on column audience_gate.state_dwell.stays is 'How many stays lie in it.';
comment on column audience_gate.state_dwell.seconds is 'The sum of their seconds.';

do $$
declare
  made text;
begin
  foreach made in array array['state_flow', 'state_dwell'] loop
    execute format('alter materialized view audience_gate.%I owner to audience_gate_owner', made);
    execute format('revoke all on audience_gate.%I from public, anon, authenticated, service_role', made);
  end loop;
end $$;
