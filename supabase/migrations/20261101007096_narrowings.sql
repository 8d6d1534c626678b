-- Figures of some visits alone: those that a campaign brought, that began on a page, or in which something was done; and those of
-- ranges that are not made of whole days. They are counted from the visits and slots themselves, because no table of days could
-- have every combination.

create or replace function audience_gate.check_narrowed(p_narrowed jsonb)
returns void
language plpgsql
immutable
set search_path = ''
as $$
declare
  visit_keys constant text[] := array['source', 'medium', 'campaign', 'entry_page', 'referrer', 'device'];
  event_keys constant text[] := array['tier', 'event_type'];
  known constant text[] := visit_keys || event_keys || array['exact'];
begin
  if p_narrowed is null or jsonb_typeof(p_narrowed) <> 'object' then
    raise exception 'narrowed must be an object' using errcode = '22023', hint = 'Send {} for everything.';
  end if;
  if exists (select from jsonb_object_keys(p_narrowed) k (name) where k.name <> all (known)) then
    raise exception 'a figure cannot be narrowed by this key'
      using errcode = '22023', hint = 'Send ' || array_to_string(known, ', ') || '.';
  end if;
  if p_narrowed -> 'exact' <> 'true' then
    raise exception 'exact can be true alone' using errcode = '22023', hint = 'Send true, or leave it out for whole days.';
  end if;
  if exists (
    select from jsonb_each(p_narrowed - 'exact') k (name, wanted)
    where jsonb_typeof(k.wanted) <> 'string' and not (jsonb_typeof(k.wanted) = 'null' and k.name = any (visit_keys))
  ) then
    raise exception 'a figure is narrowed to a text' using errcode = '22023',
      hint = 'Send a string, or null for the visits that named none; an event always has a tier and an event_type.';
  end if;
end;
$$;
comment on function audience_gate.check_narrowed(jsonb) is
  'With narrowed, a figure keeps to some visits: those whose last campaign, as kpi_campaigns credits it, has this source, medium and '
  'campaign, and whose entry_page, referrer and device are these; null means that none was named. By tier and event_type it keeps '
  'to visits in which such an event happened and, where it counts events or who caused them, to those events. All keys must hold. '
  'Everything else is told as without it: a visit is measured whole, its person and its campaign are known from everything, and '
  'people are new who did nothing at all before. What belongs to no visit, such as what was refused, is null. If exact '
  'is true, the range is widened to whole quarters of an hour instead of whole local days. Any other key is refused with 22023.';

create or replace function audience_gate.narrowed_types(p_narrowed jsonb)
returns text[]
language plpgsql
stable
set search_path = ''
as $$
begin
  return case when p_narrowed ?| array['tier', 'event_type'] then array(
    select t.id from public.audience_event_types t
    where t.tier = coalesce(p_narrowed ->> 'tier', t.tier) and t.id = coalesce(p_narrowed ->> 'event_type', t.id)) end;
end;
$$;
comment on function audience_gate.narrowed_types(jsonb) is 'The types of events that a figure is narrowed to; null: all.';

create or replace function audience_gate.narrowed_deeds(p_narrowed jsonb)
returns text[]
language plpgsql
stable
set search_path = ''
as $$
declare
  types text[] := audience_gate.narrowed_types(p_narrowed);
begin
  return array(
    select t.id from public.audience_event_types t
    where t.tier <> 'system' and t.category <> 'retention' and (types is null or t.id = any (types)));
end;
$$;
comment on function audience_gate.narrowed_deeds(jsonb) is 'Those of narrowed_types() that are activity; of all, if it is null.';

