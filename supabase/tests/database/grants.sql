-- Functions: who may call them, and as whom they run.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();

create temporary view functions as
  select p.oid, p.oid::regprocedure::text as signature, p.prosecdef, p.proconfig, p.prosqlbody is not null as is_bound, p.provolatile, n.nspname, p.prokind,
    pg_get_userbyid(p.proowner) as owner
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where (n.nspname = 'audience_gate' or (n.nspname = 'public' and p.proname ~ '^(audience|ingest_audience|validate_audience|kpi)'))
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e');

select ok(count(*) > 20, 'there are functions to look at') from functions;
select is_empty($$
  select signature from functions where not coalesce(proconfig @> array['search_path=""'], false) and not is_bound and prokind <> 'p'
$$, 'every function runs with an empty search path, or had its names bound when it was made');
select results_eq(
  $$select signature from functions where proconfig is null and prokind <> 'p' order by 1$$,
  array[
    'audience_gate.change_commitment(bytea,uuid,text,text,uuid)',
    'audience_gate.change_leaf(bigint,uuid,text,text,timestamp with time zone,timestamp with time zone,text,bytea)',
    'audience_gate.day_number(timestamp with time zone)',
    'audience_gate.event_commitment(bytea,uuid,text,text,text,text,text,text,timestamp with time zone,jsonb)',
    'audience_gate.event_entry(uuid,timestamp with time zone,uuid,boolean,text,text,text,text,timestamp with time zone)',
    'audience_gate.event_leaf(uuid,timestamp with time zone,uuid,boolean,text,text,text,text,timestamp with time zone,bytea)',
    'audience_gate.fire_key(text,text,uuid)', 'audience_gate.local_hour(timestamp with time zone,text)',
    'audience_gate.micros(timestamp with time zone)', 'audience_gate.part(text)',
    'audience_gate.person(uuid,uuid,uuid)', 'audience_gate.session_bucket(text)'
  ],
  'the latter are those that the planner inlines');
select results_eq(
  $$select signature from functions where prokind = 'p' order by 1$$,
  array['audience_gate.run_job_to_the_end(text,numeric)'], 'one procedure commits, which none with a setting could');
select is_empty($$
  select signature, r from functions, unnest(array['anon', 'authenticated']) r
  where nspname = 'public' and prosecdef and has_function_privilege(r, oid, 'execute')
$$, 'no security definer function of an exposed schema can be called by anon or authenticated (lints 0028, 0029)');
select is_empty($$
  select signature from functions where prosecdef and nspname <> 'audience_gate'
$$, 'security definer functions are in the private schema');
select is_empty($$
  select signature, owner from functions where prosecdef and owner not in ('audience_gate_owner', 'audience_gate_store')
    and signature <> 'audience_gate.send_change(uuid)'
$$, 'and run as one of the gate''s own roles, but for the one that hands Realtime a message, for which only its owner has the rights');
select results_eq(
  $$select signature from functions where owner = 'audience_gate_store' and prosecdef order by 1$$,
  array['audience_gate.ingest(jsonb)', 'audience_gate.ingest_signed(text,text)',
    'audience_gate.record_legacy_rejections(jsonb[])', 'audience_gate.take_batch(jsonb,text)', 'audience_gate.take_reports(jsonb)'],
  'five functions run as the role whose inserts are taken as judged');
select is_empty($$
  select r.rolname, m.rolname from pg_auth_members a join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member
  where r.rolname in ('audience_gate_owner', 'audience_gate_store')
    and m.rolname in ('anon', 'authenticated', 'service_role', 'authenticator', 'audience_gate_owner', 'audience_gate_store')
$$, 'no role of the API can act as one of them');
select is_empty($$
  select rolname from pg_roles where rolname in ('audience_gate_owner', 'audience_gate_store')
    and (rolcanlogin or rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)
$$, 'and they have no power of their own');
select results_eq($$
  select signature from functions
  where exists (select from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.oid = functions.oid and a.grantee = 0)
  order by 1
$$, array['audience_gate.default_site()', 'audience_gate.fire_key(text,text,uuid)'],
  'nothing can be called by everybody but the default and the index of the event log');

-- Who may call what in public.
select is(
  concat_ws(' ', case when has_function_privilege('anon', signature, 'execute') then 'anon' end,
    case when has_function_privilege('authenticated', signature, 'execute') then 'authenticated' end,
    case when has_function_privilege('service_role', signature, 'execute') then 'service_role' end),
  callers, signature || ' is called by ' || coalesce(nullif(callers, ''), 'nobody'))
from (values
  ('public.ingest_audience_events(jsonb)', 'service_role'),
  ('public.ingest_audience_events_signed(text,text)', 'service_role'),
  ('public.audience_registry()', 'service_role'),
  ('public.validate_audience_event(jsonb)', 'authenticated service_role'),
  ('public.audience_events_append_only()', ''),
  ('audience_gate.ingest(jsonb)', 'service_role'),
  ('audience_gate.registry()', 'service_role'),
  ('audience_gate.charge(jsonb)', ''),
  ('audience_gate.record_batch(jsonb,text)', ''),
  ('audience_gate.ingest_signed(text,text)', 'service_role'),
  ('audience_gate.take_batch(jsonb,text)', ''),
  ('audience_gate.proven_call(text,text)', ''),
  ('audience_gate.new_signing_key()', ''),
  ('audience_gate.record_events(jsonb,text[],text)', ''),
  ('audience_gate.record_plain_events(jsonb,text[],text)', ''),
  ('audience_gate.record_rejections(jsonb,text)', ''),
  ('audience_gate.record_plain_rejections(jsonb,text)', ''),
  ('audience_gate.enforce()', ''),
  ('audience_gate.can_read_site(uuid)', 'authenticated service_role')
) as intended (signature, callers);

select * from finish();
rollback;
