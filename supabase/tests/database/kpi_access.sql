-- Who sees what: every reading function of the API and every view and table of the analytics, by every
-- kind of caller, as found in the catalogue, so that new ones are covered too. The matrix is printed
-- whole; then each cell is compared with what it must be.

begin;
create temp table caller (name text, role text, who uuid, function_answer text, relation_answer text) on commit drop;
insert into caller values
  ('a member of A', 'authenticated', '11111111-0000-4000-8000-000000000000', 'answers', 'refused'),
  ('a member of B', 'authenticated', '22222222-0000-4000-8000-000000000000', 'refused', 'refused'),
  ('a member of none', 'authenticated', '33333333-0000-4000-8000-000000000000', 'refused', 'refused'),
  ('anon', 'anon', null, 'refused', 'refused'),
  ('service_role', 'service_role', null, 'answers', 'refused');

insert into public.audience_sites (id, name) values
  ('aaaaaaaa-0000-4000-8000-000000000000', 'A'), ('bbbbbbbb-0000-4000-8000-000000000000', 'B');
insert into public.audience_site_members (site_id, user_id, role) values
  ('aaaaaaaa-0000-4000-8000-000000000000', '11111111-0000-4000-8000-000000000000', 'viewer'),
  ('bbbbbbbb-0000-4000-8000-000000000000', '22222222-0000-4000-8000-000000000000', 'owner');
set local role audience_gate_store;
insert into public.audience_events (created_at, session_id, event_type, event_category, event_source, site_id, contract)
select timestamptz '2026-09-09', 'session-of-' || s.site || n, 'page_view', 'engagement', 'web', s.site,
  audience_gate.contract_fingerprint()
from (values ('aaaaaaaa-0000-4000-8000-000000000000'::uuid, 2), ('bbbbbbbb-0000-4000-8000-000000000000', 3)) s (site, visits)
cross join generate_series(1, s.visits) n;
reset role;

create temp table asked (kind text, name text, query text) on commit drop;
insert into asked
select 'function', p.proname, format('select count(*) from public.%I(%s)', p.proname, (
    select string_agg(format('%I => %L', a.name, case a.name
      when 'site' then 'aaaaaaaa-0000-4000-8000-000000000000' when 'from_time' then '2026-09-01Z' when 'to_time' then '2026-10-01Z' end), ', ')
    from unnest(p.proargnames) with ordinality a (name, nth)
    where a.nth <= p.pronargs - p.pronargdefaults))
from pg_catalog.pg_proc p
where p.pronamespace = 'public'::regnamespace and p.proname like 'kpi\_%'
union all
select case c.relkind when 'm' then 'materialised view' when 'v' then 'view' else 'table' end, c.relname,
  format('select count(*) from audience_gate.%I', c.relname)
from pg_catalog.pg_class c
where c.relnamespace = 'audience_gate'::regnamespace and (c.relkind in ('m', 'v')
  or c.relname in ('site_zones', 'analytics_settings', 'analytics_runs', 'error_events', 'performance_measures', 'default_funnel_steps', 'person_rules'));

-- What a query gives a caller: its one value, or that it was refused.
create function pg_temp.told(query text, as_role text, who uuid) returns text language plpgsql as $$
declare
  value text;
begin
  perform set_config('request.jwt.claims', coalesce(jsonb_build_object('sub', who, 'role', as_role)::text, ''), true);
  perform set_config('role', as_role, true);
  execute query into value;
  perform set_config('role', 'none', true);
  return value;
exception when insufficient_privilege then
  return 'refused';
end $$;

create temp table matrix on commit drop as
select a.kind, a.name, c.name as caller,
  case when pg_temp.told(a.query, c.role, c.who) = 'refused' then 'refused' else 'answers' end as answer,
  case a.kind when 'function' then c.function_answer else c.relation_answer end as wanted
from asked a cross join caller c;

select plan((select count(*)::int from matrix) + 10);

select diag(E'\n' || string_agg(line, E'\n')) from (
  select format('%-18s %-24s %s', m.kind, m.name, string_agg(format('%s: %s', m.caller, m.answer), ' | ' order by m.caller)) as line
  from matrix m
  group by m.kind, m.name
  order by m.kind, m.name
) lines;
select is(m.answer, m.wanted, format('%s %s: %s', m.kind, m.name, m.caller)) from matrix m order by m.kind, m.name, m.caller;

-- Members see only their own site's figures, whichever way they ask.
select is(pg_temp.told(q.query, 'authenticated', '11111111-0000-4000-8000-000000000000'), q.wanted, q.name)
from (values
  ($$select events from public.kpi_overview('aaaaaaaa-0000-4000-8000-000000000000', '2026-09-01Z', '2026-10-01Z')$$, '2', 'a member of A sees the events of A'),
  ($$select events from public.kpi_overview('bbbbbbbb-0000-4000-8000-000000000000', '2026-09-01Z', '2026-10-01Z')$$, 'refused', 'a member of A does not see B'),
  ($$select events from public.kpi_overview('cccccccc-0000-4000-8000-000000000000', '2026-09-01Z', '2026-10-01Z')$$, 'refused', 'a site that is not there answers like one of others'),
  ($$select events from public.kpi_overview(null, '2026-09-01Z', '2026-10-01Z')$$, 'refused', 'no site is nobody''s site'),
  ($$select events from audience_gate.kpi_overview('bbbbbbbb-0000-4000-8000-000000000000', '2026-09-01Z', '2026-10-01Z', 'UTC')$$, 'refused',
    'asking a core directly gets no further'),
  ($$select audience_gate.live_tail('bbbbbbbb-0000-4000-8000-000000000000')$$, 'refused',
    'nor does asking for a live tail'),
  ($$select audience_gate.refresh_analytics()$$, 'refused', 'members do not refresh')
) q (query, wanted, name);

select is_empty($$select c.relname from pg_catalog.pg_class c where c.relkind = 'm' and c.relnamespace = 'public'::regnamespace$$,
  'no materialised view is in a schema that the API exposes');
select is_empty(
  $$select p.proname from pg_catalog.pg_proc p where p.pronamespace = 'public'::regnamespace and p.proname like 'kpi\_%'
    and (p.prosecdef or p.provolatile <> 's' or p.proconfig is null or has_function_privilege('anon', p.oid, 'execute'))$$,
  'every reading function is a stable invoker function with a search path, closed to anon');
select is_empty(
  $$select p.proname from pg_catalog.pg_proc p where p.pronamespace = 'audience_gate'::regnamespace
    and p.proname ~ '^(kpi_|refresh_analytics|add_site_zone|.*_tail$|funnel_cells|percentile)'
    and (pg_catalog.pg_get_userbyid(p.proowner) <> 'audience_gate_owner' or p.proconfig is null or has_function_privilege('anon', p.oid, 'execute'))$$,
  'every core belongs to the gate''s owner role, has a search path, and is closed to anon');

select * from finish();
rollback;
