-- What happened to one record: each of its moves, and where it was at a moment.

create or replace function public.lifecycle_timeline(tracked regclass, record_id text, stage_column text default null)
returns table (
  event uuid, from_stage text, to_stage text, changed_by uuid, actor text, changed_at timestamptz, notes text,
  stayed interval
)
language plpgsql
stable
set search_path = ''
as $$
declare
  l audience_gate.lifecycles := audience_gate.lifecycle_of(tracked, stage_column);
begin
  for event, from_stage, to_stage, changed_by, actor, changed_at, notes, stayed in
    execute format('select e.id, e.from_stage, e.to_stage, e.changed_by, e.actor, e.changed_at, e.notes,
        lead(e.changed_at) over (order by e.changed_at) - e.changed_at
      from %s e where e.%I = $1::%s order by e.changed_at', l.events, l.entity_column, l.key_type)
    using record_id
  loop
    return next;
  end loop;
end;
$$;
comment on function public.lifecycle_timeline(regclass, text, text) is
  'Every move of a record, oldest first, and how long it stayed where it went; null: it is there still.';
revoke all on function public.lifecycle_timeline(regclass, text, text) from public, anon, authenticated, service_role;
grant execute on function public.lifecycle_timeline(regclass, text, text) to anon, authenticated, service_role;

create or replace function public.lifecycle_at(
  tracked regclass, record_id text, moment timestamptz, stage_column text default null
)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  l audience_gate.lifecycles := audience_gate.lifecycle_of(tracked, stage_column);
  stage text;
begin
  execute format('select e.to_stage from %s e where e.%I = $1::%s and e.changed_at <= $2 order by e.changed_at desc limit 1',
    l.events, l.entity_column, l.key_type) into stage using record_id, moment;
  return stage;
end;
$$;
comment on function public.lifecycle_at(regclass, text, timestamptz, text) is
  'The stage of a record at a moment; null: it had none yet.';
revoke all on function public.lifecycle_at(regclass, text, timestamptz, text) from public, anon, authenticated, service_role;
grant execute on function public.lifecycle_at(regclass, text, timestamptz, text) to anon, authenticated, service_role;
