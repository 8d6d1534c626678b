-- Beginning and ending to record a table of the user's own.

-- Looking up the record of every event takes longer than all the rest of a report, and is for nothing where the policies
-- of the table hide no record from the caller.
create or replace function audience_gate.sees_all_of(tracked regclass)
returns boolean
language sql
stable
set search_path = ''
as $$
  select not row_security_active(tracked) or coalesce(
    bool_or(p.polpermissive and pg_get_expr(p.polqual, p.polrelid) = 'true') and bool_and(p.polpermissive), false)
  from pg_catalog.pg_policy p
  where p.polrelid = tracked and p.polcmd in ('*', 'r')
    and exists (select from unnest(p.polroles) r (role) where r.role = 0 or pg_has_role(r.role, 'usage'))
$$;
comment on function audience_gate.sees_all_of(regclass) is
  'Whether no policy hides any record of a table from the caller, as far as that can be read from the policies alone.';
revoke all on function audience_gate.sees_all_of(regclass) from public, anon, authenticated, service_role;
grant execute on function audience_gate.sees_all_of(regclass) to anon, authenticated, service_role;

create or replace function audience_gate.make_lifecycle_events(l audience_gate.lifecycles)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  place regnamespace := (select c.relnamespace from pg_catalog.pg_class c where c.oid = l.tracked);
  name text := (select c.relname from pg_catalog.pg_class c where c.oid = l.events);
  reader text;
begin
  execute format('comment on table %s is %L', l.events,
    format('Every %s that %s has had, and how it came to it. Append-only: written by a trigger.', l.stage_column, l.tracked));
  execute format('comment on column %s.id is %L', l.events, 'Names the event.');
  execute format('comment on column %s.%I is %L', l.events, l.entity_column, 'The record that moved.');
  execute format('comment on column %s.from_stage is %L', l.events, 'The stage before; null for a new record.');
  execute format('comment on column %s.to_stage is %L', l.events, 'The stage after.');
  execute format('comment on column %s.changed_by is %L', l.events, 'The signed-in user who moved it; null for anything else.');
  execute format('comment on column %s.changed_at is %L', l.events, 'When; no two events of a record are at the same time.');
  execute format('comment on column %s.notes is %L', l.events, 'Why, as public.lifecycle_note() said.');
  execute format('comment on column %s.actor is %L', l.events, 'Who: user:…, system:… or role:….');
  execute format('create index on %s (%I, changed_at)', l.events, l.entity_column);
  execute format('create index on %s (changed_by) where changed_by is not null', l.events);
  execute format('create index on %s using brin (changed_at) with (autosummarize)', l.events);

  execute format('alter table %s enable row level security', l.events);
  execute format('revoke all on table %s from public, anon, authenticated, service_role', l.events);
  foreach reader in array array['anon', 'authenticated', 'service_role'] loop
    if has_table_privilege(reader, l.tracked, 'select') then
      execute format('grant select on table %s to %I', l.events, reader);
    end if;
  end loop;
  if not has_schema_privilege('audience_gate_owner', place, 'usage') then
    execute format('grant usage on schema %s to audience_gate_owner', place);
  end if;
  execute format('grant select, insert, update (changed_by, notes, actor) on table %s to audience_gate_owner', l.events);
  execute format('create policy %I on %s for select to anon, authenticated using
    ((select audience_gate.sees_all_of(%L::regclass)) or exists (select from %s r where r.%I = %I.%I))',
    name || '_select', l.events, l.tracked, l.tracked, l.key_column, name, l.entity_column);
  execute format('create policy %I on %s for all to audience_gate_owner using (true) with check (true)', name || '_gate', l.events);
end;
$$;
comment on function audience_gate.make_lifecycle_events(audience_gate.lifecycles) is
  'Comments, indexes and rights of a new table of events. A row of it is seen by whoever sees the record.';
revoke all on function audience_gate.make_lifecycle_events(audience_gate.lifecycles) from public, anon, authenticated, service_role;

