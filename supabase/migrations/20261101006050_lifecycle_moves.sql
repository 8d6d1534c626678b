-- Moving a record, and taking its last move back. Both run as the caller, so that row level security holds.

create or replace function audience_gate.lifecycle_of(tracked regclass, stage_column text default null)
returns audience_gate.lifecycles
language plpgsql
stable
set search_path = ''
as $$
declare
  found_ones audience_gate.lifecycles[];
begin
  select array_agg(l) into found_ones from audience_gate.lifecycles l
  where l.tracked = lifecycle_of.tracked and l.stage_column = coalesce(lifecycle_of.stage_column, l.stage_column);
  if cardinality(found_ones) = 1 then
    return found_ones[1];
  elsif found_ones is null then
    raise exception '% has no lifecycle', concat_ws('.', tracked, stage_column) using errcode = 'undefined_object',
      hint = 'The owner of the table begins one: select audience_gate.track_lifecycle(''schema.table'', ''stage'').';
  end if;
  raise exception '% has several lifecycles', tracked using errcode = 'ambiguous_column',
    hint = 'Say which one: stage_column => ''…''.';
end;
$$;
comment on function audience_gate.lifecycle_of(regclass, text) is
  'The lifecycle of a table, and of a column where there are several.';
revoke all on function audience_gate.lifecycle_of(regclass, text) from public, anon, authenticated, service_role;
grant execute on function audience_gate.lifecycle_of(regclass, text) to anon, authenticated, service_role;

create or replace function public.lifecycle_move(
  tracked regclass, record_id text, to_stage text, notes text default null, expected_from text default null,
  stage_column text default null
)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  l audience_gate.lifecycles := audience_gate.lifecycle_of(tracked, stage_column);
  before text;
  moved bigint;
  former_notes text := current_setting('audience_gate.lifecycle_notes', true);
begin
  perform audience_gate.refuse_personal_note(notes);
  execute format('select %I::text from %s where %I = $1::%s for update', l.stage_column, l.tracked, l.key_column, l.key_type)
  into before using record_id;
  if before is null then
    raise exception 'there is no such record that you may change' using errcode = 'no_data_found',
      hint = 'Look for its id among the records that you see.';
  elsif before <> expected_from then
    raise exception 'the record has moved on' using errcode = 'PT409', hint = 'Read it again, and decide again.';
  end if;
  perform set_config('audience_gate.lifecycle_notes', coalesce(notes, former_notes, ''), true);
  execute format('update %s set %I = $1::%s where %I = $2::%s',
    l.tracked, l.stage_column, l.stage_type, l.key_column, l.key_type)
  using to_stage, record_id;
  get diagnostics moved = row_count;
  perform set_config('audience_gate.lifecycle_notes', coalesce(former_notes, ''), true);
  if moved = 0 then
    raise exception 'you may not move this record' using errcode = 'insufficient_privilege',
      hint = 'A policy of its table says who may.';
  end if;
  return to_stage;
end;
$$;
comment on function public.lifecycle_move(regclass, text, text, text, text, text) is
  'Moves a record to a stage, with a note, as the caller. With expected_from: only if it is still in that stage. '
  'Returns the stage.';
revoke all on function public.lifecycle_move(regclass, text, text, text, text, text) from public, anon, authenticated, service_role;
grant execute on function public.lifecycle_move(regclass, text, text, text, text, text) to anon, authenticated, service_role;

create or replace function public.lifecycle_revert(
  tracked regclass, record_id text, notes text default null, event uuid default null, stage_column text default null
)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  l audience_gate.lifecycles := audience_gate.lifecycle_of(tracked, stage_column);
  latest uuid;
  before text;
  after text;
begin
  -- The record is held before its history is read, so that what is read is the last.
  execute format('select from %s where %I = $1::%s for update', l.tracked, l.key_column, l.key_type) using record_id;
  execute format('select id, from_stage, to_stage from %s where %I = $1::%s order by changed_at desc limit 1',
    l.events, l.entity_column, l.key_type) into latest, before, after using record_id;
  if event <> latest then
    raise exception 'the record has moved on' using errcode = 'PT409',
      hint = 'Read the timeline again: only the last move can be reverted.';
  elsif before is null then
    raise exception 'there is no move to revert' using errcode = 'check_violation',
      hint = 'A record that nobody moved is where it began.';
  end if;
  return public.lifecycle_move(tracked, record_id, before, notes, after, l.stage_column);
end;
$$;
comment on function public.lifecycle_revert(regclass, text, text, uuid, text) is
  'Puts a record back where it was before its last move, by a new move. Name the event, as the timeline gives it, to be '
  'sure that it is still the last. Returns the stage.';
revoke all on function public.lifecycle_revert(regclass, text, text, uuid, text) from public, anon, authenticated, service_role;
grant execute on function public.lifecycle_revert(regclass, text, text, uuid, text) to anon, authenticated, service_role;
