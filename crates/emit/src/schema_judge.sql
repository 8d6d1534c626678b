-- What a schema says of a value. A value of a type that a keyword does not speak of satisfies the keyword.
create or replace function audience_gate.is_ipv4(value text)
returns boolean
language sql
immutable
strict
parallel safe
set search_path = ''
as $$
  select value ~ '^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])([.](?!$)|$)){4}$'
$$;
comment on function audience_gate.is_ipv4(text) is 'Whether a text is an IPv4 address.';

create or replace function audience_gate.is_ipv6(value text)
returns boolean
language sql
immutable
strict
parallel safe
set search_path = ''
as $$
  select plain ~ '^([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}$'
    or plain ~ '^(([0-9a-fA-F]{1,4}:)*[0-9a-fA-F]{1,4})?::(([0-9a-fA-F]{1,4}:)*[0-9a-fA-F]{1,4})?$'
      and (select count(*) <= 7 from regexp_matches(plain, '[0-9a-fA-F]+', 'g'))
  from (
    select case when audience_gate.is_ipv4(substring(value from ':([^:]*)$'))
      then regexp_replace(value, '[^:]*$', '0:0') else value end
  ) written (plain)
$$;
comment on function audience_gate.is_ipv6(text) is 'Whether a text is an IPv6 address.';

create or replace function audience_gate.has_format(value text, format text)
returns boolean
language sql
stable
strict
parallel safe
set search_path = ''
as $$
  select case format
    when 'date' then char_length(value) = 10 and audience_gate.moment(value || 'T00:00:00Z') is not null
    when 'time' then audience_gate.moment('2000-01-01T' || value) is not null
    when 'date-time' then audience_gate.moment(value) is not null
    when 'uuid' then value ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
    when 'hostname' then char_length(value) <= 253
      and value ~ '^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?([.][a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$'
    when 'ipv4' then audience_gate.is_ipv4(value)
    when 'ipv6' then audience_gate.is_ipv6(value)
    when 'uri' then value ~ ('^[a-zA-Z][a-zA-Z0-9+.-]*:'
      || '(//(([a-zA-Z0-9._~!$&''()*+,;=:-]|%[0-9a-fA-F]{2})*@)?'
      || '(\[([0-9a-fA-F:.]+|v[0-9a-fA-F]+[.][a-zA-Z0-9._~!$&''()*+,;=:-]+)\]'
      || '|([a-zA-Z0-9._~!$&''()*+,;=-]|%[0-9a-fA-F]{2})*)'
      || '(:[0-9]*)?(/([a-zA-Z0-9._~!$&''()*+,;=:@/-]|%[0-9a-fA-F]{2})*)?'
      || '|/?([a-zA-Z0-9._~!$&''()*+,;=:@-]|%[0-9a-fA-F]{2})([a-zA-Z0-9._~!$&''()*+,;=:@/-]|%[0-9a-fA-F]{2})*|/|)'
      || '([?]([a-zA-Z0-9._~!$&''()*+,;=:@/?-]|%[0-9a-fA-F]{2})*)?'
      || '(#([a-zA-Z0-9._~!$&''()*+,;=:@/?-]|%[0-9a-fA-F]{2})*)?$')
    else false
  end
$$;
comment on function audience_gate.has_format(text, text) is 'Whether a text has a format of schemas.';

