-- States rest on evidence: what counts, how often, what a state requires, who may place one, and what is guarded.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();

create function pg_temp.member(number integer) returns uuid language sql immutable as
$$ select ('00000000-0000-4000-8000-0000000001' || lpad(number::text, 2, '0'))::uuid $$;
create function pg_temp.site() returns uuid language sql immutable as $$ select '00000000-0000-4000-8000-000000000001'::uuid $$;
create function pg_temp.happened(number integer, kind text, ago interval, metadata jsonb default '{}', times integer default 1,
  judged_by text default audience_gate.contract_fingerprint())
returns void language plpgsql as $$
declare
  category text := (select t.category from public.audience_event_types t where t.id = kind);
begin
  set local role audience_gate_store;
  insert into public.audience_events (id, created_at, user_id, site_id, session_id, event_type, event_category, event_source, metadata,
    contract)
  select gen_random_uuid(), date_trunc('day', now()) - ago + n * interval '3 seconds', pg_temp.member(number), pg_temp.site(),
    'session-of-test', kind, category, 'test', metadata, judged_by
  from generate_series(1, times) n;
  reset role;
end $$;
do $$ begin perform pg_advisory_xact_lock(hashtextextended('audience_gate.derive_states', 0)); end $$;
create function pg_temp.derive() returns void language sql as $$ select audience_gate.derive_states() $$;
create function pg_temp.stands(number integer) returns text language sql as $$
  select current_state || ' ' || trim_scale(engagement_score) from public.audience_site_state
  where site_id = pg_temp.site() and user_id = pg_temp.member(number)
$$;
create function pg_temp.path(number integer) returns text language sql as $$
  select string_agg(to_state || ':' || rule_id, ' ' order by id) from public.audience_state_events
  where site_id = pg_temp.site() and user_id = pg_temp.member(number)
$$;
-- Steps taken by views of pages, which every member makes in time.
create function pg_temp.viewed(number integer, ago interval) returns text language plpgsql as $$
begin
  perform pg_temp.happened(number, 'page_view', ago);
  perform pg_temp.derive();
  return pg_temp.stands(number);
end $$;

-- What never steps a state.
select pg_temp.happened(1, 'content_view', '20 days', times => 2);
select pg_temp.happened(1, 'network_plan_started', '20 days', '{"channel": "web"}');
select pg_temp.derive();
select is(pg_temp.stands(1), 'S2 22', 'two views and a plan');
select pg_temp.happened(1, 'content_share', '19 days', times => 1);
select pg_temp.derive();
select is(pg_temp.stands(1), 'S3 26', 'a consent is in force, so the score takes them to S3');
select pg_temp.happened(1, 'consent_withdrawn', '18 days', '{"channel": "web"}');
select pg_temp.happened(2, 'content_view', '20 days', times => 3);
select pg_temp.happened(2, 'content_share', '20 days', times => 3);
select pg_temp.happened(2, 'quiz_complete', '19 days', times => 3);
select pg_temp.happened(2, 'tool_used', '18 days', times => 1);
select pg_temp.derive();
select is(pg_temp.stands(1), 'S2 26', 'a withdrawn consent takes a member below S3 at once');
select is(pg_temp.path(1), 'S0:first_event S1:score_threshold S2:score_threshold S3:score_threshold S2:consent_withdrawal',
  'by the rule of that name');
select is(pg_temp.viewed(1, '17 days'), 'S2 26.2', 'and no score takes them back');
select is(pg_temp.stands(2), 'S2 26', 'who never subscribed does not become a subscriber, whatever they read or share');
select is((select last_activity_at from public.audience_site_state where user_id = pg_temp.member(1)),
  date_trunc('day', now()) - interval '17 days' + interval '3 seconds', 'withdrawing is no activity');
select pg_temp.happened(1, 'email_subscribe', '16 days', '{"channel": "email"}');
select pg_temp.derive();
select is(pg_temp.path(1), 'S0:first_event S1:score_threshold S2:score_threshold S3:score_threshold S2:consent_withdrawal S3:reactivation',
  'a new consent does');
