-- An erasure makes somebody else of a person. What the tables of figures hold of those whom it touches is taken out of them
-- before, and what is true of them afterwards is put in its place, so that it costs what they did and not a rebuild.

create or replace function audience_gate.add_cells(
  figure text, query text, sign integer, site uuid, people uuid[], sessions text[]
)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  -- What adds up is not part of the key.
  measures constant text[] := array(
    select a.attname from pg_catalog.pg_attribute a
    where a.attrelid = ('audience_gate.' || figure)::regclass and a.attnum > 0 and a.attname in (
      'people', 'events', 'seconds', 'score', 'units', 'visits', 'bounces', 'sessions'));
begin
  execute format(
    'insert into audience_gate.%1$I as c (%2$s) select %3$s from (%4$s) w (%2$s) on conflict on constraint %5$I do update set %6$s',
    figure, audience_gate.figure_columns(figure),
    (select string_agg(case when n.name = any (measures) then '$1 * ' else '' end || format('w.%I', n.name), ', ' order by n.nth)
     from string_to_table(replace(audience_gate.figure_columns(figure), '"', ''), ', ') with ordinality n (name, nth)),
    query, figure || '_pkey',
    (select string_agg(format('%1$I = c.%1$I + excluded.%1$I', m), ', ') from unnest(measures) m))
  using sign, site, people, sessions;
end;
$$;
comment on function audience_gate.add_cells(text, text, integer, uuid, uuid[], text[]) is
  'Adds the cells of a query to a table of figures, or takes them from it: of the site $2, the people $3 and the sessions $4.';

create or replace function audience_gate.change_figures(site uuid, people uuid[], sessions text[], sign integer)
returns void
language plpgsql
volatile
set search_path = ''
set enable_mergejoin = off
set jit = off
as $$
declare
  item record;
begin
  for item in
    select * from (values
      ('session_starts', $q$
        select $2, s.started, count(*)::bigint from (
          select min(a.slot) as started from unnest($4) s (session_id)
          join audience_gate.slot_activity a on a.site_id = $2 and a.session = md5(s.session_id)::uuid group by a.session) s group by 2$q$),
      ('engagement_slots', 'select * from audience_gate.whole_engagement_slots($2, $3)'),
      ('feature_slots', 'select * from audience_gate.whole_feature_slots($2, $3)'),
      ('known_slots', $q$
        select * from audience_gate.whole_known_slots($2, $3, array(select md5(s.session_id)::uuid from unnest($4) s (session_id)))$q$),
      ('engagement_days', $q$
        select z.id, w.tier, (w.slot at time zone z.time_zone)::date, (w.previous_slot at time zone z.time_zone)::date,
          sum(w.people)::bigint, sum(w.events)::bigint, sum(w.seconds), sum(w.score)
        from audience_gate.whole_engagement_slots($2, $3) w join audience_gate.site_zones z on z.site_id = $2 group by 1, 2, 3, 4$q$),
      ('cohort_periods', $q$
        select z.id, d.grain, d.cohort, (d.period - d.cohort) / d.days, sum(w.people)::bigint
        from audience_gate.whole_engagement_slots($2, $3) w
        join audience_gate.site_zones z on z.site_id = $2
        cross join lateral (
          select g.grain, g.days, date_trunc(g.grain, w.slot at time zone z.time_zone)::date as period,
            date_trunc(g.grain, w.previous_slot at time zone z.time_zone)::date as previous,
            date_trunc(g.grain, w.first_slot at time zone z.time_zone)::date as cohort
          from (values ('day', 1), ('week', 7)) g (grain, days)) d
        where w.tier = 'all' and d.previous < d.period group by 1, 2, 3, 4$q$),
      ('feature_days', $q$
        select z.id, w.event_type, (w.slot at time zone z.time_zone)::date, (w.previous_slot at time zone z.time_zone)::date,
          sum(w.people)::bigint, sum(w.events)::bigint
        from audience_gate.whole_feature_slots($2, $3) w join audience_gate.site_zones z on z.site_id = $2 group by 1, 2, 3, 4$q$),
      ('known_days', $q$
        select z.id, w.kind, (w.slot at time zone z.time_zone)::date, (w.previous_slot at time zone z.time_zone)::date,
          sum(w.units)::bigint, sum(w.events)::bigint
        from audience_gate.whole_known_slots($2, $3, array(select md5(s.session_id)::uuid from unnest($4) s (session_id))) w
        join audience_gate.site_zones z on z.site_id = $2 group by 1, 2, 3, 4$q$),
      ('funnel_slots', $q$
        select $2, f.funnel_id, f.slot, f.previous_slot, f.position, f.people, f.seconds
        from audience_gate.funnel_cells($2, '{f}', true, '-infinity', 'infinity', $3, $4) f$q$),
      ('funnel_days', $q$
        select z.id, f.funnel_id, (f.slot at time zone z.time_zone)::date, (f.previous_slot at time zone z.time_zone)::date, f.position,
          sum(f.people)::bigint, sum(f.seconds)
        from audience_gate.funnel_cells($2, '{f}', true, '-infinity', 'infinity', $3, $4) f
        join audience_gate.site_zones z on z.site_id = $2 group by 1, 2, 3, 4, 5$q$),
      ('visit_days', 'select * from audience_gate.whole_visit_days($2, $3)')
    ) f (figure, query)
  loop
    perform audience_gate.add_cells(item.figure, item.query, sign, site, people, sessions);
  end loop;
