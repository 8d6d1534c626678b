-- A person is erased: what tells them is taken out of every row, and the rows stay, so that every figure does. What is
-- left of them belongs to a pseudonym that is made at random and remembered nowhere.

create or replace function audience_gate.erasing(
  log regclass, source text, user_id text, session_id text, is_theirs text, mark text
)
returns text
language sql
immutable
set search_path = ''
as $$
  select format(case log when 'audience_gate.kept_events'::regclass then $query$
    with target as materialized (
      %2$s
    ), changed as (
      update %1$s e
      set user_id = t.user_id, session_id = t.session_id, utm_content = t.utm_content, utm_term = t.utm_term, metadata = t.metadata,
        erased = e.erased or (t.user_id, t.session_id) is distinct from (e.user_id, e.session_id)
      from target t
      where e.id = t.id
      returning e.created_at
    )
    select count(*), max(c.created_at) from changed c
  $query$ else $query$
    with target as materialized (
      %2$s
    ), freed as (
      update audience_gate.erased_rows r set salt = null from target t where r.event_id = t.id and r.salt is not null
      returning r.event_id
    ), unsealed as (
      update audience_gate.leaf l
      set salt = null, commitment = audience_gate.event_commitment(
        l.salt, t.former_user_id, t.former_session_id, t.utm_source, t.utm_medium, t.utm_campaign, t.former_content, t.former_term,
        t.occurred_at, t.former_metadata)
      from target t
      where l.event_id = t.id and l.salt is not null
    ), listed as (
      insert into audience_gate.erased_rows (erasure_id, event_id, sent_id, salt, commitment)
      select $1, t.id, t.sent_id, t.salt, audience_gate.event_commitment(
        t.salt, t.user_id, t.session_id, t.utm_source, t.utm_medium, t.utm_campaign, t.utm_content, t.utm_term, t.occurred_at,
        t.metadata)
      from target t
      where (select count(*) from freed) >= 0
    ), changed as (
      update %1$s e
      set user_id = t.user_id, session_id = t.session_id, utm_content = t.utm_content, utm_term = t.utm_term, metadata = t.metadata
      from target t
      where e.id = t.id and e.created_at = t.created_at
      returning e.created_at
    )
    select count(*), max(c.created_at) from changed c
  $query$ end, log, audience_gate.remains(source, user_id, session_id, is_theirs, mark))
$$;
comment on function audience_gate.erasing(regclass, text, text, text, text, text) is
  'The statement that leaves of rows of a table of events what remains() says. Its arguments are those of remains(), and the '
  'erasure ($1). It says how many rows that were, and when the last of them was recorded.';

create or replace function audience_gate.declared_keys()
returns jsonb
language sql
stable
set search_path = ''
as $$
  select coalesce(jsonb_object_agg(d.id, to_jsonb(audience_gate.remaining_keys()) || d.keys), '{}')
  from (
    select t.id, jsonb_agg(p.key) as keys
    from public.audience_event_types t
    cross join lateral jsonb_each(case jsonb_typeof(t.payload_schema -> 'properties') when 'object'
      then t.payload_schema -> 'properties' else '{}' end) p
    where p.value -> 'personal' = 'false'
    group by t.id
  ) d
$$;
comment on function audience_gate.declared_keys() is
  'The keys that an erasure leaves, of each event type whose payload schema says that some of its own are not personal.';

create or replace function audience_gate.erase_events(
  log regclass, erasure uuid, events uuid[], subject text, sessions text[], pseudonym uuid, secret bytea
)
returns bigint
language plpgsql
volatile
set search_path = ''
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  work constant audience_gate.erasures := (select e from audience_gate.erasures e where e.id = erasure);
  erased bigint;
begin
  execute audience_gate.erasing(
    log,
    format($source$ unnest($7) f (id)
      join %1$s e on e.id = f.id
      cross join lateral (select coalesce(e.user_id = $4, false) or e.session_id = any ($10) as is_theirs) x $source$, log),
    $sql$case when e.user_id = $4 then case $6 when 'pseudonym' then $5 end else e.user_id end$sql$,
    $sql$case when e.session_id = any ($10) or x.is_theirs and $6 = 'nothing' then 'erased-' || encode(sha256($11 || convert_to(
        case $6 when 'pseudonym' then e.session_id else audience_gate.day_number(coalesce(e.occurred_at, e.created_at)) end,
        'UTF8')), 'hex') else e.session_id end$sql$,
    'x.is_theirs', '$8')
  into erased
  using erasure, audience_gate.declared_keys(), to_jsonb(audience_gate.remaining_keys()),
    case when work.subject_kind = 'user_id' then subject::uuid end, pseudonym, work.keep, events,
    -- A session may be called like anything else that an event says.
    case when work.subject_kind in ('session_id', 'age') then '' else subject end, subject, sessions, secret;
  return erased;
