-- What the figures about people are made of, for every time zone and every registry: sessions in slots of fifteen
-- minutes. Every local day, wherever it is, begins with a slot, and a session that somebody signed in to later is joined
-- to them without another look at its events.

-- The figures are folded from what is new into tables (20261101007086_fold.sql), so the views that were refreshed from the
-- whole log go, in the order in which they rest on each other.
drop materialized view if exists audience_gate.conversion_funnel;
drop materialized view if exists audience_gate.session_starts;
drop materialized view if exists audience_gate.retention_cohorts;
drop materialized view if exists audience_gate.feature_adoption;
drop materialized view if exists audience_gate.engagement_by_tier;
drop view if exists audience_gate.person_day_types;
drop materialized view if exists audience_gate.person_days;
drop view if exists audience_gate.activity;

-- Of detached months, what figures need was kept. The last fold before holds it, or the one that detaching asks for.
create or replace view audience_gate.counted_events with (security_invoker = true) as
select
  e.site_id,
  e.created_at,
  coalesce(e.occurred_at, e.created_at) as at,
  e.user_id,
  e.session_id,
  md5(e.session_id)::uuid as session,
  e.event_type,
  e.event_category,
  case
    when jsonb_typeof(e.metadata -> 'duration_seconds') = 'number'
    then least(greatest((e.metadata ->> 'duration_seconds')::numeric, 0), 86400)
    else 0
  end as seconds,
  e.id,
  e.metadata,
  case when coalesce(e.utm_source, e.utm_medium, e.utm_campaign, e.utm_content, e.utm_term) is not null
    then jsonb_build_array(e.utm_source, e.utm_medium, e.utm_campaign, e.utm_content, e.utm_term)::text end as touch,
  e.recorded_xid,
  e.folded
from (
  select l.id, l.created_at, l.occurred_at, l.site_id, l.user_id, l.session_id, l.event_type, l.event_category,
    l.utm_source, l.utm_medium, l.utm_campaign, l.utm_content, l.utm_term, l.metadata, l.recorded_xid,
    pg_visible_in_snapshot(l.recorded_xid, (select s.folded from audience_gate.fold_state s))
      and l.recorded_xid <> (select s.folded_by from audience_gate.fold_state s) as folded
  from public.audience_events l
  where not l.rejected and l.contract is not null
    and l.recorded_xid <> (select s.folding from audience_gate.fold_state s)
  union all
  select k.id, k.created_at, k.occurred_at, k.site_id, k.user_id, k.session_id, k.event_type, k.event_category,
    k.utm_source, k.utm_medium, k.utm_campaign, k.utm_content, k.utm_term, k.metadata, xid8 '3',
    pg_visible_in_snapshot(xid8 '3', (select s.folded from audience_gate.fold_state s))
  from audience_gate.kept_events k
) e;
comment on view audience_gate.counted_events is
  'The accepted events, those of detached months included, without the rows that nobody has judged. A fold does not see those of '
  'its own transaction.';
comment on column audience_gate.counted_events.site_id is 'The site.';
comment on column audience_gate.counted_events.created_at is 'When the event was received.';
comment on column audience_gate.counted_events.at is 'When it happened.';
comment on column audience_gate.counted_events.user_id is 'The signed-in user; null for visitors.';
comment on column audience_gate.counted_events.session_id is 'The session.';
comment on column audience_gate.counted_events.session is 'The number by which the views name the session.';
comment on column audience_gate.counted_events.event_type is 'An id of public.audience_event_types.';
comment on column audience_gate.counted_events.event_category is 'Its category.';
comment on column audience_gate.counted_events.seconds is 'Its duration_seconds, at most a day; 0 if none was sent.';
comment on column audience_gate.counted_events.id is 'Its id.';
comment on column audience_gate.counted_events.metadata is 'Its payload; of a detached month, what figures read of it.';
comment on column audience_gate.counted_events.touch is
  'The campaign that it names, as a JSON array of source, medium, campaign, content and term; null: none.';
comment on column audience_gate.counted_events.recorded_xid is 'The transaction that recorded it.';
comment on column audience_gate.counted_events.folded is 'Whether the tables of figures hold it; else it is in the live tail.';

