-- The reading functions of the API: for members of the site and for back ends, nobody else. Their
-- comments are the definitions; npm run kpi writes KPI.md from them.

create or replace function public.kpi_overview(site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC')
returns table (events bigint, people bigint, new_people bigint, returning_people bigint, sessions bigint, engaged_seconds numeric, score numeric,
  rejected bigint, rejection_rate numeric, errors bigint, last_event_at timestamptz, covered_until timestamptz)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_overview(site, from_time, to_time, time_zone) $$;
comment on function public.kpi_overview(site uuid, from_time timestamptz, to_time timestamptz, time_zone text) is $$The site at a glance.
Grain: one row for the range.
Time zone: decides which local days the range touches; rejected and rejection_rate go by time of receipt.
Source: engagement_by_tier, session_starts, errors_daily, data_quality_by_rule
events: count of activity
people: distinct people active in the range
new_people: those of them whose first activity ever lies in the range
returning_people: people - new_people
sessions: sessions whose first event lies in the range
engaged_seconds: sum of duration_seconds, each event counting for at most a day
score: sum of the score weights of the event types
rejected: events the gate rejected
rejection_rate: rejected / (accepted + rejected)
errors: accepted events of the types in error_events
last_event_at: receipt of the newest accepted event, whenever that was
covered_until: what was received later than this comes from the live tail; null: everything does$$;

create or replace function public.kpi_engagement(site uuid, from_time timestamptz, to_time timestamptz, grain text default 'day', time_zone text default 'UTC')
returns table (period date, tier text, events bigint, people bigint, events_per_person numeric, engaged_seconds numeric, score numeric)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_engagement(site, from_time, to_time, grain, time_zone) $$;
comment on function public.kpi_engagement(site uuid, from_time timestamptz, to_time timestamptz, grain text, time_zone text) is $$Engagement by tier: how many did how much.
Grain: total, day, week (from Monday) or month, at most 160 periods, by tier; the tier all is over the tiers. Empty periods have no row.
Time zone: periods are local.
Source: engagement_by_tier
period: first local day of the period
tier: the tier of the event type in the registry
events: count of activity
people: distinct people with activity of the tier in the period; they do not add up over tiers or periods
events_per_person: events / people
engaged_seconds: sum of duration_seconds, each event counting for at most a day
score: sum of the score weights of the event types$$;

create or replace function public.kpi_feature_adoption(site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC')
returns table (event_type text, category text, tier text, events bigint, people bigint, active_people bigint, adoption_rate numeric,
  new_people bigint, first_day date, last_day date)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_feature_adoption(site, from_time, to_time, time_zone) $$;
comment on function public.kpi_feature_adoption(site uuid, from_time timestamptz, to_time timestamptz, time_zone text) is $$Feature adoption: who uses what.
Grain: one row for each event type used in the range.
Time zone: decides which local days the range touches.
Source: feature_adoption, engagement_by_tier
event_type: the feature, an id of the registry
category: its category
tier: its tier
events: count of its events
people: distinct people who caused one
active_people: distinct people with any activity in the range
adoption_rate: people / active_people
new_people: those who used it for the first time ever in the range
first_day: first local day of the range it was used on
last_day: last local day of the range it was used on$$;

create or replace function public.kpi_funnels(site uuid)
returns table (funnel text, name text, window_seconds bigint, "position" smallint, step text, event_type text)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_funnels(site) $$;
comment on function public.kpi_funnels(site uuid) is $$The conversion funnels the site has. They are rows of public.audience_funnels and public.audience_funnel_steps.
Grain: one row for each step of each funnel.
Time zone: none.
Source: the tables
funnel: what kpi_funnel is asked for
name: what people call the funnel
window_seconds: all steps must happen within this time of the first
position: place of the step, from 1
step: what people call the step
event_type: the event that takes somebody over it$$;

create or replace function public.kpi_funnel(site uuid, from_time timestamptz, to_time timestamptz, funnel text default 'default', time_zone text default 'UTC')
returns table ("position" smallint, step text, event_type text, people bigint, rate_from_start numeric, rate_from_previous numeric,
  dropped bigint, average_seconds numeric)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_funnel(site, from_time, to_time, funnel, time_zone) $$;
comment on function public.kpi_funnel(site uuid, from_time timestamptz, to_time timestamptz, funnel text, time_zone text) is $$Conversion funnel: how far people came who entered in the range.
Grain: one row for each step, those nobody reached included.
Time zone: an entry is the first event of step 1 on a local day; a person counts with their first entry in the range.
Source: conversion_funnel
position: place of the step, from 1
step: what people call the step
event_type: the event that takes somebody over it
people: people who reached the step: each step is the earliest event of its type at or after the step before, within the window of the entry, also after the range
rate_from_start: people / people of step 1
rate_from_previous: people / people of the step before
dropped: people of the step before - people
average_seconds: mean time from entry to the step, of those who reached it$$;

create or replace function public.kpi_retention(site uuid, from_time timestamptz, to_time timestamptz, grain text default 'week', time_zone text default 'UTC',
  periods integer default 12)
returns table (cohort date, people bigint, retained bigint[], rates numeric[])
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_retention(site, from_time, to_time, grain, time_zone, periods) $$;
comment on function public.kpi_retention(site uuid, from_time timestamptz, to_time timestamptz, grain text, time_zone text,
  periods integer) is $$Retention: of the people first active in a day or week, how many were active in each later one.
Grain: day or week (from Monday), one row for each cohort that begins in the range, the week the range begins in included.
Time zone: days and weeks are local.
Source: retention_cohorts
cohort: first local day of the cohort's day or week
people: people whose first activity ever lies in it
retained: people of the cohort active 0, 1, 2 … days or weeks later, up to periods and as far as they have begun
rates: retained / people$$;

create or replace function public.kpi_errors(site uuid, from_time timestamptz, to_time timestamptz, grain text default 'day', time_zone text default 'UTC')
returns table (period date, event_type text, code text, events bigint, per_thousand numeric)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_errors(site, from_time, to_time, grain, time_zone) $$;
comment on function public.kpi_errors(site uuid, from_time timestamptz, to_time timestamptz, grain text, time_zone text) is $$Errors: the accepted events whose type is in error_events.
Grain: total, day, week or month, at most 160 periods, by event type and code.
Time zone: periods are local.
Source: errors_daily, engagement_by_tier
period: first local day of the period
event_type: the kind of error
code: the metadata key error_events names for it; empty: none was sent
events: count
per_thousand: 1000 × events / events of activity in the period$$;

create or replace function public.kpi_performance(site uuid, from_time timestamptz, to_time timestamptz, grain text default 'total', time_zone text default 'UTC')
returns table (period date, measure text, unit text, samples bigint, mean numeric, p50 numeric, p75 numeric, p95 numeric, p99 numeric, max numeric)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_performance(site, from_time, to_time, grain, time_zone) $$;
comment on function public.kpi_performance(site uuid, from_time timestamptz, to_time timestamptz, grain text, time_zone text) is $$Performance: percentiles of the numbers performance_measures names.
Grain: total, day, week or month, at most 160 periods, by measure.
Time zone: periods are local.
Source: performance_daily
period: first local day of the period
measure: event type and metadata key
unit: what it is counted in
samples: count of measurements
mean: their exact mean
p50: nearest-rank median, within 1 % of the true one, from a histogram whose buckets grow by 2 %
p75: 75th percentile, likewise
p95: 95th percentile, likewise
p99: 99th percentile, likewise
max: the exact maximum$$;

create or replace function public.kpi_data_quality(site uuid, from_time timestamptz, to_time timestamptz, grain text default 'total', time_zone text default 'UTC')
returns table (period date, rule_id text, accepted bigint, rejected bigint, received bigint, rate numeric, share numeric)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_data_quality(site, from_time, to_time, grain, time_zone) $$;
comment on function public.kpi_data_quality(site uuid, from_time timestamptz, to_time timestamptz, grain text, time_zone text) is $$Data quality: what the gate rejected, by the first rule each event broke.
Grain: total, day, week or month, at most 160 periods, by rule; the row without a rule is the whole period.
Time zone: periods are local, by time of receipt.
Source: data_quality_by_rule
period: first local day of the period
rule_id: a rule of RULES.md; null: all of them
accepted: events accepted in the period, system events included
rejected: events rejected by the rule
received: all accepted + all rejected of the period
rate: rejected / received
share: rejected / all rejected of the period$$;
