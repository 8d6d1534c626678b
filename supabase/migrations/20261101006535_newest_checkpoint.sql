-- The newest signed checkpoint, for whoever wants to keep it: the function hands it to everybody.

create or replace function audience_gate.newest_checkpoint()
returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  select jsonb_build_object('size', c.size, 'note', c.note) from audience_gate.checkpoint c order by c.size desc limit 1
$$;
comment on function audience_gate.newest_checkpoint() is 'Reads what public.audience_checkpoint() returns.';
alter function audience_gate.newest_checkpoint() owner to audience_gate_owner;
revoke all on function audience_gate.newest_checkpoint() from public, anon, authenticated, service_role;
grant execute on function audience_gate.newest_checkpoint() to service_role;

create or replace function public.audience_checkpoint()
returns jsonb
language sql
stable
set search_path = ''
as $$
  select audience_gate.newest_checkpoint()
$$;
comment on function public.audience_checkpoint() is
  'The checkpoint that was signed last, as a signed note with the number of rows that it covers; null before the first one. '
  'It says nothing of any row.';
revoke all on function public.audience_checkpoint() from public, anon, authenticated, service_role;
grant execute on function public.audience_checkpoint() to service_role;
