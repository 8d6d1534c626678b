-- The figures about people and what they did, narrowed.

create or replace function audience_gate.narrowed_scope(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text, p_grain text, p_most integer, p_narrowed jsonb,
  out first_day date, out last_day date, out views_hold boolean, out begins timestamptz, out ends timestamptz,
  out since timestamptz, out fresh audience_gate.tail_event[], out types text[], out chosen uuid[]
)
language plpgsql
stable
set search_path = ''
as $$
declare
  r record;
begin
  r := audience_gate.narrowed_range(p_site, p_from, p_to, p_zone, p_grain, p_most, p_narrowed);
  first_day := r.first_day;
  last_day := r.last_day;
  views_hold := r.views_hold;
  begins := r.begins;
  ends := r.ends;
  since := r.since;
  fresh := audience_gate.live_tail(p_site);
  types := audience_gate.narrowed_deeds(p_narrowed);
  -- Whoever did something made a visit.
  if p_narrowed - '{tier,event_type,exact}'::text[] <> '{}' then
    chosen := array(
      select v.session
      from audience_gate.narrowed_visits(
        p_site, r.views_hold, fresh, '-infinity', r.begins, r.ends, '{}', p_narrowed - '{tier,event_type}'::text[]) v);
  end if;
end;
$$;
comment on function audience_gate.narrowed_scope(uuid, timestamptz, timestamptz, text, text, integer, jsonb) is
  'What a narrowed figure of people is made of: the days and slots of its range, the live tail, the types of events and the sessions '
  'that it keeps to; null: all.';
alter function audience_gate.narrowed_scope(uuid, timestamptz, timestamptz, text, text, integer, jsonb) owner to audience_gate_owner;
revoke all on function audience_gate.narrowed_scope(uuid, timestamptz, timestamptz, text, text, integer, jsonb)
  from public, anon, authenticated, service_role;

create or replace function audience_gate.narrowed_engagement(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text, p_narrowed jsonb
)
returns table (
  period date, tier text, events bigint, people bigint, events_per_person numeric, engaged_seconds numeric, score numeric
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set enable_nestloop = off
set enable_mergejoin = off
set work_mem = '64MB'
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
begin
  r := audience_gate.narrowed_scope(p_site, p_from, p_to, p_zone, p_grain, 160, p_narrowed);
  return query
  with placed as materialized (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, d.day::timestamp)::date end as period,
      d.person, t.tier, d.events, d.seconds, t.score_weight
    from audience_gate.narrowed_doings(
      p_site, r.views_hold, r.fresh, p_zone, r.first_day, r.last_day, r.begins, r.ends, r.chosen, r.types) d
    join public.audience_event_types t on t.id = d.event_type
  ), by_tier as (
    select p.period, p.tier, sum(p.events) as events, sum(p.seconds) as seconds, sum(p.events * p.score_weight) as score
    from placed p
    group by 1, 2
  ), seen as materialized (
    select p.period, p.tier, p.person from placed p group by 1, 2, 3
  ), people as (
    select s.period, s.tier, count(*) as people from seen s group by 1, 2
    union all
    select s.period, 'all', count(*) from (select s.period, s.person from seen s group by 1, 2) s group by 1
  ), summed as (
    select b.period, b.tier, b.events, b.seconds, b.score from by_tier b
    union all
    select b.period, 'all', sum(b.events), sum(b.seconds), sum(b.score) from by_tier b group by 1
  )
  select s.period, s.tier, s.events::bigint, p.people, round(s.events / p.people, 2), s.seconds, s.score
  from summed s
  join people p on p.period = s.period and p.tier = s.tier
  order by 1, (s.tier <> 'all'), 2;
end;
$$;
comment on function audience_gate.narrowed_engagement(uuid, timestamptz, timestamptz, text, text, jsonb) is
  'audience_gate.kpi_engagement(), narrowed.';