create or replace view audience_gate.activity with (security_invoker = true) as
select e.site_id, e.created_at, e.at, e.user_id, e.session_id, e.session, e.event_type, e.seconds, e.id, e.metadata, e.touch, e.folded
from audience_gate.counted_events e
join public.audience_event_types t on t.id = e.event_type
where t.tier <> 'system' and t.category <> 'retention';
comment on view audience_gate.activity is
  'Activity is what people did: the accepted events, except those of the tier system and those of the category '
  'retention, which are written about people. Rows that nobody has judged are not among them. It happened at '
  'occurred_at, or at created_at if no such time was sent. A duration counts for at most a day.';
comment on column audience_gate.activity.site_id is 'The site.';
comment on column audience_gate.activity.created_at is 'When the event was received.';
comment on column audience_gate.activity.at is 'When it happened.';
comment on column audience_gate.activity.user_id is 'The signed-in user; null for visitors.';
comment on column audience_gate.activity.session_id is 'The session.';
comment on column audience_gate.activity.session is 'The number by which the views name the session.';
comment on column audience_gate.activity.event_type is 'An id of public.audience_event_types.';
comment on column audience_gate.activity.seconds is 'Its duration_seconds, at most a day; 0 if none was sent.';
comment on column audience_gate.activity.id is 'Its id.';
comment on column audience_gate.activity.metadata is 'Its payload.';
comment on column audience_gate.activity.touch is
  'The campaign that it names, as a JSON array of source, medium, campaign, content and term; null: none.';
comment on column audience_gate.activity.folded is 'Whether the tables of figures hold it; else it is in the live tail.';

create type audience_gate.tail_event as (
  id uuid, at timestamptz, slot timestamptz, user_id uuid, session_id text, session uuid, event_type text, event_category text,
  seconds numeric, is_activity boolean, page text, referrer text, device text, touch text
);
comment on type audience_gate.tail_event is 'An event of the live tail: what the figures about people are made of.';
comment on column audience_gate.tail_event.id is 'Its id.';
comment on column audience_gate.tail_event.at is 'When it happened.';
comment on column audience_gate.tail_event.slot is 'When the fifteen minutes began in which that was.';
comment on column audience_gate.tail_event.user_id is 'The signed-in user; null for visitors.';
comment on column audience_gate.tail_event.session_id is 'The session.';
comment on column audience_gate.tail_event.session is 'The number by which the views name the session.';
comment on column audience_gate.tail_event.event_type is 'An id of public.audience_event_types.';
comment on column audience_gate.tail_event.event_category is 'Its category.';
comment on column audience_gate.tail_event.seconds is 'Its duration_seconds, at most a day; 0 if none was sent.';
comment on column audience_gate.tail_event.is_activity is 'Whether it is activity.';
comment on column audience_gate.tail_event.page is 'Its page_path, if one was sent.';
comment on column audience_gate.tail_event.referrer is 'Its referrer_kind, likewise.';
comment on column audience_gate.tail_event.device is 'Its device_class, likewise.';
comment on column audience_gate.tail_event.touch is 'The campaign that it names, as in counted_events; null: none.';

-- The index is used whatever the statistics say, because a plan made for an empty log would read all of a large one. A figure
-- reads the live tail once and hands it to everything that it is made of. Those functions are PL/pgSQL, whose plans a session
-- keeps: planning each figure anew took as long as reading it.
create or replace function audience_gate.live_tail(p_site uuid)
returns audience_gate.tail_event[]
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  return (
    select coalesce(array_agg(row(
      e.id, e.at, date_bin('15 minutes', e.at, timestamptz '2000-01-01Z'), e.user_id, e.session_id, e.session, e.event_type,
      e.event_category, e.seconds, coalesce(t.tier <> 'system' and t.category <> 'retention', false), e.metadata ->> 'page_path',
      e.metadata ->> 'referrer_kind', e.metadata ->> 'device_class', e.touch)::audience_gate.tail_event), '{}')
    from audience_gate.counted_events e
    left join public.audience_event_types t on t.id = e.event_type
    where e.site_id = p_site
      and e.recorded_xid >= (select pg_snapshot_xmin(s.folded) from audience_gate.fold_state s)
      and not e.folded
  );
