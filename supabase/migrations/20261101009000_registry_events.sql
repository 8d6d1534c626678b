-- The registry and the settings under the same audit as records: who deactivated this type, gave that access, changed the
-- weight, and why. One history holds all of it, as these tables are small and a question often spans several.

create table if not exists public.audience_registry_events (
  id bigint generated always as identity primary key,
  entity text not null,
  record jsonb not null,
  site_id uuid null,
  before jsonb null,
  after jsonb null,
  changed_by uuid null,
  changed_at timestamptz not null default clock_timestamp(),
  notes text null,
  actor text not null
);
create index if not exists idx_audience_registry_events_entity on public.audience_registry_events (entity, id);
create index if not exists idx_audience_registry_events_site_id on public.audience_registry_events (site_id, id);
comment on table public.audience_registry_events is
  'Every change of the registry and of the settings. Append-only: written by triggers.';
comment on column public.audience_registry_events.id is 'The order of the changes.';
comment on column public.audience_registry_events.entity is 'What was changed: event_type, rule, state, site, job …';
comment on column public.audience_registry_events.record is 'The key of the changed row.';
comment on column public.audience_registry_events.site_id is 'The site that it belongs to; null: all of them.';
comment on column public.audience_registry_events.before is 'What was otherwise before; null: there was no such row.';
comment on column public.audience_registry_events.after is 'What it is now; null: the row was removed.';
comment on column public.audience_registry_events.changed_by is 'The signed-in user who changed it; null for anything else.';
comment on column public.audience_registry_events.changed_at is 'When.';
comment on column public.audience_registry_events.notes is 'Why, as public.lifecycle_note() said.';
comment on column public.audience_registry_events.actor is 'Who: user:…, system:… or role:…; system:install is the gate itself.';

alter table public.audience_registry_events enable row level security;
revoke all on table public.audience_registry_events from public, anon, authenticated, service_role;
revoke all on sequence public.audience_registry_events_id_seq from public, anon, authenticated, service_role;
grant select on table public.audience_registry_events to authenticated, service_role;
grant select, insert on table public.audience_registry_events to audience_gate_owner;
grant update (record, before, after, changed_by, notes, actor) on table public.audience_registry_events to audience_gate_owner;
drop policy if exists audience_registry_events_gate on public.audience_registry_events;
create policy audience_registry_events_gate on public.audience_registry_events for all
  to audience_gate_owner using (true) with check (true);
-- The owners of a site see what became of it, and of what all sites share; its members, what became of its rules. Everybody
-- sees their own access.
drop policy if exists audience_registry_events_select on public.audience_registry_events;
create policy audience_registry_events_select on public.audience_registry_events for select to authenticated using (
  record ->> 'user_id' = (select audience_gate.caller_id())::text
  or entity = 'own_rule' and site_id in (select audience_gate.readable_sites())
  or exists (
    select from public.audience_site_members m
    where m.user_id = (select audience_gate.caller_id()) and m.role = 'owner'
      and (m.site_id = audience_registry_events.site_id
        or audience_registry_events.site_id is null
          and entity in ('event_type', 'rule', 'own_rule', 'state', 'blocked_jump', 'personal_words', 'job')))
);

create or replace function audience_gate.keep_registry_history()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' and current_user = 'audience_gate_owner' and audience_gate.is_erasing() then
    return null;
  end if;
  raise exception '% is append-only and written by triggers: % is not permitted', tg_table_name, lower(tg_op)
    using errcode = 'insufficient_privilege', hint = 'Change the registry itself; public.lifecycle_note() before it says why.';
end;
$$;
comment on function audience_gate.keep_registry_history() is
  'Refuses to write the history of the registry by hand; an erasure takes a person out of it.';
revoke all on function audience_gate.keep_registry_history() from public, anon, authenticated, service_role;