-- Not "update of": a trigger of the user's own may change the stage of an update that does not name it. Not for each
-- statement: its tables of old and new rows would cost every update of the table, and a statement that names a partition
-- would pass it. The names come first among triggers, so that a move that a trigger of the user's own makes of a move is
-- recorded after it. Every trigger makes every update of the table dearer, so there is none for what the foreign key of the
-- events refuses: another key, or truncating, where deletes are refused.
create or replace function audience_gate.attach_lifecycle(l audience_gate.lifecycles)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  recorder text;
begin
  execute format('create trigger a_hold_to_record before insert on %s for each row execute function audience_gate.hold_to_record(%L)',
    l.events, l.entity_column);
  execute format('create trigger a_keep_history before update or delete or truncate on %s
    for each statement execute function audience_gate.keep_history()', l.events);
  execute format('create trigger %I after insert on %s for each row execute function audience_gate.%I()',
    '0_' || l.recorder || '_insert', l.tracked, l.recorder || '_insert');
  execute format('create trigger %1$I after update on %2$s for each row
    when (old.%3$I is distinct from new.%3$I) execute function audience_gate.%4$I()',
    '0_' || l.recorder || '_update', l.tracked, l.stage_column, l.recorder || '_update');
  if l.deletes = 'record' then
    execute format('create trigger %1$I after update of %3$I on %2$s for each row
      when (old.%3$I is distinct from new.%3$I) execute function audience_gate.keep_record()',
      '0_' || l.recorder || '_key', l.tracked, l.key_column);
    execute format('create trigger %I after delete on %s for each row execute function audience_gate.%I()',
      '0_' || l.recorder || '_delete', l.tracked, l.recorder || '_delete');
    execute format('create trigger %I before truncate on %s for each statement execute function audience_gate.keep_record()',
      '0_' || l.recorder || '_truncate', l.tracked);
  end if;
  foreach recorder in array audience_gate.lifecycle_recorders(l) loop
    execute format('alter function audience_gate.%I() owner to audience_gate_owner', recorder);
  end loop;
end;
$$;
comment on function audience_gate.attach_lifecycle(audience_gate.lifecycles) is
  'Puts the triggers on a tracked table and on its events.';
revoke all on function audience_gate.attach_lifecycle(audience_gate.lifecycles) from public, anon, authenticated, service_role;

create or replace function audience_gate.track_lifecycle(tracked regclass, stage_column text, options jsonb default '{}')
returns regclass
language plpgsql
volatile
set search_path = ''
as $$
declare
  subject record;
  place regnamespace := (select c.relnamespace from pg_catalog.pg_class c where c.oid = tracked);
  entity text := coalesce(options ->> 'entity',
    audience_gate.singular((select c.relname::text from pg_catalog.pg_class c where c.oid = tracked)));
  is_first boolean := not exists (select from audience_gate.lifecycles o where o.tracked = track_lifecycle.tracked);
  events text := coalesce(options ->> 'events',
    case when is_first then entity || '_events' else format('%s_%s_events', entity, stage_column) end);
  l audience_gate.lifecycles;
begin
  select s.key_column, s.key_type, s.stage_type into subject from audience_gate.lifecycle_subject(tracked, stage_column) s;
  perform audience_gate.check_lifecycle_options(options);
  if octet_length(events) > 50 or octet_length(entity) > 50 then
    raise exception 'the name % is too long', events using errcode = 'name_too_long',
      hint = 'Give a shorter one: options => ''{"events": "…", "entity": "…"}''.';
  end if;
  select o.* into l from audience_gate.lifecycles o
  where o.tracked = track_lifecycle.tracked and o.stage_column = track_lifecycle.stage_column;
  if l.untracked_at is not null then
    return audience_gate.resume_lifecycle(l, subject.key_type, options);
  elsif found then
    raise exception '%.% is tracked already', tracked, stage_column using errcode = 'duplicate_object',
      hint = 'audience_gate.lifecycles lists what is, and what was.';
  elsif to_regclass(format('%s.%I', place, events)) is not null then
    raise exception 'there is a %.% already', place, events using errcode = 'duplicate_table',
      hint = 'Rename it, or give the history another name: options => ''{"events": "…"}''.';
  end if;
  -- Nobody writes between the first events and the triggers.
  execute format('lock table %s in share row exclusive mode', tracked);
  execute format('create table %1$s.%2$I (
      id uuid primary key default gen_random_uuid(),
      %3$I %4$s not null %5$s,
      from_stage text,
      to_stage text not null,
      changed_by uuid references auth.users (id),
      changed_at timestamptz not null default now(),
      notes text,
      actor text not null)',
    place, events, entity || '_id', subject.key_type,
    case when options ->> 'deletes' = 'record' then '' else format('references %s (%I)', tracked, subject.key_column) end);
  insert into audience_gate.lifecycles
    (tracked, stage_column, stage_type, key_column, key_type, events, entity, entity_column, recorder, deletes)
  values (tracked, stage_column, subject.stage_type, subject.key_column, subject.key_type,
    format('%s.%I', place, events)::regclass, entity, entity || '_id',
    'record_' || replace(gen_random_uuid()::text, '-', ''), coalesce(options ->> 'deletes', 'refuse'))
  returning * into l;
  perform audience_gate.declare_transitions(l.id, options);
  execute format('insert into %s (%I, to_stage, actor) select r.%I, r.%I, %L from %s r',
    l.events, l.entity_column, l.key_column, l.stage_column, 'system:adoption', l.tracked);
  perform audience_gate.make_lifecycle_events(l);
  perform audience_gate.make_lifecycle_recorders(l);
  perform audience_gate.attach_lifecycle(l);
  return l.events;
end;
$$;
comment on function audience_gate.track_lifecycle(regclass, text, jsonb) is
  'Records every change of a column of a table in {entity}_events beside it, from now on and for good. Options: entity, '
  'events (names), deletes (refuse or record), allowed, blocked (lists of [from, to]), terminal (stages). For the owner '
  'of the table. Returns the table of events.';
revoke all on function audience_gate.track_lifecycle(regclass, text, jsonb) from public, anon, authenticated, service_role;

create or replace function audience_gate.untrack_lifecycle(tracked regclass, stage_column text)
returns regclass
language plpgsql
volatile
set search_path = ''
as $$
declare
  l audience_gate.lifecycles;
  held record;
  recorder text;
begin
  update audience_gate.lifecycles o set untracked_at = now()
  where o.tracked = untrack_lifecycle.tracked and o.stage_column = untrack_lifecycle.stage_column and o.untracked_at is null
  returning * into l;
  if not found then
    raise exception '%.% is not tracked', tracked, stage_column using errcode = 'undefined_object',
      hint = 'audience_gate.lifecycles lists what is.';
  end if;
  for held in
    select t.tgname from pg_catalog.pg_trigger t
    where t.tgrelid = l.tracked and t.tgparentid = 0 and starts_with(t.tgname, '0_' || l.recorder || '_')
  loop
    execute format('drop trigger %I on %s', held.tgname, l.tracked);
  end loop;
  foreach recorder in array audience_gate.lifecycle_recorders(l) loop
    execute format('drop function audience_gate.%I()', recorder);
  end loop;
  return l.events;
end;
$$;
comment on function audience_gate.untrack_lifecycle(regclass, text) is
  'Ends to record a column. Its history stays, and nobody can change it. Returns the table of events.';
revoke all on function audience_gate.untrack_lifecycle(regclass, text) from public, anon, authenticated, service_role;
