-- Which locks decide double fires, and in which order every path takes them.
--
-- A batch knows its sessions before it begins, and takes its locks in ascending order. A direct insert learns of them row
-- by row: with locks in the order of its rows it deadlocked with batches and with other inserts. So there are two locks for
-- each bucket. The first keeps whoever judges from the session that a direct insert begins with. The second belongs to
-- those who settle: batches before they look anything up, direct inserts after their last row, when they know all of
-- their sessions. Everybody takes first locks before second ones, and each kind in ascending order.
--
-- Half as many buckets as before, so that a batch over a thousand sessions fills the lock table no more than it did.

create or replace function audience_gate.session_bucket(session_id text)
returns integer
language sql
immutable
parallel safe
return hashtext(session_id) & 255;
comment on function audience_gate.session_bucket(text) is 'The bucket of a session, one of 256.';

create or replace function audience_gate.settle_lock()
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$ select 20261102 $$;
comment on function audience_gate.settle_lock() is
  'The first key of the advisory locks under which recorded sessions are settled; the second is the bucket.';
revoke all on function audience_gate.settle_lock() from public, anon, authenticated, service_role;
grant execute on function audience_gate.settle_lock() to audience_gate_owner, audience_gate_store;

create or replace function audience_gate.lock_sessions(buckets integer[])
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(audience_gate.session_lock(), b) from unnest(buckets) b;
  perform pg_advisory_xact_lock(audience_gate.settle_lock(), b) from unnest(buckets) b;
end;
$$;
comment on function audience_gate.lock_sessions(integer[]) is
  'Takes both locks of these buckets, to be given in ascending order, and holds them until the transaction ends.';
