-- From a figure of refusals to the refused events: who sends what is refused, since when, at which place, and by which
-- contract; and a replay of them for owners of the site.

create or replace function audience_gate.owned_sites()
returns setof uuid
language sql
stable
security definer
set search_path = ''
as $$
  select m.site_id from public.audience_site_members m
  where m.user_id = (select audience_gate.caller_id()) and m.role = 'owner'
$$;
comment on function audience_gate.owned_sites() is 'The sites this caller is an owner of.';
alter function audience_gate.owned_sites() owner to audience_gate_owner;
revoke all on function audience_gate.owned_sites() from public, anon, authenticated, service_role;
grant execute on function audience_gate.owned_sites() to authenticated;

create or replace function audience_gate.require_member(site uuid)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if not audience_gate.can_read_site(site) then
    raise exception 'not a member of this site' using errcode = '42501', hint = 'ask the owner of the site for membership';
  end if;
end;
$$;
comment on function audience_gate.require_member(uuid) is 'Refuses with SQLSTATE 42501 whoever may not read a site.';
alter function audience_gate.require_member(uuid) owner to audience_gate_owner;
revoke all on function audience_gate.require_member(uuid) from public, anon, authenticated, service_role;

create or replace function audience_gate.require_owner(site uuid)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if not audience_gate.is_trusted() and not coalesce(site in (select audience_gate.owned_sites()), false) then
    raise exception 'only owners of the site may do this' using errcode = '42501',
      hint = 'ask an owner of the site to do it, or to make you one in public.audience_site_members';
  end if;
end;
$$;
comment on function audience_gate.require_owner(uuid) is 'Refuses with SQLSTATE 42501 whoever may not change a site.';
alter function audience_gate.require_owner(uuid) owner to audience_gate_owner;
revoke all on function audience_gate.require_owner(uuid) from public, anon, authenticated, service_role;

grant execute on function audience_gate.report_range(timestamptz, timestamptz) to audience_gate_owner;

