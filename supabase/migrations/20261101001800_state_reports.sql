-- The questions an audit trail answers about everybody at once: who moves on, how long they stay, who
-- changed what, and whether it gets faster. Straight from the history, by the moment a change took effect.

create or replace function audience_gate.report_range(from_time timestamptz, to_time timestamptz)
returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
  if from_time < to_time then
    return;
  end if;
  raise exception 'from_time must be before to_time' using errcode = 'invalid_parameter_value';
end;
$$;
comment on function audience_gate.report_range(timestamptz, timestamptz) is 'Refuses an empty range of time.';

-- Every stay in a state at a site that began before to_time: left_at is null while it lasts.
create or replace function audience_gate.state_stays_of(site uuid, to_time timestamptz)
returns table (user_id uuid, state text, entered_at timestamptz, left_at timestamptz, next_state text)
language sql
stable
set search_path = ''
as $$
  select h.user_id, h.to_state, h.effective_at,
    lead(h.effective_at) over person, lead(h.to_state) over person
  from public.audience_state_events h
  where h.site_id = site and h.effective_at < to_time
  window person as (partition by h.user_id order by h.id)
$$;
comment on function audience_gate.state_stays_of(uuid, timestamptz) is
  'Each stay of each person in a state at a site: when it began, when it ended and where it led.';

create or replace function public.audience_state_funnel(site uuid, from_time timestamptz, to_time timestamptz)
returns table (from_state text, to_state text, direction text, transitions bigint, people bigint, share numeric)
language plpgsql
stable
set search_path = ''
as $$
begin
  perform audience_gate.require_reader(site);
  perform audience_gate.report_range(from_time, to_time);
  return query
  with stays as (
    select * from audience_gate.state_stays_of(site, to_time) s where s.left_at is null or s.left_at >= from_time
  ), held as (
    select s.state, count(distinct s.user_id) as people from stays s group by s.state
  )
  select s.state, s.next_state,
    case when audience_gate.state_rank(s.next_state) > audience_gate.state_rank(s.state) then 'up' else 'down' end,
    count(*), count(distinct s.user_id), round(count(distinct s.user_id)::numeric / max(h.people), 4)
  from stays s join held h on h.state = s.state
  where s.left_at is not null
  group by s.state, s.next_state
  order by audience_gate.state_rank(s.state), audience_gate.state_rank(s.next_state);
end;
$$;
comment on function public.audience_state_funnel(uuid, timestamptz, timestamptz) is
  'How many moved from each state to the next: changes, people, and their share of everybody who was in the state at any time of the range.';

create or replace function public.audience_state_dwell(site uuid, from_time timestamptz, to_time timestamptz)
returns table (
  state text, stays bigint, mean_seconds numeric, median_seconds numeric, p90_seconds numeric, longest_seconds numeric,
  staying bigint, mean_seconds_so_far numeric
)
language plpgsql
stable
set search_path = ''
as $$
begin
  perform audience_gate.require_reader(site);
  perform audience_gate.report_range(from_time, to_time);
  return query
  with stays as (
    select s.state, s.left_at, extract(epoch from coalesce(s.left_at, least(to_time, now())) - s.entered_at) as seconds
    from audience_gate.state_stays_of(site, to_time) s
    where s.left_at is null or s.left_at >= from_time
  )
  select s.state, count(s.left_at),
    round(avg(s.seconds) filter (where s.left_at is not null), 3),
    round((percentile_cont(0.5) within group (order by s.seconds) filter (where s.left_at is not null))::numeric, 3),
    round((percentile_cont(0.9) within group (order by s.seconds) filter (where s.left_at is not null))::numeric, 3),
    round(max(s.seconds) filter (where s.left_at is not null), 3),
    count(*) filter (where s.left_at is null),
    round(avg(s.seconds) filter (where s.left_at is null), 3)
  from stays s
  group by s.state
  order by audience_gate.state_rank(s.state);
