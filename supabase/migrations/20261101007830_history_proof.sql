-- Since when the history is proven, for members to read: the seals themselves and the notes are the owner's.

create or replace function audience_gate.history_proof(p_site uuid)
returns table (proven_since timestamptz, proven_rows bigint, signed_at timestamptz, sealed_rows bigint, sealing boolean)
language plpgsql
stable
security definer
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform audience_gate.require_member(p_site);
  return query
  select (select c.signed_at from audience_gate.checkpoint c order by c.size limit 1), n.size, n.signed_at,
    (select s.size from audience_gate.seal s order by s.size desc limit 1),
    coalesce((select j.active from audience_gate.jobs j where j.name = 'seal_rows'), false)
  from (values (1)) as one (row)
  left join lateral (select c.size, c.signed_at from audience_gate.checkpoint c order by c.size desc limit 1) n on true;
end;
$$;
comment on function audience_gate.history_proof(uuid) is 'Computes what public.audience_history_proof() returns.';
alter function audience_gate.history_proof(uuid) owner to audience_gate_owner;
revoke all on function audience_gate.history_proof(uuid) from public, anon, authenticated, service_role;
grant execute on function audience_gate.history_proof(uuid) to authenticated, service_role;

create or replace function public.audience_history_proof(site uuid)
returns table (proven_since timestamptz, proven_rows bigint, signed_at timestamptz, sealed_rows bigint, sealing boolean)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.history_proof(site) $$;
comment on function public.audience_history_proof(uuid) is
  'When the first checkpoint was signed, how many rows the newest one holds for and when it was signed, how many rows are sealed, '
  'and whether sealing is on. The rows are those of all sites. For members of the site.';
revoke all on function public.audience_history_proof(uuid) from public, anon, authenticated, service_role;
grant execute on function public.audience_history_proof(uuid) to authenticated, service_role;
