-- Where a person stands, and where they have stood before.
--
-- public.audience_state is keyed by user alone, so it cannot keep sites apart. The state is therefore
-- derived for each site, in public.audience_site_state, and public.audience_state follows as the person's
-- overall standing: the highest state they hold at any site, and the sum of their scores. Members of a site
-- see the rows of their site; the overall row is seen by its user and by trusted roles only. One history
-- serves both: public.audience_state_events, whose site_id is null for the overall standing.

create table if not exists public.audience_state (
  user_id uuid primary key,
  current_state text not null,
  state_updated_at timestamptz not null default now(),
  engagement_score numeric not null default 0,
  last_event_type text null,
  metadata jsonb not null default '{}'::jsonb
);
do $$
begin
  if not exists (
    select from pg_catalog.pg_constraint c
    where c.conrelid = 'public.audience_state'::regclass and c.conname = 'audience_state_current_state_chk'
  ) then
    alter table public.audience_state add constraint audience_state_current_state_chk check (length(current_state) > 0);
  end if;
end $$;
create index if not exists idx_audience_state_current_state on public.audience_state (current_state);
create index if not exists idx_audience_state_state_updated_at on public.audience_state (state_updated_at desc);
comment on table public.audience_state is
  'The current state of each member of the audience over all sites. Computed, never edited by hand.';
comment on column public.audience_state.user_id is 'The member of the audience.';
comment on column public.audience_state.current_state is 'An id of public.audience_states.';
comment on column public.audience_state.state_updated_at is 'When the state last changed.';
comment on column public.audience_state.engagement_score is
  'The sum of the scores at all sites. System events never move it.';
comment on column public.audience_state.last_event_type is 'The type of the last event that was applied.';
comment on column public.audience_state.metadata is 'Free for what the derivation notes for itself.';
alter table public.audience_state enable row level security;
revoke all on table public.audience_state from public, anon, authenticated, service_role;

create table if not exists public.audience_site_state (
  site_id uuid not null references public.audience_sites (id),
  user_id uuid not null,
  current_state text not null references public.audience_states (id),
  state_updated_at timestamptz not null default now(),
  engagement_score numeric not null default 0,
  last_event_type text null,
  last_activity_at timestamptz null,
  highest_state text not null references public.audience_states (id),
  derived_through timestamptz not null default '-infinity',
  primary key (site_id, user_id),
  constraint audience_site_state_score_chk check (engagement_score >= 0)
);
create index if not exists idx_audience_site_state_user_id on public.audience_site_state (user_id);
create index if not exists idx_audience_site_state_inactivity
  on public.audience_site_state (current_state, last_activity_at);
create index if not exists idx_audience_site_state_highest_state on public.audience_site_state (highest_state);
comment on table public.audience_site_state is
  'The current state of each member of the audience at each site. Computed from accepted events, never edited by '
  'hand.';
comment on column public.audience_site_state.site_id is 'The site.';
comment on column public.audience_site_state.user_id is 'The member of the audience.';
comment on column public.audience_site_state.current_state is
  'Where they stand at this site: an id of public.audience_states.';
comment on column public.audience_site_state.state_updated_at is 'When the state last changed.';
comment on column public.audience_site_state.engagement_score is
  'The sum of the score weights of the accepted events, set to the floor of the state whenever inactivity or a '
  'person moved it.';
comment on column public.audience_site_state.last_event_type is 'The type of the last event that was applied.';
comment on column public.audience_site_state.last_activity_at is
  'When the last event that they caused themselves was recorded. Retention events are written about them and do not '
  'count.';
comment on column public.audience_site_state.highest_state is
  'The highest state ever held at this site. Stepping up to it again is a reactivation.';
comment on column public.audience_site_state.derived_through is
  'The watermark: every accepted event recorded up to here is applied. One that turns up later causes a '
  'recomputation.';
alter table public.audience_site_state enable row level security;
revoke all on table public.audience_site_state from public, anon, authenticated, service_role;

