-- The batch function: what the Edge Function calls once a request, with what its own engine judged.
--
-- Set-based. Repeats and replays are always decided here; the other rules only where the caller does not
-- prove, by fingerprint and registry version, that it judged by the contract and registry of this database.

-- Records rows that passed every other rule and of which no two can be repeats or replays of each other.
create or replace function audience_gate.record_events(sent_rows jsonb, source_system text)
returns jsonb
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  answer jsonb;
begin
  with sent as materialized (
    select x.*,
      coalesce(x.occurred_at, now()) as happened_at,
      coalesce(x.site_id, '00000000-0000-4000-8000-000000000001') as site,
      hashtextextended(x.session_id, hashtextextended(x.event_type, coalesce(uuid_hash_extended(x.user_id, 0), 0))) as fire_key
    from jsonb_to_recordset(sent_rows) as x (
      index integer, id uuid, site_id uuid, session_id text, event_type text, event_category text,
      event_source text, utm_source text, utm_medium text, utm_campaign text, utm_content text,
      utm_term text, user_id uuid, occurred_at timestamptz, metadata jsonb
    )
  ), seen as materialized (
    select s.*, known.rejected as known_rejected, coalesce(repeat.found, false) as repeated
    from sent s
    -- "limit 1" keeps the planner from joining the whole log instead of looking rows up.
    left join lateral (
      select e.rejected from public.audience_events e where e.id = s.id limit 1
    ) known on true
    left join lateral (
      select true as found
      from public.audience_events e
      where hashtextextended(e.session_id, hashtextextended(e.event_type, coalesce(uuid_hash_extended(e.user_id, 0), 0))) = s.fire_key
        and coalesce(e.occurred_at, e.created_at) > s.happened_at - interval '3 seconds'
        and coalesce(e.occurred_at, e.created_at) < s.happened_at + interval '3 seconds'
        and not e.rejected
        and (e.session_id, e.event_type, e.user_id, e.site_id)
          is not distinct from (s.session_id, s.event_type, s.user_id, s.site)
      limit 1
    ) repeat on true
  ), stored as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium,
      utm_campaign, utm_content, utm_term, metadata, site_id, occurred_at, rejected
    )
    select s.id, now(), s.user_id, s.session_id, s.event_type, s.event_category, s.event_source, s.utm_source,
      s.utm_medium, s.utm_campaign, s.utm_content, s.utm_term, coalesce(s.metadata, '{}'), s.site, s.occurred_at, false
    from seen s
    where s.known_rejected is null and not s.repeated
    on conflict (id) do nothing
    returning id
  ), audited as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected
    )
    select s.id, now(), s.user_id, s.session_id, 'event_validation_fail', 'system', source_system,
      audience_gate.rejection_metadata(
        jsonb_strip_nulls(to_jsonb(s) - array['index', 'metadata', 'happened_at', 'site', 'fire_key', 'known_rejected', 'repeated'])
          || jsonb_build_object('metadata', coalesce(s.metadata, '{}')),
        array['duplicate.double_fire'], source_system),
      s.site, true
    from seen s
    where s.known_rejected is null and s.repeated
    on conflict (id) do nothing
  )
  select jsonb_build_object(
    'accepted', (select count(*) from stored),
    'replayed', coalesce((
      select jsonb_agg(s.index)
      from seen s
      where not s.known_rejected
        -- Recorded between the look-up and the insert, by another session's request with the same id.
        or (s.known_rejected is null and not s.repeated
          and (select count(*) from stored) < (select count(*) from seen a where a.known_rejected is null and not a.repeated)
          and s.id <> all (array(select t.id from stored t)))
    ), '[]'),
    'repeated', coalesce((
      select jsonb_agg(jsonb_build_object('index', s.index, 'id', s.id))
      from seen s where s.known_rejected is null and s.repeated), '[]'),
    'known_rejected', coalesce((
      select jsonb_agg(jsonb_build_object('index', s.index, 'id', s.id))
      from seen s where s.known_rejected), '[]')
  ) into answer;
  return answer;
end;
$$;
comment on function audience_gate.record_events(jsonb, text) is
  'Records judged rows: finds replays and repeats among what is stored, writes the rest and the audit rows of the repeats.';

-- Puts rejected events down as audit rows: those the caller rejected come finished.
create or replace function audience_gate.record_rejections(rows_rejected jsonb)
returns void
language sql
volatile
set search_path = ''
as $$
  insert into public.audience_events (
    id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected
  )
  select coalesce(x.id, gen_random_uuid()), now(), x.user_id, x.session_id, 'event_validation_fail', 'system',
    x.event_source, x.metadata, coalesce(x.site_id, '00000000-0000-4000-8000-000000000001'), true
  from jsonb_to_recordset(rows_rejected) as x (
    index integer, id uuid, user_id uuid, session_id text, event_source text, site_id uuid, metadata jsonb
  )
  on conflict (id) do nothing
