-- The rows from before the gate, judged afterwards: online, in batches, and without a change to what they hold. An
-- accepted row is stamped with the contract. A rejected one stays as it is and gets an audit row, like every event that
-- is rejected. `audience-gate legacy` calls these.

create or replace function audience_gate.record_legacy_rejections(rows_rejected jsonb[])
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  insert into public.audience_events (
    id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected, contract
  )
  select (r.item ->> 'id')::uuid, (r.item ->> 'created_at')::timestamptz, (r.item ->> 'user_id')::uuid, r.item ->> 'session_id',
    'event_validation_fail', 'system', 'legacy', r.item -> 'metadata', (r.item ->> 'site_id')::uuid, true,
    audience_gate.contract_fingerprint()
  from unnest(rows_rejected) as r (item)
  on conflict do nothing
$$;
comment on function audience_gate.record_legacy_rejections(jsonb[]) is
  'Inserts the audit rows of rows from before the gate, at the times of those rows.';
alter function audience_gate.record_legacy_rejections(jsonb[]) owner to audience_gate_store;
revoke all on function audience_gate.record_legacy_rejections(jsonb[]) from public;
grant execute on function audience_gate.record_legacy_rejections(jsonb[]) to audience_gate_owner;

create or replace function audience_gate.settle_legacy(stamped uuid[], first_at timestamptz, last_at timestamptz)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  with judged as (
    update public.audience_events e set contract = audience_gate.contract_fingerprint(), recorded_xid = pg_current_xact_id()
    where e.id = any (stamped) and e.created_at between first_at and last_at and e.contract is null
    returning e.id, e.site_id, e.user_id, e.event_category, e.created_at
  ), corrected as (
    -- As the statement finds the rows: what receipt_slots may hold of them, it holds as unjudged.
    insert into audience_gate.receipt_corrections (site_id, slot, rule_id, events, basis)
    select e.site_id, date_bin('15 minutes', e.created_at, timestamptz '2000-01-01Z'), 'unjudged', -1, e.recorded_xid
    from public.audience_events e
    join judged j on j.id = e.id
    where e.created_at between first_at and last_at
      and not exists (select from audience_gate.legacy_judgements l where l.event_id = e.id and l.audit_id is not null)
  ), linked as (
    insert into public.audience_event_replays (audit_id, event_id, site_id, replayed_by)
    select l.audit_id, j.id, j.site_id, audience_gate.changed_by()
    from judged j join audience_gate.legacy_judgements l on l.event_id = j.id
    where l.audit_id is not null
    on conflict do nothing
  )
  insert into audience_gate.state_pending (site_id, user_id, first_at, last_at, recompute)
  select j.site_id, j.user_id, min(j.created_at), max(j.created_at), true
  from judged j where j.user_id is not null and j.event_category <> 'system'
  group by j.site_id, j.user_id
$$;
comment on function audience_gate.settle_legacy(uuid[], timestamptz, timestamptz) is
  'Stamps rows with the contract in force, and notes whose state is to be derived with them. A row that was rejected '
  'before is linked to its audit row, like a replay.';
alter function audience_gate.settle_legacy(uuid[], timestamptz, timestamptz) owner to audience_gate_owner;
revoke all on function audience_gate.settle_legacy(uuid[], timestamptz, timestamptz) from public;

