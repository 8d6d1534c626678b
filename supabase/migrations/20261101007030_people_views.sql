-- The views about people, made anew from the days of people.

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
create unique index idx_engagement_by_tier_key on audience_gate.engagement_by_tier (site_zone, tier, day, previous_day);
create index idx_engagement_by_tier_day on audience_gate.engagement_by_tier (site_zone, day);
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
alter materialized view audience_gate.engagement_by_tier owner to audience_gate_owner;
revoke all on audience_gate.engagement_by_tier from public, anon, authenticated, service_role;

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
create unique index idx_feature_adoption_key on audience_gate.feature_adoption (site_zone, event_type, day, previous_day);
create index idx_feature_adoption_day on audience_gate.feature_adoption (site_zone, day);
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
alter materialized view audience_gate.feature_adoption owner to audience_gate_owner;
revoke all on audience_gate.feature_adoption from public, anon, authenticated, service_role;

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
create unique index idx_retention_cohorts_key on audience_gate.retention_cohorts (site_zone, grain, cohort, later);
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
alter materialized view audience_gate.retention_cohorts owner to audience_gate_owner;
revoke all on audience_gate.retention_cohorts from public, anon, authenticated, service_role;
