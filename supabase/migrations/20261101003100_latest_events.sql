-- What the dashboard reads apart from figures: the sites of the caller, the latest events, and the redacted record
-- of what was rejected. Only trusted roles may select from the event log itself. Of an accepted event a member
-- sees neither user nor session nor payload; of a rejected one, the snapshot that was redacted before it was
-- stored.

create or replace function audience_gate.my_sites()
returns table (id uuid, name text, role text)
language sql
stable
security definer
set search_path = ''
as $$
  select s.id, s.name, m.role
  from public.audience_site_members m
  join public.audience_sites s on s.id = m.site_id
  where m.user_id = (select audience_gate.caller_id())
  order by s.name, s.id
$$;
comment on function audience_gate.my_sites() is 'The sites whose figures the signed-in caller may read, by name.';

create or replace function public.audience_my_sites()
returns table (id uuid, name text, role text)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.my_sites() $$;
comment on function public.audience_my_sites() is 'The sites whose figures the signed-in caller may read, by name.';

create or replace function audience_gate.recent_events(p_site uuid, p_limit integer)
returns table (
  id uuid, recorded_at timestamptz, event_type text, event_category text, tier text, event_source text, rejected
  boolean, rule_id text
)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if not audience_gate.can_read_site(p_site) then
    raise exception 'not a member of this site' using errcode = '42501', hint = 'ask the owner of the site for membership';
  end if;
  return query
    select
      e.id, e.created_at, e.event_type, e.event_category, t.tier, e.event_source,
      e.rejected, case when e.rejected then e.metadata ->> 'validation_rule_id' end
    from public.audience_events e
    left join public.audience_event_types t on t.id = e.event_type
    where e.site_id = p_site
    order by e.created_at desc, e.id
    limit least(greatest(p_limit, 1), 100);
end
$$;
comment on function audience_gate.recent_events(uuid, integer) is
  'The latest events of a site that the caller may read, newest first, without person, session or payload.';

create or replace function public.audience_recent_events(site uuid, row_limit integer default 20)
returns table (
  id uuid, recorded_at timestamptz, event_type text, event_category text, tier text, event_source text, rejected
  boolean, rule_id text
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.recent_events(site, row_limit) $$;
comment on function public.audience_recent_events(uuid, integer) is
  'The latest events of a site, newest first and at most 100: what happened, but not who did it. For members of the '
  'site.';

create or replace function audience_gate.rejections(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_rule text, p_limit integer
)
returns table (
  id uuid, recorded_at timestamptz, rule_id text, reason text, violations jsonb, snapshot jsonb, source_system
  text, payload_bytes bigint
)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if not audience_gate.can_read_site(p_site) then
    raise exception 'not a member of this site' using errcode = '42501', hint = 'ask the owner of the site for membership';
  end if;
  return query
    select
      e.id, e.created_at, e.metadata ->> 'validation_rule_id', e.metadata ->> 'rejection_reason',
      coalesce(e.metadata -> 'violations', '[]'::jsonb), e.metadata -> 'original_payload_snapshot',
      e.metadata ->> 'source_system', (e.metadata ->> 'payload_bytes')::bigint
    from public.audience_events e
    where e.site_id = p_site and e.rejected
      and e.metadata ->> 'validation_rule_id' = p_rule
      and e.created_at >= p_from and e.created_at < p_to
    order by e.created_at desc, e.id
    limit least(greatest(p_limit, 1), 100);
end
$$;
comment on function audience_gate.rejections(uuid, timestamptz, timestamptz, text, integer) is
  'What one rule rejected at a site that the caller may read, newest first, with the redacted snapshots.';

create or replace function public.audience_rejections(
  site uuid, from_time timestamptz, to_time timestamptz, rule text, row_limit integer default 20
)
returns table (
  id uuid, recorded_at timestamptz, rule_id text, reason text, violations jsonb, snapshot jsonb, source_system
  text, payload_bytes bigint
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.rejections(site, from_time, to_time, rule, row_limit) $$;
comment on function public.audience_rejections(uuid, timestamptz, timestamptz, text, integer) is
  'What one rule rejected from from_time until before to_time, newest first and at most 100, each with its redacted '
  'snapshot. For members of the site.';
