-- What the history and its records are held to.

create or replace function audience_gate.check_transition(of_lifecycle uuid, before text, after text)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  rules record;
begin
  select
    bool_or(t.verdict = 'terminal' and t.from_stage = before) as ended,
    bool_or(t.verdict = 'blocked' and t.from_stage is not distinct from before and t.to_stage = after) as blocked,
    max(t.reason) filter (where t.from_stage is not distinct from before and t.to_stage = after) as reason,
    bool_or(t.verdict = 'allowed' and (t.from_stage is null) = (before is null)) as listed,
    bool_or(t.verdict = 'allowed' and t.from_stage is not distinct from before and t.to_stage = after) as allowed
  into rules
  from audience_gate.lifecycle_transitions t where t.lifecycle = of_lifecycle;
  if rules.ended then
    raise exception '% is a terminal stage', before using errcode = 'check_violation', hint = 'No move leads out of it.';
  elsif rules.blocked or rules.listed and not rules.allowed then
    raise exception 'the move from % to % is %', coalesce(before, 'nothing'), after,
        case when rules.blocked then concat_ws(': ', 'blocked', rules.reason) else 'not among the allowed ones' end
      using errcode = 'check_violation', hint = 'audience_gate.lifecycle_transitions lists the moves.';
  end if;
end;
$$;
comment on function audience_gate.check_transition(uuid, text, text) is 'Refuses a move that the lifecycle does not take.';
revoke all on function audience_gate.check_transition(uuid, text, text) from public, anon, authenticated, service_role;
grant execute on function audience_gate.check_transition(uuid, text, text) to audience_gate_owner;

create or replace function audience_gate.keep_history()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and current_user = 'audience_gate_owner' and audience_gate.is_erasing() then
    return null;
  end if;
  raise exception '% is append-only: % is not permitted', tg_table_name, lower(tg_op)
    using errcode = 'insufficient_privilege', hint = 'Change the stage of the record again: that is an event of its own.';
end;
$$;
comment on function audience_gate.keep_history() is
  'Refuses to change or remove events of a lifecycle; an erasure takes the person out of them.';
revoke all on function audience_gate.keep_history() from public, anon, authenticated, service_role;

create or replace function audience_gate.recorded_already(events regclass, entity_column text, record_key text, before text, after text)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
  repeated boolean;
begin
  execute format('select (e.from_stage, e.to_stage) is not distinct from ($1, $2) from %s e
    where e.%I::text = $3 order by e.changed_at desc limit 1', events, entity_column)
  into repeated using before, after, record_key;
  return repeated;
end;
$$;
comment on function audience_gate.recorded_already(regclass, text, text, text, text) is
  'Whether a move is the last event of its record.';
revoke all on function audience_gate.recorded_already(regclass, text, text, text, text) from public, anon, authenticated, service_role;

-- The recorder runs as the owner of the gate and inside a trigger; whoever else is inside one, or is that owner, is not it.
-- A project that recorded by hand before it tracked the table records what is recorded already, which is skipped.
-- It asks this itself, as a condition of the trigger is read anew for every statement, which takes longer.
create or replace function audience_gate.hold_to_record()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  if current_user = 'audience_gate_owner' and pg_trigger_depth() > 1 then
    return new;
  elsif new.notes is null and audience_gate.recorded_already(
      tg_relid, tg_argv[0], to_jsonb(new) ->> tg_argv[0], new.from_stage, new.to_stage) then
    return null;
  end if;
  raise exception '% is written by the trigger of its table alone', tg_table_name
    using errcode = 'insufficient_privilege',
      hint = 'Change the stage of the record; public.lifecycle_note() before it says why.';
end;
$$;
comment on function audience_gate.hold_to_record() is
  'Lets the recorder alone write events. What it has just recorded, written again without a note, is skipped.';
revoke all on function audience_gate.hold_to_record() from public, anon, authenticated, service_role;

create or replace function audience_gate.keep_record()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  raise exception 'the history of % belongs to its keys: % is not permitted', tg_table_name,
      case tg_op when 'UPDATE' then 'changing one' else 'truncate' end
    using errcode = 'insufficient_privilege', hint = 'Add a record under the new key, or delete records one by one.';
end;
$$;
comment on function audience_gate.keep_record() is 'Refuses to change the key of a tracked record, and to truncate its table.';
revoke all on function audience_gate.keep_record() from public, anon, authenticated, service_role;
