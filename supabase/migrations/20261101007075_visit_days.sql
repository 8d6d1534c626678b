-- Visits by local day and by what they are told apart by, so that a figure reads days and not visits. Distinct people are
-- had as everywhere: a visit counts one in a period if its person's visit before lies before the period. Each visit counts
-- once under each kind of label, and under its campaigns once more for each goal it reached.

create table audience_gate.visit_days (
  site_zone integer,
  kind text,
  label text not null,
  label_key uuid generated always as (md5(label)::uuid) stored,
  goal text,
  day date,
  previous_day date,
  visits bigint not null,
  bounces bigint not null,
  seconds numeric not null,
  events bigint not null,
  primary key (site_zone, kind, day, label_key, goal, previous_day)
);
create index idx_visit_days_empty on audience_gate.visit_days (site_zone) where visits = 0;
comment on table audience_gate.visit_days is
  'Visits by the local day on which they began and by one label, split by the day of the visit of their person under the same '
  'label before.';
comment on column audience_gate.visit_days.site_zone is 'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.visit_days.kind is
  'What the label is: empty: none; entry or exit: the page; referrer; device; first or last: the campaign that is credited.';
comment on column audience_gate.visit_days.label is 'The label; empty: the visit has none.';
comment on column audience_gate.visit_days.label_key is 'Its digest, because no index could hold a long one.';
comment on column audience_gate.visit_days.goal is
  'Empty: all visits; else a type of event: those of them in which it happened, of campaigns alone.';
comment on column audience_gate.visit_days.day is 'The local day.';
comment on column audience_gate.visit_days.previous_day is
  'The day of the visit before of these people under the same label; -infinity: there was none, or a goal is counted.';
comment on column audience_gate.visit_days.visits is 'How many visits.';
comment on column audience_gate.visit_days.bounces is 'How many of them are one event of activity.';
comment on column audience_gate.visit_days.seconds is 'The sum of the times from their first events to their last.';
comment on column audience_gate.visit_days.events is 'How many events of activity they are.';

create or replace function audience_gate.whole_visit_days(p_site uuid, p_people uuid[] default null)
returns table (
  site_zone integer, kind text, label text, goal text, day date, previous_day date, visits bigint, bounces bigint,
  seconds numeric, events bigint
)
language sql
stable
set search_path = ''
as $$
  select o.site_zone, o.kind, o.label, o.goal, o.day, o.previous_day, count(*)::bigint, count(*) filter (where o.events = 1),
    sum(extract(epoch from o.ended - o.started)), sum(o.events)::bigint
  from (
    select z.id as site_zone, l.*, d.day, v.started, v.ended, v.events,
      case when l.goal = '' then (l.before at time zone z.time_zone)::date else '-infinity' end as previous_day
    from (
      select * from audience_gate.visits v where p_people is null and v.site_id = p_site
      union all
      select v.*
      from unnest(p_people) p (person)
      cross join lateral (select * from audience_gate.visits v where v.site_id = p_site and v.person = p.person offset 0) v
    ) v
    join audience_gate.site_zones z on z.site_id = p_site
    cross join lateral (select (v.started at time zone z.time_zone)::date as day) d
    cross join lateral (
      select k.kind, coalesce(k.label, '') as label, g.goal, k.before
      from (values ('', '', v.previous_visit), ('entry', v.entry_page, v.previous_entry), ('exit', v.exit_page, v.previous_exit),
        ('referrer', v.referrer, v.previous_referrer), ('device', v.device, v.previous_device),
        ('first', v.first_credit, v.previous_visit), ('last', v.last_credit, v.previous_last)) k (kind, label, before)
      join (select '' as goal union all select unnest(v.goals)) g on g.goal = '' or k.kind in ('first', 'last')
    ) l
  ) o
  group by 1, 2, 3, 4, 5, 6
$$;
comment on function audience_gate.whole_visit_days(uuid, uuid[]) is 'What visit_days holds of a site, from all visits; or of some people.';

