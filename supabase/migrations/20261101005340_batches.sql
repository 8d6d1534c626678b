-- The batch function: who is believed, what a call costs whatever becomes of it, and how a batch is recorded.

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
  ), rejected as materialized (
    select j.ordinal, j.item -> 'index' as index, j.rule_ids,
      case when not 'base.id' = any (j.rule_ids) then j.item -> 'id' end as id,
      jsonb_build_object(
        'index', j.item -> 'index',
        'user_id', case when j.rule_ids && array['base.user_id', 'identity.user_id'] then null else j.item -> 'user_id' end,
        'session_id', audience_gate.audit_session(
          case when jsonb_typeof(j.item -> 'session_id') = 'string' then j.item ->> 'session_id' end, j.rule_ids),
        'event_source', source_system,
        'site_id', case when j.rule_ids && array['base.site_id', 'identity.site'] then null else j.item -> 'site_id' end,
        'metadata', audience_gate.rejection_metadata(j.event, j.rule_ids, source_system)
          || case
            when 'base.id' = any (j.rule_ids) or j.item ->> 'id' is null then '{}'
            else jsonb_build_object('event_id', lower(j.item ->> 'id'))
          end
      ) as audit
    from judged j where j.rule_ids <> '{}'
  )
  select jsonb_build_object(
    'passed', coalesce((select jsonb_agg(audience_gate.storable(j.item) order by j.ordinal) from judged j where j.rule_ids = '{}'), '[]'),
    'rejected', coalesce((select jsonb_agg(r.audit order by r.ordinal) from rejected r), '[]'),
    'answers', coalesce((
      select jsonb_agg(audience_gate.refusal((r.index)::integer, (r.id #>> '{}')::uuid, r.audit -> 'metadata') order by r.ordinal)
      from rejected r), '[]')
  )
$$;
comment on function audience_gate.judge_again(jsonb, text, uuid, text, timestamptz, text) is
  'Judges the rows of a batch by the contract of this database, for callers that cannot prove to have judged by it.';

create or replace function audience_gate.rule_ids(violations jsonb)
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
  select coalesce(array_agg(coalesce(v.item ->> 'rule_id', v.item #>> '{}') order by v.place), '{}')
  from jsonb_array_elements(case when jsonb_typeof(violations) = 'array' then violations else '[]' end)
    with ordinality as v (item, place)
$$;
comment on function audience_gate.rule_ids(jsonb) is
  'The rules of the violations of an audit row, whether they name their places or, in rows of before 0.2.0, do not.';

-- Of a rejection that an unproven caller reports, the snapshot is taken and redacted again, and the rules that there are.
create or replace function audience_gate.rebuilt_rejections(reported jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'index', r.item -> 'index',
      'user_id', r.item -> 'user_id',
      'session_id', audience_gate.audit_session(
        case when jsonb_typeof(r.item -> 'session_id') = 'string' then r.item ->> 'session_id' end, array['privacy.raw_email']),
      'event_source', 'database',
      'site_id', r.item -> 'site_id',
      'metadata', audience_gate.rejection_metadata(c.snapshot, c.rule_ids, 'database')
        || jsonb_strip_nulls(jsonb_build_object('event_id', c.event_id))
    ) order by r.place), '[]')
  from jsonb_array_elements(reported) with ordinality as r (item, place)
  cross join lateral (
    select coalesce(r.item #> '{metadata,original_payload_snapshot}', '{}') as snapshot,
      coalesce(r.item #>> '{metadata,event_id}', r.item ->> 'id')::uuid as event_id,
      coalesce(nullif(array(
        select v from unnest(audience_gate.rule_ids(r.item #> '{metadata,violations}')) v where audience_gate.reason(v) is not null
      ), '{}'), array['parse.shape']) as rule_ids
  ) c
$$;
comment on function audience_gate.rebuilt_rejections(jsonb) is
  'Audit rows made by the database from those that a caller reported and did not prove: its own, whatever they said.';

-- Rows that concern each other are decided in the order in which they were sent. For the others the order cannot matter.
create or replace function audience_gate.record_batch(sent_rows jsonb, source_system text)
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
  buckets integer[];
  doubtful boolean;
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
    return jsonb_build_object('accepted', 0, 'replayed', '[]'::jsonb, 'refused', '[]'::jsonb);
  end if;
  -- The log before the sessions and before the views into it: the order in which direct inserts lock them.
  lock table public.audience_events in row exclusive mode;
  perform audience_gate.lock_sessions(buckets);
  return audience_gate.record_events(
    sent_rows, case when doubtful then audience_gate.decided(sent_rows) end, source_system);
end;
$$;
comment on function audience_gate.record_batch(jsonb, text) is
  'Takes the locks of a batch and records its rows, so that double fires within it are decided in the order in '
  'which they were sent.';

-- Events that name no site count like those that name the default one.
create or replace function audience_gate.with_rate_keys(batch jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select case
    when jsonb_typeof(batch -> 'rate' -> 'keys') is distinct from 'array' then batch
    else jsonb_set(batch, '{rate,keys}', (
      with sent as materialized (
        select e.session_id, e.site_id, true as accepted
        from jsonb_to_recordset(coalesce(nullif(batch -> 'accepted', 'null'), '[]'))
          as e (session_id text, site_id text)
        union all
        select null, e.site_id, false
        from jsonb_to_recordset(coalesce(nullif(batch -> 'rejected', 'null'), '[]')) as e (site_id text)
      ), due as (
        select k.key, k.scope, coalesce(k.cost, (select count(*) from sent)) as cost
        from jsonb_to_recordset(batch -> 'rate' -> 'keys') as k (key text, scope text, cost bigint)
        union all
        -- Of accepted events only: rejected ones may share the placeholder of sessions that could not be kept.
        select md5(s.session_id), 'session', count(*) from sent s where s.accepted group by s.session_id
        union all
        select coalesce(s.site_id, audience_gate.default_site()::text), 'site', count(*) from sent s group by 1
      )
      select coalesce(jsonb_agg(jsonb_build_object('key', d.key, 'scope', d.scope, 'cost', d.cost)), '[]') from due d
    ))
  end
$$;
comment on function audience_gate.with_rate_keys(jsonb) is
  'The batch with all of its rate keys: those that came with it, with what each costs, and those of its sessions '
  'and sites.';

create or replace function audience_gate.most_unproven_bytes()
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$ select 131072 $$;
comment on function audience_gate.most_unproven_bytes() is
  'How many bytes a batch may have that is judged again, which takes the database far longer than a proven one.';

-- The sender is charged first and whatever comes next: a batch that runs into the time limit, or into somebody's lock, gives
-- back all but the charge. A wait ends before the function gives up.
create or replace function audience_gate.take_batch(batch jsonb, nonce text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
set lock_timeout = '5s'
as $$
declare
  source_system constant text := coalesce(batch ->> 'source_system', 'edge-function');
  dry_run constant boolean := coalesce((batch ->> 'dry_run')::boolean, false);
  is_current boolean;
  accepted jsonb := coalesce(nullif(batch -> 'accepted', 'null'), '[]');
  rejected jsonb := coalesce(nullif(batch -> 'rejected', 'null'), '[]');
  refused jsonb := jsonb_build_array();
  rate jsonb;
  judged jsonb;
  stored jsonb;
  failed text;
begin
  if current_setting('transaction_isolation') = 'repeatable read' then
    raise exception 'ingest_audience_events cannot run under repeatable read'
      using errcode = 'feature_not_supported',
            detail = 'double fires recorded meanwhile could not be seen',
            hint = 'use read committed or serializable';
  end if;
  if nonce is null and octet_length(accepted::text) + octet_length(rejected::text) > audience_gate.most_unproven_bytes() then
    raise exception 'an unsigned batch holds at most % bytes', audience_gate.most_unproven_bytes()
      using errcode = 'program_limit_exceeded', hint = 'send fewer events, or give the function its AUDIENCE_GATE_SIGNING_KEY';
  end if;

  begin
    rate := audience_gate.charge(batch -> 'rate');
  exception
    when lock_not_available or deadlock_detected or query_canceled then
      return jsonb_build_object('recorded', false, 'failed', 'busy');
  end;
  if rate ? 'retry_after' then
    return jsonb_build_object('recorded', false, 'limited', rate);
  end if;

  for attempt in 1 .. 3 loop
    failed := null;
    begin
      -- The contract cannot change between the comparison and the record.
      perform audience_gate.hold_contract();
      is_current := nonce is not null and batch ->> 'contract' = audience_gate.contract_fingerprint()
        and batch ->> 'registry' = audience_gate.registry_version();
      if is_current is not true and judged is null then
        judged := audience_gate.judge_again(
          accepted, coalesce(batch ->> 'caller', 'visitor'), (batch ->> 'caller_id')::uuid, batch ->> 'origin',
          coalesce((batch ->> 'received_at')::timestamptz, now()), source_system);
        accepted := judged -> 'passed';
        rejected := case when nonce is null then audience_gate.rebuilt_rejections(rejected) else rejected end
          || (judged -> 'rejected');
        refused := judged -> 'answers';
      end if;

      stored := audience_gate.record_batch(accepted, source_system);
      if audience_gate.own_rules_observe() then
        perform audience_gate.observe_rows(accepted);
      end if;
      if rejected <> '[]' then
        perform audience_gate.record_rejections(rejected, nonce);
      end if;
      if dry_run then
        raise sqlstate 'AG001';
      end if;
    exception
      when sqlstate 'AG001' then
        null; -- a dry run was judged like any other batch, and is undone
      when serialization_failure or deadlock_detected then
        failed := 'busy';
      when lock_not_available then
        return jsonb_build_object('recorded', false, 'failed', 'busy', 'rate', rate);
      when query_canceled or program_limit_exceeded or insufficient_resources then
        return jsonb_build_object('recorded', false, 'failed', 'too much work', 'rate', rate);
      when data_exception or integrity_constraint_violation then
        -- The server's own message would quote a value.
        raise exception 'the batch does not have the form of a judged batch'
          using errcode = 'invalid_parameter_value',
                hint = 'send what the gate''s judge() returns, unchanged';
    end;
    exit when failed is null;
  end loop;
  if failed is not null then
    return jsonb_build_object('recorded', false, 'failed', failed, 'rate', rate);
  end if;

  return jsonb_build_object(
    'recorded', true,
    'accepted', stored -> 'accepted',
    'replayed', stored -> 'replayed',
    'rejected', refused || (stored -> 'refused'),
    'rate', rate
  );
end;
$$;
comment on function audience_gate.take_batch(jsonb, text) is
  'Charges, judges and records a batch. Nonce: of the call that proved who judged it; null: nobody did, so it is judged here.';

create or replace function audience_gate.ingest(batch jsonb)
returns jsonb
language sql
volatile
security definer
set search_path = ''
as $$ select audience_gate.take_batch(batch, null) $$;
comment on function audience_gate.ingest(jsonb) is
  'Judges and records a batch that comes without a signature: what public.ingest_audience_events() runs.';

create or replace function audience_gate.ingest_signed(body text, signature text)
returns jsonb
language sql
volatile
security definer
set search_path = ''
as $$
  select audience_gate.take_batch(
    audience_gate.with_rate_keys(body::jsonb -> 'batch'), audience_gate.proven_call(signature, body))
$$;
comment on function audience_gate.ingest_signed(text, text) is
  'Records a batch with the proof that comes with it: what public.ingest_audience_events_signed() runs.';

create or replace function public.ingest_audience_events(batch jsonb)
returns jsonb
language sql
volatile
set search_path = ''
as $$ select audience_gate.ingest(audience_gate.with_rate_keys(batch)) $$;
comment on function public.ingest_audience_events(jsonb) is
  'Records one batch of events, each judged here, and answers for each row that is a replay or was rejected. For the service '
  'role only.';

-- The batch comes as a text, because a document would not keep the bytes that are signed.
create or replace function public.ingest_audience_events_signed(body text, signature text)
returns jsonb
language sql
volatile
set search_path = ''
as $$ select audience_gate.ingest_signed(body, signature) $$;
comment on function public.ingest_audience_events_signed(text, text) is
  'Records one batch that the gate''s function judged, which the signature of its body proves; without a valid one the batch is '
  'judged like any other. For the service role only.';

do $$
declare
  signature text;
begin
  foreach signature in array array['judge_again(jsonb, text, uuid, text, timestamptz, text)', 'rebuilt_rejections(jsonb)',
    'record_batch(jsonb, text)', 'most_unproven_bytes()', 'take_batch(jsonb, text)', 'ingest(jsonb)', 'ingest_signed(text, text)'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_store', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
revoke all on function audience_gate.rule_ids(jsonb) from public, anon, authenticated, service_role;
grant execute on function audience_gate.rule_ids(jsonb) to audience_gate_owner, audience_gate_store;
grant execute on function audience_gate.with_rate_keys(jsonb) to audience_gate_store;
grant execute on function audience_gate.take_batch(jsonb, text) to audience_gate_owner;
grant execute on function audience_gate.ingest(jsonb) to service_role;
grant execute on function audience_gate.ingest_signed(text, text) to service_role;
revoke all on function public.ingest_audience_events_signed(text, text) from public, anon, authenticated;
grant execute on function public.ingest_audience_events_signed(text, text) to service_role;
