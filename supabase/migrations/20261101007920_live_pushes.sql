-- Telling dashboards that figures have changed. Where the project has Supabase Realtime, everybody who looks at a site is told,
-- and reads the figures then. A message names the site and the moment and holds no figure; those are read as always, by whoever
-- may. Without Realtime nothing here does anything, and a dashboard asks once a minute.

create table audience_gate.site_listeners (
  site_id uuid primary key references public.audience_sites (id) on delete cascade,
  wanted_until timestamptz not null,
  told_at timestamptz null
);
comment on table audience_gate.site_listeners is
  'The sites that somebody looks at, who is told when their figures change. For the others no message is written.';
comment on column audience_gate.site_listeners.site_id is 'The site.';
comment on column audience_gate.site_listeners.wanted_until is 'Until when its changes are told: a day after somebody last asked for that.';
comment on column audience_gate.site_listeners.told_at is 'When a change was last told; null: never.';

create or replace function audience_gate.topic_of(p_site uuid)
returns text
language sql
immutable
set search_path = ''
as $$ select 'audience-gate:' || p_site $$;
comment on function audience_gate.topic_of(uuid) is 'The private topic of Realtime on which the changes of a site are told.';

-- Row level security on Realtime's own table decides who hears of a site, so its policy there is the switch as well. It is
-- looked up in the catalogue, because Realtime's schema is closed to the role that folds.
create or replace function audience_gate.pushes_enabled()
returns boolean
language sql
stable
set search_path = ''
as $$
  select exists (
    select from pg_catalog.pg_policy p
    join pg_catalog.pg_class c on c.oid = p.polrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where p.polname = 'audience_gate_members' and c.relname = 'messages' and n.nspname = 'realtime')
$$;
comment on function audience_gate.pushes_enabled() is 'Whether changes are told over Realtime: from audience_gate.enable_push() on.';

create or replace function audience_gate.hears_topic(p_topic text)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (
    select from public.audience_site_members m
    where m.user_id = (select audience_gate.caller_id()) and audience_gate.topic_of(m.site_id) = p_topic)
$$;
comment on function audience_gate.hears_topic(text) is
  'Whether this caller is a member of the site whose topic this is. For the policy on realtime.messages.';

create or replace function audience_gate.enable_push()
returns jsonb
language plpgsql
volatile
set search_path = ''
set lock_timeout = '5s'
as $$
declare
  wanted constant text[] := array['realtime.send(jsonb,text,text,boolean)', 'realtime.topic()'];
begin
  if to_regclass('realtime.messages') is null or exists (select from unnest(wanted) w where to_regprocedure(w) is null) then
    return jsonb_build_object('realtime', false);
  end if;
  if not audience_gate.pushes_enabled() then
    execute $policy$
      create policy audience_gate_members on realtime.messages for select to authenticated
      using (extension = 'broadcast' and topic = (select realtime.topic()) and audience_gate.hears_topic((select realtime.topic())))
    $policy$;
  end if;
  return jsonb_build_object('realtime', true);
end;
$$;
comment on function audience_gate.enable_push() is
  'Has Realtime tell the members of a site when its figures change, by a policy on realtime.messages; says whether the '
  'project has Realtime. Calling it again changes nothing. For whoever owns the database.';

create or replace function audience_gate.disable_push()
returns jsonb
language plpgsql
volatile
set search_path = ''
set lock_timeout = '5s'
as $$
begin
  if audience_gate.pushes_enabled() then
    execute 'drop policy audience_gate_members on realtime.messages';
  end if;
  return jsonb_build_object('realtime', to_regclass('realtime.messages') is not null);
end;
$$;
comment on function audience_gate.disable_push() is
  'Takes the policy from realtime.messages again: nobody is told of changes, and dashboards ask. For whoever owns the database.';

-- It runs as the owner of the database, who alone has the rights on Realtime's table that it needs, and cannot pass them on.
-- The fold goes on whatever becomes of the message, and waits no longer than lock_timeout for a lock of Realtime's.
create or replace function audience_gate.send_change(p_site uuid)
returns void
language plpgsql
volatile
security definer
set search_path = ''
set lock_timeout = '100ms'
as $$
begin
  execute format('select %I.send($1, $2, $3, true)', 'realtime')
  using jsonb_build_object('site', p_site, 'until', now()), 'changed'::text, audience_gate.topic_of(p_site);
exception when others then
  raise warning 'a change of the figures could not be told over Realtime: %', sqlstate;
