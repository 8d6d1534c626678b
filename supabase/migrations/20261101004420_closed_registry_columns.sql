-- A payload schema is a whole JSON Schema, which may be closed: then metadata holds nothing but the keys that it names and
-- those that the tracker and the gate add. Event types whose description promises that something is not recorded are closed.
-- It only widens a constraint, so it can be run again; what a schema may say is checked as it is registered.

alter table public.audience_event_types drop constraint if exists audience_event_types_payload_schema_chk;
alter table public.audience_event_types add constraint audience_event_types_payload_schema_chk check (
  jsonb_typeof(payload_schema) = 'object'
);
comment on column public.audience_event_types.payload_schema is
  'What metadata must hold, as a JSON Schema (2020-12). A key that is null counts as absent, and a required one is no blank '
  'text. With "additionalProperties": false, only the keys that it names are allowed and those that the tracker and the gate '
  'add. "personal": false says that a key of metadata is not personal, whatever its words are; personal values under it are '
  'still refused. Null: metadata may hold anything.';
