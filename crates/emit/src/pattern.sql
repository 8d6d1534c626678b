-- The patterns of schemas: a grammar that means the same in every engine, written as Postgres' own.
create or replace function audience_gate.pattern_character(code integer)
returns text
language sql
immutable
strict
parallel safe
set search_path = ''
as $$
  select case
    when code between 48 and 57 or code between 65 and 90 or code between 97 and 122 then chr(code)
    when code < 65536 then '\u' || lpad(to_hex(code), 4, '0')
    else '\U' || lpad(to_hex(code), 8, '0')
  end
$$;
comment on function audience_gate.pattern_character(integer) is
  'A character as a pattern of Postgres names it and nothing else.';

create or replace function audience_gate.pattern_class(sign text)
returns text
language sql
immutable
strict
parallel safe
set search_path = ''
as $$
  select case lower(sign collate "C")
    when 'd' then '0-9'
    when 'w' then 'A-Za-z0-9_'
    when 's' then '\t\n\v\f\r\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
  end
$$;
comment on function audience_gate.pattern_class(text) is
  'The characters that \d, \w and \s stand for, as ECMAScript lists them; null for another sign.';

create or replace function audience_gate.pattern_escaped(sign text, in_class boolean)
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when strpos('tnvfr', sign) > 0 then (array[9, 10, 11, 12, 13])[strpos('tnvfr', sign)]
    when strpos('^$\.*+?()[]{}|/', sign) > 0 or in_class and sign = '-' then ascii(sign)
  end
$$;
comment on function audience_gate.pattern_escaped(text, boolean) is
  'The code point that a backslash and this sign stand for; null if they stand for none.';

create or replace function audience_gate.pattern(source text)
returns text
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  signs constant text[] := string_to_array(source, null);
  ends constant integer := coalesce(cardinality(signs), 0);
  place integer := 1;
  sign text;
  written text := '';
  -- What the groups that are open expand to so far, and the last atom: a position for each character, repetition and
  -- choice. The atom is null where nothing can be repeated.
  totals bigint[] := array[0];
  atom bigint;
  bounds text[];
  -- Whether a branch begins here, and whether it ended.
  begins boolean := true;
  closed boolean := false;
  negated boolean;
  members text;
  low integer;
  high integer;
begin
  while place <= ends loop
    sign := signs[place];
    if closed and sign <> '|' then
      return null;
    end if;
    place := place + 1;
    case
      when sign = '^' then
        if cardinality(totals) > 1 or not begins then
          return null;
        end if;
        written := written || '\A';
        atom := null;
      when sign = '$' then
        if cardinality(totals) > 1 then
          return null;
        end if;
        written := written || '\Z';
        closed := true;
        atom := null;
      when sign = '|' then
        written := written || '|';
        totals[cardinality(totals)] := totals[cardinality(totals)] + 1;
        closed := false;
        atom := null;
      when sign = '(' then
        if signs[place] = '?' then
          if signs[place + 1] is distinct from ':' then
            return null;
          end if;
          place := place + 2;
        end if;
        written := written || '(?:';
        totals := totals || 0::bigint;
        atom := null;
      when sign = ')' then
        if cardinality(totals) = 1 then
          return null;
        end if;
        written := written || ')';
        atom := totals[cardinality(totals)];
        totals := totals[:cardinality(totals) - 1];
        totals[cardinality(totals)] := totals[cardinality(totals)] + atom;
      when sign in ('*', '+', '?') then
        if atom is null then
          return null;
        end if;
        written := written || sign;
        totals[cardinality(totals)] := totals[cardinality(totals)] + 1;
        atom := null;
      when sign = '{' then
        bounds := regexp_match(array_to_string(signs[place:place + 7], ''), '^([0-9]{1,3})(,([0-9]{1,3})?)?\}');
        if atom is null or bounds is null or bounds[1]::integer > {{pattern_repeats}}
          or coalesce(bounds[3]::integer, 0) > {{pattern_repeats}} or bounds[3]::integer < bounds[1]::integer
        then
          return null;
        end if;
        members := bounds[1] || coalesce(bounds[2], '') || '}';
        written := written || '{' || members;
        place := place + char_length(members);
        totals[cardinality(totals)] := totals[cardinality(totals)]
          + atom * (greatest(bounds[1]::integer, bounds[3]::integer, 1) - 1) + 1;
        atom := null;
      when sign = '[' then
        negated := coalesce(signs[place] = '^', false);
        place := place + negated::integer;
        members := '';
        loop
          sign := signs[place];
          if sign is null then
            return null;
          end if;
          place := place + 1;
          exit when sign = ']';
          if sign = '\' and audience_gate.pattern_class(signs[place]) is not null then
            if signs[place] <> lower(signs[place] collate "C")
              or signs[place + 1] = '-' and signs[place + 2] <> ']'
            then
              return null;
            end if;
            members := members || audience_gate.pattern_class(signs[place]);
            place := place + 1;
            continue;
          end if;
          -- A sign for itself, or the first of a range.
          if sign = '\' then
            low := audience_gate.pattern_escaped(signs[place], true);
            place := place + 1;
          elsif sign = '-' and members <> '' and signs[place] is distinct from ']' then
            return null;
          else
            low := ascii(sign);
          end if;
          if signs[place] = '-' and signs[place + 1] <> ']' then
            high := case when signs[place + 1] = '\' then audience_gate.pattern_escaped(signs[place + 2], true)
              else ascii(signs[place + 1]) end;
            place := place + case when signs[place + 1] = '\' then 3 else 2 end;
            if high is null or low is null or high < low then
              return null;
            end if;
            members := members || audience_gate.pattern_character(low) || '-' || audience_gate.pattern_character(high);
          elsif low is null then
            return null;
          else
            members := members || audience_gate.pattern_character(low);
          end if;
        end loop;
        if members = '' then
          return null;
        end if;
        written := written || case when negated then '[^' else '[' end || members || ']';
        atom := 1;
      when sign = '.' then
        written := written || '[^\n\r\u2028\u2029]';
        atom := 1;
      when sign = '\' then
        if audience_gate.pattern_class(signs[place]) is not null then
          written := written || case when signs[place] = lower(signs[place] collate "C") then '[' else '[^' end
            || audience_gate.pattern_class(signs[place]) || ']';
        elsif audience_gate.pattern_escaped(signs[place], false) is null then
          return null;
        else
          written := written || audience_gate.pattern_character(audience_gate.pattern_escaped(signs[place], false));
        end if;
        place := place + 1;
        atom := 1;
      when sign in (']', '}') then
        return null;
      else
        written := written || audience_gate.pattern_character(ascii(sign));
        atom := 1;
    end case;
    begins := sign = '|';
    if atom = 1 and sign <> ')' then
      totals[cardinality(totals)] := totals[cardinality(totals)] + 1;
    end if;
    if totals[cardinality(totals)] > {{pattern_positions}} then
      return null;
    end if;
  end loop;
  return case when cardinality(totals) = 1 then '***:' || written end;
end;
$$;
comment on function audience_gate.pattern(text) is
  'A pattern of a schema as Postgres writes it, for a text of collation C; null if it is outside the grammar or expands to more than {{pattern_positions}} positions.';
