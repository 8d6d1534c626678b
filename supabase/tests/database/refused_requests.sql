-- Requests that the function refused whole are counted, and shown beside the quality figures.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();
grant usage on schema extensions to authenticated, service_role;

insert into public.audience_sites (id, name) values ('aaaaaaaa-0000-4000-8000-000000000000', 'A');
insert into public.audience_site_members (site_id, user_id)
values ('aaaaaaaa-0000-4000-8000-000000000000', '11111111-0000-4000-8000-000000000000');

set local role service_role;
select is(public.audience_count_refused(jsonb_build_array(
  jsonb_build_object('minute', date_trunc('minute', now()), 'site_id', 'aaaaaaaa-0000-4000-8000-000000000000',
    'reason', 'rate_limited', 'requests', 3),
  jsonb_build_object('minute', now(), 'site_id', 'aaaaaaaa-0000-4000-8000-000000000000', 'reason', 'body_too_large', 'requests', 1),
  jsonb_build_object('minute', now(), 'site_id', null, 'reason', 'no_credentials', 'requests', 5),
  jsonb_build_object('minute', now(), 'site_id', 'bbbbbbbb-0000-4000-8000-000000000000', 'reason', 'not_found', 'requests', 1),
  jsonb_build_object('minute', now() - interval '2 days', 'site_id', null, 'reason', 'not_found', 'requests', 9),
  jsonb_build_object('minute', now(), 'site_id', null, 'reason', 'a person@example.org', 'requests', 9),
  jsonb_build_object('minute', now(), 'site_id', null, 'reason', 'not_found', 'requests', -9))),
  4::bigint, 'counts are kept by minute, site and reason');
select is(public.audience_count_refused(jsonb_build_array(
  jsonb_build_object('minute', now(), 'site_id', 'aaaaaaaa-0000-4000-8000-000000000000', 'reason', 'rate_limited', 'requests', 4))),
  1::bigint, 'and added up');
select throws_ok($$select public.audience_count_refused('{}')$$, '22023', null, 'nothing but an array of counts is taken');
reset role;
select set_eq(
  'select site_id::text, reason, requests from audience_gate.refused_requests',
  $$values ('aaaaaaaa-0000-4000-8000-000000000000', 'rate_limited', 7::bigint),
    ('aaaaaaaa-0000-4000-8000-000000000000', 'body_too_large', 1),
    (audience_gate.default_site()::text, 'no_credentials', 5), (audience_gate.default_site()::text, 'not_found', 1)$$,
  'an unknown site is the default site; what is no count, or too old, is left out');

set local role authenticated;
set local request.jwt.claims = '{"sub": "11111111-0000-4000-8000-000000000000"}';
select throws_ok($$select public.audience_count_refused('[]')$$, '42501', null, 'a signed-in user counts nothing');
select results_eq(
  $$select reason, requests from public.kpi_refused_requests(
    'aaaaaaaa-0000-4000-8000-000000000000', now() - interval '1 hour', now() + interval '1 hour')$$,
  $$values ('rate_limited', 7::bigint), ('body_too_large', 1)$$, 'a member reads them by reason');
select results_eq(
  $$select rule_id, received, refused_requests, unjudged from public.kpi_data_quality(
    'aaaaaaaa-0000-4000-8000-000000000000', now() - interval '1 hour', now() + interval '1 hour')$$,
  $$values (null::text, 0::bigint, 8::bigint, 0::bigint)$$, 'and their number with the quality figures');
select throws_ok(
  $$select public.kpi_refused_requests(audience_gate.default_site(), now() - interval '1 hour', now())$$,
  '42501', null, 'not those of another site');
reset role;

update audience_gate.refused_requests set minute = minute - interval '401 days';
select is(audience_gate.prune_logs() -> 'refused_requests', '4'::jsonb, 'they are not kept for ever');

select * from finish();
rollback;