create or replace function audience_gate.narrowed_adoption(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text, p_narrowed jsonb
)
returns table (
  event_type text, category text, tier text, events bigint, people bigint, active_people bigint, adoption_rate numeric,
  new_people bigint, first_day date, last_day date
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set enable_nestloop = off
set enable_mergejoin = off
set work_mem = '64MB'
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
begin
  r := audience_gate.narrowed_scope(p_site, p_from, p_to, p_zone, 'total', 1, p_narrowed);
  return query
  with done as materialized (
    select d.person, d.day, d.event_type, d.events
    from audience_gate.narrowed_doings(
      p_site, r.views_hold, r.fresh, p_zone, r.first_day, r.last_day, r.begins, r.ends, r.chosen, r.types) d
  ), used as materialized (
    select d.person, d.event_type from done d group by 1, 2
  ), earlier as materialized (
    select p.person, p.event_type
    from audience_gate.narrowed_past(
      p_site, r.views_hold, r.fresh, p_zone, r.first_day, r.since, array(select u.person from used u group by 1), r.types) p
  ), users as (
    select u.event_type, count(*) as people, count(*) filter (where e.person is null) as new_people
    from used u
    left join earlier e on e.person = u.person and e.event_type = u.event_type
    group by 1
  ), summed as (
    select d.event_type, sum(d.events)::bigint as events, u.people, u.new_people, min(d.day) as first_day, max(d.day) as last_day
    from done d
    join users u on u.event_type = d.event_type
    group by 1, 3, 4
  )
  select s.event_type, t.category, t.tier, s.events, s.people, a.people, round(s.people::numeric / a.people, 4), s.new_people,
    s.first_day, s.last_day
  from summed s
  join public.audience_event_types t on t.id = s.event_type
  cross join (select count(*) as people from (select u.person from used u group by 1) p) a
  order by s.people desc, s.event_type;
end;
$$;
comment on function audience_gate.narrowed_adoption(uuid, timestamptz, timestamptz, text, jsonb) is
  'audience_gate.kpi_feature_adoption(), narrowed.';

create or replace function audience_gate.narrowed_people(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text, p_narrowed jsonb
)
returns table (
  people bigint, signed_in_people bigint, visitors bigint, sessions bigint, signed_in_sessions bigint,
  stitched_sessions bigint, unstitched_sessions bigint, shared_sessions bigint, stitched_events bigint
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set enable_nestloop = off
set enable_mergejoin = off
set work_mem = '64MB'
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
begin
  r := audience_gate.narrowed_scope(p_site, p_from, p_to, p_zone, 'total', 1, p_narrowed);
  return query
  with parts as materialized (
    select d.session, d.visitor, d.person, d.signed_in, sum(d.events) as events
    from audience_gate.narrowed_doings(
      p_site, r.views_hold, r.fresh, p_zone, r.first_day, r.last_day, r.begins, r.ends, r.chosen, r.types) d
    group by 1, 2, 3, 4
  ), active as (
    select count(*) as people, count(*) filter (where p.signed_in) as users
    from (select p.person, p.signed_in from parts p group by 1, 2) p
  ), known as (
    select p.session, coalesce(l.shared, u.first_user <> u.last_user, false) as shared, bool_or(p.visitor) as visited,
      bool_or(p.visitor and p.signed_in) as stitched, coalesce(sum(p.events) filter (where p.visitor and p.signed_in), 0) as events
    from parts p
    left join audience_gate.session_users u on u.site_id = p_site and u.session = p.session
    left join audience_gate.tail_links(p_site, r.fresh) l on l.session = p.session
    group by 1, 2
  )
  select a.people, a.users, a.people - a.users, k.sessions, k.own - k.visited, k.stitched, k.visited - k.stitched, k.sessions - k.own,
    k.events
  from active a
  cross join (
    select count(*) as sessions, count(*) filter (where not k.shared) as own,
      count(*) filter (where not k.shared and k.visited) as visited, count(*) filter (where not k.shared and k.stitched) as stitched,
      coalesce(sum(k.events), 0)::bigint as events
    from known k
  ) k;
end;
$$;
comment on function audience_gate.narrowed_people(uuid, timestamptz, timestamptz, text, jsonb) is 'audience_gate.kpi_people(), narrowed.';

create or replace function audience_gate.narrowed_overview(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text, p_narrowed jsonb
)
returns table (
  events bigint, people bigint, new_people bigint, returning_people bigint, sessions bigint, engaged_seconds numeric, score numeric,
  rejected bigint, rejection_rate numeric, errors bigint, last_event_at timestamptz, covered_until timestamptz
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set enable_nestloop = off
set enable_mergejoin = off
set work_mem = '64MB'
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
  fresh audience_gate.tail_event[];
  types text[];
  chosen uuid[];
  begun bigint;
begin
  r := audience_gate.narrowed_range(p_site, p_from, p_to, p_zone, 'total', 1, p_narrowed);
  fresh := audience_gate.live_tail(p_site);
  types := coalesce(audience_gate.narrowed_types(p_narrowed), array(select t.id from public.audience_event_types t));
  -- An error may come before a visit's first activity or after its last.
  if not r.views_hold or p_narrowed - '{tier,event_type,exact}'::text[] <> '{}' then
    select coalesce(array_agg(v.session), '{}'), count(*) filter (where v.started >= r.begins and v.started < r.ends
      and (v.started at time zone p_zone)::date between r.first_day and r.last_day)
    into chosen, begun
    from audience_gate.narrowed_visits(
      p_site, r.views_hold, fresh, '-infinity', r.begins, r.ends, array(
        select s.session from audience_gate.session_slots s
        where s.site_id = p_site and s.slot >= r.begins and s.slot < r.ends
          and s.event_types && array(select x.event_type from audience_gate.error_events x)
        union
        select a.session from unnest(fresh) a join audience_gate.error_events x on x.event_type = a.event_type
      ), p_narrowed - '{tier,event_type}'::text[]) v;
  end if;
  if chosen is null or p_narrowed ?| '{tier,event_type}' then
    select count(*) into begun
    from audience_gate.narrowed_visits(p_site, r.views_hold, fresh, r.begins, '-infinity', r.ends, '{}', p_narrowed) v
    where (v.started at time zone p_zone)::date between r.first_day and r.last_day;
  end if;
  return query
  with done as materialized (
    select d.session, d.person, d.events, d.seconds, t.score_weight, t.tier <> 'system' and t.category <> 'retention' as is_activity,
      x.event_type is not null as is_error
    from audience_gate.narrowed_doings(
      p_site, r.views_hold, fresh, p_zone, r.first_day, r.last_day, r.begins, r.ends, chosen, types) d
    join public.audience_event_types t on t.id = d.event_type
    left join audience_gate.error_events x on x.event_type = d.event_type
  ), people as materialized (
    select d.person from done d where d.is_activity group by 1
  ), known as (
    select count(*) as people
    from audience_gate.narrowed_past(
      p_site, r.views_hold, fresh, p_zone, r.first_day, r.since, array(select p.person from people p), null) o
  ), summed as (
    select coalesce(sum(d.events) filter (where d.is_activity), 0)::bigint as events,
      coalesce(sum(d.seconds) filter (where d.is_activity), 0) as seconds,
      coalesce(sum(d.events * d.score_weight) filter (where d.is_activity), 0) as score,
      coalesce(sum(d.events) filter (where d.is_error and (chosen is not null or d.session in (
        select v.session from audience_gate.visits v where v.site_id = p_site
        union all
        select a.session from unnest(fresh) a where a.is_activity))), 0)::bigint as errors
    from done d
  )
  select s.events, p.people, p.people - k.people, k.people, begun, s.seconds, s.score, null::bigint, null::numeric, s.errors,
    audience_gate.last_accepted_at(p_site), nullif(r.covered_until, '-infinity')
  from summed s
  cross join (select count(*) as people from people p) p
  cross join known k;
end;
$$;
comment on function audience_gate.narrowed_overview(uuid, timestamptz, timestamptz, text, jsonb) is
  'audience_gate.kpi_overview(), narrowed.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'narrowed_engagement(uuid, timestamptz, timestamptz, text, text, jsonb)',
    'narrowed_adoption(uuid, timestamptz, timestamptz, text, jsonb)',
    'narrowed_people(uuid, timestamptz, timestamptz, text, jsonb)', 'narrowed_overview(uuid, timestamptz, timestamptz, text, jsonb)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
    execute format('grant execute on function audience_gate.%s to authenticated, service_role', signature);
  end loop;
end $$;
