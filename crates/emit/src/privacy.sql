-- What must not be kept, found by the same steps as in the core: each looks once along the text.
create or replace function audience_gate.plain(value text)
returns text
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  shown text := value;
begin
  if shown ~ '[\u0080-\U0010ffff]' then
    shown := translate(shown,
      {{look_alikes}},
      {{looks}});
  end if;
  if strpos(shown, '&') > 0 then
    shown := regexp_replace(shown, '&(amp;)+', '&', 'g');
    {{entities}}
  end if;
  if strpos(shown, '%') > 0 then
    shown := regexp_replace(shown, '%(25)+', '%', 'g');
    {{escapes}}
  end if;
  return shown;
end;
$$;
comment on function audience_gate.plain(text) is 'The text without the disguises of URLs, of HTML and of characters that look like those of ASCII.';

create or replace function audience_gate.holds_email(plain text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
begin
  return strpos(plain, '@') > 0 and lower(plain collate "C")
    ~ ('[a-z0-9.!$''*+^_`{|}~\u0080-\U0010ffff-]"?@'
      '(?!v?[0-9]+[.][0-9])'
      '(?!([a-z0-9.\u0080-\U0010ffff-]*[.])?('
      '{{files}}'
      ')[.]*(?![a-z0-9.\u0080-\U0010ffff-]))'
      '[a-z0-9\u0080-\U0010ffff-]+([.][a-z0-9\u0080-\U0010ffff-]+)*'
      '[.][a-z\u0080-\U0010ffff][a-z0-9\u0080-\U0010ffff-]');
end;
$$;
comment on function audience_gate.holds_email(text) is 'Whether a plain text holds a raw e-mail address; handles, versions of packages and names of files are none.';

create or replace function audience_gate.holds_secret(plain text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
begin
  return plain ~ '(?<![A-Za-z0-9_-])(?:eyJ[A-Za-z0-9_-]{{{jwt_first}},}[.][A-Za-z0-9_-]{{{jwt_part}},}[.]'
      '|(?:'
      '{{prefixes}}'
      ')[A-Za-z0-9_-]{{{secret_key}},}'
      '|A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9_-])'
      '|[bB][eE][aA][rR][eE][rR] [A-Za-z0-9_.~+/=-]{{{bearer}}}'
      '|-----BEGIN [A-Z ]{0,13}PRIVATE KEY)';
end;
$$;
comment on function audience_gate.holds_secret(text) is 'Whether a plain text holds a credential, other than as the parameter of an address.';

create or replace function audience_gate.has_personal_parameter(plain text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  names text[];
begin
  if plain !~ '[?&;#][^?&;#= ]+=[^?&;# ]' then
    return false;
  end if;
  names := array(
    select sent.found[1] from regexp_matches(plain, '[?&;#]([^?&;#= ]+)=(?=[^?&;# ])', 'g') sent (found)
    where octet_length(sent.found[1]) <= {{parameter}});
  return audience_gate.begins_personal(array_to_string(names, ' '))
    and exists (select from unnest(names) name where audience_gate.names_personal_data(name, '"?"'));
end;
$$;
comment on function audience_gate.has_personal_parameter(text) is
  'Whether a query string in a plain text has a parameter with the name of personal data, and a value.';

-- Each question is asked only of a text that has what it needs, because patterns are dear: Postgres keeps 32 of them
-- ready, and makes every other one anew.
create or replace function audience_gate.found(value text, key text)
returns integer
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  plain text := value;
  bare text;
  digits integer;
  held integer := 0;
begin
  if value !~ '[@%&+=\u0080-\U0010ffff]|([0-9:-?A-Z.][^0-9:-?A-Z.]*){{{marks}}}' then
    return 0;
  end if;
  -- UUIDs, hashes and times, which are most of what looks suspicious, hold nothing.
  if octet_length(value) = 36 and translate(value, '0123456789abcdefABCDEF', '') = '----'
      and substr(value, 9, 1) || substr(value, 14, 1) || substr(value, 19, 1) || substr(value, 24, 1) = '----'
    or octet_length(value) in (32, 40, 64) and translate(value, '0123456789abcdef', '') = ''
      and translate(value, '0123456789', '') <> ''
    or value like '____-__-__T__:__%'
      and value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})$'
  then
    return 0;
  end if;
  if value ~ '[%&\u0080-\U0010ffff]' then
    plain := audience_gate.plain(value);
  end if;
  -- The groups of a UUID can read like those of a number; four hyphens join none.
  bare := plain;
  if plain like '%-____-____-____-____________%' then
    bare := regexp_replace(plain,
      '(?<![0-9A-Za-z])[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z])', '----', 'g');
  end if;
  digits := length(bare) - length(translate(bare, '0123456789', ''));
  if digits = length(plain) then
    return case
      when digits >= {{personal_digits}} and audience_gate.holds_phone(plain, key)
        or audience_gate.is_card_number(plain, key)
      then 2
      else 0
    end;
  end if;
  if strpos(plain, '@') > 0 and audience_gate.holds_email(plain) then
    held := 1;
  end if;
  if digits >= {{personal_digits}} and (
      audience_gate.holds_phone(bare, key)
      or (digits > 12 or bare ~ '(^|[^0-9])[0-9]{3}[^0-9]{1,3}[0-9]{2}[^0-9]{1,3}[0-9]{4}([^0-9]|$)')
        and audience_gate.holds_number(bare)
    )
    or audience_gate.holds_account(bare)
    or translate(plain, E'0123456789abcdefABCDEF.:[] \t\n\f\r', '') = ''
      and audience_gate.is_internet_address(plain)
      and lower(key collate "C") !~ '{{version_keys}}'
  then
    held := held | 2;
  end if;
  if length(plain) > {{secret_key}} and audience_gate.holds_secret(plain)
    or strpos(plain, '=') > 0 and lower(plain collate "C")
      ~ '[?&;#]({{parameters}})=[^ &#]'
  then
    held := held | 4;
  end if;
  if held & 4 = 0 and strpos(plain, '=') > 0 and audience_gate.has_personal_parameter(plain) then
    held := held | 2;
  end if;
  return held;
end;
$$;
comment on function audience_gate.found(text, text) is 'What a text under a key holds: 1 an e-mail address, 2 a number that belongs to a person, 4 a credential, or a sum of these.';

create or replace function audience_gate.found_in_value(value jsonb, key text)
returns integer
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return case jsonb_typeof(value)
    when 'string' then audience_gate.found(value #>> '{}', key)
    when 'number' then case
      when value::text ~ '^[0-9]{13,19}$' and audience_gate.is_card_number(value::text, key) then 2
      else 0
    end
    else 0
  end;
end;
$$;
comment on function audience_gate.found_in_value(jsonb, text) is 'What a text or number under a key holds, as found() says it.';

create or replace function audience_gate.found_in(value jsonb, key text default '')
returns integer
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  member record;
  held integer := 0;
begin
  case jsonb_typeof(value)
    when 'object' then
      for member in
        select own.key, own.value
        from jsonb_each(value) as own (key, value)
        where own.key || ' ' || own.value::text ~ audience_gate.personal_sign()
      loop
        held := held | audience_gate.found(member.key, '') | audience_gate.found_in(member.value, member.key);
      end loop;
    when 'array' then
      for member in select own.value from jsonb_array_elements(value) as own (value) loop
        held := held | audience_gate.found_in(member.value, key);
      end loop;
    else
      held := audience_gate.found_in_value(value, key);
  end case;
  return held;
end;
$$;
comment on function audience_gate.found_in(jsonb, text) is
  'What the texts, keys and numbers of a value under a key hold at any depth, as found() says it.';

create or replace function audience_gate.any_text_holds_email(value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
  select audience_gate.found_in(value) & 1 <> 0
$$;
comment on function audience_gate.any_text_holds_email(jsonb) is 'Whether any text or key of a value holds a raw e-mail address.';

create or replace function audience_gate.any_text_is_personal(value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
  select audience_gate.found_in(value) & 6 <> 0
$$;
comment on function audience_gate.any_text_is_personal(jsonb) is
  'Whether any text, key or number of a value holds a number that belongs to a person, or a credential.';
