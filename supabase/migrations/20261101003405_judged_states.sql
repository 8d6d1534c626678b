-- No state from before the gate stops anything, though nobody registered it; and the history keeps nothing personal.

create or replace function audience_gate.require_harmless(value text, what text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if value is null or audience_gate.redact(to_jsonb(value)) = to_jsonb(value) then
    return;
  end if;
  raise exception 'the % may hold nothing personal and no secret', what using errcode = 'check_violation',
    hint = 'The history of states keeps what it is told for ever. Name a ticket or an id instead.';
end;
$$;
comment on function audience_gate.require_harmless(text, text) is
  'Refuses a text that the privacy rules would not let into an event, without quoting it.';
alter function audience_gate.require_harmless(text, text) owner to audience_gate_owner;
revoke all on function audience_gate.require_harmless(text, text) from public, anon, authenticated, service_role;

-- A state that nobody registered has no place in the history, whose rows refer to the registered ones.
create or replace function audience_gate.record_transition()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  before text := case when tg_op = 'UPDATE' then old.current_state end;
  site uuid := (to_jsonb(new) ->> 'site_id')::uuid;
  notes text := nullif(current_setting('audience_gate.notes', true), '');
  latest timestamptz;
begin
  if before = new.current_state then
    return null;
  end if;
  -- The derivation writes its own history. Until it is installed further on, nobody acts in its name.
  if current_setting('audience_gate.actor', true) = 'system:derivation' then
    if audience_gate.is_deriving() then
      return null;
    end if;
  end if;
  if tg_table_name = 'audience_state' and not exists (select from public.audience_states s where s.id = before) then
    before := null;
  end if;
  perform audience_gate.require_harmless(notes, 'notes');
  -- "offset 0" keeps the planner on the index of the person; the newest row of all is somebody else's.
  if site is null then
    select max(p.effective_at) into latest from (
      select h.effective_at from public.audience_state_events h
      where h.user_id = new.user_id and h.site_id is null offset 0) p;
  else
    select max(p.effective_at) into latest from (
      select h.effective_at from public.audience_state_events h
      where h.user_id = new.user_id and h.site_id = site offset 0) p;
  end if;
  insert into public.audience_state_events
    (site_id, user_id, from_state, to_state, changed_by, effective_at, rule_id, notes, event_id)
  values (
    site, new.user_id, before, new.current_state,
    coalesce(nullif(current_setting('audience_gate.actor', true), ''), audience_gate.changed_by()),
    -- After a recomputation an event may be older than the change before it. Time does not run backwards.
    greatest(coalesce(nullif(current_setting('audience_gate.effective_at', true), '')::timestamptz, clock_timestamp()), latest),
    coalesce(nullif(current_setting('audience_gate.rule', true), ''), 'direct_change'),
    notes,
    nullif(current_setting('audience_gate.event_id', true), '')::uuid
  );
  return null;
end;
$$;

-- The rule that a first row of history names.
insert into public.audience_rules (id, kind, description, active)
values ('taken_over', 'manual', 'the person stood here before the gate was installed', false)
on conflict do nothing;

create or replace function audience_gate.take_over_states()
returns bigint
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  ladder text[];
  member record;
  taken bigint := 0;
begin
  select array_agg(s.id order by s.rank) into ladder from public.audience_states s;
  for member in
    select s.user_id, s.current_state
    from public.audience_state s
    where s.current_state <> all (ladder)
      or not exists (select from public.audience_state_events h where h.user_id = s.user_id and h.site_id is null)
    order by s.user_id
    for update
  loop
    if member.current_state <> all (ladder) then
      perform audience_gate.announce_change(audience_gate.changed_by(), 'taken_over', case
        when member.current_state ~ '^[[:alpha:]][[:alnum:]_ -]{0,39}$'
          and not audience_gate.any_text_is_personal(to_jsonb(member.current_state))
        then 'stood in "' || member.current_state || '", which is no registered state'
        else 'stood in a state that is not registered and cannot be quoted' end);
      update public.audience_state s set current_state = ladder[1] where s.user_id = member.user_id;
    else
      insert into public.audience_state_events (site_id, user_id, from_state, to_state, changed_by, rule_id, notes)
      values (null, member.user_id, null, member.current_state, audience_gate.changed_by(), 'taken_over',
        'stood here before the gate was installed');
    end if;
    taken := taken + 1;
  end loop;
  perform audience_gate.announce_change(null, null);
  return taken;
end;
$$;
comment on function audience_gate.take_over_states() is
  'Gives each member from before the gate a first row of history that says where they stood. Whoever stood in a state '
  'that is not registered goes on from the lowest one. Says how many they were.';
alter function audience_gate.take_over_states() owner to audience_gate_owner;
revoke all on function audience_gate.take_over_states() from public;
grant execute on function audience_gate.take_over_states() to service_role;

select audience_gate.take_over_states();
