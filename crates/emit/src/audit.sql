-- The record of a rejection: what the database itself writes when it refuses an event.
create or replace function audience_gate.redacted_text(value text)
returns text
language sql
immutable
strict
parallel safe
set search_path = ''
as $$
  select case
    when audience_gate.holds_email(value) then '[redacted:email]'
    when audience_gate.holds_personal_value(value) then '[redacted:personal]'
    else value
  end
$$;
comment on function audience_gate.redacted_text(text) is 'The text, or what stands for it if it holds personal data.';

create or replace function audience_gate.redact(value jsonb, depth integer)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  content text := value #>> '{}';
begin
  case jsonb_typeof(value)
    when 'string' then
      content := audience_gate.redacted_text(content);
      if length(content) > {{snapshot_text}} then
        content := audience_gate.redacted_text(left(content, {{snapshot_text}}) || '…');
      end if;
      return to_jsonb(content);
    when 'number' then
      return case when length(content) <= {{snapshot_number}} then value else to_jsonb(left(content, {{snapshot_number}})) end;
    when 'object' then
      if depth > {{snapshot_depth}} then
        return to_jsonb('[shortened:nested]'::text);
      end if;
      return (
        select coalesce(jsonb_object_agg(
          case
            when not (is_personal or is_long) then key
            else case when is_personal then '[redacted:personal]' else '[shortened:key]' end
              || case when place > 1 then ' ' || place else '' end
          end,
          case when is_personal and jsonb_typeof(member) = 'string' and audience_gate.holds_email(member #>> '{}')
              then to_jsonb('[redacted:email]'::text)
            when is_personal then to_jsonb('[redacted:personal]'::text)
            else audience_gate.redact(member, depth + 1)
          end), '{}'::jsonb)
        from (
          select key, member, is_personal, is_long,
            row_number() over (partition by is_personal or is_long order by key) as place
          from jsonb_each(value) each(key, member)
          cross join lateral (
            select
              audience_gate.names_personal_data(key, member) or audience_gate.redacted_text(key) <> key as is_personal,
              length(key) > {{snapshot_key}} as is_long
          ) judged
        ) members
      );
    when 'array' then
      if depth > {{snapshot_depth}} then
        return to_jsonb('[shortened:nested]'::text);
      end if;
      return (
        select coalesce(jsonb_agg(audience_gate.redact(element, depth + 1) order by place), '[]'::jsonb)
        from jsonb_array_elements(value) with ordinality elements(element, place)
      );
    else
      return value;
  end case;
end;
$$;
comment on function audience_gate.redact(jsonb, integer) is 'A value at this depth, without personal data and with long texts cut.';

create or replace function audience_gate.redact(value jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select audience_gate.redact(value, 0)
$$;
comment on function audience_gate.redact(jsonb) is
  'A value with raw e-mails as [redacted:email], and personal keys and values as [redacted:personal].';

create or replace function audience_gate.snapshot(event jsonb)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  known jsonb := event;
  shown jsonb;
begin
  if jsonb_typeof(event) = 'object' then
    select jsonb_object_agg(key, case
      when key = any (audience_gate.event_fields()) then member
      else to_jsonb('[redacted:unknown field]'::text)
    end)
    into known
    from jsonb_each(event) each(key, member);
  end if;
  shown := audience_gate.redact(coalesce(known, '{}'));
  if octet_length(shown::text) <= {{snapshot_bytes}} then
    return shown;
  end if;
  if jsonb_typeof(shown) = 'object' then
    shown := jsonb_set(shown, '{metadata}',
      to_jsonb('[shortened:' || octet_length((event -> 'metadata')::text) || ' bytes]'));
  end if;
  return case when octet_length(shown::text) <= {{snapshot_bytes}} then shown
    else to_jsonb('[shortened:' || octet_length(event::text) || ' bytes]') end;
end;
$$;
comment on function audience_gate.snapshot(jsonb) is 'What is kept of a refused event: redacted first, then shortened to fit.';

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
      'rejection_reason', audience_gate.reason(rule_ids[1]),
      'snapshot_shortened', case when shown::text like '%[shortened:%' or shown::text like '%…"%' then true end,
      'payload_sha256', encode(sha256(convert_to(event::text, 'UTF8')), 'hex'),
      'payload_bytes', octet_length(event::text),
      'source_system', source_system,
      'contract', '{{version}}+' || audience_gate.contract_fingerprint()))
    || jsonb_build_object('violations', rule_ids, 'original_payload_snapshot', shown)
  -- Once, not for each of its uses.
  from (select audience_gate.snapshot(event) as shown offset 0) kept
$$;
comment on function audience_gate.rejection_metadata(jsonb, text[], text) is 'The metadata of the audit row of a refused event.';

create or replace function public.validate_audience_event(event jsonb)
returns table (ordinal integer, rule_id text, reason text, path text)
language sql
stable
set search_path = ''
as $$
  select place::integer, id, audience_gate.reason(id), audience_gate.path(id)
  from unnest(audience_gate.violations(event, 'trusted', null, null, now())) with ordinality found(id, place)
$$;
comment on function public.validate_audience_event(jsonb) is
  'Every rule of the contract that an event violates, in order; no row where it is accepted. Judged as a trusted back end would send it now; repeats need the table and are judged on insert.';
revoke all on function public.validate_audience_event(jsonb) from public, anon;
grant execute on function public.validate_audience_event(jsonb) to authenticated, service_role;
