-- States: how they are derived, recorded, read and reverted, and who may do what.
begin;
select plan(57);

create function pg_temp.member(number integer) returns uuid language sql immutable as
$$ select ('00000000-0000-4000-8000-0000000000' || lpad(number::text, 2, '0'))::uuid $$;
create function pg_temp.site(name text) returns uuid language sql immutable as
$$ select case name when 'A' then '00000000-0000-4000-8000-000000000001' else '00000000-0000-4000-8000-00000000000b' end::uuid $$;

-- Judged history with times of its own, as the command line loads it.
create function pg_temp.happened(number integer, kind text, ago interval, site text default 'A', metadata jsonb default '{}')
returns void language plpgsql as $$
declare
  category text := (select t.category from public.audience_event_types t where t.id = kind);
begin
  set local role audience_gate_store;
  insert into public.audience_events (id, created_at, user_id, site_id, session_id, event_type, event_category, event_source, metadata,
    contract)
  values (gen_random_uuid(), now() - ago, case when number > 0 then pg_temp.member(number) end, pg_temp.site(site), 'session-of-test',
    kind, category, 'test', metadata, audience_gate.contract_fingerprint());
  reset role;
end $$;
-- pg_cron may derive too; whoever holds this lock derives alone.
do $$ begin perform pg_advisory_xact_lock(hashtextextended('audience_gate.derive_states', 0)); end $$;
create function pg_temp.derive() returns void language sql as $$ select audience_gate.derive_states() $$;
create function pg_temp.stands(number integer, site text default 'A') returns text language sql as $$
  select current_state || ' ' || trim_scale(engagement_score)
  from public.audience_site_state where site_id = pg_temp.site(site) and user_id = pg_temp.member(number)
$$;
create function pg_temp.path(number integer, site text default 'A') returns text language sql as $$
  select string_agg(to_state || ':' || rule_id, ' ' order by id)
  from public.audience_state_events where site_id = pg_temp.site(site) and user_id = pg_temp.member(number)
$$;
-- What a statement does as a role and a signed-in user: its first value, or its SQLSTATE. Always undone.
create function pg_temp.as_role(role_name text, number integer, statement text) returns text language plpgsql as $$
declare
  answer text;
begin
  if number is not null then
    perform set_config('request.jwt.claims', json_build_object('sub', pg_temp.member(number), 'role', role_name)::text, true);
  end if;
  perform set_config('role', role_name, true);
  execute statement into answer;
  raise exception using errcode = 'ZZ000', message = coalesce(answer, '');
exception
  when sqlstate 'ZZ000' then return sqlerrm;
  when others then return sqlstate;
end $$;

insert into public.audience_sites (id, name) values (pg_temp.site('B'), 'B');
insert into public.audience_site_members (site_id, user_id, role)
values (pg_temp.site('A'), pg_temp.member(91), 'owner'), (pg_temp.site('A'), pg_temp.member(92), 'viewer'),
  (pg_temp.site('B'), pg_temp.member(93), 'owner');

-- Nothing, then near misses, then states.
select is((select count(*) from public.audience_site_state), 0::bigint, 'no events, no states');
select pg_temp.happened(0, 'content_view', '1 hour');
select pg_temp.happened(1, 'server_error', '1 hour');
select pg_temp.derive();
select is((select count(*) from public.audience_site_state), 0::bigint, 'visitors and system events make no states');

select pg_temp.happened(1, 'page_view', '10 days');
select pg_temp.derive();
select is(pg_temp.stands(1), 'S0 0.2', 'the first event makes the lowest state');
select pg_temp.happened(1, 'network_plan_started', '9 days');
select pg_temp.derive();
select is(pg_temp.stands(1), 'S1 20.2', 'one event moves one step, however high the score');
select pg_temp.happened(1, 'server_error', '8 days');
select pg_temp.derive();
select is(pg_temp.stands(1), 'S1 20.2', 'a system event moves neither score nor state');
select pg_temp.happened(1, 'page_view', '7 days');
select pg_temp.happened(1, 'page_view', '6 days');
select pg_temp.derive();
select is(pg_temp.stands(1), 'S2 20.6', 'the next event takes the next step, and no further than the score');
select is(pg_temp.path(1), 'S0:first_event S1:score_threshold S2:score_threshold', 'every step is in the history, with its rule');
select is((select count(*) from public.audience_state_events where changed_by is null or changed_by <> 'system:derivation'), 0::bigint,
  'every derived change names the derivation as its actor');
