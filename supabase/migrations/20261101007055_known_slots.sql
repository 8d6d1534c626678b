-- How far the people in the figures are known, by slot: the persons who are users, and the sessions, by whether they are
-- joined to one. Like people, a session counts in a period on the day whose previous day lies before the period.

create table audience_gate.known_slots (
  site_id uuid,
  kind text,
  slot timestamptz,
  previous_slot timestamptz,
  units bigint not null,
  events bigint not null,
  primary key (site_id, kind, slot, previous_slot)
);
create index idx_known_slots_previous on audience_gate.known_slots (site_id, previous_slot);
create index idx_known_slots_empty on audience_gate.known_slots (site_id) where units = 0;
comment on table audience_gate.known_slots is
  'Users and sessions by site and slot of fifteen minutes, split by the slot in which each was last seen before.';
comment on column audience_gate.known_slots.site_id is 'The site.';
comment on column audience_gate.known_slots.kind is
  'user: people who are users; shared: sessions of which several users are known; session: all others; stitched: their '
  'visitors, as far as they are joined to the one user known of the session; unstitched: the other visitors.';
comment on column audience_gate.known_slots.slot is 'When the fifteen minutes began.';
comment on column audience_gate.known_slots.previous_slot is
  'The slot in which these users, sessions or visitors were last seen before; -infinity: never.';
comment on column audience_gate.known_slots.units is 'How many of them.';
comment on column audience_gate.known_slots.events is 'How many events they caused in the slot.';

create table audience_gate.known_days (
  site_zone integer,
  kind text,
  day date,
  previous_day date,
  units bigint not null,
  events bigint not null,
  primary key (site_zone, kind, day, previous_day)
);
create index idx_known_days_day on audience_gate.known_days (site_zone, day);
create index idx_known_days_empty on audience_gate.known_days (site_zone) where units = 0;
comment on table audience_gate.known_days is 'known_slots by local day.';
comment on column audience_gate.known_days.site_zone is 'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.known_days.kind is 'The kind, as in known_slots.';
comment on column audience_gate.known_days.day is 'The local day.';
comment on column audience_gate.known_days.previous_day is
  'The day on which they were last seen before; -infinity: never; the same day: in an earlier slot of it.';
comment on column audience_gate.known_days.units is 'How many users, sessions or visitors.';
comment on column audience_gate.known_days.events is 'How many events they caused on the day.';

create or replace function audience_gate.whole_known_slots(p_site uuid, p_people uuid[] default null, p_sessions uuid[] default null)
returns setof audience_gate.known_slots
language sql
stable
set search_path = ''
as $$
with parts as (
  select a.session, a.sender, a.slot, a.events, l.user_id, coalesce(u.first_user <> u.last_user, false) as shared
  from (
    select a.session, a.sender, a.slot, a.events from audience_gate.slot_activity a where p_sessions is null and a.site_id = p_site
    union all
    select a.session, a.sender, a.slot, a.events
    from unnest(p_sessions) s (session)
    cross join lateral (select * from audience_gate.slot_activity a where a.site_id = p_site and a.session = s.session offset 0) a
  ) a
  left join audience_gate.session_users u on u.site_id = p_site and u.session = a.session
  left join audience_gate.linked_sessions l on l.site_id = p_site and l.session = a.session
), seen as (
  select 'user' as kind, coalesce(nullif(p.sender, p.session), p.user_id) as who, p.slot, p.events
  from parts p
  where p_people is null and (p.sender <> p.session or p.user_id is not null)
  union all
  select 'user', p.person, p.slot, p.events from audience_gate.people_slots(p_site, p_people) p where p.signed_in
  union all
  select case when p.shared then 'shared' else 'session' end, p.session, p.slot, p.events from parts p
  union all
  select case when p.user_id is null then 'unstitched' else 'stitched' end, p.session, p.slot, p.events
  from parts p
  where p.sender = p.session and not p.shared
), by_slot as (
  select s.kind, s.who, s.slot, sum(s.events) as events from seen s group by 1, 2, 3
), ordered as (
  select b.*, lag(b.slot, 1, '-infinity'::timestamptz) over (partition by b.kind, b.who order by b.slot) as previous_slot
  from by_slot b
)
select p_site, o.kind, o.slot, o.previous_slot, count(*)::bigint, sum(o.events)::bigint
from ordered o
group by 2, 3, 4
$$;
comment on function audience_gate.whole_known_slots(uuid, uuid[], uuid[]) is
  'What known_slots holds of a site, from all slots; or of some people and some sessions.';

create or replace view audience_gate.whole_known_days with (security_invoker = true) as
select
  z.site_id, z.id as site_zone, s.kind, (s.slot at time zone z.time_zone)::date as day,
  (s.previous_slot at time zone z.time_zone)::date as previous_day,
  sum(s.units)::bigint as units, sum(s.events)::bigint as events
from audience_gate.known_slots s
join audience_gate.site_zones z on z.site_id = s.site_id
group by 1, 2, 3, 4, 5;
comment on view audience_gate.whole_known_days is 'What known_days holds, from all slots.';

