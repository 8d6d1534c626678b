-- How long what tells a person is kept, by the type of an event and its age: rules as rows, and a job that does what they say,
-- as an erasure does it, with the same proofs.
--
-- What was said can go row by row. Who said it goes when the last of what a person did has passed its age, and then from all
-- of it: a name that stayed in newer rows would lead back to the older ones, and somebody with two names would count twice.

create table if not exists audience_gate.retention_rules (
  id text primary key,
  event_type text null,
  event_category text null,
  age interval not null,
  action text not null,
  note text null,
  active boolean not null default true,
  constraint retention_rules_id_chk check (id ~ '^[a-z][a-z0-9_-]{0,62}$'),
  constraint retention_rules_events_chk check (num_nonnulls(event_type, event_category) <= 1),
  constraint retention_rules_age_chk check (age >= interval '1 day' and isfinite(age)),
  constraint retention_rules_action_chk check (action in ('values', 'person')),
  constraint retention_rules_person_chk check (action = 'values' or num_nonnulls(event_type, event_category) = 0),
  constraint retention_rules_note_chk check (length(note) <= 1000)
);
comment on table audience_gate.retention_rules is
  'How long what tells a person is kept. The job apply_retention does what these rows say, once it is made active.';
comment on column audience_gate.retention_rules.id is 'Names the rule in what it did.';
comment on column audience_gate.retention_rules.event_type is 'Only events of this type; null: of the category, or all.';
comment on column audience_gate.retention_rules.event_category is 'Only events of this category; null: of the type, or all.';
comment on column audience_gate.retention_rules.age is 'How long after it was recorded.';
comment on column audience_gate.retention_rules.action is
  'values: what was said is taken out of each event that is older, and whose it is stays. person: whoever has done nothing for '
  'that long is erased, from everything; this is for all events.';
comment on column audience_gate.retention_rules.note is 'Why, in words that name nobody.';
comment on column audience_gate.retention_rules.active is 'False: the rule does nothing.';

create table if not exists audience_gate.retention_progress (
  rule_id text primary key references audience_gate.retention_rules (id) on delete cascade,
  terms text not null,
  begun_at timestamptz not null default now(),
  done_until timestamptz not null default '-infinity'
);
comment on table audience_gate.retention_progress is 'How far each rule of retention has come.';
comment on column audience_gate.retention_progress.rule_id is 'The rule.';
comment on column audience_gate.retention_progress.terms is 'What the rule said: another one begins anew.';
comment on column audience_gate.retention_progress.begun_at is
  'When it began with the oldest event. It does again after a week, because months come back from archives, and history is loaded.';
comment on column audience_gate.retention_progress.done_until is 'Up to when the events were recorded that it has been through.';

do $$
declare
  kept text;
begin
  foreach kept in array array['retention_rules', 'retention_progress'] loop
    execute format('alter table audience_gate.%I enable row level security', kept);
    execute format('revoke all on table audience_gate.%I from public, anon, authenticated, service_role', kept);
    execute format('grant select on table audience_gate.%I to audience_gate_owner', kept);
    execute format('drop policy if exists %I on audience_gate.%I', kept || '_gate', kept);
    execute format('create policy %I on audience_gate.%I to audience_gate_owner using (true) with check (true)', kept || '_gate', kept);
  end loop;
end $$;
grant insert, update on table audience_gate.retention_progress to audience_gate_owner;

create or replace function audience_gate.retain_values(rule audience_gate.retention_rules, erasure uuid, since timestamptz, most integer)
returns table (events bigint, reached timestamptz)
language plpgsql
volatile
set search_path = ''
set jit = off
as $$
declare
  declared constant jsonb := audience_gate.declared_keys();
  remaining constant jsonb := to_jsonb(audience_gate.remaining_keys());
  found uuid[];
  scope jsonb;
  log regclass;
  changed bigint;
  newest timestamptz;
