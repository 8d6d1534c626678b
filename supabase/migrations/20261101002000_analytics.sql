-- What all figures rest on: the time zones in which a site counts its days, the boundary between the views and
-- the live tail, what counts as activity, and the check of who asks for which range.

create table if not exists audience_gate.site_zones (
  id integer generated always as identity primary key,
  site_id uuid not null references public.audience_sites (id),
  time_zone text not null,
  covered_until timestamptz null,
  constraint site_zones_key unique (site_id, time_zone)
);
comment on table audience_gate.site_zones is
  'The time zones in which the views count the days of each site. Every site has UTC; audience_gate.add_site_zone() '
  'adds others. Any other zone of the IANA database can be asked for too: its figures are computed from the events, '
  'which is as exact but slower.';
comment on column audience_gate.site_zones.id is 'The number by which the views name a site in one of its zones.';
comment on column audience_gate.site_zones.site_id is 'The site.';
comment on column audience_gate.site_zones.time_zone is 'A name of the IANA time zone database.';
comment on column audience_gate.site_zones.covered_until is
  'The views hold what was received before this moment. Null until the first refresh after the zone was added.';
alter table audience_gate.site_zones enable row level security;
revoke all on table audience_gate.site_zones from public, anon, authenticated, service_role;

create or replace function audience_gate.add_site_zone(site uuid, time_zone text)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if not exists (select from pg_catalog.pg_timezone_names n where n.name = add_site_zone.time_zone) then
    raise exception 'there is no time zone of this name' using errcode = '22023', hint = 'Use an IANA name such as Europe/Berlin.';
  end if;
  insert into audience_gate.site_zones as z (site_id, time_zone) values (site, add_site_zone.time_zone) on conflict do nothing;
end;
$$;
comment on function audience_gate.add_site_zone(uuid, text) is
  'Has the views count the days of a site in one more time zone, from the next refresh on.';

create table if not exists audience_gate.analytics_settings (
  only_row boolean primary key default true,
  covered_until timestamptz not null default '-infinity',
  settle interval not null default '1 minute',
  constraint analytics_settings_only_row_chk check (only_row),
  constraint analytics_settings_settle_chk check (settle >= interval '0')
);
comment on table audience_gate.analytics_settings is
  'One row: where the last refresh stopped, and how long a refresh lets transactions settle.';
comment on column audience_gate.analytics_settings.only_row is 'Always true: there is one row.';
comment on column audience_gate.analytics_settings.covered_until is
  'The boundary between the views and the live tail: the views hold what was received before it.';
comment on column audience_gate.analytics_settings.settle is
  'How long a refresh leaves the newest events to the live tail, because a transaction that began before it may '
  'still be writing. What a longer transaction writes is caught by the refresh that follows.';
alter table audience_gate.analytics_settings enable row level security;
revoke all on table audience_gate.analytics_settings from public, anon, authenticated, service_role;

insert into audience_gate.analytics_settings default values on conflict do nothing;

create table if not exists audience_gate.analytics_runs (
  id bigint generated always as identity primary key,
  started_at timestamptz not null,
  view_name text not null,
  outcome text not null,
  duration_ms numeric not null,
  row_count bigint null,
  covered_until timestamptz null,
  error text null,
  constraint analytics_runs_outcome_chk check (outcome in ('ok', 'failed'))
);
create index if not exists idx_analytics_runs_view_name on audience_gate.analytics_runs (view_name, id desc);
create index if not exists idx_analytics_runs_started_at on audience_gate.analytics_runs (started_at);
comment on table audience_gate.analytics_runs is
  'One row for each refresh of each view, kept for as long as audience_gate.log_retention says.';
comment on column audience_gate.analytics_runs.id is 'In the order of writing.';
comment on column audience_gate.analytics_runs.started_at is 'When the refresh of this view began.';
comment on column audience_gate.analytics_runs.view_name is
  'The view; all for a run that failed before the first one.';
comment on column audience_gate.analytics_runs.outcome is
  'ok; or failed: then each view still holds what it held before.';
