-- States rest on judged events: a row without a contract moves none. And no state from before the gate stops anything,
-- though nobody registered it.

create or replace function audience_gate.derive_member(
  site uuid, member uuid, first_at timestamptz, last_at timestamptz, recompute boolean
)
returns bigint
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  ladder text[];
  floors numeric[];
  known public.audience_site_state;
  refold boolean;
  rung integer := 1;
  next_rung integer;
  earned integer;
  highest integer := 1;
  score numeric := 0;
  inactive_since timestamptz;
  last_type text;
  since timestamptz := timestamptz '-infinity';
  through timestamptz;
  step record;
  why text;
  applied bigint := 0;
begin
  select array_agg(s.id order by s.rank), array_agg(s.min_score order by s.rank)
  into ladder, floors from public.audience_states s;

  -- The overall row is the lock on all that is known about a person: whoever changes any of it takes it first.
  perform audience_gate.announce_change('system:derivation', 'first_event', null, null, first_at);
  insert into public.audience_state (user_id, current_state) values (member, ladder[1]) on conflict (user_id) do nothing;
  perform from public.audience_state s where s.user_id = member for update;
  insert into public.audience_site_state (site_id, user_id, current_state, highest_state)
  values (site, member, ladder[1], ladder[1]) on conflict (site_id, user_id) do nothing;
  select * into strict known from public.audience_site_state s where s.site_id = site and s.user_id = member;

  refold := recompute or first_at <= known.derived_through;
  through := greatest(last_at, known.derived_through);
  if not refold then
    rung := array_position(ladder, known.current_state);
    highest := array_position(ladder, known.highest_state);
    score := known.engagement_score;
    inactive_since := known.last_activity_at;
    last_type := known.last_event_type;
    since := known.derived_through;
  end if;

  for step in
    select e.created_at as at, 0 as kind, e.id::text collate "C" as tie, e.id as event_id, e.event_type, e.event_category,
      case when e.event_category = 'retention' then e.metadata end as claim,
      coalesce(t.score_weight, 0) as weight, null::text as placed
    -- "offset 0" keeps the planner on the index of the user; those by time would walk the events of everybody.
    from (select * from public.audience_events a where a.user_id = member offset 0) e
    left join public.audience_event_types t on t.id = e.event_type
    where e.site_id = site and e.event_category <> 'system' and e.contract is not null
      and e.created_at > since and e.created_at <= through
    union all
    select h.effective_at, 1, lpad(h.id::text, 20, '0'), null, null, null, null, 0, h.to_state
    from public.audience_state_events h
    where refold and h.user_id = member and h.site_id = site and h.changed_by not like 'system:%'
    order by 1, 2, 3
  loop
    if step.placed is not null then
      next_rung := array_position(ladder, step.placed);
      score := audience_gate.placed_score(ladder[rung], step.placed, score);
      rung := next_rung;
      highest := greatest(highest, rung);
      continue;
    end if;

    applied := applied + 1;
    last_type := step.event_type;
    score := score + step.weight;
    next_rung := rung;
    if step.event_category = 'retention' then
      if rung > 1
         and audience_gate.retention_holds(step.claim, ladder[rung], ladder[rung - 1], step.at, inactive_since) then
        next_rung := rung - 1;
        why := step.claim ->> 'rule_id';
      end if;
    else
      inactive_since := step.at;
      earned := 1;
      for higher in 2..cardinality(floors) loop
        if floors[higher] <= score then
          earned := higher;
        end if;
      end loop;
      next_rung := rung + sign(earned - rung)::integer;
      why := case when next_rung > highest or next_rung < rung then 'score_threshold' else 'reactivation' end;
    end if;
    continue when next_rung = rung or exists (
      select from public.audience_blocked_jumps j
      where j.from_state = ladder[rung] and j.to_state = ladder[next_rung]);

    if step.event_category = 'retention' then
      score := audience_gate.placed_score(ladder[rung], ladder[next_rung], score);
    end if;
    rung := next_rung;
    highest := greatest(highest, rung);
    if not refold then
      perform set_config('audience_gate.rule', why, true), set_config('audience_gate.event_id', step.event_id::text, true),
        set_config('audience_gate.effective_at', step.at::text, true);
      update public.audience_site_state s set current_state = ladder[rung], last_event_type = last_type
      where s.site_id = site and s.user_id = member;
    end if;
  end loop;

  if refold then
    perform audience_gate.walk_to(site, member, known.current_state, ladder[rung], ladder);
  end if;
  update public.audience_site_state s
  set engagement_score = score, last_event_type = last_type, last_activity_at = inactive_since,
    highest_state = ladder[highest], derived_through = through
  where s.site_id = site and s.user_id = member;
  perform audience_gate.announce_change(null, null);
  return applied;
end;
$$;

-- A state that nobody registered has no place in the history, whose rows refer to the registered ones.
create or replace function audience_gate.record_transition()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  before text := case when tg_op = 'UPDATE' then
    (select s.id from public.audience_states s where s.id = old.current_state) end;
  site uuid := (to_jsonb(new) ->> 'site_id')::uuid;
  latest timestamptz;
begin
  if tg_op = 'UPDATE' and old.current_state = new.current_state then
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
