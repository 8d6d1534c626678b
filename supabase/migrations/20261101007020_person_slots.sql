-- What each person did in each slot, and what the live tail changes in that.

drop function if exists audience_gate.retention_tail(uuid, integer, text, timestamptz, text);
drop function if exists audience_gate.feature_tail(uuid, integer, text, timestamptz);
drop function if exists audience_gate.engagement_tail(uuid, integer, text, timestamptz);
drop function if exists audience_gate.person_days_tail(uuid, integer, text, timestamptz);
drop function if exists audience_gate.kpi_range(uuid, timestamptz, timestamptz, text, text, integer);

create or replace view audience_gate.person_slots with (security_invoker = true) as
select a.site_id, a.person, a.slot, a.event_type, a.events, a.seconds
from audience_gate.slot_activity a;
comment on view audience_gate.person_slots is
  'slot_activity by person, as far as they were known at the last fold. A person who used several sessions has several '
  'rows for a slot.';
comment on column audience_gate.person_slots.site_id is 'The site.';
comment on column audience_gate.person_slots.person is 'The person.';
comment on column audience_gate.person_slots.slot is 'When the fifteen minutes began.';
comment on column audience_gate.person_slots.event_type is 'The type of event.';
comment on column audience_gate.person_slots.events is 'How many of them.';
comment on column audience_gate.person_slots.seconds is 'The sum of their durations.';

create or replace function audience_gate.people_slots(p_site uuid, p_people uuid[])
returns table (person uuid, signed_in boolean, event_type text, slot timestamptz, events bigint, seconds numeric)
language sql
stable
set search_path = ''
set enable_seqscan = off
set enable_mergejoin = off
set enable_hashjoin = off
as $$
  select s.person, s.person <> s.session, u.event_type, s.slot, u.events, u.seconds
  from unnest(p_people) p (person)
  cross join lateral (
    select * from audience_gate.session_slots s where s.site_id = p_site and s.person = p.person order by s.slot offset 0
  ) s
  cross join lateral unnest(s.event_types, s.events, s.seconds) u (event_type, events, seconds)
  join public.audience_event_types t on t.id = u.event_type
  where t.tier <> 'system' and t.category <> 'retention'
$$;
comment on function audience_gate.people_slots(uuid, uuid[]) is
  'person_slots of some people, and whether they are users.';

