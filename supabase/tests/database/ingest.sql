-- The batch function: what it records, what it answers.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();

-- A batch as the function sends it; "proven" with the fingerprint and registry version of this database.
create function pg_temp.batch(events jsonb, members jsonb default '{}', proven boolean default true) returns jsonb language sql as $$
  select jsonb_build_object(
    'contract', case when proven then audience_gate.contract_fingerprint() else 'another' end,
    'registry', audience_gate.registry() -> 'version', 'source_system', 'edge-function', 'caller', 'visitor',
    'caller_id', null, 'origin', null, 'received_at', now(), 'dry_run', false, 'rate', null, 'rejected', '[]'::jsonb,
    'accepted', (select coalesce(jsonb_agg(jsonb_build_object('index', place - 1) || event order by place), '[]')
                 from jsonb_array_elements(events) with ordinality as e (event, place))
  ) || members
$$;
create function pg_temp.event(number integer, members jsonb default '{}') returns jsonb language sql as $$
  select jsonb_build_object(
    'id', '00000000-0000-4000-9000-' || lpad(number::text, 12, '0'), 'session_id', 'ingest-session-' || number,
    'event_type', 'page_view', 'event_category', 'engagement', 'event_source', 'web', 'metadata', '{"page_path": "/"}'::jsonb
  ) || members
$$;
-- As if the call of a proven batch had been signed, by a role that may say so.
create function pg_temp.answered(batch jsonb) returns jsonb language sql security definer as $$
  select case when batch ->> 'contract' = 'another' then public.ingest_audience_events(batch)
    else audience_gate.take_batch(audience_gate.with_rate_keys(batch), gen_random_uuid()::text) end
$$;
grant usage on schema extensions to service_role;
set local role service_role;

select is(pg_temp.answered(pg_temp.batch('[]')), '{"recorded": true, "accepted": 0, "replayed": [], "rejected": [], "rate": null}'::jsonb,
  'an empty batch');
select is(pg_temp.answered(pg_temp.batch(jsonb_build_array(pg_temp.event(1), pg_temp.event(2)))),
  '{"recorded": true, "accepted": 2, "replayed": [], "rejected": [], "rate": null}'::jsonb, 'two events');
select is(pg_temp.answered(pg_temp.batch(jsonb_build_array(pg_temp.event(3), pg_temp.event(2), pg_temp.event(3)))),
  '{"recorded": true, "accepted": 1, "replayed": [1, 2], "rejected": [], "rate": null}'::jsonb,
  'a replay of an earlier batch, and one within the batch');
select results_eq(
  $$select index, rule_id from jsonb_to_recordset(pg_temp.answered(pg_temp.batch(jsonb_build_array(
      pg_temp.event(4), pg_temp.event(5, '{"session_id": "ingest-session-4"}'), pg_temp.event(6, '{"session_id": "ingest-session-1"}')
    ))) -> 'rejected') as r (index integer, rule_id text)$$,
  $$values (1, 'duplicate.double_fire'), (2, 'duplicate.double_fire')$$,
  'a repeat within the batch, and one of a stored event');
select results_eq(
  $$select count(*), count(distinct id) from public.audience_events
    where rejected and event_source = 'edge-function' and metadata ->> 'validation_rule_id' = 'duplicate.double_fire'$$,
  'values (2::bigint, 2::bigint)', 'both are put down');
select results_eq(
  $$select created_at, occurred_at, site_id, utm_source, metadata from public.audience_events where session_id = 'ingest-session-1' and not rejected$$,
  $$values (now(), null::timestamptz, '00000000-0000-4000-8000-000000000001'::uuid, null::text, '{"page_path": "/"}'::jsonb)$$,
  'an event without the optional fields');

select is(pg_temp.answered(pg_temp.batch(jsonb_build_array(pg_temp.event(10)), '{"dry_run": true}')) -> 'accepted', '1'::jsonb, 'a dry run judges');
select is(pg_temp.answered(pg_temp.batch(jsonb_build_array(pg_temp.event(11, '{"session_id": "ingest-session-1"}')), '{"dry_run": true}')) #> '{rejected,0,rule_id}',
  '"duplicate.double_fire"'::jsonb, 'against what is stored');
select is_empty($$select from public.audience_events where id in ('00000000-0000-4000-9000-000000000010', '00000000-0000-4000-9000-000000000011')$$,
  'and records nothing');

-- Already rejected by the caller: finished audit rows.
select is(pg_temp.answered(pg_temp.batch(jsonb_build_array(pg_temp.event(20)), jsonb_build_object('rejected', jsonb_build_array(
    jsonb_build_object('index', 1, 'user_id', null, 'session_id', 'ingest-session-21',
      'event_source', 'edge-function', 'site_id', '00000000-0000-4000-8000-000000000001',
      'metadata', audience_gate.rejection_metadata('{}', array['base.session_id'], 'edge-function')
        || '{"event_id": "00000000-0000-4000-9000-000000000021"}'))))),
  '{"recorded": true, "accepted": 1, "replayed": [], "rejected": [], "rate": null}'::jsonb, 'a batch with a rejection');
select results_eq($$select rejected, event_category, event_type, id = '00000000-0000-4000-9000-000000000021' from public.audience_events
    where metadata ->> 'event_id' = '00000000-0000-4000-9000-000000000021'$$,
  $$values (true, 'system', 'event_validation_fail', false)$$, 'which is put down as it came, under an id of its own');

