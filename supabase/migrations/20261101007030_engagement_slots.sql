-- Engagement and use by slot, from which they can be had for the days of any time zone.
--
-- Distinct people cannot be added up over days. "Seen in this slot, and in that slot before it" can: a person counts in a
-- period on the day whose previous day lies before the period, and the days of two slots are theirs in every zone.

create table audience_gate.engagement_slots (
  site_id uuid,
  tier text,
  slot timestamptz,
  previous_slot timestamptz,
  first_slot timestamptz,
  people bigint not null,
  events bigint not null,
  seconds numeric not null,
  score numeric not null,
  primary key (site_id, tier, slot, previous_slot, first_slot)
);
create index idx_engagement_slots_previous on audience_gate.engagement_slots (site_id, previous_slot);
create index idx_engagement_slots_empty on audience_gate.engagement_slots (site_id) where people = 0;
comment on table audience_gate.engagement_slots is
  'Engagement by site, tier and slot of fifteen minutes, split by the slots in which each person was last seen before and '
  'seen first. The tier all is over all tiers.';
comment on column audience_gate.engagement_slots.site_id is 'The site.';
comment on column audience_gate.engagement_slots.tier is 'The tier, or all.';
comment on column audience_gate.engagement_slots.slot is 'When the fifteen minutes began.';
comment on column audience_gate.engagement_slots.previous_slot is
  'The slot in which these people were last seen before; -infinity: never.';
comment on column audience_gate.engagement_slots.first_slot is
  'The slot in which they were first seen; of a single tier -infinity, because cohorts are of all.';
comment on column audience_gate.engagement_slots.people is 'How many people.';
comment on column audience_gate.engagement_slots.events is 'How many events they caused in the slot.';
comment on column audience_gate.engagement_slots.seconds is 'The sum of the durations.';
comment on column audience_gate.engagement_slots.score is 'The sum of the score weights.';

create or replace function audience_gate.whole_engagement_slots(p_site uuid, p_people uuid[] default null)
returns setof audience_gate.engagement_slots
language sql
stable
set search_path = ''
as $$
with by_tier as (
  select p_site as site_id, p.person, p.slot, t.tier,
    sum(p.events) as events, sum(p.seconds) as seconds, sum(p.events * t.score_weight) as score
  from (
    select p.person, p.event_type, p.slot, p.events, p.seconds from audience_gate.person_slots p
    where p_people is null and p.site_id = p_site
    union all
    select p.person, p.event_type, p.slot, p.events, p.seconds from audience_gate.people_slots(p_site, p_people) p
    where p_people is not null
  ) p
  join public.audience_event_types t on t.id = p.event_type
  group by 1, 2, 3, 4
), by_slot as (
  select b.site_id, b.person, b.tier, b.slot, b.events, b.seconds, b.score from by_tier b
  union all
  select b.site_id, b.person, 'all', b.slot, sum(b.events), sum(b.seconds), sum(b.score) from by_tier b group by 1, 2, 4
), seen as (
  select b.*, lag(b.slot, 1, '-infinity'::timestamptz) over slots as previous_slot,
    case when b.tier = 'all' then first_value(b.slot) over slots else '-infinity' end as first_slot
  from by_slot b
  window slots as (partition by b.site_id, b.person, b.tier order by b.slot)
)
select
  s.site_id, s.tier, s.slot, s.previous_slot, s.first_slot,
  count(*)::bigint as people, sum(s.events)::bigint as events, sum(s.seconds) as seconds, sum(s.score) as score
from seen s
group by 1, 2, 3, 4, 5
$$;
comment on function audience_gate.whole_engagement_slots(uuid, uuid[]) is
  'What engagement_slots holds of a site, from all slots; or of some people.';

create table audience_gate.feature_slots (
  site_id uuid,
  event_type text,
  slot timestamptz,
  previous_slot timestamptz,
  people bigint not null,
  events bigint not null,
  primary key (site_id, event_type, slot, previous_slot)
);
create index idx_feature_slots_previous on audience_gate.feature_slots (site_id, previous_slot);
create index idx_feature_slots_empty on audience_gate.feature_slots (site_id) where people = 0;
comment on table audience_gate.feature_slots is
  'Use of each event type by site and slot of fifteen minutes, split by the slot in which each person last used it before.';
comment on column audience_gate.feature_slots.site_id is 'The site.';
comment on column audience_gate.feature_slots.event_type is 'The type of event.';
comment on column audience_gate.feature_slots.slot is 'When the fifteen minutes began.';
comment on column audience_gate.feature_slots.previous_slot is
  'The slot in which these people last caused such an event before; -infinity: never.';
comment on column audience_gate.feature_slots.people is 'How many people.';
comment on column audience_gate.feature_slots.events is 'How many events they caused in the slot.';

create or replace function audience_gate.whole_feature_slots(p_site uuid, p_people uuid[] default null)
returns setof audience_gate.feature_slots
language sql
stable
set search_path = ''
as $$
with used as (
  select p_site as site_id, p.person, p.event_type, p.slot, sum(p.events) as events
  from (
    select p.person, p.event_type, p.slot, p.events, p.seconds from audience_gate.person_slots p
    where p_people is null and p.site_id = p_site
    union all
    select p.person, p.event_type, p.slot, p.events, p.seconds from audience_gate.people_slots(p_site, p_people) p
    where p_people is not null
  ) p
  group by 1, 2, 3, 4
), seen as (
  select u.*, lag(u.slot, 1, '-infinity'::timestamptz) over slots as previous_slot
  from used u
  window slots as (partition by u.site_id, u.person, u.event_type order by u.slot)
)
select
  s.site_id, s.event_type, s.slot, s.previous_slot, count(*)::bigint as people, sum(s.events)::bigint as events
from seen s
group by 1, 2, 3, 4
$$;
comment on function audience_gate.whole_feature_slots(uuid, uuid[]) is
  'What feature_slots holds of a site, from all slots; or of some people.';

do $$
declare
  made text;
begin
  foreach made in array array['engagement_slots', 'feature_slots'] loop
    execute format('alter table audience_gate.%I owner to audience_gate_owner', made);
    execute format('revoke all on table audience_gate.%I from public, anon, authenticated, service_role', made);
    execute format('alter table audience_gate.%I enable row level security', made);
    execute format('create policy %I on audience_gate.%I to audience_gate_owner using (true) with check (true)', made || '_gate', made);
    execute format('alter function audience_gate.%I(uuid, uuid[]) owner to audience_gate_owner', 'whole_' || made);
    execute format(
      'revoke all on function audience_gate.%I(uuid, uuid[]) from public, anon, authenticated, service_role', 'whole_' || made);
  end loop;
end $$;
