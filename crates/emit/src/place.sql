-- Where an event violates a rule: the way to the very key or column, the same one in every engine.
create or replace function audience_gate.pointer(steps text[])
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  pointer text := '';
  step text;
  longer text;
begin
  if steps is null then
    return null;
  end if;
  foreach step in array steps loop
    exit when char_length(step) > {{snapshot_key}} or audience_gate.replacement('', to_jsonb(step)) is not null;
    longer := pointer || '/' || replace(replace(step, '~', '~0'), '/', '~1');
    exit when octet_length(to_jsonb(longer)::text) > {{place_bytes}};
    pointer := longer;
  end loop;
  return case when audience_gate.replacement('', to_jsonb(pointer)) is null then pointer end;
end;
$$;
comment on function audience_gate.pointer(text[]) is
  'The JSON pointer of these steps, up to a key that must not be shown or has no room; null if the keys say something personal together.';

create or replace function audience_gate.parts(value jsonb, start text[])
returns table (place integer[], steps text[], own_key text, key text, part jsonb)
language sql
immutable
parallel safe
set search_path = ''
as $$
  with recursive walk as (
    select array[]::integer[] as place, start as steps, start[cardinality(start)] as own_key,
      coalesce(start[cardinality(start)], '') as key, value as part
    union all
    select walk.place || child.ordinal::integer, walk.steps || coalesce(child.key, (child.ordinal - 1)::text),
      child.key, coalesce(child.key, walk.key), child.part
    from walk
    cross join lateral (
      select entry.key, entry.value as part, entry.ordinal
      from jsonb_each(case when jsonb_typeof(walk.part) = 'object' then walk.part else '{}' end)
        with ordinality as entry (key, value, ordinal)
      union all
      select null, item.value, item.ordinal
      from jsonb_array_elements(case when jsonb_typeof(walk.part) = 'array' then walk.part else '[]' end)
        with ordinality as item (value, ordinal)
    ) child
    where cardinality(walk.place) < {{most_depth}} - cardinality(start)
  )
  select walk.place, walk.steps, walk.own_key, walk.key, walk.part from walk
$$;
comment on function audience_gate.parts(jsonb, text[]) is
  'Every part of a value, the way to it, its own key if it is a member, and the key that it stands under. Ordered by place, they are in the order in which Postgres keeps them.';

create or replace function audience_gate.place(event jsonb, sought text)
returns text[]
language plpgsql
stable
parallel safe
set search_path = ''
as $$
#variable_conflict use_column
declare
  metadata jsonb := event -> 'metadata';
  kind constant integer := case sought when 'email' then 1 when 'personal' then 2 when 'secret' then 4 end;
begin
  case sought
    when 'unknown_field' then
      return (
        select array[member.key]
        from jsonb_each(event) with ordinality as member (key, value, ordinal)
        where member.key <> all (audience_gate.event_fields())
        order by member.ordinal limit 1
      );
    when 'depth' then
      return (
        select found.steps from audience_gate.parts(event, '{}') found
        where cardinality(found.steps) = {{most_depth}} and jsonb_typeof(found.part) in ('object', 'array')
        order by found.place limit 1
      );
    when 'number' then
      return (
        select found.steps from audience_gate.parts(event, '{}') found
        where case when jsonb_typeof(found.part) = 'number' then audience_gate.any_number_is_unstorable(found.part) end
        order by found.place limit 1
      );
    when 'score' then
      return (
        select found.steps from audience_gate.parts(metadata - 'original_payload_snapshot', '{metadata}') found
        where audience_gate.has_word(found.own_key, audience_gate.score_words())
        order by found.place limit 1
      );
    when 'blocked_jump' then
      return (
        select found.steps || next.key
        from audience_gate.parts(metadata - 'original_payload_snapshot', '{metadata}') found
        cross join lateral jsonb_each(case when jsonb_typeof(found.part) = 'object' then found.part else '{}' end)
          with ordinality as next (key, value, ordinal)
        where lower(next.key collate "C") ~ '^new[{{joints}}]?state$'
          and audience_gate.names_blocked_jump(
            (select coalesce(jsonb_object_agg(prior.key, prior.value), '{}') from jsonb_each(found.part) prior
              where lower(prior.key collate "C") ~ '^prior[{{joints}}]?state$' and jsonb_typeof(prior.value) = 'string')
            || case when jsonb_typeof(next.value) = 'string' then jsonb_build_object(next.key, next.value)
              else '{}' end)
        order by found.place, next.ordinal limit 1
      );
    when 'personal_key' then
      return (
        select found.steps
        from (select audience_gate.own_words() as words offset 0) own
        cross join audience_gate.parts(metadata, '{metadata}') found
        where audience_gate.is_personal(found.own_key, found.part, own.words)
          and not exists (
            select from public.audience_event_types types
            where types.active and types.payload_schema -> 'properties' -> found.own_key -> 'personal' = 'false'
              and (cardinality(found.steps) = 2 and types.id = event ->> 'event_type'
                or cardinality(found.steps) = 4
                  and found.steps[2:3] = array['original_payload_snapshot', 'metadata']
                  and types.id = metadata #>> '{original_payload_snapshot,event_type}')
          )
        order by found.place limit 1
      );
    when 'payload' then
      return (
        select array['metadata'] || audience_gate.payload_fault(registered.payload_schema,
          case when jsonb_typeof(metadata) = 'object' then metadata else '{}' end)
        from public.audience_event_types registered
        where registered.id = event ->> 'event_type' and registered.active
      );
    else
      return (
        select found.steps
        from (
          select array[columns.ordinal::integer - 100] as place, array[columns.key] as steps
          from unnest({{text_columns}}) with ordinality
            as columns (key, ordinal)
          where audience_gate.found_in_value(event -> columns.key, columns.key) & kind <> 0
          union all
          select array[0] || parts.place, parts.steps
          from audience_gate.parts(metadata, '{metadata}') parts
          where (coalesce(audience_gate.found(parts.own_key, ''), 0)
            | audience_gate.found_in_value(parts.part, parts.key)) & kind <> 0
        ) found
        order by found.place limit 1
      );
  end case;
end;
$$;
comment on function audience_gate.place(jsonb, text) is 'The way to the first part of an event that is what is sought; null if there is none.';

create or replace function audience_gate.payload_fault(schema jsonb, metadata jsonb)
returns text[]
language plpgsql
stable
parallel safe
set search_path = ''
as $$
declare
  own constant jsonb := case when schema -> 'additionalProperties' = 'false' then audience_gate.own_properties()
    else '{}' end;
  wrong text;
begin
  select said.key into wrong
  from (
    select name as key from jsonb_array_elements_text(coalesce(nullif(schema -> 'required', 'null'), '[]')) name
    where coalesce(ltrim(metadata ->> name, audience_gate.white_space()), '') = ''
    union all
    select sent.key from jsonb_each(metadata) sent
    where own ? sent.key and (schema -> 'properties' ? sent.key) is not true
      and not audience_gate.payload_agrees(
        jsonb_build_object('properties', own), jsonb_build_object(sent.key, sent.value))
  ) said
  order by octet_length(said.key), said.key collate "C"
  limit 1;
  if wrong is not null then
    return array[wrong];
  end if;
  return audience_gate.schema_fault(schema, schema, audience_gate.payload_seen(schema, metadata), '{}');
end;
$$;
comment on function audience_gate.payload_fault(jsonb, jsonb) is
  'The way to the first part of metadata that a payload schema refuses: a required key that is missing comes first, in the order in which Postgres keeps keys; null if it refuses none.';
