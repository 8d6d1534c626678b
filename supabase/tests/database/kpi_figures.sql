-- The figures on a month small enough to work out by hand. Site A has three people over three weeks:
--
--           week of 7 September             week of 14 September               week of 21 September
--   Ada     Mon 10:00 visit, 10:05 read     Tue 09:00 visit                    Wed logs a protocol
--   Ben     Wed 08:00 visit, 08:10 read,    Mon 02:00 visit, which in New
--           08:20 subscribe                 York is still Sunday
--   a visitor                               Tue 12:00 visit
--
-- and on Wednesday the 9th one error, four page timings and one refused event, on Thursday two more. Ada
-- moves through three states.
-- Site B has five visits of Ada's, which nobody may see in site A. At site C Cleo visits and reads before she signs in
-- and subscribes; she and Dan use one session in a shop, which somebody had begun; and a stranger visits. Every figure is
-- checked three times: from the events alone, with half of them in the views, and from the views alone.

begin;
-- pg_cron may refresh too; whoever holds this lock refreshes alone.
do $$ begin perform pg_advisory_xact_lock(hashtextextended('audience_gate.refresh_analytics', 0)); end $$;
select plan(71);

insert into public.audience_sites (id, name) values
  ('aaaaaaaa-0000-4000-8000-000000000000', 'A'), ('bbbbbbbb-0000-4000-8000-000000000000', 'B'),
  ('cccccccc-0000-4000-8000-000000000000', 'C');
update audience_gate.analytics_settings set settle = '0';
select audience_gate.add_site_zone('aaaaaaaa-0000-4000-8000-000000000000', 'America/New_York');

create temp table told (part int, site text, who uuid, session text, type text, at timestamptz, metadata jsonb) on commit drop;
insert into told values
  (1, 'a', '11111111-0000-4000-8000-000000000000', 'session-ada-1', 'page_view', '2026-09-07 10:00Z', '{}'),
  (1, 'a', '11111111-0000-4000-8000-000000000000', 'session-ada-1', 'content_view', '2026-09-07 10:05Z', '{"duration_seconds": 30}'),
  (2, 'a', '11111111-0000-4000-8000-000000000000', 'session-ada-2', 'page_view', '2026-09-15 09:00Z', '{}'),
  (1, 'a', '11111111-0000-4000-8000-000000000000', 'session-ada-3', 'protocol_logged', '2026-09-23 15:00Z', '{}'),
  (2, 'a', '22222222-0000-4000-8000-000000000000', 'session-ben-1', 'page_view', '2026-09-09 08:00Z', '{}'),
  (1, 'a', '22222222-0000-4000-8000-000000000000', 'session-ben-1', 'content_view', '2026-09-09 08:10Z', '{"duration_seconds": 60}'),
  (2, 'a', '22222222-0000-4000-8000-000000000000', 'session-ben-1', 'email_subscribe', '2026-09-09 08:20Z', '{}'),
  (1, 'a', '22222222-0000-4000-8000-000000000000', 'session-ben-2', 'page_view', '2026-09-14 02:00Z', '{}'),
  (2, 'a', null, 'session-visitor', 'page_view', '2026-09-15 12:00Z', '{}'),
  (1, 'a', null, 'session-errors', 'error_occurred', '2026-09-09 09:00Z', '{"error_code": "E1"}'),
  (1, 'a', null, 'session-timing', 'page_performance', '2026-09-09 09:00Z', '{"load_ms": 100}'),
  (2, 'a', null, 'session-timing', 'page_performance', '2026-09-09 09:01Z', '{"load_ms": 200}'),
  (1, 'a', null, 'session-timing', 'page_performance', '2026-09-09 09:02Z', '{"load_ms": 300}'),
  (2, 'a', null, 'session-timing', 'page_performance', '2026-09-09 09:03Z', '{"load_ms": 400}'),
  (1, 'a', null, 'session-wrong', 'event_validation_fail', '2026-09-09 11:00Z', '{"validation_rule_id": "privacy.raw_email"}'),
  (1, 'a', null, 'session-wrong', 'event_validation_fail', '2026-09-10 11:00Z', '{"validation_rule_id": "base.session_id"}'),
  (1, 'a', null, 'session-wrong', 'event_validation_fail', '2026-09-10 12:00Z', '{"validation_rule_id": "base.session_id"}'),
  (1, 'b', '11111111-0000-4000-8000-000000000000', 'session-ada-b', 'page_view', '2026-09-08 10:00Z', '{}'),
  (2, 'b', '11111111-0000-4000-8000-000000000000', 'session-ada-b', 'page_view', '2026-09-08 10:01Z', '{}'),
  (1, 'b', '11111111-0000-4000-8000-000000000000', 'session-ada-b', 'page_view', '2026-09-08 10:02Z', '{}'),
  (2, 'b', '11111111-0000-4000-8000-000000000000', 'session-ada-b', 'page_view', '2026-09-08 10:03Z', '{}'),
  (1, 'b', '11111111-0000-4000-8000-000000000000', 'session-ada-b', 'page_view', '2026-09-08 10:04Z', '{}'),
  (1, 'c', null, 'session-cleo', 'page_view', '2026-09-07 10:00Z', '{}'),
  (1, 'c', null, 'session-cleo', 'content_view', '2026-09-07 10:01Z', '{"duration_seconds": 30}'),
  (2, 'c', '33333333-0000-4000-8000-000000000000', 'session-cleo', 'email_subscribe', '2026-09-07 10:02Z', '{}'),
  (1, 'c', null, 'session-shop', 'page_view', '2026-09-08 09:00Z', '{}'),
  (1, 'c', '33333333-0000-4000-8000-000000000000', 'session-shop', 'content_view', '2026-09-08 09:01Z', '{}'),
  (2, 'c', '44444444-0000-4000-8000-000000000000', 'session-shop', 'content_view', '2026-09-08 09:02Z', '{}'),
  (1, 'c', null, 'session-stranger', 'page_view', '2026-09-09 09:00Z', '{}');