select is((select effective_at from public.audience_state_events where user_id = pg_temp.member(1) and site_id is not null and to_state = 'S2'),
  now() - interval '7 days', 'a change holds since the event that caused it');
select is((select e.event_type from public.audience_state_events h join public.audience_events e on e.id = h.event_id
    where h.user_id = pg_temp.member(1) and h.site_id is not null and h.to_state = 'S1'), 'network_plan_started', 'and names that event');
select pg_temp.derive();
select is(pg_temp.path(1), 'S0:first_event S1:score_threshold S2:score_threshold', 'deriving again without news changes nothing');

-- A rejected event counts for nothing.
insert into public.audience_events (user_id, session_id, event_type, event_category, event_source)
values (pg_temp.member(1), 'session-of-test', 'nonsense', 'engagement', 'test');
select pg_temp.derive();
select is(pg_temp.stands(1), 'S2 20.6', 'a rejected event moves neither score nor state');

-- The overall state follows the sites.
select pg_temp.happened(1, 'content_share', '5 days', 'B');
select pg_temp.derive();
select is(pg_temp.stands(1, 'B'), 'S1 4', 'each site has a state of its own');
select results_eq(
  $$ select current_state, trim_scale(engagement_score)::text, last_event_type from public.audience_state where user_id = pg_temp.member(1) $$,
  $$ values ('S2', '24.6', 'content_share') $$, 'overall: the highest state, the sum of the scores');
select is((select string_agg(to_state, ' ' order by id) from public.audience_state_events where user_id = pg_temp.member(1) and site_id is null),
  'S0 S1 S2', 'and every step of it is recorded too');

-- An event that turns up late is put in its place.
select pg_temp.happened(2, 'content_view', '5 days');
select pg_temp.happened(2, 'content_view', '3 days');
select pg_temp.derive();
select is(pg_temp.stands(2), 'S1 2', 'two views, one step');
select pg_temp.happened(2, 'network_plan_started', '4 days');
select pg_temp.derive();
select is(pg_temp.stands(2), 'S2 22', 'an event recorded between two applied ones is applied between them');
select is(pg_temp.path(2), 'S0:first_event S1:score_threshold S2:recomputed', 'what it changes is recorded as a recomputation');

-- Inactivity: found by the sweep, judged by the gate, applied by the derivation.
select pg_temp.happened(3, 'network_plan_started', '20 days');
select pg_temp.happened(3, 'page_view', '14 days 1 minute');
select pg_temp.happened(4, 'network_plan_started', '20 days');
select pg_temp.happened(4, 'page_view', '13 days 23 hours');
select pg_temp.derive();
select is(pg_temp.stands(3) || ', ' || pg_temp.stands(4), 'S2 20.2, S2 20.2', 'two engaged members');
select is(audience_gate.sweep_inactivity('{}'), '{"emitted": 1, "rejected": 0}', 'the one away for 14 days is found, the other is not');
select results_eq(
  $$ select user_id, event_category, not rejected, metadata from public.audience_events where event_type = 'inactivity_detected' $$,
  $$ values (pg_temp.member(3), 'retention', true,
    '{"prior_state": "S2", "new_state": "S1", "inactivity_days": 14, "rule_id": "inactivity_14d"}'::jsonb) $$,
  'as an accepted retention event that names its rule');
select is(audience_gate.sweep_inactivity('{}'), '{"emitted": 0, "rejected": 0}', 'a second sweep finds nothing new');
select is(pg_temp.stands(3), 'S2 20.2', 'the sweep itself changes no state');
select pg_temp.derive();
select is(pg_temp.stands(3), 'S1 1', 'the derivation takes the step down, and the score to the floor of the state');
select is((select rule_id from public.audience_state_events where user_id = pg_temp.member(3) and site_id is not null order by id desc limit 1),
  'inactivity_14d', 'the history names the rule');