-- What changed, of which record. A row whose key changed is another row.
create or replace function audience_gate.write_registry_events(
  entity text, keys text[], left_out text[], old_rows jsonb, new_rows jsonb, who text
)
returns void
language sql
volatile
set search_path = ''
as $$
  insert into public.audience_registry_events (entity, record, site_id, before, after, changed_by, notes, actor)
  select
    write_registry_events.entity, c.record,
    coalesce(c.after ->> 'site_id', c.before ->> 'site_id',
      case when write_registry_events.entity = 'site' then c.record ->> 'id' end)::uuid,
    case when c.after is null then c.before else (
      select jsonb_object_agg(v.key, v.value) from jsonb_each(c.before) v where v.value is distinct from c.after -> v.key) end,
    case when c.before is null then c.after else (
      select jsonb_object_agg(v.key, v.value) from jsonb_each(c.after) v where v.value is distinct from c.before -> v.key) end,
    audience_gate.caller_id(), nullif(current_setting('audience_gate.lifecycle_notes', true), ''), who
  from (
    select record, o.content as before, n.content as after
    from (
      select (select jsonb_object_agg(k, r -> k) from unnest(keys) k) as record, r - left_out as content
      from jsonb_array_elements(old_rows) r
    ) o
    full join (
      select (select jsonb_object_agg(k, r -> k) from unnest(keys) k) as record, r - left_out as content
      from jsonb_array_elements(new_rows) r
    ) n using (record)
  ) c
  where c.before is distinct from c.after
  order by c.record
$$;
comment on function audience_gate.write_registry_events(text, text[], text[], jsonb, jsonb, text) is
  'Writes what a statement changed in a table of the registry, without the columns that are left out.';
alter function audience_gate.write_registry_events(text, text[], text[], jsonb, jsonb, text) owner to audience_gate_owner;
revoke all on function audience_gate.write_registry_events(text, text[], text[], jsonb, jsonb, text)
  from public, anon, authenticated, service_role;

create or replace function audience_gate.record_registry_change()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  old_rows jsonb := '[]';
  new_rows jsonb := '[]';
begin
  if tg_op <> 'INSERT' then
    select coalesce(jsonb_agg(to_jsonb(o)), '[]') into old_rows from old_rows o;
  end if;
  if tg_op <> 'DELETE' then
    select coalesce(jsonb_agg(to_jsonb(n)), '[]') into new_rows from new_rows n;
  end if;
  if old_rows <> new_rows then
    perform audience_gate.write_registry_events(
      tg_argv[0], tg_argv[1]::text[], tg_argv[2]::text[], old_rows, new_rows, audience_gate.lifecycle_said());
  end if;
  return null;
end;
$$;
comment on function audience_gate.record_registry_change() is
  'Records what a statement changed in a table of the registry. Arguments: what it holds, its key, the columns left out.';
alter function audience_gate.record_registry_change() owner to audience_gate_owner;
revoke all on function audience_gate.record_registry_change() from public, anon, authenticated, service_role;

-- Left out: what jobs note for themselves, and secrets.
do $$
declare
  listed record;
  rows_now jsonb;
