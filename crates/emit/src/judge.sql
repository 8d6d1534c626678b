create or replace function audience_gate.{{name}}(
  {{event}}, caller text, caller_id uuid, origin text, received_at timestamptz
)
returns text[]
language plpgsql
stable
{{rights}}set search_path = ''
as $$
#variable_conflict use_variable
declare
  blank constant text := audience_gate.white_space();
{{declared}}  metadata jsonb := case when jsonb_typeof({{metadata}}) = 'object' then {{metadata}} else '{}' end;
  metadata_text text := ({{metadata}})::text;
  -- What holds keys that the contract does not name; an object within may hold some too.
  others jsonb := case
    when metadata_text like '_%{%' then metadata
    else metadata - audience_gate.harmless_keys()
  end;
  columns text := concat_ws(E'\n',
    {{columns}});
  category text := {{category}};
  is_registered boolean;
  registered_category text;
  payload_schema jsonb;
  own_words text[];
  has_own_rules boolean;
  held integer := 0;
  site_accepts boolean;
  violated text[];
begin
  violated := {{reading}};
  if violated <> '{}' then
    return violated;
  end if;

{{prepared}}  select types.id is not null, types.category, types.payload_schema,
    {{own_words}},
    {{own_rules}},
    sites.id is not null and coalesce(origin is null or sites.origins is null or origin = any (sites.origins), false)
  into is_registered, registered_category, payload_schema, own_words, has_own_rules, site_accepts
  from (
    select {{event_type}} as type_id, {{site}} as site_id
  ) wanted
  left join public.audience_event_types types on types.id = wanted.type_id and types.active
  left join public.audience_sites sites on sites.id = wanted.site_id;

  -- Most sessions are a UUID, which holds nothing.
  if substr(columns, 1 + coalesce(length({{session}}), 0)) ~ audience_gate.personal_sign()
    or {{session}} !~ '{{uuid_form}}'
      and {{session}} ~ audience_gate.personal_sign()
  then
    select coalesce(bit_or(audience_gate.found(part, '')), 0)
    into held
    from unnest(array[
      {{parts}}
    ]) part;
  end if;
  if metadata_text ~ audience_gate.personal_sign() then
    held := held | audience_gate.found_in({{metadata}});
  end if;

{{rules}}
  if has_own_rules then
    violated := violated || audience_gate.own_violations({{whole}}, {{site}}, 'enforce');
  end if;
  return violated;
end;
$$;
comment on function audience_gate.{{name}}({{type}}, text, uuid, text, timestamptz) is
  '{{comment}}';
