-- The conversion funnel. An entry is the first event of step 1 on a local day; each later step is the
-- earliest event of its type at or after the step before, within the funnel's window of the entry.

-- Cells of the funnel view: of everybody (p_since null), or only of the people who have an event
-- received since p_since. One walk serves the view, the live tail and zones that have no view. The
-- planner cannot know how many people a step has and would compare each with each: it is left the
-- hash join, which is right for all of them.
create or replace function audience_gate.funnel_cells(p_site uuid, p_time_zone text, p_before timestamptz, p_since timestamptz)
returns table (funnel_id text, day date, previous_day date, "position" smallint, people bigint, seconds numeric)
language sql
stable
set search_path = ''
set enable_mergejoin = off
set enable_nestloop = off
as $$
  with recursive steps as materialized (
    select f.* from audience_gate.funnel_steps f where f.site_id = p_site
  ), newcomers as materialized (
    select distinct a.user_id, case when a.user_id is null then a.session_id end as session_id
    from audience_gate.activity a
    where a.site_id = p_site and a.created_at >= p_since
  ), events as materialized (
    select a.person, a.event_type, a.at
    from audience_gate.activity a
    where p_since is null and a.site_id = p_site and a.created_at < p_before
      and a.event_type in (select s.event_type from steps s)
    union all
    select e.person, e.event_type, e.at
    from newcomers n
    cross join lateral (
      select a.person, a.event_type, a.at from audience_gate.activity a
      where a.user_id = n.user_id and a.site_id = p_site and a.created_at < p_before
      union all
      select a.person, a.event_type, a.at from audience_gate.activity a
      where n.user_id is null and a.session_id = n.session_id and a.user_id is null
        and a.site_id = p_site and a.created_at < p_before
    ) e
    where e.event_type in (select s.event_type from steps s)
  ), touches as materialized (
    select s.funnel_id, s.position, s.conversion_window, e.person, array_agg(e.at order by e.at) as times
    from events e
    join steps s on s.event_type = e.event_type
    where s.position > 1
    group by 1, 2, 3, 4
  ), entries as (
    select s.funnel_id, e.person, (e.at at time zone p_time_zone)::date as day, min(e.at) as entered
    from events e
    join steps s on s.event_type = e.event_type and s.position = 1
    group by 1, 2, 3
  ), walk as (
    select
      e.funnel_id, e.person, e.day,
      lag(e.day, 1, '-infinity'::date) over (partition by e.funnel_id, e.person order by e.day) as previous_day,
      1::smallint as position, e.entered, e.entered as reached
    from entries e
    union all
    select w.funnel_id, w.person, w.day, w.previous_day, t.position, w.entered, r.reached
    from walk w
    join touches t on t.funnel_id = w.funnel_id and t.person = w.person and t.position = w.position + 1
    cross join lateral (
      select min(u.at) as reached
      from unnest(t.times) u (at)
      where u.at >= w.reached and u.at <= w.entered + t.conversion_window
    ) r
    where r.reached is not null
  )
  select w.funnel_id, w.day, w.previous_day, w.position, count(*)::bigint,
    sum(extract(epoch from w.reached - w.entered))
  from walk w
  group by 1, 2, 3, 4
$$;
comment on function audience_gate.funnel_cells(uuid, text, timestamptz, timestamptz) is
  'People per funnel, entry day, entry day before that, and step reached; over the events received before p_before, of everybody or of those active since p_since.';

create materialized view audience_gate.conversion_funnel as
select z.id as site_zone, c.*
from audience_gate.site_zones z
cross join audience_gate.analytics_settings s
cross join lateral audience_gate.funnel_cells(z.site_id, z.time_zone, s.covered_until, null) c
with data;
create unique index conversion_funnel_key
  on audience_gate.conversion_funnel (site_zone, funnel_id, day, previous_day, position);
comment on materialized view audience_gate.conversion_funnel is
  'People per site, funnel, local day of entry, the day they entered before, and step reached, with the seconds it took them.';

create or replace function audience_gate.funnel_tail(p_site uuid, p_time_zone text, p_covered_until timestamptz)
returns table (funnel_id text, day date, previous_day date, "position" smallint, people bigint, seconds numeric)
language sql
stable
set search_path = ''
as $$
  select * from audience_gate.funnel_cells(p_site, p_time_zone, 'infinity', nullif(p_covered_until, '-infinity'))
  union all
  select c.funnel_id, c.day, c.previous_day, c.position, -c.people, -c.seconds
  from audience_gate.funnel_cells(p_site, p_time_zone, p_covered_until, p_covered_until) c
  where p_covered_until > '-infinity'
$$;
comment on function audience_gate.funnel_tail(uuid, text, timestamptz) is 'What the live tail adds to and takes from conversion_funnel.';