-- The settings keep every plan on an index, even one that was made while the table was empty.
create or replace function audience_gate.legacy_judge(
  after jsonb default null, max_rows integer default 1000, dry_run boolean default true, again boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  samples constant integer := 3;
  fingerprint constant text := audience_gate.contract_fingerprint();
  since constant timestamptz := coalesce((after ->> 'created_at')::timestamptz, '-infinity');
  since_id constant uuid := coalesce((after ->> 'id')::uuid, '00000000-0000-0000-0000-000000000000');
  old public.audience_events;
  event jsonb;
  found_wrong text[];
  finding jsonb;
  kind text;
  examined integer := 0;
  first_at timestamptz;
  stamped uuid[] := array[]::uuid[];
  audits jsonb[] := array[]::jsonb[];
  failures jsonb := jsonb '[]';
  by_rule jsonb := jsonb '{}';
  by_type jsonb := jsonb '{}';
  outcome text;
begin
  if max_rows is null or max_rows not between 1 and 10000 then
    raise exception 'max_rows must be between 1 and 10000' using errcode = 'invalid_parameter_value';
  end if;
  if not dry_run then
    if to_regclass('audience_gate_standby.audience_events') is not null then
      raise exception 'the event log is being moved' using errcode = 'object_not_in_prerequisite_state',
        hint = 'end the move first: select audience_gate.drop_standby()';
    end if;
    if not pg_try_advisory_xact_lock(hashtextextended('audience_gate.legacy_judge', 0)) then
      raise exception 'somebody else is judging these rows' using errcode = 'object_in_use', hint = 'wait for their end';
    end if;
  end if;
  -- The contract cannot change within a batch.
  perform audience_gate.hold_contract();

  for old in
    select e.* from public.audience_events e
    where e.contract is null and e.created_at >= since and (e.created_at, e.id) > (since, since_id)
      and not exists (
        select from audience_gate.legacy_judgements j
        left join public.audience_event_replays r on r.audit_id = j.audit_id
        where j.event_id = e.id and (not again or r.audit_id is not null))
    order by e.created_at, e.id
    limit max_rows
  loop
    examined := examined + 1;
    first_at := coalesce(first_at, old.created_at);
    kind := left(audience_gate.redact(to_jsonb(old.event_type)) #>> '{}', 64);
    begin
      event := jsonb_strip_nulls(to_jsonb(old) - array['metadata', 'created_at', 'rejected', 'contract', 'recorded_xid'])
        || jsonb_build_object('metadata', old.metadata);
      found_wrong := audience_gate.row_violations(old, 'trusted', null, null, old.created_at);
      if found_wrong = '{}' and exists (
        select from public.audience_events e
        where audience_gate.fire_key(e.session_id, e.event_type, e.user_id)
            = audience_gate.fire_key(old.session_id, old.event_type, old.user_id)
          and coalesce(e.occurred_at, e.created_at) > coalesce(old.occurred_at, old.created_at) - audience_gate.fire_window()
          and coalesce(e.occurred_at, e.created_at) < coalesce(old.occurred_at, old.created_at) + audience_gate.fire_window()
          and not e.rejected and (e.contract is not null or e.id = any (stamped))
          and (e.session_id, e.event_type, e.user_id) is not distinct from (old.session_id, old.event_type, old.user_id)
      ) then
        found_wrong := array['duplicate.double_fire'];
      end if;
      if found_wrong = '{}' then
        stamped := array_append(stamped, old.id);
        outcome := 'accepted';
      else
        finding := audience_gate.rejection_metadata(event, found_wrong, 'legacy');
        audits := array_append(audits, jsonb_build_object(
          'id', audience_gate.derived_id('legacy', old.id || '|' || fingerprint), 'event_id', old.id, 'created_at', old.created_at,
          'user_id', old.user_id, 'site_id', old.site_id, 'session_id', audience_gate.audit_session(old.session_id, found_wrong),
          'metadata', finding));
        outcome := 'rejected';
        by_rule := by_rule || jsonb_build_object(found_wrong[1], jsonb_build_object(
          'rows', coalesce((by_rule #>> array[found_wrong[1], 'rows'])::integer, 0) + 1,
          'samples', coalesce(by_rule #> array[found_wrong[1], 'samples'], '[]') || case
            when coalesce((by_rule #>> array[found_wrong[1], 'rows'])::integer, 0) < samples then jsonb_build_array(
              jsonb_build_object('id', old.id, 'event', finding -> 'original_payload_snapshot'))
            else '[]' end));
      end if;
    exception when others then
      -- Named by its id and by the kind of failure; a message could quote a value.
      failures := failures || jsonb_build_array(jsonb_build_object('id', old.id, 'sqlstate', sqlstate));
      outcome := 'failed';
    end;
    by_type := by_type || jsonb_build_object(kind, coalesce(by_type -> kind, '{}')
      || jsonb_build_object(outcome, coalesce((by_type #>> array[kind, outcome])::integer, 0) + 1));
  end loop;

  if not dry_run and examined > 0 then
    perform audience_gate.settle_legacy(stamped, first_at, old.created_at);
    delete from audience_gate.legacy_judgements l where l.failure is not null and l.event_id = any (stamped
      || array(select (a.item ->> 'event_id')::uuid from unnest(audits) as a (item)));
    -- What was rejected before has its audit row already.
    audits := array(select a.item from unnest(audits) as a (item)
      where not exists (select from audience_gate.legacy_judgements l where l.event_id = (a.item ->> 'event_id')::uuid));
    perform audience_gate.record_legacy_rejections(audits);
    insert into audience_gate.legacy_judgements (event_id, contract, audit_id, failure, judged_by)
    select (a.item ->> 'event_id')::uuid, fingerprint, (a.item ->> 'id')::uuid, null, audience_gate.changed_by()
    from unnest(audits) as a (item)
    union all
    select (f.item ->> 'id')::uuid, fingerprint, null, f.item ->> 'sqlstate', audience_gate.changed_by()
    from jsonb_array_elements(failures) as f (item)
    on conflict do nothing;
  end if;

  return jsonb_build_object(
    'examined', examined,
    'accepted', cardinality(stamped),
    'rejected', examined - cardinality(stamped) - jsonb_array_length(failures),
    'failures', failures,
    'by_rule', by_rule,
    'by_type', by_type,
    'dry_run', dry_run,
    'next', case when examined = max_rows then jsonb_build_object('created_at', old.created_at, 'id', old.id) end
  );
end;
$$;
comment on function audience_gate.legacy_judge(jsonb, integer, boolean, boolean) is
  'Judges rows that nobody has judged, oldest first, by the contract and the registry in force and as of when they were '
  'recorded. Unless it is a dry run it stamps those that are accepted and writes an audit row for each that is not; a row '
  'whose judgement fails is named and stops nothing. Again: those that were rejected or failed before, too. If next is '
  'not null, pass it as after to go on.';
alter function audience_gate.legacy_judge(jsonb, integer, boolean, boolean) owner to audience_gate_owner;
revoke all on function audience_gate.legacy_judge(jsonb, integer, boolean, boolean) from public;
grant execute on function audience_gate.legacy_judge(jsonb, integer, boolean, boolean) to service_role;
