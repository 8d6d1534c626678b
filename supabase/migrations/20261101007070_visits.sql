-- Visits: what each session was, from its first event to its last, where it came from and where it went.

create or replace function audience_gate.visit_cells(p_site uuid, p_now boolean, p_touched boolean)
returns table (
  session uuid, sender uuid, started timestamptz, ended timestamptz, events bigint, entry_page text, exit_page text,
  referrer text, device text, first_touch text, last_touch text
)
language sql
stable
set search_path = ''
set enable_mergejoin = off
set enable_nestloop = off
as $$
  with events as (
    select a.session, a.user_id, a.at, a.id, a.metadata, a.touch
    from audience_gate.activity a
    where not p_touched and a.site_id = p_site and (p_now or a.folded)
    union all
    select e.*
    from audience_gate.tail_links(p_site) l
    cross join lateral (
      select a.session, a.user_id, a.at, a.id, a.metadata, a.touch
      from audience_gate.activity a
      where a.session_id = l.session_id and a.site_id = p_site and (p_now or a.folded)
      offset 0
    ) e
    where p_touched
  ), grouped as (
    select e.session, min(coalesce(e.user_id, e.session)::text) as first_sender, max(coalesce(e.user_id, e.session)::text) as last_sender,
      min(e.at) as started, max(e.at) as ended, count(*)::bigint as events,
      array_agg(e.metadata ->> 'page_path' order by e.at, e.id) filter (where e.metadata ->> 'page_path' <> '') as pages,
      array_agg(e.metadata ->> 'referrer_kind' order by e.at, e.id) filter (where e.metadata ->> 'referrer_kind' <> '') as referrers,
      array_agg(e.metadata ->> 'device_class' order by e.at, e.id) filter (where e.metadata ->> 'device_class' <> '') as devices,
      array_agg(e.touch order by e.at, e.id) filter (where e.touch is not null) as touches
    from events e
    group by 1
  )
  select g.session, case when g.first_sender = g.last_sender then g.first_sender::uuid end, g.started, g.ended, g.events,
    g.pages[1], g.pages[cardinality(g.pages)], g.referrers[1], g.devices[1], g.touches[1], g.touches[cardinality(g.touches)]
  from grouped g
$$;
comment on function audience_gate.visit_cells(uuid, boolean, boolean) is
  'The visits of a site: as they are now or, unless p_now, as they were at the last fold; all of them or, if p_touched, '
  'those of which the live tail has events. What happened at the same time is in the order of the ids.';
alter function audience_gate.visit_cells(uuid, boolean, boolean) owner to audience_gate_owner;
revoke all on function audience_gate.visit_cells(uuid, boolean, boolean) from public, anon, authenticated, service_role;

create table audience_gate.visits (
  site_id uuid,
  session uuid,
  sender uuid null,
  started timestamptz not null,
  ended timestamptz not null,
  events bigint not null,
  entry_page text null,
  exit_page text null,
  referrer text null,
  device text null,
  first_touch text null,
  last_touch text null,
  primary key (site_id, session)
);
create index idx_visits_started on audience_gate.visits (site_id, started);
comment on table audience_gate.visits is 'Visits: what each session was, as far as it is activity.';
comment on column audience_gate.visits.site_id is 'The site.';
comment on column audience_gate.visits.session is 'The session.';
comment on column audience_gate.visits.sender is
  'The user who was signed in throughout; the session if nobody was; null if neither.';
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
alter table audience_gate.visits owner to audience_gate_owner;
alter table audience_gate.visits enable row level security;
revoke all on audience_gate.visits from public, anon, authenticated, service_role;
create policy visits_gate on audience_gate.visits to audience_gate_owner using (true) with check (true);

create or replace function audience_gate.site_visits(
  p_site uuid, p_views_hold boolean, p_from timestamptz, p_until timestamptz
)
returns table (
  session uuid, person uuid, started timestamptz, seconds numeric, events bigint, entry_page text, exit_page text,
  referrer text, device text, first_touch text, last_touch text
)
language sql
stable
set search_path = ''
set enable_mergejoin = off
set enable_nestloop = off
as $$
  with links as materialized (
    select l.session, l.after from audience_gate.tail_links(p_site) l
  ), current as (
    select v.session, v.sender, v.started, v.ended, v.events, v.entry_page, v.exit_page, v.referrer, v.device, v.first_touch, v.last_touch
    from audience_gate.visits v
    where p_views_hold and v.site_id = p_site and v.started >= p_from and v.started < p_until
      and v.session not in (select l.session from links l)
    union all
    select * from audience_gate.visit_cells(p_site, true, p_views_hold)
  )
  select c.session,
    coalesce(case when l.session is null then k.user_id else l.after end, c.sender, c.session),
    c.started, extract(epoch from c.ended - c.started), c.events,
    c.entry_page, c.exit_page, c.referrer, c.device, c.first_touch, c.last_touch
  from current c
  left join audience_gate.linked_sessions k on k.site_id = p_site and k.session = c.session
  left join links l on l.session = c.session
$$;
comment on function audience_gate.site_visits(uuid, boolean, timestamptz, timestamptz) is
  'A visit is a session, from its first activity to its last; it counts on the local day on which it began. It is made by '
  'the user known of the session, or who was signed in throughout; else by nobody else than itself. All visits that began in '
  'the time are among the answer.';
alter function audience_gate.site_visits(uuid, boolean, timestamptz, timestamptz) owner to audience_gate_owner;
revoke all on function audience_gate.site_visits(uuid, boolean, timestamptz, timestamptz) from public, anon, authenticated, service_role;
