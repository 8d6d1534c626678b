-- What the live tail changes in the visits of the people in it.

create or replace function audience_gate.busy_visitors(p_site uuid, p_people uuid[])
returns table (person uuid, first_credit text, started timestamptz, session uuid)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_incremental_sort = off
as $$
#variable_conflict use_column
begin
  return query
  select p.person, v.first_credit, v.started, v.session
  from unnest(p_people) p (person)
  cross join lateral (
    select count(*) as visits
    from (
      select from audience_gate.visits v
      where v.site_id = p_site and v.person = p.person
      order by v.started, v.session limit (select audience_gate.few_slots() + 1)
    ) v
  ) n
  cross join lateral (
    select * from audience_gate.visits v
    where v.site_id = p_site and v.person = p.person
    order by v.started desc, v.session desc limit 1
  ) v
  where n.visits > (select audience_gate.few_slots());
end;
$$;
comment on function audience_gate.busy_visitors(uuid, uuid[]) is
  'Those of some people who made so many visits that not all of them are read again, with the newest visit of each.';

-- A visit changes its own row and, under each of its labels, that of the visit after it, because each says which came before.
create or replace function audience_gate.near_visits(p_site uuid, p_people uuid[], p_changed audience_gate.visits[])
returns setof audience_gate.visits
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_incremental_sort = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
  with needed as materialized (
    select c.person, c.started, c.session, k.kind, k.label
    from unnest(p_changed) c
    cross join lateral (
      select coalesce(c.last_credit, c.last_touch, (
        select v.last_credit from audience_gate.visits v
        where v.site_id = p_site and v.person = c.person and (v.started, v.session) < (c.started, c.session)
        order by v.started desc, v.session desc limit 1)) as last_credit
    ) l
    cross join lateral (values ('visit', null), ('entry', c.entry_page), ('exit', c.exit_page), ('referrer', c.referrer),
      ('device', c.device), ('last', l.last_credit)) k (kind, label)
    group by 1, 2, 3, 4, 5
  ), near as materialized (
    select c.session from unnest(p_changed) c
    union
    select v.session
    from needed n
    cross join lateral (
      select v.session from audience_gate.visits v
      where v.site_id = p_site and v.person = n.person and (v.started, v.session) < (n.started, n.session)
        and case n.kind when 'entry' then v.entry_page when 'exit' then v.exit_page when 'referrer' then v.referrer
          when 'device' then v.device when 'last' then v.last_credit end is not distinct from n.label
      order by v.started desc, v.session desc limit 1
    ) v
    union
    select v.session
    from needed n
    cross join lateral (
      select v.session from audience_gate.visits v
      where v.site_id = p_site and v.person = n.person and (v.started, v.session) > (n.started, n.session)
        and case n.kind when 'entry' then v.entry_page when 'exit' then v.exit_page when 'referrer' then v.referrer
          when 'device' then v.device when 'last' then v.last_credit end is not distinct from n.label
      order by v.started, v.session limit 1
    ) v
  )
  select v.*
  from near n
  cross join lateral (select * from audience_gate.visits v where v.site_id = p_site and v.session = n.session offset 0) v
  where v.person in (select c.person from unnest(p_changed) c)
  union all
  select v.*
  from unnest(p_people) p (person)
  cross join lateral (
    select * from audience_gate.visits v where v.site_id = p_site and v.person = p.person order by v.started, v.session offset 0
  ) v;
end;
$$;
comment on function audience_gate.near_visits(uuid, uuid[], audience_gate.visits[]) is
  'All visits of some people; and of the people whose visits changed, those visits and their neighbours under each label.';

