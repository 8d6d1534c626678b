-- A schema as a condition of SQL: a server judges by that many times faster than it reads the schema for every value. A
-- condition holds, too, where there is no value. What is rarely asked stays with audience_gate.schema_fault().
create or replace function audience_gate.own_fields()
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
  select array_remove(array_remove(array_remove(audience_gate.event_fields(), 'id'), 'site_id'), 'email')
$$;
comment on function audience_gate.own_fields() is
  'The fields of an event that the rules of an install''s own see: not who sends, and not where from.';

create or replace function audience_gate.all_of(conditions text[])
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case cardinality(conditions) when 0 then 'true' when 1 then conditions[1]
    else '(' || array_to_string(conditions, ' and ') || ')' end
$$;
comment on function audience_gate.all_of(text[]) is 'Conditions of SQL which must all hold, as one.';

create or replace function audience_gate.bounds_sql(schema jsonb, measured text, signs jsonb)
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
  select coalesce(
    array_agg(format('%s %s %L::numeric', measured, sign.value, schema ->> sign.key) order by sign.key), '{}')
  from jsonb_each_text(signs) sign
  where schema ? sign.key
$$;
comment on function audience_gate.bounds_sql(jsonb, text, jsonb) is
  'What a schema says of something that is measured, as conditions of SQL; signs has the operator of each keyword.';

create or replace function audience_gate.has_sql(keys jsonb, expression text, is_event boolean)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case when is_event then audience_gate.all_of(array(
      select case
        when key = 'metadata' then 'true'
        when key = any (audience_gate.own_fields()) then format('event ->> %L is not null', key)
        else 'false' end
      from jsonb_array_elements_text(keys) key))
    else format('%s ?& %L::text[]', expression, array(select jsonb_array_elements_text(keys))) end
$$;
comment on function audience_gate.has_sql(jsonb, text, boolean) is
  'That an object has all of these keys, as a condition of SQL.';

create or replace function audience_gate.objects_sql(schema jsonb, expression text, is_event boolean)
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case when schema -> 'required' <> '[]'
      then array[audience_gate.has_sql(schema -> 'required', expression, is_event)] else '{}' end
    || case when schema -> 'additionalProperties' = 'false' then array[format('%s - %L::text[] = ''{}''', expression,
      array(select jsonb_object_keys(coalesce(schema -> 'properties', '{}'))))] end
    || array(
      select format('(not %s or %s)', audience_gate.has_sql(jsonb_build_array(dependent.key), expression, is_event),
        audience_gate.has_sql(dependent.value, expression, is_event))
      from jsonb_each(schema -> 'dependentRequired') dependent
      where dependent.value <> '[]')
$$;
comment on function audience_gate.objects_sql(jsonb, text, boolean) is
  'What a schema says of the keys of an object, as conditions of SQL.';

