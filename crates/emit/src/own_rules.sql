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
  where sent.value <> 'null' and sent.key = any (audience_gate.event_fields())
    and sent.key <> all (array['id', 'site_id', 'email'])
$$;
comment on function audience_gate.own_instance(jsonb) is
  'An event as the rules of an install''s own see it: its fields with metadata, without id, site_id, email and what is null.';

create or replace function audience_gate.own_violations(event jsonb, site uuid, wanted text)
returns text[]
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
  return (
    select coalesce(array_agg(own.id order by own.id collate "C"), '{}')
    from (select audience_gate.own_instance(event) as instance offset 0) sent
    join public.audience_own_rules own on own.mode = wanted
      and (own.category is null or own.category = sent.instance ->> 'event_category')
      and (own.event_type is null or own.event_type = sent.instance ->> 'event_type')
      and (own.site_id is null or own.site_id = coalesce(site, audience_gate.default_site()))
    where audience_gate.schema_fault(own.schema, own.schema, sent.instance, '{}') is not null
  );
end;
$$;
comment on function audience_gate.own_violations(jsonb, uuid, text) is
  'The rules of the install''s own in this mode that bind an event of this site and that it violates, in order.';

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
