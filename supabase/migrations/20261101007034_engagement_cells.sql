-- Engagement and use as they are now: the tables, where they hold, and what the live tail changes in them.

create or replace function audience_gate.engagement_tail(p_site uuid, p_views_hold boolean)
returns table (
  tier text, slot timestamptz, previous_slot timestamptz, first_slot timestamptz, people bigint, events bigint,
  seconds numeric, score numeric
)
language sql
stable
set search_path = ''
as $$
  with by_slot as (
    select d.revision, coalesce(t.tier, 'all') as tier, d.person, d.slot,
      sum(d.events) as events, sum(d.seconds) as seconds, sum(d.events * t.score_weight) as score
    from audience_gate.person_slots_tail(p_site, p_views_hold) d
    join public.audience_event_types t on t.id = d.event_type
    group by grouping sets ((d.revision, t.tier, d.person, d.slot), (d.revision, d.person, d.slot))
  ), seen as (
    select b.*, lag(b.slot, 1, '-infinity'::timestamptz) over slots as previous_slot, first_value(b.slot) over slots as first_slot
    from by_slot b
    window slots as (partition by b.revision, b.tier, b.person order by b.slot)
  )
  select s.tier, s.slot, s.previous_slot, s.first_slot, sum(s.revision)::bigint, sum(s.revision * s.events)::bigint,
    sum(s.revision * s.seconds), sum(s.revision * s.score)
  from seen s
  group by 1, 2, 3, 4
$$;
comment on function audience_gate.engagement_tail(uuid, boolean) is
  'What the live tail adds to engagement_slots and takes from it; everything, where the views do not hold.';

create or replace function audience_gate.feature_tail(p_site uuid, p_views_hold boolean)
returns table (event_type text, slot timestamptz, previous_slot timestamptz, people bigint, events bigint)
language sql
stable
set search_path = ''
as $$
  with by_type as (
    select d.revision, d.event_type, d.person, d.slot, sum(d.events) as events
    from audience_gate.person_slots_tail(p_site, p_views_hold) d
    group by 1, 2, 3, 4
  ), seen as (
    select b.*, lag(b.slot, 1, '-infinity'::timestamptz) over slots as previous_slot
    from by_type b
    window slots as (partition by b.revision, b.event_type, b.person order by b.slot)
  )
  select s.event_type, s.slot, s.previous_slot, sum(s.revision)::bigint, sum(s.revision * s.events)::bigint
  from seen s
  group by 1, 2, 3
$$;
comment on function audience_gate.feature_tail(uuid, boolean) is
  'What the live tail adds to feature_slots and takes from it; everything, where the views do not hold.';

-- The days are those of the table, or else made of the slots, whose range is a day wider on both sides because a clock that
-- is changed may show a midnight twice.
create or replace function audience_gate.engagement_cells(
  p_site uuid, p_site_zone integer, p_time_zone text, p_views_hold boolean, p_first_day date, p_last_day date
)
returns table (
  tier text, day date, previous_day date, people bigint, events bigint, seconds numeric, score numeric
)
language sql
stable
set search_path = ''
as $$
  select v.tier, v.day, v.previous_day, v.people, v.events, v.seconds, v.score
  from audience_gate.engagement_days v
  where p_views_hold and v.site_zone = p_site_zone and v.day between p_first_day and p_last_day
  union all
  select d.* from (
    select s.tier, (s.slot at time zone p_time_zone)::date as day, (s.previous_slot at time zone p_time_zone)::date,
      s.people, s.events, s.seconds, s.score
    from (
      select v.tier, v.slot, v.previous_slot, v.people, v.events, v.seconds, v.score
      from audience_gate.engagement_slots v
      where p_views_hold and p_site_zone is null and v.site_id = p_site
        and v.slot >= ((p_first_day - 1)::timestamp at time zone p_time_zone)
        and v.slot < ((p_last_day + 2)::timestamp at time zone p_time_zone)
      union all
      select t.tier, t.slot, t.previous_slot, t.people, t.events, t.seconds, t.score
      from audience_gate.engagement_tail(p_site, p_views_hold) t
    ) s
  ) d
  where d.day between p_first_day and p_last_day
$$;
comment on function audience_gate.engagement_cells(uuid, integer, text, boolean, date, date) is
  'Engagement on the local days of a range, by tier, split by the day on which each person was last seen before.';

create or replace function audience_gate.feature_cells(
  p_site uuid, p_site_zone integer, p_time_zone text, p_views_hold boolean, p_first_day date, p_last_day date
)
returns table (event_type text, day date, previous_day date, people bigint, events bigint)
language sql
stable
set search_path = ''
as $$
  select v.event_type, v.day, v.previous_day, v.people, v.events
  from audience_gate.feature_days v
  where p_views_hold and v.site_zone = p_site_zone and v.day between p_first_day and p_last_day
  union all
  select d.* from (
    select s.event_type, (s.slot at time zone p_time_zone)::date as day, (s.previous_slot at time zone p_time_zone)::date,
      s.people, s.events
    from (
      select v.event_type, v.slot, v.previous_slot, v.people, v.events
      from audience_gate.feature_slots v
      where p_views_hold and p_site_zone is null and v.site_id = p_site
        and v.slot >= ((p_first_day - 1)::timestamp at time zone p_time_zone)
        and v.slot < ((p_last_day + 2)::timestamp at time zone p_time_zone)
      union all
      select t.* from audience_gate.feature_tail(p_site, p_views_hold) t
    ) s
  ) d
  where d.day between p_first_day and p_last_day
$$;
comment on function audience_gate.feature_cells(uuid, integer, text, boolean, date, date) is
  'Use of each event type on the local days of a range, split by the day on which each person last used it before.';

create or replace function audience_gate.retention_cells(
  p_site uuid, p_site_zone integer, p_time_zone text, p_views_hold boolean, p_grain text
)
returns table (cohort date, later integer, people bigint)
language sql
stable
set search_path = ''
as $$
  select v.cohort, v.later, v.people
  from audience_gate.cohort_periods v
  where p_views_hold and v.site_zone = p_site_zone and v.grain = p_grain
  union all
  select d.cohort, (d.period - d.cohort) / case p_grain when 'week' then 7 else 1 end, d.people
  from (
    select date_trunc(p_grain, s.slot at time zone p_time_zone)::date as period,
      date_trunc(p_grain, s.previous_slot at time zone p_time_zone)::date as previous,
      date_trunc(p_grain, s.first_slot at time zone p_time_zone)::date as cohort, s.people
    from (
      select v.slot, v.previous_slot, v.first_slot, v.people
      from audience_gate.engagement_slots v
      where p_views_hold and p_site_zone is null and v.site_id = p_site and v.tier = 'all'
      union all
      select t.slot, t.previous_slot, t.first_slot, t.people
      from audience_gate.engagement_tail(p_site, p_views_hold) t
      where t.tier = 'all'
    ) s
  ) d
  where d.previous < d.period
$$;
comment on function audience_gate.retention_cells(uuid, integer, text, boolean, text) is
  'People by the local day or ISO week in which they were first active, and by how many days or weeks later they were '
  'active again.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'engagement_tail(uuid, boolean)', 'feature_tail(uuid, boolean)',
    'engagement_cells(uuid, integer, text, boolean, date, date)', 'feature_cells(uuid, integer, text, boolean, date, date)',
    'retention_cells(uuid, integer, text, boolean, text)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
