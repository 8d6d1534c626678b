-- The shape of the partitioned event log, and that every part of it is as closed as the whole.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();

create temporary view parts as
  select i.inhrelid::regclass as part, c.relname, c.relrowsecurity, pg_get_userbyid(c.relowner) as owner
  from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'public.audience_events'::regclass;
grant select on parts to public;

select is(relkind::text, 'p', 'the log is partitioned') from pg_class where oid = 'public.audience_events'::regclass;
select ok(count(*) >= 5, 'there are months, including coming ones, and a default partition') from parts;
select is_empty('select part from parts where not relrowsecurity', 'row level security is on for every part');
select is_empty('select part from parts where owner <> ''audience_gate_owner''', 'every part belongs to the gate');
select is_empty($$select part from parts where part::text !~ '^audience_gate_partitions\.'$$, 'they are in the private schema');
select is_empty($$select part from parts, unnest(array['anon', 'authenticated', 'service_role', 'audience_gate_store']) r,
  unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p where has_table_privilege(r, part, p)$$,
  'nobody is granted anything on a part');
select is_empty($$select r from unnest(array['anon', 'authenticated', 'service_role']) r,
  unnest(array['audience_gate_partitions', 'audience_gate_standby']) s where has_schema_privilege(r, s, 'usage')$$,
  'and nobody can name one');
select is_empty($$select p.polname from pg_policy p join parts on part = p.polrelid$$, 'no policy opens a part');
select is_empty($$select part from parts where not exists (
    select from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
    where i.indrelid = part and a.amname = 'brin')$$, 'every part has a BRIN index on time');
select is_empty($$
  select a.attrelid::regclass, a.attname from pg_attribute a
  where a.attrelid in (select part from parts union all select 'audience_gate.event_keys'::regclass)
    and a.attnum > 0 and not a.attisdropped
    and (obj_description(a.attrelid, 'pg_class') is null or col_description(a.attrelid, a.attnum) is null)
$$, 'every part and its columns say what they are for');
select ok(relrowsecurity, 'the keys are closed too') from pg_class where oid = 'audience_gate.event_keys'::regclass;

-- Statements directly on a part, whoever makes them.
create function pg_temp.outcome(as_role text, statement text) returns text language plpgsql as $$
begin
  if as_role <> 'owner' then perform set_config('role', as_role, true); end if;
  execute statement;
  raise sqlstate 'TST00';
exception when sqlstate 'TST00' then return 'done'; when others then return sqlstate;
end $$;
create temporary table one_row as select now() as at;
insert into public.audience_events (session_id, event_type, event_category, event_source, metadata)
values ('partition-session', 'page_view', 'engagement', 'web', '{"page_path": "/"}');
create temporary view named as select part from parts where part::text = 'audience_gate_partitions.audience_events_'
  || to_char(now() at time zone 'UTC', 'YYYY_MM');

select is(pg_temp.outcome(r, format(s, part)), '42501', r || ' is refused: ' || format(s, part))
from parts, unnest(array['anon', 'authenticated', 'service_role', 'audience_gate_store']) r,
  unnest(array['select from %s', 'insert into %s default values', 'update %s set metadata = ''{}''', 'delete from %s', 'truncate %s']) s;
select is(pg_temp.outcome(r, format('truncate %s', part)), '42501', r || ' cannot truncate ' || part)
from parts, unnest(array['owner', 'audience_gate_owner']) r;
select is(pg_temp.outcome(r, format(s, part)), '42501', r || ' is refused: ' || format(s, part))
from named, unnest(array['owner', 'audience_gate_owner']) r,
  unnest(array['update %s set metadata = ''{}''', 'delete from %s']) s;
