-- Visits: what each session was, from its first event to its last, where it came from and where it went.

create or replace function audience_gate.visit_goals(p_site uuid)
returns table (event_type text)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select distinct on (f.funnel_id) f.event_type
  from audience_gate.funnel_steps f
  where f.site_id = p_site
  order by f.funnel_id, f.position desc;
end;
$$;
comment on function audience_gate.visit_goals(uuid) is 'The last steps of the funnels of a site.';
alter function audience_gate.visit_goals(uuid) owner to audience_gate_owner;
revoke all on function audience_gate.visit_goals(uuid) from public, anon, authenticated, service_role;

-- The site of an event is looked at after the event was found by its session: of a log that was never analysed, the planner
-- would have all events of the site looked up for each session.
create or replace function audience_gate.visit_cells(p_site uuid, p_now boolean, p_sessions text[] default null)
returns table (
  session uuid, sender uuid, started timestamptz, ended timestamptz, events bigint, entry_page text, exit_page text,
  referrer text, device text, first_touch text, last_touch text, goals text[]
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
  with events as (
    select a.session, a.user_id, a.at, a.id, a.metadata, a.touch, a.event_type
    from audience_gate.activity a
    where p_sessions is null and a.site_id = p_site and (p_now or a.folded)
    union all
    select e.session, e.user_id, e.at, e.id, e.metadata, e.touch, e.event_type
    from unnest(p_sessions) s (session_id)
    cross join lateral (
      select a.site_id, a.session, a.user_id, a.at, a.id, a.metadata, a.touch, a.event_type
      from audience_gate.activity a
      where a.session_id = s.session_id and (p_now or a.folded)
      offset 0
    ) e
    where e.site_id = p_site
  ), grouped as (
    select e.session, min(coalesce(e.user_id, e.session)::text) as first_sender, max(coalesce(e.user_id, e.session)::text) as last_sender,
      min(e.at) as started, max(e.at) as ended, count(*)::bigint as events,
      array_agg(e.metadata ->> 'page_path' order by e.at, e.id) filter (where e.metadata ->> 'page_path' <> '') as pages,
      array_agg(e.metadata ->> 'referrer_kind' order by e.at, e.id) filter (where e.metadata ->> 'referrer_kind' <> '') as referrers,
      array_agg(e.metadata ->> 'device_class' order by e.at, e.id) filter (where e.metadata ->> 'device_class' <> '') as devices,
      array_agg(e.touch order by e.at, e.id) filter (where e.touch is not null) as touches,
      array_agg(distinct e.event_type) filter (where e.event_type = any (array(
        select g.event_type from audience_gate.visit_goals(p_site) g))) as goals
    from events e
    group by 1
  )
  select g.session, case when g.first_sender = g.last_sender then g.first_sender::uuid end, g.started, g.ended, g.events,
    g.pages[1], g.pages[cardinality(g.pages)], g.referrers[1], g.devices[1], g.touches[1], g.touches[cardinality(g.touches)],
    coalesce(g.goals, '{}')
  from grouped g;
end;
$$;
comment on function audience_gate.visit_cells(uuid, boolean, text[]) is
  'The visits of a site: as they are now or, unless p_now, as they were at the last fold; all of them or some sessions. What '
  'happened at the same time is in the order of the ids.';
alter function audience_gate.visit_cells(uuid, boolean, text[]) owner to audience_gate_owner;
revoke all on function audience_gate.visit_cells(uuid, boolean, text[]) from public, anon, authenticated, service_role;

create table audience_gate.visits (
  site_id uuid,
  session uuid,
  sender uuid null,
  person uuid not null,
  started timestamptz not null,
  ended timestamptz not null,
  events bigint not null,
  entry_page text null,
  exit_page text null,
  referrer text null,
  device text null,
  first_touch text null,
  last_touch text null,
  goals text[] not null,
  first_credit text null,
  last_credit text null,
  previous_visit timestamptz not null,
  previous_entry timestamptz not null,
  previous_exit timestamptz not null,
  previous_referrer timestamptz not null,
  previous_device timestamptz not null,
  previous_last timestamptz not null,
  primary key (site_id, session)
);
create index idx_visits_started on audience_gate.visits (site_id, started);
create index idx_visits_person on audience_gate.visits (site_id, person, started, session);
comment on table audience_gate.visits is
  'Visits: what each session was, from its first activity to its last. A visit is made by the user known of the session, or who '
  'was signed in throughout; else by nobody else than itself.';
comment on column audience_gate.visits.site_id is 'The site.';
comment on column audience_gate.visits.session is 'The session.';
comment on column audience_gate.visits.sender is
  'The user who was signed in throughout; the session if nobody was; null if neither.';
comment on column audience_gate.visits.person is
  'Who made it: the user known of the session, or who was signed in throughout; else nobody else than the session itself.';
comment on column audience_gate.visits.started is 'When its first event happened.';
comment on column audience_gate.visits.ended is 'When its last event happened.';
comment on column audience_gate.visits.events is 'How many there were.';
comment on column audience_gate.visits.entry_page is 'The first page_path that was sent.';
comment on column audience_gate.visits.exit_page is 'The last page_path that was sent.';
comment on column audience_gate.visits.referrer is 'The first referrer_kind that was sent.';
comment on column audience_gate.visits.device is 'The first device_class that was sent.';
comment on column audience_gate.visits.first_touch is
  'The first campaign, as a JSON array of source, medium, campaign, content and term; null: none.';
comment on column audience_gate.visits.last_touch is 'The last campaign, likewise.';
comment on column audience_gate.visits.goals is 'The last steps of funnels that happened in it.';
comment on column audience_gate.visits.first_credit is
  'The campaign that it is credited to by the first: that of the first visit of its person which names one.';
comment on column audience_gate.visits.last_credit is
  'The campaign that it is credited to by the last: that of the last visit of its person, up to this one, which names one.';
comment on column audience_gate.visits.previous_visit is 'When the visit of its person before this one began; -infinity: there was none.';
comment on column audience_gate.visits.previous_entry is 'When the one before this began that had the same entry_page, or none as well.';
comment on column audience_gate.visits.previous_exit is 'Likewise by exit_page.';
comment on column audience_gate.visits.previous_referrer is 'Likewise by referrer.';
comment on column audience_gate.visits.previous_device is 'Likewise by device.';
comment on column audience_gate.visits.previous_last is 'Likewise by last_credit.';
alter table audience_gate.visits owner to audience_gate_owner;
alter table audience_gate.visits enable row level security;
revoke all on audience_gate.visits from public, anon, authenticated, service_role;
create policy visits_gate on audience_gate.visits to audience_gate_owner using (true) with check (true);

-- Between two campaigns of a person, the visits are counted to the one before them.
create or replace function audience_gate.whole_visits(p_site uuid)
returns setof audience_gate.visits
language sql
stable
set search_path = ''
set enable_mergejoin = off
set enable_nestloop = off
as $$
  select p_site, m.session, m.sender, m.person, m.started, m.ended, m.events, m.entry_page, m.exit_page, m.referrer, m.device,
    m.first_touch, m.last_touch, m.goals, m.first_credit, m.last_credit,
    lag(m.started, 1, '-infinity') over (partition by m.person order by m.started, m.session),
    lag(m.started, 1, '-infinity') over (partition by m.person, m.entry_page order by m.started, m.session),
    lag(m.started, 1, '-infinity') over (partition by m.person, m.exit_page order by m.started, m.session),
    lag(m.started, 1, '-infinity') over (partition by m.person, m.referrer order by m.started, m.session),
    lag(m.started, 1, '-infinity') over (partition by m.person, m.device order by m.started, m.session),
    lag(m.started, 1, '-infinity') over (partition by m.person, m.last_credit order by m.started, m.session)
  from (
    select n.*, max(n.first_touch) filter (where n.nth = 1) over (partition by n.person) as first_credit,
      max(n.last_touch) over (partition by n.person, n.nth) as last_credit
    from (
      select c.*, coalesce(k.user_id, c.sender, c.session) as person,
        count(c.last_touch) over (
          partition by coalesce(k.user_id, c.sender, c.session) order by c.started, c.session) as nth
      from audience_gate.visit_cells(p_site, false) c
      left join audience_gate.linked_sessions k on k.site_id = p_site and k.session = c.session
    ) n
  ) m
$$;
comment on function audience_gate.whole_visits(uuid) is 'What visits holds of a site, from all events.';

alter function audience_gate.whole_visits(uuid) owner to audience_gate_owner;
revoke all on function audience_gate.whole_visits(uuid) from public, anon, authenticated, service_role;
