-- A demo for a local stack only (`npm start`, `supabase start`, `supabase db reset`): somebody who can sign in
-- to the dashboard, as an owner of the default site. No hosted project runs this file.
-- E-mail: demo@example.test, password: demo-password.
insert into auth.users (
  id, aud, role, email, encrypted_password, email_confirmed_at,
  raw_app_meta_data, raw_user_meta_data, created_at, updated_at
)
select
  '00000000-0000-4000-8000-00000000d0e5', 'authenticated', 'authenticated', 'demo@example.test',
  extensions.crypt('demo-password', extensions.gen_salt('bf')), now(),
  '{"provider": "email", "providers": ["email"]}',
  '{"sub": "00000000-0000-4000-8000-00000000d0e5", "email": "demo@example.test", "email_verified": true}', now(), now()
where not exists (select from auth.users where email = 'demo@example.test');

insert into auth.identities (id, provider, provider_id, user_id, identity_data, created_at, updated_at)
select
  u.id, 'email', u.id::text, u.id,
  jsonb_build_object('sub', u.id, 'email', u.email, 'email_verified', true), now(), now()
from auth.users u
where u.email = 'demo@example.test' and not exists (select from auth.identities i where i.user_id = u.id);

-- The sign-in server reads these as text and stumbles over null; not every version of it has all of them.
do $$
declare
  column_name text;
begin
  for column_name in
    select c.column_name from information_schema.columns c
    where c.table_schema = 'auth' and c.table_name = 'users' and c.data_type in ('text', 'character varying')
      and c.column_name like any (array['%\_token', '%\_token\_new', '%\_token\_current', '%\_change'])
      and c.column_name not like 'phone%'
  loop
    execute format('update auth.users set %1$I = '''' where %1$I is null and email = $1', column_name)
      using 'demo@example.test';
  end loop;
end $$;

update public.audience_sites set name = 'Demo site'
from public.lifecycle_note('the demo of the local stack', 'system:install')
where id = audience_gate.default_site() and name = 'Default site';

insert into public.audience_site_members (site_id, user_id, role)
select audience_gate.default_site(), u.id, 'owner'
from auth.users u, public.lifecycle_note('the demo of the local stack', 'system:install')
where u.email = 'demo@example.test'
on conflict do nothing;
