-- The days of a zone that a site does not count. Almost all of what they hold lies in whole days of UTC, which every site
-- counts; only near the ends of a period has anybody to look at slots.

create or replace function audience_gate.local_days(
  p_time_zone text, p_first_day date, p_last_day date, out starts timestamptz[], out days date[]
)
language sql
stable
set search_path = ''
as $$
  select array_agg(c.slot order by c.slot), array_agg(c.day order by c.slot)
  from (
    select m.slot, (m.slot at time zone p_time_zone)::date as day,
      lag((m.slot at time zone p_time_zone)::date, 1, '-infinity') over (order by m.slot) as day_before
    from (
      -- A clock that is changed near midnight may show it twice.
      select distinct date_bin('15 minutes', (d.day::date)::timestamp at time zone p_time_zone, timestamptz '2000-01-01Z')
        + n.nth * interval '15 minutes' as slot
      from generate_series(p_first_day::timestamp, p_last_day::timestamp, '1 day') d (day)
      cross join generate_series(-8, 8) n (nth)
    ) m
  ) c
  where c.day <> c.day_before and c.day >= p_first_day
$$;
comment on function audience_gate.local_days(text, date, date) is
  'The slots with which the local days of a range begin in a zone, in order, and which days they are. The day of a slot is that '
  'at width_bucket(slot, starts).';

create or replace function audience_gate.period_edges(p_time_zone text, p_grain text, p_first_day date, p_last_day date)
returns table (edge_from date, edge_until date, inner_until date)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  with starts as (
    select d.day::date as day from generate_series(p_first_day::timestamp, p_last_day::timestamp, '1 day') d (day)
    where p_grain <> 'total' and d.day = date_trunc(p_grain, d.day)
    union
    select unnest(array[p_first_day, p_last_day + 1])
  ), edges as (
    select s.day, ((s.day::timestamp at time zone p_time_zone - interval '2 hours') at time zone 'UTC')::date as edge_from,
      ((s.day::timestamp at time zone p_time_zone + interval '2 hours') at time zone 'UTC')::date as edge_until
    from starts s
  )
  select e.edge_from, e.edge_until, coalesce(lead(e.edge_from) over (order by e.day) - 1, e.edge_until) from edges e;
end;
$$;
comment on function audience_gate.period_edges(text, text, date, date) is
  'The periods of a range of local days, in the days of UTC: from the first to the last of those in which a period may begin, and '
  'then, up to the last of those that lie in it as a whole. The last row is where the range ends.';

do $$
declare
  signature text;
begin
  foreach signature in array array['local_days(text, date, date)', 'period_edges(text, text, date, date)'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
