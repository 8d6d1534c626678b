-- From a figure to the events that it counts, to one of them, and to what else happened in its session or to its person.

create or replace function audience_gate.event_list(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_tier text, p_type text, p_campaign text, p_page text, p_source text,
  p_rejected boolean, p_before uuid, p_limit integer
)
returns table (
  id uuid, recorded_at timestamptz, occurred_at timestamptz, event_type text, tier text, event_source text, page text,
  campaign text, signed_in boolean, rejected boolean, rule_id text
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
#variable_conflict use_column
declare
  last_at timestamptz := p_to;
begin
  perform audience_gate.require_member(p_site);
  perform audience_gate.report_range(p_from, p_to);
  if p_before is not null then
    select e.created_at into last_at from public.audience_events e where e.id = p_before and e.site_id = p_site;
  end if;
  return query
  select s.id, s.created_at, s.occurred_at, s.event_type, t.tier, s.event_source, s.page, s.utm_campaign,
    s.user_id is not null, s.rejected, s.rule_id
  from (
    select e.id, e.created_at, e.occurred_at, e.user_id, e.rejected, e.utm_campaign,
      case when e.rejected then coalesce(e.metadata #>> '{original_payload_snapshot,event_type}', '') else e.event_type end as event_type,
      case when e.rejected then coalesce(e.metadata #>> '{original_payload_snapshot,event_source}', '') else e.event_source end
        as event_source,
      coalesce(e.metadata ->> 'page_path', e.metadata #>> '{original_payload_snapshot,metadata,page_path}') as page,
      case when e.rejected then e.metadata ->> 'validation_rule_id' end as rule_id
    from public.audience_events e
    where e.site_id = p_site and e.created_at >= p_from and e.created_at <= last_at and e.created_at < p_to
    order by e.created_at desc
    limit 50000
  ) s
  left join public.audience_event_types t on t.id = s.event_type
  where s.rejected = coalesce(p_rejected, s.rejected)
    and (p_before is null or (s.created_at, s.id) < (last_at, p_before))
    and (p_tier is null or t.tier = p_tier) and (p_type is null or s.event_type = p_type)
    and (p_campaign is null or s.utm_campaign = p_campaign) and (p_page is null or s.page = p_page)
    and (p_source is null or s.event_source = p_source)
  order by s.created_at desc, s.id desc
  limit least(greatest(p_limit, 1), 200);
end;
$$;
comment on function audience_gate.event_list(
  uuid, timestamptz, timestamptz, text, text, text, text, text, boolean, uuid, integer
) is 'Computes what public.audience_event_list() returns.';
alter function audience_gate.event_list(uuid, timestamptz, timestamptz, text, text, text, text, text, boolean, uuid, integer)
  owner to audience_gate_owner;
revoke all on function audience_gate.event_list(
  uuid, timestamptz, timestamptz, text, text, text, text, text, boolean, uuid, integer
) from public, anon, authenticated, service_role;
grant execute on function audience_gate.event_list(
  uuid, timestamptz, timestamptz, text, text, text, text, text, boolean, uuid, integer
) to authenticated, service_role;

create or replace function public.audience_event_list(
  site uuid, from_time timestamptz, to_time timestamptz, tier text default null, event_type text default null,
  campaign text default null, page text default null, source text default null, rejected boolean default null,
  before uuid default null, row_limit integer default 50
)
returns table (
  id uuid, recorded_at timestamptz, occurred_at timestamptz, event_type text, tier text, event_source text, page text,
  campaign text, signed_in boolean, rejected boolean, rule_id text
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.event_list($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) $$;
comment on function public.audience_event_list(
  uuid, timestamptz, timestamptz, text, text, text, text, text, boolean, uuid, integer
) is
  'The events of a site by when they were recorded, newest first and at most 200, of the latest 50,000 of the range: of a tier, '
  'type, campaign, page path or event_source, accepted or rejected; null: any. before: go on after this one. For members of the '
  'site.';
revoke all on function public.audience_event_list(
  uuid, timestamptz, timestamptz, text, text, text, text, text, boolean, uuid, integer
) from public, anon, authenticated, service_role;
grant execute on function public.audience_event_list(
  uuid, timestamptz, timestamptz, text, text, text, text, text, boolean, uuid, integer
) to authenticated, service_role;

-- As the figures know people: by the session, where its visitor is known to be one user. Up to the last refresh.
create or replace function audience_gate.known_user(p_site uuid, p_user uuid, p_session text)
returns uuid
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return coalesce(p_user, (
    select l.user_id from audience_gate.linked_sessions l where l.site_id = p_site and l.session = md5(p_session)::uuid));
end;
$$;
comment on function audience_gate.known_user(uuid, uuid, text) is
  'The user of an event, or else the one user known of its session; null: a visitor.';
alter function audience_gate.known_user(uuid, uuid, text) owner to audience_gate_owner;
revoke all on function audience_gate.known_user(uuid, uuid, text) from public, anon, authenticated, service_role;

create or replace function audience_gate.event_of_site(p_site uuid, p_event uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform audience_gate.require_member(p_site);
  return (
    select (to_jsonb(e) - 'recorded_xid') || jsonb_build_object(
      'person_known', audience_gate.known_user(e.site_id, e.user_id, e.session_id) is not null,
      'replayed_as', (select p.event_id from public.audience_event_replays p where p.audit_id = e.id),
      'replay_of', (select p.audit_id from public.audience_event_replays p where p.event_id = e.id))
    from public.audience_events e
    where e.id = p_event and e.site_id = p_site
  );
end;
$$;
comment on function audience_gate.event_of_site(uuid, uuid) is 'Computes what public.audience_event() returns.';
alter function audience_gate.event_of_site(uuid, uuid) owner to audience_gate_owner;
revoke all on function audience_gate.event_of_site(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function audience_gate.event_of_site(uuid, uuid) to authenticated, service_role;

create or replace function public.audience_event(site uuid, event uuid)
returns jsonb
language sql
stable
set search_path = ''
as $$ select audience_gate.event_of_site(site, event) $$;
comment on function public.audience_event(uuid, uuid) is
  'One event of a site with all its columns, whether its person is known, and what a replay made of it or made it of; null: the '
  'site has none with this id. For members of the site.';
revoke all on function public.audience_event(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function public.audience_event(uuid, uuid) to authenticated, service_role;

create or replace function audience_gate.trail(p_site uuid, p_event uuid, p_whose text)
returns table (
  kind text, id text, happened_at timestamptz, what text, tier text, page text, event_source text, rule_id text, from_state text,
  changed_by text, notes text, event_id uuid, subject uuid
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
#variable_conflict use_column
declare
  origin record;
  person uuid;
begin
  perform audience_gate.require_member(p_site);
  if p_whose is null or p_whose not in ('session', 'person') then
    raise exception 'whose is session or person' using errcode = 'invalid_parameter_value';
  end if;
  select e.session_id, e.user_id into origin from public.audience_events e where e.id = p_event and e.site_id = p_site;
  person := case when p_whose = 'person' then audience_gate.known_user(p_site, origin.user_id, origin.session_id) end;
  return query
  select * from (
    select case when e.rejected then 'refused' else 'event' end, e.id::text, coalesce(e.occurred_at, e.created_at),
      case when e.rejected then coalesce(e.metadata #>> '{original_payload_snapshot,event_type}', '') else e.event_type end,
      t.tier, e.metadata ->> 'page_path', e.event_source,
      case when e.rejected then e.metadata ->> 'validation_rule_id' end, null::text, null::text, null::text, null::uuid, e.user_id
    from (
      select * from public.audience_events p where p.user_id = person
      union all
      select v.* from audience_gate.linked_sessions l
      join public.audience_events v on v.session_id = l.session_id and v.user_id is null
      where l.site_id = p_site and l.user_id = person
      union all
      select * from public.audience_events s where person is null and s.session_id = origin.session_id
    ) e
    left join public.audience_event_types t on t.id = e.event_type
    where e.site_id = p_site
    union all
    select 'state', h.id::text, h.effective_at, h.to_state, null, null, null, h.rule_id, h.from_state, h.changed_by, h.notes,
      h.event_id, h.user_id
    from public.audience_state_events h
    where h.site_id = p_site and h.user_id = person
  ) everything (kind, id, at, what, tier, page, source, rule_id, from_state, changed_by, notes, event_id, subject)
  order by everything.at desc, everything.kind desc, length(everything.id) desc, everything.id desc
  limit 500;
end;
$$;
comment on function audience_gate.trail(uuid, uuid, text) is 'Computes what public.audience_trail() returns.';
alter function audience_gate.trail(uuid, uuid, text) owner to audience_gate_owner;
revoke all on function audience_gate.trail(uuid, uuid, text) from public, anon, authenticated, service_role;
grant execute on function audience_gate.trail(uuid, uuid, text) to authenticated, service_role;

create or replace function public.audience_trail(site uuid, event uuid, whose text default 'session')
returns table (
  kind text, id text, happened_at timestamptz, what text, tier text, page text, event_source text, rule_id text, from_state text,
  changed_by text, notes text, event_id uuid, subject uuid
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.trail(site, event, whose) $$;
comment on function public.audience_trail(uuid, uuid, text) is
  'What happened in the session of an event, or to its person at this site with their changes of state and who made them, '
  'newest first and at most 500. What they did in a session before they signed in is theirs too, as in the figures. A person is '
  'named by one of their events, so that no address needs to hold who they are. For members of the site.';
revoke all on function public.audience_trail(uuid, uuid, text) from public, anon, authenticated, service_role;
grant execute on function public.audience_trail(uuid, uuid, text) to authenticated, service_role;
