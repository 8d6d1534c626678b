-- Everything that is held of a person, with what each column means: what a controller answers a request for access with.

create or replace function audience_gate.held_rows(source regclass, condition text, hidden text[], subject text, sessions text[])
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  held jsonb;
begin
  execute format('select jsonb_agg(to_jsonb(t) - $1) from %s t where %s', source, condition)
  into held
  using hidden, subject, sessions;
  return (
    select jsonb_build_array(jsonb_build_object(
      'table', source::text,
      'meaning', obj_description(source, 'pg_class'),
      'columns', jsonb_agg(jsonb_build_object('name', a.attname, 'meaning', col_description(source, a.attnum)) order by a.attnum),
      'rows', held))
    from pg_catalog.pg_attribute a
    where a.attrelid = source and a.attnum > 0 and not a.attisdropped and a.attname <> all (hidden) and held is not null
    having held is not null
  );
end;
$$;
comment on function audience_gate.held_rows(regclass, text, text[], text, text[]) is
  'The rows of a table that meet a condition on subject ($2) and sessions ($3), without hidden columns, and what the others '
  'mean; null if there are none.';

create or replace function audience_gate.held_of_user(person text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  place record;
  held jsonb := jsonb_build_array();
begin
  for place in
    -- What somebody did to others is shown without those others.
    select * from (values
      ('public.audience_state', 't.user_id = $2::uuid', array[]::text[]),
      ('public.audience_site_state', 't.user_id = $2::uuid', array[]::text[]),
      ('public.audience_state_events', 't.user_id = $2::uuid', array[]::text[]),
      ('public.audience_state_events', 't.changed_by = ''user:'' || $2 and t.user_id <> $2::uuid', array['user_id', 'event_id']),
      ('public.audience_site_members', 't.user_id = $2::uuid', array[]::text[]),
      ('public.audience_saved_views', 't.made_by = $2::uuid', array[]::text[]),
      ('public.audience_registry_events', 't.record ->> ''user_id'' = $2', array['changed_by', 'actor']),
      ('public.audience_registry_events', 't.changed_by = $2::uuid and t.record ->> ''user_id'' is distinct from $2',
        array['record', 'before', 'after']),
      ('public.audience_event_replays', 't.replayed_by = ''user:'' || $2', array[]::text[]),
      ('public.audience_own_rule_events', 't.actor in ($2, ''user:'' || $2)', array[]::text[]),
      ('audience_gate.legacy_judgements', 't.judged_by = ''user:'' || $2', array[]::text[]),
      ('audience_gate.state_pending', 't.user_id = $2::uuid', array[]::text[]),
      ('audience_gate.state_failures', 't.user_id = $2::uuid', array[]::text[]),
      ('audience_gate.job_runs', 'position($2 in t.result::text) > 0', array['result'])
    ) as listed (source, condition, hidden)
    union all
    select l.events::text, 't.changed_by = $2::uuid', array[l.entity_column]
    from audience_gate.lifecycles l
    where exists (select from pg_catalog.pg_class c where c.oid = l.events)
  loop
    held := held || coalesce(
      audience_gate.held_rows(place.source::regclass, place.condition, place.hidden, person, array[]::text[]), '[]');
  end loop;
  return held;
end;
$$;
comment on function audience_gate.held_of_user(text) is 'What is held of a signed-in user besides events.';

create or replace function audience_gate.export_subject(subject_kind text, subject text)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
declare
  known constant text := audience_gate.known_subject(subject_kind, subject);
  theirs constant text := case subject_kind
    when 'user_id' then 't.user_id = $2::uuid or t.user_id is null and t.session_id = any ($3)'
    when 'session_id' then 't.session_id = $2'
    else 't.metadata ->> ''email_hash'' = $2 or t.user_id is null and t.session_id = any ($3)' end;
  log regclass;
  sessions text[] := array[]::text[];
  held jsonb := jsonb_build_array();
begin
  for log in select audience_gate.tables_of_people() loop
    sessions := sessions || audience_gate.subject_sessions(log, subject_kind, known);
  end loop;
  for log in select audience_gate.tables_of_people() loop
    held := held || coalesce(audience_gate.held_rows(log, theirs, array[]::text[], known, sessions), '[]');
  end loop;
  held := held || coalesce(audience_gate.held_rows('public.audience_observations',
    't.sample is not null and (t.sample ->> ''session_id'' = any ($3) or t.sample ->> ''user_id'' = $2
      or t.sample #>> ''{metadata,email_hash}'' = $2)', array[]::text[], known, sessions), '[]');
  if subject_kind = 'user_id' then
    held := held || audience_gate.held_of_user(known);
  end if;
  return jsonb_build_object(
    'kind', subject_kind,
    'exported_at', now(),
    -- By what else the person is known: ask for each of them too.
    'also_known_as', (
      select jsonb_build_object(
        'user_id', coalesce(jsonb_agg(distinct e.row -> 'user_id') filter (where e.row ->> 'user_id' <> known), '[]'),
        'session_id', coalesce(jsonb_agg(distinct e.row -> 'session_id') filter (where e.row ->> 'session_id' <> known), '[]'),
        'email_hash', coalesce(jsonb_agg(distinct e.row #> '{metadata,email_hash}')
          filter (where e.row #>> '{metadata,email_hash}' <> known), '[]'))
      from jsonb_path_query(held, '$[*] ? (@.columns[*].name == "event_type").rows[*] ? (@.rejected == false)') e (row)
    ),
    'tables', held);
end;
$$;
comment on function audience_gate.export_subject(text, text) is
  'Everything that is held of a person, known as user_id, session_id or email_hash: the rows of every table, and what each '
  'column means. For the owner of the database alone.';

do $$
declare
  made text;
begin
  foreach made in array array[
    'held_rows(regclass, text, text[], text, text[])', 'held_of_user(text)', 'export_subject(text, text)'
  ] loop
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
    execute format('grant execute on function audience_gate.%s to audience_gate_owner', made);
  end loop;
end $$;
alter function audience_gate.export_subject(text, text) owner to audience_gate_owner;