end;
$$;
comment on function audience_gate.live_tail(uuid) is
  'The live tail: the counted events of a site that the tables of figures do not hold.';

create table audience_gate.session_users (
  site_id uuid,
  session uuid,
  session_id text not null,
  first_user uuid not null,
  last_user uuid not null,
  primary key (site_id, session)
);
create index idx_session_users_user on audience_gate.session_users (site_id, first_user);
comment on table audience_gate.session_users is 'The sessions in which somebody was signed in, and who.';
comment on column audience_gate.session_users.site_id is 'The site.';
comment on column audience_gate.session_users.session is 'The number by which the figures name the session.';
comment on column audience_gate.session_users.session_id is 'The session.';
comment on column audience_gate.session_users.first_user is 'The first of its users, in the order of their ids.';
comment on column audience_gate.session_users.last_user is 'The last of them: the same, unless there were several.';

create table audience_gate.session_slots (
  site_id uuid,
  session uuid,
  sender uuid,
  slot timestamptz,
  person uuid not null,
  event_types text[] not null,
  events bigint[] not null,
  seconds numeric[] not null,
  primary key (site_id, session, slot, sender)
);
create index idx_session_slots_person on audience_gate.session_slots (site_id, person, slot);
comment on table audience_gate.session_slots is
  'Which types of events each session caused in which slot of fifteen minutes, how often and for how long. The other '
  'tables about people are made from this one.';
comment on column audience_gate.session_slots.site_id is 'The site.';
comment on column audience_gate.session_slots.session is 'The session.';
comment on column audience_gate.session_slots.sender is 'The user who was signed in; the session if nobody was.';
comment on column audience_gate.session_slots.slot is 'When the fifteen minutes began.';
comment on column audience_gate.session_slots.person is
  'Whose they are: the sender or, by the rule of the site, the one user known of the session.';
comment on column audience_gate.session_slots.event_types is 'The types of events that happened in them, in order.';
comment on column audience_gate.session_slots.events is 'How many of each type.';
comment on column audience_gate.session_slots.seconds is 'The sum of their durations, for each type.';

create or replace view audience_gate.whole_session_users with (security_invoker = true) as
select e.site_id, e.session, min(e.session_id) as session_id,
  min(e.user_id::text)::uuid as first_user, max(e.user_id::text)::uuid as last_user
from audience_gate.counted_events e
where e.user_id is not null and e.event_category <> 'retention' and e.folded
group by 1, 2;
comment on view audience_gate.whole_session_users is 'What session_users holds, from all events.';

create or replace view audience_gate.linked_sessions with (security_invoker = true) as
select u.site_id, u.session, u.session_id, u.first_user as user_id
from audience_gate.session_users u
left join audience_gate.person_rules r on r.site_id = u.site_id
where u.first_user = u.last_user and coalesce(r.rule, 'session') = 'session';
comment on view audience_gate.linked_sessions is
  'The sessions whose visitor is known to be a user, by the rule of their site, up to the last fold.';
comment on column audience_gate.linked_sessions.site_id is 'The site.';
comment on column audience_gate.linked_sessions.session is 'The number by which the views name the session.';
comment on column audience_gate.linked_sessions.session_id is 'The session.';
comment on column audience_gate.linked_sessions.user_id is 'The user.';

-- The user known of a session is compared after the join, because the planner cannot tell how many sessions have one.
create or replace view audience_gate.whole_session_slots with (security_invoker = true) as
select
  g.site_id, g.session, g.sender, g.slot,
  audience_gate.person(nullif(g.sender, g.session),
    case when u.first_user = u.last_user and coalesce(r.rule, 'session') = 'session' then u.first_user end, g.session) as person,
  array_agg(g.event_type order by g.event_type) as event_types,
  array_agg(g.events order by g.event_type) as events,
  array_agg(g.seconds order by g.event_type) as seconds
