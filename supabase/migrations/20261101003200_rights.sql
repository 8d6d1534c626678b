-- Who may do what: the one page of rights.
--
-- Everything was closed when it was made: row level security is on for every table, rights that a project
-- gives by default were taken back, and until the next statement no role of the API can enter the private
-- schema at all. What is not granted here is not allowed. The functions of the contract bring their own
-- rights with them, because a release of the contract replaces them.

grant usage on schema audience_gate to anon, authenticated, service_role;

-- Tables.
--
-- A signed-in user may insert events, and read what concerns them. A visitor's events come through the function.
grant insert on table public.audience_events to authenticated;
grant select on table
  public.audience_sites, public.audience_site_members,
  public.audience_states, public.audience_blocked_jumps, public.audience_rules, public.audience_event_types,
  public.audience_state, public.audience_site_state, public.audience_state_events,
  public.audience_event_replays, public.audience_funnels, public.audience_funnel_steps
  to authenticated;

-- A back end reads everything, inserts events, and keeps registry, sites, members, funnels and limits.
grant select, insert on table public.audience_events to service_role;
grant select on table
  public.audience_state, public.audience_site_state, public.audience_state_events, public.audience_event_replays
  to service_role;
grant select, insert, update on table
  public.audience_sites, public.audience_states, public.audience_rules, public.audience_event_types
  to service_role;
grant select, insert, update, delete on table
  public.audience_site_members, public.audience_blocked_jumps, public.audience_rate_limits,
  public.audience_funnels, public.audience_funnel_steps
  to service_role;

-- The gate.
grant select, insert on table public.audience_events to audience_gate_owner, audience_gate_store;
grant select on table
  public.audience_sites, public.audience_states, public.audience_blocked_jumps, public.audience_rules,
  public.audience_event_types, public.audience_rate_limits
  to audience_gate_owner, audience_gate_store;
grant select on table
  public.audience_site_members, public.audience_funnels, public.audience_funnel_steps,
  audience_gate.jobs, audience_gate.log_retention
  to audience_gate_owner;
grant select, insert, update on table public.audience_state, public.audience_site_state to audience_gate_owner;
grant select, insert on table public.audience_state_events, public.audience_event_replays to audience_gate_owner;
grant select, insert, delete on table audience_gate.state_pending, audience_gate.job_runs to audience_gate_owner;
grant select, update on table audience_gate.registry_version to audience_gate_owner;
grant select on table audience_gate.registry_version to audience_gate_store;
grant select, insert, update, delete on table audience_gate.rate_buckets to audience_gate_owner, audience_gate_store;

grant select on table audience_gate.recorded_ids, audience_gate.recorded_fires to audience_gate_owner, audience_gate_store;

-- What the figures are made of belongs to the gate's owner, which refreshes and reads it.
do $$
declare
  owned record;
begin
  for owned in
    select c.relname as name,
      case c.relkind when 'm' then 'materialized view' when 'v' then 'view' else 'table' end as kind
    from pg_catalog.pg_class c
    where c.relnamespace = 'audience_gate'::regnamespace and (
      c.relkind = 'm'
      or c.relkind = 'v' and c.relname not in ('recorded_ids', 'recorded_fires')
      or c.relname in (
        'site_zones', 'analytics_settings', 'analytics_runs', 'error_events', 'performance_measures', 'default_funnel_steps')
    )
  loop
    execute format('alter %s audience_gate.%I owner to audience_gate_owner', owned.kind, owned.name);
    execute format('revoke all on audience_gate.%I from public, anon, authenticated, service_role', owned.name);
  end loop;
end $$;

