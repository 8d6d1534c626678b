-- What owners change by themselves: their site and its members; and, where all sites share it, whoever owns every site.

create or replace function audience_gate.owns_every_site()
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (select from audience_gate.owned_sites())
    and not exists (select from public.audience_sites s where s.id not in (select audience_gate.owned_sites()))
$$;
comment on function audience_gate.owns_every_site() is
  'Whether this caller is an owner of all the sites there are, and so may change what they share.';
alter function audience_gate.owns_every_site() owner to audience_gate_owner;
revoke all on function audience_gate.owns_every_site() from public, anon, authenticated, service_role;
grant execute on function audience_gate.owns_every_site() to authenticated, service_role;

create or replace function public.audience_may_edit_registry()
returns boolean
language sql
stable
set search_path = ''
as $$ select audience_gate.is_trusted() or audience_gate.owns_every_site() $$;
comment on function public.audience_may_edit_registry() is
  'Whether the caller may change what all sites share, event types and schedules: an owner of every site, and trusted callers.';
revoke all on function public.audience_may_edit_registry() from public, anon, authenticated, service_role;
grant execute on function public.audience_may_edit_registry() to authenticated, service_role;

-- Event types belong to all sites. Those of system and retention stay with back ends: the gate itself writes such events.
grant
  insert (id, category, tier, score_weight, daily_cap, withdraws_consent, description, payload_schema, active),
  update (category, tier, score_weight, daily_cap, withdraws_consent, description, payload_schema, active)
  on table public.audience_event_types to authenticated;
drop policy if exists audience_event_types_insert_owner on public.audience_event_types;
create policy audience_event_types_insert_owner on public.audience_event_types for insert to authenticated
  with check (category not in ('system', 'retention') and (select audience_gate.owns_every_site()));
drop policy if exists audience_event_types_update_owner on public.audience_event_types;
create policy audience_event_types_update_owner on public.audience_event_types for update to authenticated
  using (category not in ('system', 'retention') and (select audience_gate.owns_every_site()))
  with check (category not in ('system', 'retention') and (select audience_gate.owns_every_site()));

-- What is wrong with a schema is said while it is written, by the check that would refuse it.
create or replace function audience_gate.check_payload_draft(p_schema jsonb)
returns text
language sql
stable
security definer
set search_path = ''
as $$ select audience_gate.payload_schema_refusal(p_schema) $$;
comment on function audience_gate.check_payload_draft(jsonb) is 'Computes what public.audience_check_payload_schema() returns.';
alter function audience_gate.check_payload_draft(jsonb) owner to audience_gate_owner;
revoke all on function audience_gate.check_payload_draft(jsonb) from public, anon, authenticated, service_role;
grant execute on function audience_gate.check_payload_draft(jsonb) to authenticated, service_role;

create or replace function public.audience_check_payload_schema(schema jsonb)
returns text
language sql
stable
set search_path = ''
as $$ select audience_gate.check_payload_draft(schema) $$;
comment on function public.audience_check_payload_schema(jsonb) is
  'Why a payload schema would be refused if it were saved, with the keyword and its place; null: it would not be.';
revoke all on function public.audience_check_payload_schema(jsonb) from public, anon, authenticated, service_role;
grant execute on function public.audience_check_payload_schema(jsonb) to authenticated, service_role;

grant update (name, origins) on table public.audience_sites to authenticated;
drop policy if exists audience_sites_update_owner on public.audience_sites;
create policy audience_sites_update_owner on public.audience_sites for update to authenticated
  using (id in (select audience_gate.owned_sites())) with check (id in (select audience_gate.owned_sites()));

grant insert (site_id, user_id, role), update (role), delete on table public.audience_site_members to authenticated;
-- Two policies for one action are asked one after the other, for every row.
alter policy audience_site_members_select_own on public.audience_site_members
  using (user_id = (select auth.uid()) or site_id in (select audience_gate.owned_sites()));
drop policy if exists audience_site_members_insert_owner on public.audience_site_members;
create policy audience_site_members_insert_owner on public.audience_site_members for insert to authenticated
  with check (site_id in (select audience_gate.owned_sites()));
drop policy if exists audience_site_members_update_owner on public.audience_site_members;
create policy audience_site_members_update_owner on public.audience_site_members for update to authenticated
  using (site_id in (select audience_gate.owned_sites())) with check (site_id in (select audience_gate.owned_sites()));
drop policy if exists audience_site_members_delete_owner on public.audience_site_members;
create policy audience_site_members_delete_owner on public.audience_site_members for delete to authenticated
  using (site_id in (select audience_gate.owned_sites()));
comment on column public.audience_site_members.role is
  'owner, analyst or viewer. Each may read; an owner also changes the site, its members, rules and alerts, and reverts states.';

create or replace function audience_gate.keep_an_owner()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if audience_gate.is_trusted() then
    return null;
  end if;
  -- Two owners who leave at the same time wait for each other here, so that the second one sees that the first has left.
  perform pg_advisory_xact_lock(hashtextextended('audience_gate.keep_an_owner', 0));
  if exists (
    select from old_rows o
    where o.role = 'owner' and not exists (
      select from public.audience_site_members m where m.site_id = o.site_id and m.role = 'owner')
  ) then
    raise exception 'the site would have no owner' using errcode = 'check_violation',
      hint = 'make another member an owner first';
  end if;
  return null;
end;
$$;
comment on function audience_gate.keep_an_owner() is 'Refuses to take the last owner of a site, unless a back end does it.';
alter function audience_gate.keep_an_owner() owner to audience_gate_owner;
revoke all on function audience_gate.keep_an_owner() from public, anon, authenticated, service_role;
create or replace trigger trg_keep_an_owner_update after update on public.audience_site_members
  referencing old table as old_rows for each statement execute function audience_gate.keep_an_owner();
create or replace trigger trg_keep_an_owner_delete after delete on public.audience_site_members
  referencing old table as old_rows for each statement execute function audience_gate.keep_an_owner();