create or replace function audience_gate.visit_days_tail(p_site uuid, p_zones text[], p_tail audience_gate.tail_event[])
returns table (
  time_zone text, kind text, label text, goal text, day date, previous_day date, visits bigint, bounces bigint,
  seconds numeric, events bigint
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select o.time_zone, o.kind, o.label, o.goal, o.day, o.previous_day, sum(o.revision)::bigint,
    coalesce(sum(o.revision) filter (where o.events = 1), 0)::bigint, sum(o.revision * extract(epoch from o.ended - o.started)),
    sum(o.revision * o.events)::bigint
  from (
    select z.time_zone, l.*, d.day, v.revision, v.started, v.ended, v.events,
      case when l.goal = '' then (l.before at time zone z.time_zone)::date else '-infinity' end as previous_day
    from audience_gate.visit_tail(p_site, true, p_tail) v
    cross join unnest(p_zones) z (time_zone)
    cross join lateral (select (v.started at time zone z.time_zone)::date as day) d
    cross join lateral (
      select k.kind, coalesce(k.label, '') as label, g.goal, k.before
      from (values ('', '', v.previous_visit), ('entry', v.entry_page, v.previous_entry), ('exit', v.exit_page, v.previous_exit),
        ('referrer', v.referrer, v.previous_referrer), ('device', v.device, v.previous_device),
        ('first', v.first_credit, v.previous_visit), ('last', v.last_credit, v.previous_last)) k (kind, label, before)
      join (select '' as goal union all select unnest(v.goals)) g on g.goal = '' or k.kind in ('first', 'last')
    ) l
  ) o
  group by 1, 2, 3, 4, 5, 6
  having (sum(o.revision), sum(o.revision * o.events), sum(o.revision * extract(epoch from o.ended - o.started)),
    coalesce(sum(o.revision) filter (where o.events = 1), 0)) <> (0, 0, 0, 0);
end;
$$;
comment on function audience_gate.visit_days_tail(uuid, text[], audience_gate.tail_event[]) is
  'What the live tail adds to visit_days and takes from it, in some zones.';

-- In a zone whose days the site does not count, and after an edit, the visits of the range are looked at instead.
create or replace function audience_gate.visit_day_cells(
  p_site uuid, p_site_zone integer, p_time_zone text, p_views_hold boolean, p_kind text, p_first_day date, p_last_day date,
  p_tail audience_gate.tail_event[]
)
returns table (
  label text, goal text, day date, previous_day date, visits bigint, bounces bigint, seconds numeric, events bigint
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
  with days as materialized (
    select l.* from audience_gate.local_days(p_time_zone, p_first_day - 1, p_last_day + 2) l
    where not p_views_hold or p_site_zone is null
  ), tail as materialized (
    select * from audience_gate.visit_tail(p_site, p_views_hold, p_tail) where not p_views_hold or p_site_zone is null
  ), counted as materialized (
    select f.label, f.goals, width_bucket(f.started, l.starts) as nth, width_bucket(f.before, l.starts) as before, count(*) as visits,
      count(*) filter (where f.events = 1) as bounces, sum(f.ended - f.started) as stayed, sum(f.events)::bigint as events
    from (
      select v.started, v.ended, v.events, case when p_kind in ('first', 'last') then v.goals else '{}' end as goals,
        coalesce(case p_kind when 'entry' then v.entry_page when 'exit' then v.exit_page when 'referrer' then v.referrer
          when 'device' then v.device when 'first' then v.first_credit when 'last' then v.last_credit end, '') as label,
        case p_kind when 'entry' then v.previous_entry when 'exit' then v.previous_exit when 'referrer' then v.previous_referrer
          when 'device' then v.previous_device when 'last' then v.previous_last else v.previous_visit end as before
      from (
        select v.session, v.started, v.ended, v.events, v.goals, v.entry_page, v.exit_page, v.referrer, v.device, v.first_credit,
          v.last_credit, v.previous_visit, v.previous_entry, v.previous_exit, v.previous_referrer, v.previous_device, v.previous_last
        from days l
        cross join audience_gate.visits v
        where p_views_hold and v.site_id = p_site and v.started >= l.starts[1] and v.started < l.starts[cardinality(l.starts)]
          and v.session not in (select t.session from tail t where t.revision = -1)
        union all
        select t.session, t.started, t.ended, t.events, t.goals, t.entry_page, t.exit_page, t.referrer, t.device, t.first_credit,
          t.last_credit, t.previous_visit, t.previous_entry, t.previous_exit, t.previous_referrer, t.previous_device, t.previous_last
        from tail t
        where t.revision = 1
      ) v
    ) f
    cross join days l
    group by 1, 2, 3, 4
  )
  select v.label, v.goal, v.day, v.previous_day, v.visits, v.bounces, v.seconds, v.events
  from audience_gate.visit_days v
  where p_views_hold and v.site_zone = p_site_zone and v.kind = p_kind and v.day between p_first_day and p_last_day
  union all
  select t.label, t.goal, t.day, t.previous_day, t.visits, t.bounces, t.seconds, t.events
  from audience_gate.visit_days_tail(p_site, array[p_time_zone], p_tail) t
  where p_views_hold and p_site_zone is not null and t.kind = p_kind and t.day between p_first_day and p_last_day
  union all
  select c.label, c.goal, l.days[c.nth], case c.before when 0 then '-infinity' else l.days[c.before] end, c.visits, c.bounces,
    extract(epoch from c.stayed), c.events
  from (
    select n.label, '' as goal, n.nth, n.before, n.visits, n.bounces, n.stayed, n.events from counted n
    union all
    select n.label, g.goal, n.nth, 0, n.visits, n.bounces, n.stayed, n.events from counted n cross join unnest(n.goals) g (goal)
  ) c
  cross join days l
  where l.days[c.nth] between p_first_day and p_last_day;
end;
$$;
comment on function audience_gate.visit_day_cells(uuid, integer, text, boolean, text, date, date, audience_gate.tail_event[]) is
  'The visits that began on the days of a range, by one kind of label, split by the day of the visit of their person before.';

do $$
declare
  signature text;
begin
  alter table audience_gate.visit_days owner to audience_gate_owner;
  alter table audience_gate.visit_days enable row level security;
  create policy visit_days_gate on audience_gate.visit_days to audience_gate_owner using (true) with check (true);
  revoke all on audience_gate.visit_days from public, anon, authenticated, service_role;
  foreach signature in array array[
    'whole_visit_days(uuid, uuid[])', 'visit_days_tail(uuid, text[], audience_gate.tail_event[])',
    'visit_day_cells(uuid, integer, text, boolean, text, date, date, audience_gate.tail_event[])'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
