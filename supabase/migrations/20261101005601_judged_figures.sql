-- Figures count what was judged, and each event once. A row without a contract was never judged and counts in none of
-- them, but has a count of its own; an event that was rejected and replayed later counts as the accepted event that it
-- is, at the time when it was received.

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
where not e.rejected and e.contract is not null and t.tier <> 'system' and t.category <> 'retention';
comment on view audience_gate.activity is
  'Activity is what people did: the accepted events, except those of the tier system and those of the category '
  'retention, which are written about people. Rows that nobody has judged are not among them. It happened at '
  'occurred_at, or at created_at if no such time was sent. A person is the signed-in user, or the session if nobody '
  'was signed in. A duration counts for at most a day.';

-- A code is cut where no index could hold it.
create or replace view audience_gate.error_log with (security_invoker = true) as
select
  e.site_id, e.created_at, coalesce(e.occurred_at, e.created_at) as at, e.event_type,
  left(coalesce(e.metadata ->> x.code_key, ''), 200) as code
from public.audience_events e
join audience_gate.error_events x on x.event_type = e.event_type
where not e.rejected and e.contract is not null;
comment on column audience_gate.error_log.code is
  'The code that tells errors of this type apart, its first 200 characters; empty: none was sent.';

create or replace view audience_gate.measurements with (security_invoker = true) as
select
  n.site_id, n.created_at, n.at, n.event_type, n.measure, n.unit, n.value,
  audience_gate.histogram_bucket(n.value) as bucket
from (
  select
    e.site_id, e.created_at, coalesce(e.occurred_at, e.created_at) as at, e.event_type,
    m.metadata_key as measure, m.unit,
    case when jsonb_typeof(e.metadata -> m.metadata_key) = 'number'
      then least(greatest((e.metadata ->> m.metadata_key)::numeric, 0), 1e15) end as value
  from public.audience_events e
  join audience_gate.performance_measures m on m.event_type = e.event_type
  where not e.rejected and e.contract is not null
) n
where n.value is not null;

create or replace function audience_gate.recent_events(p_site uuid, p_limit integer)
returns table (
  id uuid, recorded_at timestamptz, event_type text, event_category text, tier text, event_source text, rejected
  boolean, rule_id text
)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if not audience_gate.can_read_site(p_site) then
    raise exception 'not a member of this site' using errcode = '42501', hint = 'ask the owner of the site for membership';
  end if;
  return query
    select
      e.id, e.created_at, e.event_type, e.event_category, t.tier, e.event_source,
      e.rejected, case when e.rejected then e.metadata ->> 'validation_rule_id' end
    from public.audience_events e
    left join public.audience_event_types t on t.id = e.event_type
    where e.site_id = p_site and e.contract is not null
    order by e.created_at desc, e.id
    limit least(greatest(p_limit, 1), 100);
end
$$;

create or replace view audience_gate.received with (security_invoker = true) as
select
  e.site_id, e.created_at,
  case when e.contract is null then 'unjudged'
    when e.rejected then coalesce(e.metadata ->> 'validation_rule_id', 'unknown') else '' end as rule_id,
  a.replayed_at
from public.audience_events e
left join public.audience_event_replays a on e.rejected and a.audit_id = e.id
left join public.audience_event_replays n on not e.rejected and n.event_id = e.id
left join audience_gate.legacy_judgements j on e.contract is null and j.event_id = e.id and j.audit_id is not null
where n.event_id is null and j.event_id is null;
comment on view audience_gate.received is
  'Each event that was received, once. A replay does not count beside the rejection that it replays, nor a row from '
  'before the gate beside the audit row of its rejection.';
comment on column audience_gate.received.site_id is 'The site.';
comment on column audience_gate.received.created_at is 'When the event was received.';
comment on column audience_gate.received.rule_id is
  'The first rule that the event broke; empty: it was accepted; unjudged: nobody has judged it.';
comment on column audience_gate.received.replayed_at is
  'When the rejected event was accepted after all; null: it was not.';
alter view audience_gate.received owner to audience_gate_owner;
revoke all on audience_gate.received from public, anon, authenticated, service_role;

create or replace view audience_gate.receipts with (security_invoker = true) as
select r.site_id, r.created_at, case when r.replayed_at is null then r.rule_id else '' end as rule_id
from audience_gate.received r
where r.rule_id <> 'unjudged';
comment on view audience_gate.receipts is
  'All judged events as they were received: accepted (rule_id empty) or rejected by a rule. One that was rejected '
  'first and replayed since is accepted.';

drop materialized view audience_gate.data_quality_by_rule;
create materialized view audience_gate.data_quality_by_rule as
select
  r.site_id, case when r.replayed_at < s.covered_until then '' else r.rule_id end as rule_id,
  date_bin('15 minutes', r.created_at, timestamptz '2000-01-01Z') as slot, count(*)::bigint as events, max(r.created_at) as last_at
from audience_gate.received r
cross join audience_gate.analytics_settings s
where r.created_at < s.covered_until
group by 1, 2, 3
with data;
create unique index if not exists idx_data_quality_by_rule_key on audience_gate.data_quality_by_rule (site_id, slot, rule_id);
comment on materialized view audience_gate.data_quality_by_rule is
  'Events received, by site and by slot of fifteen minutes: accepted (rule_id empty), rejected by each rule, and those '
  'that nobody has judged (rule_id unjudged).';
comment on column audience_gate.data_quality_by_rule.site_id is 'The site.';
comment on column audience_gate.data_quality_by_rule.rule_id is 'The rule; empty: accepted; unjudged: not judged yet.';
comment on column audience_gate.data_quality_by_rule.slot is 'When the fifteen minutes began.';
comment on column audience_gate.data_quality_by_rule.events is 'How many events.';
comment on column audience_gate.data_quality_by_rule.last_at is 'When the last of them was received.';
alter materialized view audience_gate.data_quality_by_rule owner to audience_gate_owner;
revoke all on audience_gate.data_quality_by_rule from public, anon, authenticated, service_role;
