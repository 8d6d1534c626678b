-- The event log: the table, its constraints and indexes as they were specified, then the columns and indexes
-- that the gate adds. A table that exists already is kept and completed.

create table if not exists public.audience_events (
  id uuid primary key default gen_random_uuid(),
  created_at timestamptz not null default now(),
  -- Identity / session
  user_id uuid null,
  session_id text not null,
  -- Classification
  event_type text not null,
  event_category text not null,
  event_source text not null,
  -- Attribution
  utm_source text null,
  utm_medium text null,
  utm_campaign text null,
  utm_content text null,
  utm_term text null,
  -- Extensible payload
  metadata jsonb not null default '{}'::jsonb
);
alter table public.audience_events enable row level security;
revoke all on table public.audience_events from public, anon, authenticated, service_role;

-- The gate's own columns. A constant default fills older rows without rewriting the table.
alter table public.audience_events
  add column if not exists site_id uuid not null default audience_gate.default_site(),
  add column if not exists occurred_at timestamptz null,
  add column if not exists rejected boolean not null default false;

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('audience_events_event_type_chk', 'length(event_type) > 0'),
      ('audience_events_event_category_chk', 'length(event_category) > 0'),
      ('audience_events_event_source_chk', 'length(event_source) > 0'),
      ('audience_events_session_id_chk', 'length(session_id) > 0'),
      ('audience_events_event_category_allowed',
        'event_category in (''engagement'',''subscription'',''advocacy'',''retention'',''attribution'',''system'')')
    ) as listed (constraint_name, condition)
  loop
    if not exists (
      select from pg_catalog.pg_constraint c
      where c.conrelid = 'public.audience_events'::regclass and c.conname = wanted.constraint_name
    ) then
      execute format('alter table public.audience_events add constraint %I check (%s)',
        wanted.constraint_name, wanted.condition);
    end if;
  end loop;
end $$;

create index if not exists idx_audience_events_created_at on public.audience_events (created_at desc);
create index if not exists idx_audience_events_user_id on public.audience_events (user_id);
create index if not exists idx_audience_events_session_id on public.audience_events (session_id);
create index if not exists idx_audience_events_event_type on public.audience_events (event_type);
create index if not exists idx_audience_events_event_category on public.audience_events (event_category);
create index if not exists idx_audience_events_utm_campaign on public.audience_events (utm_campaign);

-- The one function here without a search_path of its own: with one it could not be inlined, and each row
-- would pay for a call. The names in its body were bound when it was made, so no search_path changes them.
create or replace function audience_gate.fire_key(session_id text, event_type text, user_id uuid)
returns bigint
language sql
immutable
parallel safe
return hashtextextended(session_id, hashtextextended(event_type, coalesce(uuid_hash_extended(user_id, 0), 0)));
comment on function audience_gate.fire_key(text, text, uuid) is
  'What two events must have in common to be one double fire, as one number: session, type and user.';

-- The only index whose first column the look-up of double fires can use, so that no plan, wherever it was
-- made, can walk all events of a session or of a type.
create index if not exists idx_audience_events_double_fire on public.audience_events (
  audience_gate.fire_key(session_id, event_type, user_id), coalesce(occurred_at, created_at)
) where not rejected;
create index if not exists idx_audience_events_rejected_by_rule on public.audience_events (
  site_id, (metadata ->> 'validation_rule_id'), created_at desc
) where rejected;
create index if not exists idx_audience_events_site_id on public.audience_events (site_id, created_at desc);

comment on table public.audience_events is
  'The event log, append-only. Every row was judged by the validation contract; a rejected event is recorded as an '
  'audit row of its own. History that was recorded elsewhere comes in through audience-gate load.';
comment on column public.audience_events.id is
  'Idempotency key, sent or made here. Sending a recorded id again changes nothing.';
comment on column public.audience_events.created_at is
  'When the database recorded the row. A value that is sent is replaced.';
comment on column public.audience_events.user_id is
  'The member of the audience who was signed in. Null for visitors.';
comment on column public.audience_events.session_id is
  'The session of the sender, in characters that mean nothing to the gate.';
comment on column public.audience_events.event_type is 'What happened: an id of public.audience_event_types.';
comment on column public.audience_events.event_category is
  'engagement, subscription, advocacy, retention, attribution or system.';
comment on column public.audience_events.event_source is
  'Which system sent the event, or rejected it: web, ios, backend, database …';
comment on column public.audience_events.utm_source is 'Campaign: where the visit came from.';
comment on column public.audience_events.utm_medium is 'Campaign: by which medium it came.';
comment on column public.audience_events.utm_campaign is 'Campaign: its name.';
comment on column public.audience_events.utm_content is 'Campaign: which creative was shown.';
comment on column public.audience_events.utm_term is 'Campaign: which search term was bought.';
comment on column public.audience_events.metadata is
  'The payload, at most 8 KB and without personal data. In an audit row: why the event was rejected.';
comment on column public.audience_events.site_id is 'The site the event belongs to. Sites do not see each other.';
comment on column public.audience_events.occurred_at is
  'When it happened, by the clock of the sender. Null: when it was recorded.';
comment on column public.audience_events.rejected is
  'True: an audit row, the gate''s own record of a rejected event. Nobody can send it.';
comment on index public.idx_audience_events_double_fire is
  'Finds the accepted events of the same session, type and user that happened within audience_gate.fire_window() of '
  'an event.';
comment on index public.idx_audience_events_rejected_by_rule is
  'What was rejected at a site by one rule, newest first.';
comment on index public.idx_audience_events_site_id is 'The latest events of a site.';

-- History cannot be edited. Neither privileges nor row level security stop service_role; triggers do, for
-- every role, and for truncate too. A correction is a new event.
create or replace function public.audience_events_append_only()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception '% is append-only: % not permitted', tg_table_name, tg_op
    using errcode = 'insufficient_privilege',
          hint = 'record a new event that corrects the old one';
end;
$$;
comment on function public.audience_events_append_only() is
  'Refuses every update, delete and truncate of the table that it guards.';

drop trigger if exists trg_audience_events_append_only on public.audience_events;
create trigger trg_audience_events_append_only
before update or delete
on public.audience_events
for each row
execute function public.audience_events_append_only();

drop trigger if exists trg_audience_events_no_truncate on public.audience_events;
create trigger trg_audience_events_no_truncate
before truncate
on public.audience_events
for each statement
execute function public.audience_events_append_only();
