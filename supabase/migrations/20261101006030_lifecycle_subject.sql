-- What can be tracked, and what its history is called.

create or replace function audience_gate.singular(plural text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when plural ~ '[^aeiou]ies$' then regexp_replace(plural, 'ies$', 'y')
    when plural ~ '(ss|sh|ch|x|z|us)es$' then regexp_replace(plural, 'es$', '')
    when plural ~ '[^su]s$' then regexp_replace(plural, 's$', '')
    else plural
  end
$$;
comment on function audience_gate.singular(text) is 'What one record of a table with an English name is called.';
revoke all on function audience_gate.singular(text) from public, anon, authenticated, service_role;

create or replace function audience_gate.lifecycle_subject(tracked regclass, stage_column text)
returns table (key_column text, key_type text, stage_type text)
language plpgsql
stable
set search_path = ''
as $$
declare
  relation pg_catalog.pg_class;
  stage pg_catalog.pg_attribute;
  keys smallint[];
begin
  select c.* into relation from pg_catalog.pg_class c where c.oid = tracked;
  if relation.relkind not in ('r', 'p') then
    raise exception '% is not a table', tracked using errcode = 'wrong_object_type',
      hint = 'Track the table that it reads.';
  elsif relation.relispartition then
    raise exception '% is a partition', tracked using errcode = 'wrong_object_type',
      hint = 'Track the partitioned table.';
  elsif relation.relpersistence <> 'p' then
    raise exception '% does not outlast a restart', tracked using errcode = 'wrong_object_type',
      hint = 'Track a table that is neither temporary nor unlogged.';
  end if;
  select i.indkey into keys from pg_catalog.pg_index i where i.indrelid = tracked and i.indisprimary;
  if keys is null or cardinality(keys) <> 1 then
    raise exception '% has %', tracked, case when keys is null then 'no primary key' else 'a primary key of several columns' end
      using errcode = 'invalid_table_definition',
        hint = 'A record needs one column that names it, such as id uuid primary key default gen_random_uuid().';
  end if;
  select a.* into stage from pg_catalog.pg_attribute a
  where a.attrelid = tracked and a.attname = stage_column and a.attnum > 0 and not a.attisdropped;
  if stage.attname is null then
    raise exception '% has no column %', tracked, stage_column using errcode = 'undefined_column',
      hint = 'Name the column that holds the stage or status.';
  elsif not stage.attnotnull then
    raise exception '%.% may be null', tracked, stage_column using errcode = 'invalid_table_definition',
      hint = 'Every record is in some stage: set the column not null, with a default for the first one.';
  elsif stage.attgenerated <> '' or stage.attnum = any (keys) or not exists (
    select from pg_catalog.pg_type t where t.oid = stage.atttypid and t.typcategory in ('S', 'E', 'B')
      or t.oid = stage.atttypid and t.oid in ('smallint'::regtype, 'integer'::regtype)
  ) then
    raise exception '%.% cannot hold a stage', tracked, stage_column using errcode = 'datatype_mismatch',
      hint = 'A stage is a text, an enum, a boolean or a small number, neither computed nor the primary key.';
  end if;
  return query
  select a.attname::text, format_type(a.atttypid, a.atttypmod), format_type(stage.atttypid, stage.atttypmod)
  from pg_catalog.pg_attribute a where a.attrelid = tracked and a.attnum = keys[0];
end;
$$;
comment on function audience_gate.lifecycle_subject(regclass, text) is
  'The key and the type of a column that can be tracked; refuses what cannot, and says what to do.';
revoke all on function audience_gate.lifecycle_subject(regclass, text) from public, anon, authenticated, service_role;

create or replace function audience_gate.check_lifecycle_options(options jsonb)
returns void
language plpgsql
immutable
set search_path = ''
as $$
declare
  unknown text;
begin
  select string_agg(k, ', ') into unknown from jsonb_object_keys(options) k
  where k not in ('entity', 'events', 'deletes', 'allowed', 'blocked', 'terminal');
  if unknown is not null then
    raise exception 'there is no option %', unknown using errcode = 'invalid_parameter_value',
      hint = 'The options are entity, events, deletes, allowed, blocked and terminal.';
  elsif options ->> 'deletes' not in ('refuse', 'record') then
    raise exception 'deletes is not %', options ->> 'deletes' using errcode = 'invalid_parameter_value',
      hint = 'It is refuse or record.';
  end if;
end;
$$;
comment on function audience_gate.check_lifecycle_options(jsonb) is 'Refuses options that track_lifecycle() does not have.';
revoke all on function audience_gate.check_lifecycle_options(jsonb) from public, anon, authenticated, service_role;