create or replace function audience_gate.matches(value text, source text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
begin
  return value collate "C" ~ audience_gate.pattern(source);
end;
$$;
comment on function audience_gate.matches(text, text) is 'Whether a text holds what a pattern of a schema describes.';

create or replace function audience_gate.is_of_type(value jsonb, type text)
returns boolean
language sql
immutable
strict
parallel safe
set search_path = ''
as $$
  select case
    when type = 'integer' then
      case when jsonb_typeof(value) = 'number' then trunc(value::numeric) = value::numeric else false end
    else jsonb_typeof(value) = type
  end
$$;
comment on function audience_gate.is_of_type(jsonb, text) is 'Whether a value is of a type that a schema names.';

create or replace function audience_gate.schema_fault(
  root jsonb, schema jsonb, instance jsonb, way text[], above integer default 0
)
returns text[]
language plpgsql
stable
parallel safe
set search_path = ''
as $$
declare
  kind constant text := jsonb_typeof(instance);
  keyword text;
  says jsonb;
  part record;
  number numeric;
  letters text;
  members integer;
  matched integer;
  fault text[];
begin
  if jsonb_typeof(schema) = 'boolean' then
    return case when schema = 'false' then way end;
  end if;
  -- Each is a call within a call, and the stack of the server has an end.
  if above > {{schema_nested}} then
    return way;
  end if;
  case kind
    when 'number' then number := instance::numeric;
    when 'string' then letters := instance #>> '{}';
    when 'array' then members := jsonb_array_length(instance);
    when 'object' then select count(*) into members from jsonb_object_keys(instance);
    else null;
  end case;
  for keyword, says in select given.key, given.value from jsonb_each(schema) given loop
    fault := null;
    case keyword
      when 'type' then
        if not (case jsonb_typeof(says)
          when 'string' then audience_gate.is_of_type(instance, says #>> '{}')
          else exists (
            select from jsonb_array_elements_text(says) type where audience_gate.is_of_type(instance, type)) end)
        then
          return way;
        end if;
      when 'enum' then
        if not exists (select from jsonb_array_elements(says) choice where choice = instance) then
          return way;
        end if;
      when 'const' then
        if says <> instance then
          return way;
        end if;
      when 'multipleOf' then
        if mod(number, says::numeric) <> 0 then
          return way;
        end if;
      when 'minimum' then
        if number < says::numeric then
          return way;
        end if;
      when 'maximum' then
        if number > says::numeric then
          return way;
        end if;
      when 'exclusiveMinimum' then
        if number <= says::numeric then
          return way;
        end if;
      when 'exclusiveMaximum' then
        if number >= says::numeric then
          return way;
        end if;
      when 'minLength' then
        if char_length(letters) < says::numeric then
          return way;
        end if;
      when 'maxLength' then
        if char_length(letters) > says::numeric then
          return way;
        end if;
      when 'pattern' then
        if not audience_gate.matches(letters, says #>> '{}') then
          return way;
        end if;
      when 'format' then
        if not audience_gate.has_format(letters, says #>> '{}') then
          return way;
        end if;
      when 'minItems' then
        if kind = 'array' and members < says::numeric then
          return way;
        end if;
      when 'maxItems' then
        if kind = 'array' and members > says::numeric then
          return way;
        end if;
      when 'uniqueItems' then
        if kind = 'array' and says = 'true'
          and members > (select count(distinct item) from jsonb_array_elements(instance) item)
        then
          return way;
        end if;
      when 'prefixItems' then
        for position in 0 .. least(jsonb_array_length(says), members) - 1 loop
          exit when kind <> 'array';
          fault := audience_gate.schema_fault(
            root, says -> position, instance -> position, way || position::text, above + 1);
          exit when fault is not null;
        end loop;
      when 'items' then
        for position in coalesce(jsonb_array_length(schema -> 'prefixItems'), 0) .. coalesce(members, 0) - 1 loop
          exit when kind <> 'array';
          fault := audience_gate.schema_fault(root, says, instance -> position, way || position::text, above + 1);
          exit when fault is not null;
        end loop;
      when 'contains' then
        if kind = 'array' then
          select count(*) into matched from jsonb_array_elements(instance) item
          where audience_gate.schema_fault(root, says, item, '{}', above + 1) is null;
          if matched < coalesce((schema -> 'minContains')::numeric, 1)
            or matched > (schema -> 'maxContains')::numeric
          then
            return way;
          end if;
        end if;
      when 'minProperties' then
        if kind = 'object' and members < says::numeric then
          return way;
        end if;
      when 'maxProperties' then
        if kind = 'object' and members > says::numeric then
          return way;
        end if;
      when 'required' then
        if kind = 'object' then
          select way || name into fault from jsonb_array_elements_text(says) with ordinality as needed (name, place)
          where not instance ? name order by place limit 1;
        end if;
      when 'dependentRequired' then
        if kind = 'object' then
          select way || name into fault
          from jsonb_each(says) with ordinality as dependent (key, names, place)
          cross join lateral jsonb_array_elements_text(dependent.names) with ordinality as needed (name, ordinal)
          where instance ? dependent.key and not instance ? name order by dependent.place, needed.ordinal limit 1;
        end if;
      when 'propertyNames' then
        for part in select sent.key from jsonb_each(case kind when 'object' then instance else '{}' end) sent loop
          if audience_gate.schema_fault(root, says, to_jsonb(part.key), '{}', above + 1) is not null then
            return way || part.key;
          end if;
        end loop;
      when 'properties' then
        for part in
          select sent.key, sent.value from jsonb_each(case kind when 'object' then instance else '{}' end) sent
          where says ? sent.key
        loop
          fault := audience_gate.schema_fault(root, says -> part.key, part.value, way || part.key, above + 1);
          exit when fault is not null;
        end loop;
      when 'patternProperties' then
        for part in
          select sent.key, sent.value, bound.value as schema
          from jsonb_each(says) with ordinality as bound (key, value, place)
          join jsonb_each(case kind when 'object' then instance else '{}' end)
            with ordinality as sent (key, value, place)
            on audience_gate.matches(sent.key, bound.key)
          order by bound.place, sent.place
        loop
          fault := audience_gate.schema_fault(root, part.schema, part.value, way || part.key, above + 1);
          exit when fault is not null;
        end loop;
      when 'additionalProperties' then
        for part in
          select sent.key, sent.value from jsonb_each(case kind when 'object' then instance else '{}' end) sent
          where (schema -> 'properties' ? sent.key) is not true
            and not exists (
              select from jsonb_object_keys(coalesce(schema -> 'patternProperties', '{}')) pattern
              where audience_gate.matches(sent.key, pattern))
        loop
          fault := audience_gate.schema_fault(root, says, part.value, way || part.key, above + 1);
          exit when fault is not null;
        end loop;
      when 'dependentSchemas' then
        for part in
          select bound.key, bound.value from jsonb_each(says) bound where kind = 'object' and instance ? bound.key
        loop
          fault := audience_gate.schema_fault(root, part.value, instance, way, above + 1);
          exit when fault is not null;
        end loop;
      when 'allOf' then
        for position in 0 .. jsonb_array_length(says) - 1 loop
          fault := audience_gate.schema_fault(root, says -> position, instance, way, above + 1);
          exit when fault is not null;
        end loop;
      when 'anyOf' then
        if not exists (
          select from jsonb_array_elements(says) choice
          where audience_gate.schema_fault(root, choice, instance, '{}', above + 1) is null)
        then
          return way;
        end if;
      when 'oneOf' then
        if 1 <> (select count(*) from jsonb_array_elements(says) choice
          where audience_gate.schema_fault(root, choice, instance, '{}', above + 1) is null)
        then
          return way;
        end if;
      when 'not' then
        if audience_gate.schema_fault(root, says, instance, '{}', above + 1) is null then
          return way;
        end if;
      when 'if' then
        fault := case
          when audience_gate.schema_fault(root, says, instance, '{}', above + 1) is null
            then audience_gate.schema_fault(root, coalesce(schema -> 'then', 'true'), instance, way, above + 1)
          else audience_gate.schema_fault(root, coalesce(schema -> 'else', 'true'), instance, way, above + 1)
        end;
      when '$ref' then
        fault := audience_gate.schema_fault(
          root, root #> audience_gate.schema_reference(says #>> '{}'), instance, way, above + 1);
      else
        null; -- said to people, or with another keyword
    end case;
    if fault is not null then
      return fault;
    end if;
  end loop;
  return null;
end;
$$;
comment on function audience_gate.schema_fault(jsonb, jsonb, jsonb, text[], integer) is
  'The way to the first part of a value that a schema of a root refuses, where way leads to the value; null if it refuses none. Above: how many schemas led to this one; a value that takes more than {{schema_nested}} is refused. The schema has passed schema_refusal().';
