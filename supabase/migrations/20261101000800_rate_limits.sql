-- How much one sender may send. The instances of the Edge Function share no memory, so the count is kept
-- here: a token bucket for each key. A key is a salted hash made by the function, never an address.

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
comment on table public.audience_rate_limits is
  'The limits on events that are sent through the function. A scope without a row is not limited.';
comment on column public.audience_rate_limits.scope is
  'Whose events are counted: those of an address, a session, a signed-in caller or a whole site.';
comment on column public.audience_rate_limits.burst is 'How many events may come at once after a pause.';
comment on column public.audience_rate_limits.per_minute is 'How many events a minute may come in the long run.';
comment on column public.audience_rate_limits.shards is
  'Over how many rows the count of a key is spread, so that requests under one busy key do not wait for each other. '
  'Each row has its share of the limit.';
alter table public.audience_rate_limits enable row level security;
revoke all on table public.audience_rate_limits from public, anon, authenticated, service_role;

insert into public.audience_rate_limits values
  ('session', 300, 600, 1),
  ('caller', 600, 1200, 1),
  ('address', 1200, 2400, 1),
  ('site', 160000, 600000, 16)
on conflict do nothing;

-- Unlogged: a crash empties it, which does no harm, because every bucket is then full again.
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
comment on column audience_gate.rate_buckets.key is
  'A salted hash made by the function. It says nothing about the sender.';
comment on column audience_gate.rate_buckets.scope is 'Which limit applies.';
comment on column audience_gate.rate_buckets.shard is 'Which part of the count this row holds.';
comment on column audience_gate.rate_buckets.tokens is 'How many events were left when the bucket was last charged.';
comment on column audience_gate.rate_buckets.filled_at is 'When it was last charged.';
alter table audience_gate.rate_buckets enable row level security;
revoke all on table audience_gate.rate_buckets from public, anon, authenticated, service_role;

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
  'How many events a bucket has left by now.';

-- Over a limit it answers {"retry_after": seconds}, and nothing of the request is recorded. Otherwise it answers
-- what is left of the tightest limit: {"limit", "remaining", "reset"}, or null if nothing is limited.
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

  -- In the same order for all requests, so that two under the same keys cannot wait for each other.
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
    return answer; -- what the other keys were charged for this request has been undone
end;
$$;
comment on function audience_gate.charge(jsonb) is
  'Charges the keys of a request, and says what is left or when to come again.';

-- The function forwards a batch without reading it, so it knows only the address and the user of the sender.
-- How many events came, in which sessions and for which sites, is known here.
create or replace function audience_gate.with_rate_keys(batch jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select case
    when jsonb_typeof(batch -> 'rate' -> 'keys') is distinct from 'array' then batch
    else jsonb_set(batch, '{rate,keys}', (
      with sent as materialized (
        select e.session_id, e.site_id, true as accepted
        from jsonb_to_recordset(coalesce(nullif(batch -> 'accepted', 'null'), '[]')) as e (session_id text, site_id text)
        union all
        select null, e.site_id, false
        from jsonb_to_recordset(coalesce(nullif(batch -> 'rejected', 'null'), '[]')) as e (site_id text)
      ), due as (
        select k.key, k.scope, coalesce(k.cost, (select count(*) from sent)) as cost
        from jsonb_to_recordset(batch -> 'rate' -> 'keys') as k (key text, scope text, cost bigint)
        union all
        -- Of accepted events only: rejected ones may share the placeholder of sessions that could not be kept.
        select md5(s.session_id), 'session', count(*) from sent s where s.accepted group by s.session_id
        union all
        select coalesce(s.site_id, 'default'), 'site', count(*) from sent s group by coalesce(s.site_id, 'default')
      )
      select coalesce(jsonb_agg(jsonb_build_object('key', d.key, 'scope', d.scope, 'cost', d.cost)), '[]') from due d
    ))
  end
$$;
comment on function audience_gate.with_rate_keys(jsonb) is
  'The batch with all of its rate keys: those that came with it, with what each costs, and those of its sessions '
  'and sites.';
