-- What an erasure may change in tables that nobody can edit, and how an erasure itself is sealed.
--
-- The trigger of those tables (20261101003402_unjudged_rows.sql) lets an update pass if three things hold: it runs as
-- audience_gate_owner, which nobody logs in as and only functions act as; this very transaction has recorded an erasure; and
-- only columns that tell a person differ. One function does all three, audience_gate.erase_subject(), which no role of the API
-- may call, and one more by rules of retention, audience_gate.apply_retention().

create or replace function audience_gate.is_erasing()
returns boolean
language sql
stable
set search_path = ''
as $$
  select exists (select from audience_gate.erasures e where e.erased_at = transaction_timestamp())
$$;
comment on function audience_gate.is_erasing() is 'Whether this transaction has recorded an erasure.';

create or replace function audience_gate.tombstone(subject_kind text, subject text)
returns bytea
language sql
stable
set search_path = ''
as $$
  select sha256(s.outer_pad || sha256(s.inner_pad || convert_to('erased|' || subject_kind || '|' || subject, 'UTF8')))
  from audience_gate.install_secrets s
  where s.name = 'ids'
$$;
comment on function audience_gate.tombstone(text, text) is 'What an erasure keeps of its subject: an HMAC under a secret of the install.';

-- Of an accepted event: what figures and states are made of, and what the contract keeps closed lists for. Of an audit
-- row: why it was rejected.
create or replace function audience_gate.remaining_keys()
returns text[]
language sql
stable
set search_path = ''
as $$
  select array[
      'duration_seconds', 'scroll_depth_percent', 'channel', 'consent_recorded', 'platform', 'share_type', 'prior_state',
      'new_state', 'inactivity_days', 'rule_id', 'validation_rule_id', 'validation_result', 'source_system',
      'rejection_reason', 'contract', 'event_id', 'payload_bytes', 'violations']
    || array(select x.code_key from audience_gate.error_events x where x.code_key is not null)
    || array(select m.metadata_key from audience_gate.performance_measures m)
$$;
comment on function audience_gate.remaining_keys() is 'The keys of metadata that an erasure leaves, whatever the event type.';

-- Whoever calls it says which rows these are, as e, and what becomes of their ids; what is left of a row is decided here.
create or replace function audience_gate.remains(
  source text, user_id text, session_id text, is_theirs text, mark text
)
returns text
language sql
immutable
set search_path = ''
as $$
  select format($query$
    select e.id, e.created_at, e.occurred_at, e.utm_source, e.utm_medium, e.utm_campaign, uuid_send(gen_random_uuid()) as salt,
      case when e.rejected then (e.metadata ->> 'event_id')::uuid else e.id end as sent_id,
      %2$s as user_id, %3$s as session_id,
      case when not (%4$s) then e.utm_content end as utm_content,
      case when not (%4$s) then e.utm_term end as utm_term,
      replace((
        case when e.rejected then '{"original_payload_snapshot": null}'::jsonb else '{}' end
        || case
          when jsonb_typeof(e.metadata) <> 'object' then '{}'
          when %4$s then (
            select coalesce(jsonb_object_agg(m.key, m.value), '{}') from jsonb_each(e.metadata) m
            where coalesce($2 -> e.event_type, $3) ? m.key)
          when e.rejected then e.metadata - array['original_payload_snapshot', 'payload_digest']
          else e.metadata - array['email_hash', 'email_hash_kind']
        end)::text, %5$s, '[erased]')::jsonb as metadata,
      e.metadata as former_metadata, coalesce(e.utm_content, e.utm_term) is not null as had_words,
      e.user_id as former_user_id, e.session_id as former_session_id, e.utm_content as former_content, e.utm_term as former_term
    from %1$s
  $query$, source, user_id, session_id, is_theirs, mark)
