-- The cores of the reading functions about people. Each checks who asks, reads its view and adds the
-- live tail; the functions of the API in public call them.

create or replace function audience_gate.kpi_range(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text, p_grain text, p_most integer,
  out first_day date, out last_day date, out site_zone integer, out covered_until timestamptz
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
begin
  if not coalesce(audience_gate.can_read_site(p_site), false) then
    raise exception 'the figures of this site are for its members'
      using errcode = '42501', hint = 'Have the user added to public.audience_site_members, or use the secret key.';
  end if;
  if p_from is null or p_to is null or p_from >= p_to or not isfinite(p_from) or not isfinite(p_to) then
    raise exception 'from_time must be before to_time' using errcode = '22023', hint = 'Send two finite points in time.';
  end if;
  if p_grain is null or p_grain not in ('total', 'day', 'week', 'month') then
    raise exception 'this grain is not known' using errcode = '22023', hint = 'Send total, day, week or month.';
  end if;
  first_day := (p_from at time zone p_zone)::date;
  last_day := ((p_to - interval '1 microsecond') at time zone p_zone)::date;
  if p_grain <> 'total' and (last_day - first_day) / (case p_grain when 'day' then 1 when 'week' then 7 else 28 end) >= p_most then
    raise exception 'the range has more than % periods', p_most using errcode = '22023', hint = 'Send a coarser grain or a shorter range.';
  end if;
  select z.id, z.covered_until into site_zone, covered_until
  from audience_gate.site_zones z
  where z.site_id = p_site and z.time_zone = p_zone;
  -- Without a view everything is tail.
  covered_until := coalesce(covered_until, '-infinity');
end;
$$;
comment on function audience_gate.kpi_range(uuid, timestamptz, timestamptz, text, text, integer) is
  'A reading function answers members of the site and back ends; anybody else is refused with SQLSTATE 42501, arguments that make no sense with 22023. A range is widened to the whole local days it touches, the last being the one that to_time ends in. Rates are fractions of 1, null where there is nothing to divide by.';

create or replace function audience_gate.kpi_engagement(p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text)
returns table (period date, tier text, events bigint, people bigint, events_per_person numeric, engaged_seconds numeric, score numeric)
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
    select v.tier, v.day, v.previous_day, v.people, v.events, v.seconds, v.score
    from audience_gate.engagement_by_tier v
    where v.site_zone = r.site_zone and v.day between r.first_day and r.last_day
    union all
    select t.* from audience_gate.engagement_tail(p_site, r.site_zone, p_zone, r.covered_until) t
    where t.day between r.first_day and r.last_day
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

create or replace function audience_gate.kpi_feature_adoption(p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text)
returns table (
  event_type text, category text, tier text, events bigint, people bigint, active_people bigint, adoption_rate numeric,
  new_people bigint, first_day date, last_day date
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
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  return query
  with cells as (
    select v.event_type, v.day, v.previous_day, v.people, v.events
    from audience_gate.feature_adoption v
    where v.site_zone = r.site_zone and v.day between r.first_day and r.last_day
    union all
    -- Whoever did anything, as the type null.
    select null, v.day, v.previous_day, v.people, v.events
    from audience_gate.engagement_by_tier v
    where v.site_zone = r.site_zone and v.tier = 'all' and v.day between r.first_day and r.last_day
    union all
    select t.* from audience_gate.feature_tail(p_site, r.site_zone, p_zone, r.covered_until) t
    where t.day between r.first_day and r.last_day
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

create or replace function audience_gate.kpi_funnel(p_site uuid, p_from timestamptz, p_to timestamptz, p_funnel text, p_zone text)
returns table (
  "position" smallint, step text, event_type text, people bigint, rate_from_start numeric, rate_from_previous numeric,
  dropped bigint, average_seconds numeric
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
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  if not exists (select from audience_gate.funnel_steps f where f.site_id = p_site and f.funnel_id = p_funnel) then
    raise exception 'the site has no funnel of this name' using errcode = '22023', hint = 'kpi_funnels lists them.';
  end if;
  return query
  with cells as (
    select v.day, v.previous_day, v.position, v.people, v.seconds
    from audience_gate.conversion_funnel v
    where v.site_zone = r.site_zone and v.funnel_id = p_funnel and v.day between r.first_day and r.last_day
    union all
    select t.day, t.previous_day, t.position, t.people, t.seconds
    from audience_gate.funnel_tail(p_site, p_zone, r.covered_until) t
    where t.funnel_id = p_funnel and t.day between r.first_day and r.last_day
  ), reached as (
    select f.position, f.name, f.event_type, coalesce(sum(c.people), 0)::bigint as people, sum(c.seconds) as seconds
    from audience_gate.funnel_steps f
    left join cells c on c.position = f.position and c.previous_day < r.first_day
    where f.site_id = p_site and f.funnel_id = p_funnel
    group by 1, 2, 3
  )
  select s.position, s.name, s.event_type, s.people,
    round(s.people::numeric / nullif(first_value(s.people) over steps, 0), 4),
    round(s.people::numeric / nullif(lag(s.people) over steps, 0), 4),
    coalesce(lag(s.people) over steps - s.people, 0),
    round(s.seconds / nullif(s.people, 0), 1)
  from reached s
  window steps as (order by s.position)
  order by s.position;
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
as $$
#variable_conflict use_column
declare
  r record;
  days integer;
  today date;
begin
  if p_grain is null or p_grain not in ('day', 'week') then
    raise exception 'this grain is not known' using errcode = '22023', hint = 'Send day or week.';
  end if;
  if p_periods is null or p_periods not between 0 and 400 then
    raise exception 'periods must be between 0 and 400' using errcode = '22023', hint = 'Send fewer.';
  end if;
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, p_grain, 400);
  days := case p_grain when 'week' then 7 else 1 end;
  today := (now() at time zone p_zone)::date;
  return query
  with cells as (
    select v.cohort, v.later, v.people
    from audience_gate.retention_cohorts v
    where v.site_zone = r.site_zone and v.grain = p_grain
      and v.cohort between date_trunc(p_grain, r.first_day::timestamp)::date and r.last_day and v.later <= p_periods
    union all
    select t.* from audience_gate.retention_tail(p_site, r.site_zone, p_zone, r.covered_until, p_grain) t
    where t.cohort between date_trunc(p_grain, r.first_day::timestamp)::date and r.last_day and t.later <= p_periods
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
