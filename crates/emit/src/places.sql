create or replace function audience_gate.places(event jsonb, rule_ids text[])
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
#variable_conflict use_variable
declare
  blank constant text := audience_gate.white_space();
{{declared}}  metadata jsonb := case when jsonb_typeof({{metadata}}) = 'object' then {{metadata}} else '{}' end;
  rule_id text;
  found text;
  violations jsonb := jsonb_build_array();
begin
{{prepared}}  foreach rule_id in array rule_ids loop
    found := null;
    case rule_id
{{cases}}      else
        found := audience_gate.own_place(event, rule_id);
    end case;
    violations := violations
      || jsonb_build_object('rule_id', rule_id, 'path', coalesce(found, audience_gate.path(rule_id), ''));
  end loop;
  return violations;
end;
$$;
comment on function audience_gate.places(jsonb, text[]) is
  'The rules that an event violates, each with the place: a JSON pointer to the very key or column. Asked of rejected events only.';
alter function audience_gate.places(jsonb, text[]) owner to audience_gate_owner;