select pg_temp.happened(3, 'plan_started', '-1 hour');
select pg_temp.derive();
select is(pg_temp.path(3), 'S0:first_event S1:score_threshold S2:score_threshold S1:inactivity_14d S2:reactivation',
  'who comes back and earns it steps up again');
select is((select count(*) from public.audience_rules r where r.kind = 'inactivity' and r.active
  and audience_gate.retention_holds(jsonb_build_object('rule_id', r.id, 'prior_state', r.prior_state, 'new_state', r.new_state),
    r.prior_state, r.new_state, now(), now() - r.inactivity_days * interval '1 day')), 5::bigint, 'every inactivity rule holds at its day');
select is((select count(*) from public.audience_rules r where r.kind = 'inactivity' and r.active
  and audience_gate.retention_holds(jsonb_build_object('rule_id', r.id, 'prior_state', r.prior_state, 'new_state', r.new_state),
    r.prior_state, r.new_state, now(), now() - r.inactivity_days * interval '1 day' + interval '1 second')), 0::bigint, 'and none a second before');

-- Claims that do not hold.
select pg_temp.happened(4, 'inactivity_detected', '1 hour', 'A', '{"prior_state":"S2","new_state":"S1","inactivity_days":99,"rule_id":"inactivity_30d"}');
select pg_temp.happened(4, 'reactivated', '1 hour', 'A', '{"prior_state":"S2","new_state":"S3","inactivity_days":0,"rule_id":"reactivation"}');
select pg_temp.happened(1, 'inactivity_detected', '1 hour', 'A', '{"prior_state":"S2","new_state":"S1","inactivity_days":99,"rule_id":"inactivity_14d"}');
select pg_temp.derive();
select is(pg_temp.stands(4), 'S2 20.2', 'a claim under a rule for other states, or of a step up, moves no state');
select is(pg_temp.stands(1), 'S2 20.6', 'nor does one about somebody who was active since');

-- Reading.
select results_eq(
  $$ select from_state, to_state, changed_by, rule_id, event_type, seconds_before from public.audience_state_timeline(pg_temp.site('A'), pg_temp.member(1)) $$,
  $$ values (null, 'S0', 'system:derivation', 'first_event', null, null::numeric),
    ('S0', 'S1', 'system:derivation', 'score_threshold', 'network_plan_started', 86400.000),
    ('S1', 'S2', 'system:derivation', 'score_threshold', 'page_view', 172800.000) $$,
  'the timeline tells what happened, by whom, why and after how long');
select is(public.audience_state_at(pg_temp.site('A'), pg_temp.member(1), now() - interval '8 days', false), 'S1', 'the state that held at a moment');
select is(public.audience_state_at(pg_temp.site('A'), pg_temp.member(1), now() - interval '8 days'), null, 'is not what was on record then');
select is(public.audience_state_at(pg_temp.site('A'), pg_temp.member(1), now()), 'S2', 'on record now');
select is(public.audience_state_at(pg_temp.site('A'), pg_temp.member(1), now() - interval '11 days', false), null, 'before the first event there was none');

-- Reverting.
select is(pg_temp.as_role('authenticated', 91, format($$ select public.audience_state_revert(%L, %L, 'bought by mistake') $$, pg_temp.site('A'), pg_temp.member(1))),
  'S1', 'an owner of the site reverts the last change');
do $$
begin
  perform set_config('request.jwt.claims', json_build_object('sub', pg_temp.member(91))::text, true);
  set local role authenticated;
  perform public.audience_state_revert('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001', 'bought by mistake');
  reset role;
  perform set_config('request.jwt.claims', '', true);
end $$;
select is((select concat_ws(' ', from_state, to_state, changed_by, rule_id, notes) from public.audience_state_events
    where user_id = pg_temp.member(1) and site_id is not null order by id desc limit 1),
  'S2 S1 user:00000000-0000-4000-8000-000000000091 state_revert bought by mistake', 'as a new change with its own actor, rule and notes');
