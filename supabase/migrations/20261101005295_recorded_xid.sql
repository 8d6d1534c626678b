-- Which transaction recorded an event. Figures are folded from what is new since they were folded last, and neither a time
-- nor a number tells what a late transaction will still commit: a snapshot does, exactly.

-- Both changes take no time, but a lock that everybody who inserts waits for.
do $$
declare
  log text;
begin
  perform audience_gate.lock_log('access exclusive');
  foreach log in array array['public.audience_events', 'audience_gate_standby.audience_events'] loop
    continue when to_regclass(log) is null;
    -- What is stored already gets a number from before the first transaction, without being written again.
    execute format('alter table %s add column if not exists recorded_xid xid8 not null default ''3''', log);
    execute format('alter table %s alter column recorded_xid set default pg_current_xact_id()', log);
    execute format('comment on column %s.recorded_xid is %L', log,
      'The transaction that recorded it, or that stamped it with a contract; 3: it is older than this column. Figures are '
      'folded by it. Nobody can send it.');
  end loop;
end $$;
create index if not exists idx_audience_events_recorded_xid on public.audience_events (site_id, recorded_xid);
comment on index public.idx_audience_events_recorded_xid is 'What was recorded at a site since its figures were folded.';

-- Beside the settings, whose every change is recorded in their history.
create table audience_gate.fold_state (
  only_row boolean primary key default true,
  folded pg_snapshot not null default '3:3:',
  folded_by xid8 not null default '0',
  folding xid8 not null default '0',
  constraint fold_state_only_row_chk check (only_row)
);
insert into audience_gate.fold_state default values;
comment on table audience_gate.fold_state is 'How far the figures are folded: one row.';
comment on column audience_gate.fold_state.only_row is 'Makes it one row.';
comment on column audience_gate.fold_state.folded is
  'The snapshot of the last fold: the figures hold the events whose transactions it shows as ended.';
comment on column audience_gate.fold_state.folded_by is
  'The transaction of the last fold. What it recorded itself is in the live tail, because it may have gone on recording.';
comment on column audience_gate.fold_state.folding is
  'While a fold runs, its transaction, whose own events it leaves out; 0: none. Nobody else ever sees another value.';
alter table audience_gate.fold_state owner to audience_gate_owner;
alter table audience_gate.fold_state enable row level security;
revoke all on table audience_gate.fold_state from public, anon, authenticated, service_role;
create policy fold_state_gate on audience_gate.fold_state to audience_gate_owner using (true) with check (true);

create table if not exists audience_gate.rebuilds_due (
  id bigint generated always as identity primary key,
  asked_at timestamptz not null default now()
);
comment on table audience_gate.rebuilds_due is
  'A row for each time that recorded events were taken away or brought back, such as months of an archive, since the figures '
  'were folded last. The next fold makes them anew, from all events.';
comment on column audience_gate.rebuilds_due.id is 'In the order of asking.';
comment on column audience_gate.rebuilds_due.asked_at is 'When.';
alter table audience_gate.rebuilds_due owner to audience_gate_owner;
alter table audience_gate.rebuilds_due enable row level security;
revoke all on table audience_gate.rebuilds_due from public, anon, authenticated, service_role;
create policy rebuilds_due_gate on audience_gate.rebuilds_due to audience_gate_owner using (true) with check (true);

create or replace function audience_gate.rebuild_figures()
returns void
language sql
volatile
security definer
set search_path = ''
as $$ insert into audience_gate.rebuilds_due default values $$;
comment on function audience_gate.rebuild_figures() is
  'Has the next fold make the figures anew, from all events: after recorded events were changed, moved away or brought back, '
  'and after the database was restored from a dump.';
alter function audience_gate.rebuild_figures() owner to audience_gate_owner;
revoke all on function audience_gate.rebuild_figures() from public, anon, authenticated, service_role;
