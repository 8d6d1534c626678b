-- What each person did in each slot, and what the live tail changes in that.

drop function if exists audience_gate.retention_tail(uuid, integer, text, timestamptz, text);
drop function if exists audience_gate.feature_tail(uuid, integer, text, timestamptz);
drop function if exists audience_gate.engagement_tail(uuid, integer, text, timestamptz);
drop function if exists audience_gate.person_days_tail(uuid, integer, text, timestamptz);
drop function if exists audience_gate.kpi_range(uuid, timestamptz, timestamptz, text, text, integer);

create or replace view audience_gate.person_slots with (security_invoker = true) as
select a.site_id, audience_gate.person(nullif(a.sender, a.session), l.user_id, a.session) as person,
  a.slot, a.event_type, a.events, a.seconds
from audience_gate.slot_activity a
left join audience_gate.linked_sessions l on l.site_id = a.site_id and l.session = a.session;
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
set enable_mergejoin = off
set enable_hashjoin = off
as $$
  select p.person, a.sender <> a.session, a.event_type, a.slot, a.events, a.seconds
  from unnest(p_people) p (person)
  cross join lateral (select * from audience_gate.slot_activity a where a.site_id = p_site and a.sender = p.person offset 0) a
  left join audience_gate.linked_sessions l on l.site_id = p_site and l.session = a.session
  where a.sender <> a.session or l.session is null
  union all
  select k.user_id, true, a.event_type, a.slot, a.events, a.seconds
  from unnest(p_people) p (person)
  cross join lateral (
    select k.session, k.user_id from audience_gate.linked_sessions k where k.site_id = p_site and k.user_id = p.person offset 0
  ) k
  cross join lateral (select * from audience_gate.slot_activity a where a.site_id = p_site and a.sender = k.session offset 0) a
$$;
comment on function audience_gate.people_slots(uuid, uuid[]) is
  'person_slots of some people, and whether they are users.';

-- The live tail. It cannot simply be added to views about people, because a person of the tail may be in the
-- view already, and a visitor of the view may have signed in since. So what the view says about the people of the tail
-- is taken back (revision -1), and what is true of them now is put in its place (revision 1). Every number that is a sum
-- over these rows is then exact. The planner cannot know how many people the tail has, and would compare each with each;
-- it is left with the hash join, which suits any number.
create or replace function audience_gate.person_slots_tail(p_site uuid, p_views_hold boolean)
returns table (
  revision integer, person uuid, signed_in boolean, event_type text, slot timestamptz, events bigint, seconds numeric
)
language sql
stable
set search_path = ''
set enable_mergejoin = off
set enable_nestloop = off
as $$
  with links as materialized (
    select * from audience_gate.tail_links(p_site)
  ), tail as materialized (
    select a.user_id, audience_gate.person(a.user_id, l.after, a.session) as person, coalesce(a.user_id, l.after) is not null as signed_in,
      a.event_type,
      date_bin('15 minutes', a.at, timestamptz '2000-01-01Z') as slot, count(*)::bigint as events, sum(a.seconds) as seconds
    from audience_gate.tail_events(p_site) a
    join links l on l.session = a.session
    where a.is_activity
    group by 1, 2, 3, 4, 5
  ), users as materialized (
    select t.user_id from tail t where t.user_id is not null
    union select l.before from links l where l.before is not null
    union select l.after from links l where l.after is not null
  ), touched as materialized (
    -- Whose slots they are, and whose they were.
    select u.user_id as sender, u.user_id as before, u.user_id as after, true as was_signed_in, true as signed_in
    from users u where p_views_hold
    union all
    select l.session, audience_gate.person(null, l.before, l.session), audience_gate.person(null, l.after, l.session),
      l.before is not null, l.after is not null
    from links l
    where p_views_hold
    union all
    select k.session, k.user_id, k.user_id, true, true
    from users u
    cross join lateral (
      select * from audience_gate.linked_sessions k where k.site_id = p_site and k.user_id = u.user_id offset 0
    ) k
    where p_views_hold and k.session not in (select l.session from links l)
  ), known as materialized (
    select t.before, t.after, t.was_signed_in, t.signed_in, a.event_type, a.slot, a.events, a.seconds
    from touched t
    cross join lateral (
      select * from audience_gate.slot_activity a where a.site_id = p_site and a.sender = t.sender offset 0
    ) a
    union all
    -- Where no view holds: everybody.
    select null, audience_gate.person(
        nullif(a.sender, a.session), case when l.session is null then k.user_id else l.after end, a.session),
      null, a.sender <> a.session or case when l.session is null then k.user_id else l.after end is not null,
      a.event_type, a.slot, a.events, a.seconds
    from audience_gate.slot_activity a
    left join audience_gate.linked_sessions k on k.site_id = p_site and k.session = a.session
    left join links l on l.session = a.session
    where not p_views_hold and a.site_id = p_site
  )
  select -1, k.before, k.was_signed_in, k.event_type, k.slot, k.events, k.seconds from known k where k.before is not null
  union all
  select 1, k.after, k.signed_in, k.event_type, k.slot, k.events, k.seconds from known k
  union all
  select 1, t.person, t.signed_in, t.event_type, t.slot, t.events, t.seconds from tail t
$$;
comment on function audience_gate.person_slots_tail(uuid, boolean) is
  'Each call reads what was recorded since the last fold from the events themselves, so the figures are current and '
  'exact, late events included. What the tables say about the people in this live tail is taken back (revision -1), '
  'and what is true of them now is put in its place (revision 1). A fold, every minute, writes the same differences into '
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
alter function audience_gate.person_slots_tail(uuid, boolean) owner to audience_gate_owner;
revoke all on function audience_gate.person_slots_tail(uuid, boolean) from public, anon, authenticated, service_role;
alter function audience_gate.kpi_range(uuid, timestamptz, timestamptz, text, text, integer) owner to audience_gate_owner;
revoke all on function audience_gate.kpi_range(uuid, timestamptz, timestamptz, text, text, integer)
  from public, anon, authenticated, service_role;