grant select on told to audience_gate_store;
set local role audience_gate_store;

-- Part 1 arrived when it happened, part 2 a minute ago.
insert into public.audience_events
  (created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, occurred_at, rejected,
    contract)
select case t.part when 1 then t.at else now() - interval '1 minute' end, t.who, t.session, t.type, y.category, 'web', t.metadata,
  (repeat(t.site, 8) || '-0000-4000-8000-000000000000')::uuid, t.at, t.type = 'event_validation_fail',
  audience_gate.contract_fingerprint()
from told t
join public.audience_event_types y on y.id = t.type;
set local role audience_gate_owner;
insert into public.audience_state_events (site_id, user_id, from_state, to_state, changed_by, changed_at, effective_at, rule_id)
select 'aaaaaaaa-0000-4000-8000-000000000000', '11111111-0000-4000-8000-000000000000', s.from_state, s.to_state,
  'system:derivation', s.at, s.at, 'score_threshold'
from (values (null, 'S0', timestamptz '2026-09-07 10:00Z'), ('S0', 'S1', '2026-09-09 10:00Z'), ('S1', 'S2', '2026-09-14 10:00Z')) s (from_state, to_state, at);
reset role;

create temp table figure (name text, read text, wanted text) on commit drop;
insert into figure values
  ('the overview', 'events, people, new_people, sessions, engaged_seconds, score, errors from public.kpi_overview(A, WEEKS)',
    '(9::bigint, 3::bigint, 3::bigint, 6::bigint, 90::numeric, 11::numeric, 1::bigint)'),
  ('in the second week the visitor is new, the others return', 'people, new_people, returning_people from public.kpi_overview(A, SECOND)',
    '(3::bigint, 1::bigint, 2::bigint)'),
  ('site B has its own', 'events, people, sessions, score, rejected from public.kpi_overview(B, WEEKS)',
    '(5::bigint, 1::bigint, 1::bigint, 1::numeric, 0::bigint)'),
  ('engagement by tier', $$tier, events, people, score from public.kpi_engagement(A, WEEKS, 'total')$$,
    $$('all', 9::bigint, 3::bigint, 11::numeric), ('consumer', 8, 3, 8), ('practitioner', 1, 1, 3)$$),
  ('engagement by week', $$period, events, people from public.kpi_engagement(A, WEEKS, 'week') where tier = 'all'$$,
    $$(date '2026-09-07', 5::bigint, 2::bigint), ('2026-09-14', 3, 3), ('2026-09-21', 1, 1)$$),
  ('in New York Ben''s second visit is in the first week',
    $$period, events, people from public.kpi_engagement(A, WEEKS, 'week', 'America/New_York') where tier = 'all'$$,
    $$(date '2026-09-07', 6::bigint, 2::bigint), ('2026-09-14', 2, 2), ('2026-09-21', 1, 1)$$),
  ('adoption', 'event_type, events, people, active_people, adoption_rate from public.kpi_feature_adoption(A, WEEKS)',
    $$('page_view', 5::bigint, 3::bigint, 3::bigint, 1::numeric), ('content_view', 2, 2, 3, 0.6667),
      ('email_subscribe', 1, 1, 3, 0.3333), ('protocol_logged', 1, 1, 3, 0.3333)$$),
  ('the funnel', 'position::int, people, rate_from_start, rate_from_previous, dropped, average_seconds from public.kpi_funnel(A, WEEKS)',
    '(1, 3::bigint, 1::numeric, null::numeric, 0::bigint, 0::numeric), (2, 2, 0.6667, 0.6667, 1, 450),
     (3, 1, 0.3333, 0.5, 1, 1200), (4, 0, 0, 0, 1, null)'),
  ('a visitor who signs in goes on through the funnel', 'position::int, people, dropped, average_seconds from public.kpi_funnel(C, WEEKS)',
    '(1, 3::bigint, 0::bigint, 0::numeric), (2, 1, 2, 60), (3, 1, 0, 120), (4, 0, 1, null)'),
  ('who the people are',
    'people, signed_in_people, visitors, sessions, signed_in_sessions, stitched_sessions, unstitched_sessions, shared_sessions,
     stitched_events from public.kpi_people(C, WEEKS)',
    '(4::bigint, 2::bigint, 2::bigint, 3::bigint, 0::bigint, 1::bigint, 1::bigint, 1::bigint, 2::bigint)'),
  ('weekly retention', 'cohort, people, retained from public.kpi_retention(A, WEEKS, periods => 2)',
    $$(date '2026-09-07', 2::bigint, array[2, 2, 1]::bigint[]), ('2026-09-14', 1, array[1, 0, 0])$$),
  ('weekly retention in New York', $$cohort, people, retained from public.kpi_retention(A, WEEKS, 'week', 'America/New_York', 2)$$,
    $$(date '2026-09-07', 2::bigint, array[2, 1, 1]::bigint[]), ('2026-09-14', 1, array[1, 0, 0])$$),
  ('weekly retention in Kathmandu, which has no view', $$cohort, people, retained from public.kpi_retention(A, WEEKS, 'week', 'Asia/Kathmandu', 2)$$,
    $$(date '2026-09-07', 2::bigint, array[2, 2, 1]::bigint[]), ('2026-09-14', 1, array[1, 0, 0])$$),
  ('daily retention', $$cohort, retained from public.kpi_retention(A, WEEKS, 'day', periods => 8)$$,
    $$(date '2026-09-07', array[1, 0, 0, 0, 0, 0, 0, 0, 1]::bigint[]), ('2026-09-09', array[1, 0, 0, 0, 0, 1, 0, 0, 0]),
      ('2026-09-15', array[1, 0, 0, 0, 0, 0, 0, 0, 0])$$),
  ('errors', 'period, event_type, code, events, per_thousand from public.kpi_errors(A, WEEKS)',
    $$(date '2026-09-09', 'error_occurred', 'E1', 1::bigint, 333.3333)$$),
  ('timings', 'measure, unit, samples, mean::int, abs(p50 - 200) <= 2, abs(p95 - 400) <= 4, max::int from public.kpi_performance(A, WEEKS)',
    $$('page_performance.load_ms', 'ms', 4::bigint, 250, true, true, 400)$$),
  ('what was refused', 'rule_id, accepted, rejected, received, rate, share from public.kpi_data_quality(A, WEEKS)',
    $$(null, 8::bigint, 3::bigint, 11::bigint, 0.2727, 1::numeric), ('base.session_id', 8, 2, 11, 0.1818, 0.6667),
      ('privacy.raw_email', 8, 1, 11, 0.0909, 0.3333)$$),
  ('changes of state', 'from_state, to_state, transitions, average_dwell_seconds from public.kpi_state_funnel(A, WEEKS)',
    $$(null, 'S0', 1::bigint, null::numeric), ('S0', 'S1', 1, 172800), ('S1', 'S2', 1, 432000)$$),
  ('time in a state', 'state, stays, mean_seconds, abs(p50_seconds / mean_seconds - 1) < 0.01 from public.kpi_state_dwell(A, WEEKS)',
    $$('S0', 1::bigint, 172800::numeric, true), ('S1', 1, 432000, true)$$),
  ('who stands where', $$period, state, entered, left_state, people_at_end from public.kpi_state_trend(A, WEEKS, 'week')
    where entered + left_state + people_at_end > 0$$,
    $$(date '2026-09-07', 'S0', 1::bigint, 1::bigint, 0::bigint), ('2026-09-07', 'S1', 1, 0, 1), ('2026-09-14', 'S1', 0, 1, 0),
      ('2026-09-14', 'S2', 1, 0, 1), ('2026-09-21', 'S2', 0, 0, 1)$$);
update figure set read = replace(replace(replace(replace(replace(read,
  '(A,', $$('aaaaaaaa-0000-4000-8000-000000000000',$$), '(B,', $$('bbbbbbbb-0000-4000-8000-000000000000',$$),
  '(C,', $$('cccccccc-0000-4000-8000-000000000000',$$),
  'WEEKS', $$'2026-09-07Z', '2026-09-28Z'$$), 'SECOND', $$'2026-09-14Z', '2026-09-21Z'$$);

select results_eq('select ' || read, 'values ' || wanted, 'from the events: ' || name) from figure;

update audience_gate.analytics_settings set settle = '2 minutes';
select is(audience_gate.refresh_analytics() ->> 'outcome', 'ok', 'the views are refreshed');
select cmp_ok(
  (select max(tail_events) from public.kpi_freshness('aaaaaaaa-0000-4000-8000-000000000000')), '=', 6::bigint,
  'six of the events are newer than the views');
select results_eq('select ' || read, 'values ' || wanted, 'half of it late: ' || name) from figure;

update audience_gate.analytics_settings set settle = '0';
select is(audience_gate.refresh_analytics() ->> 'outcome', 'ok', 'the views are refreshed again');
select cmp_ok(
  (select max(tail_events) from public.kpi_freshness('aaaaaaaa-0000-4000-8000-000000000000')), '=', 0::bigint,
  'nothing is newer than the views');
select results_eq('select ' || read, 'values ' || wanted, 'from the views: ' || name) from figure;

-- An edit counts at once, before any refresh.
insert into audience_gate.person_rules (site_id, rule) values ('cccccccc-0000-4000-8000-000000000000', 'never');
select results_eq(
  $$select people, signed_in_people, sessions, stitched_sessions, unstitched_sessions, shared_sessions
    from public.kpi_people('cccccccc-0000-4000-8000-000000000000', '2026-09-07Z', '2026-09-28Z')$$,
  'values (5::bigint, 2::bigint, 3::bigint, 0::bigint, 2::bigint, 1::bigint)', 'a site whose rule is never joins nobody');
select is(
  (select people from public.kpi_overview('cccccccc-0000-4000-8000-000000000000', '2026-09-07Z', '2026-09-28Z')), 5::bigint,
  'and says so in every figure');
select cmp_ok(
  (select max(tail_events) from public.kpi_freshness('cccccccc-0000-4000-8000-000000000000')), '=', 0::bigint,
  'and its views are as old as before');

select is(
  (select count(*) from public.kpi_freshness('aaaaaaaa-0000-4000-8000-000000000000') where outcome = 'ok' and duration_ms > 0),
  (select count(*) from pg_catalog.pg_class where relnamespace = 'audience_gate'::regnamespace and relkind = 'm'),
  'every view was refreshed, and the refresh of each was logged');

-- A refresh that fails half-way leaves every view as it was, and says so.
update audience_gate.analytics_settings set settle = '1 hour';
alter materialized view audience_gate.state_flow owner to postgres;
select is(audience_gate.refresh_analytics() - 'duration_ms', '{"outcome": "failed", "view": "state_flow", "sqlstate": "42501"}', 'a refresh fails');
alter materialized view audience_gate.state_flow owner to audience_gate_owner;
select results_eq(
  $$select view_name, outcome from public.kpi_freshness('aaaaaaaa-0000-4000-8000-000000000000') where outcome <> 'ok'$$,
  $$values ('state_flow', 'failed')$$, 'the failure is logged');
select is(
  (select max(covered_until) from public.kpi_freshness('aaaaaaaa-0000-4000-8000-000000000000')),
  (select covered_until from public.kpi_overview('aaaaaaaa-0000-4000-8000-000000000000', '2026-09-07Z', '2026-09-28Z')),
  'the boundary of the live tail is where it was');

select * from finish();
rollback;
