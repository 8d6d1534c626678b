-- History cannot be edited, by any role or any statement.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();

insert into public.audience_events (session_id, event_type, event_category, event_source, metadata)
values ('append-only-session', 'page_view', 'engagement', 'web', '{"page_path": "/"}');

-- Runs a statement as a role, undoes it, and says how it ended.
create function pg_temp.outcome(as_role text, statement text) returns text language plpgsql as $$
begin
  if as_role <> 'owner' then
    perform set_config('role', as_role, true);
  end if;
  execute statement;
  raise sqlstate 'TST00';
exception
  when sqlstate 'TST00' then return 'done';
  when others then return sqlstate;
end;
$$;

select is(pg_temp.outcome(role_name, statement || ' public.audience_events' || rest), '42501',
  role_name || ': ' || statement || ' is refused')
from unnest(array['anon', 'authenticated', 'service_role', 'audience_gate_owner', 'audience_gate_store', 'owner']) role_name,
  (values ('update', ' set metadata = ''{}'''), ('delete from', ''), ('truncate', ''), ('truncate', ' cascade')) s (statement, rest);

-- This holds even after somebody granted too much.
grant all on table public.audience_events to service_role;
select is(pg_temp.outcome('service_role', statement), '42501', 'service_role with every privilege: ' || statement || ' is refused')
from unnest(array[
  'update public.audience_events set event_type = ''content_view''',
  'delete from public.audience_events',
  'truncate public.audience_events',
  'insert into public.audience_events select * from public.audience_events on conflict (id) do update set event_type = ''content_view''',
  'merge into public.audience_events e using (select 1) s on true when matched then delete'
]) statement
where statement !~ '^insert'; -- a recorded id is skipped before it could conflict: see below
select is(
  pg_temp.outcome('service_role', 'insert into public.audience_events select * from public.audience_events on conflict (id) do update set event_type = ''content_view'''),
  'done', 'an upsert of recorded ids changes nothing: its rows are skipped');
select is(count(*), 1::bigint, 'the event is as it was') from public.audience_events
where session_id = 'append-only-session' and event_type = 'page_view';

-- An unjudged row may be stamped with the contract in force, by the owner of the gate, and nothing else about it may change.
set local role audience_gate_store;
insert into public.audience_events (created_at, session_id, event_type, event_category, event_source, metadata)
values (now() - interval '1 year', 'unjudged-session', 'page_view', 'engagement', 'web', '{"page_path": "/old", "n": 1.50}');
reset role;
select is(contract, null, 'a row whose way in does not name the contract is unjudged')
from public.audience_events where session_id = 'unjudged-session';
select is(contract, audience_gate.contract_fingerprint(), 'one that was judged names it')
from public.audience_events where session_id = 'append-only-session';
select is(pg_temp.outcome(role_name, 'update public.audience_events set ' || change || ' where session_id = ''' || session || ''''),
  wanted, coalesce(nullif(role_name, 'owner'), 'the migrating role') || ' sets ' || change || ' of ' || session)
from (values
  ('audience_gate_owner', 'contract = audience_gate.contract_fingerprint()', 'unjudged-session', 'done'),
  ('audience_gate_owner', 'contract = ''ffffffffffffffff''', 'unjudged-session', '42501'),
  ('audience_gate_owner', 'contract = audience_gate.contract_fingerprint(), metadata = metadata || ''{"n": 1.5}''', 'unjudged-session', '42501'),
  ('audience_gate_owner', 'contract = audience_gate.contract_fingerprint(), rejected = true', 'unjudged-session', '42501'),
  ('audience_gate_owner', 'contract = null', 'append-only-session', '42501'),
  ('audience_gate_owner', 'contract = audience_gate.contract_fingerprint()', 'append-only-session', '42501'),
  ('owner', 'contract = audience_gate.contract_fingerprint()', 'unjudged-session', '42501'),
  ('service_role', 'contract = audience_gate.contract_fingerprint()', 'unjudged-session', '42501'),
  ('audience_gate_store', 'contract = audience_gate.contract_fingerprint()', 'unjudged-session', '42501')
) w (role_name, change, session, wanted);

-- Every table of events, whoever made it.
select is_empty($$
  select c.oid::regclass from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname like 'audience%\_events'
    and (
      select coalesce(bit_or(t.tgtype::integer & (8 + 16 + 32)), 0) from pg_trigger t
      where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled in ('O', 'A') and t.tgtype::integer & 2 = 2
    ) <> 8 + 16 + 32
$$, 'triggers before delete, update and truncate are on every events table');

select * from finish();
rollback;
