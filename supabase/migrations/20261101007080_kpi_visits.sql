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

create or replace function public.kpi_visits(
  site uuid, from_time timestamptz, to_time timestamptz, grain text default 'day', time_zone text default 'UTC'
)
returns table (
  period date, visits bigint, people bigint, bounces bigint, bounce_rate numeric, average_seconds numeric,
  events_per_visit numeric
)
language sql
stable
set search_path = ''
as $$
  select v.period, v.visits, v.people, v.bounces, v.bounce_rate, v.average_seconds, v.events_per_visit
  from audience_gate.kpi_visits(site, from_time, to_time, grain, time_zone, '') v
$$;
comment on function public.kpi_visits(uuid, timestamptz, timestamptz, text, text)
is $$Visits: sessions, by the day on which they began.
Grain: total, day, week (from Monday) or month, at most 160 periods. Empty periods have no row.
Time zone: periods are local.
Source: visit_days
period: first local day of the period
visits: sessions whose first activity lies in the period
people: distinct people who made them: the user known of the session or signed in throughout, and else the session
bounces: visits with one event of activity
bounce_rate: bounces / visits
average_seconds: mean time from the first event of a visit to its last
events_per_visit: activity of the visits / visits$$;

create or replace function public.kpi_pages(
  site uuid, from_time timestamptz, to_time timestamptz, by text default 'entry', time_zone text default 'UTC'
)
returns table (page text, visits bigint, people bigint, bounces bigint, bounce_rate numeric, average_seconds numeric)
language sql
stable
set search_path = ''
as $$
  select v.label, v.visits, v.people, v.bounces, v.bounce_rate, v.average_seconds
  from audience_gate.kpi_visits(site, from_time, to_time, 'total', time_zone, by) v
$$;
comment on function public.kpi_pages(uuid, timestamptz, timestamptz, text, text)
is $$Pages: where visits began or, by exit, where they ended.
Grain: one row for each page; the page null is that of visits that named none.
Time zone: decides which local days the range touches; a visit counts on the day on which it began.
Source: visit_days
page: the first or the last page_path of the visit
visits: visits that began, or ended, there
people: distinct people who made them
bounces: visits with one event of activity
bounce_rate: bounces / visits
average_seconds: mean time from the first event of a visit to its last$$;

create or replace function public.kpi_referrers(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC'
)
returns table (referrer text, visits bigint, people bigint, bounces bigint, bounce_rate numeric, average_seconds numeric)
language sql
stable
set search_path = ''
as $$
  select v.label, v.visits, v.people, v.bounces, v.bounce_rate, v.average_seconds
  from audience_gate.kpi_visits(site, from_time, to_time, 'total', time_zone, 'referrer') v
$$;
comment on function public.kpi_referrers(uuid, timestamptz, timestamptz, text)
is $$Referrers: what kind of place visits came from. The address itself is not kept.
Grain: one row for each kind; null is that of visits that named none.
Time zone: decides which local days the range touches; a visit counts on the day on which it began.
Source: visit_days
referrer: the first referrer_kind of the visit
visits: visits that came from there
people: distinct people who made them
bounces: visits with one event of activity
bounce_rate: bounces / visits
average_seconds: mean time from the first event of a visit to its last$$;

create or replace function public.kpi_devices(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC'
)
returns table (device text, visits bigint, people bigint, bounces bigint, bounce_rate numeric, average_seconds numeric)
language sql
stable
set search_path = ''
as $$
  select v.label, v.visits, v.people, v.bounces, v.bounce_rate, v.average_seconds
  from audience_gate.kpi_visits(site, from_time, to_time, 'total', time_zone, 'device') v
$$;
comment on function public.kpi_devices(uuid, timestamptz, timestamptz, text)
is $$Devices: what kind of device visits were made with.
Grain: one row for each kind; null is that of visits that named none.
Time zone: decides which local days the range touches; a visit counts on the day on which it began.
Source: visit_days
device: the first device_class of the visit
visits: visits that were made with one
people: distinct people who made them
bounces: visits with one event of activity
bounce_rate: bounces / visits
average_seconds: mean time from the first event of a visit to its last$$;

do $$
declare
  signature text;
begin
  alter function audience_gate.kpi_visits(uuid, timestamptz, timestamptz, text, text, text) owner to audience_gate_owner;
  foreach signature in array array[
    'audience_gate.kpi_visits(uuid, timestamptz, timestamptz, text, text, text)',
    'public.kpi_visits(uuid, timestamptz, timestamptz, text, text)', 'public.kpi_pages(uuid, timestamptz, timestamptz, text, text)',
    'public.kpi_referrers(uuid, timestamptz, timestamptz, text)', 'public.kpi_devices(uuid, timestamptz, timestamptz, text)'
  ] loop
    execute format('revoke all on function %s from public, anon', signature);
    execute format('grant execute on function %s to authenticated, service_role', signature);
  end loop;
end $$;
