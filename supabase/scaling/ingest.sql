-- How a batch is recorded in a partitioned log: by its keys. All that does not concern keys is as in the migration
-- of the event store.
--
-- No statement here may cost more with each month that there is. Comparing created_at with now() leaves other
-- months out before the executor opens a partition; comparing it with a value of a row would open all of them.

-- Writes the keys of all rows first, and then the rows whose keys are new: without a trigger for each row, and in
-- the usual case with one look-up. Everything else is as in record_plain_events().
create or replace function audience_gate.record_keyed_events(sent_rows jsonb, source_system text)
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
  perform set_config('audience_gate.keyed', 'yes', true);
  with sent as materialized (
    select x.*,
      coalesce(x.occurred_at, now()) as happened_at,
      coalesce(x.site_id, audience_gate.default_site()) as site,
      audience_gate.fire_key(x.session_id, x.event_type, x.user_id) as fire_key
    from jsonb_to_recordset(sent_rows) as x (
      index integer, id uuid, site_id uuid, session_id text, event_type text, event_category text,
      event_source text, utm_source text, utm_medium text, utm_campaign text, utm_content text,
      utm_term text, user_id uuid, occurred_at timestamptz, metadata jsonb
    )
  ), judged as materialized (
    select s.*, case
        when repeat.found then true
        -- Only rejections that are judged again, and history, may be so old.
        when s.happened_at < now() - interval '8 days' then
          audience_gate.repeats_history(s.session_id, s.event_type, s.user_id, s.site, s.happened_at)
        else false
      end as repeated
    from sent s
    left join lateral (
      select true as found
      from audience_gate.recorded_fires f
      where f.fire_key = s.fire_key
        and f.happened_at > s.happened_at - audience_gate.fire_window()
        and f.happened_at < s.happened_at + audience_gate.fire_window()
        and (f.session_id, f.event_type, f.user_id, f.site_id)
          is not distinct from (s.session_id, s.event_type, s.user_id, s.site)
      limit 1
    ) repeat on true
  ), keyed as (
    insert into audience_gate.event_keys (id, created_at, rejected)
    select j.id, now(), j.repeated from judged j
    on conflict (id) do nothing
    returning id
  ), seen as materialized (
    select j.*, k.id is not null as fresh, known.rejected as known_rejected
    from judged j
    left join keyed k on k.id = j.id
    left join lateral (
      select e.rejected from audience_gate.event_keys e where e.id = j.id and k.id is null limit 1
    ) known on true
  ), stored as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium,
      utm_campaign, utm_content, utm_term, metadata, site_id, occurred_at, rejected, contract
    )
    select s.id, now(), s.user_id, s.session_id, s.event_type, s.event_category, s.event_source, s.utm_source,
      s.utm_medium, s.utm_campaign, s.utm_content, s.utm_term, coalesce(s.metadata, '{}'), s.site, s.occurred_at, false,
      audience_gate.contract_fingerprint()
    from seen s
    where s.fresh and not s.repeated
    returning id
  ), audited as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected, contract
    )
    select s.id, now(), s.user_id, s.session_id, 'event_validation_fail', 'system', source_system,
      audience_gate.rejection_metadata(
        jsonb_strip_nulls(to_jsonb(s)
          - array['index', 'metadata', 'happened_at', 'site', 'fire_key', 'repeated', 'fresh', 'known_rejected'])
          || jsonb_build_object('metadata', coalesce(s.metadata, '{}')),
        array['duplicate.double_fire'], source_system),
      s.site, true, audience_gate.contract_fingerprint()
    from seen s
    where s.fresh and s.repeated
  )
  select jsonb_build_object(
    'accepted', (select count(*) from stored),
    -- An id that is neither new nor seen was recorded meanwhile, by a request of another session.
    'replayed', coalesce((
      select jsonb_agg(s.index) from seen s where not s.fresh and s.known_rejected is not true), '[]'),
    'repeated', coalesce((
      select jsonb_agg(jsonb_build_object('index', s.index, 'id', s.id))
      from seen s where s.fresh and s.repeated), '[]'),
    'known_rejected', coalesce((
      select jsonb_agg(jsonb_build_object('index', s.index, 'id', s.id))
      from seen s where s.known_rejected), '[]')
  ) into answer;
  perform set_config('audience_gate.keyed', '', true);
  return answer;
end;
$$;
comment on function audience_gate.record_keyed_events(jsonb, text) is
  'What record_plain_events() does, in a partitioned log: the keys of the rows decide which of them are new.';

create or replace function audience_gate.repeats_history(
  sent_session text, sent_type text, sent_user uuid, sent_site uuid, happened_at timestamptz
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
      and (e.session_id, e.event_type, e.user_id, e.site_id)
        is not distinct from (sent_session, sent_type, sent_user, sent_site)
  );
end;
$$;
comment on function audience_gate.repeats_history(text, text, uuid, uuid, timestamptz) is
  'Whether an event that is older than the contract allows a sender repeats a recorded one. Looks into each month '
  'since.';

