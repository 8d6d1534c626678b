-- What the derivation has to remember of a person between two runs, besides the score.

alter table public.audience_site_state
  add column if not exists idle_since timestamptz null,
  add column if not exists consents text[] null,
  add column if not exists has_advocated boolean not null default false,
  add column if not exists score_day date null,
  add column if not exists day_score numeric not null default 0,
  add column if not exists day_counts jsonb not null default '{}'::jsonb;
comment on column public.audience_site_state.idle_since is
  'From when inactivity counts: the last activity, or the last change of state if that is later. Somebody who just '
  'stepped down does not step down again before the next rule''s days have passed.';
comment on column public.audience_site_state.consents is
  'The channels for which a consent is in force. Null: the row is older than this column, and the next run goes through '
  'all events again.';
comment on column public.audience_site_state.has_advocated is 'Whether there is an advocacy event.';
comment on column public.audience_site_state.score_day is 'The day of UTC of the last event that moved the score.';
comment on column public.audience_site_state.day_score is 'By how much the score moved on that day.';
comment on column public.audience_site_state.day_counts is 'How many events of each type moved it on that day.';

create table if not exists audience_gate.state_settings (
  only_row boolean primary key default true,
  daily_cap numeric not null,
  constraint state_settings_only_row_chk check (only_row),
  constraint state_settings_daily_cap_chk check (daily_cap > 0)
);
comment on table audience_gate.state_settings is 'One row with the settings of the derivation of states.';
comment on column audience_gate.state_settings.only_row is 'Always true: there is one row.';
comment on column audience_gate.state_settings.daily_cap is
  'By how much the score of one person at one site moves in a day of UTC, at most, whatever they do.';
alter table audience_gate.state_settings enable row level security;
revoke all on table audience_gate.state_settings from public, anon, authenticated, service_role;
grant select on table audience_gate.state_settings to audience_gate_owner;
grant select, update on table audience_gate.state_settings to service_role;
drop policy if exists state_settings_gate on audience_gate.state_settings;
create policy state_settings_gate on audience_gate.state_settings for select to audience_gate_owner using (true);
insert into audience_gate.state_settings values (true, 40) on conflict do nothing;

create table if not exists audience_gate.state_failures (
  site_id uuid not null,
  user_id uuid not null,
  sqlstate text not null,
  failed_at timestamptz not null default now(),
  attempts integer not null default 1,
  primary key (site_id, user_id)
);
comment on table audience_gate.state_failures is
  'Whose state could not be derived, and why. Their next event, and a recomputation, try again; a row goes away once '
  'that succeeds.';
comment on column audience_gate.state_failures.site_id is 'The site.';
comment on column audience_gate.state_failures.user_id is 'The member of the audience.';
comment on column audience_gate.state_failures.sqlstate is 'The SQLSTATE of the failure. Its message could quote a value.';
comment on column audience_gate.state_failures.failed_at is 'When it failed last.';
comment on column audience_gate.state_failures.attempts is 'How often it failed.';
alter table audience_gate.state_failures enable row level security;
revoke all on table audience_gate.state_failures from public, anon, authenticated, service_role;
grant select, insert, update, delete on table audience_gate.state_failures to audience_gate_owner;
grant select on table audience_gate.state_failures to service_role;
drop policy if exists state_failures_gate on audience_gate.state_failures;
create policy state_failures_gate on audience_gate.state_failures for all to audience_gate_owner using (true) with check (true);
