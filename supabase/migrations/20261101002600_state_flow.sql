-- How the audience moves through its states: transitions, time spent in each state, and the trend.
-- History is append-only, so a transition never changes once written and the live tail is added.

-- History grows in the order of its clock, which is what BRIN is for: a few pages instead of an index
-- as large as the table, to find what was written since the last refresh.
create index if not exists audience_state_events_changed_at_brin
  on public.audience_state_events using brin (changed_at) with (pages_per_range = 16);

create or replace view audience_gate.state_moves with (security_invoker = true) as
select
  e.site_id, e.changed_at, e.effective_at as at, coalesce(e.from_state, '') as from_state, e.to_state,
  case when p.effective_at is not null then greatest(extract(epoch from e.effective_at - p.effective_at), 0) end as stayed_seconds
from public.audience_state_events e
left join lateral (
  select b.effective_at
  from public.audience_state_events b
  where b.user_id = e.user_id and b.site_id = e.site_id and b.id < e.id
  order by b.id desc
  limit 1
) p on true
where e.site_id is not null;
comment on view audience_gate.state_moves is
  'Every change of state at a site, with the time spent in the state before (null for a first state).';

create materialized view audience_gate.state_flow as
select
  z.id as site_zone, (m.at at time zone z.time_zone)::date as day, m.from_state, m.to_state,
  count(*)::bigint as transitions, sum(m.stayed_seconds) as seconds
from audience_gate.state_moves m
join audience_gate.site_zones z on z.site_id = m.site_id
where m.changed_at < (select s.covered_until from audience_gate.analytics_settings s)
group by 1, 2, 3, 4
with data;
create unique index state_flow_key on audience_gate.state_flow (site_zone, day, from_state, to_state);
comment on materialized view audience_gate.state_flow is
  'Transitions per site, local day, state before (empty for a first state) and state after, with the seconds spent in the state before.';

create or replace view audience_gate.state_stays with (security_invoker = true) as
select
  m.site_id, m.changed_at, m.at, m.from_state as state, m.stayed_seconds as seconds,
  case when m.stayed_seconds < 1e-9 then -2000
    else ceil(ln(m.stayed_seconds::double precision) / ln(1.02::double precision))::integer end as bucket
from audience_gate.state_moves m
where m.stayed_seconds is not null;
comment on view audience_gate.state_stays is 'Every completed stay in a state, with its histogram bucket.';

create materialized view audience_gate.state_dwell as
select
  z.id as site_zone, (y.at at time zone z.time_zone)::date as day, y.state, y.bucket,
  count(*)::bigint as stays, sum(y.seconds) as seconds
from audience_gate.state_stays y
join audience_gate.site_zones z on z.site_id = y.site_id
where y.changed_at < (select s.covered_until from audience_gate.analytics_settings s)
group by 1, 2, 3, 4
with data;
create unique index state_dwell_key on audience_gate.state_dwell (site_zone, day, state, bucket);
comment on materialized view audience_gate.state_dwell is
  'Completed stays per site, local day they ended on and state, as a mergeable histogram of seconds.';
