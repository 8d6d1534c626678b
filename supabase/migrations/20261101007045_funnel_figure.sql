-- The figure of funnels, read from its cells.

create or replace function audience_gate.funnel_tail(
  p_site uuid, p_view_holds boolean, p_from timestamptz, p_until timestamptz, p_tail audience_gate.tail_event[]
)
returns table (
  funnel_id text, slot timestamptz, previous_slot timestamptz, "position" smallint, people bigint, seconds numeric
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select c.funnel_id, c.slot, c.previous_slot, c.position, case when c.now then c.people else -c.people end,
    case when c.now then c.seconds else -c.seconds end
  from audience_gate.funnel_cells(
    p_site, case when p_view_holds then '{t,f}' else '{t}' end::boolean[], p_view_holds, p_from, p_until,
    p_tail => p_tail) c;
end;
$$;
comment on function audience_gate.funnel_tail(uuid, boolean, timestamptz, timestamptz, audience_gate.tail_event[]) is
  'What the live tail adds to funnel_slots and takes from it; where they do not hold, all entries of a range.';
alter function audience_gate.funnel_tail(uuid, boolean, timestamptz, timestamptz, audience_gate.tail_event[]) owner to audience_gate_owner;
revoke all on function audience_gate.funnel_tail(uuid, boolean, timestamptz, timestamptz, audience_gate.tail_event[])
  from public, anon, authenticated, service_role;

create or replace function audience_gate.kpi_funnel(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_funnel text, p_zone text
)
returns table (
  "position" smallint, step text, event_type text, people bigint, rate_from_start numeric, rate_from_previous
  numeric, dropped bigint, average_seconds numeric
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
  holds boolean;
  starts timestamptz;
  ends timestamptz;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  holds := r.views_hold and exists (
    select from audience_gate.site_zones z where z.site_id = p_site and z.funnel_terms = audience_gate.funnel_terms(p_site));
  starts := (r.first_day - 1)::timestamp at time zone p_zone;
  ends := (r.last_day + 2)::timestamp at time zone p_zone;
  if not exists (select from audience_gate.funnel_steps f where f.site_id = p_site and f.funnel_id = p_funnel) then
    raise exception 'the site has no funnel of this name' using errcode = '22023', hint = 'kpi_funnels lists them.';
  end if;
  return query
  with cells as (
    select v.day, v.previous_day, v.position, v.people, v.seconds
    from audience_gate.funnel_days v
    where holds and v.site_zone = r.site_zone and v.funnel_id = p_funnel and v.day between r.first_day and r.last_day
    union all
    select d.* from (
      select (t.slot at time zone p_zone)::date as day, (t.previous_slot at time zone p_zone)::date, t.position, t.people, t.seconds
      from (
        select v.slot, v.previous_slot, v.position, v.people, v.seconds
        from audience_gate.funnel_slots v
        where holds and r.site_zone is null and v.site_id = p_site and v.funnel_id = p_funnel and v.slot >= starts and v.slot < ends
        union all
        select f.slot, f.previous_slot, f.position, f.people, f.seconds
        from audience_gate.funnel_tail(p_site, holds, starts, ends, audience_gate.live_tail(p_site)) f
        where f.funnel_id = p_funnel
      ) t
    ) d
    where d.day between r.first_day and r.last_day
  ), reached as (
    select f.position, f.name, f.event_type, coalesce(sum(c.people), 0)::bigint as people, sum(c.seconds) as seconds
    from audience_gate.funnel_steps f
    left join cells c on c.position = f.position and c.previous_day < r.first_day
    where f.site_id = p_site and f.funnel_id = p_funnel
    group by 1, 2, 3
  )
  select s.position, s.name, s.event_type, s.people,
    round(s.people::numeric / nullif(first_value(s.people) over steps, 0), 4),
    round(s.people::numeric / nullif(lag(s.people) over steps, 0), 4),
    coalesce(lag(s.people) over steps - s.people, 0),
    round(s.seconds / nullif(s.people, 0), 1)
  from reached s
  window steps as (order by s.position)
  order by s.position;
end;
$$;
