-- How judged events are stored: the locks under which double fires are decided, the look-ups of recorded ids
-- and of double fires, and the inserts.

-- Double fires are decided one session at a time, under a lock of the transaction on the session's bucket.
-- The buckets are few enough that a batch over a thousand sessions cannot fill the lock table. Inlined, for
-- the reason given at audience_gate.fire_key().
create or replace function audience_gate.session_bucket(session_id text)
returns integer
language sql
immutable
parallel safe
return hashtext(session_id) & 511;
comment on function audience_gate.session_bucket(text) is 'The bucket of a session, one of 512.';

create or replace function audience_gate.session_lock()
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$ select 20261101 $$;
comment on function audience_gate.session_lock() is
  'The first key of the advisory locks on sessions; the second is the bucket.';

create or replace function audience_gate.lock_sessions(buckets integer[])
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  bucket integer;
begin
  -- In ascending order, so that two batches cannot wait for each other.
  foreach bucket in array buckets loop
    perform pg_advisory_xact_lock(audience_gate.session_lock(), bucket);
  end loop;
end;
$$;
comment on function audience_gate.lock_sessions(integer[]) is
  'Takes the locks of these buckets, to be given in ascending order, and holds them until the transaction ends.';

-- What is recorded, as the look-ups of the gate see it. They go through these two views and nothing else, and
-- the planner sees through the views, so they cost nothing. They are half of the seam described below.
create or replace view audience_gate.recorded_ids with (security_invoker = true) as
select e.id, e.rejected from public.audience_events e;
comment on view audience_gate.recorded_ids is 'Every id that is taken.';
comment on column audience_gate.recorded_ids.id is 'The id of an event or of an audit row.';
comment on column audience_gate.recorded_ids.rejected is 'True: it stands for a rejected event.';

create or replace view audience_gate.recorded_fires with (security_invoker = true) as
select
  audience_gate.fire_key(e.session_id, e.event_type, e.user_id) as fire_key,
  coalesce(e.occurred_at, e.created_at) as happened_at,
  e.session_id, e.event_type, e.user_id, e.site_id
from public.audience_events e
where not e.rejected;
comment on view audience_gate.recorded_fires is
  'The accepted events that another may repeat. Two are one double fire if session, type, user and site are the '
  'same and less than audience_gate.fire_window() lies between them.';
comment on column audience_gate.recorded_fires.fire_key is
  'Session, type and user as one number: what the index finds.';
comment on column audience_gate.recorded_fires.happened_at is 'When it happened, by the sender''s clock where sent.';
comment on column audience_gate.recorded_fires.session_id is 'The session.';
comment on column audience_gate.recorded_fires.event_type is 'The type.';
comment on column audience_gate.recorded_fires.user_id is 'The user; null for visitors.';
comment on column audience_gate.recorded_fires.site_id is 'The site.';

-- Of the rows given no two may be double fires or replays of each other, and all have passed every other rule.
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
      utm_campaign, utm_content, utm_term, metadata, site_id, occurred_at, rejected
    )
    select s.id, now(), s.user_id, s.session_id, s.event_type, s.event_category, s.event_source, s.utm_source,
      s.utm_medium, s.utm_campaign, s.utm_content, s.utm_term, coalesce(s.metadata, '{}'), s.site, s.occurred_at, false
    from seen s
    where s.known_rejected is null and not s.repeated
    on conflict do nothing
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
comment on function audience_gate.record_plain_events(jsonb, text) is
  'Records judged rows: finds out which are replays or double fires of what is recorded, and inserts the others, '
  'and an audit row for each double fire.';

create or replace function audience_gate.record_plain_rejections(rows_rejected jsonb)
returns void
language sql
volatile
set search_path = ''
as $$
  insert into public.audience_events (
    id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, rejected
  )
  select coalesce(x.id, gen_random_uuid()), now(), x.user_id, x.session_id, 'event_validation_fail', 'system',
    x.event_source, x.metadata, coalesce(x.site_id, audience_gate.default_site()), true
  from jsonb_to_recordset(rows_rejected) as x (
    index integer, id uuid, user_id uuid, session_id text, event_source text, site_id uuid, metadata jsonb
  )
  on conflict do nothing
$$;
comment on function audience_gate.record_plain_rejections(jsonb) is
  'Inserts finished audit rows, one for each event id.';

create or replace function audience_gate.plain_refusals(stored jsonb)
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
comment on function audience_gate.plain_refusals(jsonb) is
  'The answers for rows that the store refused: double fires, and ids that stand for an earlier rejection. Each '
  'names its rule and the reason.';

-- The seam. The two views above and these three functions are all by which the gate looks into the event log
-- and writes to it. Where the log is partitioned, the scaling scripts put others of the same names in place.
create or replace function audience_gate.record_events(sent_rows jsonb, source_system text)
returns jsonb
language sql
volatile
set search_path = ''
as $$ select audience_gate.record_plain_events(sent_rows, source_system) $$;
comment on function audience_gate.record_events(jsonb, text) is
  'Records judged rows, in the way of the event log in use.';

create or replace function audience_gate.record_rejections(rows_rejected jsonb)
returns void
language sql
volatile
set search_path = ''
as $$ select audience_gate.record_plain_rejections(rows_rejected) $$;
comment on function audience_gate.record_rejections(jsonb) is
  'Writes finished audit rows, in the way of the event log in use.';

create or replace function audience_gate.refusals(stored jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$ select audience_gate.plain_refusals(stored) $$;
comment on function audience_gate.refusals(jsonb) is
  'The answers for rows that the store refused, in the way of the event log in use.';

-- To be raised with every change of what the functions of this file store or answer.
create or replace function audience_gate.store_version()
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$ select 1 $$;
comment on function audience_gate.store_version() is
  'Which form of storing events this is. The scaling scripts refuse to stand in for a form that they do not know.';
