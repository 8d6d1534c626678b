-- Conversion funnels. An entry is the first event of step 1 on a local day; each later step is the earliest
-- event of its type at or after the step before, within the window of the funnel, which begins with the entry.

create table if not exists public.audience_funnels (
  id text not null,
  site_id uuid not null references public.audience_sites (id),
  name text not null,
  conversion_window interval not null default '30 days',
  primary key (site_id, id),
  constraint audience_funnels_id_chk check (id ~ '^[a-z][a-z0-9_]{0,63}$'),
  constraint audience_funnels_name_chk check (length(name) between 1 and 128),
  constraint audience_funnels_conversion_window_chk check (conversion_window > interval '0')
);
comment on table public.audience_funnels is
  'The conversion funnels of each site; their steps are in public.audience_funnel_steps. A site that has no funnel '
  'called default is measured by the built-in one.';
comment on column public.audience_funnels.id is 'The name that kpi_funnel takes.';
comment on column public.audience_funnels.site_id is 'The site the funnel belongs to.';
comment on column public.audience_funnels.name is 'The name people know it by.';
comment on column public.audience_funnels.conversion_window is
  'All steps must happen within this time after the first.';
alter table public.audience_funnels enable row level security;
revoke all on table public.audience_funnels from public, anon, authenticated, service_role;

create table if not exists public.audience_funnel_steps (
  site_id uuid not null,
  funnel_id text not null,
  position smallint not null,
  name text not null,
  event_type text not null references public.audience_event_types (id),
  primary key (site_id, funnel_id, position),
  unique (site_id, funnel_id, event_type),
  foreign key (site_id, funnel_id) references public.audience_funnels (site_id, id),
  constraint audience_funnel_steps_position_chk check (position between 1 and 12),
  constraint audience_funnel_steps_name_chk check (length(name) between 1 and 128)
);
create index if not exists idx_audience_funnel_steps_event_type on public.audience_funnel_steps (event_type);
comment on table public.audience_funnel_steps is
  'The steps of each funnel, numbered from 1 without gaps. No event type occurs twice in one funnel.';
comment on column public.audience_funnel_steps.site_id is 'The site of the funnel.';
comment on column public.audience_funnel_steps.funnel_id is 'The funnel.';
comment on column public.audience_funnel_steps.position is 'Its place in the funnel, from 1.';
comment on column public.audience_funnel_steps.name is 'The name people know the step by.';
comment on column public.audience_funnel_steps.event_type is 'The type of event by which a person reaches the step.';
alter table public.audience_funnel_steps enable row level security;
revoke all on table public.audience_funnel_steps from public, anon, authenticated, service_role;

create table if not exists audience_gate.default_funnel_steps (
  position smallint primary key,
  name text not null,
  event_type text not null unique,
  constraint default_funnel_steps_position_chk check (position between 1 and 12)
);
comment on table audience_gate.default_funnel_steps is
  'The funnel default of each site that has not defined one of that name.';
comment on column audience_gate.default_funnel_steps.position is 'Its place in the funnel, from 1.';
comment on column audience_gate.default_funnel_steps.name is 'The name people know the step by.';
comment on column audience_gate.default_funnel_steps.event_type is 'An id of public.audience_event_types.';
alter table audience_gate.default_funnel_steps enable row level security;
revoke all on table audience_gate.default_funnel_steps from public, anon, authenticated, service_role;

insert into audience_gate.default_funnel_steps (position, name, event_type)
values (1, 'Visit', 'page_view'), (2, 'Read', 'content_view'), (3, 'Subscribe', 'email_subscribe'), (4, 'Start a plan', 'plan_started')
on conflict do nothing;

create or replace view audience_gate.funnel_steps with (security_invoker = true) as
select s.site_id, s.funnel_id, f.name as funnel_name, f.conversion_window, s.position, s.name, s.event_type
from public.audience_funnel_steps s
join public.audience_funnels f on f.site_id = s.site_id and f.id = s.funnel_id
union all
select a.id, 'default', 'Default', interval '30 days', d.position, d.name, d.event_type
from public.audience_sites a
cross join audience_gate.default_funnel_steps d
where not exists (select from public.audience_funnels f where f.site_id = a.id and f.id = 'default');
comment on view audience_gate.funnel_steps is 'The steps of all funnels of all sites, the built-in one included.';
comment on column audience_gate.funnel_steps.site_id is 'The site.';
comment on column audience_gate.funnel_steps.funnel_id is 'The funnel.';
comment on column audience_gate.funnel_steps.funnel_name is 'Its name.';
comment on column audience_gate.funnel_steps.conversion_window is
  'All steps must happen within this time after the first.';
comment on column audience_gate.funnel_steps.position is 'Place of the step, from 1.';
comment on column audience_gate.funnel_steps.name is 'Name of the step.';
comment on column audience_gate.funnel_steps.event_type is 'The type of event by which a person reaches it.';