end;
$$;
comment on function audience_gate.change_figures(uuid, uuid[], text[], integer) is
  'Takes what the tables hold of some people and sessions out of what rests on it, or puts it in.';

create or replace function audience_gate.people_of_sessions(site uuid, sessions text[])
returns setof uuid
language sql
stable
set search_path = ''
as $$
  select md5(s.session_id)::uuid from unnest(sessions) s (session_id)
  union
  select a.sender from unnest(sessions) s (session_id)
  join audience_gate.session_slots a on a.site_id = people_of_sessions.site and a.session = md5(s.session_id)::uuid
  union
  select l.user_id from unnest(sessions) s (session_id)
  join audience_gate.linked_sessions l on l.site_id = people_of_sessions.site and l.session = md5(s.session_id)::uuid
$$;
comment on function audience_gate.people_of_sessions(uuid, text[]) is
  'Whoever did something in some sessions, or was known of them, up to the last fold.';

-- The site of an event is looked at after the event was found, here and below: of a log that was never analysed, the planner
-- would have all events of the site looked at.
create or replace function audience_gate.session_events(p_site uuid, p_sessions text[])
returns setof audience_gate.counted_events
language sql
stable
set search_path = ''
as $$
  select e.*
  from unnest(p_sessions) s (session_id)
  cross join lateral (
    select * from audience_gate.counted_events c where c.session_id = s.session_id and c.folded offset 0
  ) e
  where e.site_id = p_site
$$;
comment on function audience_gate.session_events(uuid, text[]) is
  'The counted events of some sessions of a site, up to the last fold.';

create or replace function audience_gate.take_figures(events uuid[])
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
  item record;
  scope jsonb := jsonb_build_array();
begin
  for item in
    select e.site_id, array_agg(distinct e.session_id) as sessions
    from audience_gate.counted_events e
    where e.id = any (events) and e.folded
    group by 1
  loop
    -- After an edit, the tables wait for the next fold to make them anew: also if the edit is taken back, from now on.
    update audience_gate.site_zones z set terms = null
    where z.site_id = item.site_id and (z.terms, z.funnel_terms) is distinct from
      (audience_gate.figure_terms(item.site_id), audience_gate.funnel_terms(item.site_id));
    scope := scope || jsonb_build_object('site', item.site_id, 'sessions', to_jsonb(item.sessions), 'people', (
      select jsonb_agg(p) from audience_gate.people_of_sessions(item.site_id, item.sessions) p));
    perform audience_gate.change_figures(item.site_id,
      array(select audience_gate.people_of_sessions(item.site_id, item.sessions)), item.sessions, -1);
    perform audience_gate.change_errors(item.site_id, events, -1);
  end loop;
  return scope;
end;
$$;
comment on function audience_gate.take_figures(uuid[]) is
  'Takes what the tables of figures hold of the people of some events out of them, and says of which people and sessions.';

create or replace function audience_gate.change_errors(site uuid, events uuid[], sign integer)
returns void
language sql
volatile
set search_path = ''
as $$
  with failed as (
    select date_bin('15 minutes', l.at, timestamptz '2000-01-01Z') as slot, l.event_type, l.code, sign * count(*) as events
    from (select * from audience_gate.error_log l where l.id = any (change_errors.events) and l.folded offset 0) l
    where l.site_id = change_errors.site
    group by 1, 2, 3
  ), put_days as (
    insert into audience_gate.error_days as c (site_zone, day, event_type, code, events)
    select z.id, (f.slot at time zone z.time_zone)::date, f.event_type, f.code, sum(f.events)
    from failed f join audience_gate.site_zones z on z.site_id = change_errors.site
    group by 1, 2, 3, 4
    on conflict on constraint error_days_pkey do update set events = c.events + excluded.events
  )
  insert into audience_gate.error_slots as c (site_id, slot, event_type, code, events)
  select change_errors.site, f.slot, f.event_type, f.code, f.events from failed f
  on conflict on constraint error_slots_pkey do update set events = c.events + excluded.events
$$;
comment on function audience_gate.change_errors(uuid, uuid[], integer) is
  'Takes some events out of the tables of errors, or puts them in: an erasure may take a word out of a code.';

create or replace function audience_gate.put_figures(events uuid[], scope jsonb)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  item record;
  named text[];
  numbers uuid[];
  people uuid[];
