-- The days of each person, in the zones that have views; and the same for a zone that has none, from the slots.

create materialized view audience_gate.person_days as
select
  g.site_zone, g.person, g.day,
  array_agg(g.event_type order by g.event_type) as event_types,
  array_agg(g.events order by g.event_type) as events,
  array_agg(g.seconds order by g.event_type) as seconds
from (
  select z.id as site_zone, audience_gate.person(nullif(a.sender, a.session), l.user_id, a.session) as person,
    (a.slot at time zone z.time_zone)::date as day, a.event_type, sum(a.events)::bigint as events, sum(a.seconds) as seconds
  from audience_gate.slot_activity a
  join audience_gate.site_zones z on z.site_id = a.site_id
  left join audience_gate.linked_sessions l on l.site_id = a.site_id and l.session = a.session
  group by 1, 2, 3, 4
) g
group by 1, 2, 3
with data;
create unique index idx_person_days_key on audience_gate.person_days (site_zone, person, day);
comment on materialized view audience_gate.person_days is
  'Which types of events each person of a site caused on which local day, how often and for how long. The other '
  'views about people are made from this one.';
comment on column audience_gate.person_days.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.person_days.person is 'The person.';
comment on column audience_gate.person_days.day is 'The local day.';
comment on column audience_gate.person_days.event_types is
  'The types of events that the person caused on that day, in order.';
comment on column audience_gate.person_days.events is 'How many of each type.';
comment on column audience_gate.person_days.seconds is 'The sum of their durations, for each type.';

create or replace view audience_gate.person_day_types with (security_invoker = true) as
select d.site_zone, d.person, d.day, u.event_type, u.events, u.seconds
from audience_gate.person_days d
cross join lateral unnest(d.event_types, d.events, d.seconds) u (event_type, events, seconds);
comment on view audience_gate.person_day_types is 'person_days unfolded: one row for each type of event.';
comment on column audience_gate.person_day_types.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.person_day_types.person is 'The person.';
comment on column audience_gate.person_day_types.day is 'The local day.';
comment on column audience_gate.person_day_types.event_type is 'The type of event.';
comment on column audience_gate.person_day_types.events is 'How many of them.';
comment on column audience_gate.person_day_types.seconds is 'The sum of their durations.';

-- The live tail. It cannot simply be added to views about people, because a person of the tail may be in the
-- view already, and a visitor of the view may have signed in since. So what the view says about the people of the tail
-- is taken back (revision -1), and what is true of them now is put in its place (revision 1). Every number that is a sum
-- over these rows is then exact. The planner cannot know how many people the tail has, and would compare each with each;
-- it is left with the hash join, which suits any number.
create or replace function audience_gate.person_days_tail(
  p_site uuid, p_site_zone integer, p_time_zone text, p_covered_until timestamptz
)
returns table (revision integer, person uuid, event_type text, day date, events bigint, seconds numeric)
language sql
stable
set search_path = ''
set enable_mergejoin = off
set enable_nestloop = off
as $$
  with links as materialized (
    select * from audience_gate.tail_links(p_site)
  ), tail as materialized (
    select audience_gate.person(a.user_id, l.after, a.session) as person, a.event_type,
      (a.at at time zone p_time_zone)::date as day, count(*)::bigint as events, sum(a.seconds) as seconds
    from audience_gate.activity a
    join links l on l.session = a.session
    where a.site_id = p_site and a.created_at >= (select s.covered_until from audience_gate.analytics_settings s)
    group by 1, 2, 3
  ), moved as materialized (
    select p.person, s.event_type, (s.slot at time zone p_time_zone)::date as day,
      p.revision * s.events as events, p.revision * s.seconds as seconds
    from links l
    cross join lateral (
      select * from audience_gate.slot_activity a
      where a.site_id = p_site and a.session = l.session and a.sender = a.session
      offset 0
    ) s
    cross join lateral (values
      (-1, audience_gate.person(null, l.before, l.session)), (1, audience_gate.person(null, l.after, l.session))
    ) p (revision, person)
    where p_site_zone is not null and l.before is distinct from l.after
  ), before as materialized (
    select d.person, d.event_type, d.day, d.events, d.seconds
    from (select t.person from tail t union select m.person from moved m) p
    cross join lateral (
      select * from audience_gate.person_day_types d
      where d.site_zone = p_site_zone and d.person = p.person
      offset 0
    ) d
    where p_site_zone is not null
  ), whole as (
    -- Where no view holds: everybody, from the slots.
    select audience_gate.person(
        nullif(a.sender, a.session), case when l.session is null then k.user_id else l.after end, a.session) as person,
      a.event_type, (a.slot at time zone p_time_zone)::date as day, a.events, a.seconds
    from audience_gate.slot_activity a
    left join audience_gate.linked_sessions k on k.site_id = p_site and k.session = a.session
    left join links l on l.session = a.session
    where p_site_zone is null and a.site_id = p_site
  )
  select -1, b.* from before b
  union all
  select 1, n.person, n.event_type, n.day, sum(n.events)::bigint, sum(n.seconds)
  from (
    select * from before union all select * from tail union all select * from moved union all select * from whole
  ) n
  group by n.person, n.event_type, n.day
  having sum(n.events) > 0
$$;
comment on function audience_gate.person_days_tail(uuid, integer, text, timestamptz) is
  'Each call reads what is newer than the last refresh from the events themselves, so the figures are current and '
  'exact, late events included. What the views say about the people in this live tail is taken back (revision -1), '
  'and what is true of them now is put in its place (revision 1). An edit of the registry, of a funnel or of the rule '
  'that tells people apart counts at once too: until the next refresh, what depends on it is computed without the views.';

create or replace function audience_gate.kpi_range(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text, p_grain text, p_most integer,
  out first_day date, out last_day date, out site_zone integer, out covered_until timestamptz
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
begin
  if not coalesce(audience_gate.can_read_site(p_site), false) then
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
  select z.id, z.covered_until into site_zone, covered_until
  from audience_gate.site_zones z
  where z.site_id = p_site and z.time_zone = p_zone and z.covered_until is not null
    and z.terms = audience_gate.figure_terms(p_site);
  -- Where no view holds, everything is tail.
  covered_until := coalesce(covered_until, '-infinity');
end;
$$;

alter view audience_gate.person_day_types owner to audience_gate_owner;
alter materialized view audience_gate.person_days owner to audience_gate_owner;
revoke all on audience_gate.person_days, audience_gate.person_day_types from public, anon, authenticated, service_role;
