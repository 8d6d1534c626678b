-- What is in use since before the gate and not registered: types of events, and the states of members.

create or replace function audience_gate.legacy_types()
returns table (event_type text, event_category text, events bigint, obstacle text)
language sql
stable
security definer
set search_path = ''
as $$
  select left(audience_gate.redact(to_jsonb(u.event_type)) #>> '{}', 64), u.event_category, u.events,
    case
      when audience_gate.any_text_is_personal(to_jsonb(u.event_type)) or audience_gate.any_text_holds_email(to_jsonb(u.event_type))
        then 'it holds personal data'
      when length(u.event_type) not between 3 and 64 then 'it has fewer than 3 or more than 64 characters'
      when u.event_category = 'system' then 'events of the category system are registered by hand'
    end
  from (
    select e.event_type, mode() within group (order by e.event_category) as event_category, count(*) as events
    from public.audience_events e
    where e.contract is null and not exists (select from public.audience_event_types t where t.id = e.event_type)
    group by e.event_type
  ) u
  order by u.events desc, u.event_type
$$;
comment on function audience_gate.legacy_types() is
  'The types of events that rows from before the gate have and the registry lacks, with the category that most of them '
  'have; and why one cannot be registered as it is.';
alter function audience_gate.legacy_types() owner to audience_gate_owner;
revoke all on function audience_gate.legacy_types() from public;
grant execute on function audience_gate.legacy_types() to service_role;

-- The owner of the gate reads the registry and does not write it, so this acts as whoever calls.
create or replace function audience_gate.legacy_register(wanted text[] default null)
returns table (event_type text, event_category text, events bigint)
language sql
volatile
set search_path = ''
as $$
  with kept as (
    insert into public.audience_event_types (id, category, tier, score_weight, description)
    select t.event_type, t.event_category, 'consumer', 0, 'In use since before the gate; say here what happened.'
    from audience_gate.legacy_types() t
    where t.obstacle is null and (wanted is null or t.event_type = any (wanted))
    on conflict do nothing
    returning id
  )
  select t.event_type, t.event_category, t.events
  from audience_gate.legacy_types() t join kept k on k.id = t.event_type
  order by t.events desc, t.event_type
$$;
comment on function audience_gate.legacy_register(text[]) is
  'Registers types of events that are in use since before the gate, these or all: in the category that most of their '
  'rows have, in the tier consumer, without weight. What else they are is for the team to say.';
revoke all on function audience_gate.legacy_register(text[]) from public;
grant execute on function audience_gate.legacy_register(text[]) to service_role;

create or replace function audience_gate.legacy_summary()
returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'unjudged', (select count(*) from public.audience_events e where e.contract is null),
    'rejected', (select count(*) from audience_gate.legacy_judgements j where j.audit_id is not null
      and not exists (select from public.audience_event_replays r where r.audit_id = j.audit_id)),
    'failed', (select count(*) from audience_gate.legacy_judgements j where j.failure is not null),
    'types', coalesce((select jsonb_agg(to_jsonb(t)) from audience_gate.legacy_types() t), '[]'),
    'taken_over', coalesce((
      select jsonb_agg(jsonb_build_object('state', h.to_state, 'notes', h.notes, 'members', h.members) order by h.members desc, h.notes)
      from (
        select e.to_state, e.notes, count(*) as members from public.audience_state_events e
        where e.rule_id = 'taken_over' group by 1, 2
      ) h), '[]'))
$$;
comment on function audience_gate.legacy_summary() is
  'What there is from before the gate: rows that are not accepted, and how many of them were rejected or failed; types '
  'that the registry lacks; and the states in which members were taken over.';
alter function audience_gate.legacy_summary() owner to audience_gate_owner;
revoke all on function audience_gate.legacy_summary() from public;
grant execute on function audience_gate.legacy_summary() to service_role;
