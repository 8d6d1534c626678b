-- What happens to the records of a table: moves, stays, actors and their trend, in a range of time.

create or replace function public.lifecycle_funnel(
  tracked regclass, from_time timestamptz default '-infinity', to_time timestamptz default 'infinity',
  stage_column text default null
)
returns table (from_stage text, to_stage text, moves bigint, records bigint)
language plpgsql
stable
set search_path = ''
as $$
declare
  l audience_gate.lifecycles := audience_gate.lifecycle_of(tracked, stage_column);
begin
  for from_stage, to_stage, moves, records in
    execute format('select e.from_stage, e.to_stage, count(*), count(distinct e.%I)
      from %s e where e.changed_at >= $1 and e.changed_at < $2 group by 1, 2 order by 3 desc, 1, 2', l.entity_column, l.events)
    using from_time, to_time
  loop
    return next;
  end loop;
end;
$$;
comment on function public.lifecycle_funnel(regclass, timestamptz, timestamptz, text) is
  'How many moves there were from each stage to the next, and of how many records.';
revoke all on function public.lifecycle_funnel(regclass, timestamptz, timestamptz, text)
  from public, anon, authenticated, service_role;
grant execute on function public.lifecycle_funnel(regclass, timestamptz, timestamptz, text)
  to anon, authenticated, service_role;

create or replace function public.lifecycle_dwell(
  tracked regclass, from_time timestamptz default '-infinity', to_time timestamptz default 'infinity',
  stage_column text default null
)
returns table (stage text, stays bigint, average interval, median interval, longest interval, still_there bigint)
language plpgsql
stable
set search_path = ''
as $$
declare
  l audience_gate.lifecycles := audience_gate.lifecycle_of(tracked, stage_column);
begin
  for stage, stays, average, median, longest, still_there in
    execute format('select s.to_stage, count(s.stayed), avg(s.stayed),
        percentile_cont(0.5) within group (order by s.stayed), max(s.stayed), count(*) filter (where s.stayed is null)
      from (
        select e.to_stage, e.changed_at, lead(e.changed_at) over (partition by e.%1$I order by e.changed_at) - e.changed_at as stayed
        from %2$s e
      ) s where s.changed_at >= $1 and s.changed_at < $2 group by 1 order by 3 desc nulls last, 1', l.entity_column, l.events)
    using from_time, to_time
  loop
    return next;
  end loop;
end;
$$;
comment on function public.lifecycle_dwell(regclass, timestamptz, timestamptz, text) is
  'How long records that entered a stage in the range stayed there, longest first, and how many are there still.';
revoke all on function public.lifecycle_dwell(regclass, timestamptz, timestamptz, text)
  from public, anon, authenticated, service_role;
grant execute on function public.lifecycle_dwell(regclass, timestamptz, timestamptz, text)
  to anon, authenticated, service_role;

create or replace function public.lifecycle_actors(
  tracked regclass, from_time timestamptz default '-infinity', to_time timestamptz default 'infinity',
  stage_column text default null
)
returns table (actor text, changed_by uuid, moves bigint, records bigint, first_at timestamptz, last_at timestamptz)
language plpgsql
stable
set search_path = ''
as $$
declare
  l audience_gate.lifecycles := audience_gate.lifecycle_of(tracked, stage_column);
begin
  for actor, changed_by, moves, records, first_at, last_at in
    execute format('select e.actor, e.changed_by, count(*), count(distinct e.%I), min(e.changed_at), max(e.changed_at)
      from %s e where e.changed_at >= $1 and e.changed_at < $2 group by 1, 2 order by 3 desc, 1', l.entity_column, l.events)
    using from_time, to_time
  loop
    return next;
  end loop;
end;
$$;
comment on function public.lifecycle_actors(regclass, timestamptz, timestamptz, text) is
  'How many moves each actor made, and of how many records.';
revoke all on function public.lifecycle_actors(regclass, timestamptz, timestamptz, text)
  from public, anon, authenticated, service_role;
grant execute on function public.lifecycle_actors(regclass, timestamptz, timestamptz, text)
  to anon, authenticated, service_role;

create or replace function public.lifecycle_trend(
  tracked regclass, period text default 'month', from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity', stage_column text default null
)
returns table (period_start timestamptz, stage text, stays bigint, average interval)
language plpgsql
stable
set search_path = ''
as $$
declare
  l audience_gate.lifecycles := audience_gate.lifecycle_of(tracked, stage_column);
begin
  for period_start, stage, stays, average in
    execute format('select date_trunc($3, s.left_at, ''UTC''), s.to_stage, count(*), avg(s.left_at - s.changed_at)
      from (
        select e.to_stage, e.changed_at, lead(e.changed_at) over (partition by e.%1$I order by e.changed_at) as left_at
        from %2$s e
      ) s where s.left_at >= $1 and s.left_at < $2 group by 1, 2 order by 1, 2', l.entity_column, l.events)
    using from_time, to_time, period
  loop
    return next;
  end loop;
end;
$$;
comment on function public.lifecycle_trend(regclass, text, timestamptz, timestamptz, text) is
  'How long the records that left each stage in a period (day, week, month, …, in UTC) had been there.';
revoke all on function public.lifecycle_trend(regclass, text, timestamptz, timestamptz, text)
  from public, anon, authenticated, service_role;
grant execute on function public.lifecycle_trend(regclass, text, timestamptz, timestamptz, text)
  to anon, authenticated, service_role;
