-- How much one sender may send. Isolates of the function share nothing, so the count is kept here: a token
-- bucket for each key, which is a salted hash made by the function, never an address.

create table if not exists public.audience_rate_limits (
  scope text primary key,
  burst integer not null,
  per_minute numeric not null,
  shards integer not null default 1,
  constraint audience_rate_limits_scope_chk check (scope in ('address', 'session', 'caller', 'site')),
  constraint audience_rate_limits_burst_chk check (burst >= shards),
  constraint audience_rate_limits_per_minute_chk check (per_minute > 0),
  constraint audience_rate_limits_shards_chk check (shards between 1 and 64)
);
comment on table public.audience_rate_limits is 'Limits on events sent through the function. A scope without a row is not limited.';
comment on column public.audience_rate_limits.scope is 'What is counted: an address, a session, a signed-in caller, or a whole site.';
comment on column public.audience_rate_limits.burst is 'How many events may come at once after a silence.';
comment on column public.audience_rate_limits.per_minute is 'How many events a minute may come in the long run.';
comment on column public.audience_rate_limits.shards is
  'Over how many rows a key is counted, so that requests under one busy key do not wait for each other; each takes its share of the limit.';
insert into public.audience_rate_limits values
  ('session', 300, 600, 1),
  ('caller', 600, 1200, 1),
  ('address', 1200, 2400, 1),
  ('site', 160000, 600000, 16)
on conflict do nothing;

-- Lost in a crash, and no harm done: every bucket is full again.
create unlogged table if not exists audience_gate.rate_buckets (
  key text not null,
  scope text not null,
  shard integer not null,
  tokens double precision not null,
  filled_at timestamptz not null,
  primary key (key, scope, shard)
) with (fillfactor = 70);
create index if not exists idx_rate_buckets_filled_at on audience_gate.rate_buckets (filled_at);
comment on table audience_gate.rate_buckets is 'What is left to each sender.';
comment on column audience_gate.rate_buckets.key is 'A salted hash made by the function; says nothing about the sender.';
comment on column audience_gate.rate_buckets.scope is 'Which limit it counts against.';
comment on column audience_gate.rate_buckets.shard is 'Which part of the key.';
comment on column audience_gate.rate_buckets.tokens is 'How many events were left when it was last charged.';
comment on column audience_gate.rate_buckets.filled_at is 'When that was.';

alter table public.audience_rate_limits enable row level security;
alter table audience_gate.rate_buckets enable row level security;
drop policy if exists audience_rate_limits_gate on public.audience_rate_limits;
create policy audience_rate_limits_gate on public.audience_rate_limits for select
  to audience_gate_owner, audience_gate_store using (true);
drop policy if exists rate_buckets_gate on audience_gate.rate_buckets;
create policy rate_buckets_gate on audience_gate.rate_buckets
  to audience_gate_owner, audience_gate_store using (true) with check (true);
revoke all on table public.audience_rate_limits from public, anon, authenticated, service_role;
revoke all on table audience_gate.rate_buckets from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.audience_rate_limits to service_role;
grant select on table public.audience_rate_limits to audience_gate_owner, audience_gate_store;
grant select, insert, update, delete on table audience_gate.rate_buckets to audience_gate_owner, audience_gate_store;

create or replace function audience_gate.tokens_now(
  tokens double precision, filled_at timestamptz, burst double precision, per_second double precision
)
returns double precision
language sql
volatile
set search_path = ''
as $$
  select least(burst, tokens + per_second * greatest(extract(epoch from clock_timestamp() - filled_at), 0))
$$;
comment on function audience_gate.tokens_now(double precision, timestamptz, double precision, double precision) is
  'What a bucket holds by now.';

-- Charges every key of a request. Over a limit: {"retry_after": seconds}, and the transaction ends with
-- nothing recorded. Else what is left of the tightest: {"limit", "remaining", "reset"}, or null.
create or replace function audience_gate.charge(rate jsonb)
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
  due record;
  left_over double precision;
  answer jsonb;
begin
  if jsonb_typeof(rate -> 'keys') is distinct from 'array' then
    return null;
  end if;

  -- In one order for everybody: two requests under the same keys cannot wait for each other.
  for due in
    select k.key, k.scope, floor(random() * l.shards)::integer as shard, l.shards,
      l.burst::double precision / l.shards as burst,
      (l.per_minute / 60 / l.shards)::double precision as per_second,
      least(greatest(k.cost, 0), l.burst / l.shards)::double precision as cost
    from jsonb_to_recordset(rate -> 'keys') as k (key text, scope text, cost integer)
    join public.audience_rate_limits l on l.scope = k.scope
    order by k.key, k.scope
  loop
    insert into audience_gate.rate_buckets as b (key, scope, shard, tokens, filled_at)
    values (due.key, due.scope, due.shard, due.burst - due.cost, clock_timestamp())
    on conflict (key, scope, shard) do update
    set tokens = audience_gate.tokens_now(b.tokens, b.filled_at, due.burst, due.per_second) - due.cost,
        filled_at = clock_timestamp()
    where audience_gate.tokens_now(b.tokens, b.filled_at, due.burst, due.per_second) >= due.cost
    returning b.tokens into left_over;

    if not found then
      select jsonb_build_object('retry_after', greatest(1, ceil(
        (due.cost - audience_gate.tokens_now(b.tokens, b.filled_at, due.burst, due.per_second)) / due.per_second)))
      into answer
      from audience_gate.rate_buckets b
      where (b.key, b.scope, b.shard) = (due.key, due.scope, due.shard);
      raise sqlstate 'AG002';
    end if;
    if answer is null or left_over * due.shards < (answer ->> 'remaining')::double precision then
      answer := jsonb_build_object(
        'limit', floor(due.burst * due.shards), 'remaining', floor(left_over * due.shards),
        'reset', ceil((due.burst - left_over) / due.per_second));
    end if;
  end loop;
  return answer;
exception
  when sqlstate 'AG002' then
    return answer; -- what the other keys were charged for this request is undone
end;
$$;
comment on function audience_gate.charge(jsonb) is 'Charges the keys of a request and says what is left, or when to come again.';

create or replace function audience_gate.forget_rate_buckets()
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  with forgotten as (
    delete from audience_gate.rate_buckets where filled_at < now() - interval '1 hour' returning 1
  )
  select count(*) from forgotten
$$;
comment on function audience_gate.forget_rate_buckets() is
  'Deletes the counts of senders that were silent for an hour, and says how many; for a scheduled job.';

alter function audience_gate.tokens_now(double precision, timestamptz, double precision, double precision)
  owner to audience_gate_store;
alter function audience_gate.charge(jsonb) owner to audience_gate_store;
alter function audience_gate.forget_rate_buckets() owner to audience_gate_owner;
revoke all on function audience_gate.tokens_now(double precision, timestamptz, double precision, double precision)
  from public;
revoke all on function audience_gate.charge(jsonb) from public;
revoke all on function audience_gate.forget_rate_buckets() from public;
grant execute on function audience_gate.forget_rate_buckets() to service_role;
