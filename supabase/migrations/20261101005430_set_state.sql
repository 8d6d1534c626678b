-- Placing a state. A back end that knows better than the events (a CRM, a job, a person at a desk) says where somebody
-- stands, who says so, and by which rule; the history keeps it, and the derivation goes on from there.

create or replace function audience_gate.set_state(site uuid, subject uuid, state text, rule text, notes text, actor text)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  who text := coalesce(actor, audience_gate.changed_by());
  held text;
begin
  if not audience_gate.is_trusted() then
    raise exception 'only trusted callers may set a state' using errcode = 'insufficient_privilege';
  end if;
  if who = 'system:derivation'
     or who !~ '^(system|role):[a-z][a-z0-9_.-]{0,62}$' and who !~ '^user:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    raise exception 'the actor is not one that the history could name' using errcode = 'invalid_parameter_value',
      hint = 'Send system:<process>, in lower case, or user:<uuid>.';
  end if;
  if who not like 'user:%' then
    perform audience_gate.require_harmless(who, 'name of the actor');
  end if;
  if not exists (select from public.audience_states s where s.id = set_state.state) then
    raise exception 'the state is not registered' using errcode = 'foreign_key_violation',
      hint = 'Use an id of public.audience_states.';
  end if;

  -- In the order in which the derivation takes its locks. Whoever is new begins in the lowest state.
  perform audience_gate.announce_change('system:derivation', 'first_event');
  insert into public.audience_state (user_id, current_state)
  select subject, s.id from public.audience_states s order by s.rank limit 1
  on conflict (user_id) do nothing;
  perform from public.audience_state s where s.user_id = subject for update;
  insert into public.audience_site_state (site_id, user_id, current_state, highest_state, consents)
  select site, subject, s.id, s.id, '{}' from public.audience_states s order by s.rank limit 1
  on conflict (site_id, user_id) do nothing;
  select s.current_state into held from public.audience_site_state s
  where s.site_id = site and s.user_id = subject for update;
  if not exists (
    select from public.audience_rules r
    where r.id = rule and r.active
      and (held = set_state.state or coalesce(r.prior_state, held) = held and coalesce(r.new_state, set_state.state) = set_state.state)
  ) then
    raise exception 'the rule does not explain this change' using errcode = 'check_violation',
      hint = 'Name an active rule of public.audience_rules whose states, where it names any, are those of the change.';
  end if;
  perform audience_gate.announce_change(who, rule, notes);
  update public.audience_site_state s set current_state = set_state.state
  where s.site_id = site and s.user_id = subject and s.current_state <> set_state.state;
  perform audience_gate.announce_change(null, null);
  return set_state.state;
end;
$$;
comment on function audience_gate.set_state(uuid, uuid, text, text, text, text) is
  'Places a person in a state: what public.audience_set_state() runs.';
alter function audience_gate.set_state(uuid, uuid, text, text, text, text) owner to audience_gate_owner;
revoke all on function audience_gate.set_state(uuid, uuid, text, text, text, text) from public, anon, authenticated, service_role;
grant execute on function audience_gate.set_state(uuid, uuid, text, text, text, text) to service_role;

create or replace function public.audience_set_state(
  site uuid, subject uuid, state text, rule text default 'manual_correction', notes text default null, actor text default null
)
returns text
language sql
volatile
set search_path = ''
as $$ select audience_gate.set_state(site, subject, state, rule, notes, actor) $$;
comment on function public.audience_set_state(uuid, uuid, text, text, text, text) is
  'Places a person in a state at a site, and records who did it (actor: system:<process> or user:<uuid>; by default the '
  'caller), by which rule, and notes, which must hold nothing personal. Blocked jumps are refused. The state stays until a '
  'rule or somebody moves it. For trusted callers. Returns the state.';
revoke all on function public.audience_set_state(uuid, uuid, text, text, text, text) from public, anon, authenticated, service_role;
grant execute on function public.audience_set_state(uuid, uuid, text, text, text, text) to service_role;
