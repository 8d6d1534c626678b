-- What counts as activity, who counts as a person, and the first view: who did what on which day.

create or replace view audience_gate.activity with (security_invoker = true) as
select
  e.site_id,
  e.created_at,
  coalesce(e.occurred_at, e.created_at) as at,
  e.user_id,
  e.session_id,
  coalesce(e.user_id, md5(e.session_id)::uuid) as person,
  e.event_type,
  case
    when jsonb_typeof(e.metadata -> 'duration_seconds') = 'number'
    then least(greatest((e.metadata ->> 'duration_seconds')::numeric, 0), 86400)
    else 0
  end as seconds
from public.audience_events e
join public.audience_event_types t on t.id = e.event_type
where not e.rejected and t.tier <> 'system' and t.category <> 'retention';
comment on view audience_gate.activity is
  'Activity is what people did: accepted events, without those of the tier system and of the category retention, which are written about people. It happened at occurred_at, or else at created_at. A person is the signed-in user, or else the session. A duration counts for at most a day.';

-- One row for a person and day, what they did folded into arrays: a concurrent refresh compares row by
-- row, so a third of the rows is a third of its cost.
create materialized view audience_gate.person_days as
select
  g.site_zone, g.person, g.day,
  array_agg(g.event_type order by g.event_type) as event_types,
  array_agg(g.events order by g.event_type) as events,
  array_agg(g.seconds order by g.event_type) as seconds
from (
  select z.id as site_zone, a.person, (a.at at time zone z.time_zone)::date as day, a.event_type,
    count(*)::bigint as events, sum(a.seconds) as seconds
  from audience_gate.activity a
  join audience_gate.site_zones z on z.site_id = a.site_id
  where a.created_at < (select s.covered_until from audience_gate.analytics_settings s)
  group by 1, 2, 3, 4
) g
group by 1, 2, 3
with data;
create unique index person_days_key on audience_gate.person_days (site_zone, person, day);
comment on materialized view audience_gate.person_days is
  'Which event types each person of a site caused on which local day, how often and for how long. The other views about people are made of this one.';

create or replace view audience_gate.person_day_types with (security_invoker = true) as
select d.site_zone, d.person, d.day, u.event_type, u.events, u.seconds
from audience_gate.person_days d
cross join lateral unnest(d.event_types, d.events, d.seconds) u (event_type, events, seconds);
comment on view audience_gate.person_day_types is 'person_days, unfolded: one row for each event type.';

-- The live tail. Views about people cannot simply be added to: somebody of the tail may be in the
-- view already. So what the view said about the people of the tail is taken back (revision -1) and
-- what is true of them now is put in its place (revision 1); every number built from these rows
-- by adding is then exact.
create or replace function audience_gate.person_days_tail(p_site uuid, p_site_zone integer, p_time_zone text, p_covered_until timestamptz)
returns table (revision integer, person uuid, event_type text, day date, events bigint, seconds numeric)
language sql
stable
set search_path = ''
as $$
  with tail as materialized (
    select a.person, a.event_type, (a.at at time zone p_time_zone)::date as day,
      count(*) as events, sum(a.seconds) as seconds
    from audience_gate.activity a
    where a.site_id = p_site and a.created_at >= p_covered_until
    group by 1, 2, 3
  ), before as materialized (
    select d.person, d.event_type, d.day, d.events, d.seconds
    from (select distinct t.person from tail t) p
    cross join lateral (
      select * from audience_gate.person_day_types d
      where d.site_zone = p_site_zone and d.person = p.person
      offset 0
    ) d
  )
  select -1, b.* from before b
  union all
  select 1, n.person, n.event_type, n.day, sum(n.events)::bigint, sum(n.seconds)
  from (select * from before union all select * from tail) n
  group by n.person, n.event_type, n.day
$$;
comment on function audience_gate.person_days_tail(uuid, integer, text, timestamptz) is
  'What is newer than the last refresh is read from the events with every call, so that the figures are current and exact, late events included: what the views say of the people in this live tail is taken back (revision -1), and what is true of them now is put in its place (1).';
