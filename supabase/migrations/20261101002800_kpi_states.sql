-- How the audience moves through its states: transitions, time spent in each state, and the trend. History is
-- append-only, so a transition never changes once it is written, and the live tail is simply added.

create or replace view audience_gate.state_moves with (security_invoker = true) as
select
  e.site_id, e.changed_at, e.effective_at as at, coalesce(e.from_state, '') as from_state, e.to_state,
  case when p.effective_at is not null then greatest(extract(epoch from e.effective_at - p.effective_at), 0) end as stayed_seconds
from public.audience_state_events e
left join lateral (
  select b.effective_at
  from public.audience_state_events b
  where b.user_id = e.user_id and b.site_id = e.site_id and b.id < e.id
  order by b.id desc
  limit 1
) p on true
where e.site_id is not null;
comment on view audience_gate.state_moves is
  'The changes of state at sites, each with the time spent in the state before; null for a first state.';
comment on column audience_gate.state_moves.site_id is 'The site.';
comment on column audience_gate.state_moves.changed_at is 'When the change was made.';
comment on column audience_gate.state_moves.at is 'From when it holds.';
comment on column audience_gate.state_moves.from_state is 'The state before; empty for a first state.';
comment on column audience_gate.state_moves.to_state is 'The state after.';
comment on column audience_gate.state_moves.stayed_seconds is
  'How long the state before had lasted; null for a first state.';

create materialized view if not exists audience_gate.state_flow as
select
  z.id as site_zone, (m.at at time zone z.time_zone)::date as day, m.from_state, m.to_state,
  count(*)::bigint as transitions, sum(m.stayed_seconds) as seconds
from audience_gate.state_moves m
join audience_gate.site_zones z on z.site_id = m.site_id
where m.changed_at < (select s.covered_until from audience_gate.analytics_settings s)
group by 1, 2, 3, 4
with data;
create unique index if not exists idx_state_flow_key on audience_gate.state_flow (site_zone, day, from_state, to_state);
comment on materialized view audience_gate.state_flow is
  'Transitions by site, local day, state before (empty for a first state) and state after, with the seconds spent '
  'in the state before.';
comment on column audience_gate.state_flow.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.state_flow.day is 'The local day from which the changes hold.';
comment on column audience_gate.state_flow.from_state is 'The state before; empty for a first state.';
comment on column audience_gate.state_flow.to_state is 'The state after.';
comment on column audience_gate.state_flow.transitions is 'How many changes.';
comment on column audience_gate.state_flow.seconds is 'The sum of the seconds spent in the state before.';

create or replace view audience_gate.state_stays with (security_invoker = true) as
select
  m.site_id, m.changed_at, m.at, m.from_state as state, m.stayed_seconds as seconds,
  audience_gate.histogram_bucket(m.stayed_seconds) as bucket
from audience_gate.state_moves m
where m.stayed_seconds is not null;
comment on view audience_gate.state_stays is 'The completed stays in states, each with its bucket of the histogram.';
comment on column audience_gate.state_stays.site_id is 'The site.';
comment on column audience_gate.state_stays.changed_at is 'When the change that ended the stay was made.';
comment on column audience_gate.state_stays.at is 'When the stay ended.';
comment on column audience_gate.state_stays.state is 'The state.';
comment on column audience_gate.state_stays.seconds is 'How long the stay lasted.';
comment on column audience_gate.state_stays.bucket is 'The bucket of the histogram.';

create materialized view if not exists audience_gate.state_dwell as
select
  z.id as site_zone, (y.at at time zone z.time_zone)::date as day, y.state, y.bucket,
  count(*)::bigint as stays, sum(y.seconds) as seconds
from audience_gate.state_stays y
join audience_gate.site_zones z on z.site_id = y.site_id
where y.changed_at < (select s.covered_until from audience_gate.analytics_settings s)
group by 1, 2, 3, 4
with data;
create unique index if not exists idx_state_dwell_key on audience_gate.state_dwell (site_zone, day, state, bucket);
comment on materialized view audience_gate.state_dwell is
  'Completed stays by site, by the local day on which they ended, and by state, as histograms of seconds that can '
  'be merged.';
