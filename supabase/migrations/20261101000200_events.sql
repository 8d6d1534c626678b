-- The event log and the derived state: tables, constraints and indexes as specified, then the columns
-- the gate adds. Safe to run over tables that exist already.

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

create table if not exists public.audience_state (
  user_id uuid primary key,
  current_state text not null,
  state_updated_at timestamptz not null default now(),
  engagement_score numeric not null default 0,
  last_event_type text null,
  metadata jsonb not null default '{}'::jsonb
);

-- Additive columns. A constant default fills older rows without rewriting the table.
alter table public.audience_events
  add column if not exists site_id uuid not null default '00000000-0000-4000-8000-000000000001',
  add column if not exists occurred_at timestamptz null,
  add column if not exists rejected boolean not null default false;

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('audience_events', 'audience_events_event_type_chk', 'length(event_type) > 0'),
      ('audience_events', 'audience_events_event_category_chk', 'length(event_category) > 0'),
      ('audience_events', 'audience_events_event_source_chk', 'length(event_source) > 0'),
      ('audience_events', 'audience_events_session_id_chk', 'length(session_id) > 0'),
      ('audience_events', 'audience_events_event_category_allowed',
        'event_category in (''engagement'',''subscription'',''advocacy'',''retention'',''attribution'',''system'')'),
      ('audience_state', 'audience_state_current_state_chk', 'length(current_state) > 0')
    ) as listed (table_name, constraint_name, condition)
  loop
    if not exists (select from pg_catalog.pg_constraint where conname = wanted.constraint_name) then
      execute format(
        'alter table public.%I add constraint %I check (%s)',
        wanted.table_name, wanted.constraint_name, wanted.condition
      );
    end if;
  end loop;
end $$;

create index if not exists idx_audience_events_created_at on public.audience_events (created_at desc);
create index if not exists idx_audience_events_user_id on public.audience_events (user_id);
create index if not exists idx_audience_events_session_id on public.audience_events (session_id);
create index if not exists idx_audience_events_event_type on public.audience_events (event_type);
create index if not exists idx_audience_events_event_category on public.audience_events (event_category);
create index if not exists idx_audience_events_utm_campaign on public.audience_events (utm_campaign);
create index if not exists idx_audience_state_current_state on public.audience_state (current_state);
create index if not exists idx_audience_state_state_updated_at on public.audience_state (state_updated_at desc);

-- What makes a repeat, as one number, and when it happened: the only index whose first column the
-- duplicate look-up can use, so that no plan, wherever it was made, can walk a session or a type.
create index if not exists idx_audience_events_double_fire on public.audience_events (
  hashtextextended(session_id, hashtextextended(event_type, coalesce(uuid_hash_extended(user_id, 0), 0))),
  coalesce(occurred_at, created_at)
) where not rejected;

revoke all on table public.audience_events from public, anon, authenticated, service_role;
revoke all on table public.audience_state from public, anon, authenticated, service_role;

comment on table public.audience_events is
  'Raw audience events, append-only. Every row was judged by the validation contract; a rejected event stands here as its own audit row. History that was recorded elsewhere comes in through audience-gate load.';
comment on column public.audience_events.id is 'Idempotency key: the sender''s, or minted. Sending a recorded id again changes nothing.';
comment on column public.audience_events.created_at is 'When the database recorded the row; cannot be sent.';
comment on column public.audience_events.user_id is 'The member of the audience, where signed in. Null for visitors.';
comment on column public.audience_events.session_id is 'The sender''s session, 8 to 128 characters; opaque.';
comment on column public.audience_events.event_type is 'Event id, an entry of public.audience_event_types.';
comment on column public.audience_events.event_category is 'engagement, subscription, advocacy, retention, attribution or system.';
comment on column public.audience_events.event_source is 'What sent the event, or what rejected it: web, ios, backend, database …';
comment on column public.audience_events.utm_source is 'Campaign tagging: where the visit came from.';
comment on column public.audience_events.utm_medium is 'Campaign tagging: by which medium.';
comment on column public.audience_events.utm_campaign is 'Campaign tagging: for which campaign.';
comment on column public.audience_events.utm_content is 'Campaign tagging: which creative.';
comment on column public.audience_events.utm_term is 'Campaign tagging: which search term was bought.';
comment on column public.audience_events.metadata is 'Payload, at most 8 KB, without personal data. Of an audit row: why the event was rejected.';
comment on column public.audience_events.site_id is 'The site the event belongs to. Sites do not see each other.';
comment on column public.audience_events.occurred_at is 'When it happened by the sender''s clock, where sent. Null: when it was recorded.';
comment on column public.audience_events.rejected is 'True: the gate''s own record of an event it rejected. Never sent by anybody.';
comment on index public.idx_audience_events_double_fire is
  'Finds the accepted events within three seconds of another of the same session, type and user.';

comment on table public.audience_state is 'Current state of each member of the audience. Computed, never edited by hand.';
comment on column public.audience_state.user_id is 'The member of the audience.';
comment on column public.audience_state.current_state is 'An entry of public.audience_states.';
comment on column public.audience_state.state_updated_at is 'When the state last changed.';
comment on column public.audience_state.engagement_score is 'Sum of the score weights of the accepted events; never moved by system events.';
comment on column public.audience_state.last_event_type is 'The type of the last event that counted.';
comment on column public.audience_state.metadata is 'What the derivation notes for itself.';