comment on column audience_gate.analytics_runs.duration_ms is 'How long it took.';
comment on column audience_gate.analytics_runs.row_count is 'How many rows the view had afterwards.';
comment on column audience_gate.analytics_runs.covered_until is 'The boundary that the run set.';
comment on column audience_gate.analytics_runs.error is
  'The SQLSTATE of a failure; never its text, which may quote values.';
alter table audience_gate.analytics_runs enable row level security;
revoke all on table audience_gate.analytics_runs from public, anon, authenticated, service_role;

create or replace view audience_gate.activity with (security_invoker = true) as
select
  e.site_id,
  e.created_at,
  coalesce(e.occurred_at, e.created_at) as at,
  e.user_id,
  e.session_id,
  coalesce(e.user_id, md5(e.session_id)::uuid) as person,
  e.event_type,
  case
    when jsonb_typeof(e.metadata -> 'duration_seconds') = 'number'
    then least(greatest((e.metadata ->> 'duration_seconds')::numeric, 0), 86400)
    else 0
  end as seconds
from public.audience_events e
join public.audience_event_types t on t.id = e.event_type
where not e.rejected and t.tier <> 'system' and t.category <> 'retention';
comment on view audience_gate.activity is
  'Activity is what people did: the accepted events, except those of the tier system and those of the category '
  'retention, which are written about people. It happened at occurred_at, or at created_at if no such time was '
  'sent. A person is the signed-in user, or the session if nobody was signed in. A duration counts for at most a '
  'day.';
comment on column audience_gate.activity.site_id is 'The site.';
comment on column audience_gate.activity.created_at is 'When the event was received.';
comment on column audience_gate.activity.at is 'When it happened.';
comment on column audience_gate.activity.user_id is 'The signed-in user; null for visitors.';
comment on column audience_gate.activity.session_id is 'The session.';
comment on column audience_gate.activity.person is 'The user, or a number made from the session.';
comment on column audience_gate.activity.event_type is 'An id of public.audience_event_types.';
comment on column audience_gate.activity.seconds is 'Its duration_seconds, at most a day; 0 if none was sent.';

-- One row for each person and day, with what they did folded into arrays: a concurrent refresh compares row by
-- row, so a third of the rows is a third of the cost.
create materialized view if not exists audience_gate.person_days as
select
  g.site_zone, g.person, g.day,
  array_agg(g.event_type order by g.event_type) as event_types,
  array_agg(g.events order by g.event_type) as events,
  array_agg(g.seconds order by g.event_type) as seconds
from (
  select z.id as site_zone, a.person, (a.at at time zone z.time_zone)::date as day, a.event_type,
    count(*)::bigint as events, sum(a.seconds) as seconds
  from audience_gate.activity a
  join audience_gate.site_zones z on z.site_id = a.site_id
  where a.created_at < (select s.covered_until from audience_gate.analytics_settings s)
  group by 1, 2, 3, 4
) g
group by 1, 2, 3
with data;
create unique index if not exists idx_person_days_key on audience_gate.person_days (site_zone, person, day);
comment on materialized view audience_gate.person_days is
  'Which types of events each person of a site caused on which local day, how often and for how long. The other '
  'views about people are made from this one.';
comment on column audience_gate.person_days.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.person_days.person is 'The person.';
comment on column audience_gate.person_days.day is 'The local day.';
comment on column audience_gate.person_days.event_types is
  'The types of events that the person caused on that day, in order.';
comment on column audience_gate.person_days.events is 'How many of each type.';
comment on column audience_gate.person_days.seconds is 'The sum of their durations, for each type.';

