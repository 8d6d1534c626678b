-- The reports on states, against figures counted by hand.
begin;
select plan(6);

insert into public.audience_sites (id, name) values ('00000000-0000-4000-8000-00000000000b', 'B');
create function pg_temp.moved(number integer, moved_to text, at timestamptz, actor text default 'system:derivation', rule text default 'score_threshold')
returns void language plpgsql as $$
declare
  who uuid := ('00000000-0000-4000-8000-0000000000' || lpad(number::text, 2, '0'))::uuid;
begin
  perform audience_gate.announce_change(actor, rule, null, null, at);
  update public.audience_site_state set current_state = moved_to
  where site_id = '00000000-0000-4000-8000-00000000000b' and user_id = who;
  if not found then
    insert into public.audience_site_state (site_id, user_id, current_state, highest_state)
    values ('00000000-0000-4000-8000-00000000000b', who, moved_to, moved_to);
  end if;
  perform audience_gate.announce_change(null, null);
end $$;

-- Days of June 2026 (the 1st is a Monday). Two reach S2, one of them falls back; one stays in S0; one came before.
do $$
begin
  perform pg_temp.moved(1, 'S0', '2026-06-01 00:00+00', rule => 'first_event');
  perform pg_temp.moved(1, 'S1', '2026-06-02 00:00+00');
  perform pg_temp.moved(1, 'S2', '2026-06-05 00:00+00');
  perform pg_temp.moved(2, 'S0', '2026-06-01 00:00+00', rule => 'first_event');
  perform pg_temp.moved(2, 'S1', '2026-06-04 00:00+00');
  perform pg_temp.moved(2, 'S2', '2026-06-09 00:00+00');
  perform pg_temp.moved(2, 'S1', '2026-06-10 00:00+00', 'system:derivation', 'inactivity_14d');
  perform pg_temp.moved(3, 'S0', '2026-06-03 12:00+00', rule => 'first_event');
  perform pg_temp.moved(4, 'S0', '2026-05-01 00:00+00', rule => 'first_event');
  perform pg_temp.moved(4, 'S1', '2026-05-02 00:00+00');
  -- Of another site: in no figure below.
  insert into public.audience_site_state (site_id, user_id, current_state, highest_state)
  values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001', 'S1', 'S1');
end $$;

select results_eq(
  $$ select * from public.audience_state_funnel('00000000-0000-4000-8000-00000000000b', '2026-06-01', '2026-06-30') $$,
  $$ values ('S0', 'S1', 'up', 2::bigint, 2::bigint, 0.6667), ('S1', 'S2', 'up', 2, 2, 0.6667), ('S2', 'S1', 'down', 1, 1, 0.5000) $$,
  'funnel: three were in S0 and two moved on; the third in S1 was there since May');
select results_eq(
  $$ select state, stays, mean_seconds, median_seconds, longest_seconds, staying, mean_seconds_so_far
     from public.audience_state_dwell('00000000-0000-4000-8000-00000000000b', '2026-06-01', '2026-06-11') $$,
  $$ values ('S0', 2::bigint, 172800.000, 172800.000, 259200.000, 1::bigint, 648000.000),
    ('S1', 2, 345600.000, 345600.000, 432000.000, 2, 1771200.000), ('S2', 1, 86400.000, 86400.000, 86400.000, 1, 518400.000) $$,
  'dwell: days in S0 one and two, in S1 three and five; who stays is counted to the end of the range');
select results_eq(
  $$ select period, state, entered, departed, mean_seconds
     from public.audience_state_trend('00000000-0000-4000-8000-00000000000b', '2026-06-01', '2026-06-30') $$,
  $$ values ('2026-06-01'::date, 'S0', 3::bigint, 2::bigint, 172800.000), ('2026-06-01', 'S1', 2, 1, 259200.000),
    ('2026-06-01', 'S2', 1, 0, null), ('2026-06-08', 'S1', 1, 1, 432000.000), ('2026-06-08', 'S2', 1, 1, 86400.000) $$,
  'trend: by week');
select is(
  (select string_agg(period::text, ' ' order by period) from public.audience_state_trend(
    '00000000-0000-4000-8000-00000000000b', '2026-06-01', '2026-06-02 12:00+00', 'day', 'America/New_York')),
  '2026-05-31 2026-06-01 2026-06-01', 'trend: days of another time zone');
do $$
begin
  perform pg_temp.moved(3, 'S1', now(), 'user:00000000-0000-4000-8000-000000000077', 'manual_correction');
  perform pg_temp.moved(1, 'S1', now(), 'user:00000000-0000-4000-8000-000000000077', 'manual_correction');
end $$;
select results_eq(
  $$ select changed_by, rule_id, transitions, people, up, down
     from public.audience_state_actors('00000000-0000-4000-8000-00000000000b', now(), now() + interval '1 second') $$,
  $$ values ('system:derivation', 'score_threshold', 5::bigint, 3::bigint, 5::bigint, 0::bigint),
    ('system:derivation', 'first_event', 4, 4, 0, 0),
    ('user:00000000-0000-4000-8000-000000000077', 'manual_correction', 2, 2, 1, 1),
    ('system:derivation', 'inactivity_14d', 1, 1, 0, 1) $$,
  'actors: by the time the change was made');
select throws_ok($$ select public.audience_state_trend('00000000-0000-4000-8000-00000000000b', now(), now() + interval '1 day', 'hour') $$,
  '22023', null, 'a grain that there is not');

select * from finish();
rollback;
