-- The tables are there as they were specified, and everything is explained.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();

select columns_are('public', 'audience_events', array[
  'id', 'created_at', 'user_id', 'session_id', 'event_type', 'event_category', 'event_source',
  'utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term', 'metadata',
  'site_id', 'occurred_at', 'rejected', 'contract', 'recorded_xid'
]);
select columns_are('public', 'audience_state', array[
  'user_id', 'current_state', 'state_updated_at', 'engagement_score', 'last_event_type', 'metadata'
]);

select is(
  (select format_type(a.atttypid, null) || case when a.attnotnull then ' not null' else '' end
     || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
   from pg_attribute a left join pg_attrdef d on (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
   where a.attrelid = ('public.' || table_name)::regclass and a.attname = column_name),
  definition, table_name || '.' || column_name || ' is ' || definition)
from (values
  ('audience_events', 'id', 'uuid not null default gen_random_uuid()'),
  ('audience_events', 'created_at', 'timestamp with time zone not null default now()'),
  ('audience_events', 'user_id', 'uuid'),
  ('audience_events', 'session_id', 'text not null'),
  ('audience_events', 'event_type', 'text not null'),
  ('audience_events', 'event_category', 'text not null'),
  ('audience_events', 'event_source', 'text not null'),
  ('audience_events', 'utm_source', 'text'),
  ('audience_events', 'utm_medium', 'text'),
  ('audience_events', 'utm_campaign', 'text'),
  ('audience_events', 'utm_content', 'text'),
  ('audience_events', 'utm_term', 'text'),
  ('audience_events', 'metadata', 'jsonb not null default ''{}''::jsonb'),
  ('audience_state', 'user_id', 'uuid not null'),
  ('audience_state', 'current_state', 'text not null'),
  ('audience_state', 'state_updated_at', 'timestamp with time zone not null default now()'),
  ('audience_state', 'engagement_score', 'numeric not null default 0'),
  ('audience_state', 'last_event_type', 'text'),
  ('audience_state', 'metadata', 'jsonb not null default ''{}''::jsonb')
) as specified (table_name, column_name, definition);

select ok(
  exists (select from pg_constraint where conname = name and conrelid = ('public.' || table_name)::regclass),
  'the constraint ' || name || ' is there')
from (values
  ('audience_events', 'audience_events_event_type_chk'),
  ('audience_events', 'audience_events_event_category_chk'),
  ('audience_events', 'audience_events_event_source_chk'),
  ('audience_events', 'audience_events_session_id_chk'),
  ('audience_events', 'audience_events_event_category_allowed'),
  ('audience_state', 'audience_state_current_state_chk')
) as specified (table_name, name);

select ok(
  exists (select from pg_indexes where schemaname = 'public' and indexname = name and indexdef like '%' || definition),
  'the index ' || name || ' is on ' || definition)
from (values
  ('idx_audience_events_created_at', '(created_at DESC)'),
  ('idx_audience_events_user_id', '(user_id)'),
  ('idx_audience_events_session_id', '(session_id)'),
  ('idx_audience_events_event_type', '(event_type)'),
  ('idx_audience_events_event_category', '(event_category)'),
  ('idx_audience_events_utm_campaign', '(utm_campaign)'),
  ('idx_audience_state_current_state', '(current_state)'),
  ('idx_audience_state_state_updated_at', '(state_updated_at DESC)')
) as specified (name, definition);

select is_empty($$
  select c.oid::regclass from pg_class c
  where c.relnamespace in ('public'::regnamespace, 'audience_gate'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm')
    and (c.relname like 'audience%' or c.relnamespace = 'audience_gate'::regnamespace)
    and obj_description(c.oid, 'pg_class') is null
$$, 'every table and view says what it is for');
select is_empty($$
  select c.oid::regclass, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
  where c.relnamespace in ('public'::regnamespace, 'audience_gate'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm')
    and (c.relname like 'audience%' or c.relnamespace = 'audience_gate'::regnamespace)
    and a.attnum > 0 and not a.attisdropped and col_description(c.oid, a.attnum) is null
$$, 'and so does every column');
select is_empty($$
  select p.oid::regprocedure from pg_proc p
  where (p.pronamespace = 'audience_gate'::regnamespace
      or p.pronamespace = 'public'::regnamespace and p.proname ~ '^(audience|ingest_audience|validate_audience|kpi)')
    and obj_description(p.oid, 'pg_proc') is null
$$, 'and every function');

-- Names. A constraint's index is named like the constraint.
create temporary view ours as
  select c.oid, c.relname, c.relnamespace from pg_class c
  where c.relnamespace in ('public'::regnamespace, 'audience_gate'::regnamespace) and c.relkind in ('r', 'p', 'm')
    and (c.relname like 'audience%' or c.relnamespace = 'audience_gate'::regnamespace);
select is_empty($$
  select x.relname from pg_index i join ours on ours.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
  where x.relname not like 'idx\_' || ours.relname || '\_%'
    and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
$$, 'every index is named idx_, its table, and what it finds');
select is_empty($$
  select k.conname from pg_constraint k join ours on ours.oid = k.conrelid
  where k.conname not like ours.relname || '\_%' or case k.contype
    when 'c' then k.conname !~ '_(chk|allowed)$'
    when 'p' then k.conname !~ '_pkey$'
    when 'u' then k.conname !~ '_key$'
    when 'f' then k.conname !~ '_fkey$'
  end
$$, 'every constraint is named after its table, and ends in _chk, _pkey, _key or _fkey (one as it was specified: _allowed)');

-- Nothing of ours is open to the API, even if the project opens what is created in it.
select is_empty($$
  select s.oid::regclass, r from pg_class s cross join unnest(array['anon', 'authenticated']) r
  where s.relkind = 'S' and (s.relnamespace = 'audience_gate'::regnamespace or s.relname like 'audience%')
    and has_sequence_privilege(r, s.oid, 'usage, select, update')
$$, 'no sequence can be used by the API');

-- The registry is usable from the first day.
select ok(count(*) >= 40, 'at least 40 event types ship') from public.audience_event_types;
select is(array_agg(distinct tier order by tier), array['clinic', 'consumer', 'network', 'practitioner', 'system'],
  'they serve all five tiers') from public.audience_event_types;
select is(count(distinct category), 6::bigint, 'and all six categories') from public.audience_event_types;
select is_empty('select id from public.audience_event_types where category = ''system'' and score_weight <> 0',
  'no system event moves a score');
select throws_ok(
  $$insert into public.audience_event_types (id, category, tier, score_weight, description)
    values ('scoring_system', 'system', 'system', 1, '')$$,
  '23514', null, 'and none can be made to');
select results_eq(
  'select from_state || ''→'' || to_state from public.audience_blocked_jumps order by 1',
  array['S0→S3', 'S0→S5', 'S1→S4'], 'the three jumps are blocked');
select is_empty($$
  select r.id from public.audience_rules r join public.audience_blocked_jumps j
  on (j.from_state, j.to_state) = (r.prior_state, r.new_state)
$$, 'no rule names a blocked jump');

-- A copy of the registry is known to be stale after any edit.
create temporary table versions (step integer, version text);
insert into versions select 0, audience_gate.registry() ->> 'version';
update public.audience_event_types set active = false where id = 'page_view';
insert into versions select 1, audience_gate.registry() ->> 'version';
insert into public.audience_sites (name, origins) values ('Another', array['https://another.example']);
insert into versions select 2, audience_gate.registry() ->> 'version';
delete from public.audience_blocked_jumps where from_state = 'S0' and to_state = 'S5';
insert into versions select 3, audience_gate.registry() ->> 'version';
select is(count(distinct version), 4::bigint, 'every edit changes the version') from versions;
select is(audience_gate.registry() -> 'blocked_jumps', '[["S0", "S3"], ["S1", "S4"]]'::jsonb, 'the snapshot follows');
select ok(not audience_gate.registry() @> '{"event_types": [{"id": "page_view"}]}', 'it lists active types only');
select ok(audience_gate.registry() @> '{"sites": [{"origins": ["https://another.example"]}]}', 'and each site with its origins');
select throws_ok(
  format('insert into public.audience_sites (name, origins) values (''Bad'', %L)', origins),
  '23514', null, 'an origin cannot be ' || origins)
from unnest(array['{https://a.example/path}', '{a.example}', '{https://A.example}', '{NULL}', '{"https://a.example https://b.example"}']) origins;

select * from finish();
rollback;
