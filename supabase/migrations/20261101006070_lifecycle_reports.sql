-- What happens to the records of a table: moves, stays, actors and their trend, in a range of time.
--
-- Only the events of the range are read, and those that belong to them before or after it, each by the index of its record.
-- Where there is nothing before or after the range, events are sorted and paired with one another, which takes a third of
-- the time. Stages are sorted as bytes, which takes less time than the rules of a language do. "offset 0" hides from the
-- planner where a group comes from; it would expect as many groups as there are events, and sort them all.

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
    execute format('select e.from_stage collate "C", e.to_stage collate "C", count(*), count(distinct e.%1$I)
      from %2$s e where e.changed_at >= $1 and e.changed_at < $2 group by 1, 2 order by 3 desc, 1, 2', l.entity_column, l.events)
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
  goes_on boolean;
begin
  execute format('select exists (select from %s e where e.changed_at >= $1)', l.events) into goes_on using to_time;
  for stage, stays, average, median, longest, still_there in
    execute format('select s.to_stage collate "C", count(s.stayed), avg(s.stayed),
        justify_hours(make_interval(secs => percentile_cont(0.5) within group (order by date_part(''epoch'', s.stayed)))),
        max(s.stayed), count(*) filter (where s.stayed is null)
      from (
        select e.to_stage, %3$s - e.changed_at as stayed from %2$s e where e.changed_at >= $1 and e.changed_at < $2 offset 0
      ) s group by 1 order by 3 desc nulls last, 1', l.entity_column, l.events,
      format(case when goes_on then '(select n.changed_at from %2$s n where n.%1$I = e.%1$I and n.changed_at > e.changed_at
          order by n.changed_at limit 1)'
        else 'lead(e.changed_at) over (partition by e.%1$I order by e.changed_at)' end, l.entity_column, l.events))
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
    execute format('select e.actor collate "C", e.changed_by, count(*), count(distinct e.%1$I), min(e.changed_at), max(e.changed_at)
      from %2$s e where e.changed_at >= $1 and e.changed_at < $2 group by 1, 2 order by 3 desc, 1', l.entity_column, l.events)
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
  began_before boolean;
begin
  execute format('select exists (select from %s e where e.changed_at < $1)', l.events) into began_before using from_time;
  for period_start, stage, stays, average in
    execute format('select date_trunc($3, b.bin, ''UTC''), b.stage, sum(b.stays)::bigint, sum(b.stayed) / nullif(sum(b.known), 0)
      from (
        select s.bin, s.stage, count(*) as stays, count(s.stayed) as known, sum(s.stayed) as stayed
        from (
          select date_bin($4, e.changed_at, ''2000-01-01 00:00Z'') as bin, e.from_stage collate "C" as stage,
            e.changed_at - %3$s as stayed
          from %2$s e where e.changed_at >= $1 and e.changed_at < $2 offset 0
        ) s where s.stage is not null group by 1, 2
      ) b group by 1, 2 order by 1, 2', l.entity_column, l.events,
      format(case when began_before then '(select p.changed_at from %2$s p where p.%1$I = e.%1$I and p.changed_at < e.changed_at
          order by p.changed_at desc limit 1)'
        else 'lag(e.changed_at) over (partition by e.%1$I order by e.changed_at)' end, l.entity_column, l.events))
    using from_time, to_time, period,
      -- Hours are binned fast, and make up every longer period.
      case when period ~* '^(u|s|mi|ms|m$)' then interval '1 microsecond' else interval '1 hour' end
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
