-- Visits by the hour. They are counted from the visits themselves, because it is asked for a few days, which have few.

create or replace function audience_gate.hour_since_change(p_at timestamptz, p_zone text)
returns timestamptz
language sql
stable
set search_path = ''
as $$
  select min(q.at)
  from generate_series(date_trunc('hour', p_at, p_zone), p_at, interval '15 minutes') q (at)
  where (q.at at time zone p_zone) - (q.at at time zone 'UTC') = (p_at at time zone p_zone) - (p_at at time zone 'UTC')
$$;
comment on function audience_gate.hour_since_change(timestamptz, text) is
  'When the clock was changed within the local hour of a time: what it shows since then is an hour of its own.';

-- In the caller's query the planner puts what this function says, so that it costs no call for each visit.
create or replace function audience_gate.local_hour(p_at timestamptz, p_zone text)
returns timestamptz
language sql
stable
return case
  when date_trunc('hour', p_at, p_zone) at time zone p_zone = date_trunc('hour', p_at at time zone p_zone)
  then date_trunc('hour', p_at, p_zone)
  -- Within this hour the clock was changed by a part of one.
  else audience_gate.hour_since_change(p_at, p_zone)
end;
comment on function audience_gate.local_hour(timestamptz, text) is 'The moment at which the local hour of a time began.';

do $$
declare
  signature text;
begin
  foreach signature in array array['hour_since_change(timestamptz, text)', 'local_hour(timestamptz, text)'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;

create or replace function audience_gate.visit_hours(p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text)
returns table (
  hour timestamptz, visits bigint, people bigint, bounces bigint, bounce_rate numeric, average_seconds numeric,
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
  range_begins timestamptz;
  range_ends timestamptz;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'day', 31);
  range_begins := r.first_day::timestamp at time zone p_zone;
  range_ends := (r.last_day + 1)::timestamp at time zone p_zone;
  return query
  with tail as materialized (
    select t.revision, t.session, t.started, t.ended, t.events, t.previous_visit
    from audience_gate.visit_tail(p_site, r.views_hold, audience_gate.live_tail(p_site)) t
  ), begun as (
    select v.started, v.ended, v.events, v.previous_visit
    from audience_gate.visits v
    where r.views_hold and v.site_id = p_site and v.started >= range_begins and v.started < range_ends
      and v.session not in (select t.session from tail t where t.revision = -1)
    union all
    select t.started, t.ended, t.events, t.previous_visit
    from tail t
    where t.revision = 1 and t.started >= range_begins and t.started < range_ends
  )
  select h.hour, count(*)::bigint, count(*) filter (where h.previous_visit < h.hour), count(*) filter (where h.events = 1),
    round(count(*) filter (where h.events = 1)::numeric / count(*), 4), round(avg(extract(epoch from h.ended - h.started)), 1),
    round(avg(h.events), 2)
  from (
    select b.started, b.ended, b.events, b.previous_visit, audience_gate.local_hour(b.started, p_zone) as hour from begun b
  ) h
  group by 1
  order by 1;
end;
$$;
comment on function audience_gate.visit_hours(uuid, timestamptz, timestamptz, text) is 'Computes what public.kpi_visit_hours() returns.';
alter function audience_gate.visit_hours(uuid, timestamptz, timestamptz, text) owner to audience_gate_owner;
revoke all on function audience_gate.visit_hours(uuid, timestamptz, timestamptz, text) from public, anon;
grant execute on function audience_gate.visit_hours(uuid, timestamptz, timestamptz, text) to authenticated, service_role;
