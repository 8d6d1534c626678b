-- What the API calls for the figures of visits: the tables of days answer what is not narrowed.

create or replace function public.kpi_visits(
  site uuid, from_time timestamptz, to_time timestamptz, grain text default 'day', time_zone text default 'UTC',
  narrowed jsonb default '{}'
)
returns table (
  period date, visits bigint, people bigint, bounces bigint, bounce_rate numeric, average_seconds numeric,
  events_per_visit numeric
)
language sql
stable
set search_path = ''
as $$
  select v.period, v.visits, v.people, v.bounces, v.bounce_rate, v.average_seconds, v.events_per_visit
  from audience_gate.kpi_visits(site, from_time, to_time, grain, time_zone, '') v
  where narrowed = '{}'
  union all
  select v.period, v.visits, v.people, v.bounces, v.bounce_rate, v.average_seconds, v.events_per_visit
  from audience_gate.narrowed_visit_figures(site, from_time, to_time, grain, time_zone, '', narrowed) v
  where narrowed is distinct from '{}'
$$;
comment on function public.kpi_visits(uuid, timestamptz, timestamptz, text, text, jsonb)
is $$Visits: sessions, by the day on which they began.
Grain: total, day, week (from Monday) or month, at most 160 periods. Empty periods have no row.
Time zone: periods are local.
Source: visit_days
period: first local day of the period
visits: sessions whose first activity lies in the period
people: distinct people who made them: the user known of the session or signed in throughout, and else the session
bounces: visits with one event of activity
bounce_rate: bounces / visits
average_seconds: mean time from the first event of a visit to its last
events_per_visit: activity of the visits / visits$$;

create or replace function public.kpi_visit_hours(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC',
  narrowed jsonb default '{}'
)
returns table (
  hour timestamptz, visits bigint, people bigint, bounces bigint, bounce_rate numeric, average_seconds numeric,
  events_per_visit numeric
)
language sql
stable
set search_path = ''
as $$
  select * from audience_gate.visit_hours(site, from_time, to_time, time_zone) where narrowed = '{}'
  union all
  select * from audience_gate.narrowed_visit_hours(site, from_time, to_time, time_zone, narrowed)
  where narrowed is distinct from '{}'
$$;
comment on function public.kpi_visit_hours(uuid, timestamptz, timestamptz, text, jsonb)
is $$Visits by the hour: sessions, by the local hour in which they began.
Grain: one row for each hour, of at most 31 days. Empty hours have no row.
Time zone: decides which local days the range touches, and where an hour begins; an hour that a clock repeats is two.
Source: visits
hour: the moment at which the local hour begins
visits: sessions whose first activity lies in the hour
people: distinct people who made them: the user known of the session or signed in throughout, and else the session
bounces: visits with one event of activity
bounce_rate: bounces / visits
average_seconds: mean time from the first event of a visit to its last
events_per_visit: activity of the visits / visits$$;

create or replace function public.kpi_pages(
  site uuid, from_time timestamptz, to_time timestamptz, by text default 'entry', time_zone text default 'UTC',
  narrowed jsonb default '{}'
)
returns table (page text, visits bigint, people bigint, bounces bigint, bounce_rate numeric, average_seconds numeric)
language sql
stable
set search_path = ''
as $$
  select v.label, v.visits, v.people, v.bounces, v.bounce_rate, v.average_seconds
  from audience_gate.kpi_visits(site, from_time, to_time, 'total', time_zone, by) v
  where narrowed = '{}'
  union all
  select v.label, v.visits, v.people, v.bounces, v.bounce_rate, v.average_seconds
  from audience_gate.narrowed_visit_figures(site, from_time, to_time, 'total', time_zone, by, narrowed) v
  where narrowed is distinct from '{}'
$$;
comment on function public.kpi_pages(uuid, timestamptz, timestamptz, text, text, jsonb)
is $$Pages: where visits began or, by exit, where they ended.
Grain: one row for each page; the page null is that of visits that named none.
Time zone: decides which local days the range touches; a visit counts on the day on which it began.
Source: visit_days
page: the first or the last page_path of the visit
visits: visits that began, or ended, there
people: distinct people who made them
bounces: visits with one event of activity
bounce_rate: bounces / visits
average_seconds: mean time from the first event of a visit to its last$$;

