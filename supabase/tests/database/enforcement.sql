-- A row is judged on its way in, whoever inserts it, and the sender is told.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();

-- Inserts as a role, with what the API sets for a request, and says what it would answer.
create function pg_temp.send(as_role text, columns text, vals text) returns text language plpgsql as $$
declare
  answer text;
begin
  perform set_config('response.status', '', true), set_config('response.headers', '', true),
    set_config('audience_gate.accepted', '', true), set_config('audience_gate.rejected', '', true),
    set_config('role', as_role, true);
  execute format('insert into public.audience_events (%s) values %s', columns, vals);
  perform set_config('role', 'none', true);
  select coalesce(nullif(current_setting('response.status', true), ''), '201') || coalesce(
    (select string_agg(h.value, ' ' order by h.key)
     from jsonb_array_elements(nullif(current_setting('response.headers', true), '')::jsonb) e, jsonb_each_text(e) h
     where h.key = 'Audience-Gate-Rule'), '')
  into answer;
  return answer;
end;
$$;
set local request.jwt.claims = '{"sub": "00000000-0000-4000-8000-00000000000a", "role": "authenticated"}';
set local request.jwt.claim.sub = '00000000-0000-4000-8000-00000000000a';

-- Nothing, a near miss, a violation and the fix, by each role that may insert.
select is(
  pg_temp.send(role_name, 'session_id, event_type, event_category, event_source, metadata',
    format('(%L, %L, %L, ''web'', %L)', session_id, event_type, event_category, metadata)),
  answer, role_name || ': ' || what)
from unnest(array['authenticated', 'service_role']) role_name, (values
  ('an event is accepted', 'enforce-1-' , 'page_view', 'engagement', '{"page_path": "/"}', '201'),
  ('a view of 20 seconds is accepted', 'enforce-2-', 'content_view', 'engagement', '{"content_id": "a", "duration_seconds": 20}', '201'),
  ('a view of 19 seconds is rejected', 'enforce-3-', 'content_view', 'engagement', '{"content_id": "a", "duration_seconds": 19}',
    '422engagement.content_view_threshold'),
  ('a subscription without consent is rejected', 'enforce-4-', 'push_subscribe', 'subscription', '{"channel": "web"}', '422subscription.consent'),
  ('and accepted with it', 'enforce-5-', 'push_subscribe', 'subscription', '{"channel": "web", "consent_recorded": true}', '201'),
  ('an unknown type is rejected', 'enforce-6-', 'no_such_type', 'engagement', '{"page_path": "/"}', '422registry.event_type'),
  ('a blocked jump is rejected', 'enforce-7-', 'page_view', 'engagement', '{"page_path": "/", "prior_state": "S0", "new_state": "S3"}', '422state.escalation'),
  ('a short session is rejected', 'short', 'page_view', 'engagement', '{"page_path": "/"}', '422sanity.session_id_length'),
  ('a raw e-mail is rejected', 'enforce-9-', 'page_view', 'engagement', '{"page_path": "/?u=canary@example.com"}', '422privacy.raw_email'),
  ('an unknown category is rejected', 'enforce-10-', 'page_view', 'Engagement', '{"page_path": "/"}', '422sanity.event_category')
) as cases (what, session, event_type, event_category, metadata, answer),
  lateral (select case when session = 'short' then session else session || role_name end as session_id) named;

select is(pg_temp.send('authenticated', 'session_id, event_type, event_category, event_source, metadata',
  $$('enforce-system', 'job_completed', 'system', 'web', '{"validation_rule_id": "none", "validation_result": "passed", "source_system": "jobs", "job_id": "a"}')$$),
  '422system.trusted_caller', 'a signed-in user may not send system events');
select is(pg_temp.send('service_role', 'session_id, event_type, event_category, event_source, metadata',
  $$('enforce-system', 'job_completed', 'system', 'web', '{"validation_rule_id": "none", "validation_result": "passed", "source_system": "jobs", "job_id": "a"}')$$),
  '201', 'a back end may');
select is(pg_temp.send('service_role', 'user_id, session_id, event_type, event_category, event_source, metadata',
  $$('00000000-0000-4000-8000-00000000000b', 'enforce-user-b', 'page_view', 'engagement', 'web', '{"page_path": "/"}')$$),
  '201', 'and speak for any user');
select is(pg_temp.send('authenticated', 'session_id, event_type, event_category, event_source, site_id, metadata',
  $$('enforce-site-1', 'page_view', 'engagement', 'web', '00000000-0000-4000-8000-0000000000ff', '{"page_path": "/"}')$$),
  '422identity.site', 'a site must exist');
insert into public.audience_sites (id, name, origins) values
  ('00000000-0000-4000-8000-0000000000a1', 'Bound', array['https://a.example']);
set local request.headers = '{"origin": "https://b.example"}';
select is(pg_temp.send('authenticated', 'session_id, event_type, event_category, event_source, site_id, metadata',
  $$('enforce-site-2', 'page_view', 'engagement', 'web', '00000000-0000-4000-8000-0000000000a1', '{"page_path": "/"}')$$),
  '422identity.site', 'and list the origin of the browser');
set local request.headers = '{"origin": "https://a.example"}';
select is(pg_temp.send('authenticated', 'session_id, event_type, event_category, event_source, site_id, metadata',
  $$('enforce-site-3', 'page_view', 'engagement', 'web', '00000000-0000-4000-8000-0000000000a1', '{"page_path": "/"}')$$),
  '201', 'whose events it then takes');

