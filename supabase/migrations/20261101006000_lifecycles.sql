-- Tables of the user's own whose changes of stage are recorded, and the moves that each of them takes.

create table if not exists audience_gate.lifecycles (
  id uuid primary key default gen_random_uuid(),
  tracked regclass not null,
  stage_column text not null,
  stage_type text not null,
  key_column text not null,
  key_type text not null,
  events regclass not null,
  entity text not null,
  entity_column text not null,
  recorder text not null,
  deletes text not null,
  tracked_at timestamptz not null default now(),
  untracked_at timestamptz,
  constraint lifecycles_tracked_key unique (tracked, stage_column),
  constraint lifecycles_events_key unique (events),
  constraint lifecycles_deletes_chk check (deletes in ('refuse', 'record'))
);
comment on table audience_gate.lifecycles is
  'Tables whose changes of stage are recorded, a row for each column; audience_gate.track_lifecycle() writes it.';
comment on column audience_gate.lifecycles.id is 'Names the lifecycle, for its transitions.';
comment on column audience_gate.lifecycles.tracked is 'The table whose column is recorded.';
comment on column audience_gate.lifecycles.stage_column is 'The column that holds the stage.';
comment on column audience_gate.lifecycles.stage_type is 'The type of that column.';
comment on column audience_gate.lifecycles.key_column is 'The primary key of the table.';
comment on column audience_gate.lifecycles.key_type is 'The type of the primary key.';
comment on column audience_gate.lifecycles.events is 'The table of events, which is the history.';
comment on column audience_gate.lifecycles.entity is 'What a record is called, in the singular.';
comment on column audience_gate.lifecycles.entity_column is 'The column of the events that names the record.';
comment on column audience_gate.lifecycles.recorder is
  'What the trigger functions are called that write the events: {recorder}_insert and so on.';
comment on column audience_gate.lifecycles.deletes is 'What becomes of a delete: refused, or recorded as a last event.';
comment on column audience_gate.lifecycles.tracked_at is 'Since when changes are recorded.';
comment on column audience_gate.lifecycles.untracked_at is 'Since when they no longer are; null while they are.';

create table if not exists audience_gate.lifecycle_transitions (
  id bigint generated always as identity primary key,
  lifecycle uuid not null references audience_gate.lifecycles (id) on delete cascade,
  from_stage text,
  to_stage text,
  verdict text not null,
  reason text,
  constraint lifecycle_transitions_key unique (lifecycle, from_stage, to_stage),
  constraint lifecycle_transitions_verdict_chk check (verdict in ('allowed', 'blocked', 'terminal')),
  constraint lifecycle_transitions_terminal_chk check (
    case verdict when 'terminal' then from_stage is not null and to_stage is null else to_stage is not null end)
);
comment on table audience_gate.lifecycle_transitions is
  'The moves of a lifecycle. Once a move is allowed, only allowed ones are taken; a blocked one never is, and none '
  'leads out of a terminal stage. A lifecycle without rows takes every move.';
comment on column audience_gate.lifecycle_transitions.id is 'Names the row.';
comment on column audience_gate.lifecycle_transitions.lifecycle is 'Whose move it is.';
comment on column audience_gate.lifecycle_transitions.from_stage is 'The stage left; null: none, so it is a first stage.';
comment on column audience_gate.lifecycle_transitions.to_stage is 'The stage entered; null for a terminal stage.';
comment on column audience_gate.lifecycle_transitions.verdict is 'allowed, blocked or terminal.';
comment on column audience_gate.lifecycle_transitions.reason is 'Why a move is blocked, for the error.';

alter table audience_gate.lifecycles enable row level security;
alter table audience_gate.lifecycle_transitions enable row level security;
revoke all on table audience_gate.lifecycles, audience_gate.lifecycle_transitions
  from public, anon, authenticated, service_role;
grant select on table audience_gate.lifecycles to anon, authenticated, service_role, audience_gate_owner;
grant select on table audience_gate.lifecycle_transitions to audience_gate_owner;

drop policy if exists lifecycles_select_readable on audience_gate.lifecycles;
create policy lifecycles_select_readable on audience_gate.lifecycles for select
  to anon, authenticated using (has_table_privilege(tracked, 'select'));
drop policy if exists lifecycles_gate on audience_gate.lifecycles;
create policy lifecycles_gate on audience_gate.lifecycles for select to audience_gate_owner using (true);
drop policy if exists lifecycle_transitions_gate on audience_gate.lifecycle_transitions;
create policy lifecycle_transitions_gate on audience_gate.lifecycle_transitions for select
  to audience_gate_owner using (true);