create or replace function audience_gate.known_sessions_tail(
  p_site uuid, p_views_hold boolean, p_tail audience_gate.tail_event[]
)
returns table (kind text, slot timestamptz, previous_slot timestamptz, units bigint, events bigint)
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
  ), folded as materialized (
    select l.session, l.before, l.after, l.was_shared, l.shared, a.sender = l.session as visitor, a.slot, a.events
    from links l
    cross join lateral (
      select * from audience_gate.slot_activity a where a.site_id = p_site and a.session = l.session offset 0
    ) a
    where p_views_hold
  ), tail as materialized (
    select a.session, a.user_id is null as visitor, a.slot, count(*)::bigint as events
    from unnest(p_tail) a
    where a.is_activity
    group by 1, 2, 3
  ), parts as (
    -- What each session's users, and its visitor, did: before the live tail, and with it.
    select -1 as revision, f.session, f.visitor, f.slot, f.events, f.was_shared as shared, f.before is not null as linked from folded f
    union all
    select 1, f.session, f.visitor, f.slot, f.events, f.shared, f.after is not null from folded f
    union all
    select 1, t.session, t.visitor, t.slot, t.events, l.shared, l.after is not null
    from tail t
    join links l on l.session = t.session
    union all
    -- Where no table holds: everybody.
    select 1, a.session, a.sender = a.session, a.slot, a.events,
      case when l.session is null then coalesce(u.first_user <> u.last_user, false) else l.shared end,
      case when l.session is null then k.user_id else l.after end is not null
    from audience_gate.slot_activity a
    left join audience_gate.session_users u on u.site_id = p_site and u.session = a.session
    left join audience_gate.linked_sessions k on k.site_id = p_site and k.session = a.session
    left join links l on l.session = a.session
    where not p_views_hold and a.site_id = p_site
  ), seen as (
    select p.revision, case when p.shared then 'shared' else 'session' end as kind, p.session as who, p.slot, p.events from parts p
    union all
    select p.revision, case when p.linked then 'stitched' else 'unstitched' end, p.session, p.slot, p.events
    from parts p
    where p.visitor and not p.shared
  ), by_slot as (
    select s.revision, s.kind, s.who, s.slot, sum(s.events) as events from seen s group by 1, 2, 3, 4
  ), ordered as (
    select b.*, lag(b.slot, 1, '-infinity'::timestamptz) over (partition by b.revision, b.kind, b.who order by b.slot) as previous_slot
    from by_slot b
  )
  select o.kind, o.slot, o.previous_slot, sum(o.revision)::bigint, sum(o.revision * o.events)::bigint
  from ordered o
  group by 1, 2, 3;
end;
$$;
comment on function audience_gate.known_sessions_tail(uuid, boolean, audience_gate.tail_event[]) is
  'What the live tail adds to known_slots and takes from it, but for the users; everything, where the tables do not hold.';

create or replace function audience_gate.known_cells(
  p_site uuid, p_site_zone integer, p_time_zone text, p_views_hold boolean, p_first_day date, p_last_day date
)
returns table (kind text, day date, previous_day date, units bigint, events bigint)
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
    select l.* from audience_gate.local_days(p_time_zone, p_first_day - 1, p_last_day + 1) l where p_views_hold and p_site_zone is null
  )
  select v.kind, v.day, v.previous_day, v.units, v.events
  from audience_gate.known_days v
  where p_views_hold and v.site_zone = p_site_zone and v.day between p_first_day and p_last_day
  union all
  select v.kind, v.day, v.previous_day, v.units, v.events
  from edges e
  cross join lateral (
    select * from audience_gate.known_days v
    where v.site_zone = (select z.id from audience_gate.site_zones z where z.site_id = p_site and z.time_zone = 'UTC')
      and v.day between e.edge_until + 1 and e.inner_until
      and (v.previous_day < e.edge_from or v.previous_day > e.edge_until)
    offset 0
  ) v
  union all
  select s.kind, l.days[s.nth], case s.before when -1 then '-infinity' when 0 then p_first_day - 2 else l.days[s.before] end,
    s.units, s.events
  from (
    select v.kind, width_bucket(v.slot, l.starts) as nth,
      case when v.previous_slot = '-infinity' then -1 else width_bucket(v.previous_slot, l.starts) end as before,
      sum(v.units)::bigint as units, sum(v.events)::bigint as events
    from (
      select v.* from (
        select distinct g.day::date as day from edges e cross join generate_series(e.edge_from::timestamp, e.edge_until, '1 day') g (day)
      ) d
      cross join lateral (
        select * from audience_gate.known_slots v
        where v.site_id = p_site and v.kind = any (array['user', 'session', 'shared', 'stitched', 'unstitched'])
          and v.slot >= d.day::timestamp at time zone 'UTC' and v.slot < (d.day + 1)::timestamp at time zone 'UTC'
        offset 0
      ) v
      union all
      select v.* from edges e
      cross join lateral (
        select * from audience_gate.known_slots v
        where v.site_id = p_site and v.kind = any (array['user', 'session', 'shared', 'stitched', 'unstitched'])
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
comment on function audience_gate.known_cells(uuid, integer, text, boolean, date, date) is
  'Users and sessions on the local days of a range, by kind, split by the day on which each was last seen before. In a zone that '
  'the site does not count, days are told apart only as far as the whole range needs.';

do $$
declare
  made text;
begin
  foreach made in array array['known_slots', 'known_days'] loop
    execute format('alter table audience_gate.%I owner to audience_gate_owner', made);
    execute format('alter table audience_gate.%I enable row level security', made);
    execute format('create policy %I on audience_gate.%I to audience_gate_owner using (true) with check (true)', made || '_gate', made);
    execute format('revoke all on audience_gate.%I from public, anon, authenticated, service_role', made);
  end loop;
  alter view audience_gate.whole_known_days owner to audience_gate_owner;
  revoke all on audience_gate.whole_known_days from public, anon, authenticated, service_role;
  foreach made in array array[
    'whole_known_slots(uuid, uuid[], uuid[])', 'known_sessions_tail(uuid, boolean, audience_gate.tail_event[])',
    'known_cells(uuid, integer, text, boolean, date, date)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', made);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
  end loop;
end $$;
