-- Which contract judged a row. A row without one was never judged: it was in the table before the gate was.
--
-- The table is not rewritten: a constant default fills the rows that are there. Another names the contract of those that
-- come, until the functions that do so themselves are the only ones at work.

create table if not exists public.audience_contracts (
  fingerprint text primary key,
  version text not null,
  first_seen_at timestamptz not null default now(),
  constraint audience_contracts_fingerprint_chk check (fingerprint ~ '^[0-9a-f]{16}$')
);
comment on table public.audience_contracts is 'Every contract by which this install has judged, oldest first.';
comment on column public.audience_contracts.fingerprint is
  'The hash of the contract: what public.audience_events.contract names.';
comment on column public.audience_contracts.version is 'The version of the contract, such as 1.1.';
comment on column public.audience_contracts.first_seen_at is 'When the install began to judge by it.';
alter table public.audience_contracts enable row level security;
revoke all on table public.audience_contracts from public, anon, authenticated, service_role;
grant select on table public.audience_contracts to service_role, audience_gate_owner, audience_gate_store;
create policy audience_contracts_gate on public.audience_contracts for select
  to audience_gate_owner, audience_gate_store using (true);

create or replace function audience_gate.judging_since()
returns timestamptz
language sql
stable
security definer
set search_path = ''
as $$
  select s.created_at from public.audience_sites s where s.id = audience_gate.default_site()
$$;
comment on function audience_gate.judging_since() is
  'When the gate was installed, which is when its default site was made. Older rows were not judged when they came in.';
alter function audience_gate.judging_since() owner to audience_gate_owner;
revoke all on function audience_gate.judging_since() from public;

insert into public.audience_contracts (fingerprint, version, first_seen_at) values
  ('41d8b79ac76c9fef', '1.1', coalesce(audience_gate.judging_since(), now()))
on conflict do nothing;

create or replace function audience_gate.lock_log(mode text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  usual constant text := current_setting('lock_timeout');
begin
  for attempt in 1 .. 50 loop
    begin
      perform set_config('lock_timeout', '400ms', true);
      execute format('lock table public.audience_events in %s mode', mode);
      if to_regclass('audience_gate_standby.audience_events') is not null then
        execute format('lock table audience_gate_standby.audience_events in %s mode', mode);
      end if;
      perform set_config('lock_timeout', usual, true);
      return;
    exception when lock_not_available then
      if attempt = 50 then
        raise exception 'public.audience_events is in use by a transaction that stays open'
          using errcode = 'lock_not_available', hint = 'end that session, and run the migration again';
      end if;
      perform pg_sleep(0.1 + 0.4 * random());
    end;
  end loop;
end;
$$;
comment on function audience_gate.lock_log(text) is
  'For migrations: locks the event log, and the table that a move fills, until the transaction ends. Everybody who inserts '
  'waits as long as somebody waits for that lock, so it is tried for a moment at a time.';
revoke all on function audience_gate.lock_log(text) from public, anon, authenticated, service_role;

-- The column of the log, and of the table that a move fills.
do $$
declare
  log text;
  filled text;
begin
  perform audience_gate.lock_log('access exclusive');
  -- If nothing was recorded since the gate was installed, every row is older than it.
  filled := case when exists (
    select from public.audience_events e where e.created_at >= audience_gate.judging_since() and e.created_at <= now()
  ) then '''41d8b79ac76c9fef''' else 'null' end;
  foreach log in array array['public.audience_events', 'audience_gate_standby.audience_events'] loop
    continue when to_regclass(log) is null or exists (
      select from pg_catalog.pg_attribute a where a.attrelid = to_regclass(log) and a.attname = 'contract' and not a.attisdropped);
    execute format('alter table %s add column contract text null default %s', log, filled);
    execute format('alter table %s alter column contract set default audience_gate.contract_fingerprint()', log);
    execute format('comment on column %s.contract is %L', log,
      'The fingerprint of the contract that judged the row, one of public.audience_contracts. Null: nobody has judged it, '
      'and it counts nowhere.');
  end loop;
end $$;
