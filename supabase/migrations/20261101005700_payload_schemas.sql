-- A payload schema is refused as it is registered, with the keyword and its place, if an engine would not understand it: a
-- registry that one of them cannot read keeps every event of that type waiting.

create or replace function audience_gate.payload_schema_refusal(schema jsonb)
returns text
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
declare
  refusal constant text := audience_gate.schema_refusal(schema);
  said record;
begin
  if refusal is not null then
    return refusal;
  end if;
  for said in
    select array[given.key] as way, given.value, given.key in ('properties', 'required', 'additionalProperties') as known
    from jsonb_each(schema) given
    union all
    select array['properties', property.key, given.key], given.value,
      given.key in ('type', 'enum', 'minimum', 'maximum', 'minLength', 'maxLength', 'personal', 'description')
    from jsonb_each(coalesce(schema -> 'properties', '{}')) property
    cross join lateral jsonb_each(case jsonb_typeof(property.value)
      when 'object' then property.value else jsonb_build_object(property.value::text, null) end) given
  loop
    if not said.known then
      return 'the keyword ' || audience_gate.schema_place(to_jsonb(said.way)) || ' is not supported in a payload schema';
    elsif said.way[3] = 'type' and (jsonb_typeof(said.value) <> 'string' or said.value = '"null"')
      or said.way[3] in ('minLength', 'maxLength') and said.value::text !~ '^[0-9]{1,9}$'
      or said.way[1] = 'additionalProperties' and jsonb_typeof(said.value) <> 'boolean'
    then
      return 'the value of ' || audience_gate.schema_place(to_jsonb(said.way))
        || ' is not one that a payload schema takes here';
    end if;
  end loop;
  return null;
end;
$$;
comment on function audience_gate.payload_schema_refusal(jsonb) is
  'What is wrong with a payload schema, with the keyword and its place; null if every engine can judge by it.';
alter function audience_gate.payload_schema_refusal(jsonb) owner to audience_gate_owner;
revoke all on function audience_gate.payload_schema_refusal(jsonb) from public, anon, authenticated, service_role;

create or replace function audience_gate.check_payload_schema()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  refusal constant text := audience_gate.payload_schema_refusal(new.payload_schema);
begin
  if refusal is not null then
    raise exception 'the payload schema of % cannot be judged by: %', new.id, refusal
      using errcode = 'check_violation',
            hint = 'say required and additionalProperties of the whole, and of a property its type, enum, minimum, maximum, '
              || 'minLength, maxLength, personal or description';
  end if;
  return new;
end;
$$;
comment on function audience_gate.check_payload_schema() is 'Refuses a payload schema that an engine would not understand.';
alter function audience_gate.check_payload_schema() owner to audience_gate_owner;
revoke all on function audience_gate.check_payload_schema() from public, anon, authenticated, service_role;

drop trigger if exists trg_check_payload_schema on public.audience_event_types;
create trigger trg_check_payload_schema before insert or update of payload_schema on public.audience_event_types
  for each row when (new.payload_schema is not null) execute function audience_gate.check_payload_schema();
