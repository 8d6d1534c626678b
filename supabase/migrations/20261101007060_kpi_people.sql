-- How far the people in the figures are known: what the rule of a site joined, and what it could not.

create or replace function audience_gate.kpi_people(p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text)
returns table (
  people bigint, signed_in_people bigint, visitors bigint, sessions bigint, signed_in_sessions bigint,
  stitched_sessions bigint, unstitched_sessions bigint, shared_sessions bigint, stitched_events bigint
)
language plpgsql
stable
security definer
set search_path = ''
set enable_mergejoin = off
set enable_nestloop = off
set jit = off
as $$
#variable_conflict use_column
declare
  r record;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  return query
  with links as materialized (
    select * from audience_gate.tail_links(p_site)
  ), parts as (
    -- What each session's users, and its visitor, did in the range.
    select a.session, a.sender, sum(a.events)::bigint as events
    from (
      select v.session, v.sender, v.events, v.slot as at
      from audience_gate.slot_activity v
      where v.site_id = p_site and v.slot >= ((r.first_day - 1)::timestamp at time zone p_zone)
        and v.slot < ((r.last_day + 2)::timestamp at time zone p_zone)
      union all
      select v.session, coalesce(v.user_id, v.session), 1, v.at
      from audience_gate.tail_events(p_site) v
      where v.is_activity
    ) a
    where (a.at at time zone p_zone)::date between r.first_day and r.last_day
    group by 1, 2
  ), known as (
    select p.session, p.sender, p.events, p.sender = p.session as anonymous,
      case when l.session is null then k.user_id else l.after end as linked_user,
      case when l.session is null then u.first_user is distinct from u.last_user else l.shared end as shared
    from parts p
    left join links l on l.session = p.session
    left join audience_gate.session_users u on u.site_id = p_site and u.session = p.session
    left join audience_gate.linked_sessions k on k.site_id = p_site and k.session = p.session
  ), placed as (
    select n.*, audience_gate.person(nullif(n.sender, n.session), n.linked_user, n.session) as person from known n
  ), by_session as (
    select p.session, bool_or(p.anonymous) as anonymous, bool_or(p.shared) as shared,
      bool_or(p.anonymous and p.linked_user is not null) as stitched
    from placed p
    group by 1
  ), by_person as (
    select count(distinct p.person) as people, count(distinct p.person) filter (where p.person <> p.session) as signed_in,
      coalesce(sum(p.events) filter (where p.anonymous and p.linked_user is not null), 0)::bigint as stitched_events
    from placed p
  )
  select y.people, y.signed_in, y.people - y.signed_in, count(s.session),
    count(s.session) filter (where not s.shared and not s.anonymous),
    count(s.session) filter (where not s.shared and s.stitched),
    count(s.session) filter (where not s.shared and s.anonymous and not s.stitched),
    count(s.session) filter (where s.shared), y.stitched_events
  from by_person y
  left join by_session s on true
  group by y.people, y.signed_in, y.stitched_events;
end;
$$;
comment on function audience_gate.kpi_people(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_people() returns.';
alter function audience_gate.kpi_people(uuid, timestamptz, timestamptz, text) owner to audience_gate_owner;
revoke all on function audience_gate.kpi_people(uuid, timestamptz, timestamptz, text) from public, anon;
grant execute on function audience_gate.kpi_people(uuid, timestamptz, timestamptz, text) to authenticated, service_role;

create or replace function public.kpi_people(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC'
)
returns table (
  people bigint, signed_in_people bigint, visitors bigint, sessions bigint, signed_in_sessions bigint,
  stitched_sessions bigint, unstitched_sessions bigint, shared_sessions bigint, stitched_events bigint
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_people(site, from_time, to_time, time_zone) $$;
comment on function public.kpi_people(uuid, timestamptz, timestamptz, text)
is $$People: who they are known to be, and how many sessions were joined to the user who signed in during them.
Grain: one row for the range.
Time zone: decides which local days the range touches.
Source: session_slots, session_users
people: distinct people active in the range
signed_in_people: those of them who are users
visitors: people - signed_in_people
sessions: sessions with activity in the range: the sum of the four that follow
signed_in_sessions: one user was signed in throughout
stitched_sessions: what their visitor did counts as done by the one user known of the session
unstitched_sessions: their visitor is a person of its own, because no user is known of the session or the site's rule is never
shared_sessions: several users are known of the session: each has their own part, and its visitor is a person of its own
stitched_events: count of the activity that the stitched sessions' visitors count for their users$$;
revoke all on function public.kpi_people(uuid, timestamptz, timestamptz, text) from public, anon;
grant execute on function public.kpi_people(uuid, timestamptz, timestamptz, text) to authenticated, service_role;
