-- Seals: a Merkle tree over the event log and over the history of states, by which whoever keeps one signed checkpoint
-- can prove later that nothing sealed was changed, removed, added inside, put in another order or back-dated, by anybody.
--
-- Nothing is sealed until audience_gate.start_sealing() is called. What is recorded from then on goes through a queue
-- that is written in the same transaction, because neither a time nor a number tells what a late transaction will
-- still commit.

create table if not exists audience_gate.unsealed (
  event_id uuid null,
  change_id bigint null,
  constraint unsealed_row_chk check (num_nonnulls(event_id, change_id) = 1)
);
comment on table audience_gate.unsealed is 'Rows that wait to be sealed. The sealer removes what it has numbered.';
comment on column audience_gate.unsealed.event_id is 'A row of public.audience_events.';
comment on column audience_gate.unsealed.change_id is 'A row of public.audience_state_events.';

create table if not exists audience_gate.leaf (
  leaf_index bigint primary key,
  event_id uuid null,
  change_id bigint null,
  erasure_id uuid null,
  salt bytea null,
  commitment bytea null,
  hash bytea not null,
  constraint leaf_row_chk check (num_nonnulls(event_id, change_id, erasure_id) = 1),
  constraint leaf_secret_chk check (num_nonnulls(salt, commitment) = 1),
  constraint leaf_salt_chk check (octet_length(salt) = 16),
  constraint leaf_hashes_chk check (octet_length(commitment) = 32 and octet_length(hash) = 32)
);
create unique index if not exists idx_leaf_event_id on audience_gate.leaf (event_id) where event_id is not null;
create unique index if not exists idx_leaf_change_id on audience_gate.leaf (change_id) where change_id is not null;
create unique index if not exists idx_leaf_erasure_id on audience_gate.leaf (erasure_id) where erasure_id is not null;
comment on table audience_gate.leaf is 'The sealed rows in the order in which they were sealed: the leaves of the tree.';
comment on column audience_gate.leaf.leaf_index is 'The place of the leaf, from 0 on, without a gap.';
comment on column audience_gate.leaf.event_id is 'The row of public.audience_events that it stands for.';
comment on column audience_gate.leaf.change_id is 'The row of public.audience_state_events that it stands for.';
comment on column audience_gate.leaf.erasure_id is 'The row of audience_gate.erasures that it stands for.';
comment on column audience_gate.leaf.salt is
  'Random, so that the commitment says nothing about a row to whoever guesses what it holds. Null: the row was erased.';
comment on column audience_gate.leaf.commitment is
  'SHA-256 of the salt and of what can tell a person in the row, once neither is left. Until then it follows from both.';
comment on column audience_gate.leaf.hash is 'SHA-256 of a zero byte, the rest of the row and the commitment, as in RFC 9162.';

create table if not exists audience_gate.tile (
  level smallint,
  tile_index bigint,
  hash bytea not null,
  primary key (level, tile_index),
  constraint tile_level_chk check (level > 0),
  constraint tile_hash_chk check (octet_length(hash) = 32)
);
comment on table audience_gate.tile is 'The tops of full subtrees, so that no root and no proof takes a walk over all leaves.';
comment on column audience_gate.tile.level is 'The subtree has 256 to this power leaves.';
comment on column audience_gate.tile.tile_index is 'Which of the subtrees of that size it is, from 0 on.';
comment on column audience_gate.tile.hash is 'Its top.';

create table if not exists audience_gate.seal (
  size bigint primary key,
  root bytea not null,
  sealed_at timestamptz not null default clock_timestamp(),
  constraint seal_root_chk check (size > 0 and octet_length(root) = 32)
);
comment on table audience_gate.seal is 'What the tree was after each run of the sealer.';
comment on column audience_gate.seal.size is 'How many leaves it had.';
comment on column audience_gate.seal.root is 'Its root.';
comment on column audience_gate.seal.sealed_at is 'When, by the clock of the database.';

create table if not exists audience_gate.checkpoint (
  size bigint primary key,
  note text not null,
  signed_at timestamptz not null default clock_timestamp(),
  constraint checkpoint_note_chk check (length(note) <= 10000)
);
comment on table audience_gate.checkpoint is
  'The roots that were signed. They prove something only to whoever keeps one elsewhere.';
comment on column audience_gate.checkpoint.size is 'How many leaves it covers.';
comment on column audience_gate.checkpoint.note is 'The signed note, in the form of C2SP tlog-checkpoint.';
comment on column audience_gate.checkpoint.signed_at is 'When it was signed.';

do $$
declare
  sealed text;
begin
  foreach sealed in array array['unsealed', 'leaf', 'tile', 'seal', 'checkpoint'] loop
    execute format('alter table audience_gate.%I enable row level security', sealed);
    execute format('revoke all on table audience_gate.%I from public, anon, authenticated, service_role', sealed);
    execute format('grant select, insert on table audience_gate.%I to audience_gate_owner', sealed);
    execute format('drop policy if exists %I on audience_gate.%I', sealed || '_gate', sealed);
    execute format('create policy %I on audience_gate.%I to audience_gate_owner using (true) with check (true)',
      sealed || '_gate', sealed);
    if sealed <> 'unsealed' then
      execute format('drop trigger if exists %I on audience_gate.%I', 'trg_' || sealed || '_append_only', sealed);
      execute format('create trigger %I before update or delete on audience_gate.%I
        for each row execute function public.audience_events_append_only()', 'trg_' || sealed || '_append_only', sealed);
      execute format('drop trigger if exists %I on audience_gate.%I', 'trg_' || sealed || '_no_truncate', sealed);
      execute format('create trigger %I before truncate on audience_gate.%I
        for each statement execute function public.audience_events_append_only()', 'trg_' || sealed || '_no_truncate', sealed);
    end if;
  end loop;
end $$;
grant delete on table audience_gate.unsealed to audience_gate_owner;
grant update (salt, commitment) on table audience_gate.leaf to audience_gate_owner;
