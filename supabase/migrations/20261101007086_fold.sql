-- The fold: what the live tail changes in the figures is written into their tables, so that it costs what is new.

-- One statement, because a statement sees one snapshot: what it takes for new, what it compares that with, by which registry,
-- and the mark that it leaves all belong to the same moment. Whatever kills it, kills all of it.
create or replace function audience_gate.fold_tail(out folded_events bigint, out stale_sites uuid[])
language plpgsql
volatile
set search_path = ''
set enable_mergejoin = off
set enable_nestloop = off
set work_mem = '64MB'
set jit = off
set max_parallel_workers_per_gather = 0
as $$
begin
  with sites as materialized (
    select s.id as site_id, coalesce(bool_and(coalesce(
      z.terms = audience_gate.figure_terms(s.id) and z.funnel_terms = audience_gate.funnel_terms(s.id), false)), false) as holds
    from public.audience_sites s
    left join audience_gate.site_zones z on z.site_id = s.id
    group by 1
  ), tails as materialized (
    select s.site_id, s.holds, audience_gate.live_tail(s.site_id) as events from sites s
  ), tail as materialized (
    select s.site_id, t.* from tails s cross join lateral unnest(s.events) t
  ), links as materialized (
    select s.site_id, l.* from tails s cross join lateral audience_gate.tail_links(s.site_id, s.events) l
  ), grown as materialized (
    select s.site_id, s.events from tails s where s.holds and s.events <> '{}'
  ), zones as materialized (
    select z.site_id, z.id as site_zone, z.time_zone from grown g join audience_gate.site_zones z on z.site_id = g.site_id
  ), acted as materialized (
    select g.site_id, a.* from grown g cross join lateral audience_gate.activity_tail(g.site_id, true, g.events, '{tier,type}') a
  ), engaged as materialized (
    select a.site_id, a.name as tier, a.slot, a.previous_slot, a.first_slot, sum(a.people) as people, sum(a.events) as events,
      sum(a.seconds) as seconds, sum(a.score) as score
    from acted a
    where a.kind in ('all', 'tier')
    group by 1, 2, 3, 4, 5
    having (sum(a.people), sum(a.events), sum(a.seconds), sum(a.score)) <> (0, 0, 0, 0)
  ), used as materialized (
    select a.site_id, a.name as event_type, a.slot, a.previous_slot, a.people, a.events from acted a where a.kind = 'type'
  ), known as materialized (
    select g.site_id, k.* from grown g cross join lateral audience_gate.known_sessions_tail(g.site_id, true, g.events) k
    where (k.units, k.events) <> (0, 0)
    union all
    select a.site_id, 'user', a.slot, a.previous_slot, sum(a.people), sum(a.events)
    from acted a
    where a.kind = 'all' and a.signed_in
    group by 1, 3, 4
    having (sum(a.people), sum(a.events)) <> (0, 0)
  ), visited as materialized (
    select g.site_id, v.* from grown g cross join lateral audience_gate.visit_tail(g.site_id, true, g.events) v
  ), entered as materialized (
    select g.site_id, f.funnel_id, f.slot, f.previous_slot, f.position, sum(f.people) as people, sum(f.seconds) as seconds
    from grown g cross join lateral audience_gate.funnel_tail(g.site_id, true, '-infinity', 'infinity', g.events) f
    group by 1, 2, 3, 4, 5
    having (sum(f.people), sum(f.seconds)) <> (0, 0)
  ), failed as materialized (
    select g.site_id, e.* from grown g cross join lateral audience_gate.error_tail(g.site_id, true) e
  ), timed as materialized (
    select g.site_id, m.* from grown g cross join lateral audience_gate.timing_tail(g.site_id, true) m
  ), moves as materialized (
    select s.site_id, f.* from sites s cross join lateral audience_gate.flow_tail(s.site_id, true) f where s.holds
  ), ended as materialized (
    select s.site_id, y.* from sites s cross join lateral audience_gate.stay_tail(s.site_id, true) y where s.holds
  ), put_session_users as (
    insert into audience_gate.session_users as c (site_id, session, session_id, first_user, last_user)
    select t.site_id, t.session, min(t.session_id), min(t.user_id::text)::uuid, max(t.user_id::text)::uuid
    from tail t
    where t.user_id is not null and t.event_category <> 'retention'
    group by 1, 2
    on conflict on constraint session_users_pkey do update
    set session_id = least(c.session_id, excluded.session_id), first_user = least(c.first_user, excluded.first_user),
      last_user = greatest(c.last_user, excluded.last_user)
  ), put_session_slots as (
    -- What is new, and nothing more of visitors who have turned out to be somebody else.
    insert into audience_gate.session_slots as c (site_id, session, sender, slot, person, event_types, events, seconds)
    select g.site_id, g.session, g.sender, g.slot, audience_gate.person(nullif(g.sender, g.session), g.after, g.session),
      coalesce(array_agg(g.event_type order by g.event_type) filter (where g.events > 0), '{}'),
      coalesce(array_agg(g.events order by g.event_type) filter (where g.events > 0), '{}'),
      coalesce(array_agg(g.seconds order by g.event_type) filter (where g.events > 0), '{}')
    from (
      select t.site_id, t.session, coalesce(t.user_id, t.session) as sender, t.slot, l.after, t.event_type, count(*)::bigint as events,
        sum(t.seconds) as seconds
      from tail t
      join links l on l.site_id = t.site_id and l.session = t.session
      group by 1, 2, 3, 4, 5, 6
      union all
      select l.site_id, s.session, s.sender, s.slot, l.after, null, 0, 0
      from links l
      cross join lateral (
        select * from audience_gate.session_slots s
        where s.site_id = l.site_id and s.session = l.session and s.sender = l.session
        offset 0
      ) s
      where l.before is distinct from l.after
    ) g
    group by 1, 2, 3, 4, 5
    on conflict on constraint session_slots_pkey do update
    set person = excluded.person, (event_types, events, seconds) = (
      select array_agg(m.event_type order by m.event_type), array_agg(m.events order by m.event_type),
        array_agg(m.seconds order by m.event_type)
      from (
        select u.event_type, sum(u.events)::bigint as events, sum(u.seconds) as seconds
        from unnest(c.event_types || excluded.event_types, c.events || excluded.events, c.seconds || excluded.seconds)
          u (event_type, events, seconds)
        group by 1
      ) m)
  ), put_engagement_slots as (
    insert into audience_gate.engagement_slots as c
      (site_id, tier, slot, previous_slot, first_slot, people, events, seconds, score)
    select e.site_id, e.tier, e.slot, e.previous_slot, e.first_slot, e.people, e.events, e.seconds, e.score from engaged e
    on conflict on constraint engagement_slots_pkey do update
    set people = c.people + excluded.people, events = c.events + excluded.events, seconds = c.seconds + excluded.seconds,
      score = c.score + excluded.score
  ), put_engagement_days as (
    insert into audience_gate.engagement_days as c (site_zone, tier, day, previous_day, people, events, seconds, score)
    select z.site_zone, e.tier, (e.slot at time zone z.time_zone)::date, (e.previous_slot at time zone z.time_zone)::date,
      sum(e.people), sum(e.events), sum(e.seconds), sum(e.score)
    from engaged e join zones z on z.site_id = e.site_id
    group by 1, 2, 3, 4
    having (sum(e.people), sum(e.events), sum(e.seconds), sum(e.score)) <> (0, 0, 0, 0)
    on conflict on constraint engagement_days_pkey do update
    set people = c.people + excluded.people, events = c.events + excluded.events, seconds = c.seconds + excluded.seconds,
      score = c.score + excluded.score
  ), put_cohort_periods as (
    insert into audience_gate.cohort_periods as c (site_zone, grain, cohort, later, people)
    select z.site_zone, d.grain, d.cohort, (d.period - d.cohort) / d.days, sum(e.people)
    from engaged e
    join zones z on z.site_id = e.site_id
    cross join lateral (
      select g.grain, g.days, date_trunc(g.grain, e.slot at time zone z.time_zone)::date as period,
        date_trunc(g.grain, e.previous_slot at time zone z.time_zone)::date as previous,
        date_trunc(g.grain, e.first_slot at time zone z.time_zone)::date as cohort
      from (values ('day', 1), ('week', 7)) g (grain, days)
    ) d
    where e.tier = 'all' and d.previous < d.period
    group by 1, 2, 3, 4
    having sum(e.people) <> 0
    on conflict on constraint cohort_periods_pkey do update set people = c.people + excluded.people
  ), put_feature_slots as (
    insert into audience_gate.feature_slots as c (site_id, event_type, slot, previous_slot, people, events)
    select f.site_id, f.event_type, f.slot, f.previous_slot, f.people, f.events from used f
    on conflict on constraint feature_slots_pkey do update
    set people = c.people + excluded.people, events = c.events + excluded.events
  ), put_feature_days as (
    insert into audience_gate.feature_days as c (site_zone, event_type, day, previous_day, people, events)
    select z.site_zone, f.event_type, (f.slot at time zone z.time_zone)::date, (f.previous_slot at time zone z.time_zone)::date,
      sum(f.people), sum(f.events)
    from used f join zones z on z.site_id = f.site_id
    group by 1, 2, 3, 4
    having (sum(f.people), sum(f.events)) <> (0, 0)
    on conflict on constraint feature_days_pkey do update
    set people = c.people + excluded.people, events = c.events + excluded.events
  ), put_session_starts as (
    insert into audience_gate.session_starts as c (site_id, slot, sessions)
    select g.site_id, s.slot, s.sessions from grown g cross join lateral audience_gate.session_tail(g.site_id, true, g.events) s
    where s.sessions <> 0
    on conflict on constraint session_starts_pkey do update set sessions = c.sessions + excluded.sessions
  ), put_funnel_slots as (
    insert into audience_gate.funnel_slots as c (site_id, funnel_id, slot, previous_slot, "position", people, seconds)
    select e.site_id, e.funnel_id, e.slot, e.previous_slot, e.position, e.people, e.seconds from entered e
    on conflict on constraint funnel_slots_pkey do update set people = c.people + excluded.people, seconds = c.seconds + excluded.seconds
  ), put_funnel_days as (
    insert into audience_gate.funnel_days as c (site_zone, funnel_id, day, previous_day, "position", people, seconds)
    select z.site_zone, e.funnel_id, (e.slot at time zone z.time_zone)::date, (e.previous_slot at time zone z.time_zone)::date, e.position,
      sum(e.people), sum(e.seconds)
    from entered e join zones z on z.site_id = e.site_id
    group by 1, 2, 3, 4, 5
    having (sum(e.people), sum(e.seconds)) <> (0, 0)
    on conflict on constraint funnel_days_pkey do update set people = c.people + excluded.people, seconds = c.seconds + excluded.seconds
  ), put_known_slots as (
    insert into audience_gate.known_slots as c (site_id, kind, slot, previous_slot, units, events)
    select k.site_id, k.kind, k.slot, k.previous_slot, k.units, k.events from known k
    on conflict on constraint known_slots_pkey do update set units = c.units + excluded.units, events = c.events + excluded.events
  ), put_known_days as (
    insert into audience_gate.known_days as c (site_zone, kind, day, previous_day, units, events)
    select z.site_zone, k.kind, (k.slot at time zone z.time_zone)::date, (k.previous_slot at time zone z.time_zone)::date,
      sum(k.units), sum(k.events)
    from known k join zones z on z.site_id = k.site_id
    group by 1, 2, 3, 4
    having (sum(k.units), sum(k.events)) <> (0, 0)
    on conflict on constraint known_days_pkey do update set units = c.units + excluded.units, events = c.events + excluded.events
  ), put_visits as (
    insert into audience_gate.visits as c (
      site_id, session, sender, person, started, ended, events, entry_page, exit_page, referrer, device, first_touch, last_touch, goals,
      first_credit, last_credit, previous_visit, previous_entry, previous_exit, previous_referrer, previous_device, previous_last)
    select g.site_id, g.session, g.sender, g.person, g.started, g.ended, g.events, g.entry_page, g.exit_page, g.referrer, g.device,
      g.first_touch, g.last_touch, g.goals, g.first_credit, g.last_credit, g.previous_visit, g.previous_entry,
      g.previous_exit, g.previous_referrer, g.previous_device, g.previous_last
    from visited g
    where g.revision = 1
    on conflict on constraint visits_pkey do update
    set sender = excluded.sender, person = excluded.person, started = excluded.started, ended = excluded.ended,
      events = excluded.events, entry_page = excluded.entry_page, exit_page = excluded.exit_page, referrer = excluded.referrer,
      device = excluded.device, first_touch = excluded.first_touch, last_touch = excluded.last_touch, goals = excluded.goals,
      first_credit = excluded.first_credit, last_credit = excluded.last_credit, previous_visit = excluded.previous_visit,
      previous_entry = excluded.previous_entry, previous_exit = excluded.previous_exit, previous_referrer = excluded.previous_referrer,
      previous_device = excluded.previous_device, previous_last = excluded.previous_last
    where c.* is distinct from excluded.*
  ), put_visit_days as (
    insert into audience_gate.visit_days as c (site_zone, kind, label, goal, day, previous_day, visits, bounces, seconds, events)
    select o.site_zone, o.kind, o.label, o.goal, o.day, o.previous_day, sum(o.revision), sum(o.revision * o.bounced),
      sum(o.revision * o.seconds), sum(o.revision * o.events)
    from (
      select z.site_zone, l.*, d.day, v.revision, v.events, case when v.events = 1 then 1 else 0 end as bounced,
        extract(epoch from v.ended - v.started) as seconds,
        case when l.goal = '' then (l.before at time zone z.time_zone)::date else '-infinity' end as previous_day
      from visited v
      join zones z on z.site_id = v.site_id
      cross join lateral (select (v.started at time zone z.time_zone)::date as day) d
      cross join lateral (
        select k.kind, coalesce(k.label, '') as label, g.goal, k.before
        from (values ('', '', v.previous_visit), ('entry', v.entry_page, v.previous_entry), ('exit', v.exit_page, v.previous_exit),
          ('referrer', v.referrer, v.previous_referrer), ('device', v.device, v.previous_device),
          ('first', v.first_credit, v.previous_visit), ('last', v.last_credit, v.previous_last)) k (kind, label, before)
        join (select '' as goal union all select unnest(v.goals)) g on g.goal = '' or k.kind in ('first', 'last')
      ) l
    ) o
    group by 1, 2, 3, 4, 5, 6
    having (sum(o.revision), sum(o.revision * o.bounced), sum(o.revision * o.seconds), sum(o.revision * o.events)) <> (0, 0, 0, 0)
    on conflict on constraint visit_days_pkey do update
    set visits = c.visits + excluded.visits, bounces = c.bounces + excluded.bounces, seconds = c.seconds + excluded.seconds,
      events = c.events + excluded.events
  ), put_error_slots as (
    insert into audience_gate.error_slots as c (site_id, slot, event_type, code, events)
    select e.site_id, e.slot, e.event_type, e.code, e.events from failed e
    on conflict on constraint error_slots_pkey do update set events = c.events + excluded.events
  ), put_error_days as (
    insert into audience_gate.error_days as c (site_zone, day, event_type, code, events)
    select z.site_zone, (e.slot at time zone z.time_zone)::date, e.event_type, e.code, sum(e.events)
    from failed e join zones z on z.site_id = e.site_id
    group by 1, 2, 3, 4
    on conflict on constraint error_days_pkey do update set events = c.events + excluded.events
  ), put_timing_slots as (
    insert into audience_gate.timing_slots as c (site_id, slot, event_type, measure, bucket, samples, total, maximum)
    select m.site_id, m.slot, m.event_type, m.measure, m.bucket, m.samples, m.total, m.maximum from timed m
    on conflict on constraint timing_slots_pkey do update
    set samples = c.samples + excluded.samples, total = c.total + excluded.total, maximum = greatest(c.maximum, excluded.maximum)
  ), put_timing_days as (
    insert into audience_gate.timing_days as c (site_zone, day, event_type, measure, bucket, samples, total, maximum)
    select z.site_zone, (m.slot at time zone z.time_zone)::date, m.event_type, m.measure, m.bucket, sum(m.samples), sum(m.total),
      max(m.maximum)
    from timed m join zones z on z.site_id = m.site_id
    group by 1, 2, 3, 4, 5
    on conflict on constraint timing_days_pkey do update
    set samples = c.samples + excluded.samples, total = c.total + excluded.total, maximum = greatest(c.maximum, excluded.maximum)
  ), put_releases as (
    insert into audience_gate.releases as c (site_id, kind, sender, release, first_seen)
    select s.site_id, t.* from sites s cross join lateral audience_gate.release_tail(s.site_id) t
    on conflict on constraint releases_pkey do update set first_seen = excluded.first_seen
    where excluded.first_seen < c.first_seen
  ), put_receipt_slots as (
    insert into audience_gate.receipt_slots as c (site_id, slot, rule_id, events)
    select s.site_id, t.* from sites s cross join lateral audience_gate.receipt_tail(s.site_id) t where s.holds
    on conflict on constraint receipt_slots_pkey do update set events = c.events + excluded.events
  ), taken_corrections as (
    delete from audience_gate.receipt_corrections u using sites s where s.site_id = u.site_id and s.holds
  ), put_flow_slots as (
    insert into audience_gate.flow_slots as c (site_id, slot, from_state, to_state, transitions, stays, seconds)
    select f.site_id, f.slot, f.from_state, f.to_state, f.transitions, f.stays, f.seconds from moves f
    on conflict on constraint flow_slots_pkey do update
    set transitions = c.transitions + excluded.transitions, stays = c.stays + excluded.stays, seconds = c.seconds + excluded.seconds
  ), put_flow_days as (
    insert into audience_gate.flow_days as c (site_zone, day, from_state, to_state, transitions, stays, seconds)
    select z.id, (f.slot at time zone z.time_zone)::date, f.from_state, f.to_state, sum(f.transitions), sum(f.stays), sum(f.seconds)
    from moves f join audience_gate.site_zones z on z.site_id = f.site_id
    group by 1, 2, 3, 4
    on conflict on constraint flow_days_pkey do update
    set transitions = c.transitions + excluded.transitions, stays = c.stays + excluded.stays, seconds = c.seconds + excluded.seconds
  ), put_stay_slots as (
    insert into audience_gate.stay_slots as c (site_id, slot, state, bucket, stays, seconds)
    select y.site_id, y.slot, y.state, y.bucket, y.stays, y.seconds from ended y
    on conflict on constraint stay_slots_pkey do update set stays = c.stays + excluded.stays, seconds = c.seconds + excluded.seconds
  ), put_stay_days as (
    insert into audience_gate.stay_days as c (site_zone, day, state, bucket, stays, seconds)
    select z.id, (y.slot at time zone z.time_zone)::date, y.state, y.bucket, sum(y.stays), sum(y.seconds)
    from ended y join audience_gate.site_zones z on z.site_id = y.site_id
    group by 1, 2, 3, 4
    on conflict on constraint stay_days_pkey do update set stays = c.stays + excluded.stays, seconds = c.seconds + excluded.seconds
  ), taken_changes as (
    delete from audience_gate.unfolded_changes u using sites s where s.site_id = u.site_id and s.holds
  ), moved as (
    update audience_gate.fold_state set folded = pg_current_snapshot(), folded_by = folding, folding = '0'
  )
  select (select count(*) from tail), array(select s.site_id from sites s where not s.holds) into folded_events, stale_sites;

  perform audience_gate.drop_empty_cells();
end;
$$;
comment on function audience_gate.fold_tail() is
  'Writes the live tail into the tables of figures. Says how many events that were, and which sites'' figures have to be made '
  'anew because their registry, funnels, rule of people or zones are others than before.';
alter function audience_gate.fold_tail() owner to audience_gate_owner;
revoke all on function audience_gate.fold_tail() from public, anon, authenticated, service_role;