comment on column audience_gate.state_dwell.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.state_dwell.day is 'The local day on which the stays ended.';
comment on column audience_gate.state_dwell.state is 'The state.';
comment on column audience_gate.state_dwell.bucket is 'The bucket of the histogram.';
comment on column audience_gate.state_dwell.stays is 'How many stays lie in it.';
comment on column audience_gate.state_dwell.seconds is 'The sum of their seconds.';

create or replace function audience_gate.kpi_state_funnel(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text
)
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
comment on function audience_gate.kpi_state_funnel(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_state_funnel() returns.';
comment on function audience_gate.kpi_state_funnel(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_state_funnel() returns.';
comment on function audience_gate.kpi_state_funnel(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_state_funnel() returns.';

create or replace function public.kpi_state_funnel(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC'
)
returns table (from_state text, to_state text, transitions bigint, average_dwell_seconds numeric)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_state_funnel(site, from_time, to_time, time_zone) $$;
comment on function public.kpi_state_funnel(uuid, timestamptz, timestamptz, text)
is $$State funnel: how many changes there were from each state to the next.
Grain: one row for each pair of states.
Time zone: decides which local days the range touches; a change counts on the day from which it holds.
Source: state_flow
from_state: the state before; null: the first state of a person
to_state: the state after
transitions: count of changes
average_dwell_seconds: mean time that had been spent in from_state$$;

create or replace function audience_gate.kpi_state_dwell(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text
)
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
comment on function audience_gate.kpi_state_dwell(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_state_dwell() returns.';
comment on function audience_gate.kpi_state_dwell(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_state_dwell() returns.';
comment on function audience_gate.kpi_state_dwell(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_state_dwell() returns.';

create or replace function public.kpi_state_dwell(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC'
)
returns table (state text, stays bigint, mean_seconds numeric, p50_seconds numeric, p90_seconds numeric)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_state_dwell(site, from_time, to_time, time_zone) $$;
comment on function public.kpi_state_dwell(uuid, timestamptz, timestamptz, text)
is $$State dwell: how long people stay in a state before they leave it.
Grain: one row for each state left in the range.
Time zone: decides which local days the range touches; a stay counts on the day on which it ended.
Source: state_dwell
state: the state that was left
stays: count of completed stays
mean_seconds: their exact mean
p50_seconds: their median, within 1 %
p90_seconds: their 90th percentile, within 1 %$$;

create or replace function audience_gate.kpi_state_trend(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text
)
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
    -- What lies before the range is where the first period starts from.
    select case when c.day < r.first_day then '-infinity'::date when p_grain = 'total' then r.first_day
        else date_trunc(p_grain, c.day::timestamp)::date end as period,
      m.state, sum(m.entered * c.transitions)::bigint as entered, sum(m.gone * c.transitions)::bigint as gone
    from cells c
    cross join lateral (values (c.to_state, 1, 0), (c.from_state, 0, 1)) m (state, entered, gone)
    where c.day <= r.last_day and m.state <> ''
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
comment on function audience_gate.kpi_state_trend(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_state_trend() returns.';
comment on function audience_gate.kpi_state_trend(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_state_trend() returns.';
comment on function audience_gate.kpi_state_trend(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_state_trend() returns.';

create or replace function public.kpi_state_trend(
  site uuid, from_time timestamptz, to_time timestamptz, grain text default 'day', time_zone text default 'UTC'
)
returns table (period date, state text, entered bigint, left_state bigint, people_at_end bigint)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_state_trend(site, from_time, to_time, grain, time_zone) $$;
comment on function public.kpi_state_trend(uuid, timestamptz, timestamptz, text, text)
is $$State trend: how many people are in each state.
Grain: total, day, week or month, at most 160 periods, by state; every period and state has a row.
Time zone: periods are local.
Source: state_flow
period: first local day of the period
state: a state of public.audience_states
entered: changes into it in the period
left_state: changes out of it in the period
people_at_end: all changes into it up to the end of the period - all changes out of it$$;
