-- A database that is brought back from a backup has everybody who was erased since. What was erased is exported as a list that
-- names nobody, is kept elsewhere, and erases the same people again: each has left a hash under a secret of the install, and
-- whoever is in the restored database and has the same one is on the list.

create or replace function audience_gate.export_erasures(since timestamptz)
returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('subject_kind', e.subject_kind, 'keep', e.keep, 'reason', e.reason,
    'tombstone', encode(e.tombstone, 'hex')) order by e.erased_at, e.id), '[]')
  from audience_gate.erasures e
  where e.erased_at >= since and e.subject_kind <> 'age'
$$;
comment on function audience_gate.export_erasures(timestamptz) is
  'The erasures since a time, without the people, as erase_again() takes them, and without what a rule of retention chose by '
  'age, which it chooses again. Keep the list where the backups are not.';

create or replace function audience_gate.present_subjects(subject_kind text)
returns setof text
language plpgsql
stable
set search_path = ''
as $$
declare
  log regclass;
begin
  for log in select audience_gate.tables_of_people() loop
    return query execute format(case subject_kind
      when 'user_id' then 'select distinct e.user_id::text from %s e where e.user_id is not null'
      when 'session_id' then 'select distinct e.session_id from %s e'
      else $query$select distinct lower(coalesce(e.metadata ->> 'email_hash',
          e.metadata #>> '{original_payload_snapshot,metadata,email_hash}')) from %s e
        where e.metadata ? 'email_hash' or e.metadata #> '{original_payload_snapshot,metadata}' ? 'email_hash'$query$
      end, log);
  end loop;
  if subject_kind = 'user_id' then
    return query
      select h.user_id::text from public.audience_state_events h
      union select s.user_id::text from public.audience_site_state s
      union select m.user_id::text from public.audience_site_members m;
  end if;
end;
$$;
comment on function audience_gate.present_subjects(text) is 'Whoever is known in this database by this kind of id.';

create or replace function audience_gate.erase_again(list jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  work record;
  erased integer := 0;
  known integer;
begin
  if jsonb_typeof(list) is distinct from 'array' or exists (
    select from jsonb_array_elements(list) e
    where e ->> 'subject_kind' is null or e ->> 'keep' is null or e ->> 'reason' is null
      or coalesce(e ->> 'tombstone', '') !~ '^([0-9a-f]{2})+$')
  then
    raise exception 'that is no list of erasures' using errcode = 'invalid_parameter_value',
      hint = 'Give what audience_gate.export_erasures() returned.';
  end if;
  select count(distinct e ->> 'tombstone') into known from jsonb_array_elements(list) e;
  for work in
    -- Looked for before the first is erased, because pseudonyms are made meanwhile.
    with wanted as (
      select distinct on (e.item ->> 'tombstone') e.item ->> 'subject_kind' as kind, e.item ->> 'keep' as keep,
        e.item ->> 'reason' as reason, decode(e.item ->> 'tombstone', 'hex') as tombstone
      from jsonb_array_elements(list) with ordinality e (item, place)
      order by e.item ->> 'tombstone', e.place desc
    ), present as materialized (
      select k.kind, p.subject, audience_gate.tombstone(k.kind, p.subject) as tombstone
      from (select distinct w.kind from wanted w) k
      cross join lateral (select distinct s as subject from audience_gate.present_subjects(k.kind) s) p
      where p.subject is not null
    )
    select w.kind, p.subject, w.reason, w.keep from wanted w join present p on p.kind = w.kind and p.tombstone = w.tombstone
  loop
    perform audience_gate.erase_subject(work.kind, work.subject, work.reason, work.keep);
    erased := erased + 1;
  end loop;
  return jsonb_build_object('erased', erased, 'absent', known - erased);
end;
$$;
comment on function audience_gate.erase_again(jsonb) is
  'Erases whoever is on a list of export_erasures() and is in this database again, after a backup of before was restored. Says '
  'how many were erased, and of how many nothing is here. For the owner of the database alone.';

do $$
declare
  made text;
begin
  foreach made in array array['export_erasures(timestamptz)', 'present_subjects(text)', 'erase_again(jsonb)'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', made);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
  end loop;
end $$;