-- Rows: which of them a role sees or adds, where it may use the table at all.
do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      -- The event log and the state, by the names they were specified with.
      ('public.audience_events', 'audience_events_insert_authenticated', 'insert', 'authenticated',
        null, 'user_id is null or user_id = (select auth.uid())'),
      ('public.audience_events', 'audience_events_no_update', 'update', 'anon, authenticated', 'false', null),
      ('public.audience_events', 'audience_events_no_delete', 'delete', 'anon, authenticated', 'false', null),
      ('public.audience_state', 'audience_state_select_own', 'select', 'authenticated',
        'user_id = (select auth.uid())', null),
      ('public.audience_state', 'audience_state_no_insert', 'insert', 'anon, authenticated', null, 'false'),
      ('public.audience_state', 'audience_state_no_update', 'update', 'anon, authenticated', 'false', null),
      ('public.audience_state', 'audience_state_no_delete', 'delete', 'anon, authenticated', 'false', null),

      -- A member sees the site and their own membership.
      ('public.audience_sites', 'audience_sites_select_member', 'select', 'authenticated',
        'exists (select from public.audience_site_members m
           where m.site_id = audience_sites.id and m.user_id = (select auth.uid()))', null),
      ('public.audience_site_members', 'audience_site_members_select_own', 'select', 'authenticated',
        'user_id = (select auth.uid())', null),

      -- The registry is no secret to those who send events.
      ('public.audience_states', 'audience_states_select', 'select', 'authenticated', 'true', null),
      ('public.audience_blocked_jumps', 'audience_blocked_jumps_select', 'select', 'authenticated', 'true', null),
      ('public.audience_rules', 'audience_rules_select', 'select', 'authenticated', 'true', null),
      ('public.audience_event_types', 'audience_event_types_select', 'select', 'authenticated', 'true', null),

      -- People read their own states, and those of the sites they are members of.
      ('public.audience_site_state', 'audience_site_state_select', 'select', 'authenticated',
        'user_id = (select audience_gate.caller_id()) or site_id in (select audience_gate.readable_sites())', null),
      ('public.audience_state_events', 'audience_state_events_select', 'select', 'authenticated',
        'user_id = (select audience_gate.caller_id()) or site_id in (select audience_gate.readable_sites())', null),

      -- Members read what else belongs to their site.
      ('public.audience_event_replays', 'audience_event_replays_select_member', 'select', 'authenticated',
        'site_id in (select audience_gate.readable_sites())', null),
      ('public.audience_funnels', 'audience_funnels_select_member', 'select', 'authenticated',
        'audience_gate.can_read_site(site_id)', null),
      ('public.audience_funnel_steps', 'audience_funnel_steps_select_member', 'select', 'authenticated',
        'audience_gate.can_read_site(site_id)', null),

      -- The gate.
      ('public.audience_events', 'audience_events_gate_select', 'select', 'audience_gate_owner, audience_gate_store', 'true', null),
      ('public.audience_events', 'audience_events_gate_insert', 'insert', 'audience_gate_owner, audience_gate_store', null, 'true'),
      ('public.audience_sites', 'audience_sites_gate', 'select', 'audience_gate_owner, audience_gate_store', 'true', null),
      ('public.audience_site_members', 'audience_site_members_gate', 'select', 'audience_gate_owner', 'true', null),
      ('public.audience_states', 'audience_states_gate', 'select', 'audience_gate_owner, audience_gate_store', 'true', null),
      ('public.audience_blocked_jumps', 'audience_blocked_jumps_gate', 'select', 'audience_gate_owner, audience_gate_store', 'true', null),
      ('public.audience_rules', 'audience_rules_gate', 'select', 'audience_gate_owner, audience_gate_store', 'true', null),
      ('public.audience_event_types', 'audience_event_types_gate', 'select', 'audience_gate_owner, audience_gate_store', 'true', null),
      ('public.audience_rate_limits', 'audience_rate_limits_gate', 'select', 'audience_gate_owner, audience_gate_store', 'true', null),
      ('public.audience_funnels', 'audience_funnels_gate', 'select', 'audience_gate_owner', 'true', null),
      ('public.audience_funnel_steps', 'audience_funnel_steps_gate', 'select', 'audience_gate_owner', 'true', null),
      ('public.audience_state', 'audience_state_gate', 'all', 'audience_gate_owner', 'true', 'true'),
      ('public.audience_site_state', 'audience_site_state_gate', 'all', 'audience_gate_owner', 'true', 'true'),
      ('public.audience_state_events', 'audience_state_events_gate', 'all', 'audience_gate_owner', 'true', 'true'),
      ('public.audience_event_replays', 'audience_event_replays_gate', 'all', 'audience_gate_owner', 'true', 'true'),
      ('audience_gate.registry_version', 'registry_version_gate', 'all', 'audience_gate_owner, audience_gate_store', 'true', 'true'),
      ('audience_gate.rate_buckets', 'rate_buckets_gate', 'all', 'audience_gate_owner, audience_gate_store', 'true', 'true'),
      ('audience_gate.state_pending', 'state_pending_gate', 'all', 'audience_gate_owner', 'true', 'true'),
      ('audience_gate.jobs', 'jobs_gate', 'all', 'audience_gate_owner', 'true', 'true'),
      ('audience_gate.job_runs', 'job_runs_gate', 'all', 'audience_gate_owner', 'true', 'true'),
      ('audience_gate.log_retention', 'log_retention_gate', 'select', 'audience_gate_owner', 'true', null)
    ) as listed (table_name, policy_name, command, roles, using_condition, check_condition)
  loop
    execute format('drop policy if exists %I on %s', wanted.policy_name, wanted.table_name);
    execute format('create policy %I on %s for %s to %s', wanted.policy_name, wanted.table_name, wanted.command, wanted.roles)
      || coalesce(' using (' || wanted.using_condition || ')', '')
      || coalesce(' with check (' || wanted.check_condition || ')', '');
  end loop;