select pg_temp.happened(1, 'push_subscribe', '15 days', '{"channel": "push"}');
select pg_temp.happened(1, 'consent_withdrawn', '14 days', '{"channel": "push"}');
select pg_temp.derive();
select is(left(pg_temp.stands(1), 2), 'S3', 'another consent is still in force');
select pg_temp.happened(1, 'consent_withdrawn', '13 days', '{"channel": "all of them"}');
select pg_temp.derive();
select is(left(pg_temp.stands(1), 2), 'S2', 'a withdrawal for a channel that nobody consented to takes all of them back');
select is(pg_temp.path(3), null, 'nobody yet');
select pg_temp.happened(3, 'error_occurred', '9 days', times => 5);
select pg_temp.happened(3, 'page_performance', '9 days');
select pg_temp.derive();
select is(pg_temp.stands(3), 'S0 0', 'events of the tier system move nothing');
select ok((select last_activity_at is null and last_event_type is null from public.audience_site_state where user_id = pg_temp.member(3)),
  'and are no activity');
select pg_temp.happened(3, 'content_view', '9 days', times => 9, judged_by => null);
select pg_temp.derive();
select is(pg_temp.stands(3), 'S0 0', 'nor do rows that nobody has judged');

-- Caps.
select pg_temp.happened(4, 'content_share', '30 days', times => 40);
select pg_temp.happened(4, 'content_share', '29 days', times => 500);
select pg_temp.derive();
select is(pg_temp.stands(4), 'S2 24', 'a type counts three times a day, if its cap is three, however often it is sent');
select pg_temp.happened(5, kind, '30 days', times => 2) from unnest(array['network_plan_started', 'clinic_plan_started', 'pro_plan_started']) kind;
select pg_temp.derive();
select is(pg_temp.stands(5), 'S3 40', 'and all types together as much as the install allows');
select is((select day_score from public.audience_site_state where user_id = pg_temp.member(5)), 40::numeric, 'which the row says');
select pg_temp.happened(5, 'content_complete', (n || ' days')::interval, times => 9) from generate_series(20, 29) n;
select pg_temp.derive();
select is(pg_temp.stands(5), 'S4 140', 'nobody is an advocate by reading');
select pg_temp.happened(5, 'content_share', '19 days');
select pg_temp.derive();
select is(pg_temp.stands(5), 'S5 144', 'but by advocacy');
select public.audience_recompute_states(null, pg_temp.member(5));
select pg_temp.derive();
select is(pg_temp.stands(5), 'S5 144', 'a recomputation finds the same');

-- Inactivity: one step at a time, and its days count from the step before.
select pg_temp.happened(6, 'network_plan_started', '73 days', '{"channel": "web"}');
select pg_temp.happened(6, 'clinic_plan_started', '72 days', '{"channel": "web"}');
select pg_temp.happened(6, kind, (n || ' days')::interval, '{"channel": "web"}', 9)
from generate_series(62, 71) n, unnest(array['content_view', 'content_complete', 'content_share']) kind;
select pg_temp.derive();
select is(left(pg_temp.stands(6), 2), 'S5', 'an advocate, away for 61 days');
do $$ begin
  for n in 1..4 loop perform audience_gate.sweep_inactivity('{}'); perform audience_gate.derive_states(); end loop;
end $$;
select is(pg_temp.stands(6), 'S4 60', 'four sweeps take one step, not four');
select is((select count(*) from public.audience_events where event_type = 'inactivity_detected' and user_id = pg_temp.member(6)), 1::bigint,
  'by one event');
select matches((select id::text from public.audience_events where event_type = 'inactivity_detected' and user_id = pg_temp.member(6)),
  '^.{14}8', 'whose id derives from the secret of the install');

