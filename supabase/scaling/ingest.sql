-- How a batch is recorded in a partitioned log: by its keys. All that does not concern keys is as in the migration
-- of the event store.
--
-- No statement here may cost more with each month that there is. Comparing created_at with now() leaves other
-- months out before the executor opens a partition; comparing it with a value of a row would open all of them.

-- Writes the keys of all rows first, and then the rows whose keys are new: without a trigger for each row, and in
-- the usual case with one look-up. Everything else is as in record_plain_events().
create or replace function audience_gate.record_keyed_events(sent_rows jsonb, verdicts text[], source_system text)
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
  perform set_config('audience_gate.keyed', 'yes', true);
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
        -- Only rejections that are judged again, and history, may be so old.
        when s.happened_at < now() - interval '8 days'
          and audience_gate.repeats_history(s.session_id, s.event_type, s.user_id, s.happened_at)
        then 'repeated'
        else 'accepted'
      end as verdict
    from sent s
    left join lateral (
      select true as found from audience_gate.event_keys k where verdicts is null and k.id = s.id limit 1
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
  ), frames as materialized (
    select v.verdict, audience_gate.rejection_metadata('{}', array[audience_gate.refusing_rule(v.verdict)], source_system) as frame
    from (select distinct s.verdict from seen s where s.verdict in ('repeated', 'reused')) v
  ), refused as materialized (
    select d.*, audience_gate.rejection_id(d.id, d.metadata) as audit_id
    from (
      select s.index, s.id, s.user_id, s.session_id, s.site, audience_gate.refused_metadata(
          jsonb_strip_nulls(to_jsonb(s) - array['index', 'metadata', 'happened_at', 'site', 'fire_key', 'ordinal', 'verdict'])
            || jsonb_build_object('metadata', coalesce(s.metadata, '{}')),
          f.frame) as metadata
      from seen s
      join frames f on f.verdict = s.verdict
    ) d
  ), keyed as (
    insert into audience_gate.event_keys (id, created_at, rejected)
    select s.id, now(), false from seen s where s.verdict = 'accepted'
    union
    select r.audit_id, now(), true from refused r
    on conflict (id) do nothing
    returning id
  ), stored as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium,
      utm_campaign, utm_content, utm_term, metadata, site_id, occurred_at, rejected, contract
    )
    select s.id, now(), s.user_id, s.session_id, s.event_type, s.event_category, s.event_source, s.utm_source,
      s.utm_medium, s.utm_campaign, s.utm_content, s.utm_term, coalesce(s.metadata, '{}'), s.site, s.occurred_at, false,
      audience_gate.contract_fingerprint()
    from seen s
    join keyed k on k.id = s.id
    where s.verdict = 'accepted'
    returning 1
  ), audited as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected, contract
    )
    select distinct on (r.audit_id) r.audit_id, now(), r.user_id, r.session_id, 'event_validation_fail', 'system',
      source_system, r.metadata, r.site, true, audience_gate.contract_fingerprint()
    from refused r
    join keyed k on k.id = r.audit_id
  )
  select jsonb_build_object(
      'accepted', (select count(*) from stored),
      'replayed', coalesce((select jsonb_agg(s.index order by s.index) from seen s where s.verdict = 'replayed'), '[]'),
      'refused', coalesce((
        select jsonb_agg(audience_gate.refusal(r.index, r.id, r.metadata) order by r.index) from refused r), '[]')),
    (select count(*) from stored) < (select count(*) from seen s where s.verdict = 'accepted')
  into answer, lost;
  perform set_config('audience_gate.keyed', '', true);
  -- Its id was recorded since the look-up, by a request of another session. Decided anew, it is found.
  if lost then
    raise exception 'an id was recorded meanwhile' using errcode = 'serialization_failure', hint = 'send the batch again';
  end if;
  return answer;
end;
$$;
comment on function audience_gate.record_keyed_events(jsonb, text[], text) is
  'What record_plain_events() does, in a partitioned log: the keys of the rows decide which of them are new.';

