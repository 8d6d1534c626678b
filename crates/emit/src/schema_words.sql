-- The words of a schema: every keyword with the shape that what it says must have.
create or replace function audience_gate.schema_keywords()
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select '{
    "type": "types", "enum": "choices", "const": "any",
    "multipleOf": "positive", "minimum": "number", "maximum": "number",
    "exclusiveMinimum": "number", "exclusiveMaximum": "number",
    "minLength": "count", "maxLength": "count", "pattern": "pattern", "format": "format",
    "items": "schema", "prefixItems": "schemas", "contains": "schema", "minContains": "count", "maxContains": "count",
    "minItems": "count", "maxItems": "count", "uniqueItems": "boolean",
    "properties": "named_schemas", "patternProperties": "patterned_schemas", "additionalProperties": "schema",
    "propertyNames": "schema", "required": "names", "minProperties": "count", "maxProperties": "count",
    "dependentRequired": "named_names", "dependentSchemas": "named_schemas",
    "allOf": "schemas", "anyOf": "schemas", "oneOf": "schemas", "not": "schema",
    "if": "schema", "then": "schema", "else": "schema", "$defs": "named_schemas", "$ref": "reference",
    "title": "text", "description": "text", "default": "any", "examples": "list", "deprecated": "boolean",
    "readOnly": "boolean", "writeOnly": "boolean", "$comment": "text", "$schema": "dialect", "personal": "boolean"
  }'::jsonb
$$;
comment on function audience_gate.schema_keywords() is 'Every keyword that a schema may use, and the shape of what it says.';

create or replace function audience_gate.schema_types()
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select '["null", "boolean", "object", "array", "number", "integer", "string"]'::jsonb
$$;
comment on function audience_gate.schema_types() is 'The types that a schema may name.';

create or replace function audience_gate.schema_formats()
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select '["date", "date-time", "time", "uuid", "uri", "hostname", "ipv4", "ipv6"]'::jsonb
$$;
comment on function audience_gate.schema_formats() is 'The formats that a schema may ask for, each of which is judged.';
