-- Rules of an install's own: a JSON Schema over the event, what it binds, and whether it refuses or only counts. A row is in
-- force as soon as it is committed. What it says is kept for ever in a table beside it, and what it would have refused in
-- another.

create table if not exists public.audience_own_rules (
  id text primary key,
  category text null,
  event_type text null references public.audience_event_types (id),
  site_id uuid null references public.audience_sites (id),
  schema jsonb not null,
  mode text not null default 'observe',
  reasons jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint audience_own_rules_id_chk check (id ~ '^own\.[a-z0-9_]{1,60}$'),
  constraint audience_own_rules_mode_chk check (mode in ('observe', 'enforce', 'off')),
  constraint audience_own_rules_reasons_chk check (
    jsonb_typeof(reasons) = 'object'
    and jsonb_typeof(reasons -> 'en') is not distinct from 'string'
    and length(reasons ->> 'en') between 1 and 512
    and octet_length(reasons::text) <= 16384
    and not jsonb_path_exists(reasons, 'strict $.* ? (@.type() != "string")')
  )
);
create index if not exists idx_audience_own_rules_event_type on public.audience_own_rules (event_type);
create index if not exists idx_audience_own_rules_site_id on public.audience_own_rules (site_id);
-- Every row that is judged asks for it with sequential scans off. Without an index that plan counts as so dear that a
-- server compiles it, which took a third of a second for each row.
create index if not exists idx_audience_own_rules_mode on public.audience_own_rules (mode);
comment on table public.audience_own_rules is
  'Rules of this install''s own, besides those of the contract; at most 100 rows.';
comment on column public.audience_own_rules.id is 'own. and a name: what answers and audit rows call the rule.';
comment on column public.audience_own_rules.category is 'The event_category that it binds; null: any.';
comment on column public.audience_own_rules.event_type is 'The event_type that it binds; null: any.';
comment on column public.audience_own_rules.site_id is 'The site that it binds; null: every site.';
comment on column public.audience_own_rules.schema is
  'The JSON Schema 2020-12 that an event must satisfy: an object of its fields with metadata, without id, site_id, email and '
  'what is null.';
comment on column public.audience_own_rules.mode is
  'observe: an event that fails is counted and passes; enforce: it is rejected; off: nothing is asked.';
comment on column public.audience_own_rules.reasons is
  'What is wrong and what to send instead, by language: {"en": "…"}. English is told to senders.';
comment on column public.audience_own_rules.created_at is 'When the row was made.';
comment on column public.audience_own_rules.updated_at is 'When it was last changed.';
alter table public.audience_own_rules enable row level security;
revoke all on table public.audience_own_rules from public, anon, authenticated, service_role;
grant select on table public.audience_own_rules to authenticated, audience_gate_owner, audience_gate_store;
grant select, insert, update, delete on table public.audience_own_rules to service_role;
drop policy if exists audience_own_rules_select on public.audience_own_rules;
-- A rule of one site is a matter of its members.
create policy audience_own_rules_select on public.audience_own_rules for select to authenticated
  using (site_id is null or site_id in (select audience_gate.readable_sites()));
drop policy if exists audience_own_rules_gate on public.audience_own_rules;
create policy audience_own_rules_gate on public.audience_own_rules for select
  to audience_gate_owner, audience_gate_store using (true);

create table if not exists public.audience_own_rule_events (
  id bigint generated always as identity primary key,
  rule_id text not null,
  actor text not null,
  happened_at timestamptz not null default now(),
  before jsonb null,
  after jsonb null
);
create index if not exists idx_audience_own_rule_events_rule_id on public.audience_own_rule_events (rule_id, id);
comment on table public.audience_own_rule_events is 'Every change of a rule of the install''s own. Nothing in it is ever changed.';
comment on column public.audience_own_rule_events.id is 'The order of the changes.';
comment on column public.audience_own_rule_events.rule_id is 'The rule.';
comment on column public.audience_own_rule_events.actor is
  'Who changed it: the signed-in user, or the role of the database.';
comment on column public.audience_own_rule_events.happened_at is 'When.';
comment on column public.audience_own_rule_events.before is 'The row before; null: there was none.';
comment on column public.audience_own_rule_events.after is 'The row after; null: it was deleted.';
alter table public.audience_own_rule_events enable row level security;
revoke all on table public.audience_own_rule_events from public, anon, authenticated, service_role;
revoke all on sequence public.audience_own_rule_events_id_seq from public, anon, authenticated, service_role;
grant select on table public.audience_own_rule_events to service_role;
grant select, insert on table public.audience_own_rule_events to audience_gate_owner;
drop policy if exists audience_own_rule_events_gate on public.audience_own_rule_events;
create policy audience_own_rule_events_gate on public.audience_own_rule_events for all
  to audience_gate_owner using (true) with check (true);
drop trigger if exists trg_append_only on public.audience_own_rule_events;
create trigger trg_append_only before update or delete or truncate on public.audience_own_rule_events
  for each statement execute function public.audience_events_append_only();

