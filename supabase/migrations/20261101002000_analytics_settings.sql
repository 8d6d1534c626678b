-- What the analytics are told, as rows: in which time zones a site counts its days, which steps a
-- funnel has, which events are errors, which numbers are timings. And how fresh the views are.

create table if not exists audience_gate.site_zones (
  id integer generated always as identity primary key,
  site_id uuid not null references public.audience_sites (id),
  time_zone text not null,
  covered_until timestamptz null,
  unique (site_id, time_zone)
);
comment on table audience_gate.site_zones is
  'The time zones the views count each site''s days in. Every site has UTC; audience_gate.add_site_zone adds more. Any other zone of the IANA database can be asked for as well: its figures are computed from the events, just as exact but slower.';
comment on column audience_gate.site_zones.id is 'What the views call a site in one of its zones.';
comment on column audience_gate.site_zones.site_id is 'The site.';
comment on column audience_gate.site_zones.time_zone is 'A name of the IANA time zone database.';
comment on column audience_gate.site_zones.covered_until is
  'The views hold what was received before this moment; null until the first refresh after the zone was added.';

create table if not exists audience_gate.analytics_settings (
  only_row boolean primary key default true check (only_row),
  covered_until timestamptz not null default '-infinity',
  settle interval not null default '1 minute' check (settle >= interval '0')
);
comment on table audience_gate.analytics_settings is 'One row: where the next refresh stops and how long it lets transactions settle.';
comment on column audience_gate.analytics_settings.only_row is 'Always true: there is one row.';
comment on column audience_gate.analytics_settings.covered_until is
  'The boundary between the views and the live tail: the views read what was received before it.';
comment on column audience_gate.analytics_settings.settle is
  'A refresh leaves the newest events to the live tail, because a transaction that began before the refresh may still be writing. A longer one is caught by the refresh after it.';
insert into audience_gate.analytics_settings default values on conflict do nothing;

create table if not exists audience_gate.analytics_runs (
  id bigint generated always as identity primary key,
  started_at timestamptz not null,
  view_name text not null,
  outcome text not null check (outcome in ('ok', 'failed')),
  duration_ms numeric not null,
  row_count bigint null,
  covered_until timestamptz null,
  error text null
);
create index if not exists analytics_runs_view_name_idx on audience_gate.analytics_runs (view_name, id desc);
comment on table audience_gate.analytics_runs is 'One row for every refresh of every view, kept for 30 days.';
comment on column audience_gate.analytics_runs.id is 'In order of writing.';
comment on column audience_gate.analytics_runs.started_at is 'When the refresh of this view began.';
comment on column audience_gate.analytics_runs.view_name is 'The view; ''all'' for a run that failed as a whole.';
comment on column audience_gate.analytics_runs.outcome is 'ok, or failed: then every view kept what it held before.';
comment on column audience_gate.analytics_runs.duration_ms is 'How long it took.';
comment on column audience_gate.analytics_runs.row_count is 'Rows in the view afterwards.';
comment on column audience_gate.analytics_runs.covered_until is 'What the run covered.';
comment on column audience_gate.analytics_runs.error is 'SQLSTATE of a failure; never its text, which may hold values.';

create table if not exists audience_gate.error_events (
  event_type text primary key,
  code_key text null
);
comment on table audience_gate.error_events is 'Which events count as errors.';
comment on column audience_gate.error_events.event_type is 'An id of the event registry.';
comment on column audience_gate.error_events.code_key is 'The metadata key that tells errors of this type apart.';
insert into audience_gate.error_events (event_type, code_key)
values ('error_occurred', 'error_code'), ('server_error', 'error_code'), ('auth_sign_in_failed', 'method')
on conflict do nothing;

create table if not exists audience_gate.performance_measures (
  event_type text not null,
  metadata_key text not null,
  unit text not null,
  primary key (event_type, metadata_key)
);
comment on table audience_gate.performance_measures is 'Which numbers in metadata are measurements worth percentiles.';
comment on column audience_gate.performance_measures.event_type is 'An id of the event registry.';
comment on column audience_gate.performance_measures.metadata_key is 'The metadata key that holds the number.';
comment on column audience_gate.performance_measures.unit is 'What the number is counted in.';
insert into audience_gate.performance_measures (event_type, metadata_key, unit)
values
  ('page_performance', 'load_ms', 'ms'), ('page_performance', 'first_byte_ms', 'ms'),
  ('page_performance', 'first_paint_ms', 'ms'), ('page_performance', 'largest_paint_ms', 'ms'),
  ('page_performance', 'interaction_ms', 'ms'), ('page_performance', 'layout_shift', 'score'),
  ('server_performance', 'load_ms', 'ms'), ('job_completed', 'duration_ms', 'ms')