$$;
comment on function audience_gate.remains(text, text, text, text, text) is
  'The query of what an erasure leaves of rows: which rows, whose they are from now on, and whether all that they say is the '
  'person''s. Its arguments are the keys that stay, for each event type ($2) and for the others ($3).';

create or replace function audience_gate.erasure_entry(erasure uuid)
returns text
language sql
stable
set search_path = ''
as $$
  select 'erasure' || audience_gate.part(e.id::text) || audience_gate.part(audience_gate.micros(e.erased_at))
    || audience_gate.part(e.subject_kind) || audience_gate.part(e.keep) || audience_gate.part(e.erased_by)
    || audience_gate.part((
      select encode(sha256(convert_to(coalesce(string_agg(
        audience_gate.part(r.event_id::text) || audience_gate.part(r.change_id::text)
          || audience_gate.part(encode(r.commitment, 'hex')), '' order by r.event_id, r.change_id), ''), 'UTF8')), 'hex')
      from audience_gate.erased_rows r where r.erasure_id = e.id))
  from audience_gate.erasures e
  where e.id = erasure
$$;
comment on function audience_gate.erasure_entry(uuid) is
  'What is hashed of an erasure, with the rows that it changed and the commitments to what it left of them.';

-- At once rather than through the queue, so that no checkpoint ever covers erased rows without their erasure.
create or replace function audience_gate.seal_erasure(erasure uuid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  size constant bigint := (select coalesce(max(l.leaf_index) + 1, 0) from audience_gate.leaf l);
  fresh constant bytea := uuid_send(gen_random_uuid());
  hidden constant bytea := sha256(fresh || convert_to(audience_gate.part(
    (select e.reason from audience_gate.erasures e where e.id = erasure)), 'UTF8'));
begin
  if size = 0 then
    return;
  end if;
  insert into audience_gate.leaf (leaf_index, erasure_id, salt, hash)
  values (size, erasure, fresh,
    sha256('\x00'::bytea || convert_to(audience_gate.erasure_entry(erasure), 'UTF8') || hidden));
  perform audience_gate.fill_tiles(size, size + 1);
  insert into audience_gate.seal (size, root) values (size + 1, audience_gate.subtree(0, size + 1));
end;
$$;
comment on function audience_gate.seal_erasure(uuid) is 'Adds an erasure to the tree, if anything is sealed.';

-- A state is handed to nobody but a pseudonym.
create or replace function audience_gate.refuse_state_removal()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and current_user = 'audience_gate_owner' and audience_gate.is_erasing() then
    return new;
  end if;
  raise exception '% holds computed states: % is not permitted', tg_table_name,
    case tg_op when 'UPDATE' then 'handing one to another person or site' else lower(tg_op) end
    using errcode = 'insufficient_privilege';
end;
$$;
comment on function audience_gate.refuse_state_removal() is
  'Refuses to remove a state, or to hand it to another person or site; an erasure hands it to a pseudonym.';

grant update (user_id, changed_by, notes, event_id) on table public.audience_state_events to audience_gate_owner;
grant update (replayed_by) on table public.audience_event_replays to audience_gate_owner;
grant update (actor) on table public.audience_own_rule_events to audience_gate_owner;
grant update (sample) on table public.audience_observations to audience_gate_owner;
grant update (user_id) on table audience_gate.state_pending to audience_gate_owner;
grant update (result) on table audience_gate.job_runs to audience_gate_owner;
grant delete on table public.audience_site_members to audience_gate_owner;
drop policy if exists audience_site_members_erase on public.audience_site_members;
create policy audience_site_members_erase on public.audience_site_members for delete to audience_gate_owner using (true);

do $$
declare
  made text;
begin
  foreach made in array array[
    'is_erasing()', 'tombstone(text, text)', 'remaining_keys()', 'remains(text, text, text, text, text)',
    'erasure_entry(uuid)',
    'seal_erasure(uuid)'
  ] loop
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
    execute format('grant execute on function audience_gate.%s to audience_gate_owner', made);
  end loop;
end $$;
