-- A payload schema may be closed: then metadata holds nothing but the keys that it names and those that the tracker and
-- the gate add. Event types whose description promises that something is not recorded are closed. It only widens a
-- constraint, so it can be run again.

alter table public.audience_event_types drop constraint if exists audience_event_types_payload_schema_chk;
alter table public.audience_event_types add constraint audience_event_types_payload_schema_chk check (
  payload_schema is null or (
    jsonb_typeof(payload_schema) = 'object'
    and payload_schema - array['properties', 'required', 'additionalProperties'] = '{}'::jsonb
    and coalesce(jsonb_typeof(payload_schema -> 'properties'), 'object') = 'object'
    and coalesce(jsonb_typeof(payload_schema -> 'required'), 'array') = 'array'
    and coalesce(jsonb_typeof(payload_schema -> 'additionalProperties'), 'boolean') = 'boolean'
  )
);
comment on column public.audience_event_types.payload_schema is
  'What metadata must hold: {"properties": {key: {type, enum, minimum, maximum, minLength, maxLength, personal}}, '
  '"required": [key], "additionalProperties": false}. Without the last, other keys are allowed; with it, only those that '
  'the tracker and the gate add. "personal": false says that the key is not personal, whatever its words are; personal '
  'values under it are still refused. Null: metadata may hold anything.';
