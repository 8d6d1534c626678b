-- The keys by which a batch proves that the gate's own function judged it.
--
-- The fingerprint of the contract and the version of the registry are no secrets, so they prove nothing: whoever had the
-- service key could have events recorded that no engine had judged, and audit rows that nobody had written.

-- Two keys are known at a time, so that the function can change to a new one while the old one still works.
create or replace function audience_gate.new_signing_key()
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  key constant text := encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
    || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex');
begin
  delete from audience_gate.install_secrets s
  where s.name in (
    select o.name from audience_gate.install_secrets o where o.name like 'signing:%' order by o.made_at desc, o.name offset 1);
  insert into audience_gate.install_secrets (name, inner_pad, outer_pad, made_at)
  values ('signing:' || audience_gate.signing_key_id(key),
    audience_gate.key_pad(decode(key, 'hex'), 54), audience_gate.key_pad(decode(key, 'hex'), 92), clock_timestamp());
  return key;
end;
$$;
comment on function audience_gate.new_signing_key() is
  'Makes a signing key and returns it, once: the function gets it as AUDIENCE_GATE_SIGNING_KEY. The key before it stays '
  'valid until the next is made. For whoever owns the database.';

create or replace function audience_gate.signing_key_id(key text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$ select left(encode(sha256(convert_to('audience-gate key id|' || key, 'UTF8')), 'hex'), 16) $$;
comment on function audience_gate.signing_key_id(text) is 'What a signing key is called: 16 digits of a hash, which tell nothing about it.';

-- Digests are compared by digests of their own under the key, so that the time it takes tells nothing about them.
create or replace function audience_gate.proven_call(signature text, body text)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  said constant text[] := regexp_match(signature, '^t=([0-9]{13}),n=([0-9a-f]{32}),k=([0-9a-f]{16}),s=([0-9a-f]{64})$');
  inside bytea;
  outside bytea;
begin
  if abs(said[1]::bigint - extract(epoch from clock_timestamp()) * 1000) <= 300000 then
    select s.inner_pad, s.outer_pad into inside, outside
    from audience_gate.install_secrets s where s.name = 'signing:' || said[3];
    if sha256(outside || decode(said[4], 'hex'))
      = sha256(outside || sha256(outside || sha256(inside || convert_to(concat_ws('.', said[1], said[2], body), 'UTF8'))))
    then
      return said[2];
    end if;
  end if;
  return null;
end;
$$;
comment on function audience_gate.proven_call(text, text) is
  'The nonce of a call whose body is signed: t=milliseconds,n=nonce,k=key,s=HMAC-SHA-256 of "t.n.body", no more than five '
  'minutes from now. Null: it is not.';

do $$
declare
  signature text;
begin
  foreach signature in array array['new_signing_key()', 'signing_key_id(text)', 'proven_call(text, text)'] loop
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
grant execute on function audience_gate.proven_call(text, text) to audience_gate_store;
