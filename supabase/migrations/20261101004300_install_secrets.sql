-- Secrets of this install, and the ids that derive under them.
--
-- Some ids are made from what they stand for, so that the same thing done twice is one row: an audit row of a literal
-- retry, an inactivity that was found twice, a replayed rejection. If they were plain hashes, whoever can guess the
-- contents could compute the id, send an event under it first, and so suppress the row that the gate would write.

create table if not exists audience_gate.install_secrets (
  name text primary key,
  inner_pad bytea not null,
  outer_pad bytea not null,
  made_at timestamptz not null default now(),
  constraint install_secrets_inner_pad_chk check (octet_length(inner_pad) = 64),
  constraint install_secrets_outer_pad_chk check (octet_length(outer_pad) = 64)
);
comment on table audience_gate.install_secrets is
  'Keys that no other install has, each as the two padded blocks of HMAC-SHA-256, so that no digest has to compute them. '
  'Only the gate reads them.';
comment on column audience_gate.install_secrets.name is 'What the key is for.';
comment on column audience_gate.install_secrets.inner_pad is 'The key, filled with zeros to 64 bytes, xor 0x36.';
comment on column audience_gate.install_secrets.outer_pad is 'The key, filled with zeros to 64 bytes, xor 0x5c.';
comment on column audience_gate.install_secrets.made_at is 'When the key was made.';
alter table audience_gate.install_secrets enable row level security;
revoke all on table audience_gate.install_secrets from public, anon, authenticated, service_role;
grant select on table audience_gate.install_secrets to audience_gate_owner, audience_gate_store;

drop policy if exists install_secrets_gate on audience_gate.install_secrets;
create policy install_secrets_gate on audience_gate.install_secrets for select
  to audience_gate_owner, audience_gate_store using (true);

create or replace function audience_gate.key_pad(key bytea, filler integer)
returns bytea
language sql
immutable
parallel safe
set search_path = ''
as $$
  select decode(string_agg(lpad(to_hex(
      case when place < octet_length(key) then get_byte(key, place) else 0 end # filler), 2, '0'), '' order by place), 'hex')
  from generate_series(0, 63) place
$$;
comment on function audience_gate.key_pad(bytea, integer) is
  'A block of HMAC-SHA-256: a key of at most 64 bytes, each byte xor the filler.';
revoke all on function audience_gate.key_pad(bytea, integer) from public, anon, authenticated, service_role;

-- A random UUID holds 122 random bits; four of them make a key of 256.
insert into audience_gate.install_secrets (name, inner_pad, outer_pad)
select 'ids', audience_gate.key_pad(made.key, 54), audience_gate.key_pad(made.key, 92)
from (
  select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
    || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) as key
) made
on conflict do nothing;

-- Version 8 is the version of UUIDs whose contents are the maker's own affair.
create or replace function audience_gate.derived_id(kind text, content text)
returns uuid
language plpgsql
stable
parallel safe
set search_path = ''
as $$
declare
  digest bytea;
begin
  select substr(sha256(s.outer_pad || sha256(s.inner_pad || convert_to(kind || '|' || content, 'UTF8'))), 1, 16)
  into digest
  from audience_gate.install_secrets s
  where s.name = 'ids';
  return encode(set_byte(set_byte(digest, 6, get_byte(digest, 6) & 15 | 128), 8, get_byte(digest, 8) & 63 | 128), 'hex')::uuid;
end;
$$;
comment on function audience_gate.derived_id(text, text) is
  'The id of what the gate itself writes: the same for the same kind and content, and computable by nobody without the '
  'secret of the install.';
revoke all on function audience_gate.derived_id(text, text) from public, anon, authenticated, service_role;
grant execute on function audience_gate.derived_id(text, text) to audience_gate_owner, audience_gate_store;

-- By it an archive knows the database that it is of, wherever that is moved or restored to.
create or replace function audience_gate.install_id()
returns text
language sql
stable
set search_path = ''
as $$
  select substr(encode(sha256('\x00'::bytea || s.outer_pad || s.inner_pad), 'hex'), 1, 32)
  from audience_gate.install_secrets s
  where s.name = 'ids'
$$;
comment on function audience_gate.install_id() is 'Names this install, so that what was archived elsewhere is told from its own.';
revoke all on function audience_gate.install_id() from public, anon, authenticated, service_role;
