-- Two roles that nobody logs in as, and the private schema.
--
-- audience_gate_owner  owns the security definer functions; reads, and writes what the gate derives.
-- audience_gate_store  owns the batch function alone. Its inserts into public.audience_events are
--                      taken as judged; everybody else's pass the trigger, audience_gate_owner's too.
--
-- Everything here must work for hosted `postgres`: no superuser, but createrole. From Postgres 16 on,
-- creating a role does not make its creator able to act as it: hence the grants.

do $$
declare
  role_name text;
begin
  foreach role_name in array array['audience_gate_owner', 'audience_gate_store'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
      execute format('create role %I nologin', role_name);
    end if;
    execute format('grant %I to current_user', role_name);
  end loop;
end $$;

create schema if not exists audience_gate;
comment on schema audience_gate is
  'The private half of the audience gate: security definer functions and what they need. Not exposed by the API.';

revoke all on schema audience_gate from public;
grant usage on schema audience_gate to anon, authenticated, service_role;
grant usage, create on schema audience_gate to audience_gate_owner, audience_gate_store;
grant usage on schema public to audience_gate_owner, audience_gate_store;

-- Who speaks: the role a client switched to, seen through any number of security definer functions.
create or replace function audience_gate.actor()
returns text
language sql
stable
parallel safe
set search_path = ''
as $$
  select case when current_setting('role') = 'none' then session_user::text else current_setting('role') end
$$;
comment on function audience_gate.actor() is
  'The role the client acts as: its SET ROLE, or else the role it logged in with. Definer functions do not change it.';

-- Row security does not bind service_role, the migration role and superusers; whoever is not bound by
-- it is trusted, everybody else is a visitor or a signed-in user.
create or replace function audience_gate.is_trusted()
returns boolean
language sql
stable
parallel safe
set search_path = ''
as $$
  select coalesce(
    (select r.rolbypassrls or r.rolsuper from pg_catalog.pg_roles r where r.rolname = audience_gate.actor()),
    false
  )
$$;
comment on function audience_gate.is_trusted() is
  'Whether the client acts as a role that bypasses row level security: service_role, the migration role, a superuser.';

-- Read from the request itself: the gate's roles have no way into schema auth on a hosted project.
create or replace function audience_gate.caller_id()
returns uuid
language sql
stable
parallel safe
set search_path = ''
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
  )::uuid
$$;
comment on function audience_gate.caller_id() is
  'The signed-in user of this request (the sub of its verified token), or null.';

revoke all on function audience_gate.actor() from public;
revoke all on function audience_gate.is_trusted() from public;
revoke all on function audience_gate.caller_id() from public;
grant execute on function audience_gate.actor() to anon, authenticated, service_role, audience_gate_owner, audience_gate_store;
grant execute on function audience_gate.is_trusted() to anon, authenticated, service_role, audience_gate_owner, audience_gate_store;
grant execute on function audience_gate.caller_id() to anon, authenticated, service_role, audience_gate_owner, audience_gate_store;
