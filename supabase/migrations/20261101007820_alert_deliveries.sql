-- What is said to whom of each alert that begins or ends. A message exists once for each destination, whoever sends: a sender
-- claims it for a minute, says what came of it, and a message that did not arrive is due again later, and later still.

create table if not exists public.audience_alert_deliveries (
  id uuid primary key default gen_random_uuid(),
  site_id uuid not null references public.audience_sites (id),
  destination_id uuid not null,
  firing_id bigint null,
  state text not null default 'due',
  attempts integer not null default 0,
  due_at timestamptz not null default now(),
  status integer null,
  problem text null,
  created_at timestamptz not null default now(),
  settled_at timestamptz null,
  constraint audience_alert_deliveries_state_chk check (state in ('due', 'delivered', 'failed')),
  constraint audience_alert_deliveries_problem_chk check (
    problem in ('timeout', 'connection', 'status', 'redirect', 'address', 'secret', 'deleted', 'no_word')),
  constraint audience_alert_deliveries_key unique (firing_id, destination_id)
);
create index if not exists idx_audience_alert_deliveries_due on public.audience_alert_deliveries (due_at) where state = 'due';
create index if not exists idx_audience_alert_deliveries_site_id on public.audience_alert_deliveries (site_id, created_at desc);
create index if not exists idx_audience_alert_deliveries_destination_id
  on public.audience_alert_deliveries (destination_id, created_at desc);
comment on table public.audience_alert_deliveries is 'Each message to a destination: what became of it, and when it is due again.';
comment on column public.audience_alert_deliveries.id is 'Names the message; the receiver gets it, and can tell one that came twice.';
comment on column public.audience_alert_deliveries.site_id is 'The site.';
comment on column public.audience_alert_deliveries.destination_id is 'Where it goes.';
comment on column public.audience_alert_deliveries.firing_id is 'The row of public.audience_alert_firings; null: a test.';
comment on column public.audience_alert_deliveries.state is 'due, delivered, or failed: it is not tried again.';
comment on column public.audience_alert_deliveries.attempts is 'How often it was sent.';
comment on column public.audience_alert_deliveries.due_at is 'When it may be sent next.';
comment on column public.audience_alert_deliveries.status is 'The status that the receiver last answered.';
comment on column public.audience_alert_deliveries.problem is
  'Why it did not arrive the last time: timeout, connection, status, redirect; address: it may not be told; secret: the function '
  'has none to sign with; deleted: the destination is gone; no_word: the sender never said.';
comment on column public.audience_alert_deliveries.created_at is 'When the alert began or ended.';
comment on column public.audience_alert_deliveries.settled_at is 'When it was delivered or given up.';
comment on constraint audience_alert_deliveries_key on public.audience_alert_deliveries is
  'One message for each begin or end and destination.';
comment on index public.idx_audience_alert_deliveries_due is 'What is to be sent.';
comment on index public.idx_audience_alert_deliveries_site_id is 'The latest messages of a site.';
comment on index public.idx_audience_alert_deliveries_destination_id is 'The latest messages to a destination.';
alter table public.audience_alert_deliveries enable row level security;
revoke all on table public.audience_alert_deliveries from public, anon, authenticated, service_role;
grant select on table public.audience_alert_deliveries to authenticated, service_role;
grant select, insert, update on table public.audience_alert_deliveries to audience_gate_owner;
drop policy if exists audience_alert_deliveries_select_member on public.audience_alert_deliveries;
create policy audience_alert_deliveries_select_member on public.audience_alert_deliveries for select to authenticated
  using (site_id in (select audience_gate.readable_sites()));
drop policy if exists audience_alert_deliveries_gate on public.audience_alert_deliveries;
create policy audience_alert_deliveries_gate on public.audience_alert_deliveries for all
  to audience_gate_owner using (true) with check (true);

create or replace function audience_gate.tell_destinations()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  insert into public.audience_alert_deliveries (site_id, destination_id, firing_id)
  select new.site_id, d.id, new.id from public.audience_alert_destinations d where d.site_id = new.site_id and d.active;
  return null;
end;
$$;
comment on function audience_gate.tell_destinations() is 'Has every active destination of the site told what began or ended.';
alter function audience_gate.tell_destinations() owner to audience_gate_owner;
revoke all on function audience_gate.tell_destinations() from public, anon, authenticated, service_role;
drop trigger if exists trg_tell_destinations on public.audience_alert_firings;
create trigger trg_tell_destinations after insert on public.audience_alert_firings
  for each row execute function audience_gate.tell_destinations();

