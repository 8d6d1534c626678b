-- Beginning again to record a column whose recording was ended: its history goes on where it stopped.

create or replace function audience_gate.declare_transitions(of_lifecycle uuid, options jsonb)
returns void
language sql
volatile
set search_path = ''
as $$
  insert into audience_gate.lifecycle_transitions (lifecycle, from_stage, to_stage, verdict)
  select of_lifecycle, m.move ->> 0, m.move ->> 1, v.verdict
  from unnest(array['allowed', 'blocked']) v (verdict), jsonb_array_elements(options -> v.verdict) m (move)
  union all
  select of_lifecycle, t.stage, null, 'terminal' from jsonb_array_elements_text(options -> 'terminal') t (stage)
$$;
comment on function audience_gate.declare_transitions(uuid, jsonb) is 'Writes down the moves that the options of a lifecycle declare.';
revoke all on function audience_gate.declare_transitions(uuid, jsonb) from public, anon, authenticated, service_role;

-- What happened while nobody recorded is one event, by system:adoption: from the last known stage to today's.
create or replace function audience_gate.resume_lifecycle(former audience_gate.lifecycles, key_type text, options jsonb)
returns regclass
language plpgsql
volatile
set search_path = ''
as $$
declare
  l audience_gate.lifecycles := former;
  latest constant text := format('select distinct on (e.%1$I) e.%1$I as record, e.to_stage,
      e.changed_at + interval ''1 microsecond'' as later
    from %2$s e order by e.%1$I, e.changed_at desc', l.entity_column, l.events);
begin
  if key_type <> l.key_type or exists (
    select from jsonb_each_text(options) o where o.key in ('entity', 'events', 'deletes') and o.value is distinct from
      case o.key when 'entity' then l.entity when 'deletes' then l.deletes
        else (select c.relname::text from pg_catalog.pg_class c where c.oid = l.events) end)
  then
    raise exception '%.% was tracked with another key or other options', l.tracked, l.stage_column
      using errcode = 'object_not_in_prerequisite_state',
        hint = format('Its history %s goes on as it is: leave out entity, events and deletes.', l.events);
  end if;
  execute format('lock table %s in share row exclusive mode', l.tracked);
  execute format('drop trigger a_hold_to_record on %1$s; drop trigger a_keep_history on %1$s', l.events);
  execute format('insert into %1$s (%2$I, from_stage, to_stage, changed_at, actor)
    select r.%3$I, h.to_stage, r.%4$I::text, greatest(clock_timestamp(), h.later), ''system:adoption''
    from %5$s r left join (%6$s) h on h.record = r.%3$I where h.to_stage is distinct from r.%4$I::text',
    l.events, l.entity_column, l.key_column, l.stage_column, l.tracked, latest);
  execute format('insert into %1$s (%2$I, from_stage, to_stage, changed_at, actor)
    select h.record, h.to_stage, ''deleted'', greatest(clock_timestamp(), h.later), ''system:adoption''
    from (%3$s) h where h.to_stage <> ''deleted'' and not exists (select from %4$s r where r.%5$I = h.record)',
    l.events, l.entity_column, latest, l.tracked, l.key_column);
  if options ?| array['allowed', 'blocked', 'terminal'] then
    delete from audience_gate.lifecycle_transitions t where t.lifecycle = l.id;
    perform audience_gate.declare_transitions(l.id, options);
  end if;
  update audience_gate.lifecycles o set untracked_at = null, tracked_at = now() where o.id = l.id returning * into l;
  perform audience_gate.make_lifecycle_recorders(l);
  perform audience_gate.attach_lifecycle(l);
  return l.events;
end;
$$;
comment on function audience_gate.resume_lifecycle(audience_gate.lifecycles, text, jsonb) is
  'Records a column again that was tracked before, in the history that it has.';
revoke all on function audience_gate.resume_lifecycle(audience_gate.lifecycles, text, jsonb)
  from public, anon, authenticated, service_role;
