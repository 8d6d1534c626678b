-- Refreshing: every view in one transaction, so all of them stop at the same moment and readers, who
-- see one snapshot, never find a view and its live tail apart. Readers are not blocked.

create or replace function audience_gate.add_site_zone(site uuid, time_zone text)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  if not exists (select from pg_catalog.pg_timezone_names n where n.name = add_site_zone.time_zone) then
    raise exception 'there is no time zone of this name' using errcode = '22023', hint = 'Use an IANA name such as Europe/Berlin.';
  end if;
  insert into audience_gate.site_zones as z (site_id, time_zone) values (site, add_site_zone.time_zone) on conflict do nothing;
end;
$$;
comment on function audience_gate.add_site_zone(uuid, text) is
  'Has the views count a site''s days in one more time zone, from the next refresh on.';

-- One process, so that ingest keeps the other cores; enough memory that sorts stay in it; and no JIT,
-- which compiles for longer than these queries run.
create or replace function audience_gate.refresh_analytics()
returns jsonb
language plpgsql
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

    -- person_days first: others are made of it.
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
  delete from audience_gate.analytics_runs r where r.started_at < now() - interval '30 days';
  return jsonb_build_object('outcome', 'ok', 'rows', total, 'covered_until', boundary,
    'duration_ms', round(extract(epoch from clock_timestamp() - run_started) * 1000));
end;
$$;
comment on function audience_gate.refresh_analytics() is
  'Refreshes every analytics view concurrently and in one transaction, and logs each. A failure leaves all of them as they were and is logged too. Returns the outcome.';

-- Everything the analytics keep belongs to the gate's owner role: it is the one that refreshes and
-- reads, row level security of the tables included.
do $$
declare
  owned record;
begin
  for owned in
    select c.relname, case c.relkind when 'm' then 'materialized view' when 'v' then 'view' else 'table' end as kind
    from pg_catalog.pg_class c
    where c.relnamespace = 'audience_gate'::regnamespace and (
      c.relkind = 'm'
      or c.relname in ('site_zones', 'analytics_settings', 'analytics_runs', 'error_events', 'performance_measures',
        'default_funnel_steps', 'funnel_steps', 'activity', 'person_day_types', 'error_log', 'measurements', 'receipts', 'state_moves', 'state_stays')
    )
  loop
    execute format('alter %s audience_gate.%I owner to audience_gate_owner', owned.kind, owned.relname);
    execute format('revoke all on audience_gate.%I from public, anon, authenticated, service_role', owned.relname);
  end loop;
  for owned in
    select p.oid::regprocedure::text as signature
    from pg_catalog.pg_proc p
    where p.pronamespace = 'audience_gate'::regnamespace and p.proname in (
      'add_site_zone', 'refresh_analytics', 'person_days_tail', 'engagement_tail', 'feature_tail', 'session_tail',
      'retention_tail', 'funnel_cells', 'funnel_tail', 'bucket_value')
  loop
    execute format('alter function %s owner to audience_gate_owner', owned.signature);
    execute format('revoke all on function %s from public, anon, authenticated', owned.signature);
    execute format('grant execute on function %s to audience_gate_owner', owned.signature);
  end loop;
end $$;
alter table audience_gate.site_zones enable row level security;
alter table audience_gate.analytics_settings enable row level security;
alter table audience_gate.analytics_runs enable row level security;
alter table audience_gate.error_events enable row level security;
alter table audience_gate.performance_measures enable row level security;
alter table audience_gate.default_funnel_steps enable row level security;
grant execute on function audience_gate.refresh_analytics() to service_role;
grant execute on function audience_gate.add_site_zone(uuid, text) to service_role;
grant select on public.audience_events, public.audience_event_types, public.audience_sites, public.audience_state_events,
  public.audience_states, public.audience_funnels, public.audience_funnel_steps to audience_gate_owner;
drop policy if exists "audience_funnels_gate" on public.audience_funnels;
create policy "audience_funnels_gate" on public.audience_funnels for select to audience_gate_owner using (true);
drop policy if exists "audience_funnel_steps_gate" on public.audience_funnel_steps;
create policy "audience_funnel_steps_gate" on public.audience_funnel_steps for select to audience_gate_owner using (true);
