-- Every row that enters public.audience_events is judged here, whoever inserts it. A row that breaks a rule
-- becomes its own audit row in the same statement, because raising an error would undo the audit row too; a
-- row whose id is recorded already is skipped. Only the role audience_gate_store is not stopped: it owns the
-- batch function and nothing else, and nobody but the role that applies migrations can act as it.

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
    then audience_gate.placeholder_session()
    else session_id
  end
$$;
comment on function audience_gate.kept_session(text, text[]) is
  'The session that an audit row is recorded under: the one sent if it was valid and held nothing personal, else '
  'the placeholder.';

-- The sender of a direct insert learns from the API what became of it: status 422 if no row was accepted, 207
-- if some were, and the rules in headers. PostgREST writes the body itself, so nothing can be said there.
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
  'Sets status and headers of the answer to a direct insert that was rejected. The rules are those of the last '
  'rejected row.';

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
comment on function audience_gate.answer_accepted() is 'Notes that at least one row of a direct insert was accepted.';

-- The settings keep every plan on an index, even one that was made while the table was empty.
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
    jsonb_strip_nulls(to_jsonb(new) - array['metadata', 'created_at', 'rejected'])
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
comment on function audience_gate.enforce() is
  'Judges a row on its way into public.audience_events. A rejected row becomes its audit row; a row whose id is '
  'recorded is skipped.';

-- Once a statement and before its rows are judged, so that a migration which changes the contract waits for all of them.
create or replace function audience_gate.hold_contract_while_inserting()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform audience_gate.hold_contract();
  return null;
end;
$$;
comment on function audience_gate.hold_contract_while_inserting() is
  'Keeps the contract as it is while a statement inserts events.';
alter function audience_gate.hold_contract_while_inserting() owner to audience_gate_owner;
revoke all on function audience_gate.hold_contract_while_inserting() from public;

drop trigger if exists trg_audience_events_hold_contract on public.audience_events;
create trigger trg_audience_events_hold_contract
before insert on public.audience_events
for each statement
when (current_user <> 'audience_gate_store')
execute function audience_gate.hold_contract_while_inserting();

drop trigger if exists trg_audience_events_enforce on public.audience_events;
create trigger trg_audience_events_enforce
before insert on public.audience_events
for each row
when (current_user <> 'audience_gate_store')
execute function audience_gate.enforce();
