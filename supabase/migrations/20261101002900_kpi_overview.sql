-- The site at a glance, and its last minutes.

create materialized view if not exists audience_gate.session_starts as
select z.id as site_zone, (s.started at time zone z.time_zone)::date as day, count(*)::bigint as sessions
from (
  select a.site_id, a.session_id, min(a.at) as started
  from audience_gate.activity a
  where a.created_at < (select c.covered_until from audience_gate.analytics_settings c)
  group by 1, 2
) s
join audience_gate.site_zones z on z.site_id = s.site_id
group by 1, 2
with data;
create unique index if not exists idx_session_starts_key on audience_gate.session_starts (site_zone, day);
comment on materialized view audience_gate.session_starts is 'Sessions by the local day of their first event.';
comment on column audience_gate.session_starts.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.session_starts.day is 'The local day.';
comment on column audience_gate.session_starts.sessions is 'How many sessions had their first event on that day.';

create or replace function audience_gate.session_tail(p_site uuid, p_time_zone text, p_covered_until timestamptz)
returns table (day date, sessions bigint)
language sql
stable
set search_path = ''
as $$
  with tail as materialized (
    select a.session_id, min(a.at) as started
    from audience_gate.activity a
    where a.site_id = p_site and a.created_at >= p_covered_until
    group by 1
  ), known as materialized (
    select t.session_id, t.started, b.started as before
    from tail t
    left join lateral (
      select min(a.at) as started
      from audience_gate.activity a
      where a.session_id = t.session_id and a.site_id = p_site and a.created_at < p_covered_until
        and p_covered_until > '-infinity'
    ) b on true
  )
  select (m.at at time zone p_time_zone)::date, sum(m.revision)::bigint
  from known k
  cross join lateral (values (1, least(k.started, k.before)), (-1, k.before)) m (revision, at)
  where m.at is not null
  group by 1
$$;
comment on function audience_gate.session_tail(uuid, text, timestamptz) is
  'What the live tail changes in session_starts.';

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
as $$
#variable_conflict use_column
declare
  r record;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  return query
  with engagement as (
    select sum(c.events)::bigint as events, (sum(c.people) filter (where c.previous_day < r.first_day))::bigint as people,
      coalesce(sum(c.people) filter (where c.previous_day = '-infinity'), 0)::bigint as new_people,
      sum(c.seconds) as seconds, sum(c.score) as score
    from (
      select v.tier, v.day, v.previous_day, v.people, v.events, v.seconds, v.score
      from audience_gate.engagement_by_tier v
      where v.site_zone = r.site_zone and v.tier = 'all' and v.day between r.first_day and r.last_day
      union all
      select t.* from audience_gate.engagement_tail(p_site, r.site_zone, p_zone, r.covered_until) t
      where t.tier = 'all' and t.day between r.first_day and r.last_day
    ) c
  ), started as (
    select sum(c.sessions)::bigint as sessions
    from (
      select v.day, v.sessions from audience_gate.session_starts v where v.site_zone = r.site_zone
      union all
      select * from audience_gate.session_tail(p_site, p_zone, r.covered_until)
    ) c
    where c.day between r.first_day and r.last_day
  ), failed as (
    select sum(e.events)::bigint as events
    from (
      select v.day, v.events from audience_gate.errors_daily v where v.site_zone = r.site_zone
      union all
      select (l.at at time zone p_zone)::date, 1
      from audience_gate.error_log l
      where l.site_id = p_site and l.created_at >= r.covered_until
    ) e
    where e.day between r.first_day and r.last_day
  ), newest as (
    select max(c.created_at) as at from audience_gate.receipts c
    where c.site_id = p_site and c.created_at >= r.covered_until and c.rule_id = ''
  )
  select coalesce(e.events, 0), coalesce(e.people, 0), coalesce(e.new_people, 0), coalesce(e.people - e.new_people, 0),
    coalesce(s.sessions, 0), coalesce(e.seconds, 0), coalesce(e.score, 0), coalesce(q.rejected, 0), q.rate, coalesce(f.events, 0),
    coalesce(
      n.at,
      (select v.last_at from audience_gate.data_quality_by_rule v
       where v.site_zone = r.site_zone and v.rule_id = '' order by v.day desc limit 1)),
    nullif(r.covered_until, '-infinity')
  from engagement e
  cross join started s
  cross join failed f
  cross join newest n
  left join audience_gate.kpi_data_quality(p_site, p_from, p_to, 'total', p_zone) q on q.rule_id is null;