create or replace view audience_gate.person_day_types with (security_invoker = true) as
select d.site_zone, d.person, d.day, u.event_type, u.events, u.seconds
from audience_gate.person_days d
cross join lateral unnest(d.event_types, d.events, d.seconds) u (event_type, events, seconds);
comment on view audience_gate.person_day_types is 'person_days unfolded: one row for each type of event.';
comment on column audience_gate.person_day_types.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.person_day_types.person is 'The person.';
comment on column audience_gate.person_day_types.day is 'The local day.';
comment on column audience_gate.person_day_types.event_type is 'The type of event.';
comment on column audience_gate.person_day_types.events is 'How many of them.';
comment on column audience_gate.person_day_types.seconds is 'The sum of their durations.';

-- The live tail. It cannot simply be added to views about people, because a person of the tail may be in the
-- view already. So what the view says about the people of the tail is taken back (revision -1), and what is true
-- of them now is put in its place (revision 1). Every number that is a sum over these rows is then exact.
create or replace function audience_gate.person_days_tail(
  p_site uuid, p_site_zone integer, p_time_zone text, p_covered_until timestamptz
)
returns table (revision integer, person uuid, event_type text, day date, events bigint, seconds numeric)
language sql
stable
set search_path = ''
as $$
  with tail as materialized (
    select a.person, a.event_type, (a.at at time zone p_time_zone)::date as day,
      count(*) as events, sum(a.seconds) as seconds
    from audience_gate.activity a
    where a.site_id = p_site and a.created_at >= p_covered_until
    group by 1, 2, 3
  ), before as materialized (
    select d.person, d.event_type, d.day, d.events, d.seconds
    from (select distinct t.person from tail t) p
    cross join lateral (
      select * from audience_gate.person_day_types d
      where d.site_zone = p_site_zone and d.person = p.person
      offset 0
    ) d
  )
  select -1, b.* from before b
  union all
  select 1, n.person, n.event_type, n.day, sum(n.events)::bigint, sum(n.seconds)
  from (select * from before union all select * from tail) n
  group by n.person, n.event_type, n.day
$$;
comment on function audience_gate.person_days_tail(uuid, integer, text, timestamptz) is
  'Each call reads what is newer than the last refresh from the events themselves, so the figures are current and '
  'exact, late events included. What the views say about the people in this live tail is taken back (revision -1), '
  'and what is true of them now is put in its place (revision 1).';

create or replace function audience_gate.kpi_range(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text, p_grain text, p_most integer,
  out first_day date, out last_day date, out site_zone integer, out covered_until timestamptz
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
begin
  if not coalesce(audience_gate.can_read_site(p_site), false) then
    raise exception 'the figures of this site are for its members'
      using errcode = '42501', hint = 'Have the user added to public.audience_site_members, or use the secret key.';
  end if;
  if p_from is null or p_to is null or p_from >= p_to or not isfinite(p_from) or not isfinite(p_to) then
    raise exception 'from_time must be before to_time' using errcode = '22023', hint = 'Send two finite points in time.';
  end if;
  if p_grain is null or p_grain not in ('total', 'day', 'week', 'month') then
    raise exception 'this grain is not known' using errcode = '22023', hint = 'Send total, day, week or month.';
  end if;
  first_day := (p_from at time zone p_zone)::date;
  last_day := ((p_to - interval '1 microsecond') at time zone p_zone)::date;
  if p_grain <> 'total' and (last_day - first_day) / (case p_grain when 'day' then 1 when 'week' then 7 else 28 end) >= p_most then
    raise exception 'the range has more than % periods', p_most using errcode = '22023', hint = 'Send a coarser grain or a shorter range.';
  end if;
  select z.id, z.covered_until into site_zone, covered_until
  from audience_gate.site_zones z
  where z.site_id = p_site and z.time_zone = p_zone;
  -- Where no view covers the zone, everything is tail.
  covered_until := coalesce(covered_until, '-infinity');
end;
$$;
comment on function audience_gate.kpi_range(uuid, timestamptz, timestamptz, text, text, integer) is
  'A reading function answers members of the site and back ends. It refuses anybody else with SQLSTATE 42501, and '
  'arguments that make no sense with 22023. A range is widened to the whole local days that it touches; the last of '
  'them is the day in which to_time lies. A rate is a fraction of 1, and null if there is nothing to divide by.';