-- One walk serves the view, the live tail, and zones that have no view. The planner cannot know how many people
-- a step has, and would compare each with each; it is left with the hash join, which suits any number.
create or replace function audience_gate.funnel_cells(
  p_site uuid, p_time_zone text, p_before timestamptz, p_since timestamptz
)
returns table (funnel_id text, day date, previous_day date, "position" smallint, people bigint, seconds numeric)
language sql
stable
set search_path = ''
set enable_mergejoin = off
set enable_nestloop = off
as $$
  with recursive steps as materialized (
    select f.* from audience_gate.funnel_steps f where f.site_id = p_site
  ), newcomers as materialized (
    select distinct a.user_id, case when a.user_id is null then a.session_id end as session_id
    from audience_gate.activity a
    where a.site_id = p_site and a.created_at >= p_since
  ), events as materialized (
    select a.person, a.event_type, a.at
    from audience_gate.activity a
    where p_since is null and a.site_id = p_site and a.created_at < p_before
      and a.event_type in (select s.event_type from steps s)
    union all
    select e.person, e.event_type, e.at
    from newcomers n
    cross join lateral (
      select a.person, a.event_type, a.at from audience_gate.activity a
      where a.user_id = n.user_id and a.site_id = p_site and a.created_at < p_before
      union all
      select a.person, a.event_type, a.at from audience_gate.activity a
      where n.user_id is null and a.session_id = n.session_id and a.user_id is null
        and a.site_id = p_site and a.created_at < p_before
    ) e
    where e.event_type in (select s.event_type from steps s)
  ), touches as materialized (
    select s.funnel_id, s.position, s.conversion_window, e.person, array_agg(e.at order by e.at) as times
    from events e
    join steps s on s.event_type = e.event_type
    where s.position > 1
    group by 1, 2, 3, 4
  ), entries as (
    select s.funnel_id, e.person, (e.at at time zone p_time_zone)::date as day, min(e.at) as entered
    from events e
    join steps s on s.event_type = e.event_type and s.position = 1
    group by 1, 2, 3
  ), walk as (
    select
      e.funnel_id, e.person, e.day,
      lag(e.day, 1, '-infinity'::date) over (partition by e.funnel_id, e.person order by e.day) as previous_day,
      1::smallint as position, e.entered, e.entered as reached
    from entries e
    union all
    select w.funnel_id, w.person, w.day, w.previous_day, t.position, w.entered, r.reached
    from walk w
    join touches t on t.funnel_id = w.funnel_id and t.person = w.person and t.position = w.position + 1
    cross join lateral (
      select min(u.at) as reached
      from unnest(t.times) u (at)
      where u.at >= w.reached and u.at <= w.entered + t.conversion_window
    ) r
    where r.reached is not null
  )
  select w.funnel_id, w.day, w.previous_day, w.position, count(*)::bigint,
    sum(extract(epoch from w.reached - w.entered))
  from walk w
  group by 1, 2, 3, 4
$$;
comment on function audience_gate.funnel_cells(uuid, text, timestamptz, timestamptz) is
  'People by funnel, day of entry, day of the entry before that, and step reached, over the events received before '
  'p_before: of everybody if p_since is null, else of the people who were active since then.';

create materialized view if not exists audience_gate.conversion_funnel as
select z.id as site_zone, c.*
from audience_gate.site_zones z
cross join audience_gate.analytics_settings s
cross join lateral audience_gate.funnel_cells(z.site_id, z.time_zone, s.covered_until, null) c
with data;
create unique index if not exists idx_conversion_funnel_key
  on audience_gate.conversion_funnel (site_zone, funnel_id, day, previous_day, position);
comment on materialized view audience_gate.conversion_funnel is
  'People by site, funnel, local day of entry, day of the entry before that, and step reached, with the seconds '
  'that it took them.';
comment on column audience_gate.conversion_funnel.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.conversion_funnel.funnel_id is 'The funnel.';
comment on column audience_gate.conversion_funnel.day is 'The local day of entry.';
comment on column audience_gate.conversion_funnel.previous_day is
  'The day on which these people entered before; -infinity: never.';
comment on column audience_gate.conversion_funnel.position is 'The step.';
comment on column audience_gate.conversion_funnel.people is 'How many people reached it.';
comment on column audience_gate.conversion_funnel.seconds is 'The sum of the seconds from entry to the step.';

create or replace function audience_gate.funnel_tail(p_site uuid, p_time_zone text, p_covered_until timestamptz)
returns table (funnel_id text, day date, previous_day date, "position" smallint, people bigint, seconds numeric)
language sql
stable
set search_path = ''
as $$
  select * from audience_gate.funnel_cells(p_site, p_time_zone, 'infinity', nullif(p_covered_until, '-infinity'))
  union all
  select c.funnel_id, c.day, c.previous_day, c.position, -c.people, -c.seconds
  from audience_gate.funnel_cells(p_site, p_time_zone, p_covered_until, p_covered_until) c
  where p_covered_until > '-infinity'
