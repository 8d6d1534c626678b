-- Replaying rejections after a registry fix.
begin;
select plan(24);

create function pg_temp.sent(body jsonb) returns void language sql as $$
  insert into public.audience_events (id, user_id, session_id, event_type, event_category, event_source, occurred_at, site_id, metadata)
  select x.id, x.user_id, x.session_id, x.event_type, x.event_category, x.event_source, x.occurred_at,
    coalesce(x.site_id, '00000000-0000-4000-8000-000000000001'), coalesce(x.metadata, '{}')
  from jsonb_to_record(
    '{"session_id": "session-of-test", "event_category": "engagement", "event_source": "web"}'::jsonb || body) as x (
    id uuid, user_id uuid, session_id text, event_type text, event_category text, event_source text, occurred_at timestamptz, site_id uuid, metadata jsonb)
$$;
create function pg_temp.numbers(answer jsonb) returns jsonb language sql as $$ select answer - 'results' - 'next' - 'dry_run' $$;
create function pg_temp.accepted() returns bigint language sql as $$
  select count(*) from public.audience_events where not rejected and event_source = 'web'
$$;

-- The audit row of an event by the end of the event's id. The two that are alike were recorded at one moment, so either may
-- be judged first.
create function pg_temp.of(audit uuid) returns text language sql as $$
  select case when right(metadata ->> 'event_id', 2) in ('a1', 'a6') then 'a1 or a6' else right(metadata ->> 'event_id', 2) end
  from public.audience_events where id = audit
$$;

-- Six that the registry did not know, of which two cannot be judged again; one repeat; one that stays wrong.
do $$
begin
  perform pg_temp.sent('{"id": "00000000-0000-4000-8000-0000000000a1", "event_type": "new_thing", "metadata": {"page_path": "/a", "shade": null, "level": 1.50}}');
  perform pg_temp.sent('{"id": "00000000-0000-4000-8000-0000000000a2", "event_type": "new_thing", "session_id": "session-two", "user_id": "00000000-0000-4000-8000-000000000011",
    "metadata": {"page_path": "/b"}}');
  perform pg_temp.sent(jsonb_build_object('id', '00000000-0000-4000-8000-0000000000a3', 'event_type', 'new_thing', 'session_id', 'session-three',
    'occurred_at', now() - interval '6 days', 'metadata', '{"page_path": "/c"}'::jsonb));
  perform pg_temp.sent('{"id": "00000000-0000-4000-8000-0000000000a4", "event_type": "new_thing", "session_id": "session-four", "metadata": {"page_path": "/to/jane@example.com"}}');
  perform pg_temp.sent(jsonb_build_object('id', '00000000-0000-4000-8000-0000000000a5', 'event_type', 'new_thing', 'session_id', 'session-five',
    'metadata', jsonb_build_object('page_path', repeat('long', 2000))));
  perform pg_temp.sent('{"id": "00000000-0000-4000-8000-0000000000a6", "event_type": "new_thing", "session_id": "session-of-test", "metadata": {"page_path": "/a", "shade": null, "level": 1.50}}');
  perform pg_temp.sent('{"id": "00000000-0000-4000-8000-0000000000a7", "event_type": "new_thing", "session_id": "session-seven"}');
  perform pg_temp.sent('{"id": "00000000-0000-4000-8000-0000000000a8", "event_type": "page_view", "session_id": "session-eight", "site_id": "00000000-0000-4000-8000-00000000000e", "metadata": {"page_path": "/"}}');
end $$;
select is((select count(*) from public.audience_events where rejected), 8::bigint, 'eight rejections are on record');
select is(pg_temp.accepted(), 0::bigint, 'and no event');

select is(pg_temp.numbers(public.audience_replay()),
  '{"examined": 8, "accepted": 0, "rejected": 5, "not_replayable": {"redacted": 1, "shortened": 1, "sender": 1}}',
  'before the fix nothing passes; what cannot be judged again is counted apart');
select is((select count(*) from public.audience_events), 8::bigint, 'a rejection that stays one is not put down a second time');