-- A batch without proof of its contract is judged again.
select results_eq(
  $$select index, rule_id, jsonb_path_query_array(violations, '$[*].rule_id') from jsonb_to_recordset(pg_temp.answered(pg_temp.batch(jsonb_build_array(
      pg_temp.event(30), pg_temp.event(31, '{"metadata": {}}'), pg_temp.event(32, '{"event_type": "no"}'),
      pg_temp.event(33, '{"user_id": "00000000-0000-4000-8000-00000000000a"}')
    ), '{}', false)) -> 'rejected') as r (index integer, rule_id text, violations jsonb)$$,
  $$values (1, 'engagement.subject', '["engagement.subject", "registry.payload"]'::jsonb),
           (2, 'sanity.event_type_length', '["sanity.event_type_length", "registry.event_type"]'),
           (3, 'identity.user_id', '["identity.user_id"]')$$,
  'another contract: its rows are judged here');
select is(pg_temp.answered(pg_temp.batch(jsonb_build_array(pg_temp.event(34, '{"metadata": {}}')), '{"registry": "0"}')) #> '{rejected,0,rule_id}',
  '"engagement.subject"'::jsonb, 'a stale registry: likewise');
select results_eq($$select user_id, metadata ->> 'source_system' from public.audience_events where metadata ->> 'event_id' = '00000000-0000-4000-9000-000000000033'$$,
  $$values (null::uuid, 'edge-function')$$, 'and what is rejected is put down without the user it claimed');

-- Who has the service key and no signing key writes no audit rows: what is reported is taken apart and made anew.
select is(public.ingest_audience_events(pg_temp.batch('[]', '{"rejected": [{"index": 0, "session_id": "ingest-session-60",
    "event_source": "forged", "metadata": {"event_id": "00000000-0000-4000-9000-000000000060", "validation_rule_id": "none", "rejection_reason": "forged",
      "violations": ["base.utm", "forged"], "note": "forged", "original_payload_snapshot": {"note": "canary@example.com"}}}]}')) -> 'recorded', 'true'::jsonb,
  'a rejection that nobody signed');
select results_eq($$select event_source, metadata ->> 'validation_rule_id', metadata::text like '%forged%' or metadata::text like '%canary%'
    from public.audience_events where metadata ->> 'event_id' = '00000000-0000-4000-9000-000000000060'$$,
  $$values ('database', 'base.utm', false)$$, 'is recorded in the words of the database');
select throws_ok(
  format('select public.ingest_audience_events(%L)', pg_temp.batch(jsonb_build_array(pg_temp.event(61,
    jsonb_build_object('metadata', jsonb_build_object('page_path', repeat('x', 131072))))))),
  '54000', 'an unsigned batch holds at most 131072 bytes', 'and more of it than can be judged in a moment is refused');

-- A batch that no judge wrote.
select throws_ok(
  format('select pg_temp.answered(%L)', pg_temp.batch(jsonb_build_array(pg_temp.event(40, members)))),
  '22023', 'the batch does not have the form of a judged batch', 'a malformed row is refused without being quoted')
from unnest(array['{"id": "canary@example.com"}', '{"user_id": "canary@example.com"}', '{"occurred_at": "canary@example.com"}',
  '{"session_id": null}', '{"event_category": "canary@example.com"}']::jsonb[]) members;

-- Limits, refilled so slowly that the test cannot notice.
update public.audience_rate_limits set per_minute = 6;
select is(pg_temp.answered(pg_temp.batch('[]', '{"rate": {"keys": [{"key": "k1", "scope": "session", "cost": 100}]}}')) -> 'rate',
  '{"limit": 300, "remaining": 200, "reset": 1000}'::jsonb, 'what is left of a limit');
select is(pg_temp.answered(pg_temp.batch('[]', '{"rate": {"keys": [{"key": "k2", "scope": "address", "cost": 1}, {"key": "k1", "scope": "session", "cost": 199}]}}')) #> '{rate,remaining}',
  '1'::jsonb, 'is that of the tightest');
select is(
  pg_temp.answered(pg_temp.batch(jsonb_build_array(pg_temp.event(50)), '{"rate": {"keys": [{"key": "k2", "scope": "address", "cost": 1}, {"key": "k1", "scope": "session", "cost": 101}]}}')),
  '{"recorded": false, "limited": {"scope": "session", "retry_after": 1000}}'::jsonb, 'over the limit, with when to come again');
select is_empty($$select from public.audience_events where id = '00000000-0000-4000-9000-000000000050'$$, 'nothing is recorded');
select is(pg_temp.answered(pg_temp.batch('[]', '{"rate": {"keys": [{"key": "k2", "scope": "address", "cost": 0}]}}')) #> '{rate,remaining}',
  '1199'::jsonb, 'nor charged');
select is(pg_temp.answered(pg_temp.batch('[]', '{"rate": {"keys": [{"key": "k3", "scope": "session", "cost": 5000}]}}')) #> '{rate,remaining}',
  '0'::jsonb, 'a request larger than the burst takes all of it');
select is(pg_temp.answered(pg_temp.batch('[]', '{"rate": {"keys": [{"key": "k4", "scope": "unheard of", "cost": 1}]}}')) -> 'rate',
  'null'::jsonb, 'a scope without a limit is not limited');
select is(audience_gate.prune_logs() -> 'rate_buckets', '0', 'recent counts are kept');

select * from finish();
rollback;
