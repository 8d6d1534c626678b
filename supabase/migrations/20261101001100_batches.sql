-- The batch function: what the Edge Function calls once for each request, with what its own engine judged.
--
-- It works on sets of rows. Whether a row is a replay or a double fire is always decided here. All other rules
-- are judged here only if the caller cannot prove, by fingerprint and registry version, that it judged by
-- the contract and the registry of this database.

-- Answers {"passed": [row], "rejected": [audit row], "answers": [answer]}.
create or replace function audience_gate.judge_again(
  sent_rows jsonb, caller text, caller_id uuid, origin text, received_at timestamptz, source_system text
)
returns jsonb
language sql
stable
set search_path = ''
as $$
  with judged as materialized (
    select r.item, r.item - 'index' as event, r.ordinal,
      audience_gate.violations(r.item - 'index', caller, caller_id, origin, received_at) as rule_ids
    from jsonb_array_elements(sent_rows) with ordinality as r (item, ordinal)
  ), rejected as (
    select j.ordinal, j.item -> 'index' as index, j.rule_ids, jsonb_build_object(
      'id', case when 'base.id' = any (j.rule_ids) then null else j.item -> 'id' end,
      'user_id', case when j.rule_ids && array['base.user_id', 'identity.user_id'] then null else j.item -> 'user_id' end,
      'session_id', audience_gate.kept_session(j.item ->> 'session_id', j.rule_ids),
      'event_source', source_system,
      'site_id', case when j.rule_ids && array['base.site_id', 'identity.site'] then null else j.item -> 'site_id' end,
      'metadata', audience_gate.rejection_metadata(j.event, j.rule_ids, source_system)
    ) as audit
    from judged j where j.rule_ids <> '{}'
  )
  select jsonb_build_object(
    'passed', coalesce((select jsonb_agg(j.item order by j.ordinal) from judged j where j.rule_ids = '{}'), '[]'),
    'rejected', coalesce((select jsonb_agg(r.audit order by r.ordinal) from rejected r), '[]'),
    'answers', coalesce((
      select jsonb_agg(jsonb_build_object(
        'index', r.index, 'id', r.audit -> 'id', 'rule_id', r.rule_ids[1],
        'reason', audience_gate.reason(r.rule_ids[1]), 'violations', to_jsonb(r.rule_ids)) order by r.ordinal)
      from rejected r), '[]')
  )
$$;
comment on function audience_gate.judge_again(jsonb, text, uuid, text, timestamptz, text) is
  'Judges the rows of a batch by the contract of this database, for callers that cannot prove to have judged by it.';

-- Rows that may be double fires or replays of an earlier row of the same batch are recorded one by one, in the
-- order in which they were sent, after all others. For the others the order cannot matter.
create or replace function audience_gate.record_batch(sent_rows jsonb, source_system text)
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
  buckets integer[];
  doubtful boolean;
  together jsonb;
  one_by_one jsonb;
  next_row jsonb;
  answer jsonb;
  part jsonb;
begin
  with keys as materialized (
    select x.id, audience_gate.session_bucket(x.session_id) as bucket,
      audience_gate.fire_key(x.session_id, x.event_type, x.user_id) as fire_key,
      coalesce(x.occurred_at, now()) as happened_at
    from jsonb_to_recordset(sent_rows)
      as x (id uuid, session_id text, event_type text, user_id uuid, occurred_at timestamptz)
  )
  select (select array_agg(distinct k.bucket order by k.bucket) from keys k),
    (select count(*) <> count(distinct k.id) from keys k)
    or (select bool_or(k.near) from (
      select happened_at - lag(happened_at) over (partition by fire_key order by happened_at) < audience_gate.fire_window() as near
      from keys) k)
  into buckets, doubtful;

  if buckets is null then
    return jsonb_build_object('accepted', 0, 'replayed', '[]'::jsonb, 'repeated', '[]'::jsonb, 'known_rejected', '[]'::jsonb);
  end if;
  -- The log before the sessions and before the views into it: the order in which direct inserts lock them.
  lock table public.audience_events in row exclusive mode;
  perform audience_gate.lock_sessions(buckets);
  if doubtful is not true then
    return audience_gate.record_events(sent_rows, source_system);
  end if;

  with keys as (
    select r.ordinal, r.id, r.happened_at, r.fire_key,
      r.happened_at - lag(r.happened_at) over (partition by r.fire_key order by r.happened_at) < audience_gate.fire_window() as near
    from (
      select x.ordinal, x.id, coalesce(x.occurred_at, now()) as happened_at,
        audience_gate.fire_key(x.session_id, x.event_type, x.user_id) as fire_key
      from rows from (
        jsonb_to_recordset(sent_rows) as (id uuid, session_id text, event_type text, user_id uuid, occurred_at timestamptz)
      ) with ordinality as x (id, session_id, event_type, user_id, occurred_at, ordinal)
    ) r
  ), placed as (
    select sent_rows -> (k.ordinal::integer - 1) as item, k.ordinal,
      row_number() over (partition by k.id order by k.ordinal) > 1
      or (bool_or(k.near) over (partition by k.fire_key)
        and row_number() over (partition by k.fire_key order by k.ordinal) > 1) as late
    from keys k
  )
  select coalesce(jsonb_agg(p.item order by p.ordinal) filter (where p.late is not true), '[]'),
    coalesce(jsonb_agg(p.item order by p.ordinal) filter (where p.late), '[]')
  into together, one_by_one
  from placed p;

  answer := audience_gate.record_events(together, source_system);
  for next_row in select * from jsonb_array_elements(one_by_one) loop
    part := audience_gate.record_events(jsonb_build_array(next_row), source_system);
    answer := jsonb_build_object(
      'accepted', (answer ->> 'accepted')::integer + (part ->> 'accepted')::integer,
      'replayed', (answer -> 'replayed') || (part -> 'replayed'),
      'repeated', (answer -> 'repeated') || (part -> 'repeated'),
      'known_rejected', (answer -> 'known_rejected') || (part -> 'known_rejected')
    );
  end loop;
  return answer;
