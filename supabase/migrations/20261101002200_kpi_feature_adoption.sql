-- Feature adoption: who uses what, counted in the way of engagement.

create materialized view if not exists audience_gate.feature_adoption as
with seen as (
  select d.*, lag(d.day, 1, '-infinity'::date) over (partition by d.site_zone, d.person, d.event_type order by d.day) as previous_day
  from audience_gate.person_day_types d
)
select
  s.site_zone, s.event_type, s.day, s.previous_day,
  count(*)::bigint as people, sum(s.events)::bigint as events
from seen s
group by 1, 2, 3, 4
with data;
create unique index if not exists idx_feature_adoption_key on audience_gate.feature_adoption (site_zone, event_type, day, previous_day);
create index if not exists idx_feature_adoption_day on audience_gate.feature_adoption (site_zone, day);
comment on materialized view audience_gate.feature_adoption is
  'Use of each event type by site and local day, split by the day on which each person last used it before.';
comment on column audience_gate.feature_adoption.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.feature_adoption.event_type is 'The type of event.';
comment on column audience_gate.feature_adoption.day is 'The local day.';
comment on column audience_gate.feature_adoption.previous_day is
  'The day on which these people last caused such an event before; -infinity: never.';
comment on column audience_gate.feature_adoption.people is 'How many people.';
comment on column audience_gate.feature_adoption.events is 'How many events they caused on the day.';

create or replace function audience_gate.feature_tail(
  p_site uuid, p_site_zone integer, p_time_zone text, p_covered_until timestamptz
)
returns table (event_type text, day date, previous_day date, people bigint, events bigint)
language sql
stable
set search_path = ''
as $$
  with by_type as (
    select d.revision, d.event_type, d.person, d.day, sum(d.events) as events
    from audience_gate.person_days_tail(p_site, p_site_zone, p_time_zone, p_covered_until) d
    group by grouping sets ((d.revision, d.event_type, d.person, d.day), (d.revision, d.person, d.day))
  ), seen as (
    select b.*, lag(b.day, 1, '-infinity'::date) over (partition by b.revision, b.event_type, b.person order by b.day) as previous_day
    from by_type b
  )
  select s.event_type, s.day, s.previous_day, sum(s.revision)::bigint, sum(s.revision * s.events)::bigint
  from seen s
  group by 1, 2, 3
$$;
comment on function audience_gate.feature_tail(uuid, integer, text, timestamptz) is
  'What the live tail adds to feature_adoption and takes from it; event_type null: the activity of any type.';

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
    -- Everybody who did anything, as the type null.
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
comment on function audience_gate.kpi_feature_adoption(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_feature_adoption() returns.';
comment on function audience_gate.kpi_feature_adoption(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_feature_adoption() returns.';
comment on function audience_gate.kpi_feature_adoption(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_feature_adoption() returns.';

create or replace function public.kpi_feature_adoption(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC'
)
returns table (
  event_type text, category text, tier text, events bigint, people bigint, active_people bigint, adoption_rate
  numeric, new_people bigint, first_day date, last_day date
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_feature_adoption(site, from_time, to_time, time_zone) $$;
comment on function public.kpi_feature_adoption(uuid, timestamptz, timestamptz, text)
is $$Feature adoption: who uses what.
Grain: one row for each event type used in the range.
Time zone: decides which local days the range touches.
Source: feature_adoption, engagement_by_tier
event_type: the feature, an id of the registry
category: its category
tier: its tier
events: count of its events
people: distinct people who caused one
active_people: distinct people with any activity in the range
adoption_rate: people / active_people
new_people: people who used it for the first time ever in the range
first_day: first local day of the range on which it was used
last_day: last local day of the range on which it was used$$;
