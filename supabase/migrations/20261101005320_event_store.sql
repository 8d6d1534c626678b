-- How judged events are recorded, and which of them the log refuses.

-- What becomes of each row of a batch that repeats itself, in the order in which the rows were sent. One pass over the
-- rows, because one statement for each took a batch of a thousand repeats seconds.
--
-- Accepted events of one kind are at least a window apart, so a slot as long as the window holds at most one of them, and
-- whatever an event could repeat is in its own slot or in a neighbouring one.
create or replace function audience_gate.decided(sent_rows jsonb)
returns text[]
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  verdicts text[] := array[]::text[];
  contents_by_id integer[] := array[]::integer[];
  kind_by_slot integer[] := array[]::integer[];
  time_by_slot timestamptz[] := array[]::timestamptz[];
  repeats boolean;
  sent record;
begin
  for sent in
    with row as materialized (
      select x.ordinal, x.id, x.session_id, x.event_type, x.user_id, coalesce(x.occurred_at, now()) as happened_at,
        floor(extract(epoch from coalesce(x.occurred_at, now())) / extract(epoch from audience_gate.fire_window())) as period,
        audience_gate.contents(
          coalesce(x.site_id, audience_gate.default_site()), x.user_id, x.session_id, x.event_type, x.event_category,
          x.event_source, x.utm_source, x.utm_medium, x.utm_campaign, x.utm_content, x.utm_term, x.occurred_at,
          coalesce(x.metadata, '{}')) as contents
      from rows from (
        jsonb_to_recordset(sent_rows) as (
          id uuid, site_id uuid, session_id text, event_type text, event_category text, event_source text, utm_source text,
          utm_medium text, utm_campaign text, utm_content text, utm_term text, user_id uuid, occurred_at timestamptz, metadata jsonb
        )
      ) with ordinality as x (
        id, site_id, session_id, event_type, event_category, event_source, utm_source, utm_medium, utm_campaign, utm_content,
        utm_term, user_id, occurred_at, metadata, ordinal
      )
    )
    select
      dense_rank() over (order by r.id)::integer as id_number,
      dense_rank() over (order by r.contents)::integer as contents_number,
      dense_rank() over (order by r.session_id, r.event_type, r.user_id)::integer as kind_number,
      -- From two on, so that the first has a neighbour too.
      dense_rank() over (order by r.session_id, r.event_type, r.user_id, r.period)::integer + 1 as slot,
      r.happened_at, k.recorded, k.recorded and audience_gate.recorded_contents(r.id) <> r.contents as differs,
      not k.recorded and audience_gate.fires_again(r.session_id, r.event_type, r.user_id, r.happened_at) as repeated
    from row r
    cross join lateral (select exists (select from audience_gate.recorded_ids i where i.id = r.id) as recorded) k
    order by r.ordinal
  loop
    if sent.recorded then
      verdicts := verdicts || case when sent.differs then 'reused' else 'replayed' end;
      continue;
    end if;
    if contents_by_id[sent.id_number] is not null then
      verdicts := verdicts || case when contents_by_id[sent.id_number] <> sent.contents_number then 'reused' else 'replayed' end;
      continue;
    end if;
    repeats := sent.repeated;
    for slot in sent.slot - 1 .. sent.slot + 1 loop
      repeats := repeats or coalesce(kind_by_slot[slot] = sent.kind_number
        and time_by_slot[slot] > sent.happened_at - audience_gate.fire_window()
        and time_by_slot[slot] < sent.happened_at + audience_gate.fire_window(), false);
    end loop;
    if not repeats then
      contents_by_id[sent.id_number] := sent.contents_number;
      kind_by_slot[sent.slot] := sent.kind_number;
      time_by_slot[sent.slot] := sent.happened_at;
    end if;
    verdicts := verdicts || case when repeats then 'repeated' else 'accepted' end;
  end loop;
  return verdicts;
end;
$$;
comment on function audience_gate.decided(jsonb) is
  'For each row, in order: accepted; replayed, if its id and contents are recorded; reused, if its id is recorded with '
  'other contents; repeated, if it is a double fire.';

