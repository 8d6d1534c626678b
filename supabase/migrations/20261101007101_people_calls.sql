-- What the API calls for the figures about people: the tables of days answer what is not narrowed. Functions of an earlier
-- release are dropped first, because with one more argument they would be others beside them.

drop function public.kpi_engagement(uuid, timestamptz, timestamptz, text, text);
drop function public.kpi_feature_adoption(uuid, timestamptz, timestamptz, text);
drop function public.kpi_overview(uuid, timestamptz, timestamptz, text);

create or replace function public.kpi_people(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC',
  narrowed jsonb default '{}'
)
returns table (
  people bigint, signed_in_people bigint, visitors bigint, sessions bigint, signed_in_sessions bigint,
  stitched_sessions bigint, unstitched_sessions bigint, shared_sessions bigint, stitched_events bigint
)
language sql
stable
set search_path = ''
as $$
  select * from audience_gate.kpi_people(site, from_time, to_time, time_zone) where narrowed = '{}'
  union all
  select * from audience_gate.narrowed_people(site, from_time, to_time, time_zone, narrowed)
  where narrowed is distinct from '{}'
$$;
comment on function public.kpi_people(uuid, timestamptz, timestamptz, text, jsonb)
is $$People: who they are known to be, and how many sessions were joined to the user who signed in during them.
Grain: one row for the range.
Time zone: decides which local days the range touches.
Source: engagement_days, known_days
people: distinct people active in the range
signed_in_people: those of them who are users
visitors: people - signed_in_people
sessions: sessions with activity in the range: the sum of the four that follow
signed_in_sessions: one user was signed in throughout
stitched_sessions: what their visitor did counts as done by the one user known of the session
unstitched_sessions: their visitor is a person of its own, because no user is known of the session or the site's rule is never
shared_sessions: several users are known of the session: each has their own part, and its visitor is a person of its own
stitched_events: count of the activity that the stitched sessions' visitors count for their users$$;

create or replace function public.kpi_engagement(
  site uuid, from_time timestamptz, to_time timestamptz, grain text default 'day', time_zone text default 'UTC',
  narrowed jsonb default '{}'
)
returns table (
  period date, tier text, events bigint, people bigint, events_per_person numeric, engaged_seconds numeric, score
  numeric
)
language sql
stable
set search_path = ''
as $$
  select * from audience_gate.kpi_engagement(site, from_time, to_time, grain, time_zone) where narrowed = '{}'
  union all
  select * from audience_gate.narrowed_engagement(site, from_time, to_time, grain, time_zone, narrowed)
  where narrowed is distinct from '{}'
$$;
comment on function public.kpi_engagement(uuid, timestamptz, timestamptz, text, text, jsonb)
is $$Engagement by tier: how many people did how much.
Grain: total, day, week (from Monday) or month, at most 160 periods, by tier; the tier all is over all tiers. Empty periods have no row.
Time zone: periods are local.
Source: engagement_by_tier
period: first local day of the period
tier: the tier of the event type in the registry
events: count of activity
people: distinct people with activity of the tier in the period; not to be added up over tiers or periods
events_per_person: events / people
engaged_seconds: sum of duration_seconds, of which each event counts for at most a day
score: sum of the score weights of the event types$$;

create or replace function public.kpi_feature_adoption(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC',
  narrowed jsonb default '{}'
)
returns table (
  event_type text, category text, tier text, events bigint, people bigint, active_people bigint, adoption_rate
  numeric, new_people bigint, first_day date, last_day date
)
language sql
stable
set search_path = ''
as $$
  select * from audience_gate.kpi_feature_adoption(site, from_time, to_time, time_zone) where narrowed = '{}'
  union all
  select * from audience_gate.narrowed_adoption(site, from_time, to_time, time_zone, narrowed)
  where narrowed is distinct from '{}'
$$;
comment on function public.kpi_feature_adoption(uuid, timestamptz, timestamptz, text, jsonb)
is $$Feature adoption: who uses what.
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
new_people: people who used it for the first time ever in the range
first_day: first local day of the range on which it was used
last_day: last local day of the range on which it was used$$;

create or replace function public.kpi_overview(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC',
  narrowed jsonb default '{}'
)
returns table (
  events bigint, people bigint, new_people bigint, returning_people bigint, sessions bigint, engaged_seconds
  numeric, score numeric, rejected bigint, rejection_rate numeric, errors bigint, last_event_at timestamptz,
  covered_until timestamptz
)
language sql
stable
set search_path = ''
as $$
  select * from audience_gate.kpi_overview(site, from_time, to_time, time_zone) where narrowed = '{}'
  union all
  select * from audience_gate.exact_overview(site, from_time, to_time, time_zone) where narrowed = '{"exact": true}'
  union all
  select * from audience_gate.narrowed_overview(site, from_time, to_time, time_zone, narrowed)
  where narrowed is distinct from '{}' and narrowed is distinct from '{"exact": true}'
$$;
comment on function public.kpi_overview(uuid, timestamptz, timestamptz, text, jsonb)
is $$The site at a glance.
Grain: one row for the range.
Time zone: decides which local days the range touches; rejected and rejection_rate go by time of receipt.
Source: engagement_by_tier, session_starts, errors_daily, data_quality_by_rule
events: count of activity
people: distinct people active in the range
new_people: those of them whose first activity ever lies in the range
returning_people: people - new_people
sessions: sessions whose first event lies in the range
engaged_seconds: sum of duration_seconds, of which each event counts for at most a day
score: sum of the score weights of the event types
rejected: events the gate rejected; null when narrowed to some visits
rejection_rate: rejected / (accepted + rejected); null when narrowed to some visits
errors: accepted events of the types in error_events
last_event_at: receipt of the newest accepted event, even outside the range
covered_until: what was received later comes from the live tail; null: everything does$$;

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'public.kpi_people(uuid, timestamptz, timestamptz, text, jsonb)',
    'public.kpi_engagement(uuid, timestamptz, timestamptz, text, text, jsonb)',
    'public.kpi_feature_adoption(uuid, timestamptz, timestamptz, text, jsonb)',
    'public.kpi_overview(uuid, timestamptz, timestamptz, text, jsonb)'
  ] loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', signature);
    execute format('grant execute on function %s to authenticated, service_role', signature);
  end loop;
end $$;
