-- Direct inserts: what one statement may cost, and how its rows are judged and settled.
--
-- One signed-in account could insert 60,000 rows in a statement, and everybody else waited for the locks of its sessions.
-- Now a statement of a role of the API is charged to its account before a row is judged, one statement of an account waits
-- for the other, and a statement holds no more events than a request of the function.

-- These are asked in each transaction, some of them for each row, and a function in SQL is planned anew in each. The roles of
-- the API are known by name.
create or replace function audience_gate.is_trusted()
returns boolean
language plpgsql
stable
parallel safe
set search_path = ''
as $$
declare
  acting text := current_setting('role');
begin
  if acting = 'service_role' then
    return true;
  elsif acting in ('authenticated', 'anon') then
    return false;
  end if;
  acting := audience_gate.actor();
  return coalesce((select r.rolbypassrls or r.rolsuper from pg_catalog.pg_roles r where r.rolname = acting), false);
end;
$$;

create or replace function audience_gate.caller_id()
returns uuid
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
  return coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid;
end;
$$;

create or replace function audience_gate.tokens_now(
  tokens double precision, filled_at timestamptz, burst double precision, per_second double precision
)
returns double precision
language plpgsql
volatile
set search_path = ''
as $$
begin
  return least(burst, tokens + per_second * greatest(extract(epoch from clock_timestamp() - filled_at), 0));
end;
$$;

create or replace function audience_gate.most_rows()
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$ select 1000 $$;
comment on function audience_gate.most_rows() is
  'How many events a signed-in user may insert in one statement: as many as one request of the function holds.';

-- The row of the account stays locked until the transaction ends, so that an account inserts one statement after the other,
-- however many connections it opens. A bucket may fall below nothing: the rows of a statement are counted when they are
-- known, and the next statement waits until the debt is gone.
create or replace function audience_gate.charge_inserts(cost integer, is_begun boolean)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  account constant text := md5('account|' || coalesce(audience_gate.caller_id()::text, ''));
  most double precision;
  per_second double precision;
begin
  select l.burst, l.per_minute / 60 into most, per_second from public.audience_rate_limits l where l.scope = 'caller';
  if not found then
    return;
  end if;
  insert into audience_gate.rate_buckets as b (key, scope, shard, tokens, filled_at)
  values (account, 'caller', 0, most - cost, clock_timestamp())
  on conflict (key, scope, shard) do update
  set tokens = audience_gate.tokens_now(b.tokens, b.filled_at, most, per_second) - cost, filled_at = clock_timestamp()
  where is_begun or audience_gate.tokens_now(b.tokens, b.filled_at, most, per_second) >= 1;
  if not found then
    raise sqlstate 'PT429' using message = 'too many events in too short a time',
      hint = 'insert them again later; nothing of this statement was recorded';
  end if;
end;
$$;
comment on function audience_gate.charge_inserts(integer, boolean) is
  'Charges the account of a direct insert: one event before the first row is judged, and the others at the end.';

create or replace function audience_gate.has_own()
returns boolean
language sql
stable
parallel safe
set search_path = ''
as $$
  select exists (select from public.audience_personal_words)
    or exists (select from public.audience_own_rules own where own.mode in ('enforce', 'observe'))
$$;
comment on function audience_gate.has_own() is 'Whether the install added words or rules of its own to the contract.';

-- Once a statement and before its rows are judged. Most installs have added nothing to the contract, and then no row has to
-- look whether there is something.
create or replace function audience_gate.hold_contract_while_inserting()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  -- A statement within the statement, by which the partitioned log files a row under its month, is part of the outer one.
  if pg_trigger_depth() > 1 then
    return null;
  end if;
  perform set_config('audience_gate.usual_timeout', current_setting('lock_timeout'), true),
    set_config('audience_gate.first_bucket', '', true),
    set_config('audience_gate.rows', '0', true),
    set_config('lock_timeout', '5s', true);
  if not audience_gate.is_trusted() then
    perform audience_gate.charge_inserts(1, false);
  end if;
  perform audience_gate.hold_contract(),
    set_config('audience_gate.nothing_own', case when audience_gate.has_own() then '' else 'yes' end, true);
  return null;