create table if not exists public.audience_observations (
  id bigint generated always as identity primary key,
  rule_id text not null,
  site_id uuid not null,
  event_source text not null,
  event_type text not null,
  minute timestamptz not null,
  events bigint not null,
  sample jsonb null,
  constraint audience_observations_events_chk check (events > 0)
);
create index if not exists idx_audience_observations_rule_id on public.audience_observations (rule_id, minute);
create index if not exists idx_audience_observations_sample on public.audience_observations (rule_id) where sample is not null;
comment on table public.audience_observations is
  'Accepted events that a rule in observe would have rejected: a row for each batch or row that brought some.';
comment on column public.audience_observations.id is 'The order in which they came.';
comment on column public.audience_observations.rule_id is 'The rule.';
comment on column public.audience_observations.site_id is 'The site of the events.';
comment on column public.audience_observations.event_source is 'Their event_source.';
comment on column public.audience_observations.event_type is 'Their event_type.';
comment on column public.audience_observations.minute is 'The minute in which they were recorded.';
comment on column public.audience_observations.events is 'How many they were.';
comment on column public.audience_observations.sample is 'One of them, redacted; kept for about the first ten of a rule.';
alter table public.audience_observations enable row level security;
revoke all on table public.audience_observations from public, anon, authenticated, service_role;
revoke all on sequence public.audience_observations_id_seq from public, anon, authenticated, service_role;
grant select, delete on table public.audience_observations to service_role;
grant select, insert on table public.audience_observations to audience_gate_owner;
drop policy if exists audience_observations_gate on public.audience_observations;
create policy audience_observations_gate on public.audience_observations for all
  to audience_gate_owner using (true) with check (true);

create or replace function audience_gate.check_own_rule()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  refusal constant text := audience_gate.schema_refusal(new.schema);
begin
  if refusal is not null then
    raise exception 'the schema of % cannot be judged by: %', new.id, refusal
      using errcode = 'check_violation', hint = 'mend it at the place that is named';
  end if;
  if new.category is not null
    and not exists (select from public.audience_event_types types where types.category = new.category)
  then
    raise exception 'no event type has the category %', new.category
      using errcode = 'check_violation', hint = 'name the event_category of an event type';
  end if;
  if tg_op = 'UPDATE' and new.id <> old.id then
    raise exception 'a rule keeps its id' using errcode = 'check_violation', hint = 'insert another, and set this one to off';
  end if;
  if audience_gate.replacement('', to_jsonb(new.reasons::text)) is not null then
    raise exception 'the reasons of % hold something personal', new.id
      using errcode = 'check_violation', hint = 'say it without an address or a number of a person';
  end if;
  new.updated_at := now();
  return new;
end;
$$;
comment on function audience_gate.check_own_rule() is
  'Refuses a rule of the install''s own that an engine would not understand.';
alter function audience_gate.check_own_rule() owner to audience_gate_owner;
revoke all on function audience_gate.check_own_rule() from public, anon, authenticated, service_role;
drop trigger if exists trg_check_own_rule on public.audience_own_rules;
create trigger trg_check_own_rule before insert or update on public.audience_own_rules
  for each row execute function audience_gate.check_own_rule();

create or replace function audience_gate.record_own_rule()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  insert into public.audience_own_rule_events (rule_id, actor, before, after)
  values (
    case when tg_op = 'DELETE' then old.id else new.id end, coalesce(audience_gate.caller_id()::text, audience_gate.actor()),
    case when tg_op <> 'INSERT' then to_jsonb(old) end, case when tg_op <> 'DELETE' then to_jsonb(new) end);
  return null;
end;
$$;
comment on function audience_gate.record_own_rule() is 'Keeps every change of a rule of the install''s own, with who made it.';
alter function audience_gate.record_own_rule() owner to audience_gate_owner;
revoke all on function audience_gate.record_own_rule() from public, anon, authenticated, service_role;
drop trigger if exists trg_record_own_rule on public.audience_own_rules;
create trigger trg_record_own_rule after insert or update or delete on public.audience_own_rules
  for each row execute function audience_gate.record_own_rule();

drop trigger if exists trg_touch_registry on public.audience_own_rules;
create trigger trg_touch_registry after insert or update or delete or truncate on public.audience_own_rules
  for each statement execute function audience_gate.touch_registry();

create or replace function audience_gate.bound_own_rules()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  -- Each of them may look at every event. Two statements cannot pass together, because trg_touch_registry, which comes
  -- before this trigger, locks the registry's one row.
  if (select count(*) from public.audience_own_rules) > 100 then
    raise exception 'audience_own_rules would have more than 100 rows'
      using errcode = 'check_violation', hint = 'one schema can ask for many things; delete rules that are off';
  end if;
  return null;
end;
$$;
comment on function audience_gate.bound_own_rules() is 'Refuses a statement that would leave more than 100 rows.';
alter function audience_gate.bound_own_rules() owner to audience_gate_owner;
revoke all on function audience_gate.bound_own_rules() from public, anon, authenticated, service_role;
drop trigger if exists trg_within_bound on public.audience_own_rules;
create trigger trg_within_bound after insert on public.audience_own_rules
  for each statement execute function audience_gate.bound_own_rules();

-- The function that judges by these rules is made of them whenever they change, by a role that nobody signs in as.
grant create on schema audience_gate to audience_gate_owner;