$$;
comment on function audience_gate.funnel_tail(uuid, text, timestamptz) is
  'What the live tail adds to conversion_funnel and takes from it.';

create or replace function audience_gate.kpi_funnel(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_funnel text, p_zone text
)
returns table (
  "position" smallint, step text, event_type text, people bigint, rate_from_start numeric, rate_from_previous
  numeric, dropped bigint, average_seconds numeric
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
#variable_conflict use_column
declare
  r record;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  if not exists (select from audience_gate.funnel_steps f where f.site_id = p_site and f.funnel_id = p_funnel) then
    raise exception 'the site has no funnel of this name' using errcode = '22023', hint = 'kpi_funnels lists them.';
  end if;
  return query
  with cells as (
    select v.day, v.previous_day, v.position, v.people, v.seconds
    from audience_gate.conversion_funnel v
    where v.site_zone = r.site_zone and v.funnel_id = p_funnel and v.day between r.first_day and r.last_day
    union all
    select t.day, t.previous_day, t.position, t.people, t.seconds
    from audience_gate.funnel_tail(p_site, p_zone, r.covered_until) t
    where t.funnel_id = p_funnel and t.day between r.first_day and r.last_day
  ), reached as (
    select f.position, f.name, f.event_type, coalesce(sum(c.people), 0)::bigint as people, sum(c.seconds) as seconds
    from audience_gate.funnel_steps f
    left join cells c on c.position = f.position and c.previous_day < r.first_day
    where f.site_id = p_site and f.funnel_id = p_funnel
    group by 1, 2, 3
  )
  select s.position, s.name, s.event_type, s.people,
    round(s.people::numeric / nullif(first_value(s.people) over steps, 0), 4),
    round(s.people::numeric / nullif(lag(s.people) over steps, 0), 4),
    coalesce(lag(s.people) over steps - s.people, 0),
    round(s.seconds / nullif(s.people, 0), 1)
  from reached s
  window steps as (order by s.position)
  order by s.position;
end;
$$;
comment on function audience_gate.kpi_funnel(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_funnel() returns.';
comment on function audience_gate.kpi_funnel(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_funnel() returns.';
comment on function audience_gate.kpi_funnel(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_funnel() returns.';

create or replace function audience_gate.kpi_funnels(p_site uuid)
returns table (funnel text, name text, window_seconds bigint, "position" smallint, step text, event_type text)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
#variable_conflict use_column
begin
  perform audience_gate.kpi_range(p_site, now() - interval '1 day', now(), 'UTC', 'total', 1);
  return query
  select f.funnel_id, f.funnel_name, extract(epoch from f.conversion_window)::bigint, f.position, f.name, f.event_type
  from audience_gate.funnel_steps f
  where f.site_id = p_site
  order by f.funnel_id, f.position;
end;
$$;
comment on function audience_gate.kpi_funnels(uuid) is 'Computes what public.kpi_funnels() returns.';

create or replace function public.kpi_funnels(site uuid)
returns table (funnel text, name text, window_seconds bigint, "position" smallint, step text, event_type text)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_funnels(site) $$;
comment on function public.kpi_funnels(uuid)
is $$The conversion funnels the site has. They are rows of public.audience_funnels and public.audience_funnel_steps.
Grain: one row for each step of each funnel.
Time zone: none.
Source: the tables
funnel: the name that kpi_funnel takes
name: the name people know the funnel by
window_seconds: all steps must happen within this time after the first
position: place of the step, from 1
step: the name people know the step by
event_type: the type of event by which a person reaches it$$;

create or replace function public.kpi_funnel(
  site uuid, from_time timestamptz, to_time timestamptz, funnel text default 'default', time_zone text default 'UTC'
)
returns table (
  "position" smallint, step text, event_type text, people bigint, rate_from_start numeric, rate_from_previous
  numeric, dropped bigint, average_seconds numeric
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_funnel(site, from_time, to_time, funnel, time_zone) $$;
comment on function public.kpi_funnel(uuid, timestamptz, timestamptz, text, text)
is $$Conversion funnel: how far the people came who entered in the range.
Grain: one row for each step, including those that nobody reached.
Time zone: an entry is the first event of step 1 on a local day; a person counts with their first entry in the range.
Source: conversion_funnel
position: place of the step, from 1
step: the name people know the step by
event_type: the type of event by which a person reaches it
people: people who reached the step: the earliest event of its type at or after the step before, within the window
rate_from_start: people / people of step 1
rate_from_previous: people / people of the step before
dropped: people of the step before - people
average_seconds: mean time from entry to the step, of those who reached it$$;
