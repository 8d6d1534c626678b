-- The same by local day, for the time zones in which a site counts its days: tables that are folded, and the views that
-- whoever asks the database itself reads them by.

create table audience_gate.engagement_days (
  site_zone integer,
  tier text,
  day date,
  previous_day date,
  people bigint not null,
  events bigint not null,
  seconds numeric not null,
  score numeric not null,
  primary key (site_zone, tier, day, previous_day)
);
create index idx_engagement_days_day on audience_gate.engagement_days (site_zone, day);
create index idx_engagement_days_empty on audience_gate.engagement_days (site_zone) where people = 0;
comment on table audience_gate.engagement_days is 'engagement_slots by local day.';
comment on column audience_gate.engagement_days.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.engagement_days.tier is 'The tier, or all.';
comment on column audience_gate.engagement_days.day is 'The local day.';
comment on column audience_gate.engagement_days.previous_day is
  'The day on which these people were last seen before; -infinity: never; the same day: in an earlier slot of it.';
comment on column audience_gate.engagement_days.people is 'How many people.';
comment on column audience_gate.engagement_days.events is 'How many events they caused on the day.';
comment on column audience_gate.engagement_days.seconds is 'The sum of the durations.';
comment on column audience_gate.engagement_days.score is 'The sum of the score weights.';

create table audience_gate.feature_days (
  site_zone integer,
  event_type text,
  day date,
  previous_day date,
  people bigint not null,
  events bigint not null,
  primary key (site_zone, event_type, day, previous_day)
);
create index idx_feature_days_day on audience_gate.feature_days (site_zone, day);
create index idx_feature_days_empty on audience_gate.feature_days (site_zone) where people = 0;
comment on table audience_gate.feature_days is 'feature_slots by local day.';
comment on column audience_gate.feature_days.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.feature_days.event_type is 'The type of event.';
comment on column audience_gate.feature_days.day is 'The local day.';
comment on column audience_gate.feature_days.previous_day is
  'The day on which these people last caused such an event before; -infinity: never; the same day: in an earlier slot of it.';
comment on column audience_gate.feature_days.people is 'How many people.';
comment on column audience_gate.feature_days.events is 'How many events they caused on the day.';

create table audience_gate.cohort_periods (
  site_zone integer,
  grain text,
  cohort date,
  later integer,
  people bigint not null,
  primary key (site_zone, grain, cohort, later)
);
create index idx_cohort_periods_empty on audience_gate.cohort_periods (site_zone) where people = 0;
comment on table audience_gate.cohort_periods is
  'People by the local day or ISO week in which they were first active, and by how many days or weeks later they were '
  'active again.';
comment on column audience_gate.cohort_periods.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.cohort_periods.grain is 'day or week.';
comment on column audience_gate.cohort_periods.cohort is
  'The first local day of the day or week in which they were first active.';
comment on column audience_gate.cohort_periods.later is 'How many days or weeks later.';
comment on column audience_gate.cohort_periods.people is 'How many of them were active then.';

create or replace view audience_gate.whole_engagement_days with (security_invoker = true) as
select
  z.site_id, z.id as site_zone, s.tier, (s.slot at time zone z.time_zone)::date as day,
  (s.previous_slot at time zone z.time_zone)::date as previous_day,
  sum(s.people)::bigint as people, sum(s.events)::bigint as events, sum(s.seconds) as seconds, sum(s.score) as score
from audience_gate.engagement_slots s
join audience_gate.site_zones z on z.site_id = s.site_id
group by 1, 2, 3, 4, 5;
comment on view audience_gate.whole_engagement_days is 'What engagement_days holds, from all slots.';

create or replace view audience_gate.whole_feature_days with (security_invoker = true) as
select
  z.site_id, z.id as site_zone, s.event_type, (s.slot at time zone z.time_zone)::date as day,
  (s.previous_slot at time zone z.time_zone)::date as previous_day,
  sum(s.people)::bigint as people, sum(s.events)::bigint as events
from audience_gate.feature_slots s
join audience_gate.site_zones z on z.site_id = s.site_id
group by 1, 2, 3, 4, 5;
comment on view audience_gate.whole_feature_days is 'What feature_days holds, from all slots.';

create or replace view audience_gate.whole_cohort_periods with (security_invoker = true) as
select z.site_id, z.id as site_zone, d.grain, d.cohort, (d.period - d.cohort) / d.days as later, sum(s.people)::bigint as people
from audience_gate.engagement_slots s
join audience_gate.site_zones z on z.site_id = s.site_id
cross join lateral (
  select g.grain, g.days, date_trunc(g.grain, s.slot at time zone z.time_zone)::date as period,
    date_trunc(g.grain, s.previous_slot at time zone z.time_zone)::date as previous,
    date_trunc(g.grain, s.first_slot at time zone z.time_zone)::date as cohort
  from (values ('day', 1), ('week', 7)) g (grain, days)
) d
where s.tier = 'all' and d.previous < d.period
group by 1, 2, 3, 4, 5;
comment on view audience_gate.whole_cohort_periods is 'What cohort_periods holds, from all slots.';

create materialized view audience_gate.engagement_by_tier as select * from audience_gate.engagement_days with data;
create unique index idx_engagement_by_tier_key on audience_gate.engagement_by_tier (site_zone, tier, day, previous_day);
comment on materialized view audience_gate.engagement_by_tier is
  'Engagement by site, local day and tier, split by the day on which each person was last seen before. The tier all '
  'is over all tiers.';

create materialized view audience_gate.feature_adoption as select * from audience_gate.feature_days with data;
create unique index idx_feature_adoption_key on audience_gate.feature_adoption (site_zone, event_type, day, previous_day);
comment on materialized view audience_gate.feature_adoption is
  'Use of each event type by site and local day, split by the day on which each person last used it before.';

create materialized view audience_gate.retention_cohorts as select * from audience_gate.cohort_periods with data;
create unique index idx_retention_cohorts_key on audience_gate.retention_cohorts (site_zone, grain, cohort, later);
comment on materialized view audience_gate.retention_cohorts is
  'People by site, by the local day or ISO week in which they were first active (the cohort), and by how many days '
  'or weeks later they were active again.';

-- What a view shows is what the column of its table says.
do $$
declare
  reader record;
  item record;
begin
  for reader in select * from (values
    ('engagement_by_tier', 'engagement_days'), ('feature_adoption', 'feature_days'), ('retention_cohorts', 'cohort_periods')
  ) r (name, source) loop
    for item in
      select a.attname, col_description(a.attrelid, a.attnum) as comment from pg_catalog.pg_attribute a
      where a.attrelid = ('audience_gate.' || reader.source)::regclass and a.attnum > 0
    loop
      execute format('comment on column audience_gate.%I.%I is %L', reader.name, item.attname, item.comment);
    end loop;
    execute format('alter table audience_gate.%I owner to audience_gate_owner', reader.source);
    execute format('alter table audience_gate.%I enable row level security', reader.source);
    execute format('create policy %I on audience_gate.%I to audience_gate_owner using (true) with check (true)',
      reader.source || '_gate', reader.source);
    execute format('alter materialized view audience_gate.%I owner to audience_gate_owner', reader.name);
    execute format('alter view audience_gate.%I owner to audience_gate_owner', 'whole_' || reader.source);
    execute format('revoke all on audience_gate.%I, audience_gate.%I, audience_gate.%I from public, anon, authenticated, service_role',
      reader.source, reader.name, 'whole_' || reader.source);
  end loop;
end $$;
