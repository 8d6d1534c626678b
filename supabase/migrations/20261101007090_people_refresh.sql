-- The jobs: the fold, every minute, and the refresh of the materialised views, which begins with one; and how old those are.

create or replace function audience_gate.fold_analytics()
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  run_started constant timestamptz := clock_timestamp();
  taken bigint;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('audience_gate.refresh_analytics', 0)) then
    return jsonb_build_object('outcome', 'running', 'events', 0);
  end if;
  begin
    taken := audience_gate.fold_figures();
    insert into audience_gate.analytics_runs (started_at, view_name, outcome, duration_ms, row_count)
    values (run_started, 'figures', 'ok', extract(epoch from clock_timestamp() - run_started) * 1000, taken);
  exception when others then
    insert into audience_gate.analytics_runs (started_at, view_name, outcome, duration_ms, error)
    values (run_started, 'figures', 'failed', extract(epoch from clock_timestamp() - run_started) * 1000, sqlstate);
    return jsonb_build_object('outcome', 'failed', 'sqlstate', sqlstate);
  end;
  return jsonb_build_object('outcome', 'ok', 'events', taken,
    'duration_ms', round(extract(epoch from clock_timestamp() - run_started) * 1000));
end;
$$;
comment on function audience_gate.fold_analytics() is
  'Folds what was recorded since the last time into the tables of figures, and logs it. Returns the outcome.';
alter function audience_gate.fold_analytics() owner to audience_gate_owner;
revoke all on function audience_gate.fold_analytics() from public, anon, authenticated, service_role;
grant execute on function audience_gate.fold_analytics() to service_role;

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
    update audience_gate.site_zones z set covered_until = boundary;

    foreach refreshed in array array[
      'figures', 'engagement_by_tier', 'feature_adoption', 'retention_cohorts', 'conversion_funnel',
      'errors_daily', 'performance_daily', 'data_quality_by_rule', 'state_flow', 'state_dwell'
    ] loop
      view_started := clock_timestamp();
      if refreshed = 'figures' then
        rows_now := audience_gate.fold_figures();
      else
        execute format('refresh materialized view concurrently audience_gate.%I', refreshed);
        execute format('analyze audience_gate.%I', refreshed);
        execute format('select count(*) from audience_gate.%I', refreshed) into rows_now;
        total := total + rows_now;
      end if;
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
  'Folds what is new into the figures, then refreshes all materialised views concurrently and in one transaction, and logs '
  'each. A failure leaves all of them as they were, and is logged too. Returns the outcome.';

-- What was received since the views were refreshed is counted by slots, but for the one in which they were, so that it costs
-- little however long ago that is.
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
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  since timestamptz;
  next_slot timestamptz;
  waiting bigint;
begin
  perform audience_gate.kpi_range(p_site, now() - interval '1 day', now(), 'UTC', 'total', 1);
  since := coalesce((
    select z.covered_until from audience_gate.site_zones z where z.site_id = p_site and z.time_zone = 'UTC'), '-infinity');
  next_slot := date_bin('15 minutes', since, timestamptz '2000-01-01Z') + interval '15 minutes';
  waiting := (
    select count(*) from audience_gate.receipts c where c.site_id = p_site and c.created_at >= since and c.created_at < next_slot
  ) + (
    select coalesce(sum(s.events), 0) from (
      select v.slot, v.rule_id, v.events from audience_gate.receipt_slots v where v.site_id = p_site and v.slot >= next_slot
      union all
      select t.slot, t.rule_id, t.events from audience_gate.receipt_tail(p_site) t where t.slot >= next_slot
    ) s
    where s.rule_id <> 'unjudged'
  );
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

insert into audience_gate.site_zones (site_id, time_zone) select s.id, 'UTC' from public.audience_sites s on conflict do nothing;
insert into audience_gate.jobs (name, description, schedule, action)
values ('fold_analytics', 'Folds new events into the figures, at the cost of what is new.', '* * * * *', 'fold_analytics')
on conflict do nothing;
