-- Telling of alerts: who may set up and see what, that no member reads an address, and what becomes of each message.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select plan(25);
grant usage on schema extensions to anon, authenticated, service_role;

insert into public.audience_sites (id, name) values
  ('aaaaaaaa-0000-4000-8000-000000000000', 'A'), ('bbbbbbbb-0000-4000-8000-000000000000', 'jane@example.com');
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
-- What a query gives each caller as text, or that it was refused. What it did is undone.
create function pg_temp.told(query text, who caller) returns text language plpgsql as $$
declare
  answer text;
begin
  perform set_config('request.jwt.claims', coalesce(jsonb_build_object('sub', who.who, 'role', who.role)::text, ''), true);
  perform set_config('role', who.role, true);
  execute query into answer;
  raise sqlstate 'ZZZZZ';
exception
  when insufficient_privilege then return 'refused';
  when sqlstate 'ZZZZZ' then return answer;
end $$;
create function pg_temp.each(query text) returns text[] language sql as $$
  select array_agg(pg_temp.told(query, c) order by c.ctid) from caller c
$$;

select is(
  pg_temp.each($$ select length(public.audience_add_alert_destination('aaaaaaaa-0000-4000-8000-000000000000', 'ops', 'slack',
    'https://hooks.example.com/services/T0/B0/x')::text) $$),
  array['36', 'refused', 'refused', 'refused', '36'], 'owners add a destination to their own site');
select is(
  (select array_agg(address order by address) from unnest(array[
    'https://hooks.example.com', 'https://hooks.example.com/a?b=c', 'https://hooks.example.com:443/a', 'http://127.0.0.1:9000/a',
    'http://example.com/a', 'https://example.com:8443/a', 'https://user:word@example.com/a', 'https://10.0.0.1/a', 'https://[::1]/a',
    'https://2130706433/a', 'https://db/a', 'https://db.internal/a', 'https://db.internal', 'https://printer.local/a', 'ftp://example.com/a',
    'https://example.com/a b', 'https://example.com.', 'http://127.0.0.1.example.com/', 'http://localhost@example.com/', '', null]) address
    where audience_gate.is_webhook(address)),
  array['http://127.0.0.1:9000/a', 'https://hooks.example.com', 'https://hooks.example.com/a?b=c', 'https://hooks.example.com:443/a'],
  'an address is a public name over https, or this machine');
select throws_ok(
  $$ select public.audience_add_alert_destination('aaaaaaaa-0000-4000-8000-000000000000', 'ops', 'json', 'http://hooks.example.com/hush') $$,
  '22023', 'the address must begin with https:// and a public name, on the usual port and without a password',
  'and one that is refused is not repeated');
select throws_ok(
  $$ select public.audience_add_alert_destination('aaaaaaaa-0000-4000-8000-000000000000', 'jane@example.com', 'json', 'https://hooks.example.com/') $$,
  '22023', null, 'a name that is somebody''s address is refused');
select throws_ok(
  $$ select public.audience_add_alert_destination('aaaaaaaa-0000-4000-8000-000000000000', 'ops', 'fax', 'https://hooks.example.com/') $$,
  '22023', 'the form is json or slack', 'and an unknown form');

create temp table made on commit drop as
select public.audience_add_alert_destination('aaaaaaaa-0000-4000-8000-000000000000', 'ops', 'slack', 'https://hooks.example.com/hush') as ops,
  public.audience_add_alert_destination('aaaaaaaa-0000-4000-8000-000000000000', 'pager', 'json', 'https://pager.example.com/hush') as pager,
  public.audience_add_alert_destination('bbbbbbbb-0000-4000-8000-000000000000', 'other', 'json', 'https://other.example.com/hush') as other;
select throws_ok(
  $$ select public.audience_add_alert_destination('aaaaaaaa-0000-4000-8000-000000000000', 'ops', 'json', 'https://hooks.example.com/') $$,
  '23505', null, 'a name is given once');
select throws_ok(
  $$ select public.audience_add_alert_destination('aaaaaaaa-0000-4000-8000-000000000000', 'n' || n, 'json', 'https://hooks.example.com/')
     from generate_series(1, 9) n $$,
  '23514', 'a site would have more than 10 destinations', 'a site has ten at most');
select is(
  pg_temp.each('select string_agg(name, '','' order by name) from public.audience_alert_destinations'),
  array['ops,pager', 'ops,pager', 'other', 'refused', 'ops,other,pager'], 'members see what destinations their site has');
select is(
  pg_temp.each('select count(*) from audience_gate.alert_addresses'),
  array['refused', 'refused', 'refused', 'refused', 'refused'], 'nobody reads an address');
select is(
  (select count(*) from public.audience_registry_events e where e.entity = 'alert_destination' and not e::text like '%hush%'), 3::bigint,
  'the history of the registry has the destinations, not their addresses');