-- The live tail. It cannot simply be added to views about people, because a person of the tail may be in the
-- view already, and a visitor of the view may have signed in since. So what the view says about the people of the tail
-- is taken back, and what is true of them now is put in its place: each row says how much there was, and how much there is. The
-- planner cannot know how many people the tail has, and might compare each with each, so the hash join is all that it is left:
-- that suits any number.
create or replace function audience_gate.person_slots_tail(
  p_site uuid, p_views_hold boolean, p_tail audience_gate.tail_event[]
)
returns table (
  person uuid, signed_in boolean, event_type text, slot timestamptz, events_before bigint, events_after bigint,
  seconds_before numeric, seconds_after numeric
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_mergejoin = off
set enable_nestloop = off
as $$
#variable_conflict use_column
begin
  return query
  with links as materialized (
    select * from audience_gate.tail_links(p_site, p_tail)
  ), tail as materialized (
    select audience_gate.person(a.user_id, l.after, a.session) as person, coalesce(a.user_id, l.after) is not null as signed_in,
      a.event_type, a.slot, count(*)::bigint as events, sum(a.seconds) as seconds
    from unnest(p_tail) a
    join links l on l.session = a.session
    where a.is_activity
    group by 1, 2, 3, 4
  ), moved as materialized (
    -- What was done by visitors who have turned out to be somebody else.
    select l.session, audience_gate.person(null, l.before, l.session) as before, audience_gate.person(null, l.after, l.session) as after,
      l.after is not null as signed_in, a.event_type, a.slot, a.events, a.seconds
    from links l
    cross join lateral (
      select * from audience_gate.slot_activity a
      where a.site_id = p_site and a.session = l.session and a.sender = l.session
      offset 0
    ) a
    where p_views_hold and l.before is distinct from l.after
  ), changed as materialized (
    select t.person, t.slot, t.event_type from tail t
    union select m.before, m.slot, m.event_type from moved m
    union select m.after, m.slot, m.event_type from moved m
  ), known as materialized (
    select s.session, s.sender, s.person, s.slot, u.event_type, u.events, u.seconds
    from (
      select array_agg(c.person) as people, array_agg(c.slot) as slots, array_agg(c.event_type) as types
      from changed c
      where p_views_hold
      having count(*) > 0
    ) c
    cross join lateral audience_gate.near_slots(p_site, c.people, c.slots, c.types) s
    cross join lateral unnest(s.event_types, s.events, s.seconds) u (event_type, events, seconds)
    join public.audience_event_types t on t.id = u.event_type
    where t.tier <> 'system' and t.category <> 'retention'
  )
  select k.person, k.person <> k.session, k.event_type, k.slot, k.events, case when m.session is null then k.events else 0 end,
    k.seconds, case when m.session is null then k.seconds else 0 end
  from known k
  left join (select m.session from moved m group by 1) m on m.session = k.session and m.session = k.sender
  union all
  select m.after, m.signed_in, m.event_type, m.slot, 0, m.events, 0, m.seconds from moved m
  union all
  select t.person, t.signed_in, t.event_type, t.slot, 0, t.events, 0, t.seconds from tail t
  union all
  -- Where no view holds: everybody.
  select audience_gate.person(
      nullif(a.sender, a.session), case when l.session is null then k.user_id else l.after end, a.session),
    a.sender <> a.session or case when l.session is null then k.user_id else l.after end is not null,
    a.event_type, a.slot, 0, a.events, 0, a.seconds
  from audience_gate.slot_activity a
  left join audience_gate.linked_sessions k on k.site_id = p_site and k.session = a.session
  left join links l on l.session = a.session
  where not p_views_hold and a.site_id = p_site;
end;
$$;
comment on function audience_gate.person_slots_tail(uuid, boolean, audience_gate.tail_event[]) is
  'Each call reads what was recorded since the last fold from the events themselves, so the figures are current and '
  'exact, late events included. What the tables say about the people in this live tail is taken back, '
  'and what is true of them now is put in its place. A fold, every minute, writes the same differences into '
  'the tables, so its cost follows what is new. An edit of the registry, of a funnel or of the rule that tells people apart '
  'counts at once too: until the next fold, which makes the figures of the site anew, what depends on it is computed '
  'without them.';

create or replace function audience_gate.kpi_range(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text, p_grain text, p_most integer,
  out first_day date, out last_day date, out site_zone integer, out covered_until timestamptz,
  out views_hold boolean
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set max_parallel_workers_per_gather = 0
as $$
begin
  -- For a screen, the secret of its link is what lets it read figures, and nothing else: to set it, one must have it.
  if not coalesce(audience_gate.can_read_site(p_site)
      or p_site = audience_gate.wall_site(nullif(current_setting('audience_gate.wall_secret', true), '')), false) then
    raise exception 'the figures of this site are for its members'
      using errcode = '42501', hint = 'Have the user added to public.audience_site_members, or use the secret key.';
  end if;
  if p_from is null or p_to is null or p_from >= p_to or not isfinite(p_from) or not isfinite(p_to) then
    raise exception 'from_time must be before to_time' using errcode = '22023', hint = 'Send two finite points in time.';
  end if;
  if p_grain is null or p_grain not in ('total', 'day', 'week', 'month') then
    raise exception 'this grain is not known' using errcode = '22023', hint = 'Send total, day, week or month.';
  end if;
  first_day := (p_from at time zone p_zone)::date;
  last_day := ((p_to - interval '1 microsecond') at time zone p_zone)::date;
  if p_grain <> 'total' and (last_day - first_day) / (case p_grain when 'day' then 1 when 'week' then 7 else 28 end) >= p_most then
    raise exception 'the range has more than % periods', p_most using errcode = '22023', hint = 'Send a coarser grain or a shorter range.';
  end if;
  -- A zone was added, or something was edited, since the last fold: its days are not counted, or nothing holds.
  select (array_agg(z.id) filter (where z.time_zone = p_zone))[1], max(z.covered_until) filter (where z.time_zone = p_zone), count(*) > 0
  into site_zone, covered_until, views_hold
  from (select audience_gate.figure_terms(p_site) as terms offset 0) t
  join audience_gate.site_zones z on z.site_id = p_site and z.terms = t.terms;
  covered_until := coalesce(covered_until, '-infinity');
end;
$$;
comment on function audience_gate.kpi_range(uuid, timestamptz, timestamptz, text, text, integer) is
  'A reading function answers members of the site and back ends. It refuses anybody else with SQLSTATE 42501, and '
  'arguments that make no sense with 22023. A range is widened to the whole local days that it touches; the last of '
  'them is the day in which to_time lies. A rate is a fraction of 1, and null if there is nothing to divide by.';

comment on table audience_gate.site_zones is
  'The time zones in which the views count the days of each site. Every site has UTC; audience_gate.add_site_zone() '
  'adds others. Any other zone of the IANA database can be asked for too: its days are then made of whole days of UTC and, near '
  'their ends, of slots of fifteen minutes, or of visits, which is as exact but slower.';

alter function audience_gate.people_slots(uuid, uuid[]) owner to audience_gate_owner;
revoke all on function audience_gate.people_slots(uuid, uuid[]) from public, anon, authenticated, service_role;
alter view audience_gate.person_slots owner to audience_gate_owner;
revoke all on audience_gate.person_slots from public, anon, authenticated, service_role;
alter function audience_gate.person_slots_tail(uuid, boolean, audience_gate.tail_event[]) owner to audience_gate_owner;
revoke all on function audience_gate.person_slots_tail(uuid, boolean, audience_gate.tail_event[])
  from public, anon, authenticated, service_role;
alter function audience_gate.kpi_range(uuid, timestamptz, timestamptz, text, text, integer) owner to audience_gate_owner;
revoke all on function audience_gate.kpi_range(uuid, timestamptz, timestamptz, text, text, integer)
  from public, anon, authenticated, service_role;
