-- No state changes without a row of history, whoever changes it.
--
-- The actor, the rule and the notes of a change travel in settings of its transaction, so that its history is
-- written once and never amended:
--   audience_gate.actor   'system:…', or 'user:<uuid>' where a back end acts for a person
--   audience_gate.rule    an id of public.audience_rules
--   audience_gate.notes   free text for whoever reads the history
--   audience_gate.event_id, audience_gate.effective_at   set by the derivation

create or replace function audience_gate.announce_change(
  actor text, rule text, notes text default null, event uuid default null, effective timestamptz default null
)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  perform
    set_config('audience_gate.actor', coalesce(actor, ''), true),
    set_config('audience_gate.rule', coalesce(rule, ''), true),
    set_config('audience_gate.notes', coalesce(notes, ''), true),
    set_config('audience_gate.event_id', coalesce(event::text, ''), true),
    set_config('audience_gate.effective_at', coalesce(effective::text, ''), true);
end;
$$;
comment on function audience_gate.announce_change(text, text, text, uuid, timestamptz) is
  'Says who is about to change states, and why. Nulls take an announcement back.';

create or replace function audience_gate.changed_by()
returns text
language sql
stable
set search_path = ''
as $$
  select coalesce(
    nullif(current_setting('audience_gate.actor', true), ''),
    'user:' || audience_gate.caller_id()::text,
    'role:' || audience_gate.actor()
  )
$$;
comment on function audience_gate.changed_by() is
  'Who makes a change: the announced actor, else the signed-in user, else the database role. Never null.';

create or replace function audience_gate.guard_state()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  before text;
  why text;
begin
  if tg_op = 'UPDATE' then
    if new.current_state = old.current_state then
      return new;
    end if;
    before := old.current_state;
  else
    select s.id into before from public.audience_states s order by s.rank limit 1;
  end if;
  if not exists (select from public.audience_states s where s.id = new.current_state) then
    raise exception 'the state is not registered' using errcode = 'foreign_key_violation',
      hint = 'Use an id of public.audience_states.';
  end if;
  select j.reason into why from public.audience_blocked_jumps j
  where j.from_state = before and j.to_state = new.current_state;
  if found then
    raise exception 'the direct move from % to % is blocked: %', before, new.current_state, why
      using errcode = 'check_violation', hint = 'Move one step at a time.';
  end if;
  new.state_updated_at := now();
  return new;
end;
$$;
comment on function audience_gate.guard_state() is
  'Lets through registered states and moves that are not blocked. A first state counts as a move from the lowest '
  'one.';

create or replace function audience_gate.refuse_state_removal()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  raise exception '% holds computed states: % is not permitted', tg_table_name,
    case tg_op when 'UPDATE' then 'handing one to another person or site' else lower(tg_op) end
    using errcode = 'insufficient_privilege';
end;
$$;
comment on function audience_gate.refuse_state_removal() is
  'Refuses to remove a state, or to hand it to another person or site.';

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
  latest timestamptz;
begin
  if before = new.current_state then
    return null;
  end if;
  select h.effective_at into latest from public.audience_state_events h
  where h.user_id = new.user_id and h.site_id is not distinct from site order by h.id desc limit 1;
  insert into public.audience_state_events
    (site_id, user_id, from_state, to_state, changed_by, effective_at, rule_id, notes, event_id)
  values (
    site, new.user_id, before, new.current_state,
    coalesce(nullif(current_setting('audience_gate.actor', true), ''), audience_gate.changed_by()),
    -- After a recomputation an event may be older than the change before it. Time does not run backwards.
    greatest(coalesce(nullif(current_setting('audience_gate.effective_at', true), '')::timestamptz, clock_timestamp()), latest),
    coalesce(nullif(current_setting('audience_gate.rule', true), ''), 'direct_change'),
    nullif(current_setting('audience_gate.notes', true), ''),
    nullif(current_setting('audience_gate.event_id', true), '')::uuid
  );
  return null;
end;
$$;
comment on function audience_gate.record_transition() is 'Writes the history row of a change of state.';

create or replace function audience_gate.placed_score(from_state text, to_state text, score numeric)
returns numeric
language sql
stable
security definer
set search_path = ''
as $$
  select case when t.rank < f.rank then least(score, t.min_score) else greatest(score, t.min_score) end
  from public.audience_states f, public.audience_states t
  where f.id = from_state and t.id = to_state
