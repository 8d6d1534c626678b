-- The figures of visits, narrowed: how many, where they began and ended, what they came by, and who made them.

create or replace function audience_gate.narrowed_visit_figures(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text, p_by text, p_narrowed jsonb
)
returns table (
  period date, label text, visits bigint, people bigint, bounces bigint, bounce_rate numeric, average_seconds numeric,
  events_per_visit numeric
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set work_mem = '64MB'
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
begin
  if p_by is null or p_by not in ('', 'entry', 'exit', 'referrer', 'device') then
    raise exception 'pages are told apart by entry or exit' using errcode = '22023', hint = 'Send entry or exit.';
  end if;
  r := audience_gate.narrowed_range(p_site, p_from, p_to, p_zone, p_grain, 160, p_narrowed);
  return query
  with begun as materialized (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, d.day::timestamp)::date end as period,
      case p_by when 'entry' then v.entry_page when 'exit' then v.exit_page when 'referrer' then v.referrer
        when 'device' then v.device end as label,
      v.person, v.ended - v.started as stayed, v.events
    from audience_gate.narrowed_visits(
      p_site, r.views_hold, audience_gate.live_tail(p_site), r.begins, '-infinity', r.ends, '{}', p_narrowed) v
    cross join lateral (select (v.started at time zone p_zone)::date as day) d
    where d.day between r.first_day and r.last_day
  ), people as (
    select p.period, p.label, count(*) as people from (select b.period, b.label, b.person from begun b group by 1, 2, 3) p group by 1, 2
  ), summed as (
    select b.period, b.label, count(*) as visits, count(*) filter (where b.events = 1) as bounces, sum(b.stayed) as stayed,
      sum(b.events) as events
    from begun b
    group by 1, 2
  )
  select s.period, s.label, s.visits, p.people, s.bounces, round(s.bounces::numeric / s.visits, 4),
    round(extract(epoch from s.stayed) / s.visits, 1), round(s.events / s.visits, 2)
  from summed s
  join people p on p.period = s.period and p.label is not distinct from s.label
  order by 1, 3 desc, 2;
end;
$$;
comment on function audience_gate.narrowed_visit_figures(uuid, timestamptz, timestamptz, text, text, text, jsonb) is
  'audience_gate.kpi_visits(), narrowed.';

create or replace function audience_gate.narrowed_visit_hours(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text, p_narrowed jsonb
)
returns table (
  hour timestamptz, visits bigint, people bigint, bounces bigint, bounce_rate numeric, average_seconds numeric,
  events_per_visit numeric
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set work_mem = '64MB'
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
begin
  r := audience_gate.narrowed_range(p_site, p_from, p_to, p_zone, 'day', 31, p_narrowed);
  return query
  select h.hour, count(*), count(distinct h.person), count(*) filter (where h.events = 1),
    round(count(*) filter (where h.events = 1)::numeric / count(*), 4), round(avg(extract(epoch from h.ended - h.started)), 1),
    round(avg(h.events), 2)
  from (
    select v.person, v.started, v.ended, v.events, audience_gate.local_hour(v.started, p_zone) as hour
    from audience_gate.narrowed_visits(
      p_site, r.views_hold, audience_gate.live_tail(p_site), r.begins, '-infinity', r.ends, '{}', p_narrowed) v
    where (v.started at time zone p_zone)::date between r.first_day and r.last_day
  ) h
  group by 1
  order by 1;
end;
$$;
comment on function audience_gate.narrowed_visit_hours(uuid, timestamptz, timestamptz, text, jsonb) is
  'audience_gate.visit_hours(), narrowed.';

create or replace function audience_gate.narrowed_campaigns(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_by text, p_funnel text, p_zone text, p_narrowed jsonb
)
returns table (
  source text, medium text, campaign text, content text, term text, visits bigint, people bigint, conversions bigint,
  conversion_rate numeric
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set work_mem = '64MB'
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
  c record;
begin
  r := audience_gate.narrowed_range(p_site, p_from, p_to, p_zone, 'total', 1, p_narrowed);
  c := audience_gate.campaign_terms(p_site, p_by, p_funnel, r.views_hold);
  return query
  select p.touch ->> 0, p.touch ->> 1, p.touch ->> 2, p.touch ->> 3, p.touch ->> 4, p.visits, p.people, p.conversions,
    round(p.conversions::numeric / p.visits, 4)
  from (
    select g.credit::jsonb as touch, sum(g.visits)::bigint as visits, count(*) as people, sum(g.conversions)::bigint as conversions
    from (
      select case p_by when 'first' then v.first_credit else v.last_credit end as credit, v.person, count(*) as visits,
        count(*) filter (where c.goal = any (v.goals)) as conversions
      from audience_gate.narrowed_visits(
        p_site, c.holds, audience_gate.live_tail(p_site), r.begins, '-infinity', r.ends, '{}', p_narrowed) v
      where (v.started at time zone p_zone)::date between r.first_day and r.last_day
      group by 1, 2
    ) g
    group by g.credit
  ) p
  order by 6 desc, p.touch::text;
end;
$$;
comment on function audience_gate.narrowed_campaigns(uuid, timestamptz, timestamptz, text, text, text, jsonb) is
  'audience_gate.kpi_campaigns(), narrowed.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'narrowed_visit_figures(uuid, timestamptz, timestamptz, text, text, text, jsonb)',
    'narrowed_visit_hours(uuid, timestamptz, timestamptz, text, jsonb)',
    'narrowed_campaigns(uuid, timestamptz, timestamptz, text, text, text, jsonb)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
    execute format('grant execute on function audience_gate.%s to authenticated, service_role', signature);
  end loop;
end $$;
