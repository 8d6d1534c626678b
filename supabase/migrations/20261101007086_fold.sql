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
as $$
begin
  with sites as materialized (
    select s.id as site_id, coalesce(bool_and(coalesce(
      z.terms = audience_gate.figure_terms(s.id) and z.funnel_terms = audience_gate.funnel_terms(s.id), false)), false) as holds
    from public.audience_sites s
    left join audience_gate.site_zones z on z.site_id = s.id
    group by 1
  ), tail as materialized (
    select s.site_id, s.holds, t.* from sites s cross join lateral audience_gate.tail_events(s.site_id) t
  ), grown as materialized (
    select distinct t.site_id from tail t where t.holds
  ), zones as materialized (
    select z.site_id, z.id as site_zone, z.time_zone from grown g join audience_gate.site_zones z on z.site_id = g.site_id
  ), engaged as materialized (
    select g.site_id, e.* from grown g cross join lateral audience_gate.engagement_tail(g.site_id, true) e
    where (e.people, e.events, e.seconds, e.score) <> (0, 0, 0, 0)
  ), used as materialized (
    select g.site_id, f.* from grown g cross join lateral audience_gate.feature_tail(g.site_id, true) f
    where (f.people, f.events) <> (0, 0)
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
    insert into audience_gate.session_slots as c (site_id, session, sender, slot, event_types, events, seconds)
    select g.site_id, g.session, g.sender, g.slot, array_agg(g.event_type order by g.event_type),
      array_agg(g.events order by g.event_type), array_agg(g.seconds order by g.event_type)
    from (
      select t.site_id, t.session, coalesce(t.user_id, t.session) as sender,
        date_bin('15 minutes', t.at, timestamptz '2000-01-01Z') as slot, t.event_type, count(*)::bigint as events, sum(t.seconds) as seconds
      from tail t
      group by 1, 2, 3, 4, 5
    ) g
    group by 1, 2, 3, 4
    on conflict on constraint session_slots_pkey do update
    set (event_types, events, seconds) = (
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
    select g.site_id, s.slot, s.sessions from grown g cross join lateral audience_gate.session_tail(g.site_id, true) s
    where s.sessions <> 0
    on conflict on constraint session_starts_pkey do update set sessions = c.sessions + excluded.sessions
  ), put_funnel_days as (
    insert into audience_gate.funnel_days as c (site_zone, funnel_id, day, previous_day, "position", people, seconds)
    select z.site_zone, f.funnel_id, f.day, f.previous_day, f.position, sum(f.people), sum(f.seconds)
    from zones z cross join lateral audience_gate.funnel_tail(z.site_id, z.time_zone, true, '-infinity', 'infinity') f
    group by 1, 2, 3, 4, 5
    having (sum(f.people), sum(f.seconds)) <> (0, 0)
    on conflict on constraint funnel_days_pkey do update set people = c.people + excluded.people, seconds = c.seconds + excluded.seconds
  ), put_visits as (
    insert into audience_gate.visits as c (
      site_id, session, sender, started, ended, events, entry_page, exit_page, referrer, device, first_touch, last_touch)
    select g.site_id, v.* from grown g cross join lateral audience_gate.visit_cells(g.site_id, true, true) v
    on conflict on constraint visits_pkey do update
    set sender = excluded.sender, started = excluded.started, ended = excluded.ended, events = excluded.events,
      entry_page = excluded.entry_page, exit_page = excluded.exit_page, referrer = excluded.referrer, device = excluded.device,
      first_touch = excluded.first_touch, last_touch = excluded.last_touch
  ), moved as (
    update audience_gate.analytics_settings set folded = pg_current_snapshot(), folded_by = folding, folding = '0'
  )
  select (select count(*) from tail), array(select s.site_id from sites s where not s.holds) into folded_events, stale_sites;

  delete from audience_gate.engagement_slots where people = 0;
  delete from audience_gate.engagement_days where people = 0;
  delete from audience_gate.cohort_periods where people = 0;
  delete from audience_gate.feature_slots where people = 0;
  delete from audience_gate.feature_days where people = 0;
  delete from audience_gate.funnel_days where people = 0;
end;
$$;
comment on function audience_gate.fold_tail() is
  'Writes the live tail into the tables of figures. Says how many events that were, and which sites'' figures have to be made '
  'anew because their registry, funnels, rule of people or zones are others than before.';
alter function audience_gate.fold_tail() owner to audience_gate_owner;
revoke all on function audience_gate.fold_tail() from public, anon, authenticated, service_role;
