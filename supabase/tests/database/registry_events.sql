-- The history of the registry and of the settings: who changed what, and that nobody writes or changes it by hand.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();
grant usage on schema extensions to authenticated, service_role;

select is_empty($$
  select c.oid::regclass::text from pg_class c
  where c.relnamespace in ('public'::regnamespace, 'audience_gate'::regnamespace) and c.relkind in ('r', 'p')
    and not c.relispartition
    and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'trg_zz_record_update')
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    and c.relname not in (
      -- what happens, and what is derived from it
      'audience_events', 'audience_alert_firings', 'audience_alert_deliveries', 'audience_event_replays', 'audience_observations', 'audience_state', 'audience_site_state',
      'state_pending', 'state_failures', 'rate_buckets', 'refused_requests', 'legacy_judgements', 'job_runs', 'analytics_runs',
      'rebuilds_due', 'fold_state', 'kept_events', 'kept_receipts', 'retention_progress', 'receipt_corrections', 'unfolded_changes', 'session_users', 'session_slots', 'session_starts', 'engagement_slots',
      'feature_slots', 'known_slots', 'funnel_slots', 'visits', 'error_slots', 'timing_slots', 'receipt_slots', 'flow_slots', 'stay_slots', 'site_listeners',
      'engagement_days', 'feature_days', 'cohort_periods', 'funnel_days', 'known_days', 'visit_days', 'error_days', 'timing_days',
      'flow_days', 'stay_days', 'releases',
      -- histories
      'audience_registry_events', 'audience_state_events', 'audience_own_rule_events', 'lifecycle_said', 'deriving',
      'unsealed', 'leaf', 'tile', 'seal', 'checkpoint', 'erasures', 'erased_rows',
      -- secrets beside what is recorded
      'alert_addresses',
      -- what a release brings
      'audience_contracts', 'contract_rules', 'registry_version', 'default_funnel_steps', 'error_events',
      'performance_measures',
      -- what keeps a partitioned log, and the move to it
      'event_keys', 'partition_log', 'partition_move')
$$, 'whatever an install can set is recorded');
select is_empty($$
  select * from audience_registry_events
  where entity <> 'secret' and (actor <> 'system:install' or before is not null)
    -- The jobs of a partitioned log came later, with its scripts.
    and not (entity = 'job' and record ->> 'name' in ('keep_partitions', 'copy_events'))
$$, 'what the install brought is its own');
select is((select count(*) from audience_registry_events where entity = 'event_type'), (select count(*) from audience_event_types),
  'with all event types');
select is(audience_registry_events::text like '%pad%', false, 'no secret is in it') from audience_registry_events where entity = 'secret';

insert into audience_sites (id, name) values ('00000000-0000-4000-8000-0000000000aa', 'Another');
insert into audience_site_members (site_id, user_id, role) values
  (audience_gate.default_site(), '00000000-0000-4000-8000-00000000000a', 'owner'),
  (audience_gate.default_site(), '00000000-0000-4000-8000-00000000000b', 'viewer');

-- Each change, made by a job with a reason, is one event with what is otherwise.
create temporary table changes (entity text, record text, statement text, before jsonb, after jsonb);
insert into changes values
  ('event_type', 'page_view', 'update audience_event_types set active = false where id = ''page_view''', '{"active": true}', '{"active": false}'),
  ('event_type', 'page_view', 'update audience_event_types set score_weight = 7 where id = ''page_view''', '{"score_weight": 0.2}', '{"score_weight": 7}'),
  ('rule', 'manual_correction', 'update audience_rules set active = false where id = ''manual_correction''', '{"active": true}', '{"active": false}'),
  ('state', 'S5', 'update audience_states set min_score = 999 where id = ''S5''', '{"min_score": 120}', '{"min_score": 999}'),
  ('personal_words', 'badge', 'insert into audience_personal_words (words, reason) values (''badge'', ''of this test'')', null, null),
  ('site', '00000000-0000-4000-8000-0000000000aa', 'update audience_sites set name = ''Third'' where name = ''Another''', '{"name": "Another"}', '{"name": "Third"}'),
  ('site_member', '00000000-0000-4000-8000-00000000000b',
    'update audience_site_members set role = ''analyst'' where user_id = ''00000000-0000-4000-8000-00000000000b''', '{"role": "viewer"}', '{"role": "analyst"}'),
  ('job', 'derive_states', 'update audience_gate.jobs set active = false where name = ''derive_states''', '{"active": true}', '{"active": false}'),
  ('state_settings', 'true', 'update audience_gate.state_settings set daily_cap = 41', '{"daily_cap": 40}', '{"daily_cap": 41}'),
  ('rate_limit', null, 'update audience_rate_limits set burst = burst + 1 where scope = ''site''', null, null);