create or replace function public.kpi_referrers(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC',
  narrowed jsonb default '{}'
)
returns table (referrer text, visits bigint, people bigint, bounces bigint, bounce_rate numeric, average_seconds numeric)
language sql
stable
set search_path = ''
as $$
  select v.label, v.visits, v.people, v.bounces, v.bounce_rate, v.average_seconds
  from audience_gate.kpi_visits(site, from_time, to_time, 'total', time_zone, 'referrer') v
  where narrowed = '{}'
  union all
  select v.label, v.visits, v.people, v.bounces, v.bounce_rate, v.average_seconds
  from audience_gate.narrowed_visit_figures(site, from_time, to_time, 'total', time_zone, 'referrer', narrowed) v
  where narrowed is distinct from '{}'
$$;
comment on function public.kpi_referrers(uuid, timestamptz, timestamptz, text, jsonb)
is $$Referrers: what kind of place visits came from. The address itself is not kept.
Grain: one row for each kind; null is that of visits that named none.
Time zone: decides which local days the range touches; a visit counts on the day on which it began.
Source: visit_days
referrer: the first referrer_kind of the visit
visits: visits that came from there
people: distinct people who made them
bounces: visits with one event of activity
bounce_rate: bounces / visits
average_seconds: mean time from the first event of a visit to its last$$;

create or replace function public.kpi_devices(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC',
  narrowed jsonb default '{}'
)
returns table (device text, visits bigint, people bigint, bounces bigint, bounce_rate numeric, average_seconds numeric)
language sql
stable
set search_path = ''
as $$
  select v.label, v.visits, v.people, v.bounces, v.bounce_rate, v.average_seconds
  from audience_gate.kpi_visits(site, from_time, to_time, 'total', time_zone, 'device') v
  where narrowed = '{}'
  union all
  select v.label, v.visits, v.people, v.bounces, v.bounce_rate, v.average_seconds
  from audience_gate.narrowed_visit_figures(site, from_time, to_time, 'total', time_zone, 'device', narrowed) v
  where narrowed is distinct from '{}'
$$;
comment on function public.kpi_devices(uuid, timestamptz, timestamptz, text, jsonb)
is $$Devices: what kind of device visits were made with.
Grain: one row for each kind; null is that of visits that named none.
Time zone: decides which local days the range touches; a visit counts on the day on which it began.
Source: visit_days
device: the first device_class of the visit
visits: visits that were made with one
people: distinct people who made them
bounces: visits with one event of activity
bounce_rate: bounces / visits
average_seconds: mean time from the first event of a visit to its last$$;

create or replace function public.kpi_campaigns(
  site uuid, from_time timestamptz, to_time timestamptz, by text default 'last', funnel text default 'default',
  time_zone text default 'UTC',
  narrowed jsonb default '{}'
)
returns table (
  source text, medium text, campaign text, content text, term text, visits bigint, people bigint, conversions bigint,
  conversion_rate numeric
)
language sql
stable
set search_path = ''
as $$
  select * from audience_gate.kpi_campaigns(site, from_time, to_time, by, funnel, time_zone) where narrowed = '{}'
  union all
  select * from audience_gate.narrowed_campaigns(site, from_time, to_time, by, funnel, time_zone, narrowed)
  where narrowed is distinct from '{}'
$$;
comment on function public.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text, jsonb)
is $$Campaigns: the visits of the people whom each brought, and what came of them.
Grain: one row for each campaign; the row without one is of people whom none had brought.
Time zone: decides which local days the range touches; a visit counts on the day on which it began.
Source: visit_days
source: utm_source of the last campaign that the visit's person came by, up to this visit; by first, of the first ever
medium: utm_medium, likewise
campaign: utm_campaign, likewise
content: utm_content, likewise
term: utm_term, likewise
visits: visits credited to it
people: distinct people who made them; by last, a person may be counted with several campaigns
conversions: those of the visits in which the last step of the funnel happened, whether or not the steps before did
conversion_rate: conversions / visits$$;

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'public.kpi_visits(uuid, timestamptz, timestamptz, text, text, jsonb)',
    'public.kpi_visit_hours(uuid, timestamptz, timestamptz, text, jsonb)',
    'public.kpi_pages(uuid, timestamptz, timestamptz, text, text, jsonb)',
    'public.kpi_referrers(uuid, timestamptz, timestamptz, text, jsonb)',
    'public.kpi_devices(uuid, timestamptz, timestamptz, text, jsonb)',
    'public.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text, jsonb)'
  ] loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', signature);
    execute format('grant execute on function %s to authenticated, service_role', signature);
  end loop;
end $$;
