-- The control room: what members look into, and what only owners do. Every call is made by each kind of caller.
begin;
-- What pg_cron runs meanwhile is logged after the test: alerts look at every run that is committed.
lock table audience_gate.job_runs in share row exclusive mode;
delete from audience_gate.job_runs;
select plan(44);

insert into public.audience_sites (id, name) values
  ('aaaaaaaa-0000-4000-8000-000000000000', 'A'), ('bbbbbbbb-0000-4000-8000-000000000000', 'B');
insert into public.audience_site_members (site_id, user_id, role) values
  ('aaaaaaaa-0000-4000-8000-000000000000', '11111111-0000-4000-8000-000000000000', 'owner'),
  ('aaaaaaaa-0000-4000-8000-000000000000', '22222222-0000-4000-8000-000000000000', 'viewer'),
  ('bbbbbbbb-0000-4000-8000-000000000000', '33333333-0000-4000-8000-000000000000', 'owner');

create temp table caller (name text, role text, who uuid) on commit drop;
insert into caller values
  ('owner', 'authenticated', '11111111-0000-4000-8000-000000000000'),
  ('viewer', 'authenticated', '22222222-0000-4000-8000-000000000000'),
  ('stranger', 'authenticated', '33333333-0000-4000-8000-000000000000'),
  ('anon', 'anon', null),
  ('service', 'service_role', null);

-- What a query gives a caller as text, or that it was refused. What it did is undone.
create function pg_temp.told(query text, as_name text) returns text language plpgsql as $$
declare
  who caller;
  answer text;
begin
  select * into who from caller c where c.name = as_name;
  begin
    perform set_config('request.jwt.claims', coalesce(jsonb_build_object('sub', who.who, 'role', who.role)::text, ''), true);
    perform set_config('role', who.role, true);
    execute query into answer;
    raise sqlstate 'ZZZZZ';
  exception
    when insufficient_privilege then return 'refused';
    when sqlstate 'ZZZZZ' then return answer;
  end;
end $$;
-- The same, by every caller in the order of the table.
create function pg_temp.each(query text) returns text[] language sql as $$
  select array_agg(pg_temp.told(query, c.name) order by c.ctid) from caller c
$$;

create function pg_temp.sent(place text, body jsonb) returns void language sql as $$
  insert into public.audience_events (session_id, event_type, event_category, event_source, site_id, metadata)
  values ('session-' || place, body ->> 'event_type', 'engagement', body ->> 'event_source', 'aaaaaaaa-0000-4000-8000-000000000000',
    body -> 'metadata')
$$;
do $$
begin
  perform pg_temp.sent('one', '{"event_type": "new_thing", "event_source": "web", "metadata": {"page_path": "/a", "tracker": "audience-gate/0.2.0"}}');
  perform pg_temp.sent('two', '{"event_type": "new_thing", "event_source": "web", "metadata": {"page_path": "/b", "tracker": "audience-gate/0.2.0"}}');
  perform pg_temp.sent('three', '{"event_type": "new_thing", "event_source": "ios", "metadata": {"page_path": "/c"}}');
  perform pg_temp.sent('four', '{"event_type": "page_view", "event_source": "web", "metadata": {}}');
  perform pg_temp.sent('five', '{"event_type": "page_view", "event_source": "web", "metadata": {"page_path": "/d"}}');
end $$;

-- Refusals.
select results_eq(
  $$ select rule_id, sender, tracker, place, events, replayed, cardinality(trend), trend[14]
     from audience_gate.refusal_groups('aaaaaaaa-0000-4000-8000-000000000000', now() - interval '1 day', now() + interval '1 minute') $$,
  $$ values ('registry.event_type', 'web', 'audience-gate/0.2.0', '/event_type', 2::bigint, 0::bigint, 14, 2::bigint),
    ('engagement.subject', 'web', '', '/metadata', 1, 0, 14, 1), ('registry.event_type', 'ios', '', '/event_type', 1, 0, 14, 1) $$,
  'refusals are grouped by rule, sender, tracker, place and contract, the most first');
select is(
  pg_temp.each($$ select sum(events) from public.audience_refusal_groups('aaaaaaaa-0000-4000-8000-000000000000', now() - interval '1 day', now() + interval '1 minute') $$),
  array['4', '4', 'refused', 'refused', '4'], 'members read the groups');
