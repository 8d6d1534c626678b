-- The site at a glance over a range that is not made of whole days: today until now beside yesterday until the same hour. Its whole
-- days come from the tables of days, and slots of fifteen minutes are read for the rest alone.

create or replace function audience_gate.exact_overview(p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text)
returns table (
  events bigint, people bigint, new_people bigint, returning_people bigint, sessions bigint, engaged_seconds numeric, score numeric,
  rejected bigint, rejection_rate numeric, errors bigint, last_event_at timestamptz, covered_until timestamptz
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
  l record;
  fresh audience_gate.tail_event[];
  whole_until date;
  rest timestamptz;
begin
  r := audience_gate.narrowed_range(p_site, p_from, p_to, p_zone, 'total', 1, '{"exact": true}');
  fresh := audience_gate.live_tail(p_site);
  l := audience_gate.local_days(p_zone, r.first_day, r.last_day + 2);
  -- A clock that is changed near midnight may show a day twice; and the range may begin within one.
  if r.since <> l.starts[1] or cardinality(l.days) > (select count(distinct d.day) from unnest(l.days) d (day)) then
    whole_until := r.first_day - 1;
    rest := r.since;
  else
    select max(d.start), max(d.day) - 1 into rest, whole_until
    from unnest(l.starts, l.days) d (start, day)
    where d.start <= r.ends;
  end if;
  return query
  with engagement as (
    select sum(c.events)::bigint as events, coalesce(sum(c.people) filter (where c.is_first), 0)::bigint as people,
      coalesce(sum(c.people) filter (where c.is_new), 0)::bigint as new_people, sum(c.seconds) as seconds, sum(c.score) as score
    from (
      select v.previous_day < r.first_day as is_first, v.previous_day = '-infinity' as is_new, v.people, v.events, v.seconds, v.score
      from audience_gate.engagement_cells(
        p_site, r.site_zone, p_zone, r.views_hold, 'total', array['all'], r.first_day, whole_until) v
      union all
      select v.previous_slot < r.since, v.previous_slot = '-infinity', v.people, v.events, v.seconds, v.score
      from audience_gate.engagement_slots v
      where r.views_hold and v.site_id = p_site and v.tier = 'all' and v.slot >= rest and v.slot < r.ends
      union all
      select t.previous_slot < r.since, t.previous_slot = '-infinity', t.people, t.events, t.seconds, t.score
      from audience_gate.activity_tail(p_site, r.views_hold, fresh, '{}') t
      where t.slot >= r.since and t.slot < r.ends
    ) c
  ), started as (
    select sum(c.sessions)::bigint as sessions
    from (
      select v.slot, v.sessions from audience_gate.session_starts v
      where r.views_hold and v.site_id = p_site and v.slot >= r.since and v.slot < r.ends
      union all
      select * from audience_gate.session_tail(p_site, r.views_hold, fresh)
    ) c
    where c.slot >= r.since and c.slot < r.ends
  ), failed as (
    select sum(c.events)::bigint as events
    from (
      select v.events from audience_gate.error_cells(p_site, r.site_zone, p_zone, r.views_hold, r.first_day, whole_until) v
      union all
      select v.events from audience_gate.error_slots v
      where r.views_hold and v.site_id = p_site and v.slot >= rest and v.slot < r.ends
      union all
      select t.events from audience_gate.error_tail(p_site, r.views_hold) t where t.slot >= rest and t.slot < r.ends
    ) c
  ), received as (
    select coalesce(sum(c.events) filter (where c.rule_id = ''), 0)::bigint as accepted,
      coalesce(sum(c.events) filter (where c.rule_id not in ('', 'unjudged')), 0)::bigint as rejected
    from (
      select v.slot, v.rule_id, v.events from audience_gate.receipt_slots v
      where v.site_id = p_site and v.slot >= r.since and v.slot < r.ends
      union all
      select t.slot, t.rule_id, t.events from audience_gate.receipt_tail(p_site) t
    ) c
    where c.slot >= r.since and c.slot < r.ends
  )
  select coalesce(e.events, 0), e.people, e.new_people, e.people - e.new_people, coalesce(s.sessions, 0), coalesce(e.seconds, 0),
    coalesce(e.score, 0), q.rejected, round(q.rejected::numeric / nullif(q.accepted + q.rejected, 0), 4), coalesce(f.events, 0),
    audience_gate.last_accepted_at(p_site), nullif(r.covered_until, '-infinity')
  from engagement e
  cross join started s
  cross join failed f
  cross join received q;
end;
$$;
comment on function audience_gate.exact_overview(uuid, timestamptz, timestamptz, text) is
  'audience_gate.kpi_overview(), of a range that is widened to whole quarters of an hour.';
alter function audience_gate.exact_overview(uuid, timestamptz, timestamptz, text) owner to audience_gate_owner;
revoke all on function audience_gate.exact_overview(uuid, timestamptz, timestamptz, text) from public, anon, authenticated, service_role;
grant execute on function audience_gate.exact_overview(uuid, timestamptz, timestamptz, text) to authenticated, service_role;