begin
  for listed in
    select * from (values
      ('public.audience_event_types', 'event_type', '{id}', '{}'),
      ('public.audience_rules', 'rule', '{id}', '{}'),
      ('public.audience_own_rules', 'own_rule', '{id}', '{created_at,updated_at}'),
      ('public.audience_states', 'state', '{id}', '{}'),
      ('public.audience_blocked_jumps', 'blocked_jump', '{from_state,to_state}', '{}'),
      ('public.audience_personal_words', 'personal_words', '{words}', '{}'),
      ('public.audience_sites', 'site', '{id}', '{}'),
      ('public.audience_site_members', 'site_member', '{site_id,user_id}', '{}'),
      ('audience_gate.person_rules', 'person_rule', '{site_id}', '{}'),
      ('public.audience_funnels', 'funnel', '{site_id,id}', '{}'),
      ('public.audience_funnel_steps', 'funnel_step', '{site_id,funnel_id,position}', '{}'),
      ('public.audience_rate_limits', 'rate_limit', '{scope}', '{}'),
      ('public.audience_alerts', 'alert', '{id}', '{}'),
      ('public.audience_alert_destinations', 'alert_destination', '{id}', '{}'),
      ('public.audience_wall_links', 'wall_link', '{id}', '{digest}'),
      ('public.audience_saved_views', 'saved_view', '{id}', '{made_by}'),
      ('audience_gate.jobs', 'job', '{name}', '{}'),
      ('audience_gate.log_retention', 'log_retention', '{table_name}', '{}'),
      ('audience_gate.retention_rules', 'retention_rule', '{id}', '{}'),
      ('audience_gate.state_settings', 'state_settings', '{only_row}', '{}'),
      ('audience_gate.analytics_settings', 'analytics_settings', '{only_row}', '{covered_until}'),
      ('audience_gate.site_zones', 'time_zone', '{site_id,time_zone}', '{id,covered_until,terms,funnel_terms}'),
      ('audience_gate.lifecycles', 'lifecycle', '{tracked,stage_column}', '{}'),
      ('audience_gate.lifecycle_transitions', 'lifecycle_transition', '{id}', '{}'),
      ('audience_gate.install_secrets', 'secret', '{name}', '{inner_pad,outer_pad}')
    ) as t (table_name, entity, keys, left_out)
  loop
    if not exists (select from public.audience_registry_events e where e.entity = listed.entity) then
      execute format('select coalesce(jsonb_agg(to_jsonb(t)), ''[]'') from %s t', listed.table_name) into rows_now;
      if rows_now <> '[]' then
        perform audience_gate.write_registry_events(
          listed.entity, listed.keys::text[], listed.left_out::text[], '[]', rows_now, 'system:install');
      end if;
    end if;
    execute format('create or replace trigger trg_zz_record_insert after insert on %s referencing new table as new_rows
      for each statement execute function audience_gate.record_registry_change(%L, %L, %L)',
      listed.table_name, listed.entity, listed.keys, listed.left_out);
    execute format('create or replace trigger trg_zz_record_update after update on %s
      referencing old table as old_rows new table as new_rows
      for each statement execute function audience_gate.record_registry_change(%L, %L, %L)',
      listed.table_name, listed.entity, listed.keys, listed.left_out);
    execute format('create or replace trigger trg_zz_record_delete after delete on %s referencing old table as old_rows
      for each statement execute function audience_gate.record_registry_change(%L, %L, %L)',
      listed.table_name, listed.entity, listed.keys, listed.left_out);
  end loop;
end $$;

drop trigger if exists trg_append_only on public.audience_registry_events;
create trigger trg_append_only before update or delete or truncate on public.audience_registry_events
for each statement execute function audience_gate.keep_registry_history();
drop trigger if exists trg_written_by_trigger on public.audience_registry_events;
create trigger trg_written_by_trigger before insert on public.audience_registry_events
for each statement when (not (current_user = 'audience_gate_owner' and pg_trigger_depth() > 0))
execute function audience_gate.keep_registry_history();

create or replace function public.audience_registry_history(entity text default null, record text default null)
returns table (
  entity_changed text, record_changed jsonb, before jsonb, after jsonb, actor text, changed_by uuid,
  changed_at timestamptz, notes text
)
language sql
stable
set search_path = ''
as $$
  select e.entity, e.record, e.before, e.after, e.actor, e.changed_by, e.changed_at, e.notes
  from public.audience_registry_events e
  where (audience_registry_history.entity is null or e.entity = audience_registry_history.entity)
    and (audience_registry_history.record is null
      or exists (select from jsonb_each_text(e.record) k where k.value = audience_registry_history.record))
  order by e.id
$$;
comment on function public.audience_registry_history(text, text) is
  'Who changed what in the registry, oldest first: of one kind (event_type, rule, site_member, job …), and of one record, '
  'which any part of its key names. As far as the caller may see it.';
revoke all on function public.audience_registry_history(text, text) from public, anon, authenticated, service_role;
grant execute on function public.audience_registry_history(text, text) to authenticated, service_role;
