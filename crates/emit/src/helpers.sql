-- What the operators of the contract mean in SQL. Each function is total: no input makes it raise.
create or replace function audience_gate.moment(value text)
returns timestamptz
language plpgsql
stable
strict
parallel safe
set search_path = ''
as $$
declare
  month_days integer;
  zone text;
  zone_minutes integer := 0;
  micros integer;
  moment timestamptz;
begin
  if value !~ '^[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]'
      '[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)([.][0-9]+)?'
      '([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$'
    or left(value, 4) = '0000'
  then
    return null;
  end if;
  month_days := case substr(value, 6, 2)
    when '02' then case
      when left(value, 4)::int % 4 = 0 and (left(value, 4)::int % 100 <> 0 or left(value, 4)::int % 400 = 0) then 29
      else 28
    end
    when '04' then 30 when '06' then 30 when '09' then 30 when '11' then 30
    else 31 end;
  if substr(value, 9, 2)::int not between 1 and month_days then
    return null;
  end if;
  -- Postgres itself rounds to microseconds, and takes no offset of 16 hours or more.
  micros := rpad(left(substring(value from '[.]([0-9]+)'), 6), 6, '0')::int;
  if upper(right(value, 1)) <> 'Z' then
    zone := right(value, 6);
    zone_minutes := (left(zone, 1) || '1')::int * (substr(zone, 2, 2)::int * 60 + right(zone, 2)::int);
  end if;
  moment := (left(value, 10) || ' ' || substr(value, 12, 5) || '+00')::timestamptz
    + make_interval(mins => -zone_minutes, secs => substr(value, 18, 2)::int);
  if moment < '0001-01-01 00:00+00' or moment >= '10000-01-01 00:00+00'
    or substr(value, 18, 2) = '60' and extract(epoch from moment)::bigint % 86400 <> 0
  then
    return null;
  end if;
  return moment + coalesce(micros, 0) * interval '1 microsecond';
end;
$$;
comment on function audience_gate.moment(text) is 'An RFC 3339 time of the years 1 to 9999, or null if the text is not one. Digits of the second beyond the sixth are cut.';

create or replace function audience_gate.normalised_email(value text)
returns text
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  address text := translate(lower(btrim(value, E' \t\n\f\r') collate "C"), E'\u212a\u0130', 'ki');
begin
  if octet_length(address) <= {{email_bytes}}
    and address ~ '^[a-z0-9.!#$%&''*+/=?^_`{|}~-]+'
      '@[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$'
  then
    return address;
  end if;
  return null;