begin
  execute format(
    'select array(select t.id from (%s) t where t.had_words or t.metadata <> t.former_metadata limit $8)',
    audience_gate.remains(
      $source$ audience_gate.people_recorded e
        where e.created_at >= $4 and e.created_at < $5 and ($6 is null or e.event_type = $6) and ($7 is null or e.event_category = $7)
        order by e.created_at $source$,
      'e.user_id', 'e.session_id', 'true', ''''''))
  into found
  using erasure, declared, remaining, since, now() - rule.age, rule.event_type, rule.event_category, most;
  scope := audience_gate.take_figures(found);
  foreach log in array array['public.audience_events', 'audience_gate.kept_events']::regclass[] loop
    execute audience_gate.erasing(
      log, format(' unnest($4) f (id) join %s e on e.id = f.id ', log), 'e.user_id', 'e.session_id', 'true', '''''')
    into changed, newest
    using erasure, declared, remaining, found;
    events := coalesce(events, 0) + changed;
    reached := greatest(reached, newest);
  end loop;
  perform audience_gate.put_figures(found, scope);
  return next;
end;
$$;
comment on function audience_gate.retain_values(audience_gate.retention_rules, uuid, timestamptz, integer) is
  'Takes what was said out of up to so many of the events that a rule is about, the oldest first.';

-- Whom the gate itself has placed or let in is not gone, however long they have done nothing. What an erasure has left of
-- somebody is nobody's.
create or replace function audience_gate.silent_people(
  since timestamptz, until timestamptz, most integer, out users uuid[], out sessions text[], out reached timestamptz, out looked bigint
)
language plpgsql
stable
set search_path = ''
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
  with old as materialized (
    select e.id, e.user_id, e.session_id, e.created_at, e.erased from audience_gate.people_recorded e
    where e.created_at >= since and e.created_at < until
    order by e.created_at
    fetch first most rows with ties
  ), named as materialized (
    select o.user_id, o.session_id from old o
    where not o.erased and not exists (
      select from audience_gate.erased_rows r join audience_gate.erasures w on w.id = r.erasure_id
      where r.event_id = o.id and r.salt is not null and w.keep <> 'person')
  )
  select
    array(
      select n.user_id from (select distinct d.user_id from named d where d.user_id is not null) n
      where not exists (select from audience_gate.people_recorded e where e.user_id = n.user_id and e.created_at >= until)
        and not exists (select from public.audience_site_members m where m.user_id = n.user_id)),
    array(
      select n.session_id from (select distinct d.session_id from named d where d.user_id is null) n
      where not exists (
        select from audience_gate.people_recorded e
        where e.session_id = n.session_id and (e.created_at >= until or e.user_id is not null))),
    (select max(o.created_at) from old o),
    (select count(*) from old o)
  into users, sessions, reached, looked;
end;
$$;
comment on function audience_gate.silent_people(timestamptz, timestamptz, integer) is
  'Of the events that were recorded between two times, up to about so many: the users, and the sessions in which nobody was '
  'signed in, of whom nothing was recorded since.';

create or replace function audience_gate.begin_retention(rule audience_gate.retention_rules)
returns uuid
language sql
volatile
set search_path = ''
as $$
  insert into audience_gate.erasures (subject_kind, keep, reason, erased_by, tombstone)
  values ('age', case rule.action when 'person' then 'pseudonym' else 'person' end, 'retention rule ' || rule.id,
    'role:' || audience_gate.actor(), audience_gate.tombstone('age', rule.id))
  returning id
$$;
comment on function audience_gate.begin_retention(audience_gate.retention_rules) is 'Records that a rule of retention takes something out.';

create or replace function audience_gate.retain_batch(rule audience_gate.retention_rules, since timestamptz, most integer, ends timestamptz)
returns table (events bigint, people bigint, reached timestamptz)
language plpgsql
volatile
set search_path = ''
as $$
declare
  until constant timestamptz := now() - rule.age;
  silent record;
  member uuid;
  erasure uuid;
  log regclass;
