-- Two roles that nobody logs in as, the private schema, and who is asking.
--
-- audience_gate_owner  owns the security definer functions; reads everything, and writes what the gate derives.
-- audience_gate_store  owns the batch function alone. Rows that it inserts into public.audience_events count
--                      as judged; everybody else's, audience_gate_owner's included, pass the trigger.
--
-- All of this must work for the `postgres` role of a hosted project, which may create roles but is no
-- superuser. Since Postgres 16 whoever creates a role cannot act as it unless told so: hence the grants.

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
  'The private half of the audience gate: its functions and what they need. The API does not expose it.';
revoke all on schema audience_gate from public, anon, authenticated, service_role;
grant usage, create on schema audience_gate to audience_gate_owner, audience_gate_store;
grant usage on schema public to audience_gate_owner, audience_gate_store;

-- Security definer functions do not change it, however deeply they are nested.
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
  'The role the client acts as: the one it switched to with set role, else the one it logged in with.';

-- Row level security does not bind service_role, the role that applies migrations, and superusers. Whoever it
-- does not bind is trusted; everybody else is a visitor or a signed-in user.
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
  'Whether the client acts as a role that bypasses row level security: service_role, the role that applies '
  'migrations, a superuser.';

-- Read from the request itself, because the gate's roles may not enter schema auth of a hosted project.
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
  'The signed-in user of this request, which is the sub of its verified token; null for visitors.';
