-- Funnels walk through the events of people, and of a visitor's session after the user it belongs to is known.

drop function if exists audience_gate.funnel_tail(uuid, text, timestamptz);
drop function if exists audience_gate.funnel_cells(uuid, text, timestamptz, timestamptz);

-- One walk serves the table, the live tail, and zones that the table does not count. The planner cannot know how many people
-- a step has, and would compare each with each; it is left with the hash join, which suits any number. The site of an event is
-- looked at after the event was found by its user or session: of a log that was never analysed, the planner would have all
-- events of the site looked up for each of them. The next time in a list is searched for by halves, because somebody may have
-- entered, and gone on, tens of thousands of times.
--
-- For people with many slots only the events are read that the live tail can matter to: from the last funnel that they completed
-- before it, because whoever entered by then had reached every step, to the next steps after it. funnel_spans() says how far
-- that is.
create or replace function audience_gate.funnel_cells(
  p_site uuid, p_moments boolean[], p_touched boolean, p_from timestamptz, p_until timestamptz,
  p_people uuid[] default null, p_sessions text[] default null, p_tail audience_gate.tail_event[] default '{}'
)
returns table (
  now boolean, funnel_id text, slot timestamptz, previous_slot timestamptz, "position" smallint, people bigint, seconds numeric
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
  with recursive steps as materialized (
    select f.* from audience_gate.funnel_steps f where f.site_id = p_site
  ), links as materialized (
    select l.session, l.session_id, l.before, l.after
    from audience_gate.tail_links(p_site, p_tail) l
    where (true = any (p_moments) or p_touched) and p_people is null
  ), changed as materialized (
    -- Who did what in which slot, where that is new or used to be somebody else's.
    select audience_gate.person(a.user_id, l.after, a.session) as person, a.slot, a.event_type
    from unnest(p_tail) a
    join links l on l.session = a.session
    where p_touched and a.is_activity
    union
    select m.person, m.slot, m.event_type
    from links l
    cross join lateral (
      select p.person, a.slot, a.event_type
      from audience_gate.slot_activity a
      cross join (values (audience_gate.person(null, l.before, l.session)), (audience_gate.person(null, l.after, l.session))) p (person)
      where a.site_id = p_site and a.session = l.session and a.sender = l.session
      offset 0
    ) m
    where p_touched and l.before is distinct from l.after
  ), spans as materialized (
    select s.*
    from (
      select array_agg(c.person) as people, array_agg(c.slot) as slots, array_agg(c.event_type) as types
      from changed c
      having count(*) > 0
    ) c
    cross join lateral audience_gate.funnel_spans(p_site, c.people, c.slots, c.types) s
  ), users as materialized (
    select s.person as user_id from spans s where s.from_slot = '-infinity' and s.person not in (select l.session from links l)
    union
    select p.person from unnest(p_people) p (person)
  ), sessions as materialized (
    select md5(s.session_id)::uuid as session, s.session_id, k.user_id
    from unnest(p_sessions) s (session_id)
    left join audience_gate.linked_sessions k on k.site_id = p_site and k.session = md5(s.session_id)::uuid
    union all
    select k.session, k.session_id, k.user_id
    from unnest(p_people) p (person)
    cross join lateral (
      select * from audience_gate.linked_sessions k where k.site_id = p_site and k.user_id = p.person offset 0
    ) k
    where k.session not in (select md5(s.session_id)::uuid from unnest(p_sessions) s (session_id))
  ), found as materialized (
    -- Whose event it was at the last fold, and whose it is now.
    select audience_gate.person(a.user_id, case when l.session is null then k.user_id else l.before end, a.session) as before,
      audience_gate.person(a.user_id, case when l.session is null then k.user_id else l.after end, a.session) as after,
      a.event_type, a.at, a.folded
    from audience_gate.activity a
    left join audience_gate.linked_sessions k on k.site_id = p_site and k.session = a.session
    left join links l on l.session = a.session
    where not p_touched and a.site_id = p_site
      and a.at >= p_from and a.at <= (select p_until + max(s.conversion_window) from steps s)
      and a.event_type in (select s.event_type from steps s)
    union all
    select e.person, e.person, e.event_type, e.at, true
    from users u
    cross join lateral (
      select a.site_id, a.user_id as person, a.event_type, a.at, a.folded from audience_gate.activity a
      where a.user_id = u.user_id
      offset 0
    ) e
    where e.site_id = p_site and e.folded and e.event_type in (select s.event_type from steps s)
    union all
    select audience_gate.person(null, v.user_id, v.session), audience_gate.person(null, v.user_id, v.session), e.event_type, e.at, true
    from sessions v
    cross join lateral (
      select a.site_id, a.user_id, a.event_type, a.at, a.folded from audience_gate.activity a
      where a.session_id = v.session_id
      offset 0
    ) e
    where e.site_id = p_site and e.folded and e.user_id is null and e.event_type in (select s.event_type from steps s)
    union all
    -- What was done as a visitor, and within its span what was done by people who are read in part.
    select b.person, case when b.sender = b.session and l.session is not null then audience_gate.person(null, l.after, l.session)
        else b.person end, e.event_type, e.at, true
    from (
      select array_agg(s.person) as people, array_agg(s.from_slot) as from_slots, array_agg(s.until_slot) as until_slots,
        array(select y.event_type from steps y) as types
      from spans s
      having count(*) > 0
    ) s
    cross join lateral audience_gate.span_slots(p_site, s.people, s.from_slots, s.until_slots, s.types) b
    left join links l on l.session = b.session
    cross join lateral (
      select a.site_id, a.session, a.user_id, a.event_type, a.at, a.folded from audience_gate.activity a
      where a.session_id = coalesce(b.session_id, l.session_id)
      offset 0
    ) e
    where e.site_id = p_site and e.folded and coalesce(e.user_id, e.session) = b.sender
      and e.event_type in (select s.event_type from steps s)
      and date_bin('15 minutes', e.at, timestamptz '2000-01-01Z') = any (b.slots)
    union all
    select null, audience_gate.person(a.user_id, l.after, a.session), a.event_type, a.at, false
    from unnest(p_tail) a
    join links l on l.session = a.session
    where p_touched and a.is_activity and a.event_type in (select s.event_type from steps s)
  ), events as materialized (
    select m.now, m.person, m.event_type, m.at
    from (
      select true as now, f.after as person, f.event_type, f.at from found f where true = any (p_moments)
      union all
      select false, f.before, f.event_type, f.at from found f where f.folded and false = any (p_moments)
    ) m
    left join spans s on s.person = m.person and s.from_slot > '-infinity'
    where s.person is null or m.at >= s.from_slot and m.at < s.until_slot + interval '15 minutes'
  ), touches as materialized (
    select e.now, s.funnel_id, s.position, s.conversion_window, e.person, array_agg(e.at order by e.at) as times
    from events e
    join steps s on s.event_type = e.event_type
    where s.position > 1
    group by 1, 2, 3, 4, 5
  ), entries as (
    select e.now, s.funnel_id, e.person, date_bin('15 minutes', e.at, timestamptz '2000-01-01Z') as slot, min(e.at) as entered
    from events e
    join steps s on s.event_type = e.event_type and s.position = 1
    group by 1, 2, 3, 4
  ), walk as (
    select
      e.now, e.funnel_id, e.person, e.slot,
      lag(e.slot, 1, '-infinity'::timestamptz) over (partition by e.now, e.funnel_id, e.person order by e.slot) as previous_slot,
      1::smallint as position, e.entered, e.entered as reached
    from entries e
    union all
    select w.now, w.funnel_id, w.person, w.slot, w.previous_slot, t.position, w.entered, r.reached
    from walk w
    join touches t on t.now = w.now and t.funnel_id = w.funnel_id and t.person = w.person and t.position = w.position + 1
    cross join lateral (
      select t.times[width_bucket(w.reached - interval '1 microsecond', t.times) + 1] as reached
    ) r
    where r.reached <= w.entered + t.conversion_window
  )
  select w.now, w.funnel_id, w.slot, w.previous_slot, w.position, count(*)::bigint,
    sum(extract(epoch from w.reached - w.entered))
  from walk w
  group by 1, 2, 3, 4, 5;
end;
$$;
comment on function
  audience_gate.funnel_cells(uuid, boolean[], boolean, timestamptz, timestamptz, uuid[], text[], audience_gate.tail_event[]) is
  'People by funnel, slot of entry, slot of the entry before that, and step reached: as they are now, as they were at the last '
  'fold, or both; of everybody or, if p_touched, of those about whom the live tail says something, or of some people and '
  'sessions. Of everybody, the entries between p_from and p_until are complete, but for the slot of the entry before the first.';

create table audience_gate.funnel_slots (
  site_id uuid,
  funnel_id text,
  slot timestamptz,
  previous_slot timestamptz,
  "position" smallint,
  people bigint not null,
  seconds numeric not null,
  primary key (site_id, funnel_id, slot, previous_slot, "position")
);
create index idx_funnel_slots_empty on audience_gate.funnel_slots (site_id) where people = 0;
comment on table audience_gate.funnel_slots is
  'People by site, funnel, slot of fifteen minutes of entry, slot of the entry before that, and step reached, with the '
  'seconds that it took them.';
comment on column audience_gate.funnel_slots.site_id is 'The site.';
comment on column audience_gate.funnel_slots.funnel_id is 'The funnel.';
comment on column audience_gate.funnel_slots.slot is 'When the fifteen minutes of entry began.';
comment on column audience_gate.funnel_slots.previous_slot is
  'The slot in which these people entered before; -infinity: never.';
comment on column audience_gate.funnel_slots.position is 'The step.';
comment on column audience_gate.funnel_slots.people is 'How many people reached it.';
comment on column audience_gate.funnel_slots.seconds is 'The sum of the seconds from entry to the step.';

create table audience_gate.funnel_days (
  site_zone integer,
  funnel_id text,
  day date,
  previous_day date,
  "position" smallint,
  people bigint not null,
  seconds numeric not null,
  primary key (site_zone, funnel_id, day, previous_day, "position")
);
create index idx_funnel_days_empty on audience_gate.funnel_days (site_zone) where people = 0;
comment on table audience_gate.funnel_days is
  'People by site, funnel, local day of entry, day of the entry before that, and step reached, with the seconds '
  'that it took them.';
comment on column audience_gate.funnel_days.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.funnel_days.funnel_id is 'The funnel.';
comment on column audience_gate.funnel_days.day is 'The local day of entry.';
comment on column audience_gate.funnel_days.previous_day is
  'The day on which these people entered before; -infinity: never; the same day: in an earlier slot of it.';
comment on column audience_gate.funnel_days.position is 'The step.';
comment on column audience_gate.funnel_days.people is 'How many people reached it.';
comment on column audience_gate.funnel_days.seconds is 'The sum of the seconds from entry to the step.';

create or replace view audience_gate.whole_funnel_days with (security_invoker = true) as
select
  z.site_id, z.id as site_zone, s.funnel_id, (s.slot at time zone z.time_zone)::date as day,
  (s.previous_slot at time zone z.time_zone)::date as previous_day, s.position, sum(s.people)::bigint as people, sum(s.seconds) as seconds
from audience_gate.funnel_slots s
join audience_gate.site_zones z on z.site_id = s.site_id
group by 1, 2, 3, 4, 5, 6;
comment on view audience_gate.whole_funnel_days is 'What funnel_days holds, from all slots.';
alter view audience_gate.whole_funnel_days owner to audience_gate_owner;
revoke all on audience_gate.whole_funnel_days from public, anon, authenticated, service_role;

create materialized view audience_gate.conversion_funnel as select * from audience_gate.funnel_days with data;
create unique index idx_conversion_funnel_key
  on audience_gate.conversion_funnel (site_zone, funnel_id, day, previous_day, position);
comment on materialized view audience_gate.conversion_funnel is
  'People by site, funnel, local day of entry, day of the entry before that, and step reached, with the seconds '
  'that it took them.';
do $$
declare
  item record;
begin
  for item in
    select a.attname, col_description(a.attrelid, a.attnum) as comment from pg_catalog.pg_attribute a
    where a.attrelid = 'audience_gate.funnel_days'::regclass and a.attnum > 0
  loop
    execute format('comment on column audience_gate.conversion_funnel.%I is %L', item.attname, item.comment);
  end loop;
end $$;
do $$
declare
  made text;
begin
  foreach made in array array['funnel_slots', 'funnel_days'] loop
    execute format('alter table audience_gate.%I owner to audience_gate_owner', made);
    execute format('alter table audience_gate.%I enable row level security', made);
    execute format('revoke all on audience_gate.%I from public, anon, authenticated, service_role', made);
    execute format('create policy %I on audience_gate.%I to audience_gate_owner using (true) with check (true)', made || '_gate', made);
  end loop;
end $$;

alter function audience_gate.funnel_cells(uuid, boolean[], boolean, timestamptz, timestamptz, uuid[], text[], audience_gate.tail_event[])
  owner to audience_gate_owner;
revoke all on function
  audience_gate.funnel_cells(uuid, boolean[], boolean, timestamptz, timestamptz, uuid[], text[], audience_gate.tail_event[])
  from public, anon, authenticated, service_role;
alter materialized view audience_gate.conversion_funnel owner to audience_gate_owner;
revoke all on audience_gate.conversion_funnel from public, anon, authenticated, service_role;