create table if not exists public.audience_state_events (
  id bigint generated always as identity primary key,
  site_id uuid null references public.audience_sites (id),
  user_id uuid not null,
  from_state text null references public.audience_states (id),
  to_state text not null references public.audience_states (id),
  changed_by text not null,
  changed_at timestamptz not null default now(),
  effective_at timestamptz not null default now(),
  rule_id text not null references public.audience_rules (id),
  notes text null,
  event_id uuid null,
  constraint audience_state_events_change_chk check (from_state is distinct from to_state),
  constraint audience_state_events_actor_chk check (changed_by ~ '^(system|user|role):.'),
  constraint audience_state_events_notes_chk check (length(notes) <= 1000)
);
create index if not exists idx_audience_state_events_subject
  on public.audience_state_events (user_id, site_id, id);
create index if not exists idx_audience_state_events_site
  on public.audience_state_events (site_id, effective_at);
-- History grows in the order of its clock, which is what BRIN is for: a few pages, instead of an index as large as
-- the table, find what was written since the last refresh.
create index if not exists idx_audience_state_events_changed_at
  on public.audience_state_events using brin (changed_at) with (pages_per_range = 16);
comment on table public.audience_state_events is
  'Every change of state that was made, append-only and written by trigger. A correction is a new row.';
comment on column public.audience_state_events.id is
  'In the order of writing, which tells two changes of one moment apart.';
comment on column public.audience_state_events.site_id is
  'The site; null: the overall standing in public.audience_state.';
comment on column public.audience_state_events.user_id is 'The member of the audience.';
comment on column public.audience_state_events.from_state is 'The state before; null: the first one.';
comment on column public.audience_state_events.to_state is 'The state after.';
comment on column public.audience_state_events.changed_by is
  'Who changed it, never null: system:derivation, user:<uuid> for a signed-in person, or role:<name> for a database '
  'role.';
comment on column public.audience_state_events.changed_at is
  'When the change was made, by the clock of the database.';
comment on column public.audience_state_events.effective_at is
  'From when the change holds: when the event that caused it was recorded. For changes made by people it equals '
  'changed_at.';
comment on column public.audience_state_events.rule_id is 'Why: an id of public.audience_rules.';
comment on column public.audience_state_events.notes is 'What the actor added.';
comment on column public.audience_state_events.event_id is
  'The event in public.audience_events that caused it; null: none did.';
alter table public.audience_state_events enable row level security;
revoke all on table public.audience_state_events from public, anon, authenticated, service_role;
revoke all on sequence public.audience_state_events_id_seq from public, anon, authenticated, service_role;

create table if not exists audience_gate.state_pending (
  site_id uuid not null,
  user_id uuid not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  recompute boolean not null default false
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table audience_gate.state_pending is
  'Whose events are not applied yet. Rows are committed together with the events, so none can be overlooked, '
  'however long its transaction takes; the derivation removes them.';
comment on column audience_gate.state_pending.site_id is 'The site of the events.';
comment on column audience_gate.state_pending.user_id is 'Whose events they are.';
comment on column audience_gate.state_pending.first_at is 'When the first of them was recorded.';
comment on column audience_gate.state_pending.last_at is 'When the last of them was recorded.';
comment on column audience_gate.state_pending.recompute is
  'True: begin with the first event, because the registry was changed.';
alter table audience_gate.state_pending enable row level security;
revoke all on table audience_gate.state_pending from public, anon, authenticated, service_role;

-- Rules that only the derivation names. They are inactive, so no event may claim one.
insert into public.audience_rules (id, kind, description, active) values
  ('first_event', 'progression', 'the first event of this person was recorded', false),
  ('recomputed', 'progression', 'the events were gone through again, because one turned up late or the registry changed', false),
  ('direct_change', 'manual', 'a back end wrote the state itself and gave no rule', false)
on conflict do nothing;

-- History is append-only for every role, like the event log.
drop trigger if exists trg_audience_state_events_append_only on public.audience_state_events;
create trigger trg_audience_state_events_append_only
before update or delete on public.audience_state_events
for each row execute function public.audience_events_append_only();

drop trigger if exists trg_audience_state_events_no_truncate on public.audience_state_events;
create trigger trg_audience_state_events_no_truncate
before truncate on public.audience_state_events
for each statement execute function public.audience_events_append_only();
