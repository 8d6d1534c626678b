-- The figures about people, read from their cells.

create or replace function audience_gate.kpi_engagement(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text
)
returns table (
  period date, tier text, events bigint, people bigint, events_per_person numeric, engaged_seconds numeric, score
  numeric
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
  fresh audience_gate.tail_event[];
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, p_grain, 160);
  fresh := audience_gate.live_tail(p_site);
  return query
  with cells as (
    select * from audience_gate.engagement_cells(
      p_site, r.site_zone, p_zone, r.views_hold, p_grain,
      array(select distinct t.tier from public.audience_event_types t) || 'all'::text, r.first_day, r.last_day)
    union all
    select t.name, t.day, t.previous_day, t.people, t.events, t.seconds, t.score
    from audience_gate.activity_days_tail(p_site, r.views_hold, fresh, '{tier}', p_zone, r.first_day, r.last_day) t
  ), placed as (
    select c.*, case p_grain when 'total' then r.first_day else date_trunc(p_grain, c.day::timestamp)::date end as period
    from cells c
  ), summed as (
    select p.period, p.tier, sum(p.events)::bigint as events,
      (sum(p.people) filter (where p.previous_day < greatest(p.period, r.first_day)))::bigint as people,
      sum(p.seconds) as seconds, sum(p.score) as score
    from placed p
    group by 1, 2
  )
  select s.period, s.tier, s.events, s.people, round(s.events::numeric / nullif(s.people, 0), 2), s.seconds, s.score
  from summed s
  where s.events > 0
  order by s.period, (s.tier <> 'all'), s.tier;
end;
$$;

create or replace function audience_gate.kpi_feature_adoption(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text
)
returns table (
  event_type text, category text, tier text, events bigint, people bigint, active_people bigint, adoption_rate
  numeric, new_people bigint, first_day date, last_day date
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
  fresh audience_gate.tail_event[];
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  fresh := audience_gate.live_tail(p_site);
  return query
  with tail as materialized (
    select * from audience_gate.activity_days_tail(p_site, r.views_hold, fresh, '{type}', p_zone, r.first_day, r.last_day)
  ), cells as (
    select * from audience_gate.feature_cells(p_site, r.site_zone, p_zone, r.views_hold, r.first_day, r.last_day)
    union all
    select case t.kind when 'type' then t.name end, t.day, t.previous_day, t.people, t.events from tail t
    union all
    -- Everybody who did anything, as the type null.
    select null, v.day, v.previous_day, v.people, v.events
    from audience_gate.engagement_cells(
      p_site, r.site_zone, p_zone, r.views_hold, 'total', array['all'], r.first_day, r.last_day) v
  ), summed as (
    select c.event_type, sum(c.events)::bigint as events,
      (sum(c.people) filter (where c.previous_day < r.first_day))::bigint as people,
      coalesce(sum(c.people) filter (where c.previous_day = '-infinity'), 0)::bigint as new_people,
      min(c.day) as first_day, max(c.day) as last_day
    from cells c
    group by 1
  )
  select s.event_type, t.category, t.tier, s.events, s.people, active.people, round(s.people::numeric / nullif(active.people, 0), 4),
    s.new_people, s.first_day, s.last_day
  from summed s
  join summed active on active.event_type is null
  join public.audience_event_types t on t.id = s.event_type
  where s.events > 0
  order by s.people desc, s.event_type;
end;
$$;

create or replace function audience_gate.kpi_retention(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text, p_periods integer)
returns table (cohort date, people bigint, retained bigint[], rates numeric[])
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
  days integer;
  today date;
  fresh audience_gate.tail_event[];
begin
  if p_grain is null or p_grain not in ('day', 'week') then
    raise exception 'this grain is not known' using errcode = '22023', hint = 'Send day or week.';
  end if;
  if p_periods is null or p_periods not between 0 and 400 then
    raise exception 'periods must be between 0 and 400' using errcode = '22023', hint = 'Send fewer.';
  end if;
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, p_grain, 400);
  fresh := audience_gate.live_tail(p_site);
  days := case p_grain when 'week' then 7 else 1 end;
  today := (now() at time zone p_zone)::date;
  return query
  with cells as (
    select c.* from audience_gate.retention_cells(
      p_site, r.site_zone, p_zone, r.views_hold, p_grain, r.first_day, r.last_day, p_periods, fresh) c
  ), summed as (
    select c.cohort, c.later, sum(c.people)::bigint as people from cells c group by 1, 2
  ), sizes as (
    select s.cohort, s.people from summed s where s.later = 0 and s.people > 0
  )
  select z.cohort, z.people, array_agg(coalesce(s.people, 0) order by l.later),
    array_agg(round(coalesce(s.people, 0)::numeric / z.people, 4) order by l.later)
  from sizes z
  cross join lateral generate_series(0, least(p_periods, greatest((today - z.cohort) / days, 0))) l (later)
  left join summed s on s.cohort = z.cohort and s.later = l.later
  group by 1, 2
  order by 1;
end;
$$;

create or replace function audience_gate.kpi_errors(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text
)
returns table (period date, event_type text, code text, events bigint, per_thousand numeric)
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
  fresh audience_gate.tail_event[];
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, p_grain, 160);
  fresh := audience_gate.live_tail(p_site);
  return query
  with cells as (
    select * from audience_gate.error_cells(p_site, r.site_zone, p_zone, r.views_hold, r.first_day, r.last_day)
  ), summed as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, c.day::timestamp)::date end as period,
      c.event_type, c.code, sum(c.events)::bigint as events
    from cells c
    group by 1, 2, 3
  ), whole as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, b.day::timestamp)::date end as period,
      sum(b.events) as events
    from (
      select c.day, c.events
      from audience_gate.engagement_cells(
        p_site, r.site_zone, p_zone, r.views_hold, p_grain, array['all'], r.first_day, r.last_day) c
      union all
      select t.day, t.events
      from audience_gate.activity_days_tail(p_site, r.views_hold, fresh, '{}', p_zone, r.first_day, r.last_day) t
    ) b
    group by 1
  )
  select s.period, s.event_type, s.code, s.events, round(1000.0 * s.events / nullif(b.events, 0), 4)
  from summed s
  left join whole b on b.period = s.period
  order by s.period, s.events desc, s.event_type, s.code;
end;
$$;
