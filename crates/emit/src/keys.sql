-- Whether a key names personal data, by its words: those of the contract, and those of the install.
create or replace function audience_gate.key_words(key text)
returns text[]
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
begin
  return string_to_array(btrim(regexp_replace(lower(
      regexp_replace(regexp_replace(regexp_replace(regexp_replace(key,
        '([a-z])([A-Z])', '\1 \2', 'g'),
        '([A-Z])([A-Z][a-z])', '\1 \2', 'g'),
        '([A-Za-z])([0-9])', '\1 \2', 'g'),
        '([0-9])([A-Za-z])', '\1 \2', 'g') collate "C"),
      '[^a-z0-9\u0080-\U0010ffff]+', ' ', 'g')), ' ');
end;
$$;
comment on function audience_gate.key_words(text) is
  'The words of a key in lower case: it is split at signs, between letters and digits, and where camel case begins one.';

-- Lists are searched as texts, because that takes no time to begin, and a pattern of some hundred words does.
create or replace function audience_gate.begins_personal(keys text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  words text := keys;
  word text;
  seen text := '|';
begin
  -- In a JSON text, what follows a backslash may be a letter that stands for a sign.
  if strpos(keys, E'\\') > 0 then
    return true;
  end if;
  if keys ~ '[A-Z]' then
    words := regexp_replace(regexp_replace(keys,
      '([a-z])([A-Z])', '\1 \2', 'g'),
      '([A-Z])([A-Z][a-z])', '\1 \2', 'g');
  end if;
  -- A loop and no query, which Postgres would plan anew for every text.
  foreach word in array regexp_split_to_array(lower(words collate "C"), '[^a-z\u0080-\U0010ffff]+') loop
    -- A word that comes again is not looked up again: the list is much longer than what a text has of other words.
    if word <> '' and strpos(seen, '|' || word || '|') = 0 then
      if strpos(audience_gate.first_words(), '|' || word || '|') > 0 then
        return true;
      end if;
      seen := seen || word || '|';
    end if;
  end loop;
  return false;
end;
$$;
comment on function audience_gate.begins_personal(text) is
  'Whether keys, side by side or in a JSON text, have a word with which the name of personal data begins.';

create or replace function audience_gate.may_name_personal_data(value jsonb)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  written constant text := value;
begin
  if written like '_%{%' then
    return audience_gate.begins_personal(written);
  end if;
  return audience_gate.begins_personal((select string_agg(key, ' ') from jsonb_object_keys(value) key));
end;
$$;
comment on function audience_gate.may_name_personal_data(jsonb) is
  'Whether an object may have a key that names personal data, by a quick look: few that have none look as if they had.';

create or replace function audience_gate.names_personal_data(key text, value jsonb, own_words text[] default null)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  words text[];
  is_count boolean := false;
  described integer := 0;
  names text;
  seen text := '|';
  beginning text := '|';
  run text;
begin
  case jsonb_typeof(value)
    when 'string' then
      if ltrim(value #>> '{}', audience_gate.white_space()) = '' then
        return false;
      end if;
    when 'object', 'array' then
      if value in ('{}', '[]') then
        return false;
      end if;
    when 'number' then
      is_count := value::numeric < {{least_number}};
    else
      return false;
  end case;
  if key is null or own_words is null and not audience_gate.begins_personal(key) then
    return false;
  end if;
  words := audience_gate.key_words(key);
  names := case when is_count then audience_gate.measuring_words() else audience_gate.personal_words() end;
  -- From the last word on, so that the first one that describes is the last; each is looked up once.
  for place in reverse cardinality(words) .. 1 loop
    run := '|' || words[place] || '|';
    if strpos(seen, run) = 0 then
      seen := seen || words[place] || '|';
      if strpos(audience_gate.questioning_words(), run) > 0 then
        return false;
      elsif described = 0 and strpos(audience_gate.describing_words(), run) > 0 then
        described := place;
      end if;
      if strpos(names, run) > 0 or strpos(names, '|' || words[place] || ' ') > 0 then
        beginning := beginning || words[place] || '|';
      end if;
    end if;
  end loop;
  if strpos(case when is_count then audience_gate.measuring_keys() else audience_gate.personal_keys() end,
    '|' || array_to_string(words, ' ') || '|') > 0
  then
    return true;
  end if;
  for begun in 1 .. cardinality(words) loop
    run := words[begun];
    -- Most words begin no entry.
    continue when own_words is null and strpos(beginning, '|' || run || '|') = 0;
    for ended in begun .. least(begun + {{most_words}} - 1, cardinality(words)) loop
      if ended > begun then
        run := run || ' ' || words[ended];
      end if;
      if ended >= described and (
        strpos(names, '|' || run || '|') > 0
        -- Without own words the comparison with them is unknown, not false, and Postgres would go on to the whole key.
        or own_words is not null and not is_count and run = any (own_words) and key <> all (audience_gate.named_keys())
      ) then
        return true;
      end if;
    end loop;
  end loop;
  return false;
end;
$$;
comment on function audience_gate.names_personal_data(text, jsonb, text[]) is
  'Whether a key names personal data, judged by whole words, an install''s own among them, and its value can be some: flags, counts and what is empty cannot.';

create or replace function audience_gate.keys(value jsonb)
returns setof text
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
begin
  return query
    select key
    from jsonb_path_query(value, 'strict $.**') part
    cross join lateral jsonb_object_keys(case when jsonb_typeof(part) = 'object' then part else '{}' end) key;
end;
$$;
comment on function audience_gate.keys(jsonb) is 'Every key of a value, at any depth.';

create or replace function audience_gate.own_words()
returns text[]
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
  return (select array_agg(own.words) from public.audience_personal_words own);
end;
$$;
comment on function audience_gate.own_words() is 'The words by which keys name personal data in this install, besides those of the contract; null if there are none.';

create or replace function audience_gate.without_exempt_keys(metadata jsonb, schema jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when exempt.keys is null then metadata
    else (metadata - exempt.keys) || jsonb_build_object('', jsonb_build_array(metadata -> '', exempt.parts))
  end
  from (
    select array_agg(property.key) as keys, jsonb_agg(metadata -> property.key) as parts
    from jsonb_each(case when jsonb_typeof(schema -> 'properties') = 'object' then schema -> 'properties' end) property
    where property.value -> 'personal' = 'false' and jsonb_typeof(metadata) = 'object' and metadata ? property.key
  ) exempt
$$;
comment on function audience_gate.without_exempt_keys(jsonb, jsonb) is
  'Metadata without the keys that a payload schema says are not personal, but with what is under them.';

create or replace function audience_gate.keys_to_judge(metadata jsonb, schema jsonb)
returns jsonb
language sql
stable
parallel safe
set search_path = ''
as $$
  select audience_gate.without_exempt_keys(
    case when jsonb_typeof(metadata #> '{original_payload_snapshot,metadata}') = 'object' then
      jsonb_set(metadata, '{original_payload_snapshot,metadata}', audience_gate.without_exempt_keys(
        metadata #> '{original_payload_snapshot,metadata}',
        (select types.payload_schema from public.audience_event_types types
          where types.id = metadata #>> '{original_payload_snapshot,event_type}' and types.active)))
    else metadata end,
    schema)
$$;
comment on function audience_gate.keys_to_judge(jsonb, jsonb) is
  'Metadata without the keys that payload schemas say are not personal: those of its event, and those of the event that it is the audit row of.';

create or replace function audience_gate.any_key_is_personal(value jsonb, own_words text[] default null)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return exists (
    select
    from jsonb_path_query(value, 'strict $.**') part
    cross join lateral jsonb_each(case when jsonb_typeof(part) = 'object' then part else '{}' end) member
    where audience_gate.names_personal_data(member.key, member.value, own_words)
  );
end;
$$;
comment on function audience_gate.any_key_is_personal(jsonb, text[]) is 'Whether any key of a value names personal data, and has a value that can be some.';
