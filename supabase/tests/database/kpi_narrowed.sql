-- What a figure can be narrowed by, and what is refused.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();

create function pg_temp.narrowed(name text, how jsonb) returns bigint language plpgsql as $$
declare
  rows bigint;
begin
  execute format('select count(*) from public.%I($1, now() - interval ''3 days'', now(), narrowed => $2)', name)
    into rows using '00000000-0000-4000-8000-000000000001'::uuid, how;
  return rows;
end $$;

create temp table narrowable on commit drop as
select p.proname as name from pg_catalog.pg_proc p
where p.pronamespace = 'public'::regnamespace and p.proname like 'kpi\_%' and 'narrowed' = any (p.proargnames);

select is(array_agg(name order by name)::text[], array[
  'kpi_campaigns', 'kpi_devices', 'kpi_engagement', 'kpi_feature_adoption', 'kpi_overview', 'kpi_pages', 'kpi_people', 'kpi_referrers',
  'kpi_visit_hours', 'kpi_visits'], 'the figures that can be narrowed') from narrowable;
select throws_ok(format('select pg_temp.narrowed(%L, %L)', n.name, w.how), '22023', w.message, format('%s: %s', n.name, w.name))
from narrowable n
cross join (values
  ('a key that is not known', '{"page": "/"}', 'a figure cannot be narrowed by this key'),
  ('a known key beside one that is not', '{"device": "mobile", "Device": "mobile"}', 'a figure cannot be narrowed by this key'),
  ('no object', '["device"]', 'narrowed must be an object'),
  ('null', null, 'narrowed must be an object'),
  ('several values', '{"device": ["mobile", "desktop"]}', 'a figure is narrowed to a text'),
  ('a number', '{"campaign": 1}', 'a figure is narrowed to a text'),
  ('events without a type', '{"event_type": null}', 'a figure is narrowed to a text'),
  ('exact as a text', '{"exact": "true"}', 'exact can be true alone'),
  ('exact as null', '{"device": "mobile", "exact": false}', 'exact can be true alone')
) w (name, how, message);
select is(pg_temp.narrowed(n.name, w.how::jsonb), case n.name when 'kpi_people' then 1 when 'kpi_overview' then 1 else 0 end::bigint,
  format('%s narrowed to %s, where nothing is', n.name, w.how))
from narrowable n
cross join (values ('{"campaign": null}'), ('{"tier": "nowhere"}'), ('{"event_type": "page_view", "source": "x", "device": null}'),
  ('{"tier": "nowhere", "exact": true}')) w (how);

select * from finish();
rollback;