end;
$$;
comment on function public.audience_state_dwell(uuid, timestamptz, timestamptz) is
  'How long people stay in each state: stays that ended in the range, and those that still lasted at its end.';

create or replace function public.audience_state_actors(site uuid, from_time timestamptz, to_time timestamptz)
returns table (
  changed_by text, rule_id text, transitions bigint, people bigint, up bigint, down bigint, first_at timestamptz, last_at timestamptz
)
language plpgsql
stable
set search_path = ''
as $$
begin
  perform audience_gate.require_reader(site);
  perform audience_gate.report_range(from_time, to_time);
  return query
  select h.changed_by, h.rule_id, count(*), count(distinct h.user_id),
    count(*) filter (where audience_gate.state_rank(h.to_state) > audience_gate.state_rank(h.from_state)),
    count(*) filter (where audience_gate.state_rank(h.to_state) < audience_gate.state_rank(h.from_state)),
    min(h.changed_at), max(h.changed_at)
  from public.audience_state_events h
  where h.site_id = audience_state_actors.site and h.changed_at >= from_time and h.changed_at < to_time
  group by h.changed_by, h.rule_id
  order by count(*) desc, h.changed_by, h.rule_id;
end;
$$;
comment on function public.audience_state_actors(uuid, timestamptz, timestamptz) is
  'How many changes each actor made, by rule; by the time the change was made.';

create or replace function public.audience_state_trend(
  site uuid, from_time timestamptz, to_time timestamptz, grain text default 'week', time_zone text default 'UTC'
)
returns table (period date, state text, entered bigint, departed bigint, mean_seconds numeric, median_seconds numeric)
language plpgsql
stable
set search_path = ''
as $$
begin
  perform audience_gate.require_reader(site);
  perform audience_gate.report_range(from_time, to_time);
  if grain not in ('day', 'week', 'month') or grain is null then
    raise exception 'grain must be day, week or month' using errcode = 'invalid_parameter_value';
  end if;
  return query
  with stays as (
    select * from audience_gate.state_stays_of(site, to_time)
  ), moves as (
    select s.state, s.entered_at as at, 1 as entered, 0 as departed, null::numeric as seconds
    from stays s where s.entered_at >= from_time
    union all
    select s.state, s.left_at, 0, 1, extract(epoch from s.left_at - s.entered_at)
    from stays s where s.left_at >= from_time
  )
  select date_trunc(grain, m.at at time zone time_zone)::date, m.state, sum(m.entered), sum(m.departed),
    round(avg(m.seconds), 3), round((percentile_cont(0.5) within group (order by m.seconds))::numeric, 3)
  from moves m
  group by 1, m.state
  order by 1, audience_gate.state_rank(m.state);
end;
$$;
comment on function public.audience_state_trend(uuid, timestamptz, timestamptz, text, text) is
  'Whether it gets faster: per day, week or month, who entered and left each state, and how long those who left had stayed.';

create or replace function audience_gate.state_rank(state text)
returns integer
language sql
stable
security definer
set search_path = ''
as $$ select s.rank from public.audience_states s where s.id = state $$;
comment on function audience_gate.state_rank(text) is 'The place of a state in the order.';
alter function audience_gate.state_rank(text) owner to audience_gate_owner;

do $$
declare
  function_name text;
begin
  foreach function_name in array array[
    'audience_gate.report_range(timestamptz, timestamptz)', 'audience_gate.state_stays_of(uuid, timestamptz)',
    'audience_gate.state_rank(text)', 'public.audience_state_funnel(uuid, timestamptz, timestamptz)',
    'public.audience_state_dwell(uuid, timestamptz, timestamptz)', 'public.audience_state_actors(uuid, timestamptz, timestamptz)',
    'public.audience_state_trend(uuid, timestamptz, timestamptz, text, text)'
  ] loop
    execute format('revoke all on function %s from public, anon', function_name);
    execute format('grant execute on function %s to authenticated, service_role', function_name);
  end loop;
end $$;