end;
$$;
comment on function audience_gate.erase_events(regclass, uuid, uuid[], text, text[], uuid, bytea) is
  'Takes a person out of one table of events, of which these are theirs or quote them: what is theirs keeps what figures and '
  'states are made of; an audit row that quotes them loses what was quoted. Says how many rows that were.';

create or replace function audience_gate.erase_changes(erasure uuid, person uuid, pseudonym uuid)
returns bigint
language plpgsql
volatile
set search_path = ''
set jit = off
as $$
declare
  keep constant text := (select e.keep from audience_gate.erasures e where e.id = erasure);
  actor_name constant text := 'user:' || person;
  erased bigint;
begin
  with target as materialized (
    select h.id, uuid_send(gen_random_uuid()) as salt,
      case when h.user_id = person then pseudonym else h.user_id end as user_id,
      case when h.changed_by = actor_name then 'user:' || case keep when 'pseudonym' then pseudonym::text else 'erased' end
        else h.changed_by end as changed_by,
      case when h.user_id <> person or keep = 'pseudonym' then h.event_id end as event_id,
      h.user_id as former_user_id, h.changed_by as former_changed_by, h.notes as former_notes, h.event_id as former_event_id
    from public.audience_state_events h
    where h.user_id = person or h.changed_by = actor_name
  ), freed as (
    update audience_gate.erased_rows r set salt = null from target t where r.change_id = t.id and r.salt is not null
    returning r.change_id
  ), unsealed as (
    update audience_gate.leaf l
    set salt = null, commitment = audience_gate.change_commitment(
      l.salt, t.former_user_id, t.former_changed_by, t.former_notes, t.former_event_id)
    from target t
    where l.change_id = t.id and l.salt is not null
  ), listed as (
    insert into audience_gate.erased_rows (erasure_id, change_id, salt, commitment)
    select erasure, t.id, t.salt, audience_gate.change_commitment(t.salt, t.user_id, t.changed_by, null, t.event_id)
    from target t
    where (select count(*) from freed) >= 0
  )
  update public.audience_state_events h
  set user_id = t.user_id, changed_by = t.changed_by, notes = null, event_id = t.event_id
  from target t
  where h.id = t.id;
  get diagnostics erased = row_count;
  return erased;
end;
$$;
comment on function audience_gate.erase_changes(uuid, uuid, uuid) is
  'Takes a person out of the history of states, as whom it is about and as who made it.';

create or replace function audience_gate.erase_traces(person uuid, pseudonym uuid, keep text)
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
  actor_name constant text := 'user:' || person;
  left_name constant text := case keep when 'pseudonym' then pseudonym::text else 'erased' end;
  stand_in constant text := 'user:' || left_name;
  lifecycle record;
  states bigint;
  memberships bigint;
  moves bigint := 0;
  found bigint;
begin
  update public.audience_site_state s set user_id = pseudonym where s.user_id = person;
  get diagnostics states = row_count;
  update public.audience_state s set user_id = pseudonym, metadata = '{}' where s.user_id = person;
  if keep = 'pseudonym' then
    update audience_gate.state_pending p set user_id = pseudonym where p.user_id = person;
  end if;
  delete from audience_gate.state_pending p where p.user_id = person;
  delete from audience_gate.state_failures f where f.user_id = person;
  delete from public.audience_site_members m where m.user_id = person;
  get diagnostics memberships = row_count;
  update public.audience_saved_views v set made_by = null where v.made_by = person;
  update public.audience_event_replays r set replayed_by = stand_in where r.replayed_by = actor_name;
  update audience_gate.legacy_judgements j set judged_by = stand_in where j.judged_by = actor_name;
  update public.audience_registry_events e
  set record = replace(e.record::text, person::text, left_name)::jsonb,
    before = replace(e.before::text, person::text, left_name)::jsonb,
    after = replace(e.after::text, person::text, left_name)::jsonb,
    changed_by = nullif(e.changed_by, person), notes = null,
    actor = case when e.actor = actor_name then stand_in else e.actor end
  where e.changed_by = person or e.record ->> 'user_id' = person::text;
  update public.audience_own_rule_events o set actor = stand_in where o.actor in (actor_name, person::text);
  update audience_gate.job_runs r set result = replace(r.result::text, person::text, '[erased]')::jsonb
  where position(person::text in r.result::text) > 0;
  for lifecycle in
    select l.events, l.entity_column from audience_gate.lifecycles l
    where exists (select from pg_catalog.pg_class c where c.oid = l.events)
  loop
    execute format('update %s set changed_by = null, notes = null, actor = $2 where changed_by = $1', lifecycle.events)
    using person, stand_in;
    get diagnostics found = row_count;
    moves := moves + found;
    execute format('update %s set notes = null where %I::text = $1 and notes is not null', lifecycle.events, lifecycle.entity_column)
    using person::text;
  end loop;
  return jsonb_build_object('states', states, 'memberships', memberships, 'lifecycle_events', moves);
