-- From accepted events to states.
--
-- The state of a person at a site is a fold over their accepted events, in the order in which they were
-- recorded (created_at, then id):
--   any event but system and retention   adds the score weight of its type, then moves the state by at most one
--                                        rank towards the highest state whose min_score the score reaches
--   a retention event                    moves the state down by one rank if the terms of its rule hold: the
--                                        rule names both states, and the person did nothing for that many days
--   a change made by a person            places the state where they put it
-- A move that was not earned by score sets the score to the floor of the new state. System events are not
-- looked at. A blocked move is not made.
--
-- The result does not depend on how events are cut into batches: a person whose events turn up late, because
-- their transaction took long or because history was loaded, is folded again from the first event.

create or replace function audience_gate.note_arrivals()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  insert into audience_gate.state_pending (site_id, user_id, first_at, last_at)
  select a.site_id, a.user_id, min(a.created_at), max(a.created_at)
  from arrived a
  where a.user_id is not null and a.event_category <> 'system'
  group by a.site_id, a.user_id;
  return null;
end;
$$;
comment on function audience_gate.note_arrivals() is
  'Notes, in the transaction of the events, whose state is to be derived.';

drop trigger if exists trg_audience_events_state on public.audience_events;
create trigger trg_audience_events_state
after insert on public.audience_events
referencing new table as arrived
for each statement execute function audience_gate.note_arrivals();

-- Who sent a retention event proves nothing, so its terms are compared with what is known. inactive_since is
-- null for a person who never did anything.
create or replace function audience_gate.retention_holds(
  claim jsonb, held text, lower_one text, at timestamptz, inactive_since timestamptz
)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (
    select from public.audience_rules r
    where r.id = claim ->> 'rule_id'
      and r.prior_state = held
      and r.new_state = lower_one
      and claim ->> 'prior_state' = held
      and claim ->> 'new_state' = lower_one
      and (r.inactivity_days is null or inactive_since <= at - r.inactivity_days * interval '1 day')
  )
$$;
comment on function audience_gate.retention_holds(jsonb, text, text, timestamptz, timestamptz) is
  'Whether the rule that a retention event names applies to a person who is in this state and inactive since then.';

-- A recomputation may end several ranks away. History still shows every step.
create or replace function audience_gate.walk_to(
  site uuid, member uuid, from_state text, to_state text, ladder text[]
)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  rung integer := array_position(ladder, from_state);
  target integer := array_position(ladder, to_state);
begin
  perform audience_gate.announce_change('system:derivation', 'recomputed', null, null, clock_timestamp());
  while rung <> target loop
    rung := rung + sign(target - rung)::integer;
    update public.audience_site_state s set current_state = ladder[rung]
    where s.site_id = site and s.user_id = member;
  end loop;
end;
$$;
comment on function audience_gate.walk_to(uuid, uuid, text, text, text[]) is
  'Moves a state to where a recomputation found it, one rank at a time.';

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
    where e.site_id = site and e.event_category <> 'system' and e.created_at > since and e.created_at <= through
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
comment on function audience_gate.derive_member(uuid, uuid, timestamptz, timestamptz, boolean) is
  'Applies the new events of a person at a site, or all of them again if one turned up late. Returns how many were '
  'applied.';

-- There is one derivation at a time: a second one answers that it found the first at work. The settings keep
-- every plan on an index, even one that was made while the tables were empty, and have none of them compiled.
create or replace function audience_gate.derive_states(settings jsonb default '{}')
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  batch integer := coalesce((settings ->> 'batch_size')::integer, 1000);
  deadline timestamptz := clock_timestamp() + coalesce((settings ->> 'max_seconds')::numeric, 10) * interval '1 second';
  due record;
  members_in_batch integer;
  members bigint := 0;
  events bigint := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('audience_gate.derive_states', 0)) then
    return jsonb_build_object('busy', true);
  end if;
  loop
    members_in_batch := 0;
    for due in
      with chosen as (
        select distinct p.site_id, p.user_id
        from (select q.site_id, q.user_id from audience_gate.state_pending q limit batch) p
      ), taken as (
        delete from audience_gate.state_pending p using chosen c
        where p.site_id = c.site_id and p.user_id = c.user_id
        returning p.*
      )
      select t.site_id, t.user_id, min(t.first_at) as first_at, max(t.last_at) as last_at, bool_or(t.recompute) as recompute
      from taken t group by t.site_id, t.user_id order by t.user_id, t.site_id
    loop
      events := events + audience_gate.derive_member(due.site_id, due.user_id, due.first_at, due.last_at, due.recompute);
      members_in_batch := members_in_batch + 1;
    end loop;
    members := members + members_in_batch;
    exit when members_in_batch = 0 or clock_timestamp() >= deadline;
  end loop;
  return jsonb_build_object('members', members, 'events', events,
    'remaining', exists (select from audience_gate.state_pending));
end;
$$;
comment on function audience_gate.derive_states(jsonb) is
  'Derives the states of everybody who has new events. Settings: batch_size (rows taken at a time), max_seconds.';

create or replace function audience_gate.request_recompute(site uuid, subject uuid)
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  with asked as (
    insert into audience_gate.state_pending (site_id, user_id, first_at, last_at, recompute)
    select s.site_id, s.user_id, s.derived_through, s.derived_through, true
    from public.audience_site_state s
    where (site is null or s.site_id = site) and (subject is null or s.user_id = subject)
    returning 1
  )
  select count(*) from asked
$$;
comment on function audience_gate.request_recompute(uuid, uuid) is
  'Notes whose state is to be derived again from the first event on, and says how many that are.';

create or replace function public.audience_recompute_states(site uuid default null, subject uuid default null)
returns bigint
language sql
volatile
set search_path = ''
as $$ select audience_gate.request_recompute(site, subject) $$;
comment on function public.audience_recompute_states(uuid, uuid) is
  'To be called after score weights, thresholds or rules were changed: the next run derives the states of a site, '
  'of a person or of everybody again. Returns how many that are. For trusted callers only.';
