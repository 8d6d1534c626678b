-- What a schema may say: JSON Schema 2020-12, with local references and patterns of our grammar.
create or replace function audience_gate.schema_place(steps jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select '#' || coalesce((
    select string_agg('/' || replace(replace(step, '~', '~0'), '/', '~1'), '' order by place)
    from jsonb_array_elements_text(steps) with ordinality as way (step, place)), '')
$$;
comment on function audience_gate.schema_place(jsonb) is 'A place in a schema, as a reference names it.';

create or replace function audience_gate.schema_reference(reference text)
returns text[]
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  bytes bytea := ''::bytea;
  keys text[];
  part text;
  pointer text;
begin
  if reference !~ '^#(/|$)' or reference ~ '%(?![0-9a-fA-F]{2})' or reference ~ '~(?![01])' then
    return null;
  end if;
  if reference = '#' then
    return array[]::text[];
  end if;
  pointer := substr(reference, 3);
  if strpos(pointer, '%') > 0 then
    for part in select hit[1] from regexp_matches(pointer, '%[0-9a-fA-F]{2}|[^%]+', 'g') as parts (hit) loop
      bytes := bytes
        || case when left(part, 1) = '%' then decode(substr(part, 2), 'hex') else convert_to(part, 'UTF8') end;
    end loop;
    begin
      pointer := convert_from(bytes, 'UTF8');
    exception when character_not_in_repertoire or untranslatable_character then
      return null;
    end;
    if pointer ~ '~(?![01])' then
      return null;
    end if;
  end if;
  keys := string_to_array(pointer, '/');
  return case
    when pointer = '' then array['']
    else array(
      select replace(replace(way.step, '~1', '/'), '~0', '~')
      from unnest(keys) with ordinality as way (step, place) order by way.place)
  end;
end;
$$;
comment on function audience_gate.schema_reference(text) is
  'The way to what a local reference names, which is # or a JSON pointer after it, percent-encoded where need be; null if it is no such reference.';

create or replace function audience_gate.schema_value_fits(shape text, says jsonb)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return case shape
    when 'any' then true
    when 'text' then jsonb_typeof(says) = 'string'
    when 'boolean' then jsonb_typeof(says) = 'boolean'
    when 'list' then jsonb_typeof(says) = 'array'
    when 'choices' then case when jsonb_typeof(says) = 'array'
      then jsonb_array_length(says) <= {{schema_choices}} else false end
    when 'number' then jsonb_typeof(says) = 'number'
    when 'positive' then case when jsonb_typeof(says) = 'number' then says::numeric > 0 else false end
    when 'count' then case when jsonb_typeof(says) = 'number'
      then says::numeric between 0 and 2147483647 and trunc(says::numeric) = says::numeric else false end
    when 'types' then case jsonb_typeof(says)
      when 'string' then audience_gate.schema_types() ? (says #>> '{}')
      when 'array' then jsonb_array_length(says) > 0 and audience_gate.schema_types() @> says
        and jsonb_array_length(says) = (select count(distinct type) from jsonb_array_elements(says) type)
      else false end
    when 'names' then case when jsonb_typeof(says) = 'array'
      then not exists (select from jsonb_array_elements(says) name where jsonb_typeof(name) <> 'string')
        and jsonb_array_length(says) = (select count(distinct name) from jsonb_array_elements(says) name)
      else false end
    when 'named_names' then case when jsonb_typeof(says) = 'object'
      then not exists (
        select from jsonb_each(says) named where not audience_gate.schema_value_fits('names', named.value))
      else false end
    when 'pattern' then case when jsonb_typeof(says) = 'string'
      then audience_gate.pattern(says #>> '{}') is not null else false end
    when 'format' then case when jsonb_typeof(says) = 'string'
      then audience_gate.schema_formats() ? (says #>> '{}') else false end
    when 'reference' then case when jsonb_typeof(says) = 'string'
      then audience_gate.schema_reference(says #>> '{}') is not null else false end
    when 'dialect' then says in (
      '"https://json-schema.org/draft/2020-12/schema"', '"https://json-schema.org/draft/2020-12/schema#"')
    when 'schema' then jsonb_typeof(says) in ('object', 'boolean')
    when 'schemas' then case when jsonb_typeof(says) = 'array' then jsonb_array_length(says) > 0 else false end
    when 'named_schemas' then jsonb_typeof(says) = 'object'
    when 'patterned_schemas' then case when jsonb_typeof(says) = 'object'
      then not exists (select from jsonb_object_keys(says) pattern where audience_gate.pattern(pattern) is null)
      else false end
    else false
  end;
end;
$$;
comment on function audience_gate.schema_value_fits(text, jsonb) is
  'Whether what a keyword of a schema says has the shape that it must have; the schemas within are not looked at.';

create or replace function audience_gate.schema_refusal(schema jsonb)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  places jsonb[] := array['[]'::jsonb];
  -- How deep each is nested, and by how many applications to one and the same value it is reached.
  depths integer[] := array[1];
  chains integer[] := array[1];
  arrows integer[] := array[]::integer[];
  targets integer[] := array[]::integer[];
  referring text[] := array[]::text[];
  place integer := 1;
  part jsonb;
  member record;
  shape text;
  in_place boolean;
  step text;
  target integer;
  changed boolean;
begin
  if octet_length(schema::text) > {{schema_bytes}} then
    return 'it is longer than {{schema_bytes}} bytes';
  end if;
  while place <= cardinality(places) loop
    part := schema #> array(select jsonb_array_elements_text(places[place]));
    if jsonb_typeof(part) not in ('object', 'boolean') then
      return audience_gate.schema_place(places[place]) || ' is neither an object nor true or false';
    end if;
    if depths[place] > {{schema_depth}} then
      return audience_gate.schema_place(places[place]) || ' is nested more than {{schema_depth}} deep';
    end if;
    for member in
      select says.key, says.value from jsonb_each(case when jsonb_typeof(part) = 'object' then part else '{}' end) says
    loop
      shape := audience_gate.schema_keywords() ->> member.key;
      if shape is null then
        return 'the keyword ' || audience_gate.schema_place(places[place] || to_jsonb(member.key))
          || ' is not supported';
      elsif not audience_gate.schema_value_fits(shape, member.value) then
        return 'the value of ' || audience_gate.schema_place(places[place] || to_jsonb(member.key))
          || ' is not one that the keyword takes here';
      end if;
      in_place := member.key in ('allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas');
      if shape = 'reference' then
        arrows := arrows || place;
        referring := referring || (member.value #>> '{}');
      end if;
      for step in
        select null where shape = 'schema'
        union all
        select (item.ordinal - 1)::text
        from jsonb_array_elements(case when shape = 'schemas' then member.value else '[]' end)
          with ordinality as item (value, ordinal)
        union all
        select jsonb_object_keys(
          case when shape in ('named_schemas', 'patterned_schemas') then member.value else '{}' end)
      loop
        places := places || (places[place] || to_jsonb(member.key)
          || case when step is null then '[]' else to_jsonb(array[step]) end);
        depths := depths || (depths[place] + 1);
        chains := chains || case when in_place then chains[place] + 1 else 1 end;
        if in_place then
          arrows := arrows || place;
          referring := referring || null::text;
          targets[cardinality(arrows)] := cardinality(places);
        end if;
        if cardinality(places) > {{schema_parts}} then
          return 'it has more than {{schema_parts}} schemas within';
        end if;
      end loop;
    end loop;
    place := place + 1;
  end loop;
  for arrow in 1 .. cardinality(arrows) loop
    continue when referring[arrow] is null;
    target := array_position(places, to_jsonb(audience_gate.schema_reference(referring[arrow])));
    if target is null then
      return 'the value of ' || audience_gate.schema_place(places[arrows[arrow]] || '"$ref"')
        || ' names no schema within this one';
    end if;
    targets[arrow] := target;
  end loop;
  -- The longest chain of schemas that look at one and the same value: without end where a reference leads back.
  loop
    changed := false;
    for arrow in 1 .. cardinality(arrows) loop
      if chains[targets[arrow]] < chains[arrows[arrow]] + 1 then
        chains[targets[arrow]] := chains[arrows[arrow]] + 1;
        changed := true;
        if chains[targets[arrow]] > {{schema_chain}} then
          return audience_gate.schema_place(places[targets[arrow]])
            || ' is reached by more than {{schema_chain}} schemas that look at one and the same value, '
            || 'or leads back to itself';
        end if;
      end if;
    end loop;
    exit when not changed;
  end loop;
  return null;
end;
$$;
comment on function audience_gate.schema_refusal(jsonb) is
  'What is wrong with a schema, with the keyword and its place; null if every engine can judge by it.';
