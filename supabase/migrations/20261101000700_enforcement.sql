-- Every row that enters public.audience_events is judged here, whoever inserts it: an invalid one becomes
-- its own audit row in the same statement (raising would roll the audit row back), a recorded one is
-- skipped. Only audience_gate_store passes by: it owns the batch function and nothing else, and nobody
-- but the migration role can act as it.

-- Repeats are decided one session at a time. The bucket is what a transaction locks: few enough that a
-- batch over a thousand sessions cannot fill the lock table.
create or replace function audience_gate.lock_sessions(buckets integer[])
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  bucket integer;
begin
  -- In a fixed order, so that two batches cannot wait for each other.
  foreach bucket in array buckets loop
    perform pg_advisory_xact_lock(20261101, bucket);
  end loop;
end;
$$;
comment on function audience_gate.lock_sessions(integer[]) is
  'Holds, until the transaction ends, the locks under which repeats within sessions are decided. Give the buckets in ascending order.';

create or replace function audience_gate.kept_session(session_id text, rule_ids text[])
returns text
language sql
immutable
set search_path = ''
as $$
  select case
    when session_id is null
      or rule_ids && array['base.session_id', 'sanity.session_id_length']
      or ('privacy.raw_email' = any (rule_ids)
        and audience_gate.redact(to_jsonb(session_id)) <> to_jsonb(session_id))
    then 'unknown-session'
    else session_id
  end
$$;
comment on function audience_gate.kept_session(text, text[]) is
  'The session an audit row stands under: the sender''s where it was valid, else a placeholder.';

-- A direct insert is told through PostgREST what became of it: 422 where no row was accepted, 207 where
-- some were, with the rules in headers. A body cannot be sent: PostgREST has written it by then.
create or replace function audience_gate.answer_rejected(rule_ids text[])
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  rejected integer := coalesce(nullif(current_setting('audience_gate.rejected', true), '')::integer, 0) + 1;
begin
  perform set_config('audience_gate.rejected', rejected::text, true);
  perform set_config('response.status',
    case when current_setting('audience_gate.accepted', true) = 'some' then '207' else '422' end, true);
  perform set_config('response.headers', jsonb_build_array(
    jsonb_build_object('Audience-Gate-Rejected', rejected::text),
    jsonb_build_object('Audience-Gate-Rule', rule_ids[1]),
    jsonb_build_object('Audience-Gate-Violations', array_to_string(rule_ids, ', '))
  )::text, true);
end;
$$;
comment on function audience_gate.answer_rejected(text[]) is
  'Sets the status and headers of the API''s answer to a direct insert that was rejected; the rules are those of the last rejected row.';

create or replace function audience_gate.answer_accepted()
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  perform set_config('audience_gate.accepted', 'some', true);
  if current_setting('response.status', true) = '422' then
    perform set_config('response.status', '207', true);
  end if;
end;
$$;
comment on function audience_gate.answer_accepted() is 'Notes that a direct insert was accepted, at least in part.';

-- The settings keep every plan on an index, also one that was made while the table was empty.
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
  -- The roles of the API by name, because this runs once a row.
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
  happened_at timestamptz;
  recorded boolean;
  repeated boolean;
begin
  if current_setting('transaction_isolation') = 'repeatable read' then
    raise exception 'audience_events cannot take inserts under repeatable read'
      using errcode = 'feature_not_supported',
            detail = 'repeats recorded meanwhile could not be seen',
            hint = 'use read committed or serializable';
  end if;

  new.id := coalesce(new.id, gen_random_uuid());
  new.created_at := now();
  new.site_id := coalesce(new.site_id, '00000000-0000-4000-8000-000000000001');
  new.metadata := coalesce(new.metadata, '{}');
  new.rejected := false;
  happened_at := coalesce(new.occurred_at, new.created_at);

  perform pg_advisory_xact_lock(20261101, hashtext(new.session_id) & 511);
  select
    exists (select from public.audience_events e where e.id = new.id),
    exists (
      select from public.audience_events e
      where hashtextextended(e.session_id, hashtextextended(e.event_type, coalesce(uuid_hash_extended(e.user_id, 0), 0)))
          = hashtextextended(new.session_id, hashtextextended(new.event_type, coalesce(uuid_hash_extended(new.user_id, 0), 0)))
        and coalesce(e.occurred_at, e.created_at) > happened_at - interval '3 seconds'
        and coalesce(e.occurred_at, e.created_at) < happened_at + interval '3 seconds'
        and not e.rejected
        and (e.session_id, e.event_type, e.user_id, e.site_id)
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
    jsonb_strip_nulls(to_jsonb(new) - array['metadata', 'created_at', 'rejected'])
      || jsonb_build_object('metadata', new.metadata),
    rule_ids, 'database');
  new.session_id := audience_gate.kept_session(new.session_id, rule_ids);
  if 'identity.user_id' = any (rule_ids) then new.user_id := null; end if;
  if 'identity.site' = any (rule_ids) then new.site_id := '00000000-0000-4000-8000-000000000001'; end if;
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
comment on function audience_gate.enforce() is
  'Judges a row on its way into public.audience_events; a rejected one becomes its audit row, a recorded one is skipped.';

drop trigger if exists trg_audience_events_enforce on public.audience_events;
create trigger trg_audience_events_enforce
before insert on public.audience_events
for each row
when (current_user <> 'audience_gate_store')
execute function audience_gate.enforce();

alter function audience_gate.lock_sessions(integer[]) owner to audience_gate_owner;
alter function audience_gate.kept_session(text, text[]) owner to audience_gate_owner;
alter function audience_gate.answer_rejected(text[]) owner to audience_gate_owner;
alter function audience_gate.answer_accepted() owner to audience_gate_owner;
alter function audience_gate.enforce() owner to audience_gate_owner;
revoke all on function audience_gate.lock_sessions(integer[]) from public;
revoke all on function audience_gate.kept_session(text, text[]) from public;
revoke all on function audience_gate.answer_rejected(text[]) from public;
revoke all on function audience_gate.answer_accepted() from public;
revoke all on function audience_gate.enforce() from public;
grant execute on function audience_gate.lock_sessions(integer[]) to audience_gate_store;
grant execute on function audience_gate.kept_session(text, text[]) to audience_gate_store;