create or replace function audience_gate.record_keyed_rejections(rows_rejected jsonb)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  perform set_config('audience_gate.keyed', 'yes', true);
  with sent as materialized (
    select distinct on (r.id) r.*
    from (
      select x.index, coalesce(x.id, gen_random_uuid()) as id, x.user_id, x.session_id, x.event_source,
        coalesce(x.site_id, audience_gate.default_site()) as site, x.metadata
      from jsonb_to_recordset(rows_rejected) as x (
        index integer, id uuid, user_id uuid, session_id text, event_source text, site_id uuid, metadata jsonb
      )
    ) r
    order by r.id, r.index
  ), keyed as (
    insert into audience_gate.event_keys (id, created_at, rejected)
    select s.id, now(), true from sent s
    on conflict (id) do nothing
    returning id
  )
  insert into public.audience_events (
    id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected, contract
  )
  select s.id, now(), s.user_id, s.session_id, 'event_validation_fail', 'system', s.event_source, s.metadata, s.site, true,
    audience_gate.contract_fingerprint()
  from sent s join keyed k on k.id = s.id;
  perform set_config('audience_gate.keyed', '', true);
end;
$$;
comment on function audience_gate.record_keyed_rejections(jsonb) is
  'What record_plain_rejections() does, in a partitioned log.';

-- Only what was sent again is looked up.
create or replace function audience_gate.keyed_refusals(stored jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  known jsonb := '[]';
begin
  if stored -> 'known_rejected' <> '[]' then
    -- A detached month took the audit row with it. What is left says that there was one.
    select coalesce(jsonb_agg(r.item || jsonb_build_object(
      'rule_id', e.metadata -> 'validation_rule_id',
      'reason', coalesce(e.metadata -> 'rejection_reason', to_jsonb(format(
        'an event of this id was rejected before, and its record is archived with %s; send the mended event under another id',
        to_char(k.created_at at time zone 'UTC', 'YYYY-MM')))),
      'violations', coalesce(e.metadata -> 'violations', '[]'))), '[]')
    into known
    from jsonb_array_elements(stored -> 'known_rejected') as r (item)
    join audience_gate.event_keys k on k.id = (r.item ->> 'id')::uuid
    left join lateral (
      select a.metadata from public.audience_events a where a.id = k.id and a.created_at = k.created_at limit 1
    ) e on true;
  end if;
  return (
    select coalesce(jsonb_agg(f.answer order by (f.answer -> 'index')::integer), '[]')
    from (
      select a.answer from jsonb_array_elements(known) as a (answer)
      union all
      select r.item || jsonb_build_object(
        'rule_id', 'duplicate.double_fire',
        'reason', audience_gate.reason('duplicate.double_fire'),
        'violations', jsonb_build_array('duplicate.double_fire'))
      from jsonb_array_elements(stored -> 'repeated') as r (item)
    ) f
  );
end;
$$;
comment on function audience_gate.keyed_refusals(jsonb) is 'What plain_refusals() does, in a partitioned log.';

do $$
declare
  signature text;
begin
  foreach signature in array array['record_keyed_events(jsonb, text)', 'record_keyed_rejections(jsonb)', 'keyed_refusals(jsonb)',
    'repeats_history(text, text, uuid, uuid, timestamptz)'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_store', signature);
    execute format('revoke all on function audience_gate.%s from public', signature);
  end loop;
end $$;

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
  if audience_gate.store_version() <> 1 then
    raise exception 'these scripts do not know how this release stores events'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'use the scaling scripts of the release whose migrations are applied';
  end if;

  -- The log before the views into it: the order in which those who insert lock them.
  lock table public.audience_events in share row exclusive mode;
  if audience_gate.partitioned_events() = 'public.audience_events'::regclass then
    create or replace function audience_gate.record_events(sent_rows jsonb, source_system text)
    returns jsonb language sql volatile set search_path = ''
    as $body$ select audience_gate.record_keyed_events(sent_rows, source_system) $body$;
    create or replace function audience_gate.record_rejections(rows_rejected jsonb)
    returns void language sql volatile set search_path = ''
    as $body$ select audience_gate.record_keyed_rejections(rows_rejected) $body$;
    create or replace function audience_gate.refusals(stored jsonb)
    returns jsonb language sql stable set search_path = ''
    as $body$ select audience_gate.keyed_refusals(stored) $body$;
    create or replace view audience_gate.recorded_ids with (security_invoker = true) as
    select k.id, k.rejected from audience_gate.event_keys k;
    create or replace view audience_gate.recorded_fires with (security_invoker = true) as
    select audience_gate.fire_key(e.session_id, e.event_type, e.user_id) as fire_key,
      coalesce(e.occurred_at, e.created_at) as happened_at, e.session_id, e.event_type, e.user_id, e.site_id
    from public.audience_events e
    -- The contract takes nothing that is older than eight days. Recorded five minutes before it happened at the
    -- earliest; a day leaves room for clocks.
    where not e.rejected and e.created_at > now() - interval '9 days' and e.created_at < now() + interval '1 day';
  else
    create or replace function audience_gate.record_events(sent_rows jsonb, source_system text)
    returns jsonb language sql volatile set search_path = ''
    as $body$ select audience_gate.record_plain_events(sent_rows, source_system) $body$;
    create or replace function audience_gate.record_rejections(rows_rejected jsonb)
    returns void language sql volatile set search_path = ''
    as $body$ select audience_gate.record_plain_rejections(rows_rejected) $body$;
    create or replace function audience_gate.refusals(stored jsonb)
    returns jsonb language sql stable set search_path = ''
    as $body$ select audience_gate.plain_refusals(stored) $body$;
    create or replace view audience_gate.recorded_ids with (security_invoker = true) as
    select e.id, e.rejected from public.audience_events e;
    create or replace view audience_gate.recorded_fires with (security_invoker = true) as
    select audience_gate.fire_key(e.session_id, e.event_type, e.user_id) as fire_key,
      coalesce(e.occurred_at, e.created_at) as happened_at, e.session_id, e.event_type, e.user_id, e.site_id
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