$$;
comment on function audience_gate.record_rejections(jsonb) is 'Writes finished audit rows, one for each event id.';

-- Judges rows whose sender could not prove its contract: {"passed": [row], "rejected": [audit row], "answers": [answer]}.
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
  'Judges the rows of a batch by this database''s contract and splits them.';

-- Rows that could be repeats or replays of an earlier row of the same batch go one by one, in the order they
-- were sent, after all others; a row's place among the others cannot matter.
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
    select x.id, hashtext(x.session_id) & 511 as bucket,
      hashtextextended(x.session_id, hashtextextended(x.event_type, coalesce(uuid_hash_extended(x.user_id, 0), 0))) as fire_key,
      coalesce(x.occurred_at, now()) as happened_at
    from jsonb_to_recordset(sent_rows)
      as x (id uuid, session_id text, event_type text, user_id uuid, occurred_at timestamptz)
  )
  select (select array_agg(distinct k.bucket order by k.bucket) from keys k),
    (select count(*) <> count(distinct k.id) from keys k)
    or (select bool_or(k.near) from (
      select happened_at - lag(happened_at) over (partition by fire_key order by happened_at) < interval '3 seconds' as near
      from keys) k)
  into buckets, doubtful;

  if buckets is null then
    return jsonb_build_object('accepted', 0, 'replayed', '[]'::jsonb, 'repeated', '[]'::jsonb, 'known_rejected', '[]'::jsonb);
  end if;
  perform audience_gate.lock_sessions(buckets);
  if doubtful is not true then
    return audience_gate.record_events(sent_rows, source_system);
  end if;

  with keys as (
    select r.ordinal, r.id, r.happened_at, r.fire_key,
      r.happened_at - lag(r.happened_at) over (partition by r.fire_key order by r.happened_at) < interval '3 seconds' as near
    from (
      select x.ordinal, x.id, coalesce(x.occurred_at, now()) as happened_at,
        hashtextextended(x.session_id, hashtextextended(x.event_type, coalesce(uuid_hash_extended(x.user_id, 0), 0))) as fire_key
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
  'Takes the locks of a batch and records its rows so that repeats within it are decided in the order they were sent.';

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
            detail = 'repeats recorded meanwhile could not be seen',
            hint = 'use read committed or serializable';
  end if;

  rate := audience_gate.charge(batch -> 'rate');
  if rate ? 'retry_after' then
    return jsonb_build_object('recorded', false, 'limited', rate);
  end if;

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
      null; -- judged like any other batch, and undone
    when data_exception or integrity_constraint_violation then
      -- The server's own message would quote the value.
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
comment on function audience_gate.ingest(jsonb) is 'Records a batch; what public.ingest_audience_events runs.';

-- What to answer for the rows the store refused: repeats, and ids that stand for an earlier rejection.
create or replace function audience_gate.refusals(stored jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(f.answer order by f.index), '[]') from (
    select (r.item -> 'index')::integer as index, r.item || jsonb_build_object(
      'rule_id', 'duplicate.double_fire',
      'reason', audience_gate.reason('duplicate.double_fire'),
      'violations', jsonb_build_array('duplicate.double_fire')) as answer
    from jsonb_array_elements(stored -> 'repeated') as r (item)
    union all
    select (r.item -> 'index')::integer, r.item || jsonb_build_object(
      'rule_id', e.metadata -> 'validation_rule_id',
      'reason', e.metadata -> 'rejection_reason',
      'violations', e.metadata -> 'violations')
    from jsonb_array_elements(stored -> 'known_rejected') as r (item)
    cross join lateral (
      select a.metadata from public.audience_events a where a.id = (r.item ->> 'id')::uuid limit 1
    ) e
  ) f
$$;
comment on function audience_gate.refusals(jsonb) is 'The answers for rows refused by the store, with the rule and its reason.';

create or replace function public.ingest_audience_events(batch jsonb)
returns jsonb
language sql
volatile
set search_path = ''
as $$ select audience_gate.ingest(batch) $$;
comment on function public.ingest_audience_events(jsonb) is
  'Records one judged batch of events and answers for each row that is a replay or was refused. Service role only.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'record_events(jsonb, text)', 'record_rejections(jsonb)', 'record_batch(jsonb, text)', 'refusals(jsonb)',
    'judge_again(jsonb, text, uuid, text, timestamptz, text)', 'ingest(jsonb)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_store', signature);
    execute format('revoke all on function audience_gate.%s from public', signature);
  end loop;
end $$;
grant execute on function audience_gate.ingest(jsonb) to service_role;
revoke all on function public.ingest_audience_events(jsonb) from public, anon, authenticated;
grant execute on function public.ingest_audience_events(jsonb) to service_role;