select is(
  pg_temp.each($$ select count(*) from public.audience_refused_events('aaaaaaaa-0000-4000-8000-000000000000', now() - interval '1 day', now() + interval '1 minute',
    'registry.event_type', sender => 'web') $$),
  array['2', '2', 'refused', 'refused', '2'], 'and the events of a group');
select is(
  (select count(*) from audience_gate.refused_list('aaaaaaaa-0000-4000-8000-000000000000', now() - interval '1 day', now() + interval '1 minute',
    'registry.event_type', null, '', null, null, 100)),
  1::bigint, 'an empty word is what names nothing, and null is anything');
select is(
  pg_temp.each($$ select public.audience_replay_refusals('aaaaaaaa-0000-4000-8000-000000000000', 'registry.event_type', now() - interval '1 day', now() + interval '1 minute')
    ->> 'rejected' $$),
  array['3', 'refused', 'refused', 'refused', '3'], 'owners ask what a replay would do');
insert into public.audience_event_types (id, category, tier, description) values ('new_thing', 'engagement', 'consumer', 'of this test');
select is(
  pg_temp.each($$ select public.audience_replay_refusals('aaaaaaaa-0000-4000-8000-000000000000', 'registry.event_type', now() - interval '1 day', now() + interval '1 minute',
    dry_run => false) ->> 'accepted' $$),
  array['3', 'refused', 'refused', 'refused', '3'], 'and replay, after the registry was mended');
select is(
  pg_temp.each($$ select public.audience_site_registry('aaaaaaaa-0000-4000-8000-000000000000') -> 'sites' $$),
  array[a.sites, a.sites, 'refused', 'refused', a.sites], 'members have the registry, with their own site alone and without its origins')
from (select '[{"id": "aaaaaaaa-0000-4000-8000-000000000000", "origins": null}]' as sites) a;
select throws_ok(
  $$ select public.audience_replay_refusals('aaaaaaaa-0000-4000-8000-000000000000', null, now() - interval '1 day', now()) $$,
  '22023', null, 'a replay names its rule');

-- Events.
create temp table chosen on commit drop as
select e.id from public.audience_events e where e.site_id = 'aaaaaaaa-0000-4000-8000-000000000000' and e.session_id = 'session-five';
grant select on chosen to authenticated, service_role, anon;
select is(
  pg_temp.each($$ select count(*) from public.audience_event_list('aaaaaaaa-0000-4000-8000-000000000000', now() - interval '1 day', now() + interval '1 minute') $$),
  array['5', '5', 'refused', 'refused', '5'], 'members read the list of events');
select results_eq(
  $$ select event_type, event_source, page, rejected, rule_id from audience_gate.event_list('aaaaaaaa-0000-4000-8000-000000000000',
    now() - interval '1 day', now() + interval '1 minute', null, 'new_thing', null, '/c', 'ios', true, null, 10) $$,
  $$ values ('new_thing', 'ios', '/c', true, 'registry.event_type') $$, 'narrowed by what was sent, also where it was refused');
select is(
  (select array_agg(l.id order by l.recorded_at desc, l.id desc) from audience_gate.event_list('aaaaaaaa-0000-4000-8000-000000000000',
    now() - interval '1 day', now() + interval '1 minute', null, null, null, null, null, null, null, 5) l),
  (select array_agg(l.id order by l.recorded_at desc, l.id desc) from (
    select * from audience_gate.event_list('aaaaaaaa-0000-4000-8000-000000000000', now() - interval '1 day', now() + interval '1 minute',
      null, null, null, null, null, null, null, 2) first
    union all
    select next.* from (
      select id from audience_gate.event_list('aaaaaaaa-0000-4000-8000-000000000000', now() - interval '1 day', now() + interval '1 minute',
        null, null, null, null, null, null, null, 2) offset 1) last,
      lateral audience_gate.event_list('aaaaaaaa-0000-4000-8000-000000000000', now() - interval '1 day', now() + interval '1 minute',
        null, null, null, null, null, null, last.id, 10) next) l),
  'a page and the one after it are the whole list');
select is(
  pg_temp.each($$ select public.audience_event('aaaaaaaa-0000-4000-8000-000000000000', id) ->> 'event_type' from chosen $$),
  array['page_view', 'page_view', 'refused', 'refused', 'page_view'], 'members read one event');