select is(pg_temp.outcome('owner', format('insert into %s (session_id, event_type, event_category, event_source, metadata)
  values (''direct-session'', ''no_such_type'', ''engagement'', ''web'', ''{}'')', part)), 'done', 'even an insert by name')
from named;
select is(pg_temp.outcome('owner', statement), '42501', statement || ' is refused')
from unnest(array['truncate audience_gate.partition_log', 'delete from audience_gate.partition_log']) statement;

-- A part that is detached is still append-only.
savepoint detached;
do $$ begin
  execute (select format('alter table public.audience_events detach partition %s', part) from named);
  perform set_config('test.part', 'audience_gate_partitions.audience_events_' || to_char(now() at time zone 'UTC', 'YYYY_MM'), true);
end $$;
select is(pg_temp.outcome('owner', format(s, current_setting('test.part'))), '42501', 'detached: ' || s || ' is refused')
from unnest(array['update %s set metadata = ''{}''', 'delete from %s', 'truncate %s']) s;
rollback to detached;

-- A created_at that was sent is ignored, as on any event log.
insert into public.audience_events (created_at, session_id, event_type, event_category, event_source, metadata)
values ('2001-02-03', 'sent-a-created-at', 'page_view', 'engagement', 'web', '{"page_path": "/"}');
select is(created_at, now(), 'recorded now, not when the sender says') from public.audience_events where session_id = 'sent-a-created-at';

-- The same roles as before may read and write the whole log.
select is(pg_temp.outcome(r, s), o, r || ': ' || s || ' → ' || o) from (values
  ('anon', 'select from public.audience_events', '42501'),
  ('authenticated', 'select from public.audience_events', '42501'),
  ('service_role', 'select from public.audience_events', 'done'),
  ('anon', 'insert into public.audience_events (session_id) values (''x'')', '42501'),
  ('authenticated', 'insert into public.audience_events (session_id, event_type, event_category, event_source)
     values (''from-a-user-session'', ''page_view'', ''engagement'', ''web'')', 'done')) w (r, s, o);

-- Events of missing months go into the default partition, and are later moved to their months.
set local role audience_gate_store;
insert into public.audience_events (id, created_at, session_id, event_type, event_category, event_source, metadata, contract)
select id::uuid, at::timestamptz, 'long-before-session', 'page_view', 'engagement', 'import', '{}', audience_gate.contract_fingerprint()
from (values ('00000000-0000-4000-8000-00000000abcd', '2019-05-31 23:59:59.999+00'),
  ('00000000-0000-4000-8000-00000000abce', '2019-06-01 00:00:00+00')) t (id, at);
reset role;
select is(pg_temp.outcome('audience_gate_store', $$
  insert into public.audience_events (id, created_at, session_id, event_type, event_category, event_source, metadata)
  values ('00000000-0000-4000-8000-00000000abcd', '2019-07-01', 'long-before-session', 'page_view', 'engagement', 'import', '{}')$$),
  '23505', 'a bulk load is told of an id that is recorded in another month');
select is(count(*), 2::bigint, 'kept, in the default partition') from audience_gate_partitions.audience_events_default;
select is(audience_gate.run_job('keep_partitions') -> 'result' ->> 'from_default', '2', 'the job brings them home');
select is(count(*), 0::bigint, 'the default partition is empty again') from audience_gate_partitions.audience_events_default;
select is(string_agg(tableoid::regclass::text, ' ' order by created_at),
  'audience_gate_partitions.audience_events_2019_05 audience_gate_partitions.audience_events_2019_06',
  'each in its month') from public.audience_events where session_id = 'long-before-session';
select is(pg_temp.outcome('owner', 'delete from audience_gate_partitions.audience_events_2019_05'), '42501', 'guarded from the start');
select is(pg_temp.outcome('owner', 'truncate audience_gate_partitions.audience_events_2019_05'), '42501', 'in every way');
select is(audience_gate.run_job('keep_partitions') -> 'result' -> 'added', '[]', 'and has nothing left to do');

-- Ids are forgotten only if an install asks for that.
select is(count(*), 2::bigint, 'ids are kept for good') from audience_gate.event_keys where created_at < '2020-01-01';
update audience_gate.jobs set settings = settings || '{"keep_keys": "400 days"}' where name = 'keep_partitions';
select is(audience_gate.run_job('keep_partitions') -> 'result' ->> 'keys_forgotten', '2', 'unless an install bounds them');

select * from finish();
rollback;
