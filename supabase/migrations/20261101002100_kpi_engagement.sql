-- Engagement by tier.
--
-- Distinct people cannot be added up over days. "Seen on this day, and on that day before it" can: a person
-- counts in a period on the day whose previous day lies before the period. One small view of such pairs
-- answers for any period exactly.

create materialized view if not exists audience_gate.engagement_by_tier as
with by_tier as (
  select d.site_zone, d.person, d.day, t.tier,
    sum(d.events) as events, sum(d.seconds) as seconds, sum(d.events * t.score_weight) as score
  from audience_gate.person_day_types d
  join public.audience_event_types t on t.id = d.event_type
  group by 1, 2, 3, 4
), by_day as (
  select b.site_zone, b.person, b.tier, b.day, b.events, b.seconds, b.score from by_tier b
  union all
  select b.site_zone, b.person, 'all', b.day, sum(b.events), sum(b.seconds), sum(b.score) from by_tier b group by 1, 2, 4
), seen as (
  select b.*, lag(b.day, 1, '-infinity'::date) over (partition by b.site_zone, b.person, b.tier order by b.day) as previous_day
  from by_day b
)
select
  s.site_zone, s.tier, s.day, s.previous_day,
  count(*)::bigint as people, sum(s.events)::bigint as events, sum(s.seconds) as seconds, sum(s.score) as score
from seen s
group by 1, 2, 3, 4
with data;
create unique index if not exists idx_engagement_by_tier_key on audience_gate.engagement_by_tier (site_zone, tier, day, previous_day);
create index if not exists idx_engagement_by_tier_day on audience_gate.engagement_by_tier (site_zone, day);
comment on materialized view audience_gate.engagement_by_tier is
  'Engagement by site, local day and tier, split by the day on which each person was last seen before. The tier all '
  'is over all tiers.';
comment on column audience_gate.engagement_by_tier.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.engagement_by_tier.tier is 'The tier, or all.';
comment on column audience_gate.engagement_by_tier.day is 'The local day.';
comment on column audience_gate.engagement_by_tier.previous_day is
  'The day on which these people were last seen before; -infinity: never.';
comment on column audience_gate.engagement_by_tier.people is 'How many people.';
comment on column audience_gate.engagement_by_tier.events is 'How many events they caused on the day.';
comment on column audience_gate.engagement_by_tier.seconds is 'The sum of the durations.';
comment on column audience_gate.engagement_by_tier.score is 'The sum of the score weights.';

create or replace function audience_gate.engagement_tail(
  p_site uuid, p_site_zone integer, p_time_zone text, p_covered_until timestamptz
)
returns table (tier text, day date, previous_day date, people bigint, events bigint, seconds numeric, score numeric)
language sql
stable
set search_path = ''
as $$
  with by_day as (
    select
      d.revision, coalesce(t.tier, 'all') as tier, d.person, d.day,
      sum(d.events) as events, sum(d.seconds) as seconds, sum(d.events * t.score_weight) as score
    from audience_gate.person_days_tail(p_site, p_site_zone, p_time_zone, p_covered_until) d
    join public.audience_event_types t on t.id = d.event_type
    group by grouping sets ((d.revision, t.tier, d.person, d.day), (d.revision, d.person, d.day))
  ), seen as (
    select b.*, lag(b.day, 1, '-infinity'::date) over (partition by b.revision, b.tier, b.person order by b.day) as previous_day
    from by_day b
  )
  select s.tier, s.day, s.previous_day, sum(s.revision)::bigint, sum(s.revision * s.events)::bigint,
    sum(s.revision * s.seconds), sum(s.revision * s.score)
  from seen s
  group by 1, 2, 3
$$;
comment on function audience_gate.engagement_tail(uuid, integer, text, timestamptz) is
  'What the live tail adds to engagement_by_tier and takes from it.';

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
comment on function audience_gate.kpi_engagement(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_engagement() returns.';
comment on function audience_gate.kpi_engagement(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_engagement() returns.';
comment on function audience_gate.kpi_engagement(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_engagement() returns.';

create or replace function public.kpi_engagement(
  site uuid, from_time timestamptz, to_time timestamptz, grain text default 'day', time_zone text default 'UTC'
)
returns table (
  period date, tier text, events bigint, people bigint, events_per_person numeric, engaged_seconds numeric, score
  numeric
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_engagement(site, from_time, to_time, grain, time_zone) $$;
comment on function public.kpi_engagement(uuid, timestamptz, timestamptz, text, text)
is $$Engagement by tier: how many people did how much.
Grain: total, day, week (from Monday) or month, at most 160 periods, by tier; the tier all is over all tiers. Empty periods have no row.
Time zone: periods are local.
Source: engagement_by_tier
period: first local day of the period
tier: the tier of the event type in the registry
events: count of activity
people: distinct people with activity of the tier in the period; not to be added up over tiers or periods
events_per_person: events / people
engaged_seconds: sum of duration_seconds, of which each event counts for at most a day
score: sum of the score weights of the event types$$;