end;
$$;
comment on function audience_gate.send_change(uuid) is 'Hands Realtime the message that the figures of a site have changed.';

create or replace function audience_gate.tell_changes()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
declare
  began constant timestamptz := clock_timestamp();
  site uuid;
begin
  if not audience_gate.pushes_enabled() then
    return null;
  end if;
  for site in
    update audience_gate.site_listeners u set told_at = clock_timestamp()
    where u.site_id in (
      select l.site_id from audience_gate.site_listeners l
      where l.site_id in (select c.site_id from changed c) and l.wanted_until > now()
        and (l.told_at is null or l.told_at < began - interval '1 second')
      for update skip locked)
    returning u.site_id
  loop
    perform audience_gate.send_change(site);
    -- If Realtime is this slow, the remaining sites hear of their next change, and are read every quarter of an hour anyway.
    exit when clock_timestamp() > began + interval '200 milliseconds';
  end loop;
  return null;
end;
$$;
comment on function audience_gate.tell_changes() is
  'Tells whoever looks at the sites whose figures a fold has just changed, once for each site and at most once a second.';

-- Receipts change with every event, accepted or not, and the flow between states with every transition.
create trigger trg_receipt_slots_added after insert on audience_gate.receipt_slots
referencing new table as changed for each statement execute function audience_gate.tell_changes();
create trigger trg_receipt_slots_changed after update on audience_gate.receipt_slots
referencing new table as changed for each statement execute function audience_gate.tell_changes();
create trigger trg_flow_slots_added after insert on audience_gate.flow_slots
referencing new table as changed for each statement execute function audience_gate.tell_changes();
create trigger trg_flow_slots_changed after update on audience_gate.flow_slots
referencing new table as changed for each statement execute function audience_gate.tell_changes();

-- A row that a fold holds was wanted a moment ago, so it is skipped: nobody who asks waits for a fold.
create or replace function audience_gate.push_topic(p_site uuid)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform audience_gate.require_member(p_site);
  if not audience_gate.pushes_enabled() then
    return null;
  end if;
  insert into audience_gate.site_listeners (site_id, wanted_until)
  select p_site, now() + interval '1 day'
  where not exists (select from audience_gate.site_listeners l where l.site_id = p_site)
  on conflict do nothing;
  update audience_gate.site_listeners u set wanted_until = now() + interval '1 day'
  where u.site_id in (
    select l.site_id from audience_gate.site_listeners l
    where l.site_id = p_site and l.wanted_until < now() + interval '12 hours'
    for update skip locked);
  return audience_gate.topic_of(p_site);
end;
$$;
comment on function audience_gate.push_topic(uuid) is 'Does what public.audience_push_topic() says.';

create or replace function public.audience_push_topic(site uuid)
returns text
language sql
volatile
set search_path = ''
as $$ select audience_gate.push_topic(site) $$;
comment on function public.audience_push_topic(uuid) is
  'The private topic of Realtime on which this site''s changes are told for a day from now; null: they are not told, so ask for '
  'the figures yourself. A message, whose event is "changed", holds the site and until when its figures reach, and none of '
  'them. For members of the site.';

do $$
declare
  signature text;
begin
  alter table audience_gate.site_listeners owner to audience_gate_owner;
  alter table audience_gate.site_listeners enable row level security;
  create policy site_listeners_gate on audience_gate.site_listeners to audience_gate_owner using (true) with check (true);
  revoke all on audience_gate.site_listeners from public, anon, authenticated, service_role;
  foreach signature in array array[
    'topic_of(uuid)', 'pushes_enabled()', 'hears_topic(text)', 'tell_changes()', 'push_topic(uuid)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
  end loop;
  foreach signature in array array[
    'topic_of(uuid)', 'pushes_enabled()', 'hears_topic(text)', 'tell_changes()', 'push_topic(uuid)', 'enable_push()',
    'disable_push()', 'send_change(uuid)'
  ] loop
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
  grant execute on function audience_gate.hears_topic(text) to authenticated;
  grant execute on function audience_gate.push_topic(uuid) to authenticated, service_role;
  grant execute on function audience_gate.send_change(uuid) to audience_gate_owner;
  revoke all on function public.audience_push_topic(uuid) from public, anon, authenticated, service_role;
  grant execute on function public.audience_push_topic(uuid) to authenticated, service_role;
end $$;

do $$
begin
  perform audience_gate.enable_push();
exception when others then
  raise notice 'Realtime is there but cannot be used (%): call audience_gate.enable_push() once it can', sqlstate;
end $$;
