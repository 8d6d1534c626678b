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
    select * from (values
      ('session_users', 'site_id', 'select * from audience_gate.whole_session_users'),
      ('session_slots', 'site_id', 'select * from audience_gate.whole_session_slots'),
      ('session_starts', 'site_id', 'select * from audience_gate.whole_session_starts'),
      ('engagement_slots', 'site_id', 'select w.* from unnest($1) s (id), audience_gate.whole_engagement_slots(s.id) w'),
      ('feature_slots', 'site_id', 'select w.* from unnest($1) s (id), audience_gate.whole_feature_slots(s.id) w'),
      ('visits', 'site_id', 'select s.id, w.* from unnest($1) s (id), audience_gate.visit_cells(s.id, false, false) w'),
      ('engagement_days', 'site_zone', 'select site_zone, tier, day, previous_day, people, events, seconds, score
        from audience_gate.whole_engagement_days'),
      ('feature_days', 'site_zone', 'select site_zone, event_type, day, previous_day, people, events
        from audience_gate.whole_feature_days'),
      ('cohort_periods', 'site_zone', 'select site_zone, grain, cohort, later, people from audience_gate.whole_cohort_periods'),
      ('funnel_days', 'site_zone', 'select z.id, w.* from audience_gate.site_zones z, audience_gate.funnel_cells(
        z.site_id, z.time_zone, false, false, ''-infinity'', ''infinity'') w')
    ) f (name, place, whole)
  loop
    for figure, kept, cell in execute format($query$
      with stored as materialized (
        select * from audience_gate.%1$I
        where %2$I = any (%3$s) %5$s
      ), whole as materialized (
        select * from (%4$s) w (%6$s) where %2$I = any (%3$s)
      )
      select %1$L, d.kept, to_jsonb(d) - 'kept' from (
        select true as kept, m.* from (select * from stored except all select * from whole) m
        union all
        select false, m.* from (select * from whole except all select * from stored) m
      ) d
    $query$, item.name, item.place, case item.place when 'site_id' then '$1' else '$2' end, item.whole,
      case when item.name = 'session_starts' then 'and sessions <> 0' else '' end,
      (select string_agg(format('%I', a.attname), ', ' order by a.attnum) from pg_catalog.pg_attribute a
       where a.attrelid = ('audience_gate.' || item.name)::regclass and a.attnum > 0 and not a.attisdropped))
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
