-- What is kept of a refused event, with nothing personal in it, as every other engine keeps it.
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