select is(
  pg_temp.told($$ select coalesce(public.audience_event('bbbbbbbb-0000-4000-8000-000000000000', id) ->> 'event_type', 'none') from chosen $$, 'stranger'),
  'none', 'but none of another site');
select is(
  pg_temp.each($$ select coalesce(public.audience_event_proof('aaaaaaaa-0000-4000-8000-000000000000', id)::text, 'none') from chosen $$),
  array['none', 'none', 'refused', 'refused', 'none'], 'what is not sealed has no proof');
select is(
  pg_temp.each($$ select (sealing, sealed_rows, proven_since is null)::text from public.audience_history_proof('aaaaaaaa-0000-4000-8000-000000000000') $$),
  array['(f,,t)', '(f,,t)', 'refused', 'refused', '(f,,t)'], 'members are told that nothing is sealed');
do $$
begin
  perform audience_gate.start_sealing();
  perform audience_gate.seal_rows('{}');
  insert into audience_gate.checkpoint (size, note) select max(s.size), 'note' from audience_gate.seal s;
end $$;
select is(
  pg_temp.each($$ select split_part(public.audience_event_proof('aaaaaaaa-0000-4000-8000-000000000000', id) ->> 'entry', ':', 1) from chosen $$),
  array['event36', 'event36', 'refused', 'refused', 'event36'], 'members get the proof of a sealed event');
select is(
  pg_temp.told($$ select coalesce(public.audience_event_proof('bbbbbbbb-0000-4000-8000-000000000000', id)::text, 'none') from chosen $$, 'stranger'),
  'none', 'but of none of another site');
insert into audience_gate.checkpoint (size, note, signed_at) values (1, 'first', '2026-01-01Z');
select is(
  pg_temp.each($$ select (sealing, sealed_rows = proven_rows, signed_at > proven_since, proven_since = '2026-01-01Z')::text
    from public.audience_history_proof('aaaaaaaa-0000-4000-8000-000000000000') $$),
  array[p.said, p.said, 'refused', 'refused', p.said], 'since when it is proven, and how far the newest checkpoint holds')
from (select '(t,t,t,t)' as said) p;
select is(
  pg_temp.each($$ select string_agg(t.what, ',') from chosen c, public.audience_trail('aaaaaaaa-0000-4000-8000-000000000000', c.id, 'session') t $$),
  array['page_view', 'page_view', 'refused', 'refused', 'page_view'], 'and its session');
select is(
  pg_temp.told($$ select count(*) from chosen c, public.audience_trail('bbbbbbbb-0000-4000-8000-000000000000', c.id, 'person') t $$, 'stranger'),
  '0', 'but nothing of another site''s');

set local role audience_gate_store;
insert into public.audience_events (created_at, user_id, session_id, event_type, event_category, event_source, site_id, contract)
select now() - t.ago, t.who, 'session-of-somebody', t.type, 'engagement', 'web', 'aaaaaaaa-0000-4000-8000-000000000000'::uuid,
  audience_gate.contract_fingerprint()
from (values (interval '2 hours', null::uuid, 'page_view'), ('1 hour', '44444444-0000-4000-8000-000000000000', 'content_view')) t (ago, who, type);
reset role;
do $$ begin perform audience_gate.refresh_analytics(); end $$;
select results_eq(
  $$ select t.what from public.audience_events e, audience_gate.trail('aaaaaaaa-0000-4000-8000-000000000000', e.id, 'person') t
     where e.session_id = 'session-of-somebody' and e.event_type = 'page_view' and t.kind = 'event' $$,
  $$ values ('content_view'), ('page_view') $$, 'a visitor who signed in is one person, as in the figures');

-- Rules of the install's own.
insert into public.audience_own_rules (id, site_id, schema, mode, reasons) values
  ('own.everywhere', null, '{"type": "object"}', 'observe', '{"en": "of every site"}'),
  ('own.of_b', 'bbbbbbbb-0000-4000-8000-000000000000', '{"type": "object"}', 'off', '{"en": "of B"}');
select is(
  pg_temp.each($$ with made as (
      insert into public.audience_own_rules (id, site_id, schema, mode, reasons)
      values ('own.of_a', 'aaaaaaaa-0000-4000-8000-000000000000', '{"type": "object"}', 'observe', '{"en": "of A"}') returning id)
    select id from made $$),
  array['own.of_a', 'refused', 'refused', 'refused', 'own.of_a'], 'owners add a rule to their own site');