-- A visit of the live tail may give a campaign to other visits of its person, or take one from them. Most of somebody's past
-- stays as it is. When a visit goes on, its row says all that is needed; its events are read again only if some came late. For
-- people with many visits only the neighbours of what is new are read, unless a campaign came in between. What those say about
-- the visits before them is compared with what they said without the live tail: where both agree, the table is right.
create or replace function audience_gate.visit_tail(p_site uuid, p_views_hold boolean, p_tail audience_gate.tail_event[])
returns table (
  revision integer, session uuid, sender uuid, person uuid, started timestamptz, ended timestamptz, events bigint,
  entry_page text, exit_page text, referrer text, device text, first_touch text, last_touch text, goals text[],
  first_credit text, last_credit text, previous_visit timestamptz, previous_entry timestamptz, previous_exit timestamptz,
  previous_referrer timestamptz, previous_device timestamptz, previous_last timestamptz
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
    select l.session, l.session_id, l.after from audience_gate.tail_links(p_site, p_tail) l
  ), stored as materialized (
    select o.*
    from links l
    cross join lateral (
      select * from audience_gate.visits v where v.site_id = p_site and v.session = l.session offset 0
    ) o
    where p_views_hold
  ), arrived as materialized (
    select a.session, min(coalesce(a.user_id, a.session)::text) as first_sender, max(coalesce(a.user_id, a.session)::text) as last_sender,
      min(a.at) as started, max(a.at) as ended, count(*)::bigint as events,
      array_agg(a.page order by a.at, a.id) filter (where a.page <> '') as pages,
      (array_agg(a.referrer order by a.at, a.id) filter (where a.referrer <> ''))[1] as referrer,
      (array_agg(a.device order by a.at, a.id) filter (where a.device <> ''))[1] as device,
      array_agg(a.touch order by a.at, a.id) filter (where a.touch is not null) as touches,
      array_agg(distinct a.event_type) filter (where a.event_type = any (array(
        select g.event_type from audience_gate.visit_goals(p_site) g))) as goals
    from unnest(p_tail) a
    where a.is_activity and p_views_hold
    group by 1
  ), late as materialized (
    select l.session, l.session_id
    from arrived a
    join stored o on o.session = a.session
    join links l on l.session = a.session
    where a.started <= o.ended
  ), made as (
    select c.* from audience_gate.visit_cells(p_site, true) c where not p_views_hold
    union all
    select c.*
    from (select array_agg(t.session_id) as sessions from late t having count(*) > 0) t
    cross join lateral audience_gate.visit_cells(p_site, true, t.sessions) c
    union all
    select l.session, case when o.session is null then g.sender when a.session is null or g.sender = o.sender then o.sender end,
      coalesce(o.started, a.started), coalesce(a.ended, o.ended), coalesce(o.events, 0) + coalesce(a.events, 0),
      coalesce(o.entry_page, a.pages[1]), coalesce(a.pages[cardinality(a.pages)], o.exit_page), coalesce(o.referrer, a.referrer),
      coalesce(o.device, a.device), coalesce(o.first_touch, a.touches[1]), coalesce(a.touches[cardinality(a.touches)], o.last_touch),
      case when a.goals is null then coalesce(o.goals, '{}') else array(select unnest(o.goals) union select unnest(a.goals) order by 1) end
    from links l
    left join stored o on o.session = l.session
    left join arrived a on a.session = l.session
    cross join lateral (select case when a.first_sender = a.last_sender then a.first_sender::uuid end as sender) g
    where (o.session is not null or a.session is not null) and l.session not in (select t.session from late t)
  ), fresh as materialized (
    select c.*, coalesce(case when l.session is null then k.user_id else l.after end, c.sender, c.session) as person
    from made c
    left join links l on l.session = c.session
    left join (
      select k.session, k.user_id from audience_gate.linked_sessions k where not p_views_hold and k.site_id = p_site offset 0
    ) k on k.session = c.session
  ), touched as materialized (
    select f.person from fresh f where p_views_hold
    union
    select o.person from stored o
  ), busy as materialized (
    select b.*
    from (select array_agg(t.person) as people from touched t having count(*) > 0) t
    cross join lateral audience_gate.busy_visitors(p_site, t.people) b
  ), partly as materialized (
    -- People whose other visits keep their campaigns.
    select b.person, b.first_credit
    from busy b
    where not exists (
      select from stored o full join fresh n on n.session = o.session and n.person = o.person
      where coalesce(o.person, n.person) = b.person and coalesce(o.last_touch, n.last_touch) is not null
        and (o.first_touch, o.last_touch, o.started) is distinct from (n.first_touch, n.last_touch, n.started)
        and (o.last_touch is not null or b.first_credit is null or (n.started, n.session) < (b.started, b.session)))
  ), folded as materialized (
    select v.*
    from (
      select array(select t.person from touched t where t.person not in (select b.person from partly b)) as people,
        array(
          select o::audience_gate.visits from stored o where o.person in (select b.person from partly b)
          union all
          select row(p_site, f.session, f.sender, f.person, f.started, f.ended, f.events, f.entry_page, f.exit_page, f.referrer,
            f.device, f.first_touch, f.last_touch, f.goals, null, null, '-infinity', '-infinity', '-infinity', '-infinity',
            '-infinity', '-infinity')::audience_gate.visits
          from fresh f where f.person in (select b.person from partly b)
        ) as changed
    ) c
    cross join lateral audience_gate.near_visits(p_site, c.people, c.changed) v
  ), current as (
    select f.session, f.sender, f.person, f.started, f.ended, f.events, f.entry_page, f.exit_page, f.referrer, f.device,
      f.first_touch, f.last_touch, f.goals, f.last_touch as credit
    from fresh f
    union all
    select o.session, o.sender, o.person, o.started, o.ended, o.events, o.entry_page, o.exit_page, o.referrer, o.device,
      o.first_touch, o.last_touch, o.goals, case when b.person is null then o.last_touch else o.last_credit end
    from folded o
    left join partly b on b.person = o.person
    where o.session not in (select l.session from links l)
  ), numbered as (
    select c.*, count(c.credit) over (partition by c.person order by c.started, c.session) as nth from current c
  ), credited as (
    select n.*, case when b.person is null then max(n.first_touch) filter (where n.nth = 1) over (partition by n.person)
        else b.first_credit end as first_credit,
      max(n.credit) over (partition by n.person, n.nth) as last_credit
    from numbered n
    left join partly b on b.person = n.person
  ), placed as (
    select n.*,
      lag(n.started, 1, '-infinity') over (partition by n.person order by n.started, n.session) as previous_visit,
      lag(n.started, 1, '-infinity') over (partition by n.person, n.entry_page order by n.started, n.session) as previous_entry,
      lag(n.started, 1, '-infinity') over (partition by n.person, n.exit_page order by n.started, n.session) as previous_exit,
      lag(n.started, 1, '-infinity') over (partition by n.person, n.referrer order by n.started, n.session) as previous_referrer,
      lag(n.started, 1, '-infinity') over (partition by n.person, n.device order by n.started, n.session) as previous_device,
      lag(n.started, 1, '-infinity') over (partition by n.person, n.last_credit order by n.started, n.session) as previous_last
    from credited n
  ), before as (
    select o.session, o.previous_visit as stored_visit, o.previous_entry as stored_entry, o.previous_exit as stored_exit,
      o.previous_referrer as stored_referrer, o.previous_device as stored_device, o.previous_last as stored_last,
      lag(o.started, 1, '-infinity') over (partition by o.person order by o.started, o.session) as previous_visit,
      lag(o.started, 1, '-infinity') over (partition by o.person, o.entry_page order by o.started, o.session) as previous_entry,
      lag(o.started, 1, '-infinity') over (partition by o.person, o.exit_page order by o.started, o.session) as previous_exit,
      lag(o.started, 1, '-infinity') over (partition by o.person, o.referrer order by o.started, o.session) as previous_referrer,
      lag(o.started, 1, '-infinity') over (partition by o.person, o.device order by o.started, o.session) as previous_device,
      lag(o.started, 1, '-infinity') over (partition by o.person, o.last_credit order by o.started, o.session) as previous_last
    from folded o
    where o.person in (select b.person from partly b)
  ), ordered as materialized (
    select p_site as site_id, n.session, n.sender, n.person, n.started, n.ended, n.events, n.entry_page, n.exit_page, n.referrer,
      n.device, n.first_touch, n.last_touch, n.goals, n.first_credit, n.last_credit,
      case when b.previous_visit is not distinct from n.previous_visit then b.stored_visit else n.previous_visit end as previous_visit,
      case when b.previous_entry is not distinct from n.previous_entry then b.stored_entry else n.previous_entry end as previous_entry,
      case when b.previous_exit is not distinct from n.previous_exit then b.stored_exit else n.previous_exit end as previous_exit,
      case when b.previous_referrer is not distinct from n.previous_referrer then b.stored_referrer else n.previous_referrer end
        as previous_referrer,
      case when b.previous_device is not distinct from n.previous_device then b.stored_device else n.previous_device end as previous_device,
      case when b.previous_last is not distinct from n.previous_last then b.stored_last else n.previous_last end as previous_last
    from placed n
    left join before b on b.session = n.session and n.session not in (select l.session from links l)
  )
  select -1, o.session, o.sender, o.person, o.started, o.ended, o.events, o.entry_page, o.exit_page, o.referrer, o.device,
    o.first_touch, o.last_touch, o.goals, o.first_credit, o.last_credit, o.previous_visit, o.previous_entry, o.previous_exit,
    o.previous_referrer, o.previous_device, o.previous_last
  from folded o
  left join ordered n on n.session = o.session
  where n is distinct from o
  union all
  select 1, n.session, n.sender, n.person, n.started, n.ended, n.events, n.entry_page, n.exit_page, n.referrer, n.device,
    n.first_touch, n.last_touch, n.goals, n.first_credit, n.last_credit, n.previous_visit, n.previous_entry, n.previous_exit,
    n.previous_referrer, n.previous_device, n.previous_last
  from ordered n
  left join folded o on o.session = n.session
  where o is distinct from n;
end;
$$;
comment on function audience_gate.visit_tail(uuid, boolean, audience_gate.tail_event[]) is
  'The visits that the live tail changes: as visits has them (revision -1), and as they are now (revision 1); all visits as '
  'they are now, where it does not hold.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'busy_visitors(uuid, uuid[])', 'near_visits(uuid, uuid[], audience_gate.visits[])',
    'visit_tail(uuid, boolean, audience_gate.tail_event[])'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
