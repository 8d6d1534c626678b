-- What a rule of an install's own in observe would have rejected is counted as it is accepted, whichever engine judged it.
create or replace function audience_gate.own_rules_observe()
returns boolean
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
  select exists (select from public.audience_own_rules own where own.mode = 'observe')
$$;
comment on function audience_gate.own_rules_observe() is 'Whether any rule of the install''s own only observes.';
alter function audience_gate.own_rules_observe() owner to audience_gate_owner;
revoke all on function audience_gate.own_rules_observe() from public, anon, authenticated, service_role;
grant execute on function audience_gate.own_rules_observe() to audience_gate_owner, audience_gate_store;

create or replace function audience_gate.observe_rows(sent_rows jsonb)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  insert into public.audience_observations (rule_id, site_id, event_source, event_type, minute, events, sample)
  select seen.rule_id, seen.site, seen.source, seen.type, date_trunc('minute', now()), seen.events,
    case when (
      select count(*) from (
        select from public.audience_observations o where o.rule_id = seen.rule_id and o.sample is not null limit 10) kept
    ) < 10 then audience_gate.redact(seen.first) end
  from (
    select failed.rule_id, event.site, coalesce(r.item ->> 'event_source', '') as source,
      coalesce(r.item ->> 'event_type', '') as type, count(*) as events,
      (array_agg(r.item - 'index' order by r.place))[1] as first
    from jsonb_array_elements(sent_rows) with ordinality as r (item, place)
    cross join lateral (select coalesce((r.item ->> 'site_id')::uuid, audience_gate.default_site()) as site) event
    cross join lateral unnest(audience_gate.own_violations(r.item, event.site, 'observe')) failed (rule_id)
    -- What was erased is accepted as a replay when it comes again, and is no sample.
    where not audience_gate.was_erased((r.item ->> 'id')::uuid)
    group by 1, 2, 3, 4
  ) seen
$$;
comment on function audience_gate.observe_rows(jsonb) is
  'Counts which of these accepted events a rule in observe would have rejected.';
alter function audience_gate.observe_rows(jsonb) owner to audience_gate_owner;
revoke all on function audience_gate.observe_rows(jsonb) from public, anon, authenticated, service_role;
grant execute on function audience_gate.observe_rows(jsonb) to audience_gate_owner, audience_gate_store;