end;
$$;
comment on function audience_gate.hold_contract_while_inserting() is
  'Begins a direct insert: charges its sender, bounds its waits, and keeps the contract as it is until its end.';

-- The settings keep every plan on an index, even one that was made while the table was empty.
create or replace function audience_gate.enforce()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  trusted boolean := audience_gate.is_trusted();
  caller_id uuid := case when not trusted then audience_gate.caller_id() end;
  caller text := case when trusted then 'trusted' when caller_id is not null then 'user' else 'visitor' end;
  origin text := case when not trusted then
    nullif(current_setting('request.headers', true), '')::jsonb ->> 'origin' end;
  rule_ids text[];
  happened timestamptz;
  recorded boolean;
  repeated boolean;
  sent_rows integer;
  sent jsonb;
begin
  if current_setting('transaction_isolation') = 'repeatable read' then
    raise exception 'audience_events cannot take inserts under repeatable read'
      using errcode = 'feature_not_supported',
            detail = 'double fires recorded meanwhile could not be seen',
            hint = 'use read committed or serializable';
  end if;
  if not trusted then
    sent_rows := current_setting('audience_gate.rows')::integer + 1;
    if sent_rows > audience_gate.most_rows() then
      raise sqlstate 'PT413' using message = format('a statement holds at most %s events', audience_gate.most_rows()),
        hint = 'insert fewer in one statement; nothing of this one was recorded';
    end if;
    perform set_config('audience_gate.rows', sent_rows::text, true);
  end if;

  new.id := coalesce(new.id, gen_random_uuid());
  new.created_at := now();
  new.site_id := coalesce(new.site_id, audience_gate.default_site());
  new.metadata := coalesce(new.metadata, '{}');
  new.rejected := false;
  new.contract := audience_gate.contract_fingerprint();
  new.recorded_xid := pg_current_xact_id();

  if current_setting('audience_gate.first_bucket') = '' then
    perform pg_advisory_xact_lock(audience_gate.session_lock(), audience_gate.session_bucket(new.session_id));
    perform set_config('audience_gate.first_bucket', 'held', true);
  end if;
  happened := coalesce(new.occurred_at, new.created_at);
  select
    exists (select from audience_gate.recorded_ids r where r.id = new.id),
    exists (
      select from audience_gate.recorded_fires f
      where f.fire_key = audience_gate.fire_key(new.session_id, new.event_type, new.user_id)
        and f.happened_at > happened - audience_gate.fire_window()
        and f.happened_at < happened + audience_gate.fire_window()
        and (f.session_id, f.event_type, f.user_id) is not distinct from (new.session_id, new.event_type, new.user_id)
    )
  into recorded, repeated;

  rule_ids := audience_gate.row_violations(new, caller, caller_id, origin, now());
  if rule_ids = '{}' and recorded then
    if audience_gate.recorded_contents(new.id) <> audience_gate.contents(
      new.site_id, new.user_id, new.session_id, new.event_type, new.event_category, new.event_source, new.utm_source,
      new.utm_medium, new.utm_campaign, new.utm_content, new.utm_term, new.occurred_at, new.metadata)
    then
      rule_ids := array['identity.id_reuse'];
    else
      return null;
    end if;
  elsif rule_ids = '{}' and repeated then
    rule_ids := array['duplicate.double_fire'];
  end if;

  if rule_ids = '{}' then
    if current_setting('audience_gate.accepted', true) is distinct from 'some' then
      perform audience_gate.answer_accepted();
    end if;
    if current_setting('audience_gate.nothing_own', true) is distinct from 'yes' then
      if audience_gate.own_rules_observe() then
        perform audience_gate.observe_rows(jsonb_build_array(to_jsonb(new) - 'recorded_xid'));
      end if;
    end if;
    return new;
  end if;

  if audience_gate.was_erased(new.id) then
    perform audience_gate.answer_rejected(rule_ids);
    return null;
  end if;
  sent := jsonb_strip_nulls(to_jsonb(new) - array['metadata', 'created_at', 'rejected', 'contract', 'recorded_xid'])
    || jsonb_build_object('metadata', new.metadata);
  new.metadata := case
    when rule_ids <@ array['identity.id_reuse', 'duplicate.double_fire']
    then audience_gate.refused_metadata(sent, audience_gate.rejection_metadata('{}', rule_ids, 'database'))
    else audience_gate.rejection_metadata(sent, rule_ids, 'database') || jsonb_build_object('event_id', new.id)
  end;
  new.id := audience_gate.rejection_id(new.id, new.metadata);
  new.session_id := audience_gate.audit_session(new.session_id, rule_ids);
  if 'identity.user_id' = any (rule_ids) then new.user_id := null; end if;
  if 'identity.site' = any (rule_ids) then new.site_id := audience_gate.default_site(); end if;
  new.event_type := 'event_validation_fail';
  new.event_category := 'system';
  new.event_source := 'database';
  new.utm_source := null;
  new.utm_medium := null;
  new.utm_campaign := null;
  new.utm_content := null;
  new.utm_term := null;
  new.occurred_at := null;
  new.rejected := true;
  perform audience_gate.answer_rejected(rule_ids);
  -- A literal retry of what was refused before is refused like it, and adds no row.
  if exists (select from audience_gate.recorded_ids r where r.id = new.id) then
    return null;
  end if;
  return new;
