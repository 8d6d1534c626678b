-- Who moves a record, and why: said before the move, and kept until the end of the transaction.

create or replace function audience_gate.refuse_personal_note(notes text)
returns void
language plpgsql
immutable
security definer
set search_path = ''
as $$
begin
  if octet_length(notes) > 2000 then
    raise exception 'the note is longer than 2000 bytes' using errcode = 'check_violation',
      hint = 'Keep the rest in a table of your own, where it can be erased.';
  elsif audience_gate.found_in(to_jsonb(notes)) & 7 <> 0 then
    raise exception 'the note holds personal data' using errcode = 'check_violation',
      hint = 'The history cannot be changed, so name no address, number or credential in it. Name the record instead.';
  end if;
end;
$$;
comment on function audience_gate.refuse_personal_note(text) is
  'Refuses a note that is too long, or that the privacy rules find something personal in.';
alter function audience_gate.refuse_personal_note(text) owner to audience_gate_owner;
revoke all on function audience_gate.refuse_personal_note(text) from public, anon, authenticated, service_role;
grant execute on function audience_gate.refuse_personal_note(text) to anon, authenticated, service_role;

create or replace function public.lifecycle_note(notes text, actor text default null)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  perform audience_gate.refuse_personal_note(notes);
  if actor is not null and not (audience_gate.is_trusted() and audience_gate.caller_id() is null) then
    raise exception 'only a job may name its actor' using errcode = 'insufficient_privilege',
      hint = 'A signed-in user is the actor of their own changes: leave actor out.';
  elsif actor !~ '^system:[a-z0-9][a-z0-9_.-]{0,62}$' then
    raise exception 'an actor is named like system:weekly-expiry' using errcode = 'check_violation',
      hint = 'Small letters, digits, dots, dashes and underscores follow "system:".';
  end if;
  perform set_config('audience_gate.lifecycle_notes', coalesce(notes, ''), true);
  perform set_config('audience_gate.lifecycle_actor', coalesce(actor, ''), true);
end;
$$;
comment on function public.lifecycle_note(text, text) is
  'Says why the changes of stage that follow in this transaction are made; a job also says who it is, such as '
  'system:weekly-expiry. Null takes it back.';
revoke all on function public.lifecycle_note(text, text) from public, anon, authenticated, service_role;
grant execute on function public.lifecycle_note(text, text) to anon, authenticated, service_role;

-- A statement may move many records: what is said of them is judged once in a transaction, and not for each of them. A
-- setting could not remember that it was judged, as everybody can write settings.
create unlogged table if not exists audience_gate.lifecycle_said (
  backend integer primary key,
  said text not null
);
comment on table audience_gate.lifecycle_said is
  'What was judged last in each session: the note and the actor that lifecycle_note() had announced.';
comment on column audience_gate.lifecycle_said.backend is 'The process of the session.';
comment on column audience_gate.lifecycle_said.said is 'A digest of transaction, role, actor and note.';
alter table audience_gate.lifecycle_said enable row level security;
revoke all on table audience_gate.lifecycle_said from public, anon, authenticated, service_role;
grant select, insert, update on table audience_gate.lifecycle_said to audience_gate_owner;
drop policy if exists lifecycle_said_gate on audience_gate.lifecycle_said;
create policy lifecycle_said_gate on audience_gate.lifecycle_said for all
  to audience_gate_owner using (true) with check (true);

create or replace function audience_gate.lifecycle_said()
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  caller uuid := audience_gate.caller_id();
  announced text := nullif(current_setting('audience_gate.lifecycle_actor', true), '');
  notes text := nullif(current_setting('audience_gate.lifecycle_notes', true), '');
  now_said text := md5(concat_ws('|', pg_current_xact_id(), session_user, current_setting('role'), announced, notes));
begin
  if not exists (
    select from audience_gate.lifecycle_said s where s.backend = pg_backend_pid() and s.said = now_said
  ) then
    perform audience_gate.refuse_personal_note(notes);
    if announced is not null and not audience_gate.is_trusted() then
      announced := null;
    else
      insert into audience_gate.lifecycle_said as s values (pg_backend_pid(), now_said)
      on conflict (backend) do update set said = excluded.said;
    end if;
  end if;
  return coalesce('user:' || caller, announced, 'role:' || audience_gate.actor());
end;
$$;
comment on function audience_gate.lifecycle_said() is
  'Who moves a record: the signed-in user, else the job that said its name, else the database role. Judges the note and '
  'the name again, because whoever has a session can set them past lifecycle_note().';
revoke all on function audience_gate.lifecycle_said() from public, anon, authenticated, service_role;
grant execute on function audience_gate.lifecycle_said() to audience_gate_owner;
