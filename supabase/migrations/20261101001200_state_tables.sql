-- Where somebody stands, and everywhere they have been.
--
-- public.audience_state is keyed by user alone, so it cannot keep sites apart. The state is therefore
-- derived per site, in public.audience_site_state; public.audience_state follows as the user's overall
-- standing: the highest state they hold anywhere, the sum of their scores. A site's members see the
-- rows of their site; the overall row only its user and trusted roles. One history serves both:
-- public.audience_state_events, whose site_id is null for the overall record.

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
  'Current state of each member of the audience at each site. Computed from accepted events, never edited by hand.';
comment on column public.audience_site_state.site_id is 'The site.';
comment on column public.audience_site_state.user_id is 'The member of the audience.';
comment on column public.audience_site_state.current_state is 'Where they stand at this site, an entry of public.audience_states.';
comment on column public.audience_site_state.state_updated_at is 'When the state last changed.';
comment on column public.audience_site_state.engagement_score is
  'Score weights of the accepted events, brought to the floor of the state whenever inactivity or a person moved it.';
comment on column public.audience_site_state.last_event_type is 'The type of the last event that was applied.';
comment on column public.audience_site_state.last_activity_at is
  'When the last event of the member''s own doing was recorded; retention events, written about them, are none.';
comment on column public.audience_site_state.highest_state is 'The highest state ever held here: stepping up to it again is a reactivation.';
comment on column public.audience_site_state.derived_through is
  'The watermark: every accepted event recorded until then is applied. One that turns up later causes a recomputation.';

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

comment on table public.audience_state_events is
  'Every change of state there has been, append-only, written by trigger. A correction is a new row.';
comment on column public.audience_state_events.id is 'In order of writing: what tells apart two changes of one moment.';
comment on column public.audience_state_events.site_id is 'The site; null: the overall standing in public.audience_state.';
comment on column public.audience_state_events.user_id is 'The member of the audience.';
comment on column public.audience_state_events.from_state is 'The state before; null: the first one.';
comment on column public.audience_state_events.to_state is 'The state after.';
comment on column public.audience_state_events.changed_by is
  'Who changed it, never null: system:derivation, user:<uuid> of a signed-in person, or role:<name> of a database role.';
comment on column public.audience_state_events.changed_at is 'When the change was made; always the database''s own clock.';
comment on column public.audience_state_events.effective_at is
  'Since when the change holds: when the event that caused it was recorded. Equals changed_at for changes made by people.';
comment on column public.audience_state_events.rule_id is 'Why: an entry of public.audience_rules.';
comment on column public.audience_state_events.notes is 'What the actor added.';
comment on column public.audience_state_events.event_id is 'The event in public.audience_events that caused it, where one did.';

create table if not exists audience_gate.state_pending (
  site_id uuid not null,
  user_id uuid not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  recompute boolean not null default false
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table audience_gate.state_pending is
  'Who has events that are not derived yet. Committed together with the events, so none can be overlooked, however long their transaction took; emptied by the derivation.';
comment on column audience_gate.state_pending.site_id is 'The site of the events.';
comment on column audience_gate.state_pending.user_id is 'Whose events they are.';
comment on column audience_gate.state_pending.first_at is 'When the first of them was recorded.';
comment on column audience_gate.state_pending.last_at is 'When the last of them was recorded.';
comment on column audience_gate.state_pending.recompute is 'True: start from the first event ever, because the registry was changed.';

-- Rules that only the derivation names. Inactive: an event that claims one is not recognised.
insert into public.audience_rules (id, kind, description, active) values
  ('first_event', 'progression', 'the first event of this person was recorded', false),
  ('recomputed', 'progression', 'the events were gone through again, because one turned up late or the registry changed', false),
  ('direct_change', 'manual', 'a back end wrote the state itself and gave no rule', false)
on conflict do nothing;

-- History is append-only for every role, as the event log is.
drop trigger if exists trg_audience_state_events_append_only on public.audience_state_events;
create trigger trg_audience_state_events_append_only
before update or delete on public.audience_state_events
for each row execute function public.audience_events_append_only();
drop trigger if exists trg_audience_state_events_no_truncate on public.audience_state_events;
create trigger trg_audience_state_events_no_truncate
before truncate on public.audience_state_events
for each statement execute function public.audience_events_append_only();

alter table public.audience_site_state enable row level security;
alter table public.audience_state_events enable row level security;
alter table audience_gate.state_pending enable row level security;

-- The sites as a set: a policy evaluates it once a statement, where audience_gate.can_read_site would be
-- called for every row.
create or replace function audience_gate.readable_sites()
returns setof uuid
language sql
stable
security definer
set search_path = ''
as $$
  select m.site_id from public.audience_site_members m where m.user_id = (select audience_gate.caller_id())
$$;
comment on function audience_gate.readable_sites() is 'The sites this caller is a member of.';
alter function audience_gate.readable_sites() owner to audience_gate_owner;
revoke all on function audience_gate.readable_sites() from public;
grant execute on function audience_gate.readable_sites() to authenticated;

-- People read their own rows and those of sites they are members of.
drop policy if exists audience_site_state_select on public.audience_site_state;
create policy audience_site_state_select on public.audience_site_state for select to authenticated
  using (user_id = (select audience_gate.caller_id()) or site_id in (select audience_gate.readable_sites()));
drop policy if exists audience_state_events_select on public.audience_state_events;
create policy audience_state_events_select on public.audience_state_events for select to authenticated
  using (user_id = (select audience_gate.caller_id()) or site_id in (select audience_gate.readable_sites()));

-- The gate itself.
drop policy if exists audience_site_state_gate on public.audience_site_state;
create policy audience_site_state_gate on public.audience_site_state to audience_gate_owner using (true) with check (true);
drop policy if exists audience_state_events_gate on public.audience_state_events;
create policy audience_state_events_gate on public.audience_state_events to audience_gate_owner using (true) with check (true);
drop policy if exists state_pending_gate on audience_gate.state_pending;
create policy state_pending_gate on audience_gate.state_pending to audience_gate_owner using (true) with check (true);

revoke all on table public.audience_site_state, public.audience_state_events, audience_gate.state_pending
  from public, anon, authenticated, service_role;
grant select on table public.audience_site_state, public.audience_state_events to authenticated, service_role;
grant select, insert, update on table public.audience_site_state to audience_gate_owner;
grant select, insert on table public.audience_state_events to audience_gate_owner;
grant select, insert, delete on table audience_gate.state_pending to audience_gate_owner;