on conflict do nothing;

create table if not exists public.audience_funnels (
  id text not null check (id ~ '^[a-z][a-z0-9_]{0,63}$'),
  site_id uuid not null references public.audience_sites (id),
  name text not null check (length(name) between 1 and 128),
  conversion_window interval not null default '30 days' check (conversion_window > interval '0'),
  primary key (site_id, id)
);
comment on table public.audience_funnels is 'The conversion funnels of each site; the steps are in audience_funnel_steps. A site without a funnel called default is measured against the built-in one.';
comment on column public.audience_funnels.id is 'What kpi_funnel is asked for.';
comment on column public.audience_funnels.site_id is 'The site the funnel belongs to.';
comment on column public.audience_funnels.name is 'What people call it.';
comment on column public.audience_funnels.conversion_window is 'All steps must happen within this time of the first.';

create table if not exists public.audience_funnel_steps (
  site_id uuid not null,
  funnel_id text not null,
  position smallint not null check (position between 1 and 12),
  name text not null check (length(name) between 1 and 128),
  event_type text not null references public.audience_event_types (id),
  primary key (site_id, funnel_id, position),
  unique (site_id, funnel_id, event_type),
  foreign key (site_id, funnel_id) references public.audience_funnels (site_id, id)
);
create index if not exists audience_funnel_steps_event_type_idx on public.audience_funnel_steps (event_type);
comment on table public.audience_funnel_steps is 'The steps of each funnel, in order, numbered from 1 without gaps; no event type twice in one funnel.';
comment on column public.audience_funnel_steps.site_id is 'The site of the funnel.';
comment on column public.audience_funnel_steps.funnel_id is 'The funnel.';
comment on column public.audience_funnel_steps.position is 'Its place, from 1.';
comment on column public.audience_funnel_steps.name is 'What people call the step.';
comment on column public.audience_funnel_steps.event_type is 'The event that takes somebody over this step.';

create table if not exists audience_gate.default_funnel_steps (
  position smallint primary key check (position between 1 and 12),
  name text not null,
  event_type text not null unique
);
comment on table audience_gate.default_funnel_steps is 'The funnel ''default'' of every site that has not defined one of that name.';
comment on column audience_gate.default_funnel_steps.position is 'Its place, from 1.';
comment on column audience_gate.default_funnel_steps.name is 'What people call the step.';
comment on column audience_gate.default_funnel_steps.event_type is 'An id of the event registry.';
insert into audience_gate.default_funnel_steps (position, name, event_type)
values (1, 'Visit', 'page_view'), (2, 'Read', 'content_view'), (3, 'Subscribe', 'email_subscribe'), (4, 'Start a plan', 'plan_started')
on conflict do nothing;

create or replace view audience_gate.funnel_steps with (security_invoker = true) as
select s.site_id, s.funnel_id, f.name as funnel_name, f.conversion_window, s.position, s.name, s.event_type
from public.audience_funnel_steps s
join public.audience_funnels f on f.site_id = s.site_id and f.id = s.funnel_id
union all
select a.id, 'default', 'Default', interval '30 days', d.position, d.name, d.event_type
from public.audience_sites a
cross join audience_gate.default_funnel_steps d
where not exists (select from public.audience_funnels f where f.site_id = a.id and f.id = 'default');
comment on view audience_gate.funnel_steps is 'The steps of every funnel of every site, the built-in one included.';

alter table public.audience_funnels enable row level security;
alter table public.audience_funnel_steps enable row level security;
create policy "audience_funnels_select_member" on public.audience_funnels
  for select to authenticated using (audience_gate.can_read_site(site_id));
create policy "audience_funnel_steps_select_member" on public.audience_funnel_steps
  for select to authenticated using (audience_gate.can_read_site(site_id));
grant select on public.audience_funnels, public.audience_funnel_steps to authenticated;
grant select, insert, update, delete on public.audience_funnels, public.audience_funnel_steps to service_role;
