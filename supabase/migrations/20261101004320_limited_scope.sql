-- A sender over a limit is told whose limit it is, so that the function need not ask about the same sender again.

-- Over a limit it answers {"retry_after": seconds, "scope": whose limit}, and nothing of the request is recorded.
-- Otherwise it answers what is left of the tightest limit: {"limit", "remaining", "reset"}, or null if nothing is limited.
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
      select jsonb_build_object('scope', due.scope, 'retry_after', greatest(1, ceil(
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
  'Charges the keys of a request, and says what is left, or whose limit was reached and when to come again.';
