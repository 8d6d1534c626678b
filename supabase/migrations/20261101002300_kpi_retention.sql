-- Retention: people are grouped by the local day or ISO week in which they were first active, and counted in
-- each later one in which they were active again.

create materialized view if not exists audience_gate.retention_cohorts as
with periods as (
  select d.site_zone, 'day' as grain, d.person, d.day as period, 1 as days from audience_gate.person_days d
  union all
  select distinct d.site_zone, 'week', d.person, date_trunc('week', d.day::timestamp)::date, 7 from audience_gate.person_days d
), placed as (
  select p.*, min(p.period) over (partition by p.site_zone, p.grain, p.person) as cohort from periods p
)
select p.site_zone, p.grain, p.cohort, (p.period - p.cohort) / p.days as later, count(*)::bigint as people
from placed p
group by 1, 2, 3, 4
with data;
create unique index if not exists idx_retention_cohorts_key on audience_gate.retention_cohorts (site_zone, grain, cohort, later);
comment on materialized view audience_gate.retention_cohorts is
  'People by site, by the local day or ISO week in which they were first active (the cohort), and by how many days '
  'or weeks later they were active again.';
comment on column audience_gate.retention_cohorts.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.retention_cohorts.grain is 'day or week.';
comment on column audience_gate.retention_cohorts.cohort is
  'The first local day of the day or week in which they were first active.';
comment on column audience_gate.retention_cohorts.later is 'How many days or weeks later.';
comment on column audience_gate.retention_cohorts.people is 'How many of them were active then.';

create or replace function audience_gate.retention_tail(
  p_site uuid, p_site_zone integer, p_time_zone text, p_covered_until timestamptz, p_grain text
)
returns table (cohort date, later integer, people bigint)
language sql
stable
set search_path = ''
as $$
  with periods as (
    select distinct d.revision, d.person, date_trunc(p_grain, d.day::timestamp)::date as period
    from audience_gate.person_days_tail(p_site, p_site_zone, p_time_zone, p_covered_until) d
  ), placed as (
    select p.*, min(p.period) over (partition by p.revision, p.person) as cohort from periods p
  )
  select p.cohort, (p.period - p.cohort) / case p_grain when 'week' then 7 else 1 end, sum(p.revision)::bigint
  from placed p
  group by 1, 2
$$;
comment on function audience_gate.retention_tail(uuid, integer, text, timestamptz, text) is
  'What the live tail changes in retention_cohorts.';

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
comment on function audience_gate.kpi_retention(uuid, timestamptz, timestamptz, text, text, integer) is
  'Computes what public.kpi_retention() returns.';
comment on function audience_gate.kpi_retention(uuid, timestamptz, timestamptz, text, text, integer) is
  'Computes what public.kpi_retention() returns.';
comment on function audience_gate.kpi_retention(uuid, timestamptz, timestamptz, text, text, integer) is
  'Computes what public.kpi_retention() returns.';

create or replace function public.kpi_retention(
  site uuid, from_time timestamptz, to_time timestamptz, grain text default 'week', time_zone text default 'UTC',
  periods integer default 12
)
returns table (cohort date, people bigint, retained bigint[], rates numeric[])
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_retention(site, from_time, to_time, grain, time_zone, periods) $$;
comment on function public.kpi_retention(uuid, timestamptz, timestamptz, text, text, integer)
is $$Retention: how many of the people first active in a day or week were active in each later one.
Grain: day or week (from Monday), one row for each cohort that begins in the range; the week in which the range begins is included.
Time zone: days and weeks are local.
Source: retention_cohorts
cohort: first local day of the cohort's day or week
people: people whose first activity ever lies in it
retained: people of the cohort active 0, 1, 2 … days or weeks later, up to periods and as far as they have begun
rates: retained / people$$;
