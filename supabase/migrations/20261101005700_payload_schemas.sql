-- A payload schema is a JSON Schema over metadata. It is refused as it is registered, with the keyword and its place, if an
-- engine would not understand it, or if no event could ever satisfy it for a reason that is easily overlooked.

create or replace function audience_gate.payload_schema_refusal(schema jsonb)
returns text
language sql
immutable
strict
parallel safe
set search_path = ''
as $$
  select coalesce(
    case when jsonb_typeof(schema) <> 'object' then 'it is not an object' end,
    audience_gate.schema_refusal(schema),
    (
      select 'the value of #/required names ' || to_jsonb(name)::text
        || ', which #/properties has to describe, since nothing else lets it in'
      from jsonb_array_elements_text(schema -> 'required') name
      where (schema -> 'properties' ? name) is not true
        and (audience_gate.own_properties() ? name
          or schema -> 'additionalProperties' = 'false' and not schema ? 'patternProperties')
      limit 1
    ))
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
            hint = 'a payload schema is a JSON Schema (2020-12) over metadata; RULES.md has the language';
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