end;
$$;
comment on function audience_gate.enforce() is
  'Judges a row on its way into public.audience_events. A rejected row becomes its audit row; a row whose id is '
  'recorded with the same contents is skipped.';

-- Rows of sessions other than the first were judged without a lock. Those that somebody else recorded a double fire of in
-- the meantime cannot become audit rows any more, because no row is ever changed; so nothing of the statement is recorded.
create or replace function audience_gate.settle_inserts()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  sent_rows constant integer := current_setting('audience_gate.rows')::integer;
begin
  perform pg_advisory_xact_lock(audience_gate.settle_lock(), b.bucket)
  from (
    select distinct audience_gate.session_bucket(a.session_id) as bucket from arrived a where not a.rejected order by bucket
  ) b;
  if exists (
    select from arrived a
    cross join lateral (
      select from audience_gate.recorded_fires f
      where f.fire_key = audience_gate.fire_key(a.session_id, a.event_type, a.user_id)
        and f.happened_at > coalesce(a.occurred_at, a.created_at) - audience_gate.fire_window()
        and f.happened_at < coalesce(a.occurred_at, a.created_at) + audience_gate.fire_window()
        and (f.session_id, f.event_type, f.user_id) is not distinct from (a.session_id, a.event_type, a.user_id)
        and f.id <> a.id
      limit 1
    ) f
    where not a.rejected
  ) then
    raise exception 'an event of this statement was recorded by another at the same time'
      using errcode = 'serialization_failure', hint = 'send the statement again; nothing of it was recorded';
  end if;
  if pg_trigger_depth() = 1 then
    if sent_rows > 1 then
      perform audience_gate.charge_inserts(sent_rows - 1, true);
    end if;
    perform set_config('lock_timeout', current_setting('audience_gate.usual_timeout'), true),
      set_config('audience_gate.nothing_own', '', true);
  end if;
  return null;
end;
$$;
comment on function audience_gate.settle_inserts() is
  'Ends a direct insert: takes the locks of its sessions in order, makes sure that none of its events was repeated '
  'meanwhile, and charges its sender for the rows.';

do $$
declare
  signature text;
begin
  foreach signature in array array['charge_inserts(integer, boolean)', 'settle_inserts()', 'has_own()'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
  end loop;
  foreach signature in array array['charge_inserts(integer, boolean)', 'settle_inserts()', 'most_rows()', 'has_own()'] loop
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
    execute format('grant execute on function audience_gate.%s to audience_gate_owner', signature);
  end loop;
end $$;
grant execute on function audience_gate.tokens_now(double precision, timestamptz, double precision, double precision)
  to audience_gate_owner;

-- Whoever inserts waits while the trigger is made.
select audience_gate.lock_log('share row exclusive');
drop trigger if exists trg_audience_events_settle on public.audience_events;
create trigger trg_audience_events_settle
after insert on public.audience_events
referencing new table as arrived
for each statement
when (current_user <> 'audience_gate_store')
execute function audience_gate.settle_inserts();
