-- Who may do what, on tables. Nothing is granted by default any more, and where it still is, it was revoked
-- when the table was made: what is not granted here is not allowed, whatever a policy says.

alter table public.audience_events enable row level security;
alter table public.audience_state enable row level security;
alter table public.audience_sites enable row level security;
alter table public.audience_site_members enable row level security;
alter table public.audience_states enable row level security;
alter table public.audience_blocked_jumps enable row level security;
alter table public.audience_rules enable row level security;
alter table public.audience_event_types enable row level security;

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      -- The event log and the state, by the names they were specified with.
      ('audience_events', 'audience_events_insert_authenticated', 'insert', 'authenticated',
        null, 'user_id is null or user_id = (select auth.uid())'),
      ('audience_events', 'audience_events_no_update', 'update', 'anon, authenticated', 'false', null),
      ('audience_events', 'audience_events_no_delete', 'delete', 'anon, authenticated', 'false', null),
      ('audience_state', 'audience_state_select_own', 'select', 'authenticated', 'user_id = (select auth.uid())', null),
      ('audience_state', 'audience_state_no_insert', 'insert', 'anon, authenticated', null, 'false'),
      ('audience_state', 'audience_state_no_update', 'update', 'anon, authenticated', 'false', null),
      ('audience_state', 'audience_state_no_delete', 'delete', 'anon, authenticated', 'false', null),

      -- Sites and members: a member sees the site and their own membership.
      ('audience_sites', 'audience_sites_select_member', 'select', 'authenticated',
        'exists (select from public.audience_site_members m
           where m.site_id = audience_sites.id and m.user_id = (select auth.uid()))', null),
      ('audience_site_members', 'audience_site_members_select_own', 'select', 'authenticated',
        'user_id = (select auth.uid())', null),

      -- The registry is no secret to those who send events.
      ('audience_states', 'audience_states_select', 'select', 'authenticated', 'true', null),
      ('audience_blocked_jumps', 'audience_blocked_jumps_select', 'select', 'authenticated', 'true', null),
      ('audience_rules', 'audience_rules_select', 'select', 'authenticated', 'true', null),
      ('audience_event_types', 'audience_event_types_select', 'select', 'authenticated', 'true', null),

      -- The gate itself.
      ('audience_events', 'audience_events_gate_select', 'select', 'audience_gate_owner, audience_gate_store', 'true', null),
      ('audience_events', 'audience_events_gate_insert', 'insert', 'audience_gate_owner, audience_gate_store', null, 'true'),
      ('audience_state', 'audience_state_gate', 'all', 'audience_gate_owner', 'true', 'true'),
      ('audience_sites', 'audience_sites_gate', 'select', 'audience_gate_owner, audience_gate_store', 'true', null),
      ('audience_site_members', 'audience_site_members_gate', 'select', 'audience_gate_owner', 'true', null),
      ('audience_states', 'audience_states_gate', 'select', 'audience_gate_owner, audience_gate_store', 'true', null),
      ('audience_blocked_jumps', 'audience_blocked_jumps_gate', 'select', 'audience_gate_owner, audience_gate_store', 'true', null),
      ('audience_rules', 'audience_rules_gate', 'select', 'audience_gate_owner, audience_gate_store', 'true', null),
      ('audience_event_types', 'audience_event_types_gate', 'select', 'audience_gate_owner, audience_gate_store', 'true', null)
    ) as listed (table_name, policy_name, command, roles, using_condition, check_condition)
  loop
    execute format('drop policy if exists %I on public.%I', wanted.policy_name, wanted.table_name);
    execute format('create policy %I on public.%I for %s to %s', wanted.policy_name, wanted.table_name, wanted.command, wanted.roles)
      || coalesce(' using (' || wanted.using_condition || ')', '')
      || coalesce(' with check (' || wanted.check_condition || ')', '');
  end loop;
end $$;

-- Signed-in users may write events, and read what concerns them. Visitors send theirs through the function.
grant insert on table public.audience_events to authenticated;
grant select on table public.audience_state, public.audience_sites, public.audience_site_members, public.audience_states,
  public.audience_blocked_jumps, public.audience_rules, public.audience_event_types to authenticated;

-- Back ends read everything, add events, and keep the registry, the sites and their members.
grant select, insert on table public.audience_events to service_role;
grant select on table public.audience_state to service_role;
grant select, insert, update on table public.audience_sites, public.audience_states, public.audience_rules,
  public.audience_event_types to service_role;
grant select, insert, update, delete on table public.audience_site_members, public.audience_blocked_jumps to service_role;

-- The gate.
grant select, insert on table public.audience_events to audience_gate_owner, audience_gate_store;
grant select, insert, update on table public.audience_state to audience_gate_owner;
grant select on table public.audience_sites, public.audience_states, public.audience_blocked_jumps, public.audience_rules,
  public.audience_event_types to audience_gate_owner, audience_gate_store;
grant select on table public.audience_site_members to audience_gate_owner;
