-- A team's database before the gate: the tables and policies that it made by its own two documents, and what was
-- recorded since, unjudged.
create table public.audience_events (
  id uuid primary key default gen_random_uuid(),
  created_at timestamptz not null default now(),
  user_id uuid null,
  session_id text not null,
  event_type text not null,
  event_category text not null,
  event_source text not null,
  utm_source text null,
  utm_medium text null,
  utm_campaign text null,
  utm_content text null,
  utm_term text null,
  metadata jsonb not null default '{}'::jsonb
);
alter table public.audience_events add constraint audience_events_event_type_chk check (length(event_type) > 0);
alter table public.audience_events add constraint audience_events_event_category_chk check (length(event_category) > 0);
alter table public.audience_events add constraint audience_events_event_source_chk check (length(event_source) > 0);
alter table public.audience_events add constraint audience_events_session_id_chk check (length(session_id) > 0);
alter table public.audience_events add constraint audience_events_event_category_allowed
  check (event_category in ('engagement','subscription','advocacy','retention','attribution','system'));
create table public.audience_state (
  user_id uuid primary key,
  current_state text not null,
  state_updated_at timestamptz not null default now(),
  engagement_score numeric not null default 0,
  last_event_type text null,
  metadata jsonb not null default '{}'::jsonb
);
alter table public.audience_state add constraint audience_state_current_state_chk check (length(current_state) > 0);
create index idx_audience_events_created_at on public.audience_events (created_at desc);
create index idx_audience_events_user_id on public.audience_events (user_id);
create index idx_audience_events_session_id on public.audience_events (session_id);
create index idx_audience_events_event_type on public.audience_events (event_type);
create index idx_audience_events_event_category on public.audience_events (event_category);
create index idx_audience_events_utm_campaign on public.audience_events (utm_campaign);
create index idx_audience_state_current_state on public.audience_state (current_state);
create index idx_audience_state_state_updated_at on public.audience_state (state_updated_at desc);

alter table public.audience_events enable row level security;
alter table public.audience_state enable row level security;
create policy "audience_events_insert_authenticated" on public.audience_events
  for insert to authenticated with check (user_id is null or user_id = auth.uid());
create policy "audience_events_no_update" on public.audience_events for update to anon, authenticated using (false);
create policy "audience_events_no_delete" on public.audience_events for delete to anon, authenticated using (false);
create policy "audience_state_select_own" on public.audience_state
  for select to authenticated using (user_id = auth.uid());
create policy "audience_state_no_insert" on public.audience_state for insert to anon, authenticated with check (false);
create policy "audience_state_no_update" on public.audience_state for update to anon, authenticated using (false);
create policy "audience_state_no_delete" on public.audience_state for delete to anon, authenticated using (false);
create or replace function public.audience_events_append_only()
returns trigger
language plpgsql
as $$
begin
raise exception 'audience_events is append-only: % not permitted', tg_op;
end;
$$;
create trigger trg_audience_events_append_only before update or delete on public.audience_events
  for each row execute function public.audience_events_append_only();

-- 500 rows of 40 people over 50 days: row n is of the n-th kind, and each kind has a fate.
create table public.kinds (kind integer primary key, event_type text, event_category text, metadata jsonb, fate text);
insert into public.kinds (kind, event_type, event_category, metadata, fate) values
  (0, 'page_view', 'engagement', '{"page_path": "/pricing"}', 'accepted'),
  (1, 'content_view', 'engagement', '{"content_id": "guide-1", "duration_seconds": 60}', 'accepted'),
  (2, 'content_share', 'advocacy', '{"content_id": "guide-1", "platform": "x", "share_type": "link"}', 'accepted'),
  (3, 'webinar_joined', 'engagement', '{"content_id": "webinar-7"}', 'registry.event_type'),
  (4, 'content_view', 'engagement', '{"content_id": "guide-1", "duration_seconds": 2}', 'engagement.content_view_threshold'),
  (5, 'page_view', 'engagement', '{"page_path": "/p", "note": "write to ada.canary@example.org"}', 'privacy.raw_email'),
  (6, 'account_created', 'engagement', '{"page_path": "/p"}', 'registry.event_category'),
  (7, 'error_occurred', 'engagement', null, 'sanity.metadata_size'),
  (8, 'page_view', 'engagement', '{"page_path": "/twice"}', 'duplicate.double_fire'),
  (9, 'x', 'engagement', '{"page_path": "/short"}', 'sanity.event_type_length');
-- A code of 12.8 KB that no index holds.
update public.kinds set metadata = jsonb_build_object('severity', 'error', 'error_code', (
  select string_agg(md5(n::text), '') from generate_series(1, 400) n)) where kind = 7;

insert into public.audience_events (id, created_at, user_id, session_id, event_type, event_category, event_source, metadata)
select md5('event ' || n)::uuid,
  date_trunc('day', now()) - interval '60 days' + (n / 10) * interval '1 day' + (n % 10) * interval '1 hour',
  case when n % 5 > 0 then md5('user ' || n % 40)::uuid end, 'session-of-row-' || n, k.event_type, k.event_category, 'web', k.metadata
from generate_series(0, 499) n join public.kinds k on k.kind = n % 10
where k.kind <> 8;
-- Those of kind 8 come a second after a page view of the same session and person.
insert into public.audience_events (id, created_at, user_id, session_id, event_type, event_category, event_source, metadata)
select md5('event ' || e.n + 8)::uuid, v.created_at + interval '1 second', v.user_id, v.session_id, v.event_type, v.event_category,
  'web', v.metadata
from generate_series(0, 490, 10) as e (n) join public.audience_events v on v.id = md5('event ' || e.n)::uuid;

insert into public.audience_state (user_id, current_state, engagement_score)
select md5('user ' || n)::uuid, case when n % 8 = 1 then 'a_state_of_our_own_making' when n % 8 = 2 then 'S4' else 'S1' end, 17
from generate_series(1, 39) n;
