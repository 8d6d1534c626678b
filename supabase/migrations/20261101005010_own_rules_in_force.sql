-- Rules of an install's own are in force as soon as their row is committed: the function that judges by them is made of
-- the table anew by every statement that changes it, and once here.

create or replace function audience_gate.translate_own_rules()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform audience_gate.compile_own_rules();
  return null;
end;
$$;
comment on function audience_gate.translate_own_rules() is
  'Has what judges by the rules of the install''s own made anew after they changed.';
alter function audience_gate.translate_own_rules() owner to audience_gate_owner;
revoke all on function audience_gate.translate_own_rules() from public, anon, authenticated, service_role;
drop trigger if exists trg_translate_own_rules on public.audience_own_rules;
-- After trg_touch_registry, which locks the registry's one row, so that two statements follow each other.
create trigger trg_translate_own_rules after insert or update or delete or truncate on public.audience_own_rules
  for each statement execute function audience_gate.translate_own_rules();

select audience_gate.compile_own_rules();