-- The key says which month to look into. Of a month that is detached nobody knows the contents: what comes under the id of
-- one of its events is taken for a retry. An audit row is nobody's event, so nothing has its contents.
create or replace function audience_gate.keyed_contents(event_id uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  recorded_at timestamptz;
  is_audit_row boolean;
begin
  select k.created_at, k.rejected into recorded_at, is_audit_row from audience_gate.event_keys k where k.id = event_id;
  if is_audit_row then
    return 'null';
  end if;
  return (
    select audience_gate.contents(
      e.site_id, e.user_id, e.session_id, e.event_type, e.event_category, e.event_source, e.utm_source, e.utm_medium,
      e.utm_campaign, e.utm_content, e.utm_term, e.occurred_at, e.metadata)
    from public.audience_events e
    where e.id = event_id and e.created_at = recorded_at and not audience_gate.was_erased(event_id)
  );
end;
$$;
comment on function audience_gate.keyed_contents(uuid) is
  'What recorded_contents() says, in a partitioned log; null if the month of the event is detached or its contents were '
  'erased, and JSON''s null for an audit row.';

create or replace function audience_gate.keyed_fires_again(
  sent_session text, sent_type text, sent_user uuid, sent_at timestamptz
)
returns boolean
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  return exists (
      select from audience_gate.recorded_fires f
      where f.fire_key = audience_gate.fire_key(sent_session, sent_type, sent_user)
        and f.happened_at > sent_at - audience_gate.fire_window()
        and f.happened_at < sent_at + audience_gate.fire_window()
        and (f.session_id, f.event_type, f.user_id) is not distinct from (sent_session, sent_type, sent_user)
    )
    or case
      when sent_at < now() - interval '8 days'
      then audience_gate.repeats_history(sent_session, sent_type, sent_user, sent_at)
      else false
    end;
end;
$$;
comment on function audience_gate.keyed_fires_again(text, text, uuid, timestamptz) is
  'What fires_again() says, in a partitioned log.';

create or replace function audience_gate.repeats_history(
  sent_session text, sent_type text, sent_user uuid, happened_at timestamptz
)
returns boolean
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  return exists (
    select from public.audience_events e
    where audience_gate.fire_key(e.session_id, e.event_type, e.user_id)
        = audience_gate.fire_key(sent_session, sent_type, sent_user)
      and coalesce(e.occurred_at, e.created_at) > happened_at - audience_gate.fire_window()
      and coalesce(e.occurred_at, e.created_at) < audience_gate.fire_window() + happened_at
      and e.created_at > happened_at - interval '1 day'
      and not e.rejected
      and (e.session_id, e.event_type, e.user_id) is not distinct from (sent_session, sent_type, sent_user)
  );
end;
$$;
comment on function audience_gate.repeats_history(text, text, uuid, timestamptz) is
  'Whether an event that is older than the contract allows a sender repeats a recorded one. Looks into each month '
  'since.';

create or replace function audience_gate.record_keyed_rejections(rows_rejected jsonb, nonce text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  perform set_config('audience_gate.keyed', 'yes', true);
  with sent as materialized (
    select distinct on (r.id) r.* from audience_gate.audit_rows(rows_rejected, nonce) r order by r.id
  ), keyed as (
    insert into audience_gate.event_keys (id, created_at, rejected)
    select s.id, now(), true from sent s
    on conflict (id) do nothing
    returning id
  )
  insert into public.audience_events (
    id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected, contract
  )
  select s.id, now(), s.user_id, s.session_id, 'event_validation_fail', 'system', s.event_source, s.metadata, s.site_id, true,
    audience_gate.contract_fingerprint()
  from sent s join keyed k on k.id = s.id;
  perform set_config('audience_gate.keyed', '', true);
end;
$$;
comment on function audience_gate.record_keyed_rejections(jsonb, text) is
  'What record_plain_rejections() does, in a partitioned log.';

-- What the release before stood in for.
drop function if exists audience_gate.record_keyed_events(jsonb, text);
drop function if exists audience_gate.record_keyed_rejections(jsonb);
drop function if exists audience_gate.keyed_refusals(jsonb);
drop function if exists audience_gate.repeats_history(text, text, uuid, uuid, timestamptz);

do $$
declare
  signature text;
begin
  foreach signature in array array['record_keyed_events(jsonb, text[], text)', 'record_keyed_rejections(jsonb, text)',
    'keyed_contents(uuid)', 'keyed_fires_again(text, text, uuid, timestamptz)',
    'repeats_history(text, text, uuid, timestamptz)'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_store', signature);
    execute format('revoke all on function audience_gate.%s from public', signature);
  end loop;
end $$;
-- The direct inserts ask it too.
grant execute on function audience_gate.keyed_contents(uuid) to audience_gate_owner;

-- Puts the views and functions of the seam in place, each as a whole: while the partitioned log is in use those
-- that ask the keys, else those of the migrations. They keep their owners and rights. Whatever waits for a
-- swap to end goes on as it began; the plain functions name no index, so they are right for either table.
create or replace function audience_gate.fit_functions()
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  if audience_gate.store_version() <> 2 then
    raise exception 'these scripts do not know how this release stores events'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'use the scaling scripts of the release whose migrations are applied';
  end if;

  -- The log before the views into it: the order in which those who insert lock them.
  lock table public.audience_events in share row exclusive mode;
  if audience_gate.partitioned_events() = 'public.audience_events'::regclass then
    create or replace function audience_gate.record_events(sent_rows jsonb, verdicts text[], source_system text)
    returns jsonb language sql volatile set search_path = ''
    as $body$ select audience_gate.record_keyed_events(sent_rows, verdicts, source_system) $body$;
    create or replace function audience_gate.record_rejections(rows_rejected jsonb, nonce text)
    returns void language sql volatile set search_path = ''
    as $body$ select audience_gate.record_keyed_rejections(rows_rejected, nonce) $body$;
    create or replace function audience_gate.recorded_contents(event_id uuid)
    returns jsonb language sql stable set search_path = ''
    as $body$ select audience_gate.keyed_contents(event_id) $body$;
    create or replace function audience_gate.fires_again(
      sent_session text, sent_type text, sent_user uuid, sent_at timestamptz)
    returns boolean language sql stable set search_path = ''
    as $body$ select audience_gate.keyed_fires_again(sent_session, sent_type, sent_user, sent_at) $body$;
    create or replace view audience_gate.recorded_ids with (security_invoker = true) as
    select k.id, k.rejected from audience_gate.event_keys k;
    create or replace view audience_gate.recorded_fires with (security_invoker = true) as
    select audience_gate.fire_key(e.session_id, e.event_type, e.user_id) as fire_key,
      coalesce(e.occurred_at, e.created_at) as happened_at, e.session_id, e.event_type, e.user_id, e.site_id, e.id
    from public.audience_events e
    -- The contract takes nothing that is older than eight days. Recorded five minutes before it happened at the
    -- earliest; a day leaves room for clocks.
    where not e.rejected and e.created_at > now() - interval '9 days' and e.created_at < now() + interval '1 day';
  else
    create or replace function audience_gate.record_events(sent_rows jsonb, verdicts text[], source_system text)
    returns jsonb language sql volatile set search_path = ''
    as $body$ select audience_gate.record_plain_events(sent_rows, verdicts, source_system) $body$;
    create or replace function audience_gate.record_rejections(rows_rejected jsonb, nonce text)
    returns void language sql volatile set search_path = ''
    as $body$ select audience_gate.record_plain_rejections(rows_rejected, nonce) $body$;
    create or replace function audience_gate.recorded_contents(event_id uuid)
    returns jsonb language sql stable set search_path = ''
    as $body$ select audience_gate.plain_contents(event_id) $body$;
    create or replace function audience_gate.fires_again(
      sent_session text, sent_type text, sent_user uuid, sent_at timestamptz)
    returns boolean language sql stable set search_path = ''
    as $body$ select audience_gate.plain_fires_again(sent_session, sent_type, sent_user, sent_at) $body$;
    create or replace view audience_gate.recorded_ids with (security_invoker = true) as
    select e.id, e.rejected from public.audience_events e;
    create or replace view audience_gate.recorded_fires with (security_invoker = true) as
    select audience_gate.fire_key(e.session_id, e.event_type, e.user_id) as fire_key,
      coalesce(e.occurred_at, e.created_at) as happened_at, e.session_id, e.event_type, e.user_id, e.site_id, e.id
    from public.audience_events e
    where not e.rejected;
  end if;
end;
$$;
comment on function audience_gate.fit_functions() is
  'Has the gate store events in the way of the event log in use. Call it after migrations of a new release, too.';
revoke all on function audience_gate.fit_functions() from public;

-- The functions above name the contract of each row, so a row without one is unjudged.
alter table public.audience_events alter column contract drop default;