end;
$$;
comment on function audience_gate.record_batch(jsonb, text) is
  'Takes the locks of a batch and records its rows, so that double fires within it are decided in the order in '
  'which they were sent.';

create or replace function audience_gate.ingest(batch jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  source_system text := coalesce(batch ->> 'source_system', 'edge-function');
  dry_run boolean := coalesce((batch ->> 'dry_run')::boolean, false);
  accepted jsonb := coalesce(nullif(batch -> 'accepted', 'null'), '[]');
  rejected jsonb := coalesce(nullif(batch -> 'rejected', 'null'), '[]');
  refused jsonb := jsonb_build_array();
  rate jsonb;
  judged jsonb;
  stored jsonb;
begin
  if current_setting('transaction_isolation') = 'repeatable read' then
    raise exception 'ingest_audience_events cannot run under repeatable read'
      using errcode = 'feature_not_supported',
            detail = 'double fires recorded meanwhile could not be seen',
            hint = 'use read committed or serializable';
  end if;

  rate := audience_gate.charge(batch -> 'rate');
  if rate ? 'retry_after' then
    return jsonb_build_object('recorded', false, 'limited', rate);
  end if;

  -- The contract cannot change between the comparison and the record.
  perform audience_gate.hold_contract();
  begin
    if batch ->> 'contract' is distinct from audience_gate.contract_fingerprint()
      or batch ->> 'registry' is distinct from audience_gate.registry_version()
    then
      judged := audience_gate.judge_again(
        accepted, coalesce(batch ->> 'caller', 'visitor'), (batch ->> 'caller_id')::uuid, batch ->> 'origin',
        coalesce((batch ->> 'received_at')::timestamptz, now()), source_system);
      accepted := judged -> 'passed';
      rejected := rejected || (judged -> 'rejected');
      refused := judged -> 'answers';
    end if;

    stored := audience_gate.record_batch(accepted, source_system);
    if rejected <> '[]' then
      perform audience_gate.record_rejections(rejected);
    end if;
    refused := refused || audience_gate.refusals(stored);
    if dry_run then
      raise sqlstate 'AG001';
    end if;
  exception
    when sqlstate 'AG001' then
      null; -- a dry run was judged like any other batch, and is undone
    when data_exception or integrity_constraint_violation then
      -- The server's own message would quote a value.
      raise exception 'the batch does not have the form of a judged batch'
        using errcode = 'invalid_parameter_value',
              hint = 'send what the gate''s judge() returns, unchanged';
  end;

  return jsonb_build_object(
    'recorded', true,
    'accepted', stored -> 'accepted',
    'replayed', stored -> 'replayed',
    'rejected', refused,
    'rate', rate
  );
end;
$$;
comment on function audience_gate.ingest(jsonb) is
  'Charges, judges and records a batch: what public.ingest_audience_events() runs.';

create or replace function public.ingest_audience_events(batch jsonb)
returns jsonb
language sql
volatile
set search_path = ''
as $$ select audience_gate.ingest(audience_gate.with_rate_keys(batch)) $$;
comment on function public.ingest_audience_events(jsonb) is
  'Records one judged batch of events, and answers for each row that is a replay or was rejected. For the service '
  'role only.';
