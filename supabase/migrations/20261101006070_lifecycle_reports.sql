-- What happens to the records of a table: moves, stays, actors and their trend, in a range of time.
--
-- Only the events of the range are read, and by the index of a record the one before or after where the range cuts a stay.
-- Stages are sorted as bytes, which takes less time than the rules of a language do. "offset 0" hides from the planner where
-- a group comes from; it would expect as many groups as there are events, and sort them all.

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
        select i.to_stage, coalesce(i.left_at, case when $3 then (
            select min(n.changed_at) from %2$s n where n.%1$I = i.record and n.changed_at >= $2) end) - i.changed_at as stayed
        from (
          select e.%1$I as record, e.to_stage, e.changed_at,
            lead(e.changed_at) over (partition by e.%1$I order by e.changed_at) as left_at
          from %2$s e where e.changed_at >= $1 and e.changed_at < $2
        ) i offset 0
      ) s group by 1 order by 3 desc nulls last, 1', l.entity_column, l.events)
    using from_time, to_time, goes_on
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
    execute format('select a.actor, a.changed_by, a.moves, d.records, a.first_at, a.last_at
      from (
        select e.actor collate "C" as actor, e.changed_by, count(*) as moves, min(e.changed_at) as first_at,
          max(e.changed_at) as last_at
        from %2$s e where e.changed_at >= $1 and e.changed_at < $2 group by 1, 2
      ) a join (
        select r.actor, r.changed_by, count(*) as records
        from (
          select distinct e.actor collate "C" as actor, e.changed_by, e.%1$I
          from %2$s e where e.changed_at >= $1 and e.changed_at < $2
        ) r group by 1, 2
      ) d on d.actor = a.actor and d.changed_by is not distinct from a.changed_by
      order by 3 desc, 1', l.entity_column, l.events)
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
    execute format('select date_trunc($3, b.bin, ''UTC''), b.stage, sum(b.stays)::bigint, sum(b.stayed) / nullif(sum(b.known), 0)
      from (
        select s.bin, s.stage, count(*) as stays, count(s.stayed) as known, sum(s.stayed) as stayed
        from (
          select date_bin($4, i.changed_at, ''2000-01-01 00:00Z'') as bin, i.from_stage collate "C" as stage,
            i.changed_at - coalesce(i.entered_at, (
              select max(p.changed_at) from %2$s p where p.%1$I = i.record and p.changed_at < $1)) as stayed
          from (
            select e.%1$I as record, e.from_stage, e.changed_at,
              lag(e.changed_at) over (partition by e.%1$I order by e.changed_at) as entered_at
            from %2$s e where e.changed_at >= $1 and e.changed_at < $2
          ) i where i.from_stage is not null offset 0
        ) s group by 1, 2
      ) b group by 1, 2 order by 1, 2', l.entity_column, l.events)
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
