-- Roles × tables × operations, as one matrix. "." is refused.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();

create temporary table matrix (table_name text, role_name text, allowed text);
insert into matrix values
  -- s select, i insert, u update, d delete, t truncate
  ('audience_events',        'anon',          '.....'),
  ('audience_events',        'authenticated', '.i...'),
  ('audience_events',        'service_role',  'si...'),
  ('audience_state',         'anon',          '.....'),
  ('audience_state',         'authenticated', 's....'),
  ('audience_state',         'service_role',  's....'),
  ('audience_sites',         'anon',          '.....'),
  ('audience_sites',         'authenticated', 's....'),
  ('audience_sites',         'service_role',  'siu..'),
  ('audience_site_members',  'anon',          '.....'),
  ('audience_site_members',  'authenticated', 's..d.'),
  ('audience_site_members',  'service_role',  'siud.'),
  ('audience_states',        'anon',          '.....'),
  ('audience_states',        'authenticated', 's..d.'),
  ('audience_states',        'service_role',  'siu..'),
  ('audience_blocked_jumps', 'anon',          '.....'),
  ('audience_blocked_jumps', 'authenticated', 's....'),
  ('audience_blocked_jumps', 'service_role',  'siud.'),
  ('audience_rules',         'anon',          '.....'),
  ('audience_rules',         'authenticated', 's....'),
  ('audience_rules',         'service_role',  'siu..'),
  ('audience_event_types',   'anon',          '.....'),
  ('audience_event_types',   'authenticated', 's....'),
  ('audience_event_types',   'service_role',  'siu..'),
  ('audience_rate_limits',   'anon',          '.....'),
  ('audience_rate_limits',   'authenticated', '.....'),
  ('audience_rate_limits',   'service_role',  'siud.');

create function pg_temp.refused(as_role text, statement text) returns boolean language plpgsql as $$
begin
  perform set_config('role', as_role, true);
  execute statement;
  raise sqlstate 'TST00';
exception
  when insufficient_privilege then return true;
  when others then return false; -- got past the privileges
end;
$$;

create function pg_temp.statement(operation text, table_name text) returns text language sql as $$
  select format(case operation
    when 's' then 'select from public.%1$I limit 1'
    when 'i' then 'insert into public.%1$I default values'
    when 'u' then 'update public.%1$I set %2$I = null where false'
    when 'd' then 'delete from public.%1$I where false'
    when 't' then 'truncate public.%1$I cascade'
  end, table_name, (select a.attname from pg_attribute a where a.attrelid = ('public.' || table_name)::regclass and a.attnum = 1))
$$;

select is(
  (select string_agg(case when pg_temp.refused(m.role_name, pg_temp.statement(o, m.table_name)) then '.' else o end, '' order by place)
   from unnest(array['s', 'i', 'u', 'd', 't']) with ordinality as operations (o, place)),
  m.allowed, m.table_name || ', ' || m.role_name || ': ' || m.allowed)
from matrix m;

select is_empty($$
  select c.oid::regclass from pg_class c
  where c.relnamespace in ('public'::regnamespace, 'audience_gate'::regnamespace) and c.relkind in ('r', 'p')
    and (c.relname like 'audience%' or c.relnamespace = 'audience_gate'::regnamespace) and not c.relrowsecurity
$$, 'row level security is on for every table');

select policies_are('public', 'audience_events', array[
  'audience_events_insert_authenticated', 'audience_events_no_update', 'audience_events_no_delete',
  'audience_events_gate_select', 'audience_events_gate_insert', 'audience_events_gate_stamp'
]);
select is_empty($$
  select policyname from pg_policies
  where schemaname in ('public', 'audience_gate') and coalesce(qual, '') || coalesce(with_check, '') ~ 'auth\.uid\(\)'
    and coalesce(qual, '') || coalesce(with_check, '') !~* 'select auth\.uid\(\)'
$$, 'policies ask for the user once a statement, not once a row');

-- Rows, not only tables: who sees what.
grant usage on schema extensions to anon, authenticated, service_role;
insert into public.audience_sites (id, name) values
  ('00000000-0000-4000-8000-0000000000a1', 'Mine'), ('00000000-0000-4000-8000-0000000000a2', 'Theirs');
insert into public.audience_site_members (site_id, user_id) values
  ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-00000000000a'),
  ('00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-00000000000b');

set local request.jwt.claims = '{"sub": "00000000-0000-4000-8000-00000000000a", "role": "authenticated"}';
set local request.jwt.claim.sub = '00000000-0000-4000-8000-00000000000a';
set local role authenticated;
select results_eq('select name from public.audience_sites', array['Mine'], 'a member sees their sites');
select results_eq('select user_id from public.audience_site_members',
  array['00000000-0000-4000-8000-00000000000a'::uuid], 'and their own membership');
select ok(audience_gate.can_read_site('00000000-0000-4000-8000-0000000000a1'), 'they may read the figures of their site');
select ok(not audience_gate.can_read_site('00000000-0000-4000-8000-0000000000a2'), 'but not of another');
select ok(not audience_gate.can_read_site(null), 'nor of none');
select lives_ok(
  $$insert into public.audience_events (user_id, session_id, event_type, event_category, event_source, metadata)
    values ('00000000-0000-4000-8000-00000000000a', 'own-session-1', 'page_view', 'engagement', 'web', '{"page_path": "/"}')$$,
  'they may record an event of their own');
select lives_ok(
  $$insert into public.audience_events (user_id, session_id, event_type, event_category, event_source, metadata)
    values ('00000000-0000-4000-8000-00000000000b', 'foreign-session', 'page_view', 'engagement', 'web', '{"page_path": "/"}')$$,
  'speaking for somebody else does not raise');
reset role;
select results_eq(
  $$select user_id, event_type, rejected, metadata ->> 'validation_rule_id' from public.audience_events
    where session_id in ('own-session-1', 'foreign-session') order by session_id$$,
  $$values (null::uuid, 'event_validation_fail', true, 'identity.user_id'),
           ('00000000-0000-4000-8000-00000000000a'::uuid, 'page_view', false, null)$$,
  'but is put down as a rejection, under nobody''s name');

set local request.jwt.claims = '{"role": "anon"}';
set local request.jwt.claim.sub = '';
set local role anon;
select throws_ok($$select audience_gate.can_read_site('00000000-0000-4000-8000-0000000000a1')$$, '42501', null,
  'visitors may not even ask');
reset role;
set local request.jwt.claims = '{"role": "service_role"}';
set local role service_role;
select ok(audience_gate.can_read_site('00000000-0000-4000-8000-0000000000a2'), 'a back end may read every site');
reset role;

select * from finish();
rollback;