select is(pg_temp.stands(1), 'S1 1', 'the score goes to the floor of the state, so that the next event does not undo it');
select pg_temp.happened(1, 'page_view', '-1 hour');
select pg_temp.derive();
select is(pg_temp.stands(1), 'S1 1.2', 'the derivation goes on from there');
select pg_temp.happened(1, 'page_view', '2 days');
select pg_temp.derive();
select is(pg_temp.stands(1), 'S1 1.2', 'an event from before the revert stays before it');
select results_eq(
  $$ select who, pg_temp.as_role(who, number, statement) from (values
    ('authenticated', 92, $q$ select public.audience_state_revert('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001') $q$),
    ('authenticated', 93, $q$ select public.audience_state_revert('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001') $q$),
    ('authenticated', 1, $q$ select public.audience_state_revert('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001') $q$),
    ('anon', null, $q$ select public.audience_state_revert('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001') $q$),
    ('service_role', null, $q$ select public.audience_state_revert('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001') $q$),
    ('service_role', null, $q$ select public.audience_state_revert('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001', null, 1) $q$),
    ('service_role', null, $q$ select public.audience_state_revert('00000000-0000-4000-8000-00000000000b', '00000000-0000-4000-8000-000000000004') $q$)
  ) as t (who, number, statement) $$,
  $$ values ('authenticated', '42501'), ('authenticated', '42501'), ('authenticated', '42501'), ('anon', '42501'),
    ('service_role', 'S2'), ('service_role', 'PT409'), ('service_role', 'P0002') $$,
  'a viewer, another site''s owner, the member and a visitor may not revert; only the last change can be');
select throws_ok($$ select public.audience_state_revert(pg_temp.site('B'), pg_temp.member(5)) $$, 'P0002', null, 'nobody, nothing');
select pg_temp.happened(5, 'page_view', '1 day', 'B');
select pg_temp.derive();
select throws_ok($$ select public.audience_state_revert(pg_temp.site('B'), pg_temp.member(5)) $$, '23514', null, 'a first state cannot be reverted');

-- There is no way round the history.
select throws_ok($$ update public.audience_site_state set current_state = 'S3' where user_id = pg_temp.member(5) $$, '23514', null,
  'a blocked jump is refused whoever makes it');
select throws_ok($$ insert into public.audience_state (user_id, current_state) values (pg_temp.member(6), 'S5') $$, '23514', null,
  'as a first state too');
select throws_ok($$ update public.audience_state set current_state = 'S9' where user_id = pg_temp.member(5) $$, '23503', null,
  'and a state that is not registered');
select throws_ok($$ update public.audience_state set user_id = pg_temp.member(7) where user_id = pg_temp.member(5) $$, '42501', null,
  'a state stays with its person');
select throws_ok(format('%s', statement), '42501', null, statement)
from (values ('delete from public.audience_state'), ('truncate public.audience_state'), ('delete from public.audience_site_state'),
  ('truncate public.audience_site_state'), ('update public.audience_state_events set notes = null'), ('delete from public.audience_state_events'),
  ('truncate public.audience_state_events')) as t (statement);
select audience_gate.announce_change('user:00000000-0000-4000-8000-000000000077', 'manual_correction', 'told us on the phone');
update public.audience_state set current_state = 'S1' where user_id = pg_temp.member(5);
select audience_gate.announce_change(null, null);
select is((select concat_ws(' ', changed_by, rule_id, notes) from public.audience_state_events where user_id = pg_temp.member(5) order by id desc limit 1),
  'user:00000000-0000-4000-8000-000000000077 manual_correction told us on the phone', 'a back end says for whom and why');
update public.audience_state set current_state = 'S0' where user_id = pg_temp.member(5);
select is((select concat_ws(' ', changed_by ~ '^role:', rule_id) from public.audience_state_events where user_id = pg_temp.member(5) order by id desc limit 1),
  't direct_change', 'a change that says nothing is recorded with its role');