-- What a call asks for is known when it is planned, so that it pays for the keys that it has alone. To look for a name in the text of
-- a campaign costs a tenth of reading it.
create or replace function audience_gate.narrowed_visits(
  p_site uuid, p_views_hold boolean, p_tail audience_gate.tail_event[], p_begun timestamptz, p_from timestamptz,
  p_until timestamptz, p_also uuid[], p_narrowed jsonb
)
returns table (
  session uuid, person uuid, started timestamptz, ended timestamptz, events bigint, entry_page text, exit_page text, referrer text,
  device text, first_credit text, last_credit text, goals text[]
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_custom_plan
set work_mem = '64MB'
as $$
#variable_conflict use_column
declare
  types text[] := audience_gate.narrowed_types(p_narrowed);
begin
  return query
  with tail as materialized (
    select * from audience_gate.visit_tail(p_site, p_views_hold, p_tail)
  ), known as (
    select v.*
    from (
      select v.session, v.person, v.started, v.ended, v.events, v.entry_page, v.exit_page, v.referrer, v.device, v.first_credit,
        v.last_credit, v.goals
      from audience_gate.visits v
      where p_views_hold and v.site_id = p_site and v.started >= p_begun and v.ended >= p_from and v.started < p_until
      union all
      select v.session, v.person, v.started, v.ended, v.events, v.entry_page, v.exit_page, v.referrer, v.device, v.first_credit,
        v.last_credit, v.goals
      from audience_gate.visits v
      where p_views_hold and v.site_id = p_site and v.session = any (p_also)
        and not (v.started >= p_begun and v.ended >= p_from and v.started < p_until)
    ) v
    where v.session not in (select t.session from tail t where t.revision = -1)
    union all
    select t.session, t.person, t.started, t.ended, t.events, t.entry_page, t.exit_page, t.referrer, t.device, t.first_credit,
      t.last_credit, t.goals
    from tail t
    where t.revision = 1 and (t.started >= p_begun and t.ended >= p_from and t.started < p_until or t.session = any (p_also))
  ), found as (
    select v.*
    from known v
    where (not p_narrowed ? 'entry_page' or v.entry_page is not distinct from p_narrowed ->> 'entry_page')
      and (not p_narrowed ? 'referrer' or v.referrer is not distinct from p_narrowed ->> 'referrer')
      and (not p_narrowed ? 'device' or v.device is not distinct from p_narrowed ->> 'device')
      and (not p_narrowed ? 'source' or strpos(coalesce(v.last_credit, 'null'), (p_narrowed -> 'source')::text) > 0
        and v.last_credit::jsonb ->> 0 is not distinct from p_narrowed ->> 'source')
      and (not p_narrowed ? 'medium' or strpos(coalesce(v.last_credit, 'null'), (p_narrowed -> 'medium')::text) > 0
        and v.last_credit::jsonb ->> 1 is not distinct from p_narrowed ->> 'medium')
      and (not p_narrowed ? 'campaign' or strpos(coalesce(v.last_credit, 'null'), (p_narrowed -> 'campaign')::text) > 0
        and v.last_credit::jsonb ->> 2 is not distinct from p_narrowed ->> 'campaign')
  )
  select f.session, f.person, f.started, f.ended, f.events, f.entry_page, f.exit_page, f.referrer, f.device, f.first_credit,
    f.last_credit, f.goals
  from found f
  where types is null or f.session in (
    select s.session
    from found o
    join audience_gate.session_slots s on s.site_id = p_site and s.session = o.session
    cross join lateral unnest(s.event_types) u (event_type)
    where u.event_type = any (types)
    union all
    select a.session from unnest(p_tail) a where a.event_type = any (types));
end;
$$;
comment on function audience_gate.narrowed_visits(
  uuid, boolean, audience_gate.tail_event[], timestamptz, timestamptz, timestamptz, uuid[], jsonb) is
  'The visits that began from a time on and of which something may lie in a range, and some others, of which a figure is narrowed '
  'to, as they are now.';

-- A visitor's part is somebody else's than the slots say if the live tail has their session, and anybody's where nothing holds.
-- Thousands of sessions are planned for once and not with their names, which would take longer than reading what they did.
create or replace function audience_gate.narrowed_doings(
  p_site uuid, p_views_hold boolean, p_tail audience_gate.tail_event[], p_zone text, p_first_day date, p_last_day date,
  p_begins timestamptz, p_ends timestamptz, p_sessions uuid[], p_types text[]
)
returns table (
  session uuid, visitor boolean, person uuid, signed_in boolean, day date, event_type text, events bigint, seconds numeric
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_nestloop = off
set enable_mergejoin = off
set work_mem = '64MB'
as $$
#variable_conflict use_column
begin
  return query
  with links as materialized (
    select l.session, l.after from audience_gate.tail_links(p_site, p_tail) l
    where p_sessions is null or l.session in (select unnest(p_sessions))
  ), parts as (
    select a.session, a.sender, a.person, a.slot, a.event_types, a.events, a.seconds
    from audience_gate.session_slots a
    where p_views_hold and a.site_id = p_site and a.slot >= p_begins and a.slot < p_ends
      and (p_sessions is null or a.session in (select unnest(p_sessions)))
      and (a.sender <> a.session or a.session not in (select l.session from links l))
    union all
    select a.session, a.sender, coalesce(l.after, a.session), a.slot, a.event_types, a.events, a.seconds
    from links l
    cross join lateral (
      select * from audience_gate.session_slots a
      where a.site_id = p_site and a.session = l.session and a.sender = a.session and a.slot >= p_begins and a.slot < p_ends offset 0
    ) a
    where p_views_hold
    union all
    select a.session, a.sender, audience_gate.person(nullif(a.sender, a.session),
        case when l.session is null then k.user_id else l.after end, a.session), a.slot, a.event_types, a.events, a.seconds
    from audience_gate.session_slots a
    left join links l on l.session = a.session
    left join audience_gate.linked_sessions k on k.site_id = p_site and k.session = a.session
    where not p_views_hold and a.site_id = p_site and a.slot >= p_begins and a.slot < p_ends
      and (p_sessions is null or a.session in (select unnest(p_sessions)))
    union all
    select a.session, coalesce(a.user_id, a.session), audience_gate.person(a.user_id, l.after, a.session), a.slot,
      array[a.event_type], array[1::bigint], array[a.seconds]
    from unnest(p_tail) a
    join links l on l.session = a.session
    where a.slot >= p_begins and a.slot < p_ends
  ), unfolded as (
    select p.session, p.sender = p.session as visitor, p.person, p.person <> p.session as signed_in,
      (p.slot at time zone p_zone)::date as day, unnest(p.event_types) as event_type, unnest(p.events) as events,
      unnest(p.seconds) as seconds
    from parts p
  )
  select u.* from unfolded u
  where u.day between p_first_day and p_last_day and u.event_type in (select unnest(p_types));
end;
$$;
comment on function audience_gate.narrowed_doings(
  uuid, boolean, audience_gate.tail_event[], text, date, date, timestamptz, timestamptz, uuid[], text[]) is
  'What events of some types some sessions caused, or all if there are none, on the local days of a range and in the slots from one '
  'time to another, with the people whose they are now.';

create or replace function audience_gate.narrowed_past(
  p_site uuid, p_views_hold boolean, p_tail audience_gate.tail_event[], p_zone text, p_day date, p_since timestamptz, p_people uuid[],
  p_types text[]
)
returns table (person uuid, event_type text)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_nestloop = off
set enable_mergejoin = off
set work_mem = '64MB'
as $$
#variable_conflict use_column
declare
  passive constant text[] := array(select t.id from public.audience_event_types t where t.tier = 'system' or t.category = 'retention');
  ends constant timestamptz := coalesce(p_since, p_day::timestamp at time zone p_zone + interval '2 hours');
begin
  return query
  with links as materialized (
    select l.session, l.after from audience_gate.tail_links(p_site, p_tail) l
  ), parts as (
    select a.person, a.slot, a.event_types
    from (
      -- Some people are looked up one by one; for more than that, everything earlier is read once.
      select a.* from unnest(p_people) p (person)
      cross join lateral (
        select * from audience_gate.session_slots a where a.site_id = p_site and a.person = p.person and a.slot < ends offset 0
      ) a
      where cardinality(p_people) <= 10000
      union all
      select a.* from audience_gate.session_slots a
      where cardinality(p_people) > 10000 and a.site_id = p_site and a.slot < ends and a.person in (select unnest(p_people))
    ) a
    where p_views_hold and (a.sender <> a.session or a.session not in (select l.session from links l))
    union all
    -- Of visitors whom the live tail may have made somebody, and of all where slots do not say whose they are.
    select coalesce(o.after, a.session), a.slot, a.event_types
    from links o
    cross join lateral (
      select * from audience_gate.session_slots a
      where a.site_id = p_site and a.session = o.session and a.sender = a.session and a.slot < ends offset 0
    ) a
    where p_views_hold
    union all
    select case when a.sender <> a.session then a.sender when l.session is null then coalesce(k.user_id, a.session)
        else coalesce(l.after, a.session) end, a.slot, a.event_types
    from audience_gate.session_slots a
    left join links l on l.session = a.session
    left join audience_gate.linked_sessions k on k.site_id = p_site and k.session = a.session
    where not p_views_hold and a.site_id = p_site and a.slot < ends
    union all
    select audience_gate.person(a.user_id, l.after, a.session), a.slot, array[a.event_type]
    from unnest(p_tail) a
    join links l on l.session = a.session
    where a.slot < ends
  )
  select u.person, u.event_type
  from (
    select p.person, unnest(case when p_types is null then array[null] else p.event_types end) as event_type
    from parts p
    where (p_since is not null or (p.slot at time zone p_zone)::date < p_day) and p.person in (select unnest(p_people))
      and not p.event_types <@ passive
  ) u
  where p_types is null or u.event_type in (select unnest(p_types))
  group by 1, 2;
end;
$$;
comment on function audience_gate.narrowed_past(
  uuid, boolean, audience_gate.tail_event[], text, date, timestamptz, uuid[], text[]) is
  'Those of some people who did anything before a local day, or before a time if there is one; or what of some types they did.';

create or replace function audience_gate.narrowed_range(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text, p_grain text, p_most integer, p_narrowed jsonb,
  out first_day date, out last_day date, out site_zone integer, out views_hold boolean, out covered_until timestamptz,
  out begins timestamptz, out ends timestamptz, out since timestamptz
)
language plpgsql
stable
set search_path = ''
as $$
declare
  r record;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, p_grain, p_most);
  perform audience_gate.check_narrowed(p_narrowed);
  first_day := r.first_day;
  last_day := r.last_day;
  site_zone := r.site_zone;
  views_hold := r.views_hold;
  covered_until := r.covered_until;
  -- A clock that is changed at midnight shows a day a little before or after it too.
  begins := r.first_day::timestamp at time zone p_zone - interval '2 hours';
  ends := (r.last_day + 1)::timestamp at time zone p_zone + interval '2 hours';
  if p_narrowed ? 'exact' then
    since := date_bin('15 minutes', p_from, timestamptz '2000-01-01Z');
    begins := since;
    ends := date_bin('15 minutes', p_to - interval '1 microsecond', timestamptz '2000-01-01Z') + interval '15 minutes';
  end if;
end;
$$;
comment on function audience_gate.narrowed_range(uuid, timestamptz, timestamptz, text, text, integer, jsonb) is
  'kpi_range() of a narrowed figure, and the times between which all slots of its days lie. Where the range is exact it begins '
  'and ends at these, and since says when it begins.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'check_narrowed(jsonb)', 'narrowed_types(jsonb)', 'narrowed_deeds(jsonb)',
    'narrowed_visits(uuid, boolean, audience_gate.tail_event[], timestamptz, timestamptz, timestamptz, uuid[], jsonb)',
    'narrowed_doings(uuid, boolean, audience_gate.tail_event[], text, date, date, timestamptz, timestamptz, uuid[], text[])',
    'narrowed_past(uuid, boolean, audience_gate.tail_event[], text, date, timestamptz, uuid[], text[])',
    'narrowed_range(uuid, timestamptz, timestamptz, text, text, integer, jsonb)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
