-- The proof of one event for members of its site, who check it in their browser.

create or replace function audience_gate.event_proof(p_site uuid, p_event uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
declare
  proof jsonb;
begin
  perform audience_gate.require_member(p_site);
  select jsonb_build_object(
      'entry', audience_gate.event_entry(
        e.id, e.created_at, e.site_id, e.rejected, e.event_type, e.event_category, e.event_source, e.contract, e.occurred_at),
      'commitment', encode(coalesce(l.commitment, audience_gate.event_commitment(
        l.salt, e.user_id, e.session_id, e.utm_source, e.utm_medium, e.utm_campaign, e.utm_content, e.utm_term, e.occurred_at,
        e.metadata)), 'hex'),
      'leaf_index', l.leaf_index,
      'path', (select coalesce(jsonb_agg(encode(p.hash, 'hex') order by p.place), '[]')
        from unnest(audience_gate.inclusion_proof(l.leaf_index, c.size)) with ordinality p (hash, place)),
      'checkpoint', c.note)
  into proof
  from audience_gate.leaf l
  join public.audience_events e on e.id = l.event_id and e.site_id = p_site
  join lateral (
    select k.size, k.note from audience_gate.checkpoint k where k.size > l.leaf_index order by k.size desc limit 1
  ) c on true
  where l.event_id = p_event;
  return proof;
end;
$$;
comment on function audience_gate.event_proof(uuid, uuid) is 'Computes what public.audience_event_proof() returns.';
alter function audience_gate.event_proof(uuid, uuid) owner to audience_gate_owner;
revoke all on function audience_gate.event_proof(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function audience_gate.event_proof(uuid, uuid) to authenticated, service_role;

create or replace function public.audience_event_proof(site uuid, event uuid)
returns jsonb
language sql
stable
set search_path = ''
as $$ select audience_gate.event_proof(site, event) $$;
comment on function public.audience_event_proof(uuid, uuid) is
  'The proof that one event of a site is covered by the newest checkpoint, as `audience-gate seal prove` writes it; null: it is '
  'not sealed, or no checkpoint was signed since. For members of the site.';
revoke all on function public.audience_event_proof(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function public.audience_event_proof(uuid, uuid) to authenticated, service_role;