begin
  for item in
    select s.site, array(select jsonb_array_elements_text(s.sessions)) as sessions,
      array(select jsonb_array_elements_text(s.people))::uuid[] as people
    from jsonb_to_recordset(scope) s (site uuid, sessions jsonb, people jsonb)
  loop
    named := array(
      select unnest(item.sessions)
      union select e.session_id
      from (select c.site_id, c.session_id from audience_gate.counted_events c where c.id = any (events) and c.folded offset 0) e
      where e.site_id = item.site);
    numbers := array(select md5(n)::uuid from unnest(named) n);
    delete from audience_gate.session_users u where u.site_id = item.site and u.session = any (numbers);
    insert into audience_gate.session_users (site_id, session, session_id, first_user, last_user)
    select e.site_id, e.session, min(e.session_id), min(e.user_id::text)::uuid, max(e.user_id::text)::uuid
    from audience_gate.session_events(item.site, named) e
    where e.user_id is not null and e.event_category <> 'retention'
    group by 1, 2;
    delete from audience_gate.session_slots s where s.site_id = item.site and s.session = any (numbers);
    insert into audience_gate.session_slots (site_id, session, sender, slot, person, event_types, events, seconds)
    select g.site_id, g.session, g.sender, g.slot, audience_gate.person(nullif(g.sender, g.session), k.user_id, g.session),
      array_agg(g.event_type order by g.event_type),
      array_agg(g.events order by g.event_type), array_agg(g.seconds order by g.event_type)
    from (
      select e.site_id, e.session, coalesce(e.user_id, e.session) as sender,
        date_bin('15 minutes', e.at, timestamptz '2000-01-01Z') as slot, e.event_type, count(*)::bigint as events, sum(e.seconds) as seconds
      from audience_gate.session_events(item.site, named) e
      group by 1, 2, 3, 4, 5
    ) g
    left join audience_gate.linked_sessions k on k.site_id = g.site_id and k.session = g.session
    group by 1, 2, 3, 4, 5;
    people := array(
      select unnest(item.people)
      union select audience_gate.people_of_sessions(item.site, named));
    delete from audience_gate.visits v where v.site_id = item.site and v.session = any (numbers);
    insert into audience_gate.visits (site_id, session, sender, person, started, ended, events, entry_page, exit_page, referrer, device,
      first_touch, last_touch, goals, previous_visit, previous_entry, previous_exit, previous_referrer, previous_device, previous_last)
    select item.site, c.session, c.sender, coalesce(k.user_id, c.sender, c.session), c.started, c.ended, c.events, c.entry_page,
      c.exit_page, c.referrer, c.device, c.first_touch, c.last_touch, c.goals,
      '-infinity', '-infinity', '-infinity', '-infinity', '-infinity', '-infinity'
    from audience_gate.visit_cells(item.site, false, named) c
    left join audience_gate.linked_sessions k on k.site_id = item.site and k.session = c.session;
    update audience_gate.visits v
    set first_credit = n.first_credit, last_credit = n.last_credit, previous_visit = n.previous_visit,
      previous_entry = n.previous_entry, previous_exit = n.previous_exit, previous_referrer = n.previous_referrer,
      previous_device = n.previous_device, previous_last = n.previous_last
    from (
      select m.session, m.first_credit, m.last_credit,
        lag(m.started, 1, '-infinity') over (partition by m.person order by m.started, m.session) as previous_visit,
        lag(m.started, 1, '-infinity') over (partition by m.person, m.entry_page order by m.started, m.session) as previous_entry,
        lag(m.started, 1, '-infinity') over (partition by m.person, m.exit_page order by m.started, m.session) as previous_exit,
        lag(m.started, 1, '-infinity') over (partition by m.person, m.referrer order by m.started, m.session) as previous_referrer,
        lag(m.started, 1, '-infinity') over (partition by m.person, m.device order by m.started, m.session) as previous_device,
        lag(m.started, 1, '-infinity') over (partition by m.person, m.last_credit order by m.started, m.session) as previous_last
      from (
        select c.session, c.person, c.started, c.entry_page, c.exit_page, c.referrer, c.device,
          max(c.first_touch) filter (where c.nth = 1) over (partition by c.person) as first_credit,
          max(c.last_touch) over (partition by c.person, c.nth) as last_credit
        from (
          select w.*, count(w.last_touch) over (partition by w.person order by w.started, w.session) as nth
          from audience_gate.visits w
          where w.site_id = item.site and w.person = any (people)
        ) c
      ) m
    ) n
    where v.site_id = item.site and v.session = n.session;
    perform audience_gate.change_figures(item.site, people, named, 1);
    perform audience_gate.change_errors(item.site, events, 1);
  end loop;
  perform audience_gate.drop_empty_cells();
end;
$$;
comment on function audience_gate.put_figures(uuid[], jsonb) is
  'Puts what is true of the people of some events after an erasure into the tables of figures, in place of what '
  'take_figures() took.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'add_cells(text, text, integer, uuid, uuid[], text[])', 'change_figures(uuid, uuid[], text[], integer)',
    'people_of_sessions(uuid, text[])', 'session_events(uuid, text[])', 'take_figures(uuid[])',
    'change_errors(uuid, uuid[], integer)', 'put_figures(uuid[], jsonb)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
