-- Errors. Their numbers add up, so the live tail is simply added.

create table if not exists audience_gate.error_events (
  event_type text primary key,
  code_key text null
);
comment on table audience_gate.error_events is 'Which types of events count as errors.';
comment on column audience_gate.error_events.event_type is 'An id of public.audience_event_types.';
comment on column audience_gate.error_events.code_key is
  'The metadata key that tells errors of this type apart; null: none does.';
alter table audience_gate.error_events enable row level security;
revoke all on table audience_gate.error_events from public, anon, authenticated, service_role;

insert into audience_gate.error_events (event_type, code_key)
values ('error_occurred', 'error_code'), ('server_error', 'error_code'), ('auth_sign_in_failed', 'method')
on conflict do nothing;

create or replace view audience_gate.error_log with (security_invoker = true) as
select
  e.site_id, e.created_at, coalesce(e.occurred_at, e.created_at) as at, e.event_type,
  coalesce(e.metadata ->> x.code_key, '') as code
from public.audience_events e
join audience_gate.error_events x on x.event_type = e.event_type
where not e.rejected;
comment on view audience_gate.error_log is 'The accepted events that count as errors, with their codes.';
comment on column audience_gate.error_log.site_id is 'The site.';
comment on column audience_gate.error_log.created_at is 'When the error was received.';
comment on column audience_gate.error_log.at is 'When it happened.';
comment on column audience_gate.error_log.event_type is 'The type of event.';
comment on column audience_gate.error_log.code is
  'The code that tells errors of this type apart; empty: none was sent.';

create materialized view if not exists audience_gate.errors_daily as
select z.id as site_zone, l.event_type, l.code, (l.at at time zone z.time_zone)::date as day, count(*)::bigint as events
from audience_gate.error_log l
join audience_gate.site_zones z on z.site_id = l.site_id
where l.created_at < (select s.covered_until from audience_gate.analytics_settings s)
group by 1, 2, 3, 4
with data;
create unique index if not exists idx_errors_daily_key on audience_gate.errors_daily (site_zone, day, event_type, code);
comment on materialized view audience_gate.errors_daily is 'Errors by site, local day, event type and code.';
comment on column audience_gate.errors_daily.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.errors_daily.event_type is 'The type of event.';
comment on column audience_gate.errors_daily.code is 'The code; empty: none was sent.';
comment on column audience_gate.errors_daily.day is 'The local day.';
comment on column audience_gate.errors_daily.events is 'How many errors.';

create or replace function audience_gate.kpi_errors(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text
)
returns table (period date, event_type text, code text, events bigint, per_thousand numeric)
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
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, p_grain, 160);
  return query
  with cells as (
    select v.day, v.event_type, v.code, v.events
    from audience_gate.errors_daily v
    where v.site_zone = r.site_zone and v.day between r.first_day and r.last_day
    union all
    select (l.at at time zone p_zone)::date, l.event_type, l.code, 1
    from audience_gate.error_log l
    where l.site_id = p_site and l.created_at >= r.covered_until
  ), summed as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, c.day::timestamp)::date end as period,
      c.event_type, c.code, sum(c.events)::bigint as events
    from cells c
    where c.day between r.first_day and r.last_day
    group by 1, 2, 3
  ), whole as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, b.day::timestamp)::date end as period,
      sum(b.events) as events
    from (
      select v.day, v.events from audience_gate.engagement_by_tier v where v.site_zone = r.site_zone and v.tier = 'all'
      union all
      select (a.at at time zone p_zone)::date, 1
      from audience_gate.activity a
      where a.site_id = p_site and a.created_at >= r.covered_until
    ) b
    where b.day between r.first_day and r.last_day
    group by 1
  )
  select s.period, s.event_type, s.code, s.events, round(1000.0 * s.events / nullif(b.events, 0), 4)
  from summed s
  left join whole b on b.period = s.period
  order by s.period, s.events desc, s.event_type, s.code;
end;
$$;
comment on function audience_gate.kpi_errors(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_errors() returns.';
comment on function audience_gate.kpi_errors(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_errors() returns.';
comment on function audience_gate.kpi_errors(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_errors() returns.';

create or replace function public.kpi_errors(
  site uuid, from_time timestamptz, to_time timestamptz, grain text default 'day', time_zone text default 'UTC'
)
returns table (period date, event_type text, code text, events bigint, per_thousand numeric)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_errors(site, from_time, to_time, grain, time_zone) $$;
comment on function public.kpi_errors(uuid, timestamptz, timestamptz, text, text)
is $$Errors: the accepted events whose types are in error_events.
Grain: total, day, week or month, at most 160 periods, by event type and code.
Time zone: periods are local.
Source: errors_daily, engagement_by_tier
period: first local day of the period
event_type: the kind of error
code: the value of the metadata key that error_events names for the type; empty if none was sent
events: count
per_thousand: 1000 × events / events of activity in the period$$;
