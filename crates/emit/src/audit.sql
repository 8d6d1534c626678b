-- The record of a rejection: what the database itself writes when it refuses an event. It is the same as what every
-- other engine writes of that event: places, redaction, digest and snapshot.
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