-- Placing a state.
select is(public.audience_set_state(pg_temp.site(), pg_temp.member(7), 'S2', notes => 'ticket 4711', actor => 'system:crm-sync'), 'S2',
  'a trusted process places a state, also of somebody new');
select is((select concat_ws(' ', from_state, to_state, changed_by, rule_id, notes) from public.audience_state_events
    where user_id = pg_temp.member(7) and site_id is not null order by id desc limit 1),
  'S0 S2 system:crm-sync manual_correction ticket 4711', 'recorded with actor, rule and notes');
select is((select concat_ws(' ', s.current_state, h.changed_by) from public.audience_state s
    join public.audience_state_events h on h.user_id = s.user_id and h.site_id is null
    where s.user_id = pg_temp.member(7) order by h.id desc limit 1), 'S2 system:crm-sync', 'and the overall state follows');
select is(public.audience_set_state(pg_temp.site(), pg_temp.member(7), 'S4'), 'S4', 'a step that is not blocked');
set local role audience_gate_store;
insert into public.audience_events (created_at, user_id, session_id, event_type, event_category, event_source, contract)
values (clock_timestamp(), pg_temp.member(7), 'session-of-test', 'page_view', 'engagement', 'test', audience_gate.contract_fingerprint());
reset role;
select pg_temp.derive();
select is(pg_temp.stands(7), 'S4 60.2', 'the next page view does not take it back');
select public.audience_recompute_states(null, pg_temp.member(7));
select pg_temp.derive();
select is(pg_temp.stands(7), 'S4 60.2', 'nor does a recomputation');
select throws_ok(statement, code, null, why) from (values
  ($$ select public.audience_set_state(pg_temp.site(), pg_temp.member(8), 'S3') $$, '23514', 'a blocked jump is refused there too'),
  ($$ select public.audience_set_state(pg_temp.site(), pg_temp.member(8), 'S9') $$, '23503', 'a state that is not registered'),
  ($$ select public.audience_set_state(pg_temp.site(), pg_temp.member(8), 'S1', 'no_such_rule') $$, '23514', 'a rule that is not'),
  ($$ select public.audience_set_state(pg_temp.site(), pg_temp.member(8), 'S1', 'inactivity_14d') $$, '23514', 'a rule for other states'),
  ($$ select public.audience_set_state(pg_temp.site(), pg_temp.member(8), 'S1', actor => 'system:derivation') $$, '22023', 'the name of the derivation'),
  ($$ select public.audience_set_state(pg_temp.site(), pg_temp.member(8), 'S1', actor => 'Ada Lovelace') $$, '22023', 'an actor without a form'),
  ($$ select public.audience_set_state(pg_temp.site(), pg_temp.member(8), 'S1', notes => 'asked by ada@example.com') $$, '23514', 'an address in the notes'),
  ($$ select public.audience_set_state(pg_temp.site(), pg_temp.member(8), 'S1', notes => 'paid with 4111 1111 1111 1111') $$, '23514', 'a card'),
  ($$ select public.audience_state_revert(pg_temp.site(), pg_temp.member(7), 'asked by ada@example.com, tel +14155552671') $$, '23514',
    'the notes of a revert are held to the same'),
  ($$ select audience_gate.announce_change('user:00000000-0000-4000-8000-000000000077', 'manual_correction', 'call +14155552671');
      update public.audience_site_state set current_state = 'S3' where user_id = pg_temp.member(7) $$, '23514', 'and so are announced ones')
) as t (statement, code, why);
select is((select count(*) from public.audience_state_events where notes ~ 'ada|4111|4155'), 0::bigint, 'nothing of it was kept');
select is((select count(*) from public.audience_site_state where user_id = pg_temp.member(8)), 0::bigint, 'and nobody was placed');

