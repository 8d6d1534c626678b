-- The second site of the demo, and somebody who reads it and not the other: host@example.test, with the password of the demo.

insert into public.audience_sites (id, name)
select '00000000-0000-4000-8000-000000000002', 'Sleep podcast'
from public.lifecycle_note('the demo of the local stack', 'system:install')
on conflict do nothing;

-- Whoever is an owner of every site keeps what all sites share.
insert into public.audience_site_members (site_id, user_id, role)
select '00000000-0000-4000-8000-000000000002', u.id, 'owner'
from auth.users u, public.lifecycle_note('the demo of the local stack', 'system:install')
where u.email = 'demo@example.test'
on conflict do nothing;

insert into auth.users (
  id, aud, role, email, encrypted_password, email_confirmed_at,
  raw_app_meta_data, raw_user_meta_data, created_at, updated_at
)
select
  '00000000-0000-4000-8000-00000000d0e6', u.aud, u.role, 'host@example.test', u.encrypted_password, now(), u.raw_app_meta_data,
  '{"sub": "00000000-0000-4000-8000-00000000d0e6", "email": "host@example.test", "email_verified": true}', now(), now()
from auth.users u
where u.email = 'demo@example.test' and not exists (select from auth.users h where h.email = 'host@example.test');

insert into auth.identities (id, provider, provider_id, user_id, identity_data, created_at, updated_at)
select
  u.id, 'email', u.id::text, u.id,
  jsonb_build_object('sub', u.id, 'email', u.email, 'email_verified', true), now(), now()
from auth.users u
where u.email = 'host@example.test' and not exists (select from auth.identities i where i.user_id = u.id);

insert into public.audience_site_members (site_id, user_id, role)
select '00000000-0000-4000-8000-000000000002', u.id, 'viewer'
from auth.users u, public.lifecycle_note('the demo of the local stack', 'system:install')
where u.email = 'host@example.test'
on conflict do nothing;
