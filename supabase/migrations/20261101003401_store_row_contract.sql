-- Whoever records a row names the contract that judged it: the ways in of the migrations before, which differ in
-- nothing else.

create or replace function audience_gate.record_plain_events(sent_rows jsonb, source_system text)
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
      coalesce(x.site_id, audience_gate.default_site()) as site,
      audience_gate.fire_key(x.session_id, x.event_type, x.user_id) as fire_key
    from jsonb_to_recordset(sent_rows) as x (
      index integer, id uuid, site_id uuid, session_id text, event_type text, event_category text,
      event_source text, utm_source text, utm_medium text, utm_campaign text, utm_content text,
      utm_term text, user_id uuid, occurred_at timestamptz, metadata jsonb
    )
  ), seen as materialized (
    select s.*, known.rejected as known_rejected, coalesce(repeat.found, false) as repeated
    from sent s
    -- "limit 1" makes the planner look rows up instead of joining the whole log.
    left join lateral (
      select r.rejected from audience_gate.recorded_ids r where r.id = s.id limit 1
    ) known on true
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
  ), stored as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium,
      utm_campaign, utm_content, utm_term, metadata, site_id, occurred_at, rejected, contract
    )
    select s.id, now(), s.user_id, s.session_id, s.event_type, s.event_category, s.event_source, s.utm_source,
      s.utm_medium, s.utm_campaign, s.utm_content, s.utm_term, coalesce(s.metadata, '{}'), s.site, s.occurred_at, false,
      audience_gate.contract_fingerprint()
    from seen s
    where s.known_rejected is null and not s.repeated
    on conflict do nothing
    returning id
  ), audited as (
    insert into public.audience_events (
      id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected, contract
    )
    select s.id, now(), s.user_id, s.session_id, 'event_validation_fail', 'system', source_system,
      audience_gate.rejection_metadata(
        jsonb_strip_nulls(to_jsonb(s) - array['index', 'metadata', 'happened_at', 'site', 'fire_key', 'known_rejected', 'repeated'])
          || jsonb_build_object('metadata', coalesce(s.metadata, '{}')),
        array['duplicate.double_fire'], source_system),
      s.site, true, audience_gate.contract_fingerprint()
    from seen s
    where s.known_rejected is null and s.repeated
    on conflict do nothing
  )
  select jsonb_build_object(
    'accepted', (select count(*) from stored),
    'replayed', coalesce((
      select jsonb_agg(s.index)
      from seen s
      where not s.known_rejected
        -- Recorded between the look-up and the insert, by a request of another session with the same id.
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

create or replace function audience_gate.record_plain_rejections(rows_rejected jsonb)
returns void
language sql
volatile
set search_path = ''
as $$
  insert into public.audience_events (
    id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected, contract
  )
  select coalesce(x.id, gen_random_uuid()), now(), x.user_id, x.session_id, 'event_validation_fail', 'system',
    x.event_source, x.metadata, coalesce(x.site_id, audience_gate.default_site()), true,
    audience_gate.contract_fingerprint()
  from jsonb_to_recordset(rows_rejected) as x (
    index integer, id uuid, user_id uuid, session_id text, event_source text, site_id uuid, metadata jsonb
  )
  on conflict do nothing
$$;

create or replace function audience_gate.enforce()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  -- The roles of the API by name, because this runs for each row.
  trusted boolean := case current_setting('role')
    when 'service_role' then true
    when 'authenticated' then false
    when 'anon' then false
    else audience_gate.is_trusted()
  end;
  caller_id uuid := case when not trusted then audience_gate.caller_id() end;
  caller text := case when trusted then 'trusted' when caller_id is not null then 'user' else 'visitor' end;
  origin text := case when not trusted then
    nullif(current_setting('request.headers', true), '')::jsonb ->> 'origin' end;
  rule_ids text[];
  happened timestamptz;
  recorded boolean;
  repeated boolean;
begin
  if current_setting('transaction_isolation') = 'repeatable read' then
    raise exception 'audience_events cannot take inserts under repeatable read'
      using errcode = 'feature_not_supported',
            detail = 'double fires recorded meanwhile could not be seen',
            hint = 'use read committed or serializable';
  end if;

  new.id := coalesce(new.id, gen_random_uuid());
  new.created_at := now();
  new.site_id := coalesce(new.site_id, audience_gate.default_site());
  new.metadata := coalesce(new.metadata, '{}');
  new.rejected := false;
  new.contract := audience_gate.contract_fingerprint();

  perform pg_advisory_xact_lock(audience_gate.session_lock(), audience_gate.session_bucket(new.session_id));
  happened := coalesce(new.occurred_at, new.created_at);
  select
    exists (select from audience_gate.recorded_ids r where r.id = new.id),
    exists (
      select from audience_gate.recorded_fires f
      where f.fire_key = audience_gate.fire_key(new.session_id, new.event_type, new.user_id)
        and f.happened_at > happened - audience_gate.fire_window()
        and f.happened_at < happened + audience_gate.fire_window()
        and (f.session_id, f.event_type, f.user_id, f.site_id)
          is not distinct from (new.session_id, new.event_type, new.user_id, new.site_id)
    )
  into recorded, repeated;
  if recorded then
    return null;
  end if;

  rule_ids := audience_gate.row_violations(new, caller, caller_id, origin, now());
  if rule_ids = '{}' and repeated then
    rule_ids := array['duplicate.double_fire'];
  end if;

  if rule_ids = '{}' then
    if current_setting('audience_gate.accepted', true) is distinct from 'some' then
      perform audience_gate.answer_accepted();
    end if;
    return new;
  end if;

  new.metadata := audience_gate.rejection_metadata(
    jsonb_strip_nulls(to_jsonb(new) - array['metadata', 'created_at', 'rejected', 'contract'])
      || jsonb_build_object('metadata', new.metadata),
    rule_ids, 'database');
  new.session_id := audience_gate.kept_session(new.session_id, rule_ids);
  if 'identity.user_id' = any (rule_ids) then new.user_id := null; end if;
  if 'identity.site' = any (rule_ids) then new.site_id := audience_gate.default_site(); end if;
  new.event_type := 'event_validation_fail';
  new.event_category := 'system';
  new.event_source := 'database';
  new.utm_source := null;
  new.utm_medium := null;
  new.utm_campaign := null;
  new.utm_content := null;
  new.utm_term := null;
  new.occurred_at := null;
  new.rejected := true;
  perform audience_gate.answer_rejected(rule_ids);
  return new;
end;
$$;
