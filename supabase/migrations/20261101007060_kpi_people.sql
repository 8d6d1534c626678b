-- How far the people in the figures are known: what the rule of a site joined, and what it could not.

create or replace function audience_gate.kpi_people(p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text)
returns table (
  people bigint, signed_in_people bigint, visitors bigint, sessions bigint, signed_in_sessions bigint,
  stitched_sessions bigint, unstitched_sessions bigint, shared_sessions bigint, stitched_events bigint
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
  fresh audience_gate.tail_event[];
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  fresh := audience_gate.live_tail(p_site);
  return query
  with tail as materialized (
    select * from audience_gate.activity_days_tail(p_site, r.views_hold, fresh, '{}', p_zone, r.first_day, r.last_day)
  ), active as (
    select coalesce(sum(c.people), 0)::bigint as people
    from (
      select v.previous_day, v.people
      from audience_gate.engagement_cells(
        p_site, r.site_zone, p_zone, r.views_hold, 'total', array['all'], r.first_day, r.last_day) v
      union all
      select t.previous_day, t.people from tail t
    ) c
    where c.previous_day < r.first_day
  ), known as (
    select coalesce(sum(c.units) filter (where c.kind = 'user'), 0)::bigint as users,
      coalesce(sum(c.units) filter (where c.kind = 'session'), 0)::bigint as own,
      coalesce(sum(c.units) filter (where c.kind = 'stitched'), 0)::bigint as stitched,
      coalesce(sum(c.units) filter (where c.kind = 'unstitched'), 0)::bigint as unstitched,
      coalesce(sum(c.units) filter (where c.kind = 'shared'), 0)::bigint as shared, sum(c.events) as events
    from (
      select v.kind, case when v.previous_day < r.first_day then v.units end as units,
        case when v.kind = 'stitched' then v.events end as events
      from (
        select v.kind, v.previous_day, v.units, v.events
        from audience_gate.known_cells(p_site, r.site_zone, p_zone, r.views_hold, r.first_day, r.last_day) v
        union all
        select 'user', t.previous_day, t.people, t.events from tail t where t.signed_in
        union all
        select k.kind, (k.previous_slot at time zone p_zone)::date, k.units, k.events
        from audience_gate.known_sessions_tail(p_site, r.views_hold, fresh) k
        where (k.slot at time zone p_zone)::date between r.first_day and r.last_day
      ) v
    ) c
  )
  select a.people, k.users, a.people - k.users, k.own + k.shared, k.own - k.stitched - k.unstitched, k.stitched, k.unstitched, k.shared,
    coalesce(k.events, 0)::bigint
  from active a
  cross join known k;
end;
$$;
comment on function audience_gate.kpi_people(uuid, timestamptz, timestamptz, text) is
  'Computes what public.kpi_people() returns.';
alter function audience_gate.kpi_people(uuid, timestamptz, timestamptz, text) owner to audience_gate_owner;
revoke all on function audience_gate.kpi_people(uuid, timestamptz, timestamptz, text) from public, anon;
grant execute on function audience_gate.kpi_people(uuid, timestamptz, timestamptz, text) to authenticated, service_role;
