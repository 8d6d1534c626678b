-- Retention: people grouped by the local day or ISO week they were first active in, and how many
-- of them were active in each later one.

create materialized view audience_gate.retention_cohorts as
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
create unique index retention_cohorts_key on audience_gate.retention_cohorts (site_zone, grain, cohort, later);
comment on materialized view audience_gate.retention_cohorts is
  'People per site, first active local day or ISO week (cohort), and number of days or weeks later in which they were active again.';

create or replace function audience_gate.retention_tail(p_site uuid, p_site_zone integer, p_time_zone text, p_covered_until timestamptz, p_grain text)
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
comment on function audience_gate.retention_tail(uuid, integer, text, timestamptz, text) is 'What the live tail changes in retention_cohorts.';