insert into public.audience_alerts (site_id, kind, threshold) values ('aaaaaaaa-0000-4000-8000-000000000000', 'failed_jobs', 0);
insert into audience_gate.job_runs (job, started_at, duration_ms, outcome, error) values ('prune_logs', now() - interval '1 minute', 1, 'failed', 'P0001');
update public.audience_alert_destinations set active = false where id = (select ops from made);
do $$ begin perform audience_gate.check_alerts(); perform audience_gate.check_alerts(); end $$;
select results_eq(
  'select destination_id, state, attempts from public.audience_alert_deliveries',
  $$ select pager, 'due', 0 from made $$, 'what begins is said once, to each active destination of its site');
select is(
  pg_temp.each('select count(*) from public.audience_alert_deliveries'), array['1', '1', '0', 'refused', '1'],
  'members see the messages of their site');
select is(
  pg_temp.each('select jsonb_array_length(public.audience_claim_alert_deliveries())'),
  array['refused', 'refused', 'refused', 'refused', '1'], 'only the function gets them to send');
select is(
  public.audience_claim_alert_deliveries('22222222-0000-4000-8000-000000000000')
    || public.audience_claim_alert_deliveries('33333333-0000-4000-8000-000000000000'), '[]', 'and for a user, only those of a site that they own');

create temp table claimed on commit drop as
select public.audience_claim_alert_deliveries('11111111-0000-4000-8000-000000000000') -> 0 as it;
select is(
  (select it - 'id' || jsonb_build_object('message', it -> 'message' #- '{id}' #- '{at}' #- '{alert}') from claimed),
  '{"attempt": 1, "name": "pager", "form": "json", "url": "https://pager.example.com/hush", "message": {"type": "alert.fired", "kind": "failed_jobs",
    "source": null, "value": 1, "threshold": 0, "site": {"id": "aaaaaaaa-0000-4000-8000-000000000000", "name": "A"}}}'::jsonb, 'a claim has all that a sender needs');
select is(public.audience_claim_alert_deliveries(), '[]', 'which no other sender gets meanwhile');
select is(
  public.audience_settle_alert_deliveries(jsonb_build_array(jsonb_build_object('id', it ->> 'id', 'attempt', 1, 'problem', 'status', 'status', 503))),
  '{"delivered": 0, "due": 1, "failed": 0}', 'a message that did not arrive is due again') from claimed;
select is(
  public.audience_settle_alert_deliveries(jsonb_build_array(jsonb_build_object('id', it ->> 'id', 'attempt', 7, 'problem', 'status'))),
  '{"delivered": 0, "due": 0, "failed": 0}', 'a sender that was overtaken says nothing') from claimed;
create temp table waited (attempt integer, seconds integer) on commit drop;
do $$
declare
  one jsonb;
begin
  for n in 2..8 loop
    insert into waited select d.attempts, extract(epoch from d.due_at - now()) from public.audience_alert_deliveries d where d.state = 'due';
    update public.audience_alert_deliveries set due_at = now();
    one := public.audience_claim_alert_deliveries() -> 0;
    perform public.audience_settle_alert_deliveries(jsonb_build_array(jsonb_build_object(
      'id', one ->> 'id', 'attempt', n, 'problem', 'status', 'status', 429, 'retry_after', case n when 2 then 200 when 3 then 99999 end)));
  end loop;
end $$;
select is(
  (select array_agg(seconds order by attempt) from waited), array[30, 200, 3600, 1920, 7680, 21600, 21600],
  'later each time, and as late as the receiver asks, at most an hour');
select results_eq(
  'select state, attempts, status, problem, settled_at is not null from public.audience_alert_deliveries',
  $$ values ('failed', 8, 429, 'status', true) $$, 'until it is given up');

select is(
  pg_temp.each($$ select public.audience_test_alerts('aaaaaaaa-0000-4000-8000-000000000000') $$),
  array['2', 'refused', 'refused', 'refused', '2'], 'owners have their destinations tested');
select is(pg_temp.each('select public.audience_test_alerts()'), array['refused', 'refused', 'refused', 'refused', '3'],
  'all of them, the function alone');
select is(public.audience_test_alerts('aaaaaaaa-0000-4000-8000-000000000000', ops) || ',' || public.audience_test_alerts(null, ops), '1,0',
  'one, and not again at once') from made;
do $$ begin perform public.audience_test_alerts('bbbbbbbb-0000-4000-8000-000000000000'); end $$;
select is(
  (select array_agg(c -> 'message' ->> 'type' || ' ' || coalesce(c #>> '{message,site,name}', 'unnamed') order by c ->> 'name')
   from jsonb_array_elements(public.audience_claim_alert_deliveries()) c),
  array['alert.test A', 'alert.test unnamed'], 'a test says so, and a site''s name is left out where it is personal');
delete from public.audience_alert_destinations where id = (select ops from made);
select is(
  (select d.state || ' ' || d.problem from public.audience_alert_deliveries d, made where d.destination_id = made.ops), 'failed deleted',
  'what was still to be said to a destination that is deleted is given up');

select * from finish();
rollback;
