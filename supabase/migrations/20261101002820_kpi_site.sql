-- The cores of the reading functions about a site as a whole: the overview, the last minutes, the
-- funnels it has, and how fresh its views are.

create or replace function audience_gate.kpi_overview(p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text)
returns table (
  events bigint, people bigint, new_people bigint, returning_people bigint, sessions bigint, engaged_seconds numeric, score numeric,
  rejected bigint, rejection_rate numeric, errors bigint, last_event_at timestamptz, covered_until timestamptz
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

create or replace function audience_gate.kpi_funnels(p_site uuid)
returns table (funnel text, name text, window_seconds bigint, "position" smallint, step text, event_type text)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
#variable_conflict use_column
begin
  perform audience_gate.kpi_range(p_site, now() - interval '1 day', now(), 'UTC', 'total', 1);
  return query
  select f.funnel_id, f.funnel_name, extract(epoch from f.conversion_window)::bigint, f.position, f.name, f.event_type
  from audience_gate.funnel_steps f
  where f.site_id = p_site
  order by f.funnel_id, f.position;
end;
$$;

create or replace function audience_gate.kpi_freshness(p_site uuid)
returns table (
  view_name text, refreshed_at timestamptz, covered_until timestamptz, age_seconds numeric, duration_ms numeric, row_count bigint,
  outcome text, tail_events bigint, schedule text
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
  waiting bigint;
begin
  r := audience_gate.kpi_range(p_site, now() - interval '1 day', now(), 'UTC', 'total', 1);
  waiting := (select count(*) from audience_gate.receipts c where c.site_id = p_site and c.created_at >= r.covered_until);
  return query
  select v.relname::text, good.started_at, good.covered_until, round(extract(epoch from now() - good.covered_until), 1),
    round(good.duration_ms, 1), good.row_count,
    coalesce((
      select l.outcome from audience_gate.analytics_runs l
      where l.view_name in (v.relname::text, 'all') order by l.id desc limit 1), 'never'),
    waiting,
    (select string_agg(j.schedule, ', ' order by j.name) from audience_gate.jobs j where j.action = 'refresh_analytics' and j.active)
  from pg_catalog.pg_class v
  left join lateral (
    select l.* from audience_gate.analytics_runs l
    where l.view_name = v.relname::text and l.outcome = 'ok' order by l.id desc limit 1
  ) good on true
  where v.relnamespace = 'audience_gate'::regnamespace and v.relkind = 'm'
  order by 1;
end;
$$;
