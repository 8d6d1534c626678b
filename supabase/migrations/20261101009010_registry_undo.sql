-- The history of the registry, read and taken back by those who may change what it is about. Nothing here has more rights
-- than its caller.

create or replace function public.audience_registry_changes(
  site uuid, entity text default null, record text default null, before_change bigint default null, row_limit integer default 30
)
returns table (
  id bigint, entity_changed text, record_changed jsonb, before jsonb, after jsonb, actor text, changed_at timestamptz, notes text
)
language sql
stable
set search_path = ''
as $$
  select e.id, e.entity, e.record, e.before, e.after, e.actor, e.changed_at, e.notes
  from public.audience_registry_events e
  where (e.site_id = site or e.site_id is null) and e.actor <> 'system:install'
    and (audience_registry_changes.entity is null or e.entity = audience_registry_changes.entity)
    and (audience_registry_changes.record is null
      or exists (select from jsonb_each_text(e.record) k where k.value = audience_registry_changes.record))
    and (before_change is null or e.id < before_change)
  order by e.id desc
  limit least(greatest(row_limit, 1), 200)
$$;
comment on function public.audience_registry_changes(uuid, text, text, bigint, integer) is
  'What became of one site and of what all sites share, newest first and without what the install brought: of one kind, of one '
  'record, and before one change. As far as the caller may see it.';
revoke all on function public.audience_registry_changes(uuid, text, text, bigint, integer)
  from public, anon, authenticated, service_role;
grant execute on function public.audience_registry_changes(uuid, text, text, bigint, integer) to authenticated, service_role;

create or replace function public.audience_undo_registry_change(change bigint)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  e public.audience_registry_events;
  into_table text;
  -- What an owner may insert, if a removed row is put back.
  columns text[];
  -- What takes a row away that the change has made: where rows stay, it is switched off.
  unmade text;
  changed text[];
  way text;
  done bigint;
begin
  select * into e from public.audience_registry_events r where r.id = change;
  if not found then
    raise exception 'there is no such change' using errcode = 'no_data_found', hint = 'or it is not yours to see';
  end if;
  select t.into_table, t.columns, t.unmade into into_table, columns, unmade
  from (values
    ('event_type', 'public.audience_event_types', array['id', 'category', 'tier', 'score_weight', 'daily_cap', 'withdraws_consent',
      'description', 'payload_schema', 'active'], 'update %s t set active = false'),
    ('own_rule', 'public.audience_own_rules', array['id', 'category', 'event_type', 'site_id', 'schema', 'mode', 'reasons'],
      'update %s t set mode = ''off'''),
    ('state', 'public.audience_states', array['id', 'name', 'meaning', 'rank', 'min_score'], 'delete from %s t'),
    ('funnel', 'public.audience_funnels', array['site_id', 'id', 'name', 'conversion_window'], 'delete from %s t'),
    ('funnel_step', 'public.audience_funnel_steps', array['site_id', 'funnel_id', 'position', 'name', 'event_type'],
      'delete from %s t'),
    ('site', 'public.audience_sites', null, null),
    ('site_member', 'public.audience_site_members', array['site_id', 'user_id', 'role'], 'delete from %s t'),
    ('alert', 'public.audience_alerts', array['id', 'site_id', 'kind', 'source', 'threshold', 'minutes', 'active'], 'delete from %s t'),
    ('alert_destination', 'public.audience_alert_destinations', null, 'delete from %s t'),
    ('saved_view', 'public.audience_saved_views', array['site_id', 'name', 'words'], 'delete from %s t'),
    ('job', 'job', null, null)
  ) as t (entity, into_table, columns, unmade)
  where t.entity = e.entity;
  if into_table is null or e.after is null and columns is null or e.before is null and unmade is null
     or into_table = 'job' and (e.before is null or e.after is null or not e.before ? 'active') then
    raise exception 'this change cannot be taken back' using errcode = 'PT409', hint = 'make another one that says what must be';
  end if;

  perform public.lifecycle_note(format('undoes change %s', e.id));
  if into_table = 'job' then
    way := 'updated';
    perform public.audience_switch_job(e.record ->> 'name', (e.before ->> 'active')::boolean);
    done := 1;
  elsif e.before is null then
    way := 'removed';
    execute format(unmade, into_table) || ' where to_jsonb(t) @> $1' using e.record;
    get diagnostics done = row_count;
  elsif e.after is null then
    way := 'inserted';
    execute format('insert into %1$s (%2$s) select %2$s from jsonb_populate_record(null::%1$s, $1) on conflict do nothing',
      into_table, (select string_agg(format('%I', c), ', ') from unnest(columns) c where e.before ? c))
    using e.before;
    get diagnostics done = row_count;
  else
    way := 'updated';
    changed := array(select jsonb_object_keys(e.before));
    -- Only what this change had set is put back, and only while it is still so.
    execute format('update %1$s t set (%2$s) = (select %3$s from jsonb_populate_record(null::%1$s, $1) r) where to_jsonb(t) @> $2
        and (select jsonb_object_agg(k, to_jsonb(t) -> k) from unnest($3) k) = $4', into_table,
      (select string_agg(format('%I', c), ', ' order by c) from unnest(changed) c),
      (select string_agg(format('r.%I', c), ', ' order by c) from unnest(changed) c))
    using e.before, e.record, changed, e.after;
    get diagnostics done = row_count;
  end if;
  perform public.lifecycle_note(null);
  if done = 0 then
    raise exception 'it was changed again since' using errcode = 'PT409',
      hint = 'take the later change back first; or you may not change it';
  end if;
  return way;
end;
$$;
comment on function public.audience_undo_registry_change(bigint) is
  'Takes one change of the registry back by another one, which the history records as such: updated, inserted or removed. An '
  'event type or a rule that the change had made is switched off. Refused with PT409 if the row was changed since. Done as '
  'the caller, who needs the right to make the change.';
revoke all on function public.audience_undo_registry_change(bigint) from public, anon, authenticated, service_role;
grant execute on function public.audience_undo_registry_change(bigint) to authenticated, service_role;
