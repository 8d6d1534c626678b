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
  insert into audience_gate.leaf (leaf_index, erasure_id, salt, commitment, hash)
  values (size, erasure, fresh, hidden,
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
    'is_erasing()', 'tombstone(text, text)', 'remaining_keys()', 'erasure_entry(uuid)',
    'seal_erasure(uuid)'
  ] loop
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
    execute format('grant execute on function audience_gate.%s to audience_gate_owner', made);
  end loop;
end $$;
