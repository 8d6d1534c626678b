-- The inactivity sweep.
--
-- Inactivity is an event like any other: written to the log with the rule that found it, judged by the contract, and
-- applied by the derivation, which checks its terms again. A rule's days count from the last activity or the last change
-- of state, whichever is later, so nobody falls through several states at once, and somebody whose step down was taken
-- back may step down again later. The id is made from what was found, so a second sweep before the derivation adds
-- nothing. The settings keep every plan on an index, even one that is made by the statistics of empty tables.
create or replace function audience_gate.sweep_inactivity(settings jsonb default '{}')
returns jsonb
language sql
volatile
security definer
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
  with found as (
    select s.site_id, s.user_id, r.id as rule_id, r.prior_state, r.new_state,
      floor(extract(epoch from now() - coalesce(s.idle_since, s.last_activity_at)) / 86400) as days,
      audience_gate.derived_id('inactivity', concat_ws('|', s.site_id, s.user_id, r.id,
        extract(epoch from coalesce(s.idle_since, s.last_activity_at)))) as id
    from public.audience_rules r
    join public.audience_states f on f.id = r.prior_state
    join public.audience_states t on t.id = r.new_state
    join public.audience_site_state s on s.current_state = r.prior_state
      and s.last_activity_at <= now() - r.inactivity_days * interval '1 day'
      and coalesce(s.idle_since, s.last_activity_at) <= now() - r.inactivity_days * interval '1 day'
    where r.active and r.kind = 'inactivity'
      and t.rank = (select max(n.rank) from public.audience_states n where n.rank < f.rank)
  ), written as (
    insert into public.audience_events
      (id, site_id, user_id, session_id, event_type, event_category, event_source, metadata)
    select f.id, f.site_id, f.user_id, 'inactivity-sweep:' || f.rule_id,
      coalesce(settings ->> 'event_type', 'inactivity_detected'), 'retention', 'inactivity-sweep',
      jsonb_build_object('prior_state', f.prior_state, 'new_state', f.new_state, 'inactivity_days', f.days, 'rule_id', f.rule_id)
    from found f
    where not exists (select from public.audience_events e where e.id = f.id)
    limit coalesce((settings ->> 'batch_size')::integer, 1000)
    returning rejected
  )
  select jsonb_build_object(
      'emitted', count(*) filter (where not w.rejected), 'rejected', count(*) filter (where w.rejected))
    || case when count(*) filter (where not w.rejected) < coalesce((settings ->> 'batch_size')::integer, 1000) then '{}'
      else '{"remaining": true}'::jsonb end
  from written w
$$;

-- A thousand every ten minutes would let 200,000 people wait for a day and a half. A run stays one short statement, because
-- other events wait for the buckets of its sessions; while there are more, one follows the other. Settings that somebody
-- changed stay.
update audience_gate.jobs
set schedule = '* * * * *', settings = '{"batch_size": 2000, "event_type": "inactivity_detected"}'
where name = 'sweep_inactivity' and schedule = '*/10 * * * *'
  and settings = '{"batch_size": 1000, "event_type": "inactivity_detected"}';