create function pg_temp.made(statement text) returns setof audience_registry_events language plpgsql as $$
declare
  latest bigint := (select max(id) from audience_registry_events);
begin
  perform lifecycle_note('for a test', 'system:cleanup');
  execute statement;
  perform lifecycle_note(null);
  return query select * from audience_registry_events where id > latest;
end $$;
select results_eq(
  format('select entity, record::text like ''%%%s%%'', actor, notes, %L::jsonb is null or before = %2$L, %L::jsonb is null or after = %3$L
    from pg_temp.made(%L)', coalesce(c.record, ''), c.before, c.after, c.statement),
  format('values (%L, true, ''system:cleanup'', ''for a test'', true, true)', c.entity), 'recorded: ' || c.statement)
from changes c;
select is_empty($$select * from pg_temp.made('update audience_event_types set score_weight = score_weight')$$, 'what changes nothing is no event');
select results_eq($$select record ->> 'id', before is null, after is null from pg_temp.made(
    'update audience_rules set id = ''renamed'' where id = ''taken_over''') order by 1$$,
  $$values ('renamed', true, false), ('taken_over', false, true)$$, 'a new key is a new record');
select results_eq($$select entity, record ->> 'user_id', after from pg_temp.made('delete from audience_site_members where role = ''analyst''')$$,
  $$values ('site_member', '00000000-0000-4000-8000-00000000000b', null::jsonb)$$, 'access that is taken is an event');

-- Nobody writes it by hand.
create function pg_temp.outcome(as_role text, statement text) returns text language plpgsql as $$
begin
  if as_role <> 'owner' then
    perform set_config('role', as_role, true);
  end if;
  execute statement;
  raise sqlstate 'TST00';
exception
  when sqlstate 'TST00' then return 'done';
  when others then return sqlstate;
end;
$$;
select is(pg_temp.outcome(role_name, statement), '42501', role_name || ': ' || statement)
from unnest(array['anon', 'authenticated', 'service_role', 'audience_gate_owner', 'owner']) role_name,
  unnest(array['update audience_registry_events set actor = ''user:x''', 'delete from audience_registry_events',
    'truncate audience_registry_events',
    'insert into audience_registry_events (entity, record, actor) values (''job'', ''{}'', ''user:ceo'')']) statement;

-- Who sees what.
create function pg_temp.seen(person text) returns text language plpgsql as $$
declare
  entities text;
begin
  perform set_config('request.jwt.claims', jsonb_build_object('sub', person)::text, true),
    set_config('request.jwt.claim.sub', person, true), set_config('role', 'authenticated', true);
  select string_agg(distinct entity_changed, ' ' order by entity_changed) into entities from audience_registry_history();
  perform set_config('role', 'none', true), set_config('request.jwt.claims', '', true),
    set_config('request.jwt.claim.sub', '', true);
  return entities;
end $$;
select is(pg_temp.seen('00000000-0000-4000-8000-00000000000a'), 'blocked_jump event_type job personal_words rule site site_member state time_zone',
  'an owner sees what became of their site and of what all share');
select is(pg_temp.seen('00000000-0000-4000-8000-00000000000b'), 'site_member', 'whoever lost access sees that');
select is(pg_temp.seen('00000000-0000-4000-8000-00000000000c'), null, 'others see nothing');

-- A signed-in user is the actor, whoever they say they are.
set local request.jwt.claims = '{"sub": "00000000-0000-4000-8000-00000000000a"}';
set local role service_role;
insert into audience_site_members (site_id, user_id, role) values (audience_gate.default_site(), '00000000-0000-4000-8000-00000000000d', 'owner');
select results_eq(
  $$select actor, changed_by, after ->> 'role' from audience_registry_history('site_member', '00000000-0000-4000-8000-00000000000d')$$,
  $$values ('user:00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000a'::uuid, 'owner')$$,
  'who gave that access is one call');

select * from finish();
rollback;
