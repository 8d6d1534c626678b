-- What the tables hold of engagement and use, on the local days of a range.

-- The days are those of the table, or else, in whole days of UTC and near the ends of periods in slots, the same. By day, the
-- slots are all that the range has: they are added up in memory.
create or replace function audience_gate.engagement_cells(
  p_site uuid, p_site_zone integer, p_time_zone text, p_views_hold boolean, p_grain text, p_tiers text[], p_first_day date,
  p_last_day date
)
returns table (
  tier text, day date, previous_day date, people bigint, events bigint, seconds numeric, score numeric
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set work_mem = '64MB'
as $$
#variable_conflict use_column
begin
  return query
  with edges as materialized (
    select e.* from audience_gate.period_edges(p_time_zone, p_grain, p_first_day, p_last_day) e
    where p_views_hold and p_site_zone is null
  ), days as materialized (
    select l.* from audience_gate.local_days(p_time_zone, p_first_day - 1, p_last_day + 1) l where p_views_hold and p_site_zone is null
  )
  select v.tier, v.day, v.previous_day, v.people, v.events, v.seconds, v.score
  from audience_gate.engagement_days v
  where p_views_hold and v.site_zone = p_site_zone and v.tier = any (p_tiers) and v.day between p_first_day and p_last_day
  union all
  select v.tier, v.day, v.previous_day, v.people, v.events, v.seconds, v.score
  from edges e
  cross join lateral (
    select * from audience_gate.engagement_days v
    where v.site_zone = (select z.id from audience_gate.site_zones z where z.site_id = p_site and z.time_zone = 'UTC')
      and v.tier = any (p_tiers) and v.day between e.edge_until + 1 and e.inner_until
      and (v.previous_day < e.edge_from or v.previous_day > e.edge_until)
    offset 0
  ) v
  union all
  select s.tier, l.days[s.nth], case s.before when -1 then '-infinity' when 0 then p_first_day - 2 else l.days[s.before] end,
    s.people, s.events, s.seconds, s.score
  from (
    select v.tier, width_bucket(v.slot, l.starts) as nth,
      case when v.previous_slot = '-infinity' then -1 else width_bucket(v.previous_slot, l.starts) end as before,
      sum(v.people)::bigint as people, sum(v.events)::bigint as events, sum(v.seconds) as seconds, sum(v.score) as score
    from (
      select v.* from (
        select distinct g.day::date as day from edges e cross join generate_series(e.edge_from::timestamp, e.edge_until, '1 day') g (day)
      ) d
      cross join lateral (
        select * from audience_gate.engagement_slots v
        where v.site_id = p_site and v.tier = any (p_tiers)
          and v.slot >= d.day::timestamp at time zone 'UTC' and v.slot < (d.day + 1)::timestamp at time zone 'UTC'
        offset 0
      ) v
      union all
      select v.* from edges e
      cross join lateral (
        select * from audience_gate.engagement_slots v
        where v.site_id = p_site and v.tier = any (p_tiers)
          and v.previous_slot >= e.edge_from::timestamp at time zone 'UTC'
          and v.previous_slot < (e.edge_until + 1)::timestamp at time zone 'UTC'
          and v.slot >= (e.edge_until + 1)::timestamp at time zone 'UTC' and v.slot < (e.inner_until + 1)::timestamp at time zone 'UTC'
        offset 0
      ) v
    ) v
    cross join days l
    group by 1, 2, 3
  ) s
  cross join days l
  where l.days[s.nth] between p_first_day and p_last_day;
end;
$$;
comment on function audience_gate.engagement_cells(uuid, integer, text, boolean, text, text[], date, date) is
  'Engagement on the local days of a range, by tier, split by the day on which each person was last seen before. In a zone that '
  'the site does not count, days are told apart only as far as the grain needs.';

create or replace function audience_gate.feature_cells(
  p_site uuid, p_site_zone integer, p_time_zone text, p_views_hold boolean, p_first_day date, p_last_day date
)
returns table (event_type text, day date, previous_day date, people bigint, events bigint)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  with edges as materialized (
    select e.* from audience_gate.period_edges(p_time_zone, 'total', p_first_day, p_last_day) e
    where p_views_hold and p_site_zone is null
  ), days as materialized (
    select l.*, l.starts[array_position(l.days, p_first_day)] as starts_at,
      (select min(d.start) from unnest(l.starts, l.days) d (start, day) where d.day > p_last_day) as ends_at
    from audience_gate.local_days(p_time_zone, p_first_day - 1, p_last_day + 2) l
    where p_views_hold and p_site_zone is null
  )
  select v.event_type, v.day, v.previous_day, v.people, v.events
  from audience_gate.feature_days v
  where p_views_hold and v.site_zone = p_site_zone and v.day between p_first_day and p_last_day
  union all
  select v.event_type, null::date, v.previous_day, v.people, v.events
  from edges e
  cross join lateral (
    select * from audience_gate.feature_days v
    where v.site_zone = (select z.id from audience_gate.site_zones z where z.site_id = p_site and z.time_zone = 'UTC')
      and v.day between e.edge_until + 1 and e.inner_until
      and (v.previous_day < e.edge_from or v.previous_day > e.edge_until)
    offset 0
  ) v
  union all
  select s.event_type, l.days[s.nth], case s.before when -1 then '-infinity' when 0 then p_first_day - 2 else l.days[s.before] end,
    s.people, s.events
  from (
    select v.event_type, width_bucket(v.slot, l.starts) as nth,
      case when v.previous_slot = '-infinity' then -1 else width_bucket(v.previous_slot, l.starts) end as before,
      sum(v.people)::bigint as people, sum(v.events)::bigint as events
    from (
      select v.* from (
        select distinct g.day::date as day from edges e cross join generate_series(e.edge_from::timestamp, e.edge_until, '1 day') g (day)
      ) d
      cross join lateral (
        select * from audience_gate.feature_slots v
        where v.site_id = p_site and v.event_type = any (array(select y.id from public.audience_event_types y))
          and v.slot >= d.day::timestamp at time zone 'UTC' and v.slot < (d.day + 1)::timestamp at time zone 'UTC'
        offset 0
      ) v
      union all
      select v.* from edges e
      cross join lateral (
        select * from audience_gate.feature_slots v
        where v.site_id = p_site and v.event_type = any (array(select y.id from public.audience_event_types y))
          and v.previous_slot >= e.edge_from::timestamp at time zone 'UTC'
          and v.previous_slot < (e.edge_until + 1)::timestamp at time zone 'UTC'
          and v.slot >= (e.edge_until + 1)::timestamp at time zone 'UTC' and v.slot < (e.inner_until + 1)::timestamp at time zone 'UTC'
        offset 0
      ) v
    ) v
    cross join days l
    group by 1, 2, 3
  ) s
  cross join days l
  where l.days[s.nth] between p_first_day and p_last_day
  union all
  -- What lies within whole days of UTC, on which days it began and ended.
  select y.id, (m.slot at time zone p_time_zone)::date, 'infinity', 0, 0
  from days l
  cross join public.audience_event_types y
  cross join lateral (
    (select v.slot from audience_gate.feature_slots v
     where v.site_id = p_site and v.event_type = y.id and v.slot >= l.starts_at and v.slot < l.ends_at order by v.slot limit 1)
    union all
    (select v.slot from audience_gate.feature_slots v
     where v.site_id = p_site and v.event_type = y.id and v.slot >= l.starts_at and v.slot < l.ends_at order by v.slot desc limit 1)
  ) m;
end;
$$;
comment on function audience_gate.feature_cells(uuid, integer, text, boolean, date, date) is
  'Use of each event type on the local days of a range, split by the day on which each person last used it before. In a zone '
  'that the site does not count, the days within are left out, but for the first and the last of each type, without people.';

create or replace function audience_gate.retention_cells(
  p_site uuid, p_site_zone integer, p_time_zone text, p_views_hold boolean, p_grain text, p_first_day date, p_last_day date,
  p_periods integer, p_tail audience_gate.tail_event[]
)
returns table (cohort date, later integer, people bigint)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  with days as materialized (
    select l.starts, array(select date_trunc(p_grain, d.day::timestamp)::date from unnest(l.days) with ordinality d (day, nth)
      order by d.nth) as periods, case p_grain when 'week' then 7 else 1 end as length
    from audience_gate.local_days(p_time_zone, date_trunc(p_grain, p_first_day::timestamp)::date - 1,
      p_last_day + (p_periods + 1) * case p_grain when 'week' then 7 else 1 end) l
    where p_views_hold and p_site_zone is null
  )
  select v.cohort, v.later, v.people
  from audience_gate.cohort_periods v
  where p_views_hold and v.site_zone = p_site_zone and v.grain = p_grain
    and v.cohort between date_trunc(p_grain, p_first_day::timestamp)::date and p_last_day and v.later <= p_periods
  union all
  select d.cohort, (d.period - d.cohort) / case p_grain when 'week' then 7 else 1 end, d.people
  from (
    select date_trunc(p_grain, t.slot at time zone p_time_zone)::date as period,
      date_trunc(p_grain, t.previous_slot at time zone p_time_zone)::date as previous,
      date_trunc(p_grain, t.first_slot at time zone p_time_zone)::date as cohort, t.people
    from audience_gate.activity_tail(p_site, p_views_hold, p_tail, '{}') t
  ) d
  where d.previous < d.period
    and d.cohort between date_trunc(p_grain, p_first_day::timestamp)::date and p_last_day
    and (d.period - d.cohort) / case p_grain when 'week' then 7 else 1 end <= p_periods
  union all
  select l.periods[s.first], (l.periods[s.nth] - l.periods[s.first]) / l.length, s.people
  from (
    select width_bucket(v.slot, l.starts) as nth, width_bucket(v.previous_slot, l.starts) as before,
      width_bucket(v.first_slot, l.starts) as first, sum(v.people)::bigint as people
    from days l
    cross join audience_gate.engagement_slots v
    where v.site_id = p_site and v.tier = 'all' and v.slot >= l.starts[1] and v.first_slot >= l.starts[1]
    group by 1, 2, 3
  ) s
  cross join days l
  where l.periods[s.first] between date_trunc(p_grain, p_first_day::timestamp)::date and p_last_day
    and (s.before = 0 or l.periods[s.before] < l.periods[s.nth])
    and (l.periods[s.nth] - l.periods[s.first]) / l.length <= p_periods;
end;
$$;
comment on function audience_gate.retention_cells(uuid, integer, text, boolean, text, date, date, integer, audience_gate.tail_event[]) is
  'People by the local day or ISO week of a range in which they were first active, and by how many days or weeks later, up to so '
  'many, they were active again.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'engagement_cells(uuid, integer, text, boolean, text, text[], date, date)',
    'feature_cells(uuid, integer, text, boolean, date, date)',
    'retention_cells(uuid, integer, text, boolean, text, date, date, integer, audience_gate.tail_event[])'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
