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
stable
parallel safe
set search_path = ''
as $$
declare
  required jsonb := schema -> 'required';
  is_closed boolean := coalesce(schema -> 'additionalProperties' = 'false', false);
  -- Most schemas say of each key alone what it may hold, and most of that needs no call.
  is_whole boolean := coalesce(
    schema ?| {{whole_keywords}}
    or schema -> 'type' <> '"object"' or jsonb_typeof(schema -> 'additionalProperties') = 'object', false);
  properties jsonb := case
    when is_closed then audience_gate.own_properties() || coalesce(nullif(schema -> 'properties', 'null'), '{}')
    else schema -> 'properties'
  end;
  member record;
  rule jsonb;
  kind text;
  agrees boolean;
begin
  for place in 0 .. coalesce(jsonb_array_length(required), 0) - 1 loop
    if coalesce(ltrim(metadata ->> (required ->> place), audience_gate.white_space()), '') = '' then
      return false;
    end if;
  end loop;
  if is_whole
    and audience_gate.schema_fault(schema, schema, audience_gate.payload_seen(schema, metadata), '{}') is not null
  then
    return false;
  end if;
  -- A schema binds many keys, an event holds few.
  for member in select sent.key, sent.value from jsonb_each(metadata) sent loop
    rule := properties -> member.key;
    kind := jsonb_typeof(member.value);
    if rule is null and is_closed and not is_whole and required ? member.key is not true then
      return false;
    end if;
    if rule is not null and kind <> 'null' then
      agrees := case rule ->> 'type'
          when 'integer' then case
            when kind = 'number' then trunc(member.value::numeric) = member.value::numeric
            else false
          end
          else coalesce(kind = rule ->> 'type', true)
        end
        and case when rule ? 'enum' then rule -> 'enum' @> member.value
            and kind not in ('object', 'array') else true end
        and case when kind = 'number' then
            coalesce(member.value::numeric >= (rule -> 'minimum')::numeric, true)
            and coalesce(member.value::numeric <= (rule -> 'maximum')::numeric, true)
          else true end
        and case when kind = 'string' then
            coalesce(char_length(member.value #>> '{}') >= (rule -> 'minLength')::numeric, true)
            and coalesce(char_length(member.value #>> '{}') <= (rule -> 'maxLength')::numeric, true)
          else true end;
      if rule ?| {{value_keywords}}
        or rule = 'false'
        or not agrees and (kind in ('object', 'array') or jsonb_typeof(rule -> 'type') = 'array')
      then
        agrees := audience_gate.schema_fault(schema, rule, member.value, '{}', 1) is null;
      end if;
      if not agrees then
        return false;
      end if;
    end if;
  end loop;
  return true;
end;
$$;
comment on function audience_gate.payload_agrees(jsonb, jsonb) is 'Whether metadata satisfies a payload schema of the registry; null requires nothing.';

create or replace function audience_gate.payload_seen(schema jsonb, metadata jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select coalesce(jsonb_object_agg(sent.key, sent.value), '{}')
  from jsonb_each(case jsonb_typeof(metadata) when 'object' then metadata else '{}' end) sent
  cross join lateral (select coalesce(schema -> 'properties' ? sent.key, false) as is_described) said
  where (is_described or not audience_gate.own_properties() ? sent.key)
    and (sent.value <> 'null'
      or not is_described and schema -> 'additionalProperties' = 'false' and not schema ? 'patternProperties')
$$;
comment on function audience_gate.payload_seen(jsonb, jsonb) is
  'Metadata as a payload schema sees it: without what is null, unless that is a key which a closed schema does not know, and without the keys of tracker and gate that it does not describe.';
