-- The refresh, with the views about sessions that those about people are made from.

create or replace function audience_gate.refresh_analytics()
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
set work_mem = '64MB'
set max_parallel_workers_per_gather = 0
set jit = off
-- Postgres itself fails to refresh concurrently with it on.
set quote_all_identifiers = off
as $$
declare
  run_started constant timestamptz := clock_timestamp();
  view_started timestamptz;
  boundary timestamptz;
  refreshed text;
  rows_now bigint;
  total bigint := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('audience_gate.refresh_analytics', 0)) then
    return jsonb_build_object('outcome', 'running', 'views', 0);
  end if;
  begin
    insert into audience_gate.site_zones (site_id, time_zone)
    select s.id, 'UTC' from public.audience_sites s
    on conflict do nothing;
    update audience_gate.analytics_settings set covered_until = now() - settle
    returning covered_until into boundary;
    update audience_gate.site_zones z
    set covered_until = boundary, terms = audience_gate.figure_terms(z.site_id), funnel_terms = audience_gate.funnel_terms(z.site_id);

    -- In the order in which they are made from each other.
    foreach refreshed in array array[
      'session_users', 'session_slots', 'engagement_slots', 'feature_slots', 'engagement_by_tier', 'feature_adoption',
      'retention_cohorts', 'session_starts', 'conversion_funnel', 'visits',
      'errors_daily', 'performance_daily', 'data_quality_by_rule', 'state_flow', 'state_dwell'
    ] loop
      view_started := clock_timestamp();
      execute format('refresh materialized view concurrently audience_gate.%I', refreshed);
      execute format('analyze audience_gate.%I', refreshed);
      execute format('select count(*) from audience_gate.%I', refreshed) into rows_now;
      total := total + rows_now;
      insert into audience_gate.analytics_runs (started_at, view_name, outcome, duration_ms, row_count, covered_until)
      values (view_started, refreshed, 'ok', extract(epoch from clock_timestamp() - view_started) * 1000, rows_now, boundary);
    end loop;
  exception when others then
    insert into audience_gate.analytics_runs (started_at, view_name, outcome, duration_ms, error)
    values (run_started, coalesce(refreshed, 'all'), 'failed', extract(epoch from clock_timestamp() - run_started) * 1000, sqlstate);
    return jsonb_build_object('outcome', 'failed', 'view', refreshed, 'sqlstate', sqlstate);
  end;
  return jsonb_build_object('outcome', 'ok', 'rows', total, 'covered_until', boundary,
    'duration_ms', round(extract(epoch from clock_timestamp() - run_started) * 1000));
end;
$$;
