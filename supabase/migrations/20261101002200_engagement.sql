-- Engagement by tier and feature adoption. Distinct people cannot be added up over days, but "first
-- seen again on this day, last seen on that one" can: a person counts in a period on the day whose
-- previous day lies before the period. One small view so answers any period exactly.

create materialized view audience_gate.engagement_by_tier as
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
create unique index engagement_by_tier_key on audience_gate.engagement_by_tier (site_zone, tier, day, previous_day);
create index engagement_by_tier_day_idx on audience_gate.engagement_by_tier (site_zone, day);
comment on materialized view audience_gate.engagement_by_tier is
  'Engagement per site, local day and tier (all: over the tiers), split by the day each person was last seen before.';

create or replace function audience_gate.engagement_tail(p_site uuid, p_site_zone integer, p_time_zone text, p_covered_until timestamptz)
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
comment on function audience_gate.engagement_tail(uuid, integer, text, timestamptz) is 'What the live tail adds to and takes from engagement_by_tier.';

create materialized view audience_gate.feature_adoption as
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
create unique index feature_adoption_key on audience_gate.feature_adoption (site_zone, event_type, day, previous_day);
create index feature_adoption_day_idx on audience_gate.feature_adoption (site_zone, day);
comment on materialized view audience_gate.feature_adoption is
  'Use of each event type per site and local day, split by the day each person last used it before.';

create or replace function audience_gate.feature_tail(p_site uuid, p_site_zone integer, p_time_zone text, p_covered_until timestamptz)
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
  'What the live tail adds to and takes from feature_adoption, and (event_type null) from the activity of any type.';

create materialized view audience_gate.session_starts as
select z.id as site_zone, (s.started at time zone z.time_zone)::date as day, count(*)::bigint as sessions
from (
  select a.site_id, a.session_id, min(a.at) as started
  from audience_gate.activity a
  where a.created_at < (select c.covered_until from audience_gate.analytics_settings c)
  group by 1, 2
) s
join audience_gate.site_zones z on z.site_id = s.site_id
group by 1, 2
with data;
create unique index session_starts_key on audience_gate.session_starts (site_zone, day);
comment on materialized view audience_gate.session_starts is 'Sessions by the local day of their first event.';

create or replace function audience_gate.session_tail(p_site uuid, p_time_zone text, p_covered_until timestamptz)
returns table (day date, sessions bigint)
language sql
stable
set search_path = ''
as $$
  with tail as materialized (
    select a.session_id, min(a.at) as started
    from audience_gate.activity a
    where a.site_id = p_site and a.created_at >= p_covered_until
    group by 1
  ), known as materialized (
    select t.session_id, t.started, b.started as before
    from tail t
    left join lateral (
      select min(a.at) as started
      from audience_gate.activity a
      where a.session_id = t.session_id and a.site_id = p_site and a.created_at < p_covered_until
        and p_covered_until > '-infinity'
    ) b on true
  )
  select (m.at at time zone p_time_zone)::date, sum(m.revision)::bigint
  from known k
  cross join lateral (values (1, least(k.started, k.before)), (-1, k.before)) m (revision, at)
  where m.at is not null
  group by 1
$$;
comment on function audience_gate.session_tail(uuid, text, timestamptz) is 'What the live tail changes in session_starts.';
