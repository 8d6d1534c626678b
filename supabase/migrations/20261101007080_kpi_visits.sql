-- Visits as figures: how many, how long, where they began and ended, and what they came by.

create or replace function audience_gate.kpi_visits(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text, p_by text
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
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
begin
  if p_by is null or p_by not in ('', 'entry', 'exit', 'referrer', 'device') then
    raise exception 'pages are told apart by entry or exit' using errcode = '22023', hint = 'Send entry or exit.';
  end if;
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, p_grain, 160);
  return query
  select g.period, nullif(g.label, ''), g.visits, g.people, g.bounces, round(g.bounces::numeric / g.visits, 4),
    round(g.seconds / g.visits, 1), round(g.events::numeric / g.visits, 2)
  from (
    select p.period, p.label, sum(p.visits)::bigint as visits,
      (sum(p.visits) filter (where p.previous_day < greatest(p.period, r.first_day)))::bigint as people,
      sum(p.bounces)::bigint as bounces, sum(p.seconds) as seconds, sum(p.events)::bigint as events
    from (
      select c.*, case p_grain when 'total' then r.first_day else date_trunc(p_grain, c.day::timestamp)::date end as period
      from audience_gate.visit_day_cells(p_site, r.site_zone, p_zone, r.views_hold, p_by, r.first_day, r.last_day,
        audience_gate.live_tail(p_site)) c
      where c.goal = ''
    ) p
    group by 1, 2
    having sum(p.visits) > 0
  ) g
  order by 1, 3 desc, nullif(g.label, '');
end;
$$;
comment on function audience_gate.kpi_visits(uuid, timestamptz, timestamptz, text, text, text) is
  'Computes what public.kpi_visits(), kpi_pages(), kpi_referrers() and kpi_devices() return.';
alter function audience_gate.kpi_visits(uuid, timestamptz, timestamptz, text, text, text) owner to audience_gate_owner;
revoke all on function audience_gate.kpi_visits(uuid, timestamptz, timestamptz, text, text, text) from public, anon;
grant execute on function audience_gate.kpi_visits(uuid, timestamptz, timestamptz, text, text, text) to authenticated, service_role;