begin
  people := 0;
  if rule.action = 'values' then
    -- What changes nothing is not recorded.
    begin
      erasure := audience_gate.begin_retention(rule);
      select r.events, r.reached into events, reached from audience_gate.retain_values(rule, erasure, since, most) r;
      if events = 0 then
        raise no_data_found;
      end if;
    exception when no_data_found then
      erasure := null;
    end;
    if events < most then
      reached := until;
    end if;
  else
    select * into silent from audience_gate.silent_people(since, until, most);
    events := 0;
    reached := case when silent.looked < most then until else silent.reached + interval '1 microsecond' end;
    foreach member in array silent.users loop
      -- Whoever was not reached is found again.
      if clock_timestamp() > ends then
        reached := since;
        exit;
      end if;
      events := events + (audience_gate.erase_subject('user_id', member::text, 'retention rule ' || rule.id) ->> 'events')::bigint;
      people := people + 1;
    end loop;
    if silent.sessions <> '{}' then
      erasure := audience_gate.begin_retention(rule);
      for log in select audience_gate.event_tables() loop
        events := events + audience_gate.erase_from(
          log, erasure, 'age', '', silent.sessions, null, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
      end loop;
      update public.audience_observations o set sample = null
      where o.sample is not null and o.sample ->> 'session_id' = any (silent.sessions);
      people := people + cardinality(silent.sessions);
    end if;
  end if;
  if erasure is not null then
    perform audience_gate.seal_erasure(erasure);
  end if;
  return next;
end;
$$;
comment on function audience_gate.retain_batch(audience_gate.retention_rules, timestamptz, integer, timestamptz) is
  'Does the next part of what a rule of retention says. Says how many events and people it changed, and how far it came.';

create or replace function audience_gate.apply_retention(settings jsonb default '{}')
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  most constant integer := coalesce((settings ->> 'batch_size')::integer, 5000);
  ends constant timestamptz := clock_timestamp() + coalesce((settings ->> 'max_seconds')::numeric, 60) * interval '1 second';
  rule audience_gate.retention_rules;
  part record;
  since timestamptz;
  events bigint;
  people bigint;
  is_done boolean;
  answer jsonb := jsonb '{}';
begin
  if to_regclass('audience_gate_standby.audience_events') is not null then
    return jsonb_build_object('waits_for', 'the move of the event log');
  end if;
  -- In the order of erase_subject().
  perform pg_advisory_xact_lock(hashtextextended('audience_gate.' || lock, 0))
  from unnest(array['derive_states', 'replay', 'seal_rows', 'refresh_analytics']) lock;
  for rule in select * from audience_gate.retention_rules r where r.active order by r.id loop
    insert into audience_gate.retention_progress as p (rule_id, terms) values (rule.id, md5(to_jsonb(rule)::text))
    on conflict (rule_id) do update set terms = excluded.terms, begun_at = now(), done_until = '-infinity'
    where p.terms <> excluded.terms or p.begun_at < now() - interval '7 days';
    select p.done_until into since from audience_gate.retention_progress p where p.rule_id = rule.id;
    events := 0;
    people := 0;
    is_done := false;
    while not is_done and clock_timestamp() < ends loop
      select * into part from audience_gate.retain_batch(rule, since, most, ends);
      events := events + part.events;
      people := people + part.people;
      since := greatest(since, part.reached);
      is_done := since >= now() - rule.age;
    end loop;
    update audience_gate.retention_progress p set done_until = since where p.rule_id = rule.id;
    answer := answer || jsonb_build_object(rule.id, jsonb_build_object('events', events, 'people', people, 'done', is_done));
  end loop;
  return answer;
end;
$$;
comment on function audience_gate.apply_retention(jsonb) is
  'Does what the rules of retention say, batch_size events at a time and for about max_seconds; the next run goes on: the job '
  'apply_retention. Says of each rule how many events and people it changed, and whether it is done.';

insert into audience_gate.jobs (name, description, schedule, action, settings, active)
values ('apply_retention', 'Does what audience_gate.retention_rules says; off until it is made active.', '23 2 * * *',
  'apply_retention', '{"batch_size": 5000, "max_seconds": 60}', false)
on conflict do nothing;

do $$
declare
  made text;
begin
  foreach made in array array[
    'retain_values(audience_gate.retention_rules, uuid, timestamptz, integer)',
    'silent_people(timestamptz, timestamptz, integer)', 'begin_retention(audience_gate.retention_rules)',
    'retain_batch(audience_gate.retention_rules, timestamptz, integer, timestamptz)', 'apply_retention(jsonb)'
  ] loop
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
    execute format('grant execute on function audience_gate.%s to audience_gate_owner', made);
  end loop;
end $$;
alter function audience_gate.apply_retention(jsonb) owner to audience_gate_owner;