insert into public.audience_event_types (id, category, tier, description) values ('new_thing', 'engagement', 'consumer', 'of this test');
select is(pg_temp.numbers(public.audience_replay(dry_run => true)),
  '{"examined": 8, "accepted": 3, "rejected": 2, "not_replayable": {"redacted": 1, "shortened": 1, "sender": 1}}',
  'a dry run says what would happen');
select is(pg_temp.accepted(), 0::bigint, 'and does nothing');
select is((select count(*) from public.audience_event_replays), 0::bigint, 'nor does it link anything');

create temp table answer as select public.audience_replay() as a;
select is(pg_temp.numbers(a), '{"examined": 8, "accepted": 3, "rejected": 2, "not_replayable": {"redacted": 1, "shortened": 1, "sender": 1}}',
  'after the fix three pass') from answer;
select is(pg_temp.accepted(), 3::bigint, 'and are recorded');
select results_eq(
  $$ select pg_temp.of((r ->> 'audit_id')::uuid), r ->> 'status', r ->> 'why', (audience_gate.rule_ids(r -> 'violations'))[1]
     from answer, jsonb_array_elements(a -> 'results') r order by 1, 2 $$,
  $$ values ('a1 or a6', 'accepted', null, null), ('a1 or a6', 'rejected', null, 'duplicate.double_fire'), ('a2', 'accepted', null, null), ('a3', 'accepted', null, null),
    ('a4', 'not_replayable', 'redacted', null), ('a5', 'not_replayable', 'shortened', null),
    ('a7', 'rejected', null, 'engagement.subject'),
    ('a8', 'not_replayable', 'sender', null) $$,
  'each is told its own reason: a repeat stays a repeat, a missing field stays missing');
select is((select count(*) from public.audience_events where rejected), 8::bigint, 'the rejections stay as they were');
select results_eq(
  $$ select pg_temp.of(l.audit_id), e.session_id, e.user_id, e.event_type, e.metadata ->> 'page_path', e.occurred_at
     from public.audience_event_replays l join public.audience_events e on e.id = l.event_id order by 1 $$,
  $$ values ('a1 or a6', 'session-of-test', null::uuid, 'new_thing', '/a', now()),
    ('a2', 'session-two', '00000000-0000-4000-8000-000000000011', 'new_thing', '/b', now()),
    ('a3', 'session-three', null, 'new_thing', '/c', now() - interval '6 days') $$,
  'each event is what was sent, at the time it was sent or received, and linked to its rejection');
select is((select metadata from public.audience_events where session_id = 'session-of-test' and not rejected),
  '{"page_path": "/a", "shade": null, "level": 1.50}', 'with its payload to the letter');
select matches((select replayed_by from public.audience_event_replays limit 1), '^role:', 'the link says who had it replayed');

select is(pg_temp.numbers(public.audience_replay()),
  '{"examined": 5, "accepted": 0, "rejected": 2, "not_replayable": {"redacted": 1, "shortened": 1, "sender": 1}}',
  'a second replay finds nothing more to accept');
select is(pg_temp.accepted(), 3::bigint, 'and records nothing twice');
select is((public.audience_replay(rule => 'engagement.subject')) -> 'examined', '1', 'by rule');
select is((public.audience_replay(site => '00000000-0000-4000-8000-00000000000e')) -> 'examined', '0', 'by site');
select is((public.audience_replay(to_time => now() - interval '1 minute')) -> 'examined', '0', 'by time');
with first as (select public.audience_replay(max_events => 3) as a),
  second as (select public.audience_replay(max_events => 3, after => (select (a ->> 'next')::uuid from first)) as a)
select is((select a -> 'examined' from second), '2', 'page by page')
union all select is((select a -> 'next' from second), 'null', 'to the end');

select throws_ok(format('set local role %I; select public.audience_replay()', who), '42501', null, who || ' may not replay')
from (values ('anon'), ('authenticated')) as t (who);
reset role;
select throws_ok($$ update public.audience_event_replays set replayed_by = 'role:x' $$, '42501', null, 'links are append-only');

select * from finish();
rollback;