select is(
  pg_temp.told($$ insert into public.audience_own_rules (id, site_id, schema, mode, reasons)
    values ('own.for_all', null, '{"type": "object"}', 'observe', '{"en": "of every site"}') returning id $$, 'owner'),
  'refused', 'but none that binds every site');
insert into public.audience_own_rules (id, site_id, schema, mode, reasons)
values ('own.of_a', 'aaaaaaaa-0000-4000-8000-000000000000', '{"properties": {"event_source": {"const": "ios"}}}', 'observe', '{"en": "of A"}');
update public.audience_own_rules set mode = 'observe' where id = 'own.of_b';
select is(
  pg_temp.each($$ select jsonb_path_query_array(public.audience_site_registry('aaaaaaaa-0000-4000-8000-000000000000'), '$.own_rules[*].id') $$),
  array[a.ids, a.ids, 'refused', 'refused', a.ids], 'the registry of a site has the rules that bind it, and none of another')
from (select '["own.everywhere", "own.of_a"]' as ids) a;
update public.audience_own_rules set mode = 'off' where id = 'own.of_b';
select is(
  pg_temp.each($$ with changed as (update public.audience_own_rules set mode = 'enforce' returning id)
    select string_agg(id, ',' order by id) from changed $$),
  array['own.of_a', null, 'own.of_b', 'refused', 'own.everywhere,own.of_a,own.of_b'], 'and change the mode of these alone');
select is(
  pg_temp.told($$ update public.audience_own_rules set site_id = null where id = 'own.of_a' returning id $$, 'owner'),
  'refused', 'nor can one be moved to every site');
select is(
  pg_temp.each($$ select string_agg(id, ',' order by id) from public.audience_own_rule_list('aaaaaaaa-0000-4000-8000-000000000000') $$),
  array['own.everywhere,own.of_a', 'own.everywhere,own.of_a', 'refused', 'refused', 'own.everywhere,own.of_a'],
  'members read the rules that bind their site');
do $$ begin perform pg_temp.sent('six', '{"event_type": "page_view", "event_source": "web", "metadata": {"page_path": "/e"}}'); end $$;
select results_eq(
  $$ select counted, counted_in, sample ->> 'event_source', changes #>> '{0,after}'
     from audience_gate.own_rule_list('aaaaaaaa-0000-4000-8000-000000000000') where id = 'own.of_a' $$,
  $$ values (1::bigint, '{"web": 1}'::jsonb, 'web', 'observe') $$, 'with what they counted, and who changed them');
select is(
  pg_temp.each($$ select public.audience_try_own_rule('aaaaaaaa-0000-4000-8000-000000000000', '{"properties": {"event_source": {"const": "ios"}}}',
    event_type => 'page_view', example => '{"event_type": "page_view", "event_source": "web"}') - 'stored' $$),
  array[a.said, 'refused', 'refused', 'refused', a.said], 'owners try a rule before it is there')
from (select '{"binds": true, "place": "/event_source", "passes": false, "refusal": null}' as said) a;
select is(
  (public.audience_try_own_rule('aaaaaaaa-0000-4000-8000-000000000000', '{"properties": {"event_source": {"const": "ios"}}}',
    event_type => 'page_view') -> 'stored') - 'samples', '{"examined": 3, "refused": 3, "senders": {"web": 3}}', 'on what is stored');
select ok(
  public.audience_try_own_rule('aaaaaaaa-0000-4000-8000-000000000000', '{"type": "strange"}') ->> 'refusal' is not null,
  'and are told why a schema cannot be judged by');

-- Lifecycles.
create table public.room_things (id integer primary key, stage text not null);
grant select on table public.room_things to authenticated;
select lives_ok($$ select audience_gate.track_lifecycle('public.room_things', 'stage') $$, 'a table is tracked');
select is(
  pg_temp.each($$ select string_agg(tracked || ' ' || readable, ',') from public.lifecycle_list() where tracked = 'public.room_things' $$),
  array['public.room_things true', 'public.room_things true', 'public.room_things true', 'refused', 'public.room_things false'],
  'and listed with whether its history can be read');

