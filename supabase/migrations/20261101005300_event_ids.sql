-- What an id stands for: one accepted event, with its contents.
--
-- An audit row used to take the id of the event that was refused. So 500 refused events under one id left one row, a
-- refused event under a recorded id left none, and a visitor who sent an id first made the event of a back end, which
-- came second under it, look like a retry. Now a retry is a retry only if its contents are those that are recorded, and
-- an audit row has an id of its own, made from what was refused.

create or replace function audience_gate.contents(
  site_id uuid, user_id uuid, session_id text, event_type text, event_category text, event_source text, utm_source text,
  utm_medium text, utm_campaign text, utm_content text, utm_term text, occurred_at timestamptz, metadata jsonb
)
returns jsonb
language sql
stable
parallel safe
set search_path = ''
as $$
  select jsonb_build_array(
    site_id, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium, utm_campaign, utm_content,
    utm_term, extract(epoch from occurred_at),
    case when jsonb_typeof(metadata) = 'object' then metadata - array['email_hash', 'email_hash_kind'] else metadata end)
$$;
comment on function audience_gate.contents(
  uuid, uuid, text, text, text, text, text, text, text, text, text, timestamptz, jsonb
) is
  'What two events under one id must have in common to be one: all that was sent. What the gate adds, which is the hash of '
  'an address, is left out.';

-- The views keep the columns that they had, so that whoever is inserting meanwhile by the functions of before goes on.
comment on column audience_gate.recorded_ids.id is 'The id of an event or of an audit row.';
create or replace view audience_gate.recorded_fires with (security_invoker = true) as
select
  audience_gate.fire_key(e.session_id, e.event_type, e.user_id) as fire_key,
  coalesce(e.occurred_at, e.created_at) as happened_at,
  e.session_id, e.event_type, e.user_id, e.site_id, e.id
from public.audience_events e
where not e.rejected;
comment on view audience_gate.recorded_fires is
  'The accepted events that another may repeat. Two are one double fire if session, type and user are the same, whatever '
  'the site, and less than audience_gate.fire_window() lies between them.';
comment on column audience_gate.recorded_fires.fire_key is
  'Session, type and user as one number: what the index finds.';
comment on column audience_gate.recorded_fires.happened_at is 'When it happened, by the sender''s clock where sent.';
comment on column audience_gate.recorded_fires.id is 'The event.';

create or replace function audience_gate.plain_contents(event_id uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  return (
    select audience_gate.contents(
      e.site_id, e.user_id, e.session_id, e.event_type, e.event_category, e.event_source, e.utm_source, e.utm_medium,
      e.utm_campaign, e.utm_content, e.utm_term, e.occurred_at, e.metadata)
    from public.audience_events e
    where e.id = event_id and not audience_gate.was_erased(event_id)
  );
end;
$$;
comment on function audience_gate.plain_contents(uuid) is
  'The contents recorded under an id; null if they were erased. Asked only of ids that come again.';

create or replace function audience_gate.plain_fires_again(sent_session text, sent_type text, sent_user uuid, sent_at timestamptz)
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
  );
end;
$$;
comment on function audience_gate.plain_fires_again(text, text, uuid, timestamptz) is
  'Whether an event would be the double fire of a recorded one. Asked only of events whose batch repeats itself.';

create or replace function audience_gate.recorded_contents(event_id uuid)
returns jsonb
language sql
stable
set search_path = ''
as $$ select audience_gate.plain_contents(event_id) $$;
comment on function audience_gate.recorded_contents(uuid) is
  'The contents recorded under an id, in the way of the event log in use.';

create or replace function audience_gate.fires_again(sent_session text, sent_type text, sent_user uuid, sent_at timestamptz)
returns boolean
language sql
stable
set search_path = ''
as $$ select audience_gate.plain_fires_again(sent_session, sent_type, sent_user, sent_at) $$;
comment on function audience_gate.fires_again(text, text, uuid, timestamptz) is
  'Whether an event would be the double fire of a recorded one, in the way of the event log in use.';

-- A literal retry of a refused event derives the same id, and adds nothing. The digest is that of the redacted event, and
-- the contract stands for the rules: refused by other rules, it is refused anew.
create or replace function audience_gate.rejection_id(event_id uuid, metadata jsonb)
returns uuid
language sql
volatile
set search_path = ''
as $$
  select case
    when event_id is null then gen_random_uuid()
    else audience_gate.derived_id('rejection', concat_ws('|',
      event_id, metadata ->> 'payload_digest', audience_gate.contract_fingerprint()))
  end
$$;
comment on function audience_gate.rejection_id(uuid, jsonb) is
  'The id of an audit row: its own, made from the id and the contents of the event that was refused; random, if the event '
  'had no id.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'contents(uuid, uuid, text, text, text, text, text, text, text, text, text, timestamptz, jsonb)', 'plain_contents(uuid)',
    'recorded_contents(uuid)', 'plain_fires_again(text, text, uuid, timestamptz)', 'fires_again(text, text, uuid, timestamptz)',
    'rejection_id(uuid, jsonb)'
  ] loop
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
    execute format('grant execute on function audience_gate.%s to audience_gate_owner, audience_gate_store', signature);
  end loop;
end $$;