from (
  select e.site_id, e.session, coalesce(e.user_id, e.session) as sender,
    date_bin('15 minutes', e.at, timestamptz '2000-01-01Z') as slot, e.event_type,
    count(*)::bigint as events, sum(e.seconds) as seconds
  from audience_gate.counted_events e
  where e.folded
  group by 1, 2, 3, 4, 5
) g
left join audience_gate.session_users u on u.site_id = g.site_id and u.session = g.session
left join audience_gate.person_rules r on r.site_id = g.site_id
group by 1, 2, 3, 4, 5;
comment on view audience_gate.whole_session_slots is 'What session_slots holds, from all events.';

create or replace view audience_gate.slot_activity with (security_invoker = true) as
select s.site_id, s.session, s.sender, s.slot, u.event_type, u.events, u.seconds, s.person
from audience_gate.session_slots s
cross join lateral unnest(s.event_types, s.events, s.seconds) u (event_type, events, seconds)
join public.audience_event_types t on t.id = u.event_type
where t.tier <> 'system' and t.category <> 'retention';
comment on view audience_gate.slot_activity is
  'session_slots unfolded, as far as it is activity: one row for each type of event.';
comment on column audience_gate.slot_activity.site_id is 'The site.';
comment on column audience_gate.slot_activity.session is 'The session.';
comment on column audience_gate.slot_activity.sender is 'The user who was signed in; the session if nobody was.';
comment on column audience_gate.slot_activity.slot is 'When the fifteen minutes began.';
comment on column audience_gate.slot_activity.event_type is 'The type of event.';
comment on column audience_gate.slot_activity.events is 'How many of them.';
comment on column audience_gate.slot_activity.seconds is 'The sum of their durations.';
comment on column audience_gate.slot_activity.person is 'Whose they are, as far as that was known at the last fold.';

-- Sessions are looked up one by one, because the settings of those who call it would have all of them read.
create or replace function audience_gate.tail_links(p_site uuid, p_tail audience_gate.tail_event[])
returns table (session uuid, session_id text, before uuid, after uuid, was_shared boolean, shared boolean)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
  select t.session, t.session_id, case when u.first_user = u.last_user and r.rule is distinct from 'never' then u.first_user end,
    case when least(t.first_user, u.first_user) = greatest(t.last_user, u.last_user) and r.rule is distinct from 'never'
      then least(t.first_user, u.first_user) end,
    coalesce(u.first_user <> u.last_user, false),
    coalesce(least(t.first_user, u.first_user) <> greatest(t.last_user, u.last_user), false)
  from (
    select e.session, min(e.session_id) as session_id,
      min(e.user_id::text) filter (where e.event_category <> 'retention')::uuid as first_user,
      max(e.user_id::text) filter (where e.event_category <> 'retention')::uuid as last_user
    from unnest(p_tail) e
    group by 1
  ) t
  left join audience_gate.session_users u on u.site_id = p_site and u.session = t.session
  left join audience_gate.person_rules r on r.site_id = p_site;
end;
$$;
comment on function audience_gate.tail_links(uuid, audience_gate.tail_event[]) is
  'The sessions of the live tail, each with the user that its visitor was known to be at the last fold, and the user '
  'that it is known to be now; and whether several users were known of it then, and are now.';

do $$
declare
  owned text;
begin
  foreach owned in array array[
    'view audience_gate.counted_events', 'view audience_gate.activity', 'table audience_gate.session_users',
    'table audience_gate.session_slots', 'view audience_gate.whole_session_users', 'view audience_gate.whole_session_slots',
    'view audience_gate.slot_activity', 'view audience_gate.linked_sessions', 'type audience_gate.tail_event',
    'function audience_gate.live_tail(uuid)', 'function audience_gate.tail_links(uuid, audience_gate.tail_event[])'
  ] loop
    execute format('alter %s owner to audience_gate_owner', owned);
    execute format('revoke all on %s from public, anon, authenticated, service_role', regexp_replace(owned, '^view ', ''));
  end loop;
  foreach owned in array array['session_users', 'session_slots'] loop
    execute format('alter table audience_gate.%I enable row level security', owned);
    execute format('create policy %I on audience_gate.%I to audience_gate_owner using (true) with check (true)', owned || '_gate', owned);
  end loop;
end $$;