end;
$$;
comment on function audience_gate.normalised_email(text) is 'A valid e-mail address without surrounding white space and in lower case, or null.';

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
    if word <> '' and strpos(audience_gate.first_words(), '|' || word || '|') > 0 then
      return true;
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
  for place in 1 .. cardinality(words) loop
    if strpos(audience_gate.questioning_words(), '|' || words[place] || '|') > 0 then
      return false;
    elsif strpos(audience_gate.describing_words(), '|' || words[place] || '|') > 0 then
      described := place;
    end if;
  end loop;
  if strpos(case when is_count then audience_gate.measuring_keys() else audience_gate.personal_keys() end,
    '|' || array_to_string(words, ' ') || '|') > 0
  then
    return true;
  end if;
  for begun in 1 .. cardinality(words) loop
    run := words[begun];
    for ended in begun .. least(begun + {{most_words}} - 1, cardinality(words)) loop
      if ended > begun then
        run := run || ' ' || words[ended];
      end if;
      if ended >= described and (
        strpos(case when is_count then audience_gate.measuring_words() else audience_gate.personal_words() end,
          '|' || run || '|') > 0
        or not is_count and run = any (own_words) and key <> all (audience_gate.named_keys())
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

create or replace function audience_gate.depth(value jsonb)
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$
  with recursive level(depth, part) as (
    select 1, value where jsonb_typeof(value) in ('object', 'array')
    union all
    select depth + 1, child
    from level
    cross join lateral (
      select jsonb_path_query(part, 'strict $.*') as child where jsonb_typeof(part) = 'object'
      union all
      select jsonb_path_query(part, 'strict $[*]') where jsonb_typeof(part) = 'array'
    ) children
    where jsonb_typeof(child) in ('object', 'array') and depth < {{counted_depth}}
  )
  select coalesce(max(depth), 0) from level
$$;
comment on function audience_gate.depth(jsonb) is 'How many objects and arrays are nested within each other, counted up to {{counted_depth}}.';

create or replace function audience_gate.any_number_is_unstorable(value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
  select exists (
    select
    from jsonb_path_query(value, 'strict $.**') part
    where case when jsonb_typeof(part) = 'number' then
        abs(part::numeric) >= audience_gate.infinite() or scale(part::numeric) > {{number_scale}}
        or length(trim(both '0' from translate(part::text, '-.', ''))) > {{number_length}}
      else false end
  )
$$;
comment on function audience_gate.any_number_is_unstorable(jsonb) is 'Whether any number is beyond double precision or has more than {{number_length}} digits.';

create or replace function audience_gate.is_sha256(value text)
returns boolean
language sql
immutable
strict
parallel safe
set search_path = ''
as $$
  select value ~ '^[0-9a-f]{{{hash_length}}}$' and ltrim(value, left(value, 1)) <> ''
    and value <> '{{empty_hash}}'
$$;
comment on function audience_gate.is_sha256(text) is
  'Whether a text is a SHA-256 in small hexadecimal digits: not all alike, and not that of the empty text.';

create or replace function audience_gate.has_word(value text, word_pattern text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
begin
  return lower(value collate "C") ~ word_pattern or value ~ '[A-Z]' and lower(
      regexp_replace(regexp_replace(value,
        '([a-z])([A-Z])', '\1 \2', 'g'),
        '([A-Z])([A-Z][a-z])', '\1 \2', 'g') collate "C") ~ word_pattern;
end;
$$;
comment on function audience_gate.has_word(text, text) is
  'Whether a text has one of the words of a pattern: a run of letters, or what camel case makes of one.';

create or replace function audience_gate.names_like(value text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
begin
  return audience_gate.has_word(value, audience_gate.like_words())
    or translate(value, audience_gate.white_space(), '') ~ audience_gate.like_signs();
end;
$$;
comment on function audience_gate.names_like(text) is 'Whether a text names a like: a word of it does, or it is nothing but a sign of one.';

create or replace function audience_gate.any_key_names_score(metadata jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
  select exists (
    select
    from audience_gate.keys(metadata - 'original_payload_snapshot') key
    where audience_gate.has_word(key, audience_gate.score_words())
  )
$$;
comment on function audience_gate.any_key_names_score(jsonb) is
  'Whether any key of metadata, apart from what was kept of a rejected event, has the word score.';

create or replace function audience_gate.names_blocked_jump(metadata jsonb)
returns boolean
language sql
stable
parallel safe
set search_path = ''
as $$
  select exists (
    select
    from jsonb_path_query(metadata - 'original_payload_snapshot', 'strict $.**') part
    cross join lateral jsonb_each_text(case when jsonb_typeof(part) = 'object' then part else '{}' end) prior
    cross join lateral jsonb_each_text(case when jsonb_typeof(part) = 'object' then part else '{}' end) next
    join public.audience_blocked_jumps jump
      on lower(jump.from_state collate "C") = lower(prior.value collate "C")
      and lower(jump.to_state collate "C") = lower(next.value collate "C")
    where lower(prior.key collate "C") ~ '^prior[{{joints}}]?state$' and lower(next.key collate "C") ~ '^new[{{joints}}]?state$'
      and jsonb_typeof(part -> prior.key) = 'string' and jsonb_typeof(part -> next.key) = 'string'
  )
$$;
comment on function audience_gate.names_blocked_jump(jsonb) is
  'Whether metadata or an object within it, apart from what was kept of a rejected event, names a jump that is blocked.';

create or replace function audience_gate.payload_agrees(schema jsonb, metadata jsonb)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  required jsonb := schema -> 'required';
  is_closed boolean := coalesce(schema -> 'additionalProperties' = 'false', false);
  properties jsonb := case
    when is_closed then audience_gate.own_properties() || coalesce(nullif(schema -> 'properties', 'null'), '{}')
    else schema -> 'properties'
  end;
  member record;
  rule jsonb;
  kind text;
begin
  for place in 0 .. coalesce(jsonb_array_length(required), 0) - 1 loop
    if coalesce(ltrim(metadata ->> (required ->> place), audience_gate.white_space()), '') = '' then
      return false;
    end if;
  end loop;
  -- A schema binds many keys, an event holds few.
  for member in select sent.key, sent.value from jsonb_each(metadata) sent loop
    rule := properties -> member.key;
    kind := jsonb_typeof(member.value);
    if rule is null and is_closed and required ? member.key is not true then
      return false;
    end if;
    if rule is not null and kind <> 'null' and not (
      case rule ->> 'type'
        when 'integer' then case
          when kind = 'number' then trunc(member.value::numeric) = member.value::numeric
          else false
        end
        else coalesce(kind = rule ->> 'type', true)
      end
      and case when jsonb_array_length(coalesce(rule -> 'enum', '[]')) > 0 then rule -> 'enum' @> member.value
          and kind not in ('object', 'array') else true end
      and case when kind = 'number' then
          coalesce(member.value::numeric >= (rule -> 'minimum')::numeric, true)
          and coalesce(member.value::numeric <= (rule -> 'maximum')::numeric, true)
        else true end
      and case when kind = 'string' then
          coalesce(char_length(member.value #>> '{}') >= (rule -> 'minLength')::int, true)
          and coalesce(char_length(member.value #>> '{}') <= (rule -> 'maxLength')::int, true)
        else true end
    ) then
      return false;
    end if;
  end loop;
  return true;
end;
$$;
comment on function audience_gate.payload_agrees(jsonb, jsonb) is 'Whether metadata satisfies a payload schema of the registry; null requires nothing.';
