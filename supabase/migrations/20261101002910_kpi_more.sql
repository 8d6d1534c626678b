-- The reading functions of the API, continued; and who may call them all.

create or replace function public.kpi_state_funnel(site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC')
returns table (from_state text, to_state text, transitions bigint, average_dwell_seconds numeric)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_state_funnel(site, from_time, to_time, time_zone) $$;
comment on function public.kpi_state_funnel(site uuid, from_time timestamptz, to_time timestamptz, time_zone text) is $$State funnel: how many changes from each state to the next.
Grain: one row for each pair of states.
Time zone: decides which local days the range touches; a change counts on the day it holds from.
Source: state_flow
from_state: the state before; null: the first state of a person
to_state: the state after
transitions: count of changes
average_dwell_seconds: mean time spent in from_state before$$;

create or replace function public.kpi_state_dwell(site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC')
returns table (state text, stays bigint, mean_seconds numeric, p50_seconds numeric, p90_seconds numeric)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_state_dwell(site, from_time, to_time, time_zone) $$;
comment on function public.kpi_state_dwell(site uuid, from_time timestamptz, to_time timestamptz, time_zone text) is $$State dwell: how long people stay in a state before they leave it.
Grain: one row for each state left in the range.
Time zone: decides which local days the range touches; a stay counts on the day it ended.
Source: state_dwell
state: the state that was left
stays: count of completed stays
mean_seconds: their exact mean
p50_seconds: their median, within 1 %
p90_seconds: their 90th percentile, within 1 %$$;

create or replace function public.kpi_state_trend(site uuid, from_time timestamptz, to_time timestamptz, grain text default 'day', time_zone text default 'UTC')
returns table (period date, state text, entered bigint, left_state bigint, people_at_end bigint)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_state_trend(site, from_time, to_time, grain, time_zone) $$;
comment on function public.kpi_state_trend(site uuid, from_time timestamptz, to_time timestamptz, grain text, time_zone text) is $$State trend: how many people stand in each state.
Grain: total, day, week or month, at most 160 periods, by state; every period and state has a row.
Time zone: periods are local.
Source: state_flow
period: first local day of the period
state: a state of public.audience_states
entered: changes into it in the period
left_state: changes out of it in the period
people_at_end: all changes into it until the end of the period - all changes out of it$$;

create or replace function public.kpi_live(site uuid, from_time timestamptz default now() - interval '30 minutes', to_time timestamptz default now())
returns table (minute timestamptz, events bigint, people bigint, rejected bigint)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_live(site, from_time, to_time) $$;
comment on function public.kpi_live(site uuid, from_time timestamptz, to_time timestamptz) is $$The last minutes, straight from the events.
Grain: one row for each minute with an event; at most a day.
Time zone: none; by time of receipt.
Source: the events
minute: when the minute began
events: count of activity received
people: distinct people
rejected: events the gate rejected$$;

create or replace function public.kpi_freshness(site uuid)
returns table (view_name text, refreshed_at timestamptz, covered_until timestamptz, age_seconds numeric, duration_ms numeric, row_count bigint,
  outcome text, tail_events bigint, schedule text)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_freshness(site) $$;
comment on function public.kpi_freshness(site uuid) is $$How old the views are. The functions are current whatever it says: the live tail holds the rest.
Grain: one row for each materialised view.
Time zone: none.
Source: analytics_runs
view_name: the view
refreshed_at: when its last successful refresh began
covered_until: it holds what was received before this
age_seconds: now - covered_until
duration_ms: how long that refresh took
row_count: rows in it, of all sites
outcome: of the last attempt: ok, failed or never
tail_events: events of the site received since
schedule: when the refresh runs, five fields in UTC$$;

-- Nothing is granted by default: members come as authenticated, back ends as service_role. The cores
-- run as the gate's owner, who may read every site, and ask for membership before they read.
do $$
declare
  reader record;
begin
  for reader in
    select p.oid::regprocedure::text as signature, p.pronamespace = 'audience_gate'::regnamespace as core, p.proname
    from pg_catalog.pg_proc p
    where p.proname like 'kpi\_%' and p.pronamespace in ('public'::regnamespace, 'audience_gate'::regnamespace)
  loop
    if reader.core then
      execute format('alter function %s owner to audience_gate_owner', reader.signature);
    end if;
    execute format('revoke all on function %s from public, anon', reader.signature);
    if reader.proname <> 'kpi_range' then
      execute format('grant execute on function %s to authenticated, service_role', reader.signature);
    end if;
  end loop;
end $$;