create or replace function audience_gate.refusing_rule(verdict text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case verdict when 'repeated' then 'duplicate.double_fire' when 'reused' then 'identity.id_reuse' end
$$;
comment on function audience_gate.refusing_rule(text) is 'The rule by which the log refuses an event; null: it does not.';

-- What the log refuses has passed the rules on personal data, so its snapshot is shortened and not redacted: looking
-- through 8 KB again for each repeat let one request keep the database busy for seconds. What is nested deeper than any
-- snapshot is left out, because within an audit row it could be deeper than an event may be.
create or replace function audience_gate.clean_snapshot(event jsonb, most integer)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when octet_length(event::text) <= most
      and not jsonb_path_exists(event, 'strict $.**{8} ? (@.type() == "object" || @.type() == "array")') then event
    when octet_length(s.columns::text) <= most then s.columns
    else to_jsonb('[shortened:' || octet_length(event::text) || ' bytes]')
  end
  from (
    select event || jsonb_build_object('metadata', '[shortened:' || octet_length((event -> 'metadata')::text) || ' bytes]') as columns
  ) s
$$;
comment on function audience_gate.clean_snapshot(jsonb, integer) is
  'What is kept of an event without personal data: all of it, unless it is nested more than eight deep or has no room in so '
  'many bytes.';

create or replace function audience_gate.refused_metadata(event jsonb, frame jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select frame
    || jsonb_build_object(
      'event_id', event -> 'id',
      'original_payload_snapshot', s.snapshot,
      'payload_digest', encode(sha256(convert_to(event::text, 'UTF8')), 'hex'),
      'payload_bytes', octet_length(event::text))
    || case when s.snapshot = event then '{}' else '{"snapshot_shortened": true}'::jsonb end
  from (select audience_gate.clean_snapshot(event, 4000) as snapshot offset 0) s
$$;
comment on function audience_gate.refused_metadata(jsonb, jsonb) is
  'The metadata of the audit row of an event that the log refuses, which broke no rule by what it says. Frame: that of an empty '
  'event refused by the same rule, which is made once for many.';

create or replace function audience_gate.record_plain_events(sent_rows jsonb, verdicts text[], source_system text)
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
  lost boolean;
begin
  with sent as materialized (
    select x.*,
      coalesce(x.occurred_at, now()) as happened_at,
      coalesce(x.site_id, audience_gate.default_site()) as site,
      audience_gate.fire_key(x.session_id, x.event_type, x.user_id) as fire_key
    from rows from (
      jsonb_to_recordset(sent_rows) as (
        index integer, id uuid, site_id uuid, session_id text, event_type text, event_category text,
        event_source text, utm_source text, utm_medium text, utm_campaign text, utm_content text,
        utm_term text, user_id uuid, occurred_at timestamptz, metadata jsonb
      )
    ) with ordinality as x (
      index, id, site_id, session_id, event_type, event_category, event_source, utm_source, utm_medium, utm_campaign,
      utm_content, utm_term, user_id, occurred_at, metadata, ordinal
    )
  ), seen as materialized (
    select s.*, case
        when verdicts is not null then verdicts[s.ordinal]
        when known.found then case
          when audience_gate.recorded_contents(s.id) <> audience_gate.contents(
            s.site, s.user_id, s.session_id, s.event_type, s.event_category, s.event_source, s.utm_source, s.utm_medium,
            s.utm_campaign, s.utm_content, s.utm_term, s.occurred_at, coalesce(s.metadata, '{}'))
          then 'reused' else 'replayed' end
        when repeat.found then 'repeated'
        else 'accepted'
      end as verdict
    from sent s
    -- "limit 1" makes the planner look rows up instead of joining the whole log.
    left join lateral (
      select true as found from audience_gate.recorded_ids r where verdicts is null and r.id = s.id limit 1
    ) known on true
    left join lateral (
      select true as found
      from audience_gate.recorded_fires f
      where verdicts is null
        and f.fire_key = s.fire_key
        and f.happened_at > s.happened_at - audience_gate.fire_window()
        and f.happened_at < s.happened_at + audience_gate.fire_window()
        and (f.session_id, f.event_type, f.user_id) is not distinct from (s.session_id, s.event_type, s.user_id)
      limit 1
    ) repeat on true
  ), stored as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium,
      utm_campaign, utm_content, utm_term, metadata, site_id, occurred_at, rejected, contract
    )
    select s.id, now(), s.user_id, s.session_id, s.event_type, s.event_category, s.event_source, s.utm_source,
      s.utm_medium, s.utm_campaign, s.utm_content, s.utm_term, coalesce(s.metadata, '{}'), s.site, s.occurred_at, false,
      audience_gate.contract_fingerprint()
    from seen s
    where s.verdict = 'accepted'
    on conflict do nothing
    returning 1
  ), frames as materialized (
    select v.verdict, audience_gate.rejection_metadata('{}', array[audience_gate.refusing_rule(v.verdict)], source_system) as frame
    from (select distinct s.verdict from seen s where s.verdict in ('repeated', 'reused')) v
  ), refused as materialized (
    select s.index, s.id, s.user_id, s.session_id, s.site, audience_gate.refused_metadata(
        jsonb_strip_nulls(to_jsonb(s) - array['index', 'metadata', 'happened_at', 'site', 'fire_key', 'ordinal', 'verdict'])
          || jsonb_build_object('metadata', coalesce(s.metadata, '{}')),
        f.frame) as metadata
    from seen s
    join frames f on f.verdict = s.verdict
  ), audited as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected, contract
    )
    select audience_gate.rejection_id(r.id, r.metadata), now(), r.user_id, r.session_id, 'event_validation_fail', 'system',
      source_system, r.metadata, r.site, true, audience_gate.contract_fingerprint()
    from refused r
    on conflict do nothing
  )
  select jsonb_build_object(
      'accepted', (select count(*) from stored),
      'replayed', coalesce((select jsonb_agg(s.index order by s.index) from seen s where s.verdict = 'replayed'), '[]'),
      'refused', coalesce((
        select jsonb_agg(audience_gate.refusal(r.index, r.id, r.metadata) order by r.index) from refused r), '[]')),
    (select count(*) from stored) < (select count(*) from seen s where s.verdict = 'accepted')
  into answer, lost;
  -- Its id was recorded since the look-up, by a request of another session. Decided anew, it is found.
  if lost then
    raise exception 'an id was recorded meanwhile' using errcode = 'serialization_failure', hint = 'send the batch again';
  end if;
  return answer;
