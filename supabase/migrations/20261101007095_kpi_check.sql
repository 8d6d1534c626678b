-- The check of the fold: everything that the tables of figures hold, computed again from all events.

create or replace function audience_gate.kpi_check()
returns table (figure text, kept boolean, cell jsonb)
language plpgsql
stable
security definer
set search_path = ''
set work_mem = '64MB'
set max_parallel_workers_per_gather = 0
set jit = off
as $$
declare
  -- An edit has the next fold make the figures of a site anew, and until then nobody reads them.
  sites constant uuid[] := array(
    select z.site_id from audience_gate.site_zones z group by 1
    having bool_and(z.terms = audience_gate.figure_terms(z.site_id) and z.funnel_terms = audience_gate.funnel_terms(z.site_id)));
  zones constant integer[] := array(select z.id from audience_gate.site_zones z where z.site_id = any (sites));
  item record;
begin
  for item in
    select * from audience_gate.figure_tables() t order by t.nth
  loop
    for figure, kept, cell in execute format($query$
      with stored as materialized (
        select %5$s from audience_gate.%1$I
        where %2$I = any (%3$s)
      ), whole as materialized (
        select * from (%4$s) w (%5$s) where %2$I = any (%3$s)
      )
      select %1$L, d.kept, to_jsonb(d) - 'kept' from (
        select true as kept, m.* from (select * from stored except all select * from whole) m
        union all
        select false, m.* from (select * from whole except all select * from stored) m
      ) d
    $query$, item.name, item.place, case item.place when 'site_id' then '$1' else '$2' end, item.whole,
      audience_gate.figure_columns(item.name))
    using sites, zones
    loop
      return next;
    end loop;
  end loop;
end;
$$;
comment on function audience_gate.kpi_check() is
  'Every cell of the tables of figures that is not what all events make it: kept, what the tables hold; not kept, what they '
  'should hold. No row: all of them are right. Reads the whole log.';
alter function audience_gate.kpi_check() owner to audience_gate_owner;
revoke all on function audience_gate.kpi_check() from public, anon, authenticated;
grant execute on function audience_gate.kpi_check() to service_role;