-- Who sees what: members 91 and 92 of site A, 93 of site B, member 1 themself, a stranger, a visitor, a back end.
create temp table visible as
select who, what, pg_temp.as_role(role_name, number, statement) as got
from (values ('owner of A', 'authenticated', 91), ('viewer of A', 'authenticated', 92), ('owner of B', 'authenticated', 93),
    ('member 1', 'authenticated', 1), ('stranger', 'authenticated', 99), ('visitor', 'anon', null::integer), ('back end', 'service_role', null)) as r (who, role_name, number)
cross join (values
  ('states at A', $$ select (count(*) > 0)::text from public.audience_site_state where site_id = '00000000-0000-4000-8000-000000000001' and user_id <> '00000000-0000-4000-8000-000000000001' $$),
  ('states at B', $$ select (count(*) > 0)::text from public.audience_site_state where site_id = '00000000-0000-4000-8000-00000000000b' and user_id <> '00000000-0000-4000-8000-000000000001' $$),
  ('history at A', $$ select (count(*) > 0)::text from public.audience_state_events where site_id = '00000000-0000-4000-8000-000000000001' and user_id <> '00000000-0000-4000-8000-000000000001' $$),
  ('overall of 2', $$ select (count(*) > 0)::text from public.audience_state_events where site_id is null and user_id = '00000000-0000-4000-8000-000000000002' $$),
  ('timeline of 1 at A', $$ select (count(*) > 0)::text from public.audience_state_timeline('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001') $$),
  ('overall timeline of 1', $$ select (count(*) > 0)::text from public.audience_state_timeline(null, '00000000-0000-4000-8000-000000000001') $$),
  ('state of 2 at A', $$ select public.audience_state_at('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002', now()) $$),
  ('actors of B', $$ select (count(*) > 0)::text from public.audience_state_actors('00000000-0000-4000-8000-00000000000b', now() - interval '90 days', now() + interval '1 day') $$),
  ('write a state', $$ update public.audience_site_state set engagement_score = 9 returning 'written' $$),
  ('write overall', $$ update public.audience_state set engagement_score = 9 returning 'written' $$),
  ('write history', $$ insert into public.audience_state_events (user_id, to_state, changed_by, rule_id) values (gen_random_uuid(), 'S0', 'system:me', 'direct_change') returning 'written' $$),
  ('derive', $$ select audience_gate.derive_states() ->> 'members' $$),
  ('recompute', $$ select public.audience_recompute_states(null, '00000000-0000-4000-8000-000000000099')::text $$)
) as s (what, statement);
select is((select string_agg(rpad(what, 22) || string_agg_of, E'\n' order by what) from (
  select what, string_agg(rpad(got, 6), ' ' order by position(who in 'owner of A, viewer of A, owner of B, member 1, stranger, visitor, back end')) as string_agg_of
  from visible group by what) rows),
--                        owner A viewer  owner B member stranger visitor back end
'actors of B           42501  42501  true   42501  42501  42501  true  ' || E'\n' ||
'derive                42501  42501  42501  42501  42501  42501  0     ' || E'\n' ||
'history at A          true   true   false  false  false  42501  true  ' || E'\n' ||
'overall of 2          false  false  false  false  false  42501  true  ' || E'\n' ||
'overall timeline of 1 42501  42501  42501  true   42501  42501  true  ' || E'\n' ||
'recompute             42501  42501  42501  42501  42501  42501  0     ' || E'\n' ||
'state of 2 at A       S2     S2     42501  42501  42501  42501  S2    ' || E'\n' ||
'states at A           true   true   false  false  false  42501  true  ' || E'\n' ||
'states at B           false  false  true   false  false  42501  true  ' || E'\n' ||
'timeline of 1 at A    true   true   42501  true   42501  42501  true  ' || E'\n' ||
'write a state         42501  42501  42501  42501  42501  42501  42501 ' || E'\n' ||
'write history         42501  42501  42501  42501  42501  42501  42501 ' || E'\n' ||
'write overall         42501  42501  42501  42501  42501  42501  42501 ',
'who sees and does what');

select * from finish();
rollback;
