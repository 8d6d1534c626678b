-- Refreshing: all views in one transaction, so that they all stop at the same moment, and readers, who see one
-- snapshot, never find a view and its live tail apart. Readers are not blocked.

-- In one process, so that ingest keeps the other cores; with enough memory to sort in; and without JIT, which
-- takes longer to compile than these queries take to run.
create or replace function audience_gate.refresh_analytics()
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
set work_mem = '64MB'
set max_parallel_workers_per_gather = 0
set jit = off
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
    update audience_gate.site_zones set covered_until = boundary;

    -- person_days first, because others are made from it.
    foreach refreshed in array array[
      'person_days', 'engagement_by_tier', 'feature_adoption', 'session_starts', 'retention_cohorts', 'conversion_funnel',
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
comment on function audience_gate.refresh_analytics() is
  'Refreshes all views of the figures concurrently and in one transaction, and logs each. A failure leaves all of '
  'them as they were, and is logged too. Returns the outcome.';

create or replace function audience_gate.kpi_freshness(p_site uuid)
returns table (
  view_name text, refreshed_at timestamptz, covered_until timestamptz, age_seconds numeric, duration_ms numeric,
  row_count bigint, outcome text, tail_events bigint, schedule text
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
#variable_conflict use_column
declare
  r record;
  waiting bigint;
begin
  r := audience_gate.kpi_range(p_site, now() - interval '1 day', now(), 'UTC', 'total', 1);
  waiting := (select count(*) from audience_gate.receipts c where c.site_id = p_site and c.created_at >= r.covered_until);
  return query
  select v.relname::text, good.started_at, good.covered_until, round(extract(epoch from now() - good.covered_until), 1),
    round(good.duration_ms, 1), good.row_count,
    coalesce((
      select l.outcome from audience_gate.analytics_runs l
      where l.view_name in (v.relname::text, 'all') order by l.id desc limit 1), 'never'),
    waiting,
    (select string_agg(j.schedule, ', ' order by j.name) from audience_gate.jobs j where j.action = 'refresh_analytics' and j.active)
  from pg_catalog.pg_class v
  left join lateral (
    select l.* from audience_gate.analytics_runs l
    where l.view_name = v.relname::text and l.outcome = 'ok' order by l.id desc limit 1
  ) good on true
  where v.relnamespace = 'audience_gate'::regnamespace and v.relkind = 'm'
  order by 1;
end;
$$;
comment on function audience_gate.kpi_freshness(uuid) is 'Computes what public.kpi_freshness() returns.';

create or replace function public.kpi_freshness(site uuid)
returns table (
  view_name text, refreshed_at timestamptz, covered_until timestamptz, age_seconds numeric, duration_ms numeric,
  row_count bigint, outcome text, tail_events bigint, schedule text
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_freshness(site) $$;
comment on function public.kpi_freshness(uuid)
is $$How old the views are. Whatever it says, the other functions are current: the live tail holds the rest.
Grain: one row for each materialised view.
Time zone: none.
Source: analytics_runs
view_name: the view
refreshed_at: when its last successful refresh began
covered_until: the view holds what was received before this
age_seconds: now - covered_until
duration_ms: how long that refresh took
row_count: rows in the view, of all sites
outcome: how the last attempt ended: ok, failed or never
tail_events: events of the site that were received since
schedule: when the refresh runs, five fields in UTC$$;