create or replace function audience_gate.is_plain_item(schema jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case when jsonb_typeof(schema) = 'object' then
    schema - array['type', 'enum', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minLength',
      'maxLength', 'title', 'description', 'examples', 'default', 'deprecated', '$comment'] = '{}'
    and coalesce(not schema -> 'type' ? 'integer', true)
    -- A pattern repeats a sign at most 255 times.
    and coalesce((schema ->> 'minLength')::numeric <= 255, true)
    and coalesce((schema ->> 'maxLength')::numeric < 255, true)
    and coalesce(schema -> 'enum' <> '[]'
      and not jsonb_path_exists(
        schema -> 'enum', 'strict $[*] ? (@.type() == "object" || @.type() == "array")'), true)
  else false end
$$;
comment on function audience_gate.is_plain_item(jsonb) is
  'Whether a schema of items asks for nothing but what audience_gate.items_sql() has a condition for.';

create or replace function audience_gate.items_sql(schema jsonb, expression text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select format('not jsonb_path_exists(%s, %L)', expression,
    'strict $[*] ? (' || string_agg(wrong.condition, ' || ') || ')')
  from (
    select string_agg(format('@.type() != %s', type), ' && ') as condition
    from jsonb_array_elements(case jsonb_typeof(schema -> 'type')
      when 'string' then jsonb_build_array(schema -> 'type') else schema -> 'type' end) type
    union all
    select format('@.type() == "number" && @ %s %s', sign.value, schema ->> sign.key)
    from jsonb_each_text('{"minimum": "<", "maximum": ">", "exclusiveMinimum": "<=", "exclusiveMaximum": ">="}') sign
    where schema ? sign.key
    union all
    select format('@.type() == "string" && @ like_regex "^.{%s}" flag "s"', (schema -> 'maxLength')::integer + 1)
    where schema ? 'maxLength'
    union all
    select format('@.type() == "string" && !(@ like_regex "^.{%s}" flag "s")', (schema -> 'minLength')::integer)
    where schema ? 'minLength'
    union all
    -- Whether values of two types are equal is unknown.
    select format('(%s) is unknown || !(%1$s)', string_agg(format('@ == %s', choice), ' || '))
    from jsonb_array_elements(schema -> 'enum') choice
    having count(*) > 0
  ) wrong
  where wrong.condition is not null
  having count(*) > 0
$$;
comment on function audience_gate.items_sql(jsonb, text) is
  'What a schema of which audience_gate.is_plain_item() holds says of the items of a list, as a condition of SQL; null: nothing.';

create or replace function audience_gate.types_sql(schema jsonb, expression text, letters text)
returns text[]
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  types constant jsonb := case jsonb_typeof(schema -> 'type')
    when 'string' then jsonb_build_array(schema -> 'type') else schema -> 'type' end;
  number constant text := format('(%s)::numeric', expression);
  branches text;
begin
  select string_agg(format(' when %L then %s', branch.type, audience_gate.all_of(branch.says)), '' order by branch.type)
  into branches
  from (
    select said.type, array_remove(said.says, null) as says
    from (values
      ('null', array[]::text[]),
      ('boolean', array[]::text[]),
      ('number', audience_gate.bounds_sql(schema, number,
          '{"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}')
        || case when schema ? 'multipleOf' then format('mod(%s, %L::numeric) = 0', number, schema ->> 'multipleOf') end
        || case when types ? 'integer' and not types ? 'number' then format('trunc(%s) = %1$s', number) end),
      ('string', audience_gate.bounds_sql(schema, format('char_length(%s)', letters),
          '{"minLength": ">=", "maxLength": "<="}')
        || case when schema ? 'pattern'
          then format('%s collate "C" ~ %L', letters, audience_gate.pattern(schema ->> 'pattern')) end
        || case when schema ? 'format'
          then format('audience_gate.has_format(%s, %L)', letters, schema ->> 'format') end),
      ('array', audience_gate.bounds_sql(schema, format('jsonb_array_length(%s)', expression),
          '{"minItems": ">=", "maxItems": "<="}')
        || audience_gate.items_sql(schema -> 'items', expression)),
      ('object', audience_gate.objects_sql(schema, expression, false))
    ) said (type, says)
  ) branch
  where coalesce(types ? branch.type or branch.type = 'number' and types ? 'integer', branch.says <> '{}');
  return case when branches is null then '{}' else array[format('case jsonb_typeof(%s)%s else %s end',
    expression, branches, case when types is null then 'true' else format('%s is null', expression) end)] end;
end;
$$;
comment on function audience_gate.types_sql(jsonb, text, text) is
  'What a schema says of a value by its type, as a condition of SQL; letters: the value as a text.';

create or replace function audience_gate.is_for_interpreter(schema jsonb, is_event boolean)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
  select schema ?| array['patternProperties', 'propertyNames', 'minProperties', 'maxProperties', 'dependentSchemas']
    or case when is_event then schema ?| array['enum', 'const', 'additionalProperties']
      else schema ?| array['contains', 'prefixItems', 'uniqueItems']
        or schema ? 'items' and not audience_gate.is_plain_item(schema -> 'items')
        or jsonb_typeof(schema -> 'additionalProperties') = 'object' end
$$;
comment on function audience_gate.is_for_interpreter(jsonb, boolean) is
  'Whether a schema itself, and not only one within, asks for what has no condition of SQL; is_event: of an event.';

create or replace function audience_gate.schema_sql(
  schema jsonb, expression text, letters text, is_event boolean default false
)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  conditions text[];
  -- Before a condition that does not hold by itself where there is no value.
  absent constant text := case when is_event then '' else format('%s is null or ', expression) end;
  part record;
begin
  if jsonb_typeof(schema) = 'boolean' then
    return case when schema = 'true' then 'true' when is_event then 'false' else format('%s is null', expression) end;
  end if;
  if octet_length(expression) > 1000 or audience_gate.is_for_interpreter(schema, is_event) then
    return format('(%saudience_gate.schema_fault(%L, %2$L, %s, ''{}'') is null)', absent, schema, expression);
  end if;
  if not coalesce(schema -> 'type' ? 'object', true) and is_event then
    return 'false';
  end if;

  conditions := case when is_event then audience_gate.objects_sql(schema, expression, true)
    else audience_gate.types_sql(schema, expression, letters) end;
  for part in select given.key, given.value as schema from jsonb_each(schema -> 'properties') given loop
    conditions := conditions || case
      when not is_event then audience_gate.schema_sql(
        part.schema, format('(%s -> %L)', expression, part.key), format('(%s ->> %L)', expression, part.key))
      when part.key = 'metadata' then audience_gate.schema_sql(part.schema, 'metadata', '(metadata #>> ''{}'')')
      when part.key = any (audience_gate.own_fields()) then audience_gate.schema_sql(
        part.schema, format('nullif(event -> %L, ''null'')', part.key), format('(event ->> %L)', part.key))
      else 'true' end;
  end loop;

  if schema ? 'enum' then
    conditions := conditions || format('(%s%s = any (%L::jsonb[]))', absent, expression,
      array(select jsonb_array_elements(schema -> 'enum')));
  end if;
  if schema ? 'const' then
    conditions := conditions || format('(%s%s = %L::jsonb)', absent, expression, schema -> 'const');
  end if;
  if schema ? 'not' then
    conditions := conditions || format('(%snot %s)', absent,
      audience_gate.schema_sql(schema -> 'not', expression, letters, is_event));
  end if;
  if schema ? 'if' then
    conditions := conditions || format('case when %s then %s else %s end',
      audience_gate.schema_sql(schema -> 'if', expression, letters, is_event),
      audience_gate.schema_sql(coalesce(schema -> 'then', 'true'), expression, letters, is_event),
      audience_gate.schema_sql(coalesce(schema -> 'else', 'true'), expression, letters, is_event));
  end if;
  for part in
    select said.keyword,
      array_agg(audience_gate.schema_sql(given.one, expression, letters, is_event) order by given.place) as schemas
    from unnest(array['allOf', 'anyOf', 'oneOf']) said (keyword)
    cross join lateral jsonb_array_elements(schema -> said.keyword) with ordinality as given (one, place)
    group by said.keyword
  loop
    conditions := conditions || case part.keyword
      when 'allOf' then audience_gate.all_of(part.schemas)
      when 'anyOf' then '(' || array_to_string(part.schemas, ' or ') || ')'
      else format('(%s1 = (%s)::integer)', absent, array_to_string(part.schemas, ')::integer + (')) end;
  end loop;
  return audience_gate.all_of(array_remove(array_remove(conditions, null), 'true'));
end;
$$;
comment on function audience_gate.schema_sql(jsonb, text, text, boolean) is
  'What a schema without references says of a value, as a condition of SQL; expression, letters: the value and its text.';
