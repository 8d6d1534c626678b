-- The rules of an install's own.
create or replace function audience_gate.own_instance(event jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select jsonb_build_object('metadata', '{}'::jsonb) || coalesce(jsonb_object_agg(sent.key, sent.value), '{}')
  from jsonb_each(case when jsonb_typeof(event) = 'object' then event else '{}' end) sent
  where sent.value <> 'null' and sent.key = any (audience_gate.own_fields())
$$;
comment on function audience_gate.own_instance(jsonb) is
  'An event as the rules of an install''s own see it: its fields with metadata, without id, site_id, email and what is null.';

create or replace function audience_gate.own_rule_sql(rule jsonb)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  schema constant jsonb := rule -> 'schema';
  judged text := case when strpos(schema::text, '"$ref"') = 0
    then audience_gate.schema_sql(schema, 'instance', '', true) end;
begin
  -- Keys that are long and stand above many others would be said again for each.
  if judged is null or octet_length(judged) > 4096 + 8 * octet_length(schema::text) then
    judged := format('audience_gate.schema_fault(%L, %1$L, instance, ''{}'') is null', schema);
  end if;
  return format('case when %s and not %s then %L end',
    concat_ws(' and ', format('wanted = %L', rule ->> 'mode'),
      'event ->> ''event_category'' = ' || quote_literal(rule ->> 'category'),
      'event ->> ''event_type'' = ' || quote_literal(rule ->> 'event_type'),
      'coalesce(site, audience_gate.default_site()) = ' || quote_literal(rule ->> 'site_id')),
    judged, rule ->> 'id');
end;
$$;
comment on function audience_gate.own_rule_sql(jsonb) is
  'A rule of the install''s own, as an expression of SQL that is its id for an event that violates it; null for another.';

create or replace function audience_gate.compile_own_rules()
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  rules constant text := array_to_string(array(
    select E'\n    ' || audience_gate.own_rule_sql(to_jsonb(own))
    from public.audience_own_rules own where own.mode <> 'off' order by own.id collate "C"), ',');
begin
  -- What is declared and never read, and a parameter that is not, is what a linter warns of.
  execute format('create or replace function audience_gate.own_violations(event jsonb, site uuid, wanted text)
returns text[]
language plpgsql
stable
parallel safe
set search_path = ''''
as %L', concat('
declare',
    case when rules like '%metadata%' then '
  metadata constant jsonb := coalesce(nullif(event -> ''metadata'', ''null''), ''{}'');' end,
    case when rules like '%instance%' then '
  instance constant jsonb := audience_gate.own_instance(event);' end, '
begin
  if num_nulls(event, site, wanted) = 3 then
    return null;
  end if;
  return array_remove(array[', rules, ']::text[], null);
end;
'));
  comment on function audience_gate.own_violations(jsonb, uuid, text) is
    'The rules of the install''s own in this mode that bind an event of this site and that it violates, in order. '
    'Made of public.audience_own_rules by audience_gate.compile_own_rules() whenever they change.';
  revoke all on function audience_gate.own_violations(jsonb, uuid, text) from public, anon, authenticated, service_role;
  grant execute on function audience_gate.own_violations(jsonb, uuid, text)
    to audience_gate_owner, audience_gate_store, service_role, authenticated;
end;
$$;
comment on function audience_gate.compile_own_rules() is
  'Writes audience_gate.own_violations() anew, which judges by the rules of the install''s own as they are now.';
alter function audience_gate.compile_own_rules() owner to audience_gate_owner;
revoke all on function audience_gate.compile_own_rules() from public, anon, authenticated, service_role;
grant execute on function audience_gate.compile_own_rules() to audience_gate_owner;

create or replace function audience_gate.own_place(event jsonb, rule_id text)
returns text
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
  return (
    select audience_gate.pointer(
      audience_gate.schema_fault(own.schema, own.schema, audience_gate.own_instance(event), '{}'))
    from public.audience_own_rules own
    where own.id = rule_id
  );
end;
$$;
comment on function audience_gate.own_place(jsonb, text) is
  'Where an event violates a rule of the install''s own, as a JSON pointer.';
