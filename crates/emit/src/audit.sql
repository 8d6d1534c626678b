-- The record of a rejection: what the database itself writes when it refuses an event. It is the same as what every
-- other engine writes of that event: places, redaction, digest and snapshot.
create or replace function audience_gate.replacement(key text, value jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when held & 1 <> 0 then '[redacted:email]'
    when held & 2 <> 0 then '[redacted:personal]'
    when held & 4 <> 0 then '[redacted:secret]'
  end
  -- Asked once, because it is computed apart.
  from (select audience_gate.found_in_value(value, key) as held offset 0) looked
$$;
comment on function audience_gate.replacement(text, jsonb) is
  'What stands for a value under a key if it is personal; null if it may be shown. The key is empty for a key or another text that stands under none.';

create or replace function audience_gate.is_personal(key text, value jsonb, own_words text[] default null)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
  select audience_gate.names_personal_data(key, value, own_words)
$$;
comment on function audience_gate.is_personal(text, jsonb, text[]) is 'Whether a key names personal data that its value can be.';

create or replace function audience_gate.name_of_key(key text, short boolean)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when starts_with(key, '[redacted:') or audience_gate.replacement('', to_jsonb(key)) is not null
      then '[redacted:personal]'
    when starts_with(key, '[shortened:') or short and char_length(key) > {{snapshot_key}} then '[shortened:key]'
  end
$$;
comment on function audience_gate.name_of_key(text, boolean) is
  'What stands for a key that is itself personal, or too long for a short form; null if it may be shown. A sender''s own key that reads like such a name is replaced too.';

create or replace function audience_gate.redact(
  value jsonb, key text, depth integer, short boolean, is_event boolean,
  own_words text[] default null, schema jsonb default null
)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
#variable_conflict use_variable
declare
  stands text;
  shown jsonb;
  member record;
  name text;
  is_field boolean;
  is_exempt boolean;
  replaced integer := 0;
  names text[] := array[]::text[];
  parts jsonb[] := array[]::jsonb[];
begin
  case jsonb_typeof(value)
    when 'string' then
      stands := audience_gate.replacement(key, value);
      if stands is null and short and char_length(value #>> '{}') > {{snapshot_text}} then
        shown := to_jsonb(left(value #>> '{}', {{snapshot_text}}) || '…');
        return coalesce(to_jsonb(audience_gate.replacement(key, shown)), shown);
      end if;
      return coalesce(to_jsonb(stands), value);
    when 'number' then
      if length(value::text) > {{number_length}} or audience_gate.any_number_is_unstorable(value) then
        return to_jsonb('[shortened:number]'::text);
      end if;
      return coalesce(to_jsonb(audience_gate.replacement(key, value)), value);
    when 'object' then
      if depth >= (case when short then {{snapshot_depth}} else {{most_depth}} end) then
        return to_jsonb('[shortened:nested]'::text);
      end if;
      for member in
        select entry.key, entry.value
        from jsonb_each(value) with ordinality as entry (key, value, place) order by entry.place
      loop
        is_field := is_event and member.key = any (audience_gate.event_fields());
        is_exempt := not is_event and coalesce(schema -> 'properties' -> member.key -> 'personal' = 'false', false);
        name := audience_gate.name_of_key(member.key, short);
        if is_event and member.key = 'email' then
          name := '[redacted:personal]';
          shown := to_jsonb('[redacted:email]'::text);
        elsif name is not distinct from '[redacted:personal]'
          or (not is_event and not is_exempt and audience_gate.is_personal(member.key, member.value, own_words))
        then
          name := '[redacted:personal]';
          shown := to_jsonb(name);
          if (not is_event or is_field) and jsonb_typeof(member.value) = 'string'
            and (member.value #>> '{}' = '[redacted:email]' or audience_gate.found(member.value #>> '{}', '') & 1 <> 0)
          then
            shown := to_jsonb('[redacted:email]'::text);
          end if;
        else
          if is_event and not is_field then
            shown := to_jsonb('[redacted:unknown field]'::text);
          else
            shown := audience_gate.redact(member.value, member.key, depth + 1, short, false, own_words,
              case when is_event and member.key = 'metadata' then schema end);
          end if;
          -- What stands for a value is a text, which the key can make personal even if the value was none.
          if not is_field and not is_exempt and shown <> member.value
            and audience_gate.is_personal(member.key, shown, own_words)
          then
            name := '[redacted:personal]';
            shown := to_jsonb(name);
          end if;
        end if;
        if name is not null then
          replaced := replaced + 1;
          name := name || case when replaced > 1 then ' ' || replaced else '' end;
        end if;
        names := names || coalesce(name, member.key);
        parts := parts || shown;
      end loop;
      return (
        select coalesce(jsonb_object_agg(member_name, part), '{}'::jsonb)
        from unnest(names, parts) as members (member_name, part)
      );
    when 'array' then
      if depth >= (case when short then {{snapshot_depth}} else {{most_depth}} end) then
        return to_jsonb('[shortened:nested]'::text);
      end if;
      return (
        select coalesce(
          jsonb_agg(audience_gate.redact(element, key, depth + 1, short, false, own_words) order by place), '[]'::jsonb)
        from jsonb_array_elements(value) with ordinality as elements (element, place)
      );
    else
      return value;
  end case;
end;
$$;
comment on function audience_gate.redact(jsonb, text, integer, boolean, boolean, text[], jsonb) is
  'A value under a key at this depth, without personal data; in its short form with long texts and keys cut and what is nested deep left out. Of an event, only the fields that the contract knows are shown.';

create or replace function audience_gate.redact(value jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select audience_gate.redact(value, '', 0, false, false)
$$;
comment on function audience_gate.redact(jsonb) is
  'A value with raw e-mails as [redacted:email], and personal keys and values as [redacted:personal].';

create or replace function audience_gate.fit(value jsonb, most integer, is_event boolean)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
#variable_conflict use_variable
declare
  room integer := most - 2;
  kept jsonb;
  member record;
  around integer;
  part jsonb;
begin
  if octet_length(value::text) <= most then
    return value;
  end if;
  if room < 0 or jsonb_typeof(value) not in ('object', 'array') then
    return null;
  end if;
  if jsonb_typeof(value) = 'object' then
    kept := '{}';
    for member in
      select entry.key, entry.value
      from jsonb_each(value) with ordinality as entry (key, value, place)
      order by is_event and entry.key = 'metadata', entry.place
    loop
      -- No member is shorter.
      exit when room < 5;
      around := octet_length(to_jsonb(member.key)::text) + case when kept = '{}' then 2 else 4 end;
      continue when room < around;
      part := audience_gate.fit(member.value, room - around, false);
      continue when part is null;
      kept := kept || jsonb_build_object(member.key, part);
      room := room - around - octet_length(part::text);
    end loop;
    return kept;
  end if;
  kept := '[]';
  for member in select entry.value from jsonb_array_elements(value) as entry (value) loop
    around := case when kept = '[]' then 0 else 2 end;
    exit when room < around;
    part := audience_gate.fit(member.value, room - around, false);
    exit when part is null;
    kept := kept || jsonb_build_array(part);
    room := room - around - octet_length(part::text);
    exit when part <> member.value;
  end loop;
  return kept;
end;
$$;
comment on function audience_gate.fit(jsonb, integer, boolean) is
  'A value as far as it has room in so many bytes; null if nothing of it has. Members that do not fit are left out, and of objects and lists that do not, what fits is kept. The metadata of an event comes last, because the columns say more for their size.';

create or replace function audience_gate.snapshot(
  event jsonb, whole jsonb, most integer, own_words text[] default null, schema jsonb default null
)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  content text := whole::text;
  is_event boolean := jsonb_typeof(event) = 'object';
begin
  if jsonb_typeof(whole) = 'null'
    or jsonb_typeof(whole) = 'string' and ltrim(whole #>> '{}', audience_gate.white_space()) = ''
  then
    return to_jsonb('[empty]'::text);
  end if;
  if octet_length(content) > most
    or (case
      when octet_length(content) - octet_length(translate(content, '{[', '')) > {{snapshot_depth}}
      then audience_gate.depth(whole) > {{snapshot_depth}}
      else false
    end)
  then
    return coalesce(
      audience_gate.fit(audience_gate.redact(event, '', 0, true, is_event, own_words, schema), most, is_event),
      to_jsonb('[empty]'::text));
  end if;
  return whole;
end;
$$;
comment on function audience_gate.snapshot(jsonb, jsonb, integer, text[], jsonb) is
  'What is kept of a refused event in so many bytes: all of it, redacted, or a short form.';

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
        select array['metadata', types.refused]
        from (
          select audience_gate.refused_property(registered.payload_schema,
            case when jsonb_typeof(metadata) = 'object' then metadata else '{}' end) as refused
          from public.audience_event_types registered
          where registered.id = event ->> 'event_type' and registered.active
        ) types
        where types.refused is not null
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

create or replace function audience_gate.refused_property(schema jsonb, metadata jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select property.key
  from (
    select jsonb_array_elements_text(coalesce(nullif(schema -> 'required', 'null'), '[]')) as key
    union
    select jsonb_object_keys(coalesce(nullif(schema -> 'properties', 'null'), '{}'))
    union
    select jsonb_object_keys(metadata) where schema -> 'additionalProperties' = 'false'
  ) property
  where not audience_gate.payload_agrees(
    jsonb_build_object(
      'additionalProperties', schema -> 'additionalProperties',
      'required', case when schema -> 'required' ? property.key then jsonb_build_array(property.key) else '[]' end,
      'properties', case when schema -> 'properties' ? property.key
        then jsonb_build_object(property.key, schema -> 'properties' -> property.key) else '{}' end),
    case when metadata ? property.key then jsonb_build_object(property.key, metadata -> property.key) else '{}' end)
  order by octet_length(property.key), property.key collate "C"
  limit 1
$$;
comment on function audience_gate.refused_property(jsonb, jsonb) is
  'The first key that does not satisfy a payload schema, in the order in which Postgres keeps keys; null if all do.';

create or replace function audience_gate.audit_session(session_id text, rule_ids text[])
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when 'base.session_id' <> all (rule_ids)
      and char_length(session_id) between {{least_session}} and {{most_session}}
      and ltrim(session_id, audience_gate.white_space()) <> ''
      and audience_gate.replacement('session_id', to_jsonb(session_id)) is null
    then session_id
    else audience_gate.placeholder_session()
  end
$$;
comment on function audience_gate.audit_session(text, text[]) is
  'The session that an audit row is recorded under: the one sent if it is valid and holds nothing personal, whichever rules were violated, else the placeholder.';

create or replace function audience_gate.rejection_metadata(event jsonb, rule_ids text[], source_system text)
returns jsonb
language sql
stable
parallel safe
set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object(
      'validation_rule_id', rule_ids[1],
      'validation_result', 'rejected',
      'rejection_reason', told.reason,
      'snapshot_shortened', case when kept.snapshot <> told.whole and kept.snapshot <> to_jsonb('[empty]'::text)
        or position('[shortened:' in kept.snapshot::text) > 0 then true end,
      'payload_digest', encode(sha256(convert_to(told.whole::text, 'UTF8')), 'hex'),
      'payload_bytes', octet_length(told.whole::text),
      'source_system', source_system,
      'event_id', case when jsonb_typeof(event -> 'id') = 'string'
        and event ->> 'id' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then lower(event ->> 'id') end,
      'contract', '{{version}}+' || audience_gate.contract_fingerprint()))
    || jsonb_build_object('violations', told.violations, 'original_payload_snapshot', kept.snapshot)
  from (
    select audience_gate.places(event, rule_ids) as violations,
      audience_gate.redact(event, '', 0, false, jsonb_typeof(event) = 'object', own.words, own.schema) as whole,
      own.words, own.schema,
      audience_gate.reason(rule_ids[1]) || case when rule_ids[1] = 'sanity.metadata_size'
        then ' (it has ' || octet_length((event -> 'metadata')::text) || ' bytes)' else '' end as reason
    from (
      select audience_gate.own_words() as words, (
          select types.payload_schema from public.audience_event_types types
          where types.id = event ->> 'event_type' and types.active
        ) as schema
      offset 0
    ) own
    -- Once, not for each of its uses.
    offset 0
  ) told
  cross join lateral (
    select audience_gate.snapshot(event, told.whole, {{snapshot_room}}
      - octet_length(told.violations::text) - octet_length(to_jsonb(told.reason)::text),
      told.words, told.schema) as snapshot
    offset 0
  ) kept
$$;
comment on function audience_gate.rejection_metadata(jsonb, text[], text) is 'The metadata of the audit row of a refused event.';

create or replace function public.validate_audience_event(event jsonb)
returns table (ordinal integer, rule_id text, reason text, path text)
language sql
stable
set search_path = ''
as $$
  select found.place::integer, found.violation ->> 'rule_id', audience_gate.reason(found.violation ->> 'rule_id'),
    found.violation ->> 'path'
  from jsonb_array_elements(
    audience_gate.places(event, audience_gate.violations(event, 'trusted', null, null, now()))
  ) with ordinality as found (violation, place)
$$;
comment on function public.validate_audience_event(jsonb) is
  'Every rule of the contract that an event violates, in order, each with the place; no row where it is accepted. Judged as a trusted back end would send it now; repeats need the table and are judged on insert.';
revoke all on function public.validate_audience_event(jsonb) from public, anon;
grant execute on function public.validate_audience_event(jsonb) to authenticated, service_role;
