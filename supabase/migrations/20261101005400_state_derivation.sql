-- From accepted events to states, by evidence.
--
-- The state of a person at a site is a fold over their judged events, in the order in which they were recorded
-- (created_at, then id):
--   activity                an event with a weight, neither of the tier system nor of the category retention: adds its
--                           weight, within the caps of its day, and steps up by at most one rank if the score reaches
--                           a higher state and what the next one requires is there
--   a subscription event    a consent for its channel is in force
--   an advocacy event       is evidence of advocacy
--   a withdrawal            takes the consents for its channel back, or all of them if there is none for it; without
--                           any left, the person steps down, rank by rank, below the states that require one
--   a retention event       steps down by one rank if the terms of its rule hold: the rule names both states, and for
--                           that many days the person did nothing and did not change state. It is dated when these
--                           days were over
--   a change made by others places the state where they put it
-- Nothing else looks at a score to lower a state, so a state that was placed stays until a rule or somebody moves it.
-- Placements and retention events set the score to the floor of the new state. A blocked move is not made.
--
-- The result does not depend on how events are cut into batches: a person whose events turn up late is folded again from
-- the first event.

-- Every step is written to the history as it would be by the triggers of the two tables of states, which leave a run of
-- the derivation alone: one row for the site and, where the overall standing follows, one for that.
drop function if exists audience_gate.derive_member(uuid, uuid, timestamptz, timestamptz, boolean);
create or replace function audience_gate.derive_member(
  site uuid, member uuid, first_at timestamptz, last_at timestamptz, recompute boolean, rules audience_gate.state_rules
)
returns bigint
language plpgsql
volatile
set search_path = ''
as $$
declare
  ladder constant text[] := rules.ladder;
  floors constant numeric[] := rules.floors;
  needs constant text[] := rules.needs;
  overall public.audience_state;
  known public.audience_site_state;
  is_new boolean;
  is_new_here boolean;
  refold boolean;
  rung integer := 1;
  target integer;
  highest integer := 1;
  score numeric := 0;
  given text[] := array[]::text[];
  advocated boolean := false;
  day date;
  gained numeric := 0;
  tally jsonb := jsonb_build_object();
  used integer;
  gain numeric;
  active_at timestamptz;
  idle_at timestamptz;
  last_type text;
  since timestamptz := timestamptz '-infinity';
  through timestamptz;
  step record;
  moved_at timestamptz;
  why text;
  stepped audience_gate.state_step[] := array[]::audience_gate.state_step[];
  applied bigint := 0;
