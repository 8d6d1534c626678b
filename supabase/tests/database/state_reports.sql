-- Who changed states, against figures counted by hand.
begin;
select plan(2);

insert into public.audience_sites (id, name) values ('00000000-0000-4000-8000-00000000000b', 'B');
create function pg_temp.moved(number integer, moved_to text, at timestamptz, actor text default 'system:derivation', rule text default 'score_threshold')
returns void language plpgsql as $$
declare
  who uuid := ('00000000-0000-4000-8000-0000000000' || lpad(number::text, 2, '0'))::uuid;
begin
  perform audience_gate.announce_change(actor, rule, null, null, at);
  -- Only the gate's owner writes in the derivation's name.
  if actor = 'system:derivation' then
    set local role audience_gate_owner;
  end if;
  update public.audience_site_state set current_state = moved_to
  where site_id = '00000000-0000-4000-8000-00000000000b' and user_id = who;
  if not found then
    insert into public.audience_site_state (site_id, user_id, current_state, highest_state)
    values ('00000000-0000-4000-8000-00000000000b', who, moved_to, moved_to);
  end if;
  reset role;
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
select throws_ok(
  $$ select public.audience_state_actors('00000000-0000-4000-8000-00000000000b', now(), now()) $$,
  '22023', null, 'an empty range');

select * from finish();
rollback;
