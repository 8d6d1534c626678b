-- How a run of the derivation writes what it found: the steps of a person at once, and not one statement and its triggers
-- after the other.

-- A setting could be written by anybody, so whether a run is under way is a row that only the owner of the gate writes.
-- It is there while the run is, in its own transaction, where nobody else sees it.
create unlogged table if not exists audience_gate.deriving (
  backend integer primary key
);
comment on table audience_gate.deriving is
  'The sessions that run the derivation of states. No row of it outlives its transaction.';
comment on column audience_gate.deriving.backend is 'The process of the session.';
alter table audience_gate.deriving enable row level security;
revoke all on table audience_gate.deriving from public, anon, authenticated, service_role;
alter table audience_gate.deriving owner to audience_gate_owner;

create or replace function audience_gate.is_deriving()
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return exists (select from audience_gate.deriving d where d.backend = pg_backend_pid());
end;
$$;
comment on function audience_gate.is_deriving() is
  'Whether this transaction runs the derivation, which guards and records its steps itself.';
alter function audience_gate.is_deriving() owner to audience_gate_owner;
revoke all on function audience_gate.is_deriving() from public, anon, authenticated, service_role;

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
  new.state_updated_at := now();
  if current_setting('audience_gate.actor', true) = 'system:derivation' and audience_gate.is_deriving() then
    return new;
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
  return new;
end;
$$;

do $$
begin
  if to_regtype('audience_gate.state_step') is null then
    create type audience_gate.state_step as (rung integer, rule text, event uuid, at timestamptz);
    create type audience_gate.state_rules as (ladder text[], floors numeric[], needs text[], daily_cap numeric, blocked text[]);
  end if;
end $$;
comment on type audience_gate.state_rules is
  'What the derivation goes by: the states, lowest first, what each of them takes and requires, and the blocked jumps.';
comment on type audience_gate.state_step is 'A step to the next state: the place in the order, the rule, the event and from when.';

create or replace function audience_gate.state_rules()
returns audience_gate.state_rules
language sql
stable
set search_path = ''
as $$
  select array_agg(s.id order by s.rank), array_agg(s.min_score order by s.rank), array_agg(s.requires order by s.rank),
    (select t.daily_cap from audience_gate.state_settings t),
    array(select j.from_state || '>' || j.to_state from public.audience_blocked_jumps j)
  from public.audience_states s
$$;
comment on function audience_gate.state_rules() is 'What the derivation goes by, read once for many people.';
alter function audience_gate.state_rules() owner to audience_gate_owner;
revoke all on function audience_gate.state_rules() from public, anon, authenticated, service_role;

create or replace function audience_gate.write_steps(
  known public.audience_site_state, overall public.audience_state, rules audience_gate.state_rules, is_new boolean,
  is_new_here boolean, first_at timestamptz, score numeric, last_type text, stepped audience_gate.state_step[]
)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  ladder constant text[] := rules.ladder;
  here integer := array_position(ladder, known.current_state);
  held integer := array_position(ladder, overall.current_state);
  elsewhere integer;
  score_elsewhere numeric := 0;
  latest_here timestamptz;
  latest timestamptz;
  step audience_gate.state_step := row(null, 'first_event', null, first_at);
  target integer;
  is_here boolean[] := array[]::boolean[];
  before integer[] := array[]::integer[];
  written audience_gate.state_step[] := array[]::audience_gate.state_step[];
begin
  if not is_new then
    select max(array_position(ladder, s.current_state)), coalesce(sum(s.engagement_score), 0) into elsewhere, score_elsewhere
    from public.audience_site_state s where s.user_id = known.user_id and s.site_id <> known.site_id;
    -- "offset 0" keeps the planner on the index of the person; the newest row of all is somebody else's.
    select max(h.effective_at) filter (where h.site_id = known.site_id), max(h.effective_at) filter (where h.site_id is null)
    into latest_here, latest
    from (select * from public.audience_state_events e where e.user_id = known.user_id offset 0) h;
  end if;
  if is_new then
    latest := first_at;
    is_here := is_here || false;
    before := before || null::integer;
    written := written || row(1, 'first_event', null, latest)::audience_gate.state_step;
  end if;
  if is_new_here then
    latest_here := greatest(first_at, latest_here);
    is_here := is_here || true;
    before := before || null::integer;
    written := written || row(1, 'first_event', null, latest_here)::audience_gate.state_step;
  end if;
  for number in 1 .. cardinality(stepped) + 1 loop
    if number <= cardinality(stepped) then
      step := stepped[number];
      -- After a recomputation an event may be older than the change before it. Time does not run backwards.
      latest_here := greatest(step.at, latest_here);
      is_here := is_here || true;
      before := before || here;
      written := written || row(step.rung, step.rule, step.event, latest_here)::audience_gate.state_step;
      here := step.rung;
    end if;
    -- The overall standing is the highest state at any site. Whoever stands in a state that nobody registered goes on from
    -- the lowest one.
    target := greatest(here, elsewhere);
    while held is distinct from target loop
      exit when ladder[held] || '>' || ladder[held + sign(target - held)::integer] = any (rules.blocked);
      latest := greatest(step.at, latest);
      is_here := is_here || false;
      before := before || held;
      held := coalesce(held + sign(target - held)::integer, 1);
      written := written || row(held, step.rule, step.event, latest)::audience_gate.state_step;
    end loop;
  end loop;

  insert into public.audience_state_events
    (site_id, user_id, from_state, to_state, changed_by, effective_at, rule_id, event_id)
  select case when is_here[w.number] then known.site_id end, known.user_id, ladder[before[w.number]], ladder[w.rung],
    'system:derivation', w.at, w.rule, w.event
  from unnest(written) with ordinality as w (rung, rule, event, at, number)
  order by w.number;
  update public.audience_state s
  set current_state = ladder[held], engagement_score = score + score_elsewhere,
    last_event_type = coalesce(last_type, s.last_event_type)
  where s.user_id = known.user_id
    and (s.current_state, s.engagement_score, s.last_event_type)
      is distinct from (ladder[held], score + score_elsewhere, coalesce(last_type, s.last_event_type));
end;
$$;
comment on function audience_gate.write_steps(
  public.audience_site_state, public.audience_state, audience_gate.state_rules, boolean, boolean, timestamptz, numeric, text,
  audience_gate.state_step[]
) is
  'Writes the history of what a person did at a site, and lets their overall standing follow step by step.';
alter function audience_gate.write_steps(
  public.audience_site_state, public.audience_state, audience_gate.state_rules, boolean, boolean, timestamptz, numeric, text,
  audience_gate.state_step[]
) owner to audience_gate_owner;
revoke all on function audience_gate.write_steps(
  public.audience_site_state, public.audience_state, audience_gate.state_rules, boolean, boolean, timestamptz, numeric, text,
  audience_gate.state_step[]
) from public, anon, authenticated, service_role;
