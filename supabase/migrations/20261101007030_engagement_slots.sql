-- Engagement and use by slot, from which they can be had for the days of any time zone.
--
-- Distinct people cannot be added up over days. "Seen in this slot, and in that slot before it" can: a person counts in a
-- period on the day whose previous day lies before the period, and the days of two slots are theirs in every zone.

create materialized view audience_gate.engagement_slots as
with by_tier as (
  select p.site_id, p.person, p.slot, t.tier,
    sum(p.events) as events, sum(p.seconds) as seconds, sum(p.events * t.score_weight) as score
  from audience_gate.person_slots p
  join public.audience_event_types t on t.id = p.event_type
  group by 1, 2, 3, 4
), by_slot as (
  select b.site_id, b.person, b.tier, b.slot, b.events, b.seconds, b.score from by_tier b
  union all
  select b.site_id, b.person, 'all', b.slot, sum(b.events), sum(b.seconds), sum(b.score) from by_tier b group by 1, 2, 4
), seen as (
  select b.*, lag(b.slot, 1, '-infinity'::timestamptz) over slots as previous_slot, first_value(b.slot) over slots as first_slot
  from by_slot b
  window slots as (partition by b.site_id, b.person, b.tier order by b.slot)
)
select
  s.site_id, s.tier, s.slot, s.previous_slot, s.first_slot,
  count(*)::bigint as people, sum(s.events)::bigint as events, sum(s.seconds) as seconds, sum(s.score) as score
from seen s
group by 1, 2, 3, 4, 5
with data;
create unique index idx_engagement_slots_key
  on audience_gate.engagement_slots (site_id, tier, slot, previous_slot, first_slot);
create index idx_engagement_slots_slot on audience_gate.engagement_slots (site_id, slot);
comment on materialized view audience_gate.engagement_slots is
  'Engagement by site, tier and slot of fifteen minutes, split by the slots in which each person was last seen before and '
  'seen first. The tier all is over all tiers.';
comment on column audience_gate.engagement_slots.site_id is 'The site.';
comment on column audience_gate.engagement_slots.tier is 'The tier, or all.';
comment on column audience_gate.engagement_slots.slot is 'When the fifteen minutes began.';
comment on column audience_gate.engagement_slots.previous_slot is
  'The slot in which these people were last seen before; -infinity: never.';
comment on column audience_gate.engagement_slots.first_slot is 'The slot in which they were first seen.';
comment on column audience_gate.engagement_slots.people is 'How many people.';
comment on column audience_gate.engagement_slots.events is 'How many events they caused in the slot.';
comment on column audience_gate.engagement_slots.seconds is 'The sum of the durations.';
comment on column audience_gate.engagement_slots.score is 'The sum of the score weights.';

create materialized view audience_gate.feature_slots as
with used as (
  select p.site_id, p.person, p.event_type, p.slot, sum(p.events) as events from audience_gate.person_slots p group by 1, 2, 3, 4
), seen as (
  select u.*, lag(u.slot, 1, '-infinity'::timestamptz) over slots as previous_slot
  from used u
  window slots as (partition by u.site_id, u.person, u.event_type order by u.slot)
)
select
  s.site_id, s.event_type, s.slot, s.previous_slot, count(*)::bigint as people, sum(s.events)::bigint as events
from seen s
group by 1, 2, 3, 4
with data;
create unique index idx_feature_slots_key on audience_gate.feature_slots (site_id, event_type, slot, previous_slot);
create index idx_feature_slots_slot on audience_gate.feature_slots (site_id, slot);
comment on materialized view audience_gate.feature_slots is
  'Use of each event type by site and slot of fifteen minutes, split by the slot in which each person last used it before.';
comment on column audience_gate.feature_slots.site_id is 'The site.';
comment on column audience_gate.feature_slots.event_type is 'The type of event.';
comment on column audience_gate.feature_slots.slot is 'When the fifteen minutes began.';
comment on column audience_gate.feature_slots.previous_slot is
  'The slot in which these people last caused such an event before; -infinity: never.';
comment on column audience_gate.feature_slots.people is 'How many people.';
comment on column audience_gate.feature_slots.events is 'How many events they caused in the slot.';

alter materialized view audience_gate.engagement_slots owner to audience_gate_owner;
alter materialized view audience_gate.feature_slots owner to audience_gate_owner;
revoke all on audience_gate.engagement_slots, audience_gate.feature_slots
  from public, anon, authenticated, service_role;