-- What is derived is guarded, whoever owns the table.
select throws_ok(statement, '42501', null, statement) from (values
  ($$ update public.audience_site_state set engagement_score = 9999 where user_id = pg_temp.member(7) $$),
  ($$ update public.audience_site_state set current_state = 'S5', engagement_score = 9999 where user_id = pg_temp.member(7) $$),
  ($$ update public.audience_site_state set last_activity_at = now() where user_id = pg_temp.member(7) $$),
  ($$ update public.audience_site_state set derived_through = 'infinity' where user_id = pg_temp.member(7) $$),
  ($$ update public.audience_site_state set consents = '{web}' where user_id = pg_temp.member(7) $$),
  ($$ update public.audience_site_state set highest_state = 'S5' where user_id = pg_temp.member(7) $$),
  ($$ update public.audience_state set engagement_score = 9999 where user_id = pg_temp.member(7) $$),
  ($$ update public.audience_state set last_event_type = 'x' where user_id = pg_temp.member(7) $$),
  ($$ update public.audience_state set metadata = '{"a": 1}' where user_id = pg_temp.member(7) $$),
  ($$ insert into public.audience_state (user_id, current_state, engagement_score) values (pg_temp.member(9), 'S0', 9999) $$),
  ($$ insert into public.audience_site_state (site_id, user_id, current_state, highest_state, engagement_score)
      values (pg_temp.site(), pg_temp.member(9), 'S0', 'S0', 9999) $$),
  ($$ insert into public.audience_state_events (user_id, from_state, to_state, changed_by, rule_id, changed_at, effective_at)
      values (pg_temp.member(9), 'S1', 'S5', 'user:ceo', 'manual_correction', '2020-01-01', '2020-01-01') $$),
  ($$ insert into public.audience_state_events (site_id, user_id, from_state, to_state, changed_by, rule_id)
      values (pg_temp.site(), pg_temp.member(7), 'S1', 'S2', 'system:derivation', 'score_threshold') $$)
) as t (statement);
select is(public.audience_state_at(null, pg_temp.member(9), '2021-01-01'), null, 'and nobody stands where only such a row said');
select audience_gate.announce_change('system:derivation', 'score_threshold');
update public.audience_site_state set current_state = 'S3' where user_id = pg_temp.member(7);
select audience_gate.announce_change(null, null);
select is((select concat_ws(' ', from_state, to_state, changed_by) from public.audience_state_events
    where user_id = pg_temp.member(7) and site_id is not null order by id desc limit 1), 'S4 S3 role:' || current_user,
  'nobody acts in the name of the derivation, and history names where the member stood before');

-- A broken row stops nobody else.
insert into public.audience_states (id, name, meaning, rank, min_score) values ('a-state-of-our-own-making', 'Ours', 'ours', 6, 9000);
select pass('a state named by words can be registered');
select pg_temp.happened(number, 'content_view', '2 days') from generate_series(10, 14) number;
create function pg_temp.break() returns trigger language plpgsql as $$
begin
  if new.user_id = pg_temp.member(12) then
    raise exception 'broken' using errcode = '23503';
  end if;
  return new;
end $$;
create trigger trg_break before insert on public.audience_site_state for each row execute function pg_temp.break();
select is((audience_gate.derive_states() -> 'failed')::text,
  format('[{"site_id": "%s", "user_id": "%s", "sqlstate": "23503"}]', pg_temp.site(), pg_temp.member(12)), 'the broken one is named');
select is((select count(*) from public.audience_site_state where user_id between pg_temp.member(10) and pg_temp.member(14)), 4::bigint,
  'and everybody else derived');
select is((select sqlstate || attempts from audience_gate.state_failures f where f.user_id = pg_temp.member(12)), '235031', 'it stays named');
drop trigger trg_break on public.audience_site_state;
select is(public.audience_recompute_states(null, pg_temp.member(12)), 1::bigint, 'once mended');
select pg_temp.derive();
select is(pg_temp.stands(12), 'S1 1', 'it is derived');
select is((select count(*) from audience_gate.state_failures), 0::bigint, 'and no longer named');

select * from finish();
rollback;
