-- Derived ids: the same for the same content, and nobody else's to compute.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();

select matches(audience_gate.derived_id('rejection', 'a')::text,
  '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$', 'a derived id is a UUID of version 8');
select is(audience_gate.derived_id('rejection', 'a'), audience_gate.derived_id('rejection', 'a'), 'the same content has the same id');
select isnt(audience_gate.derived_id('rejection', 'a'), audience_gate.derived_id('rejection', 'b'), 'another content has another');
select isnt(audience_gate.derived_id('rejection', 'a'), audience_gate.derived_id('replay', 'a'), 'and so has another kind');

create temporary table before_change as select audience_gate.derived_id('rejection', 'a') as id;
update audience_gate.install_secrets
set inner_pad = audience_gate.key_pad('\x01', 54), outer_pad = audience_gate.key_pad('\x01', 92) where name = 'ids';
select isnt(audience_gate.derived_id('rejection', 'a'), id, 'another install derives other ids') from before_change;

-- The first test case of RFC 4231.
select is(
  encode(sha256(audience_gate.key_pad(decode(repeat('0b', 20), 'hex'), 92)
    || sha256(audience_gate.key_pad(decode(repeat('0b', 20), 'hex'), 54) || 'Hi There')), 'hex'),
  'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7', 'the pads are those of HMAC-SHA-256');

select ok(not has_table_privilege(r, 'audience_gate.install_secrets', 'select, insert, update, delete, truncate'),
  r || ' cannot touch the secrets')
from unnest(array['anon', 'authenticated', 'service_role']) r;
select ok(not has_function_privilege(r, 'audience_gate.derived_id(text, text)', 'execute'), r || ' cannot derive an id')
from unnest(array['anon', 'authenticated', 'service_role']) r;

select * from finish();
rollback;
