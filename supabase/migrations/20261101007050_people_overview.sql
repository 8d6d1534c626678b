-- The site at a glance, and its last minutes, with people as they are known now.

drop function if exists audience_gate.session_tail(uuid, text, timestamptz);

create table audience_gate.session_starts (
  site_id uuid,
  slot timestamptz,
  sessions bigint not null,
  primary key (site_id, slot)
);
create index idx_session_starts_empty on audience_gate.session_starts (site_id) where sessions = 0;
comment on table audience_gate.session_starts is 'Sessions by the slot of fifteen minutes of their first event.';
comment on column audience_gate.session_starts.site_id is 'The site.';
comment on column audience_gate.session_starts.slot is 'When the fifteen minutes began.';
comment on column audience_gate.session_starts.sessions is 'How many sessions had their first event in them.';
alter table audience_gate.session_starts owner to audience_gate_owner;
alter table audience_gate.session_starts enable row level security;
revoke all on audience_gate.session_starts from public, anon, authenticated, service_role;
create policy session_starts_gate on audience_gate.session_starts to audience_gate_owner using (true) with check (true);

create or replace view audience_gate.whole_session_starts with (security_invoker = true) as
select s.site_id, s.started as slot, count(*)::bigint as sessions
from (
  select a.site_id, a.session, min(a.slot) as started from audience_gate.slot_activity a group by 1, 2
) s
group by 1, 2;
comment on view audience_gate.whole_session_starts is 'What session_starts holds, from all slots.';
alter view audience_gate.whole_session_starts owner to audience_gate_owner;
revoke all on audience_gate.whole_session_starts from public, anon, authenticated, service_role;

create or replace function audience_gate.session_tail(p_site uuid, p_views_hold boolean, p_tail audience_gate.tail_event[])
returns table (slot timestamptz, sessions bigint)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  with tail as materialized (
    select a.session, min(a.slot) as started
    from unnest(p_tail) a
    where a.is_activity
    group by 1
  ), known as (
    select t.session, t.started, b.started as before
    from tail t
    left join lateral (
      select min(a.slot) as started
      from (select a.slot from audience_gate.slot_activity a where a.site_id = p_site and a.session = t.session offset 0) a
    ) b on true
    where p_views_hold
    union all
    -- Where no view holds: all sessions.
    select w.session, min(w.started), null
    from (
      select a.session, a.slot as started from audience_gate.slot_activity a where a.site_id = p_site
      union all
      select t.session, t.started from tail t
    ) w
    where not p_views_hold
    group by 1
  )
  select m.slot, sum(m.revision)::bigint
  from known k
  cross join lateral (values (1, least(k.started, k.before)), (-1, k.before)) m (revision, slot)
  where m.slot is not null
  group by 1;
end;
$$;
comment on function audience_gate.session_tail(uuid, boolean, audience_gate.tail_event[]) is
  'What the live tail changes in session_starts; everything, where it does not hold.';
alter function audience_gate.session_tail(uuid, boolean, audience_gate.tail_event[]) owner to audience_gate_owner;
revoke all on function audience_gate.session_tail(uuid, boolean, audience_gate.tail_event[]) from public, anon, authenticated, service_role;

create or replace function audience_gate.kpi_overview(p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text)
returns table (
  events bigint, people bigint, new_people bigint, returning_people bigint, sessions bigint, engaged_seconds
  numeric, score numeric, rejected bigint, rejection_rate numeric, errors bigint, last_event_at timestamptz,
  covered_until timestamptz
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
  l record;
  fresh audience_gate.tail_event[];
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  fresh := audience_gate.live_tail(p_site);
  l := audience_gate.local_days(p_zone, r.first_day - 1, r.last_day + 2);
  return query
  with engagement as (
    select sum(c.events)::bigint as events, (sum(c.people) filter (where c.previous_day < r.first_day))::bigint as people,
      coalesce(sum(c.people) filter (where c.previous_day = '-infinity'), 0)::bigint as new_people,
      sum(c.seconds) as seconds, sum(c.score) as score
    from (
      select v.previous_day, v.people, v.events, v.seconds, v.score
      from audience_gate.engagement_cells(
        p_site, r.site_zone, p_zone, r.views_hold, 'total', array['all'], r.first_day, r.last_day) v
      union all
      select t.previous_day, t.people, t.events, t.seconds, t.score
      from audience_gate.activity_days_tail(p_site, r.views_hold, fresh, '{}', p_zone, r.first_day, r.last_day) t
    ) c
  ), started as (
    select sum(c.sessions)::bigint as sessions
    from (
      select v.slot, v.sessions from audience_gate.session_starts v where r.views_hold and v.site_id = p_site
      union all
      select * from audience_gate.session_tail(p_site, r.views_hold, fresh)
    ) c
    where c.slot >= l.starts[1] and c.slot < l.starts[cardinality(l.starts)]
      and l.days[width_bucket(c.slot, l.starts)] between r.first_day and r.last_day
  ), failed as (
    select sum(c.events)::bigint as events
    from audience_gate.error_cells(p_site, r.site_zone, p_zone, r.views_hold, r.first_day, r.last_day) c
  )
  select coalesce(e.events, 0), coalesce(e.people, 0), coalesce(e.new_people, 0), coalesce(e.people - e.new_people, 0),
    coalesce(s.sessions, 0), coalesce(e.seconds, 0), coalesce(e.score, 0), coalesce(q.rejected, 0), q.rate, coalesce(f.events, 0),
    audience_gate.last_accepted_at(p_site),
    nullif(r.covered_until, '-infinity')
  from engagement e
  cross join started s
  cross join failed f
  left join audience_gate.kpi_data_quality(p_site, p_from, p_to, 'total', p_zone) q on q.rule_id is null;
end;
$$;

create or replace function audience_gate.kpi_live(p_site uuid, p_from timestamptz, p_to timestamptz)
returns table (minute timestamptz, events bigint, people bigint, rejected bigint)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
begin
  perform audience_gate.kpi_range(p_site, p_from, p_to, 'UTC', 'total', 1);
  if p_to - p_from > interval '1 day' then
    raise exception 'the range is longer than a day' using errcode = '22023', hint = 'kpi_engagement reads longer ranges.';
  end if;
  return query
  select m.minute, sum(m.events)::bigint, count(distinct m.person), sum(m.rejected)::bigint
  from (
    select s.minute, audience_gate.person(s.user_id, case when l.session is null then k.user_id else l.after end, s.session) as person,
      s.events, 0 as rejected
    from (
      select date_trunc('minute', a.created_at) as minute, a.user_id, a.session, count(*) as events
      from audience_gate.activity a
      where a.site_id = p_site and a.created_at >= p_from and a.created_at < p_to
      group by 1, 2, 3
    ) s
    left join audience_gate.tail_links(p_site, audience_gate.live_tail(p_site)) l on l.session = s.session
    left join lateral (
      -- One by one: of the newest minutes the planner expects none, and would look through all sessions for each of theirs.
      select k.user_id from audience_gate.linked_sessions k where k.site_id = p_site and k.session = s.session offset 0
    ) k on true
    union all
    select date_trunc('minute', c.created_at), null, 0, 1
    from audience_gate.receipts c
    where c.site_id = p_site and c.created_at >= p_from and c.created_at < p_to and c.rule_id <> ''
  ) m
  group by 1
  order by 1;
end;
$$;
