-- Numbers that belong to a person, found in a text without its disguises by the same steps as in the core.
create or replace function audience_gate.is_card(digits text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  many integer := length(digits);
  first integer;
  total integer := 0;
  digit integer;
begin
  if many not between 13 and 19 then
    return false;
  end if;
  first := left(digits, 4)::integer;
  if not ({{cards}}) then
    return false;
  end if;
  for place in 1 .. many loop
    digit := substr(digits, place, 1)::integer;
    if (many - place) % 2 = 1 then
      digit := case when digit > 4 then 2 * digit - 9 else 2 * digit end;
    end if;
    total := total + digit;
  end loop;
  return total % 10 = 0;
end;
$$;
comment on function audience_gate.is_card(text) is 'Whether digits begin as a brand''s cards do, are as many as it issues, and satisfy Luhn''s check.';

create or replace function audience_gate.is_article(digits text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  total integer := 0;
begin
  if length(digits) <> 13 then
    return false;
  end if;
  for place in 1 .. 13 loop
    total := total + substr(digits, place, 1)::integer * (1 + (13 - place) % 2 * 2);
  end loop;
  return total % 10 = 0;
end;
$$;
comment on function audience_gate.is_article(text) is 'Whether thirteen digits satisfy the check of an article''s number (EAN).';

create or replace function audience_gate.is_card_number(digits text, key text)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  -- Shops count their ids in thirteen digits, as many as cards had in the last century.
  return audience_gate.is_card(digits) and not audience_gate.is_article(digits)
    and not (length(digits) = 13 and coalesce(key, '') ~ '(^id|[_-]id|Id)$');
end;
$$;
comment on function audience_gate.is_card_number(text, text) is
  'Whether digits alone under a key are those of a card, and not of an article or of the id that the key speaks of.';

create or replace function audience_gate.is_social_security(digits text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
begin
  return digits ~ '^(?!000|666|9)[0-9]{3}(?!00)[0-9]{2}(?!0000)';
end;
$$;
comment on function audience_gate.is_social_security(text) is
  'Whether nine digits are a social security number: no part of it is one that is never issued.';

create or replace function audience_gate.is_whole_number(
  groups integer, digits integer, last text, sizes text, joint text, lead text)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
  return (groups > 1 and not (groups = 2 and joint = '.') and digits between 13 and 19
      and audience_gate.is_card(right(last, digits)))
    or (groups = 3 and sizes = '324' and length(joint) = 1 and lead !~ '[A-Za-z][_./-]$'
      and audience_gate.is_social_security(right(last, 9)));
end;
$$;
comment on function audience_gate.is_whole_number(integer, integer, text, text, text, text) is 'Whether groups of digits are, all together, a card or social security number.';

create or replace function audience_gate.holds_number(plain text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  part text[];
  before text;
  is_after_group boolean := false;
  groups integer := 0;
  digits integer := 0;
  last text := '';
  sizes text := '';
  joint text := '';
  lead text := '';
  previous text := '';
  size integer;
begin
  if plain !~ '([0-9][^0-9A-Za-z]{0,3}){9}' then
    return false;
  end if;
  before := ' ' || substring(plain from '^[^0-9]*');
  -- After a last point stands something, so that it is not that of a decimal.
  for part in select matched from regexp_matches(plain || ' ', '([0-9]+)([^0-9]*)', 'g') matched loop
    size := length(part[1]);
    -- Digits beside a letter are part of a code.
    if right(before, 1) || left(part[2], 1) ~ '[A-Za-z]' then
      if groups > 1 and audience_gate.is_whole_number(groups, digits, last, sizes, joint, lead) then
        return true;
      end if;
      groups := 0;
    else
      if groups > 0 and (before = joint or before ~ '^[\x01-/:-@[-`{-\x7f]{1,3}$') then
        if groups > 1 and before <> joint then
          if audience_gate.is_whole_number(groups, digits, last, sizes, joint, lead) then
            return true;
          end if;
          -- The last group belongs to the run that begins here, too.
          groups := 1;
          lead := '';
          digits := length(previous);
          last := right(previous, 19);
          sizes := right(sizes, 1);
        end if;
        joint := before;
        groups := groups + 1;
        digits := digits + size;
        last := right(last || part[1], 19);
        sizes := right(sizes || case when size < 10 then size::text else 'x' end, 5);
      else
        if groups > 1 and audience_gate.is_whole_number(groups, digits, last, sizes, joint, lead) then
          return true;
        end if;
        groups := 1;
        lead := right(before, 2);
        digits := size;
        last := right(part[1], 19);
        sizes := case when digits < 10 then digits::text else 'x' end;
        joint := '';
      end if;
      previous := part[1];
      if size between 13 and 19 then
        if part[2] <> '.' and (before <> '.' or not is_after_group)
          and audience_gate.is_card(part[1]) and not audience_gate.is_article(part[1])
        then
          return true;
        end if;
      elsif groups > 2 and strpos(right(sizes, 3), '4') > 0 and (
        right(sizes, 4) = '4444' and audience_gate.is_card(right(last, 16))
        or right(sizes, 3) = '464' and audience_gate.is_card(right(last, 14))
        or right(sizes, 3) = '465' and audience_gate.is_card(right(last, 15))
        or sizes in ('44441', '44442', '44443') and audience_gate.is_card(right(last, 16 + right(sizes, 1)::integer))
        or joint = ' ' and right(sizes, 3) = '324'
          and audience_gate.is_social_security(right(last, 9))
      ) then
        return true;
      end if;
    end if;
    before := part[2];
    is_after_group := true;
  end loop;
  return groups > 1 and audience_gate.is_whole_number(groups, digits, last, sizes, joint, lead);
end;
$$;
comment on function audience_gate.holds_number(text) is 'Whether a plain text holds a card or social security number, whatever joins its groups.';

create or replace function audience_gate.is_national_number(number text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
begin
  return length(regexp_replace(number, '[^0-9]', '', 'g')) between 7 and 15
    and number !~ '^[^0-9]*[0-9]+[.][0-9]+([^0-9.][0-9]+[.][0-9]+)?$'
    and number !~ '^[^0-9]*([0-9]{4}[^0-9][0-9]{1,2}[^0-9][0-9]{1,2}|[0-9]{1,2}[^0-9][0-9]{1,2}[^0-9][0-9]{4})$';
end;
$$;
comment on function audience_gate.is_national_number(text) is 'Whether digits and joints can be a telephone number, and are neither a decimal nor a date.';

create or replace function audience_gate.holds_phone(plain text, key text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  part text[];
  digits text;
  small text := lower(plain collate "C");
begin
  if small ~ '(^|[^a-z0-9])([+]|(tel|sms|callto):)|(^|[^a-z0-9.,_/-])00' then
    for part in
      select matched
      from regexp_matches(small,
        '(?<![a-z0-9])((?:tel|sms|callto):[+]?|[+]|(?<![.,_/-])(?<![0-9]:)00)((?:[ ./()-]{0,2}[0-9]){{{personal_digits}},})'
        '((?<=[0-9])[a-z])?', 'g') matched
    loop
      digits := regexp_replace(part[2], '[^0-9]', '', 'g');
      if strpos(part[1], ':') > 0 then
        if length(digits) between 6 and 15 then
          return true;
        end if;
      -- A hash can begin with two noughts; after a plus sign, a letter begins an extension.
      elsif length(digits) between 7 and 15 and not (part[1] = '00' and part[3] is not null)
        and part[2] !~ '^[^0-9]*[0-9]+[.][0-9]+([^0-9.][0-9]+[.][0-9]+)?$'
        and digits ~ audience_gate.telephone_numbers()
      then
        return true;
      end if;
    end loop;
  end if;
  if small ~ '{{telephone_signs}}' then
    return small ~ audience_gate.telephone_words() and exists (
      select
      from regexp_matches(small,
        audience_gate.telephone_words()
          || '(?:[^a-z0-9\u0080-\U0010ffff]|(?<![a-z\u0080-\U0010ffff])('
      '{{between}}'
      ')(?![a-z\u0080-\U0010ffff]))*'
          || '([0-9](?:[ ./()-]{0,2}[0-9]){6,})(?![ ./()-]{0,2}[0-9]|[a-z])', 'g') matched
      where audience_gate.is_national_number(matched[cardinality(matched)])
    );
  end if;
  small := btrim(small, E' \t\n\f\r');
  return lower(key collate "C") ~ ('{{telephone_keys}}')
    and small ~ '^([ ./()-]{0,2}[0-9])+$'
    and audience_gate.is_national_number(small);
end;
$$;
comment on function audience_gate.holds_phone(text, text) is
  'Whether a plain text holds an international telephone number, or a national one after a word or under a key that speaks of a telephone.';

create or replace function audience_gate.holds_account(plain text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  shown text := regexp_replace(plain, '[\u0080-\U0010ffff]', '?', 'g');
  bytes bytea := convert_to(shown, 'UTF8');
  at integer := 1;
  piece text;
  account text;
  many integer;
  rest integer;
  value integer;
begin
  if shown !~ '(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}([ ._/-]?[A-Za-z0-9]){11}' then
    return false;
  end if;
  for piece in
    select regexp_split_to_table(shown, '(?<![A-Za-z0-9])(?=[A-Za-z]{2}[0-9]{2})')
  loop
    many := case
      {{accounts}}
    end;
    if many is not null and piece ~ '^[A-Za-z]{2}[0-9]{2}' then
      account := substring(convert_from(substring(bytes from at for 72), 'UTF8')
        from '^([A-Za-z]{2}[0-9]{2}(?:[ ._/-]?'
          || case when upper(left(piece, 2)) in ({{accounts_of_digits}}) then '[0-9]' else '[A-Za-z0-9]' end
          || '){' || many - 4 || '})(?![A-Za-z0-9])');
      if account is not null then
        account := regexp_replace(account, '[^A-Za-z0-9]', '', 'g');
        account := upper(substr(account, 5) || left(account, 4));
        rest := 0;
        for place in 1 .. many loop
          value := strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(account, place, 1)) - 1;
          rest := (rest * case when value > 9 then 100 else 10 end + value) % 97;
        end loop;
        if rest = 1 then
          return true;
        end if;
      end if;
    end if;
    at := at + length(piece);
  end loop;
  return false;
end;
$$;
comment on function audience_gate.holds_account(text) is 'Whether a plain text holds an international bank account number (IBAN), by its country''s length and its check digits.';

create or replace function audience_gate.is_internet_address(plain text)
returns boolean
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  shown text := btrim(plain, E' \t\n\f\r');
  part constant text := '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
  group_form constant text := '^([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})*)?$';
  gap integer;
  groups integer;
begin
  if octet_length(shown) > 64 or shown !~ '^[][0-9a-fA-F.:]+$' then
    return false;
  end if;
  if shown ~ ('^' || part || '([.]' || part || '){3}(:[0-9]{1,5})?$') then
    return true;
  end if;
  shown := regexp_replace(regexp_replace(shown, '^\[(.*)\]$', '\1'), ':' || part || '([.]' || part || '){3}$', ':0:0');
  gap := strpos(shown, '::');
  if gap = 0 then
    return shown ~ '^([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}$';
  end if;
  if left(shown, gap - 1) !~ group_form or substr(shown, gap + 2) !~ group_form then
    return false;
  end if;
  groups := cardinality(regexp_split_to_array(btrim(shown, ':'), ':+')) - case when shown = '::' then 1 else 0 end;
  return groups between 1 and 7;
end;
$$;
comment on function audience_gate.is_internet_address(text) is 'Whether a plain text is an address on the internet, of version 4 or 6, with a port or in brackets or not.';