begin
  -- The overall row is the lock on all that is known about a person: whoever changes any of it takes it first.
  insert into public.audience_state (user_id, current_state) values (member, ladder[1]) on conflict (user_id) do nothing;
  is_new := found;
  select * into strict overall from public.audience_state s where s.user_id = member for update;
  select * into known from public.audience_site_state s where s.site_id = site and s.user_id = member;
  is_new_here := not found;
  if is_new_here then
    known.site_id := site;
    known.user_id := member;
    known.current_state := ladder[1];
    known.derived_through := '-infinity';
    known.consents := '{}';
  end if;

  refold := recompute or first_at <= known.derived_through or known.consents is null;
  through := greatest(last_at, known.derived_through);
  if not refold and not is_new_here then
    rung := array_position(ladder, known.current_state);
    highest := array_position(ladder, known.highest_state);
    score := known.engagement_score;
    given := known.consents;
    advocated := known.has_advocated;
    day := known.score_day;
    gained := known.day_score;
    tally := known.day_counts;
    active_at := known.last_activity_at;
    idle_at := known.idle_since;
    last_type := known.last_event_type;
    since := known.derived_through;
  end if;

  for step in
    select e.created_at as at, 0 as kind, e.id::text collate "C" as tie, e.id as event_id, e.event_type, e.event_category,
      case when e.event_category = 'retention' then e.metadata end as claim,
      case when e.event_category = 'subscription' or t.withdraws_consent then left(e.metadata ->> 'channel', 64) end as channel,
      case when e.event_category = 'retention' then 0 else t.score_weight end as weight,
      t.daily_cap, t.withdraws_consent, null::text as placed
    -- "offset 0" keeps the planner on the index of the user; those by time would walk the events of everybody.
    from (select * from public.audience_events a where a.user_id = member offset 0) e
    join public.audience_event_types t on t.id = e.event_type
    where e.site_id = site and e.event_category <> 'system' and e.contract is not null and t.tier <> 'system'
      and e.created_at > since and e.created_at <= through
      and (t.score_weight > 0 or t.withdraws_consent or e.event_category in ('retention', 'subscription', 'advocacy'))
    union all
    select h.effective_at, 1, lpad(h.id::text, 20, '0'), null, null, null, null, null, 0, 0, false, h.to_state
    from public.audience_state_events h
    where refold and h.user_id = member and h.site_id = site and h.changed_by <> 'system:derivation'
    order by 1, 2, 3
  loop
    if step.placed is not null then
      score := audience_gate.placed_score(ladder[rung], step.placed, score);
      rung := array_position(ladder, step.placed);
      highest := greatest(highest, rung);
      idle_at := greatest(idle_at, step.at);
      continue;
    end if;

    applied := applied + 1;
    last_type := step.event_type;
    target := rung;
    moved_at := step.at;
    if step.event_category = 'subscription' then
      given := case when coalesce(step.channel, '') = any (given) then given
        else given || coalesce(step.channel, '') end;
    elsif step.event_category = 'advocacy' then
      advocated := true;
    end if;
    if step.withdraws_consent then
      given := case when step.channel = any (given) then array_remove(given, step.channel) else '{}' end;
      if given = '{}' and array_position(needs, 'consent') <= rung then
        target := greatest(array_position(needs, 'consent') - 1, 1);
        why := 'consent_withdrawal';
      end if;
    elsif step.event_category = 'retention' then
      if rung > 1
         and audience_gate.retention_holds(step.claim, ladder[rung], ladder[rung - 1], step.at, idle_at) then
        target := rung - 1;
        why := step.claim ->> 'rule_id';
        -- When it was due, however late anybody looked: the next rule counts from there, and no year is lost.
        select least(step.at, idle_at + r.inactivity_days * interval '24 hours') into moved_at
        from public.audience_rules r where r.id = why;
      end if;
    elsif step.weight > 0 then
      active_at := step.at;
      idle_at := greatest(idle_at, step.at);
      if day is distinct from (step.at at time zone 'UTC')::date then
        day := (step.at at time zone 'UTC')::date;
        gained := 0;
        tally := '{}';
      end if;
      used := coalesce((tally -> step.event_type)::integer, 0);
      gain := case when used < step.daily_cap then least(step.weight, rules.daily_cap - gained) else 0 end;
      if gain > 0 then
        score := score + gain;
        gained := gained + gain;
        tally := jsonb_set(tally, array[step.event_type], to_jsonb(used + 1));
      end if;
      if score >= any (floors[rung + 1:]) and (case needs[rung + 1]
        when 'consent' then given <> '{}'
        when 'advocacy' then advocated
        else true end)
      then
        target := rung + 1;
        why := case when target > highest then 'score_threshold' else 'reactivation' end;
      end if;
    end if;

    while rung <> target
      and ladder[rung] || '>' || ladder[rung + sign(target - rung)::integer] <> all (rules.blocked)
    loop
      if step.event_category = 'retention' then
        score := audience_gate.placed_score(ladder[rung], ladder[target], score);
      end if;
      rung := rung + sign(target - rung)::integer;
      highest := greatest(highest, rung);
      idle_at := greatest(idle_at, moved_at);
      if not refold then
        stepped := stepped || row(rung, why, step.event_id, moved_at)::audience_gate.state_step;
      end if;
    end loop;
  end loop;

  -- A recomputation may end several ranks away.
  target := array_position(ladder, known.current_state);
  while refold and target <> rung loop
    used := target + sign(rung - target)::integer;
    if ladder[target] || '>' || ladder[used] = any (rules.blocked) then
      raise exception 'the direct move from % to % is blocked', ladder[target], ladder[used] using errcode = 'check_violation';
    end if;
    target := used;
    stepped := stepped || row(target, 'recomputed', null, clock_timestamp())::audience_gate.state_step;
  end loop;
  perform audience_gate.write_steps(known, overall, rules, is_new, is_new_here, first_at, score, last_type, stepped);
  if is_new_here then
    insert into public.audience_site_state (
      site_id, user_id, current_state, engagement_score, last_event_type, last_activity_at, idle_since, highest_state,
      consents, has_advocated, score_day, day_score, day_counts, derived_through)
    values (site, member, ladder[rung], score, last_type, active_at, idle_at, ladder[highest], given, advocated, day, gained,
      tally, through);
  else
    update public.audience_site_state s
    set current_state = ladder[rung], engagement_score = score, last_event_type = last_type, last_activity_at = active_at,
      idle_since = idle_at, highest_state = ladder[highest], consents = given,
      has_advocated = advocated, score_day = day, day_score = gained,
      day_counts = tally, derived_through = through
    where s.site_id = site and s.user_id = member;
  end if;
  return applied;
end;
$$;
comment on function audience_gate.derive_member(uuid, uuid, timestamptz, timestamptz, boolean, audience_gate.state_rules) is
  'Applies the new events of a person at a site, or all of them again if one turned up late. Returns how many were '
  'applied.';
alter function audience_gate.derive_member(uuid, uuid, timestamptz, timestamptz, boolean, audience_gate.state_rules)
  owner to audience_gate_owner;
revoke all on function audience_gate.derive_member(uuid, uuid, timestamptz, timestamptz, boolean, audience_gate.state_rules)
  from public, anon, authenticated, service_role;
drop function if exists audience_gate.walk_to(uuid, uuid, text, text, text[]);
comment on function audience_gate.retention_holds(jsonb, text, text, timestamptz, timestamptz) is
  'Whether the rule that a retention event names applies to a person who is in this state, and since then neither did '
  'anything nor changed state.';

comment on column public.audience_site_state.last_activity_at is
  'When the last event with a weight that they caused themselves was recorded. Retention events are written about them '
  'and do not count, and neither do events of the tier system.';
comment on column public.audience_site_state.engagement_score is
  'The sum of the score weights of the accepted events, within the caps of each day, set to the floor of the state '
  'whenever inactivity or a person moved it.';