end $$;

-- Functions: whose they are, which is as whom they run if they are security definers, and who may call them.
-- Those without an owner here belong to the role that applies migrations; those without callers are called
-- by triggers and by other functions of the same owner only.
do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      -- Who is asking, and which sites may they read.
      ('audience_gate.actor()', null, 'anon, authenticated, service_role, audience_gate_owner, audience_gate_store'),
      ('audience_gate.is_trusted()', null, 'anon, authenticated, service_role, audience_gate_owner, audience_gate_store'),
      ('audience_gate.caller_id()', null, 'anon, authenticated, service_role, audience_gate_owner, audience_gate_store'),
      ('audience_gate.can_read_site(uuid)', 'owner', 'authenticated, service_role'),
      ('audience_gate.readable_sites()', 'owner', 'authenticated'),
      -- The event log and the registry.
      ('public.audience_events_append_only()', null, null),
      ('audience_gate.touch_registry()', 'owner', null),
      ('audience_gate.registry_version()', 'owner', 'service_role, audience_gate_store'),
      ('audience_gate.registry()', 'owner', 'service_role, audience_gate_store'),
      ('public.audience_registry()', null, 'service_role'),
      -- Every role that may insert into the event log, or plan a look-up in it, needs its default and its index.
      ('audience_gate.default_site()', null, 'public'),
      ('audience_gate.fire_key(text, text, uuid)', null, 'public'),
      -- Rate limits.
      ('audience_gate.tokens_now(double precision, timestamptz, double precision, double precision)', 'store', null),
      ('audience_gate.charge(jsonb)', 'store', null),
      ('audience_gate.with_rate_keys(jsonb)', null, 'service_role'),
      -- Direct inserts and batches.
      ('audience_gate.fire_window()', null, 'audience_gate_owner, audience_gate_store'),
      ('audience_gate.placeholder_session()', null, 'audience_gate_owner, audience_gate_store'),
      ('audience_gate.session_bucket(text)', null, 'audience_gate_owner, audience_gate_store'),
      ('audience_gate.session_lock()', null, 'audience_gate_owner, audience_gate_store'),
      ('audience_gate.lock_sessions(integer[])', 'owner', 'audience_gate_store'),
      ('audience_gate.kept_session(text, text[])', 'owner', 'audience_gate_store'),
      ('audience_gate.answer_rejected(text[])', 'owner', null),
      ('audience_gate.answer_accepted()', 'owner', null),
      ('audience_gate.enforce()', 'owner', null),
      ('audience_gate.record_plain_events(jsonb, text)', 'store', null),
      ('audience_gate.record_plain_rejections(jsonb)', 'store', null),
      ('audience_gate.plain_refusals(jsonb)', 'store', null),
      ('audience_gate.store_version()', null, null),
      ('audience_gate.record_events(jsonb, text)', 'store', null),
      ('audience_gate.record_rejections(jsonb)', 'store', null),
      ('audience_gate.judge_again(jsonb, text, uuid, text, timestamptz, text)', 'store', null),
      ('audience_gate.record_batch(jsonb, text)', 'store', null),
      ('audience_gate.refusals(jsonb)', 'store', null),
      ('audience_gate.ingest(jsonb)', 'store', 'service_role, audience_gate_owner'),
      ('public.ingest_audience_events(jsonb)', null, 'service_role'),
      -- States.
      ('audience_gate.announce_change(text, text, text, uuid, timestamptz)', 'owner', null),
      ('audience_gate.changed_by()', 'owner', null),
      ('audience_gate.guard_state()', 'owner', null),
      ('audience_gate.refuse_state_removal()', 'owner', null),
      ('audience_gate.record_transition()', 'owner', null),
      ('audience_gate.placed_score(text, text, numeric)', 'owner', null),
      ('audience_gate.place_score()', 'owner', null),
      ('audience_gate.follow_sites()', 'owner', null),
      ('audience_gate.note_arrivals()', 'owner', null),
      ('audience_gate.retention_holds(jsonb, text, text, timestamptz, timestamptz)', 'owner', null),
      ('audience_gate.walk_to(uuid, uuid, text, text, text[])', 'owner', null),
      ('audience_gate.derive_member(uuid, uuid, timestamptz, timestamptz, boolean)', 'owner', null),
      ('audience_gate.derive_states(jsonb)', 'owner', 'service_role'),
      ('audience_gate.request_recompute(uuid, uuid)', 'owner', 'service_role'),
      ('public.audience_recompute_states(uuid, uuid)', null, 'service_role'),
      -- The history of states.
      ('audience_gate.require_reader(uuid, uuid)', null, 'authenticated, service_role'),
      ('audience_gate.rule_description(text)', 'owner', 'authenticated, service_role'),
      ('audience_gate.type_of_event(uuid)', 'owner', 'authenticated, service_role'),
      ('audience_gate.state_rank(text)', 'owner', 'authenticated, service_role'),
      ('audience_gate.report_range(timestamptz, timestamptz)', null, 'authenticated, service_role'),
      ('public.audience_state_timeline(uuid, uuid)', null, 'authenticated, service_role'),
      ('public.audience_state_at(uuid, uuid, timestamptz, boolean)', null, 'authenticated, service_role'),
      ('public.audience_state_actors(uuid, timestamptz, timestamptz)', null, 'authenticated, service_role'),
      ('audience_gate.revert_state(uuid, uuid, text, bigint)', 'owner', 'authenticated, service_role'),
      ('public.audience_state_revert(uuid, uuid, text, bigint)', null, 'authenticated, service_role'),
      -- Replay of rejections.
      ('audience_gate.not_replayable(jsonb)', 'owner', null),
      ('audience_gate.replayed_event(uuid, timestamptz, uuid, uuid, jsonb)', 'owner', null),
      ('audience_gate.replay(text, uuid, timestamptz, timestamptz, integer, uuid, boolean)', 'owner', 'service_role'),
      ('public.audience_replay(text, uuid, timestamptz, timestamptz, integer, uuid, boolean)', null, 'service_role'),
      -- Jobs.
      ('audience_gate.schedule_field(text, integer, integer)', null, 'audience_gate_owner'),
      ('audience_gate.is_schedule(text)', null, 'audience_gate_owner'),
      ('audience_gate.latest_due(text, timestamptz)', null, 'audience_gate_owner'),
      ('audience_gate.run_job(text)', 'owner', 'service_role'),
      ('audience_gate.due_jobs()', 'owner', 'service_role'),
      ('audience_gate.run_due_jobs()', 'owner', 'service_role'),
      ('audience_gate.prune_logs(jsonb)', 'owner', 'service_role'),
      ('audience_gate.sweep_inactivity(jsonb)', 'owner', 'service_role'),
      ('audience_gate.schedule_jobs()', null, null),
      ('audience_gate.jobs_changed()', null, null),
      ('audience_gate.refresh_analytics()', 'owner', 'service_role'),
      ('audience_gate.add_site_zone(uuid, text)', 'owner', 'service_role'),
      -- Figures.
      ('audience_gate.kpi_range(uuid, timestamptz, timestamptz, text, text, integer)', 'owner', null),
      ('audience_gate.person_days_tail(uuid, integer, text, timestamptz)', 'owner', null),
      ('audience_gate.engagement_tail(uuid, integer, text, timestamptz)', 'owner', null),
      ('audience_gate.feature_tail(uuid, integer, text, timestamptz)', 'owner', null),
      ('audience_gate.session_tail(uuid, text, timestamptz)', 'owner', null),
      ('audience_gate.retention_tail(uuid, integer, text, timestamptz, text)', 'owner', null),
      ('audience_gate.funnel_cells(uuid, text, timestamptz, timestamptz)', 'owner', null),
      ('audience_gate.funnel_tail(uuid, text, timestamptz)', 'owner', null),
      ('audience_gate.histogram_bucket(numeric)', 'owner', null),
      ('audience_gate.bucket_value(integer)', 'owner', null),
      ('audience_gate.kpi_data_quality(uuid, timestamptz, timestamptz, text, text)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_engagement(uuid, timestamptz, timestamptz, text, text)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_errors(uuid, timestamptz, timestamptz, text, text)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_feature_adoption(uuid, timestamptz, timestamptz, text)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_freshness(uuid)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_funnel(uuid, timestamptz, timestamptz, text, text)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_funnels(uuid)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_live(uuid, timestamptz, timestamptz)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_overview(uuid, timestamptz, timestamptz, text)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_performance(uuid, timestamptz, timestamptz, text, text)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_retention(uuid, timestamptz, timestamptz, text, text, integer)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_state_dwell(uuid, timestamptz, timestamptz, text)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_state_funnel(uuid, timestamptz, timestamptz, text)', 'owner', 'authenticated, service_role'),
      ('audience_gate.kpi_state_trend(uuid, timestamptz, timestamptz, text, text)', 'owner', 'authenticated, service_role'),
      ('public.kpi_data_quality(uuid, timestamptz, timestamptz, text, text)', null, 'authenticated, service_role'),
      ('public.kpi_engagement(uuid, timestamptz, timestamptz, text, text)', null, 'authenticated, service_role'),
      ('public.kpi_errors(uuid, timestamptz, timestamptz, text, text)', null, 'authenticated, service_role'),
      ('public.kpi_feature_adoption(uuid, timestamptz, timestamptz, text)', null, 'authenticated, service_role'),
      ('public.kpi_freshness(uuid)', null, 'authenticated, service_role'),
      ('public.kpi_funnel(uuid, timestamptz, timestamptz, text, text)', null, 'authenticated, service_role'),
      ('public.kpi_funnels(uuid)', null, 'authenticated, service_role'),
      ('public.kpi_live(uuid, timestamptz, timestamptz)', null, 'authenticated, service_role'),
      ('public.kpi_overview(uuid, timestamptz, timestamptz, text)', null, 'authenticated, service_role'),
      ('public.kpi_performance(uuid, timestamptz, timestamptz, text, text)', null, 'authenticated, service_role'),
      ('public.kpi_retention(uuid, timestamptz, timestamptz, text, text, integer)', null, 'authenticated, service_role'),
      ('public.kpi_state_dwell(uuid, timestamptz, timestamptz, text)', null, 'authenticated, service_role'),
      ('public.kpi_state_funnel(uuid, timestamptz, timestamptz, text)', null, 'authenticated, service_role'),
      ('public.kpi_state_trend(uuid, timestamptz, timestamptz, text, text)', null, 'authenticated, service_role'),
      -- The latest events.
      ('audience_gate.my_sites()', 'owner', 'authenticated, service_role'),
      ('audience_gate.recent_events(uuid, integer)', 'owner', 'authenticated, service_role'),
      ('audience_gate.rejections(uuid, timestamptz, timestamptz, text, integer)', 'owner', 'authenticated, service_role'),
      ('public.audience_my_sites()', null, 'authenticated, service_role'),
      ('public.audience_recent_events(uuid, integer)', null, 'authenticated, service_role'),
      ('public.audience_rejections(uuid, timestamptz, timestamptz, text, integer)', null, 'authenticated, service_role')
    ) as listed (signature, gate_role, callers)
  loop
    if wanted.gate_role is not null then
      execute format('alter function %s owner to %I', wanted.signature, 'audience_gate_' || wanted.gate_role);
    end if;
    execute format('revoke all on function %s from public, anon, authenticated, service_role', wanted.signature);
    if wanted.callers is not null then
      execute format('grant execute on function %s to %s', wanted.signature, wanted.callers);
    end if;
  end loop;
end $$;