$$;
comment on function audience_gate.placed_score(text, text, numeric) is
  'The score after a move that it did not earn: lowered to the floor of a lower state, raised to that of a higher '
  'one.';

-- If a person places a state, the score moves with it to where the state begins; otherwise the next event would
-- undo the change. Everything up to now also counts as applied, so that an event which was recorded before the
-- change but committed after it is put in its place by a recomputation.
create or replace function audience_gate.place_score()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if new.current_state = old.current_state or current_setting('audience_gate.actor', true) like 'system:%' then
    return new;
  end if;
  new.engagement_score := audience_gate.placed_score(old.current_state, new.current_state, old.engagement_score);
  new.highest_state := (
    select s.id from public.audience_states s
    where s.id in (old.highest_state, new.current_state) order by s.rank desc limit 1);
  new.derived_through := greatest(old.derived_through, clock_timestamp());
  perform set_config('audience_gate.effective_at', new.derived_through::text, true);
  return new;
end;
$$;
comment on function audience_gate.place_score() is
  'Moves score and watermark along when anybody but the derivation changes a state.';

create or replace function audience_gate.follow_sites()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  held integer;
  target integer;
  score numeric;
  ladder text[];
  step integer;
begin
  select array_agg(s.id order by s.rank) into ladder from public.audience_states s;
  select array_position(ladder, s.current_state) into held
  from public.audience_state s where s.user_id = new.user_id for update;
  if held is null then
    insert into public.audience_state (user_id, current_state) values (new.user_id, ladder[1]) on conflict (user_id) do nothing;
    held := 1;
  end if;
  select max(array_position(ladder, s.current_state)), sum(s.engagement_score) into target, score
  from public.audience_site_state s where s.user_id = new.user_id;
  while held <> target loop
    step := held + sign(target - held)::integer;
    exit when exists (
      select from public.audience_blocked_jumps j where j.from_state = ladder[held] and j.to_state = ladder[step]);
    update public.audience_state s set current_state = ladder[step] where s.user_id = new.user_id;
    held := step;
  end loop;
  update public.audience_state s
  set engagement_score = score, last_event_type = coalesce(new.last_event_type, s.last_event_type)
  where s.user_id = new.user_id
    and (s.engagement_score, s.last_event_type) is distinct from (score, coalesce(new.last_event_type, s.last_event_type));
  return null;
end;
$$;
comment on function audience_gate.follow_sites() is
  'Keeps public.audience_state at the highest state that the user holds at any site, one recorded step at a time.';

-- Both tables of states are guarded alike. Triggers fire in the order of their names: those that begin with
-- trg_a before those that begin with trg_b.
do $$
declare
  guarded record;
begin
  for guarded in
    select * from (values
      ('audience_state', 'user_id'),
      ('audience_site_state', 'user_id, site_id')
    ) as listed (table_name, key)
  loop
    execute format('drop trigger if exists trg_a_guard_state on public.%I', guarded.table_name);
    execute format('create trigger trg_a_guard_state before insert or update of current_state on public.%I
      for each row execute function audience_gate.guard_state()', guarded.table_name);
    execute format('drop trigger if exists trg_a_keep_state on public.%I', guarded.table_name);
    execute format('create trigger trg_a_keep_state before delete or update of %s on public.%I
      for each row execute function audience_gate.refuse_state_removal()', guarded.key, guarded.table_name);
    execute format('drop trigger if exists trg_a_no_truncate on public.%I', guarded.table_name);
    execute format('create trigger trg_a_no_truncate before truncate on public.%I
      for each statement execute function audience_gate.refuse_state_removal()', guarded.table_name);
    execute format('drop trigger if exists trg_a_record_transition on public.%I', guarded.table_name);
    execute format('create trigger trg_a_record_transition after insert or update of current_state on public.%I
      for each row execute function audience_gate.record_transition()', guarded.table_name);
  end loop;
end $$;

drop trigger if exists trg_b_place_score on public.audience_site_state;
create trigger trg_b_place_score before update of current_state on public.audience_site_state
for each row execute function audience_gate.place_score();

drop trigger if exists trg_b_follow_sites on public.audience_site_state;
create trigger trg_b_follow_sites
after insert or update of current_state, engagement_score, last_event_type on public.audience_site_state
for each row execute function audience_gate.follow_sites();