create or replace view audience_gate.refused_events with (security_invoker = true) as
select
  e.id, e.site_id, e.created_at, e.metadata,
  coalesce(e.metadata ->> 'validation_rule_id', 'unknown') as rule_id,
  coalesce(left(e.metadata #>> '{original_payload_snapshot,event_source}', 100), '') as sender,
  coalesce(left(e.metadata #>> '{original_payload_snapshot,metadata,tracker}', 100), '') as tracker,
  coalesce(e.metadata #>> '{violations,0,path}', '') as place,
  coalesce(e.metadata ->> 'contract', e.contract, '') as contract
from public.audience_events e
where e.rejected;
comment on view audience_gate.refused_events is 'The audit rows, with what a refusal can be grouped by.';
comment on column audience_gate.refused_events.id is 'The audit row.';
comment on column audience_gate.refused_events.site_id is 'The site.';
comment on column audience_gate.refused_events.created_at is 'When the refusal was recorded.';
comment on column audience_gate.refused_events.metadata is 'Why it was refused, with the redacted copy of the event.';
comment on column audience_gate.refused_events.rule_id is 'The first rule that the event broke.';
comment on column audience_gate.refused_events.sender is 'The event_source that the event named; empty: none.';
comment on column audience_gate.refused_events.tracker is 'The tracker that sent it, with its version; empty: another sender.';
comment on column audience_gate.refused_events.place is 'Where the rule was broken, as a JSON pointer; empty: the whole event.';
comment on column audience_gate.refused_events.contract is 'The fingerprint of the contract that refused it.';
alter view audience_gate.refused_events owner to audience_gate_owner;
revoke all on audience_gate.refused_events from public, anon, authenticated, service_role;

create or replace function audience_gate.refusal_groups(p_site uuid, p_from timestamptz, p_to timestamptz)
returns table (
  rule_id text, sender text, tracker text, place text, contract text, events bigint, replayed bigint, first_at timestamptz,
  last_at timestamptz, trend bigint[]
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
#variable_conflict use_column
begin
  perform audience_gate.require_member(p_site);
  perform audience_gate.report_range(p_from, p_to);
  return query
  with latest as (
    select r.rule_id, r.sender, r.tracker, r.place, r.contract, r.created_at, p.audit_id is not null as replayed,
      width_bucket(extract(epoch from r.created_at), extract(epoch from p_from), extract(epoch from p_to), 14) as part
    from (
      select * from audience_gate.refused_events e
      where e.site_id = p_site and e.created_at >= p_from and e.created_at < p_to
      order by e.created_at desc
      limit 20000
    ) r
    left join public.audience_event_replays p on p.audit_id = r.id
  ), groups as (
    select l.rule_id, l.sender, l.tracker, l.place, l.contract, count(*) as events, count(*) filter (where l.replayed) as replayed,
      min(l.created_at) as first_at, max(l.created_at) as last_at, array_agg(l.part) as parts
    from latest l
    group by 1, 2, 3, 4, 5
    order by 6 desc, 1, 2, 3, 4, 5
    limit 200
  )
  select g.rule_id, g.sender, g.tracker, g.place, g.contract, g.events, g.replayed, g.first_at, g.last_at,
    array(
      select count(part) from generate_series(1, 14) s left join unnest(g.parts) part on part = s group by s order by s
    )
  from groups g
  order by g.events desc, g.rule_id, g.sender, g.tracker, g.place, g.contract;
end;
$$;
comment on function audience_gate.refusal_groups(uuid, timestamptz, timestamptz) is
  'Computes what public.audience_refusal_groups() returns.';
alter function audience_gate.refusal_groups(uuid, timestamptz, timestamptz) owner to audience_gate_owner;
revoke all on function audience_gate.refusal_groups(uuid, timestamptz, timestamptz) from public, anon, authenticated, service_role;
grant execute on function audience_gate.refusal_groups(uuid, timestamptz, timestamptz) to authenticated, service_role;

create or replace function public.audience_refusal_groups(site uuid, from_time timestamptz, to_time timestamptz)
returns table (
  rule_id text, sender text, tracker text, place text, contract text, events bigint, replayed bigint, first_at timestamptz,
  last_at timestamptz, trend bigint[]
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.refusal_groups(site, from_time, to_time) $$;
comment on function public.audience_refusal_groups(uuid, timestamptz, timestamptz) is
  'What was refused, by rule, sender, tracker, place and contract: how many events, how many of them were replayed, the '
  'first and the last, and the count of each fourteenth of the range. Of the latest 20,000 refusals, at most 200 groups. '
  'For members of the site.';
revoke all on function public.audience_refusal_groups(uuid, timestamptz, timestamptz) from public, anon, authenticated, service_role;
grant execute on function public.audience_refusal_groups(uuid, timestamptz, timestamptz) to authenticated, service_role;

create or replace function audience_gate.refused_list(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_rule text, p_sender text, p_tracker text, p_place text, p_contract text,
  p_limit integer
)
returns table (
  id uuid, recorded_at timestamptz, rule_id text, sender text, tracker text, place text, contract text, reason text,
  violations jsonb, snapshot jsonb, payload_bytes bigint, replayed_as uuid, not_replayable text
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
#variable_conflict use_column
begin
  perform audience_gate.require_member(p_site);
  return query
  select
    r.id, r.created_at, r.rule_id, r.sender, r.tracker, r.place, r.contract, r.metadata ->> 'rejection_reason',
    coalesce(r.metadata -> 'violations', '[]'), r.metadata -> 'original_payload_snapshot',
    (r.metadata ->> 'payload_bytes')::bigint, p.event_id, audience_gate.not_replayable(r.metadata)
  from (
    select * from audience_gate.refused_events e
    where e.site_id = p_site and e.metadata ->> 'validation_rule_id' = p_rule
      and e.created_at >= p_from and e.created_at < p_to
      and e.sender = coalesce(p_sender, e.sender) and e.tracker = coalesce(p_tracker, e.tracker)
      and e.place = coalesce(p_place, e.place) and e.contract = coalesce(p_contract, e.contract)
    order by e.created_at desc, e.id
    limit least(greatest(p_limit, 1), 100)
  ) r
  left join public.audience_event_replays p on p.audit_id = r.id
  order by r.created_at desc, r.id;
end;
$$;
comment on function audience_gate.refused_list(uuid, timestamptz, timestamptz, text, text, text, text, text, integer) is
  'Computes what public.audience_refused_events() returns.';
alter function audience_gate.refused_list(uuid, timestamptz, timestamptz, text, text, text, text, text, integer)
  owner to audience_gate_owner;
revoke all on function audience_gate.refused_list(uuid, timestamptz, timestamptz, text, text, text, text, text, integer)
  from public, anon, authenticated, service_role;
grant execute on function audience_gate.refused_list(uuid, timestamptz, timestamptz, text, text, text, text, text, integer)
  to authenticated, service_role;

create or replace function public.audience_refused_events(
  site uuid, from_time timestamptz, to_time timestamptz, rule text, sender text default null, tracker text default null,
  place text default null, contract text default null, row_limit integer default 20
)
returns table (
  id uuid, recorded_at timestamptz, rule_id text, sender text, tracker text, place text, contract text, reason text,
  violations jsonb, snapshot jsonb, payload_bytes bigint, replayed_as uuid, not_replayable text
)
language sql
stable
set search_path = ''
as $$
  select * from audience_gate.refused_list(
    $1, $2, $3, $4, $5, $6, $7, $8, $9)
$$;
comment on function public.audience_refused_events(uuid, timestamptz, timestamptz, text, text, text, text, text, integer) is
  'What one rule refused, of one group of audience_refusal_groups or of all (null), newest first and at most 100: each with '
  'its redacted snapshot, the event that a replay made of it, and why it cannot be replayed. For members of the site.';
revoke all on function public.audience_refused_events(uuid, timestamptz, timestamptz, text, text, text, text, text, integer)
  from public, anon, authenticated, service_role;
grant execute on function public.audience_refused_events(uuid, timestamptz, timestamptz, text, text, text, text, text, integer)
  to authenticated, service_role;

create or replace function audience_gate.replay_of_site(
  p_site uuid, p_rule text, p_from timestamptz, p_to timestamptz, p_after uuid, p_dry_run boolean
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform audience_gate.require_owner(p_site);
  if p_site is null or p_rule is null then
    raise exception 'name the site and the rule' using errcode = 'invalid_parameter_value';
  end if;
  return audience_gate.replay(p_rule, p_site, p_from, p_to, 200, p_after, coalesce(p_dry_run, true));
end;
$$;
comment on function audience_gate.replay_of_site(uuid, text, timestamptz, timestamptz, uuid, boolean) is
  'Replays what a rule refused at one site: what public.audience_replay_refusals() runs.';
alter function audience_gate.replay_of_site(uuid, text, timestamptz, timestamptz, uuid, boolean) owner to audience_gate_owner;
revoke all on function audience_gate.replay_of_site(uuid, text, timestamptz, timestamptz, uuid, boolean)
  from public, anon, authenticated, service_role;
grant execute on function audience_gate.replay_of_site(uuid, text, timestamptz, timestamptz, uuid, boolean)
  to authenticated, service_role;

create or replace function public.audience_replay_refusals(
  site uuid, rule text, from_time timestamptz, to_time timestamptz, after uuid default null, dry_run boolean default true
)
returns jsonb
language sql
volatile
set search_path = ''
as $$ select audience_gate.replay_of_site(site, rule, from_time, to_time, after, dry_run) $$;
comment on function public.audience_replay_refusals(uuid, text, timestamptz, timestamptz, uuid, boolean) is
  'public.audience_replay() for one rule of one site, at most 200 at a time. With dry_run, as by default, it only says what a '
  'replay would do. For owners of the site and trusted callers.';
revoke all on function public.audience_replay_refusals(uuid, text, timestamptz, timestamptz, uuid, boolean)
  from public, anon, authenticated, service_role;
grant execute on function public.audience_replay_refusals(uuid, text, timestamptz, timestamptz, uuid, boolean)
  to authenticated, service_role;

create or replace function audience_gate.registry_of_site(p_site uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform audience_gate.require_member(p_site);
  return audience_gate.registry() || jsonb_build_object(
    'default_site', p_site,
    'sites', jsonb_build_array(jsonb_build_object('id', p_site, 'origins', null)),
    -- What binds another site is for its own members to know.
    'own_rules', jsonb_path_query_array(audience_gate.registry(), '$.own_rules[*] ? (@.site_id == null || @.site_id == $site)',
      jsonb_build_object('site', p_site)));
end;
$$;
comment on function audience_gate.registry_of_site(uuid) is 'Computes what public.audience_site_registry() returns.';
alter function audience_gate.registry_of_site(uuid) owner to audience_gate_owner;
revoke all on function audience_gate.registry_of_site(uuid) from public, anon, authenticated, service_role;
grant execute on function audience_gate.registry_of_site(uuid) to authenticated, service_role;

create or replace function public.audience_site_registry(site uuid)
returns jsonb
language sql
stable
set search_path = ''
as $$ select audience_gate.registry_of_site(site) $$;
comment on function public.audience_site_registry(uuid) is
  'The registry in force, as the contract''s loadRegistry() takes it, with this site alone, the rules that bind it, and without '
  'its origins: a stored event has come from one of them. For members of the site.';
revoke all on function public.audience_site_registry(uuid) from public, anon, authenticated, service_role;
grant execute on function public.audience_site_registry(uuid) to authenticated, service_role;