end;
$$;
comment on function audience_gate.record_plain_events(jsonb, text[], text) is
  'Records judged rows: finds out which are replays, double fires or under a taken id, and inserts the others, and an audit '
  'row for each that is refused. Verdicts: what audience_gate.decided() says, where rows concern each other; else null.';

create or replace function audience_gate.refusal(index integer, id uuid, metadata jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select jsonb_build_object(
    'index', index, 'id', id, 'rule_id', metadata -> 'validation_rule_id', 'reason', metadata -> 'rejection_reason',
    'violations', metadata -> 'violations')
$$;
comment on function audience_gate.refusal(integer, uuid, jsonb) is
  'The answer for an event that was refused, from the metadata of its audit row.';

-- The call that brings a batch may be made again by whoever did not hear its answer, with the same nonce: an audit row of an
-- event without an id derives from that, so that it too is recorded once.
create or replace function audience_gate.audit_rows(rows_rejected jsonb, nonce text)
returns table (id uuid, user_id uuid, session_id text, event_source text, site_id uuid, metadata jsonb)
language sql
volatile
set search_path = ''
as $$
  select case
      when e.event_id is null and nonce is not null then audience_gate.derived_id('call', concat_ws('|', nonce, x.index))
      else audience_gate.rejection_id(e.event_id, x.metadata)
    end,
    x.user_id, x.session_id, x.event_source, coalesce(x.site_id, audience_gate.default_site()), x.metadata
  from jsonb_to_recordset(rows_rejected)
    as x (index integer, user_id uuid, session_id text, event_source text, site_id uuid, metadata jsonb)
  cross join lateral (select (x.metadata ->> 'event_id')::uuid as event_id) e
  where e.event_id is null or not audience_gate.was_erased(e.event_id)
$$;
comment on function audience_gate.audit_rows(jsonb, text) is
  'The audit rows of a batch under their own ids, but for what was erased. Nonce: what tells one call of the function from '
  'another; null: nothing.';

create or replace function audience_gate.record_plain_rejections(rows_rejected jsonb, nonce text)
returns void
language sql
volatile
set search_path = ''
as $$
  insert into public.audience_events (
    id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected, contract
  )
  select r.id, now(), r.user_id, r.session_id, 'event_validation_fail', 'system', r.event_source, r.metadata, r.site_id, true,
    audience_gate.contract_fingerprint()
  from audience_gate.audit_rows(rows_rejected, nonce) r
  on conflict do nothing
$$;
comment on function audience_gate.record_plain_rejections(jsonb, text) is 'Inserts finished audit rows.';

-- The seam. The two views and the functions recorded_contents() and fires_again() of the migration before, and the two
-- functions below, are all by which the gate looks into the event log and writes to it. Where the log is partitioned, the
-- scaling scripts put others of the same names in place.
create or replace function audience_gate.record_events(sent_rows jsonb, verdicts text[], source_system text)
returns jsonb
language sql
volatile
set search_path = ''
as $$ select audience_gate.record_plain_events(sent_rows, verdicts, source_system) $$;
comment on function audience_gate.record_events(jsonb, text[], text) is
  'Records judged rows, in the way of the event log in use.';

create or replace function audience_gate.record_rejections(rows_rejected jsonb, nonce text)
returns void
language sql
volatile
set search_path = ''
as $$ select audience_gate.record_plain_rejections(rows_rejected, nonce) $$;
comment on function audience_gate.record_rejections(jsonb, text) is
  'Writes finished audit rows, in the way of the event log in use.';

create or replace function audience_gate.store_version()
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$ select 2 $$;
comment on function audience_gate.store_version() is
  'Which form of storing events this is. The scaling scripts refuse to stand in for a form that they do not know.';


do $$
declare
  signature text;
begin
  foreach signature in array array[
    'decided(jsonb)', 'refusing_rule(text)', 'clean_snapshot(jsonb, integer)', 'refused_metadata(jsonb, jsonb)',
    'refusal(integer, uuid, jsonb)', 'audit_rows(jsonb, text)',
    'record_plain_events(jsonb, text[], text)', 'record_plain_rejections(jsonb, text)',
    'record_events(jsonb, text[], text)', 'record_rejections(jsonb, text)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_store', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
-- The direct inserts refuse in the same words.
grant execute on function audience_gate.refused_metadata(jsonb, jsonb), audience_gate.clean_snapshot(jsonb, integer)
  to audience_gate_owner;
