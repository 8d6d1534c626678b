-- Replays of rejections: the ids of the events derive under the secret of the install, the violations of an audit row may name
-- their places, and the batch is the gate's own.

create or replace function audience_gate.not_replayable(audit jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when jsonb_typeof(audit -> 'original_payload_snapshot') is distinct from 'object' then 'unreadable'
    when (audit ->> 'snapshot_shortened')::boolean or (audit -> 'original_payload_snapshot')::text like '%[shortened:%' then 'shortened'
    -- The ids are in columns of the audit row. In the copy one may have been taken for a card number.
    when ((audit -> 'original_payload_snapshot') - array['id', 'user_id', 'site_id'])::text like '%[redacted:%' then 'redacted'
    when (audience_gate.rule_ids(audit -> 'violations'))[1] like 'parse.%' then 'unreadable'
    when audience_gate.rule_ids(audit -> 'violations') && array['duplicate.double_fire', 'identity.id_reuse'] then 'duplicate'
    when exists (
      select from unnest(audience_gate.rule_ids(audit -> 'violations')) as v (rule_id)
      where v.rule_id like 'identity.%' or v.rule_id like '%.trusted_caller' or v.rule_id in ('base.user_id', 'base.site_id')
    ) then 'sender'
  end
$$;
comment on function audience_gate.not_replayable(jsonb) is
  'Why a rejection cannot be judged again, by the metadata of its audit row: shortened, redacted, unreadable, '
  'sender or duplicate; null: it can.';

-- The new id is made from the id of the audit row, so that a second replay finds the first, and under the secret of the
-- install, so that nobody can send an event under it before.
create or replace function audience_gate.replayed_event(
  audit_id uuid, received_at timestamptz, member uuid, site uuid, snapshot jsonb
)
returns jsonb
language sql
stable
parallel safe
set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object('user_id', member, 'site_id', site, 'occurred_at', received_at))
    || jsonb_strip_nulls(snapshot - array['metadata', 'id', 'user_id', 'site_id'])
    || case when snapshot ? 'metadata' then jsonb_build_object('metadata', snapshot -> 'metadata') else '{}' end
    || jsonb_build_object('id', audience_gate.derived_id('replay', audit_id::text))
$$;
comment on function audience_gate.replayed_event(uuid, timestamptz, uuid, uuid, jsonb) is
  'The event that an audit row stands for, under an id of its own, and with the time of its receipt if it named '
  'none.';

create or replace function audience_gate.replay(
  rule text, site uuid, from_time timestamptz, to_time timestamptz, max_events integer, after uuid, dry_run boolean
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  examined jsonb;
  passed jsonb;
  batch jsonb;
  refused jsonb;
  results jsonb;
begin
  if max_events is null or max_events not between 1 and 1000 then
    raise exception 'max_events must be between 1 and 1000' using errcode = 'invalid_parameter_value',
      hint = 'Call again with after set to the next of the answer.';
  end if;

  -- One at a time, so that each answers for what it did itself.
  perform pg_advisory_xact_lock(hashtextextended('audience_gate.replay', 0));
  select coalesce(jsonb_agg(jsonb_build_object(
    'audit_id', a.id, 'event', a.event, 'why', a.why,
    'violations', case when a.why is null then
      audience_gate.places(a.event, audience_gate.violations(a.event, 'trusted', null, null, a.created_at)) end
  ) order by a.created_at, a.id), '[]')
  into examined
  from (
    select e.id, e.created_at, audience_gate.not_replayable(e.metadata) as why,
      case when audience_gate.not_replayable(e.metadata) is null then audience_gate.replayed_event(
        e.id, e.created_at, e.user_id, e.site_id, e.metadata -> 'original_payload_snapshot') end as event
    from public.audience_events e
    where e.event_type = 'event_validation_fail' and e.rejected
      and (rule is null or e.metadata ->> 'validation_rule_id' = rule)
      and (site is null or e.site_id = site)
      and (from_time is null or e.created_at >= from_time)
      and (to_time is null or e.created_at < to_time)
      and (after is null or (e.created_at, e.id) > (select c.created_at, c.id from public.audience_events c where c.id = after))
      and not exists (select from public.audience_event_replays r where r.audit_id = e.id)
    order by e.created_at, e.id
    limit max_events
  ) a;

  select coalesce(jsonb_agg(audience_gate.storable(x.item -> 'event') || jsonb_build_object('index', x.place) order by x.place), '[]')
  into passed
  from jsonb_array_elements(examined) with ordinality as x (item, place)
  where x.item -> 'violations' = '[]';

  -- Once as a dry run, to see what the store refuses, which would otherwise be recorded as one more rejection;
  -- then in earnest.
  batch := jsonb_build_object(
    'contract', audience_gate.contract_fingerprint(), 'registry', audience_gate.registry_version(),
    'source_system', 'replay', 'caller', 'trusted', 'received_at', now(), 'accepted', passed, 'rejected', '[]'::jsonb);
  refused := audience_gate.take_batch(batch || '{"dry_run": true}', 'replay') -> 'rejected';
  select coalesce(jsonb_agg(p.item), '[]') into passed
  from jsonb_array_elements(passed) as p (item)
  where not exists (select from jsonb_array_elements(refused) as r (item) where r.item -> 'index' = p.item -> 'index');
  if not dry_run and passed <> '[]' then
    refused := refused || (audience_gate.take_batch(batch || jsonb_build_object('accepted', passed), 'replay') -> 'rejected');
  end if;

  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
    'audit_id', x.item -> 'audit_id',
    'status', case
      when x.item ->> 'why' is not null then 'not_replayable'
      when x.item -> 'violations' <> '[]' or d.item is not null then 'rejected'
      else 'accepted' end,
    'event_id', case when x.item -> 'violations' = '[]' and d.item is null then x.item #> '{event,id}' end,
    'why', x.item -> 'why',
    'violations', coalesce(nullif(x.item -> 'violations', '[]'), d.item -> 'violations')
  )) order by x.place), '[]')
  into results
  from jsonb_array_elements(examined) with ordinality as x (item, place)
  left join jsonb_array_elements(refused) as d (item) on (d.item -> 'index')::integer = x.place;

  if not dry_run then
    insert into public.audience_event_replays (audit_id, event_id, site_id, replayed_by)
    select (r.item ->> 'audit_id')::uuid, e.id, e.site_id, audience_gate.changed_by()
    from jsonb_array_elements(results) as r (item)
    join public.audience_events e on e.id = (r.item ->> 'event_id')::uuid
    where r.item ->> 'status' = 'accepted'
    on conflict (audit_id) do nothing;
  end if;

  return jsonb_build_object(
    'examined', jsonb_array_length(results),
    'accepted', (select count(*) from jsonb_array_elements(results) as r (item) where r.item ->> 'status' = 'accepted'),
    'rejected', (select count(*) from jsonb_array_elements(results) as r (item) where r.item ->> 'status' = 'rejected'),
    'not_replayable', coalesce((
      select jsonb_object_agg(w.why, w.events)
      from (
        select r.item ->> 'why' as why, count(*) as events
        from jsonb_array_elements(results) as r (item) where r.item ? 'why' group by 1
      ) w), '{}'),
    'dry_run', dry_run,
    'next', case when jsonb_array_length(results) = max_events then results -> -1 -> 'audit_id' end,
    'results', results
  );
end;
$$;
comment on function audience_gate.replay(text, uuid, timestamptz, timestamptz, integer, uuid, boolean) is
  'Judges stored rejections again: what public.audience_replay() runs.';