-- Alerts.
select is(
  pg_temp.each($$ with made as (
      insert into public.audience_alerts (site_id, kind, threshold) values ('aaaaaaaa-0000-4000-8000-000000000000', 'lag', 30) returning kind)
    select kind from made $$),
  array['lag', 'refused', 'refused', 'refused', 'lag'], 'owners add an alert to their own site');
insert into public.audience_alerts (site_id, kind, source, threshold, minutes) values
  ('aaaaaaaa-0000-4000-8000-000000000000', 'silence', 'android', 0, 5), ('aaaaaaaa-0000-4000-8000-000000000000', 'silence', 'web', 0, 5),
  ('aaaaaaaa-0000-4000-8000-000000000000', 'failed_jobs', null, 0, 60), ('aaaaaaaa-0000-4000-8000-000000000000', 'lag', null, 30, 60),
  ('aaaaaaaa-0000-4000-8000-000000000000', 'contract_drift', null, 0, 60), ('bbbbbbbb-0000-4000-8000-000000000000', 'rejected_share', null, 0.2, 60);
select throws_ok(
  $$ insert into public.audience_alerts (site_id, kind, source, threshold) values ('aaaaaaaa-0000-4000-8000-000000000000', 'silence', 'jane@example.com', 0) $$,
  '23514', 'the sender of an alert holds something personal', 'and none that names a person');
select is(
  audience_gate.check_alerts(), '{"checked": 6, "changed": 0}', 'a site where nothing is wrong is quiet');
set local role audience_gate_store;
insert into public.audience_events (created_at, session_id, event_type, event_category, event_source, site_id, contract, rejected)
select now() - interval '1 hour', 'session-of-android', 'page_view', 'engagement', 'android', 'aaaaaaaa-0000-4000-8000-000000000000'::uuid,
  audience_gate.contract_fingerprint(), false
union all
select now() - interval '10 minutes', 'session-of-old-' || n, 'page_view', 'engagement', 'web', 'bbbbbbbb-0000-4000-8000-000000000000',
  audience_gate.contract_fingerprint(), n <= 3
from generate_series(1, 10) n
union all
select now() - interval '10 minutes', 'session-of-drift', 'page_view', 'engagement', 'web', 'aaaaaaaa-0000-4000-8000-000000000000',
  'another', false;
reset role;
insert into audience_gate.job_runs (job, started_at, duration_ms, outcome, error) values
  ('derive_states', now() - interval '2 hours', 1, 'succeeded', null), ('prune_logs', now() - interval '1 minute', 1, 'failed', 'P0001');
do $$ begin perform audience_gate.check_alerts(); end $$;
select results_eq(
  $$ select kind, source, state, value from public.audience_alert_firings order by kind, source $$,
  $$ values ('contract_drift', null, 'fired', 1::numeric), ('failed_jobs', null, 'fired', 1), ('lag', null, 'fired', 120),
    ('rejected_share', null, 'fired', 0.3), ('silence', 'android', 'fired', 60) $$,
  'each kind fires for what it is for, with what was measured');
select is(audience_gate.check_alerts(), '{"checked": 6, "changed": 0}', 'and once, not at every look');
insert into audience_gate.job_runs (job, started_at, duration_ms, outcome) values ('derive_states', now(), 1, 'succeeded');
do $$ begin perform audience_gate.check_alerts(); end $$;
select is((select state from public.audience_alert_firings order by id desc limit 1), 'cleared', 'what is over is recorded too');
select is(
  pg_temp.each($$ select string_agg(kind || ' ' || state, ',' order by kind, source) from public.audience_alert_list('aaaaaaaa-0000-4000-8000-000000000000') $$),
  array[a.said, a.said, 'refused', 'refused', a.said], 'members read what fires')
from (select 'contract_drift fired,failed_jobs fired,lag cleared,silence fired,silence quiet' as said) a;
select is(
  pg_temp.each($$ select count(*) from public.audience_alert_firings $$), array['5', '5', '1', 'refused', '6'],
  'and the log of their own site');
select is(
  pg_temp.each($$ with gone as (delete from public.audience_alerts returning 1) select count(*) from gone $$),
  array['5', '0', '1', 'refused', '6'], 'owners delete the alerts of their own site');
select throws_ok(
  $$ delete from public.audience_alert_firings $$, null, null, 'nobody deletes from the log');
select is(
  (select active from audience_gate.jobs where name = 'check_alerts'), false, 'the job is off until somebody makes it active');

select * from finish();
rollback;