end;
$$;
comment on function audience_gate.kpi_overview(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_overview() returns.';
comment on function audience_gate.kpi_overview(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_overview() returns.';
comment on function audience_gate.kpi_overview(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_overview() returns.';

create or replace function public.kpi_overview(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC'
)
returns table (
  events bigint, people bigint, new_people bigint, returning_people bigint, sessions bigint, engaged_seconds
  numeric, score numeric, rejected bigint, rejection_rate numeric, errors bigint, last_event_at timestamptz,
  covered_until timestamptz
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_overview(site, from_time, to_time, time_zone) $$;
comment on function public.kpi_overview(uuid, timestamptz, timestamptz, text)
is $$The site at a glance.
Grain: one row for the range.
Time zone: decides which local days the range touches; rejected and rejection_rate go by time of receipt.
Source: engagement_by_tier, session_starts, errors_daily, data_quality_by_rule
events: count of activity
people: distinct people active in the range
new_people: those of them whose first activity ever lies in the range
returning_people: people - new_people
sessions: sessions whose first event lies in the range
engaged_seconds: sum of duration_seconds, of which each event counts for at most a day
score: sum of the score weights of the event types
rejected: events the gate rejected
rejection_rate: rejected / (accepted + rejected)
errors: accepted events of the types in error_events
last_event_at: receipt of the newest accepted event, even outside the range
covered_until: what was received later comes from the live tail; null: everything does$$;

create or replace function audience_gate.kpi_live(p_site uuid, p_from timestamptz, p_to timestamptz)
returns table (minute timestamptz, events bigint, people bigint, rejected bigint)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
#variable_conflict use_column
begin
  perform audience_gate.kpi_range(p_site, p_from, p_to, 'UTC', 'total', 1);
  if p_to - p_from > interval '1 day' then
    raise exception 'the range is longer than a day' using errcode = '22023', hint = 'kpi_engagement reads longer ranges.';
  end if;
  return query
  select date_trunc('minute', m.created_at), sum(m.events)::bigint, count(distinct m.person), sum(m.rejected)::bigint
  from (
    select a.created_at, a.person, 1 as events, 0 as rejected
    from audience_gate.activity a
    where a.site_id = p_site and a.created_at >= p_from and a.created_at < p_to
    union all
    select c.created_at, null, 0, 1
    from audience_gate.receipts c
    where c.site_id = p_site and c.created_at >= p_from and c.created_at < p_to and c.rule_id <> ''
  ) m
  group by 1
  order by 1;
end;
$$;
comment on function audience_gate.kpi_live(uuid, timestamptz, timestamptz) is
  'Computes what public.kpi_live() returns.';
comment on function audience_gate.kpi_live(uuid, timestamptz, timestamptz) is
  'Computes what public.kpi_live() returns.';
comment on function audience_gate.kpi_live(uuid, timestamptz, timestamptz) is
  'Computes what public.kpi_live() returns.';

create or replace function public.kpi_live(
  site uuid, from_time timestamptz default now() - interval '30 minutes', to_time timestamptz default now()
)
returns table (minute timestamptz, events bigint, people bigint, rejected bigint)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_live(site, from_time, to_time) $$;
comment on function public.kpi_live(uuid, timestamptz, timestamptz)
is $$The last minutes, straight from the events.
Grain: one row for each minute with an event; at most a day.
Time zone: none; by time of receipt.
Source: the events
minute: when the minute began
events: count of activity received
people: distinct people
rejected: events the gate rejected$$;
