-- Nothing but the derivation and the recorded functions changes what is derived, not even for whoever owns the tables. A
-- state itself may be written, and is recorded; its score, its times and its evidence follow by trigger.

create or replace function audience_gate.guard_derived()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  if current_user = 'audience_gate_owner' then
    return new;
  end if;
  if (case
    when tg_op = 'UPDATE' then to_jsonb(new) - 'current_state' <> to_jsonb(old) - 'current_state'
    when tg_table_name = 'audience_site_state' then (to_jsonb(new) || '{"consents": []}')
        - array['site_id', 'user_id', 'current_state', 'state_updated_at']
      <> jsonb_build_object('engagement_score', 0, 'last_event_type', null, 'last_activity_at', null, 'idle_since', null,
        'highest_state', new.current_state, 'derived_through', '-infinity', 'consents', '[]'::jsonb, 'has_advocated', false,
        'score_day', null, 'day_score', 0, 'day_counts', '{}'::jsonb)
    else to_jsonb(new) - array['user_id', 'current_state', 'state_updated_at']
      <> jsonb_build_object('engagement_score', 0, 'last_event_type', null, 'metadata', '{}'::jsonb)
  end) then
    raise exception '% holds what is derived: only current_state may be written', tg_table_name
      using errcode = 'insufficient_privilege',
        hint = 'Scores follow from events. To place a person, call public.audience_set_state().';
  end if;
  -- Only the derivation acts in its own name.
  if current_setting('audience_gate.actor', true) = 'system:derivation' then
    perform set_config('audience_gate.actor', '', true);
  end if;
  return new;
end;
$$;
comment on function audience_gate.guard_derived() is
  'Refuses everybody but the gate''s own functions to write a derived column, and to act in the derivation''s name.';
revoke all on function audience_gate.guard_derived() from public, anon, authenticated, service_role;

drop trigger if exists trg_a_guard_derived on public.audience_state;
create trigger trg_a_guard_derived before insert or update on public.audience_state
for each row execute function audience_gate.guard_derived();
drop trigger if exists trg_a_guard_derived on public.audience_site_state;
create trigger trg_a_guard_derived before insert or update on public.audience_site_state
for each row execute function audience_gate.guard_derived();

-- History follows from changes of states. A row that somebody wrote by hand would say where a person stood without anybody
-- having placed them there.
create or replace function audience_gate.guard_history()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  raise exception '% records what happens to states: no row is inserted by hand', tg_table_name
    using errcode = 'insufficient_privilege', hint = 'To place a person, call public.audience_set_state().';
end;
$$;
comment on function audience_gate.guard_history() is 'Refuses everybody but the gate''s own functions to write history.';
revoke all on function audience_gate.guard_history() from public, anon, authenticated, service_role;

drop trigger if exists trg_audience_state_events_guard on public.audience_state_events;
create trigger trg_audience_state_events_guard before insert on public.audience_state_events
for each statement when (current_user <> 'audience_gate_owner') execute function audience_gate.guard_history();

-- If anybody but the derivation places a state, the score moves with it to where the state begins, and inactivity counts
-- from then. Everything up to now also counts as applied, so that an event which was recorded before the change but
-- committed after it is put in its place by a recomputation.
create or replace function audience_gate.place_score()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if new.current_state = old.current_state or current_setting('audience_gate.actor', true) = 'system:derivation' then
    return new;
  end if;
  new.engagement_score := audience_gate.placed_score(old.current_state, new.current_state, old.engagement_score);
  new.highest_state := (
    select s.id from public.audience_states s
    where s.id in (old.highest_state, new.current_state) order by s.rank desc limit 1);
  new.derived_through := greatest(old.derived_through, clock_timestamp());
  new.idle_since := greatest(old.idle_since, new.derived_through);
  perform set_config('audience_gate.effective_at', new.derived_through::text, true);
  return new;
end;
$$;
