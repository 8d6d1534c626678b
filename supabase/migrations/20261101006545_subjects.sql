-- Who a person is to the gate, and which rows are theirs: a signed-in user, a session, or the hash of an address.

create or replace function audience_gate.known_subject(subject_kind text, subject text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  written constant text := case when subject_kind = 'session_id' then subject else lower(subject) end;
begin
  if subject_kind is null or subject_kind not in ('user_id', 'session_id', 'email_hash') then
    raise exception 'a subject is known as user_id, session_id or email_hash' using errcode = 'invalid_parameter_value';
  elsif written is null or written !~ (case subject_kind
    when 'user_id' then '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
    when 'email_hash' then '^[0-9a-f]+$' else '.' end)
    -- Part of a hash would be found in the events of others.
    or subject_kind = 'email_hash' and octet_length(decode(written, 'hex')) <> octet_length(sha256(''))
  then
    raise exception 'the subject is not a %', subject_kind using errcode = 'invalid_parameter_value',
      hint = 'A user_id is a UUID, and an email_hash hexadecimal, as the events have it.';
  end if;
  return written;
end;
$$;
comment on function audience_gate.known_subject(text, text) is
  'A subject as the tables write it. Refuses what none can be, without repeating it.';

create or replace function audience_gate.event_tables()
returns setof regclass
language sql
stable
set search_path = ''
as $$
  select 'public.audience_events'::regclass
  union all
  select c.oid::regclass
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'audience_gate_partitions' and c.relkind = 'r' and c.relname like 'audience\_events\_%\_detached'
$$;
comment on function audience_gate.event_tables() is 'The event log, and the months that were detached from it and kept.';

create or replace function audience_gate.tables_of_people()
returns setof regclass
language sql
stable
set search_path = ''
as $$
  select audience_gate.event_tables()
  union all
  select 'audience_gate.kept_events'::regclass
$$;
comment on function audience_gate.tables_of_people() is 'event_tables(), and what figures need of detached months.';

-- A session in which somebody else was signed in as well is not theirs, and keeps its name, so that it counts once; nor is
-- one that the gate itself writes under.
create or replace function audience_gate.subject_sessions(log regclass, subject_kind text, subject text)
returns text[]
language plpgsql
stable
set search_path = ''
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  found text[];
begin
  if subject_kind = 'session_id' then
    return array[subject];
  end if;
  execute format($query$
    select array_agg(s.session_id)
    from (select distinct e.session_id from %1$s e where %2$s) s
    where not exists (
      select from %1$s o where o.session_id = s.session_id and o.user_id is not null and o.user_id is distinct from $2)
  $query$, log, case subject_kind
    when 'user_id' then 'e.user_id = $2'
    else 'e.user_id is null and not e.rejected and e.metadata ->> ''email_hash'' = $1' end)
  into found
  using subject, case when subject_kind = 'user_id' then subject::uuid end;
  return coalesce(found, array[]::text[]);
end;
$$;
comment on function audience_gate.subject_sessions(regclass, text, text) is
  'The sessions in which nobody but the subject was signed in: what a visitor did in them, the subject did.';

-- One of three: the rows of the person, those of their sessions, and audit rows of others that quote them. A rule of retention
-- (20261101006580_retention.sql) chooses sessions alone.
create or replace function audience_gate.subject_events(log regclass, subject_kind text, subject text, sessions text[])
returns setof uuid
language plpgsql
stable
set search_path = ''
as $$
begin
  return query execute format($query$
    %2$s
    union
    select e.id from %1$s e where e.session_id = any ($2) and ($3 = 'session_id' or e.user_id is null)
    union
    select e.id from %1$s e where e.rejected and case
      when $3 in ('session_id', 'age') then e.metadata #>> '{original_payload_snapshot,session_id}' = any ($2)
      else position($1 in lower(e.metadata::text)) > 0 end
  $query$, log, case subject_kind
    when 'user_id' then format('select e.id from %s e where e.user_id = $1::uuid', log)
    when 'email_hash' then format('select e.id from %s e where not e.rejected and position($1 in e.metadata::text) > 0', log)
    else 'select null::uuid where false' end)
  using subject, sessions, subject_kind;
end;
$$;
comment on function audience_gate.subject_events(regclass, text, text, text[]) is
  'The events that are of a person, or that quote them.';

do $$
declare
  made text;
begin
  foreach made in array array[
    'known_subject(text, text)', 'event_tables()', 'tables_of_people()', 'subject_sessions(regclass, text, text)',
    'subject_events(regclass, text, text, text[])'
  ] loop
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
    execute format('grant execute on function audience_gate.%s to audience_gate_owner', made);
  end loop;
end $$;
