-- Which rows were erased, so that nothing that comes under their ids later is compared with them, and so that the seals
-- can tell an erased row from one that was tampered with. 20261101006550_erase_subject.sql writes both tables.

create table if not exists audience_gate.erasures (
  id uuid primary key default gen_random_uuid(),
  erased_at timestamptz not null default now(),
  subject_kind text not null,
  keep text not null,
  reason text not null,
  erased_by text not null,
  tombstone bytea not null,
  constraint erasures_subject_kind_chk check (subject_kind in ('user_id', 'session_id', 'email_hash', 'age')),
  constraint erasures_keep_chk check (keep in ('pseudonym', 'nothing', 'person')),
  constraint erasures_reason_chk check (length(reason) between 1 and 1000),
  constraint erasures_actor_chk check (erased_by ~ '^(system|user|role):.'),
  constraint erasures_tombstone_chk check (octet_length(tombstone) = 32)
);
create index if not exists idx_erasures_erased_at on audience_gate.erasures (erased_at);
create index if not exists idx_erasures_tombstone on audience_gate.erasures (tombstone);
comment on table audience_gate.erasures is 'Every erasure of a person, without the person. Append-only.';
comment on column audience_gate.erasures.id is 'Names the erasure.';
comment on column audience_gate.erasures.erased_at is 'When its transaction began.';
comment on column audience_gate.erasures.subject_kind is
  'By what the person was known: user_id, session_id or email_hash; age: a rule of retention chose the rows.';
comment on column audience_gate.erasures.keep is
  'pseudonym: what stays of the person belongs together; nothing: only what stays of one day does; person: what stays is '
  'still theirs.';
comment on column audience_gate.erasures.reason is 'Why, in words that name nobody.';
comment on column audience_gate.erasures.erased_by is 'Who had it done: role:<name>.';
comment on column audience_gate.erasures.tombstone is
  'A hash of the subject under a secret of the install. Whoever asks again is recognised by it; it leads to nobody.';

create table if not exists audience_gate.erased_rows (
  erasure_id uuid not null references audience_gate.erasures (id),
  event_id uuid null,
  change_id bigint null,
  sent_id uuid null,
  salt bytea null,
  commitment bytea not null,
  constraint erased_rows_row_chk check (num_nonnulls(event_id, change_id) = 1),
  constraint erased_rows_salt_chk check (octet_length(salt) = 16),
  constraint erased_rows_commitment_chk check (octet_length(commitment) = 32)
);
create index if not exists idx_erased_rows_erasure_id on audience_gate.erased_rows (erasure_id, event_id, change_id);
create index if not exists idx_erased_rows_sent_id on audience_gate.erased_rows (sent_id);
create unique index if not exists idx_erased_rows_event_id on audience_gate.erased_rows (event_id) where salt is not null;
create unique index if not exists idx_erased_rows_change_id on audience_gate.erased_rows (change_id) where salt is not null;
comment on table audience_gate.erased_rows is 'The rows that an erasure changed, and a commitment to what it left of them.';
comment on column audience_gate.erased_rows.erasure_id is 'The erasure.';
comment on column audience_gate.erased_rows.event_id is 'A row of public.audience_events.';
comment on column audience_gate.erased_rows.change_id is 'A row of public.audience_state_events.';
comment on column audience_gate.erased_rows.sent_id is
  'The id under which the event was sent. Nothing that comes under it again is recorded.';
comment on column audience_gate.erased_rows.salt is 'The salt of the commitment; null once the row was erased again.';
comment on column audience_gate.erased_rows.commitment is
  'SHA-256 of the salt and of what the erasure left: a row that is edited after it was erased no longer fits.';
comment on index audience_gate.idx_erased_rows_event_id is 'The last erasure of an event.';
comment on index audience_gate.idx_erased_rows_change_id is 'The last erasure of a change of state.';

do $$
declare
  kept text;
begin
  foreach kept in array array['erasures', 'erased_rows'] loop
    execute format('alter table audience_gate.%I enable row level security', kept);
    execute format('revoke all on table audience_gate.%I from public, anon, authenticated, service_role', kept);
    execute format('grant select, insert on table audience_gate.%I to audience_gate_owner', kept);
    execute format('drop policy if exists %I on audience_gate.%I', kept || '_gate', kept);
    execute format('create policy %I on audience_gate.%I to audience_gate_owner using (true) with check (true)', kept || '_gate', kept);
    execute format('drop trigger if exists %I on audience_gate.%I', 'trg_' || kept || '_append_only', kept);
    execute format('create trigger %I before update or delete on audience_gate.%I
      for each row execute function public.audience_events_append_only()', 'trg_' || kept || '_append_only', kept);
    execute format('drop trigger if exists %I on audience_gate.%I', 'trg_' || kept || '_no_truncate', kept);
    execute format('create trigger %I before truncate on audience_gate.%I
      for each statement execute function public.audience_events_append_only()', 'trg_' || kept || '_no_truncate', kept);
  end loop;
end $$;
grant update (salt) on table audience_gate.erased_rows to audience_gate_owner;
-- Whoever records events asks whether what is recorded under an id was erased.
grant select on table audience_gate.erased_rows to audience_gate_store;
drop policy if exists erased_rows_store on audience_gate.erased_rows;
create policy erased_rows_store on audience_gate.erased_rows for select to audience_gate_store using (true);

-- With sequential scans off, as where it is asked: a plan for an empty table would read all of a large one.
create or replace function audience_gate.was_erased(event_id uuid)
returns boolean
language plpgsql
stable
set search_path = ''
set enable_seqscan = off
as $$
begin
  return exists (select from audience_gate.erased_rows r where r.sent_id = was_erased.event_id);
end;
$$;
comment on function audience_gate.was_erased(uuid) is
  'Whether what was sent under an id was erased. Asked only of ids that come again, and of what is refused.';
revoke all on function audience_gate.was_erased(uuid) from public, anon, authenticated, service_role;
grant execute on function audience_gate.was_erased(uuid) to audience_gate_owner, audience_gate_store;