create or replace function audience_gate.give_up_deliveries()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  update public.audience_alert_deliveries d set state = 'failed', problem = 'deleted', settled_at = now()
  where d.destination_id = old.id and d.state = 'due';
  return null;
end;
$$;
comment on function audience_gate.give_up_deliveries() is 'Gives up what was still to be sent to a destination that is deleted.';
alter function audience_gate.give_up_deliveries() owner to audience_gate_owner;
revoke all on function audience_gate.give_up_deliveries() from public, anon, authenticated, service_role;
drop trigger if exists trg_give_up_deliveries on public.audience_alert_destinations;
create trigger trg_give_up_deliveries after delete on public.audience_alert_destinations
  for each row execute function audience_gate.give_up_deliveries();

create or replace function audience_gate.test_alerts(p_site uuid, p_destination uuid)
returns integer
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  asked integer;
begin
  perform audience_gate.require_owner(p_site);
  insert into public.audience_alert_deliveries (site_id, destination_id)
  select d.site_id, d.id from public.audience_alert_destinations d
  where (p_site is null or d.site_id = p_site) and (p_destination is null or d.id = p_destination)
    and not exists (
      select from public.audience_alert_deliveries l
      where l.destination_id = d.id and l.firing_id is null and l.created_at > now() - interval '10 seconds');
  get diagnostics asked = row_count;
  return asked;