end;
$$;
comment on function audience_gate.erase_traces(uuid, uuid, text) is
  'Takes a signed-in person out of everything but events and the history of states.';

-- As the owner of the gate, because the triggers of what nobody can edit let nobody else pass. The locks are those of
-- whatever else writes what is written here, so that none of it puts the person back.
create or replace function audience_gate.erase_subject(
  subject_kind text, subject text, reason text, keep text default 'pseudonym'
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  known constant text := audience_gate.known_subject(subject_kind, subject);
  person constant uuid := case when subject_kind = 'user_id' then known::uuid end;
  pseudonym constant uuid := gen_random_uuid();
  secret constant bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  erasure uuid;
  log regclass;
  sessions text[] := array[]::text[];
  events bigint := 0;
  done jsonb;
begin
  if keep is null or keep not in ('pseudonym', 'nothing') then
    raise exception 'keep is pseudonym or nothing' using errcode = 'invalid_parameter_value';
  elsif coalesce(reason, '') = '' then
    raise exception 'the reason is missing' using errcode = 'invalid_parameter_value',
      hint = 'Say why, such as the number of the request, and name nobody.';
  elsif to_regclass('audience_gate_standby.audience_events') is not null then
    raise exception 'the event log is being moved' using errcode = 'object_not_in_prerequisite_state',
      hint = 'end the move first: select audience_gate.drop_standby()';
  end if;
  perform audience_gate.refuse_personal_note(reason);
  if position(known in lower(reason)) > 0 then
    raise exception 'the reason names the person' using errcode = 'invalid_parameter_value', hint = 'Name nobody in it.';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('audience_gate.' || lock, 0))
  from unnest(array['derive_states', 'replay', 'seal_rows', 'refresh_analytics']) lock;

  insert into audience_gate.erasures (subject_kind, keep, reason, erased_by, tombstone)
  values (subject_kind, keep, reason, 'role:' || audience_gate.actor(), audience_gate.tombstone(subject_kind, known))
  returning id into erasure;
  for log in select audience_gate.tables_of_people() loop
    sessions := sessions || audience_gate.subject_sessions(log, subject_kind, known);
  end loop;
  for log in select audience_gate.event_tables() loop
    events := events + audience_gate.erase_from(log, erasure, subject_kind, known, sessions, pseudonym, secret);
  end loop;
  update public.audience_observations o set sample = null
  where o.sample is not null and (o.sample ->> 'session_id' = any (sessions)
    or subject_kind <> 'session_id' and position(known in o.sample::text) > 0);
  delete from audience_gate.releases r
  where subject_kind in ('user_id', 'email_hash') and position(known in lower(r.sender || ' ' || r.release)) > 0;
  done := jsonb_build_object('erasure', erasure, 'events', events);
  if person is not null then
    done := done || jsonb_build_object('state_changes', audience_gate.erase_changes(erasure, person, pseudonym))
      || audience_gate.erase_traces(person, pseudonym, keep);
  end if;
  perform audience_gate.seal_erasure(erasure);
  return done;
end;
$$;
comment on function audience_gate.erase_subject(text, text, text, text) is
  'Erases a person, known as user_id, session_id or email_hash: what tells them is taken out of every table, what figures '
  'are made of stays under a random pseudonym, or with keep => nothing under another one each day. Recorded without the '
  'person. For the owner of the database alone.';

do $$
declare
  made text;
begin
  foreach made in array array[
    'erasing(regclass, text, text, text, text, text)', 'declared_keys()',
    'erase_events(regclass, uuid, uuid[], text, text[], uuid, bytea)', 'erase_changes(uuid, uuid, uuid)',
    'erase_traces(uuid, uuid, text)'
  ] loop
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
    execute format('grant execute on function audience_gate.%s to audience_gate_owner', made);
  end loop;
end $$;
alter function audience_gate.erase_subject(text, text, text, text) owner to audience_gate_owner;
revoke all on function audience_gate.erase_subject(text, text, text, text) from public, anon, authenticated, service_role;
