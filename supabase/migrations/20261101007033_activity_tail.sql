-- What the live tail changes in engagement and use.

create or replace function audience_gate.activity_tail(
  p_site uuid, p_views_hold boolean, p_tail audience_gate.tail_event[], p_kinds text[]
)
returns table (
  kind text, name text, signed_in boolean, slot timestamptz, previous_slot timestamptz, first_slot timestamptz, people bigint,
  events bigint, seconds numeric, score numeric
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  with changed as materialized (
    select d.*, t.tier, d.events_before * t.score_weight as score_before, d.events_after * t.score_weight as score_after
    from audience_gate.person_slots_tail(p_site, p_views_hold, p_tail) d
    join public.audience_event_types t on t.id = d.event_type
  ), by_slot as (
    select c.person, 'all' as kind, 'all' as name, bool_or(c.signed_in) as signed_in, c.slot, sum(c.events_before) as events_before,
      sum(c.events_after) as events_after, sum(c.seconds_before) as seconds_before, sum(c.seconds_after) as seconds_after,
      sum(c.score_before) as score_before, sum(c.score_after) as score_after
    from changed c
    group by c.person, c.slot
    union all
    select c.person, 'tier', c.tier, true, c.slot, sum(c.events_before), sum(c.events_after), sum(c.seconds_before),
      sum(c.seconds_after), sum(c.score_before), sum(c.score_after)
    from changed c
    where 'tier' = any (p_kinds)
    group by c.person, c.tier, c.slot
    union all
    select c.person, 'type', c.event_type, true, c.slot, sum(c.events_before), sum(c.events_after), 0, 0, 0, 0
    from changed c
    where 'type' = any (p_kinds)
    group by c.person, c.event_type, c.slot
  ), seen as (
    -- Sorted by the person first: the numbers of people differ early, so comparing them is quick.
    select b.*, coalesce(max(b.slot) filter (where b.events_before > 0) over earlier, '-infinity') as previous_before,
      coalesce(max(b.slot) filter (where b.events_after > 0) over earlier, '-infinity') as previous_after,
      case when b.kind = 'all' then min(b.slot) filter (where b.events_before > 0) over slots else '-infinity' end as first_before,
      case when b.kind = 'all' then min(b.slot) filter (where b.events_after > 0) over slots else '-infinity' end as first_after
    from by_slot b
    window slots as (partition by b.person, b.kind, b.name order by b.slot),
      earlier as (partition by b.person, b.kind, b.name order by b.slot rows between unbounded preceding and 1 preceding)
  )
  select s.kind, s.name, s.signed_in, s.slot, m.previous_slot, m.first_slot, sum(m.revision)::bigint, sum(m.revision * m.events)::bigint,
    sum(m.revision * m.seconds), sum(m.revision * m.score)
  from seen s
  cross join lateral (values
    (-1, s.previous_before, s.first_before, s.events_before, s.seconds_before, s.score_before),
    (1, s.previous_after, s.first_after, s.events_after, s.seconds_after, s.score_after)
  ) m (revision, previous_slot, first_slot, events, seconds, score)
  where m.events > 0 and (s.events_before <> s.events_after or s.previous_before <> s.previous_after
    or s.first_before is distinct from s.first_after
    or s.seconds_before <> s.seconds_after or s.score_before <> s.score_after)
  group by 1, 2, 3, 4, 5, 6
  having (sum(m.revision), sum(m.revision * m.events), sum(m.revision * m.seconds), sum(m.revision * m.score)) <> (0, 0, 0, 0);
end;
$$;
comment on function audience_gate.activity_tail(uuid, boolean, audience_gate.tail_event[], text[]) is
  'What the live tail adds to engagement_slots and takes from it (kind all, by whether people are users, and kind tier), and to '
  'feature_slots (kind type); everything, where the views do not hold. Of the kinds, all is always there.';

create or replace function audience_gate.activity_days_tail(
  p_site uuid, p_views_hold boolean, p_tail audience_gate.tail_event[], p_kinds text[], p_time_zone text, p_first_day date,
  p_last_day date
)
returns table (
  kind text, name text, signed_in boolean, day date, previous_day date, people bigint, events bigint, seconds numeric,
  score numeric
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select d.*
  from (
    select t.kind, t.name, t.signed_in, (t.slot at time zone p_time_zone)::date as day,
      (t.previous_slot at time zone p_time_zone)::date as previous_day, t.people, t.events, t.seconds, t.score
    from audience_gate.activity_tail(p_site, p_views_hold, p_tail, p_kinds) t
  ) d
  where d.day between p_first_day and p_last_day;
end;
$$;
comment on function audience_gate.activity_days_tail(uuid, boolean, audience_gate.tail_event[], text[], text, date, date) is
  'activity_tail() by local day.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'activity_tail(uuid, boolean, audience_gate.tail_event[], text[])',
    'activity_days_tail(uuid, boolean, audience_gate.tail_event[], text[], text, date, date)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
