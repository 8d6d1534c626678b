-- The same by local day, for the time zones in which a site counts its days.

create materialized view audience_gate.engagement_by_tier as
select
  z.id as site_zone, s.tier, (s.slot at time zone z.time_zone)::date as day,
  (s.previous_slot at time zone z.time_zone)::date as previous_day,
  sum(s.people)::bigint as people, sum(s.events)::bigint as events, sum(s.seconds) as seconds, sum(s.score) as score
from audience_gate.engagement_slots s
join audience_gate.site_zones z on z.site_id = s.site_id
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
  'The day on which these people were last seen before; -infinity: never; the same day: in an earlier slot of it.';
comment on column audience_gate.engagement_by_tier.people is 'How many people.';
comment on column audience_gate.engagement_by_tier.events is 'How many events they caused on the day.';
comment on column audience_gate.engagement_by_tier.seconds is 'The sum of the durations.';
comment on column audience_gate.engagement_by_tier.score is 'The sum of the score weights.';

create materialized view audience_gate.feature_adoption as
select
  z.id as site_zone, s.event_type, (s.slot at time zone z.time_zone)::date as day,
  (s.previous_slot at time zone z.time_zone)::date as previous_day,
  sum(s.people)::bigint as people, sum(s.events)::bigint as events
from audience_gate.feature_slots s
join audience_gate.site_zones z on z.site_id = s.site_id
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
  'The day on which these people last caused such an event before; -infinity: never; the same day: '
  'in an earlier slot of it.';
comment on column audience_gate.feature_adoption.people is 'How many people.';
comment on column audience_gate.feature_adoption.events is 'How many events they caused on the day.';

create materialized view audience_gate.retention_cohorts as
select z.id as site_zone, d.grain, d.cohort, (d.period - d.cohort) / d.days as later, sum(s.people)::bigint as people
from audience_gate.engagement_slots s
join audience_gate.site_zones z on z.site_id = s.site_id
cross join lateral (
  select g.grain, g.days, date_trunc(g.grain, s.slot at time zone z.time_zone)::date as period,
    date_trunc(g.grain, s.previous_slot at time zone z.time_zone)::date as previous,
    date_trunc(g.grain, s.first_slot at time zone z.time_zone)::date as cohort
  from (values ('day', 1), ('week', 7)) g (grain, days)
) d
where s.tier = 'all' and d.previous < d.period
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

alter materialized view audience_gate.engagement_by_tier owner to audience_gate_owner;
alter materialized view audience_gate.feature_adoption owner to audience_gate_owner;
alter materialized view audience_gate.retention_cohorts owner to audience_gate_owner;
revoke all on audience_gate.engagement_by_tier, audience_gate.feature_adoption, audience_gate.retention_cohorts
  from public, anon, authenticated, service_role;