-- Several rows in one statement.
select is(pg_temp.send('service_role', 'session_id, event_type, event_category, event_source, metadata',
  $$('enforce-many-1', 'page_view', 'engagement', 'web', '{"page_path": "/"}'),
    ('enforce-many-2', 'page_view', 'engagement', 'web', '{}'),
    ('enforce-many-1', 'page_view', 'engagement', 'web', '{"page_path": "/again"}')$$),
  '207duplicate.double_fire', 'where some are accepted, that is what is said');
select is(current_setting('response.headers')::jsonb -> 0, '{"Audience-Gate-Rejected": "2"}'::jsonb, 'with how many were not');
select is(pg_temp.send('service_role', 'session_id, event_type, event_category, event_source, metadata',
  $$('enforce-many-3', 'page_view', 'engagement', 'web', '{}'), ('enforce-many-3', 'page_view', 'engagement', 'web', '{"page_path": "/"}')$$),
  '207engagement.subject', 'whichever comes first; and a rejected event does not make the next one a repeat');

-- What cannot be sent, and what a replay does.
select is(pg_temp.send('service_role', 'id, created_at, rejected, session_id, event_type, event_category, event_source, metadata',
  $$('00000000-0000-4000-8000-0000000000e1', '2020-01-01', true, 'enforce-clock', 'page_view', 'engagement', 'web', '{"page_path": "/"}')$$), '201',
  'a row may come with a time and a mark of its own');
select results_eq($$select created_at, rejected from public.audience_events where id = '00000000-0000-4000-8000-0000000000e1'$$,
  'values (now(), false)', 'which it does not keep');
select is(pg_temp.send('service_role', 'id, session_id, event_type, event_category, event_source, metadata',
  $$('00000000-0000-4000-8000-0000000000e1', 'enforce-clock', 'page_view', 'engagement', 'web', '{"page_path": "/"}')$$), '201',
  'the same once more is a replay');
select is(count(*), 1::bigint, 'and changes nothing') from public.audience_events where session_id = 'enforce-clock';
select is(pg_temp.send('service_role', 'id, session_id, event_type, event_category, event_source, metadata',
  $$('00000000-0000-4000-8000-0000000000e1', 'another-session', 'page_view', 'engagement', 'web', '{"page_path": "/"}')$$),
  '422identity.id_reuse', 'something else under its id is not');
select is(pg_temp.send('service_role', 'id, session_id, event_type, event_category, event_source, metadata',
  $$('00000000-0000-4000-8000-0000000000e1', 'another-session', 'content_view', 'engagement', 'web', '{}')$$),
  '422engagement.subject', 'and what breaks a rule is judged like any other');
select is(count(*), 2::bigint, 'both have their rows') from public.audience_events where session_id = 'another-session' and rejected;
select is(pg_temp.send('service_role', 'id, session_id, event_type, event_category, event_source, metadata',
  $$(null, null, null, null, null, null)$$), '422base.session_id', 'a row of nulls is a rejection, not an error');

-- The audit row.
select is(pg_temp.send('authenticated', 'id, user_id, session_id, event_type, event_category, event_source, utm_campaign, occurred_at, metadata',
  $$('00000000-0000-4000-8000-0000000000e2', '00000000-0000-4000-8000-00000000000a', 'enforce-audit', 'page_view', 'engagement', 'web',
     'autumn', now(), '{"phone": "+49 170 1234567", "note": "canary@example.com"}')$$),
  '422engagement.subject', 'a rejected event');
select results_eq(
  $$select user_id, session_id, event_type, event_category, event_source, utm_campaign, occurred_at, created_at, rejected
    from public.audience_events where metadata ->> 'event_id' = '00000000-0000-4000-8000-0000000000e2'$$,
  $$values ('00000000-0000-4000-8000-00000000000a'::uuid, 'enforce-audit', 'event_validation_fail', 'system', 'database',
    null::text, null::timestamptz, now(), true)$$,
  'is put down under its user and session');
select ok(metadata ?& array['validation_rule_id', 'validation_result', 'rejection_reason', 'violations',
    'original_payload_snapshot', 'event_id', 'payload_digest', 'payload_bytes', 'source_system', 'contract'],
  'with all that an audit row says')
from public.audience_events where metadata ->> 'event_id' = '00000000-0000-4000-8000-0000000000e2';
select is(metadata -> 'violations',
  '[{"rule_id": "engagement.subject", "path": "/metadata"}, {"rule_id": "privacy.raw_email", "path": "/metadata/note"},
    {"rule_id": "privacy.personal_key", "path": "/metadata/phone"}, {"rule_id": "privacy.personal_value", "path": "/metadata/phone"},
    {"rule_id": "registry.payload", "path": "/metadata/page_path"}]'::jsonb,
  'every rule it broke, each with its place')
from public.audience_events where metadata ->> 'event_id' = '00000000-0000-4000-8000-0000000000e2';
select ok(metadata::text !~ 'canary|1234567', 'and nothing personal')
from public.audience_events where metadata ->> 'event_id' = '00000000-0000-4000-8000-0000000000e2';
select is_empty($$
  select e.id, v.rule_id from public.audience_events e
  cross join lateral public.validate_audience_event(
    jsonb_strip_nulls(to_jsonb(e) - array['metadata', 'created_at', 'rejected', 'contract', 'recorded_xid']) || jsonb_build_object('metadata', e.metadata)) v
  where e.rejected
$$, 'every audit row is itself a valid system event');

select * from finish();
rollback;