end;
$$;
comment on function audience_gate.test_alerts(uuid, uuid) is 'Does what public.audience_test_alerts() says.';
alter function audience_gate.test_alerts(uuid, uuid) owner to audience_gate_owner;
revoke all on function audience_gate.test_alerts(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function audience_gate.test_alerts(uuid, uuid) to authenticated, service_role;

create or replace function public.audience_test_alerts(site uuid default null, destination uuid default null)
returns integer
language sql
volatile
set search_path = ''
as $$ select audience_gate.test_alerts(site, destination) $$;
comment on function public.audience_test_alerts(uuid, uuid) is
  'Has one destination of a site, or all of them, told that this is a test, and returns how many will be: none twice within ten '
  'seconds. For owners of the site; trusted callers may leave the site out.';
revoke all on function public.audience_test_alerts(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function public.audience_test_alerts(uuid, uuid) to authenticated, service_role;

-- What a receiver is told: ids, the site's name if it names no person, the kind, numbers and a time.
create or replace function audience_gate.alert_message(delivery public.audience_alert_deliveries)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', delivery.id,
    'type', 'alert.' || coalesce(f.state, 'test'),
    'at', to_char(coalesce(f.happened_at, delivery.created_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'site', jsonb_build_object(
      'id', s.id, 'name', case when audience_gate.replacement('', to_jsonb(s.name)) is null then s.name end),
    'alert', f.alert_id, 'kind', f.kind, 'source', f.source, 'value', f.value, 'threshold', f.threshold)
  from public.audience_sites s
  left join public.audience_alert_firings f on f.id = delivery.firing_id
  where s.id = delivery.site_id
$$;
comment on function audience_gate.alert_message(public.audience_alert_deliveries) is 'What a receiver is told of a delivery.';
revoke all on function audience_gate.alert_message(public.audience_alert_deliveries) from public, anon, authenticated, service_role;
grant execute on function audience_gate.alert_message(public.audience_alert_deliveries) to audience_gate_owner;

create or replace function audience_gate.most_alert_attempts()
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$ select 8 $$;
comment on function audience_gate.most_alert_attempts() is 'How often a message is sent before it is given up, which takes most of a day.';
revoke all on function audience_gate.most_alert_attempts() from public, anon, authenticated, service_role;
grant execute on function audience_gate.most_alert_attempts() to audience_gate_owner;

create or replace function audience_gate.claim_alert_deliveries(p_user uuid)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  claimed jsonb;
begin
  update public.audience_alert_deliveries d set state = 'failed', problem = 'no_word', settled_at = now()
  where d.state = 'due' and d.due_at <= now() and d.attempts >= audience_gate.most_alert_attempts();
  with chosen as (
    select d.id from public.audience_alert_deliveries d
    where d.state = 'due' and d.due_at <= now()
      and (p_user is null or d.site_id in (
        select m.site_id from public.audience_site_members m where m.user_id = p_user and m.role = 'owner'))
    order by d.due_at, d.created_at, d.id
    limit 50
    for update skip locked
  ), taken as (
    update public.audience_alert_deliveries d set attempts = d.attempts + 1, due_at = now() + interval '1 minute'
    from chosen c where d.id = c.id
    returning d.*
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', t.id, 'attempt', t.attempts, 'name', n.name, 'form', n.form, 'url', a.url,
    'message', audience_gate.alert_message(t))), '[]')
  into claimed
  from taken t
  join public.audience_alert_destinations n on n.id = t.destination_id
  join audience_gate.alert_addresses a on a.destination_id = n.id;
  return claimed;
end;
$$;
comment on function audience_gate.claim_alert_deliveries(uuid) is 'Does what public.audience_claim_alert_deliveries() says.';
alter function audience_gate.claim_alert_deliveries(uuid) owner to audience_gate_owner;
revoke all on function audience_gate.claim_alert_deliveries(uuid) from public, anon, authenticated, service_role;
grant execute on function audience_gate.claim_alert_deliveries(uuid) to service_role;

create or replace function public.audience_claim_alert_deliveries(for_user uuid default null)
returns jsonb
language sql
volatile
set search_path = ''
as $$ select audience_gate.claim_alert_deliveries(for_user) $$;
comment on function public.audience_claim_alert_deliveries(uuid) is
  'At most 50 messages that are due, with their addresses: of the sites that a user owns, or of all. For a minute no other '
  'sender gets them. For the function.';
revoke all on function public.audience_claim_alert_deliveries(uuid) from public, anon, authenticated, service_role;
grant execute on function public.audience_claim_alert_deliveries(uuid) to service_role;

create or replace function audience_gate.settle_alert_deliveries(p_outcomes jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  settled jsonb;
begin
  with said as (
    select o.id, o.attempt, o.problem, o.status, least(coalesce(o.retry_after, 0), 3600) as retry_after
    from jsonb_to_recordset(p_outcomes) as o (id uuid, attempt integer, problem text, status integer, retry_after integer)
  ), done as (
    -- Half a minute, then four times as long each time, at most six hours.
    update public.audience_alert_deliveries d set
      state = case when s.problem is null then 'delivered'
        when s.problem = 'address' or d.attempts >= audience_gate.most_alert_attempts() then 'failed' else 'due' end,
      problem = s.problem, status = s.status,
      settled_at = case when s.problem is null or s.problem = 'address' or d.attempts >= audience_gate.most_alert_attempts() then now() end,
      due_at = now() + greatest(least(30 * 4 ^ (d.attempts - 1), 21600), s.retry_after) * interval '1 second'
    from said s
    -- A sender that comes late says nothing of what another one tries by now, except that it arrived.
    where d.id = s.id and d.state = 'due' and (d.attempts = s.attempt or s.problem is null)
    returning d.state
  )
  select jsonb_build_object(
    'delivered', count(*) filter (where state = 'delivered'), 'due', count(*) filter (where state = 'due'),
    'failed', count(*) filter (where state = 'failed'))
  into settled from done;
  return settled;
end;
$$;
comment on function audience_gate.settle_alert_deliveries(jsonb) is 'Does what public.audience_settle_alert_deliveries() says.';
alter function audience_gate.settle_alert_deliveries(jsonb) owner to audience_gate_owner;
revoke all on function audience_gate.settle_alert_deliveries(jsonb) from public, anon, authenticated, service_role;
grant execute on function audience_gate.settle_alert_deliveries(jsonb) to service_role;

create or replace function public.audience_settle_alert_deliveries(outcomes jsonb)
returns jsonb
language sql
volatile
set search_path = ''
as $$ select audience_gate.settle_alert_deliveries(outcomes) $$;
comment on function public.audience_settle_alert_deliveries(jsonb) is
  'Records what came of messages: [{id, attempt, problem, status, retry_after}], without a problem where one arrived, and returns '
  'how many were delivered, are due again, and are given up. For the function.';
revoke all on function public.audience_settle_alert_deliveries(jsonb) from public, anon, authenticated, service_role;
grant execute on function public.audience_settle_alert_deliveries(jsonb) to service_role;
