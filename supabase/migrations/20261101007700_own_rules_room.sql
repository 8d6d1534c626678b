-- Rules of an install's own in the hands of a site's owners: what one would refuse before it is saved, what it counted in
-- observe, and who changed it.

-- Owners keep the rules of their own sites. Those for every site stay with back ends and administrators.
grant insert (id, category, event_type, site_id, schema, mode, reasons), update (category, event_type, schema, mode, reasons)
  on table public.audience_own_rules to authenticated;
drop policy if exists audience_own_rules_insert_owner on public.audience_own_rules;
create policy audience_own_rules_insert_owner on public.audience_own_rules for insert to authenticated
  with check (site_id in (select audience_gate.owned_sites()));
drop policy if exists audience_own_rules_update_owner on public.audience_own_rules;
create policy audience_own_rules_update_owner on public.audience_own_rules for update to authenticated
  using (site_id in (select audience_gate.owned_sites())) with check (site_id in (select audience_gate.owned_sites()));

create or replace function audience_gate.own_rule_list(p_site uuid)
returns table (
  id text, category text, event_type text, every_site boolean, schema jsonb, mode text, reason text, reasons jsonb,
  updated_at timestamptz, counted bigint, counted_in jsonb, first_at timestamptz, last_at timestamptz, sample jsonb, changes jsonb
)
language sql
stable
security definer
set search_path = ''
as $$
  select r.id, r.category, r.event_type, r.site_id is null, r.schema, r.mode, r.reasons ->> 'en', r.reasons,
    r.updated_at,
    coalesce(o.events, 0), coalesce(o.sources, '{}'), o.first_at, o.last_at, o.sample, coalesce(h.changes, '[]')
  from public.audience_own_rules r
  left join lateral (
    select sum(s.events)::bigint as events, jsonb_object_agg(s.event_source, s.events) as sources, min(s.first_at) as first_at,
      max(s.last_at) as last_at, (array_agg(s.sample order by s.last_at desc) filter (where s.sample is not null))[1] as sample
    from (
      select c.event_source, sum(c.events)::bigint as events, min(c.minute) as first_at, max(c.minute) as last_at,
        (array_agg(c.sample order by c.id desc) filter (where c.sample is not null))[1] as sample
      from public.audience_observations c
      where c.rule_id = r.id and c.site_id = p_site
      group by c.event_source
    ) s
  ) o on true
  left join lateral (
    select jsonb_agg(jsonb_build_object('happened_at', e.happened_at, 'actor', e.actor, 'before', e.before ->> 'mode',
      'after', e.after ->> 'mode', 'edited', (e.before -> 'schema') is distinct from (e.after -> 'schema')) order by e.id desc) as changes
    from (
      select * from public.audience_own_rule_events w where w.rule_id = r.id order by w.id desc limit 10
    ) e
  ) h on true
  where r.site_id = p_site or r.site_id is null
  order by r.id
$$;
comment on function audience_gate.own_rule_list(uuid) is 'Computes what public.audience_own_rule_list() returns.';
alter function audience_gate.own_rule_list(uuid) owner to audience_gate_owner;
revoke all on function audience_gate.own_rule_list(uuid) from public, anon, authenticated, service_role;

create or replace function audience_gate.own_rules_of_site(p_site uuid)
returns table (
  id text, category text, event_type text, every_site boolean, schema jsonb, mode text, reason text, reasons jsonb,
  updated_at timestamptz, counted bigint, counted_in jsonb, first_at timestamptz, last_at timestamptz, sample jsonb, changes jsonb
)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform audience_gate.require_member(p_site);
  return query select * from audience_gate.own_rule_list(p_site);
end;
$$;
comment on function audience_gate.own_rules_of_site(uuid) is 'The same, for callers who may read the site.';
alter function audience_gate.own_rules_of_site(uuid) owner to audience_gate_owner;
revoke all on function audience_gate.own_rules_of_site(uuid) from public, anon, authenticated, service_role;
grant execute on function audience_gate.own_rules_of_site(uuid) to authenticated, service_role;

create or replace function public.audience_own_rule_list(site uuid)
returns table (
  id text, category text, event_type text, every_site boolean, schema jsonb, mode text, reason text, reasons jsonb,
  updated_at timestamptz, counted bigint, counted_in jsonb, first_at timestamptz, last_at timestamptz, sample jsonb, changes jsonb
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.own_rules_of_site(site) $$;
comment on function public.audience_own_rule_list(uuid) is
  'The install''s own rules that bind a site, with how many of its events each counted in observe, by event_source, one of them '
  'redacted, and the last ten changes with who made them. For members of the site.';
revoke all on function public.audience_own_rule_list(uuid) from public, anon, authenticated, service_role;
grant execute on function public.audience_own_rule_list(uuid) to authenticated, service_role;

create or replace function audience_gate.try_own_rule(
  p_site uuid, p_schema jsonb, p_category text, p_type text, p_example jsonb
)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
declare
  refusal text;
  example jsonb := audience_gate.own_instance(p_example);
  stored jsonb;
begin
  perform audience_gate.require_owner(p_site);
  refusal := case when p_schema is null then 'there is no schema' else audience_gate.schema_refusal(p_schema) end;
  if refusal is not null then
    return jsonb_build_object('refusal', refusal);
  end if;
  with bound as (
    select * from (
      select * from public.audience_events e where e.site_id = p_site and not e.rejected order by e.created_at desc limit 5000
    ) latest
    where latest.event_category = coalesce(p_category, latest.event_category) and latest.event_type = coalesce(p_type, latest.event_type)
    order by latest.created_at desc
    limit 500
  ), failed as materialized (
    select b.id, b.created_at, b.event_source from bound b
    where audience_gate.schema_fault(p_schema, p_schema, audience_gate.own_instance(to_jsonb(b)), '{}') is not null
  )
  select jsonb_build_object(
    'examined', (select count(*) from bound), 'refused', (select count(*) from failed),
    'senders', (
      select coalesce(jsonb_object_agg(s.event_source, s.events), '{}')
      from (select f.event_source, count(*) as events from failed f group by 1) s),
    'samples', (
      select coalesce(jsonb_agg(s.id), '[]') from (select f.id from failed f order by f.created_at desc limit 5) s))
  into stored;
  return jsonb_build_object(
    'refusal', null,
    'binds', (p_category is null or p_category = example ->> 'event_category') and (p_type is null or p_type = example ->> 'event_type'),
    'place', audience_gate.pointer(audience_gate.schema_fault(p_schema, p_schema, example, '{}')),
    'passes', audience_gate.schema_fault(p_schema, p_schema, example, '{}') is null,
    'stored', stored);
end;
$$;
comment on function audience_gate.try_own_rule(uuid, jsonb, text, text, jsonb) is 'Computes what public.audience_try_own_rule() returns.';
alter function audience_gate.try_own_rule(uuid, jsonb, text, text, jsonb) owner to audience_gate_owner;
revoke all on function audience_gate.try_own_rule(uuid, jsonb, text, text, jsonb) from public, anon, authenticated, service_role;
grant execute on function audience_gate.try_own_rule(uuid, jsonb, text, text, jsonb) to authenticated, service_role;

create or replace function public.audience_try_own_rule(
  site uuid, schema jsonb, category text default null, event_type text default null, example jsonb default '{}'
)
returns jsonb
language sql
stable
set search_path = ''
as $$ select audience_gate.try_own_rule(site, schema, category, event_type, example) $$;
comment on function public.audience_try_own_rule(uuid, jsonb, text, text, jsonb) is
  'What a rule would say if it were saved: refusal, why its schema cannot be judged by; binds, passes and place of the example; '
  'and of the last 500 accepted events that it would bind, among the latest 5,000, how many it would refuse, by which senders, '
  'and five of their ids. Nothing is recorded. For owners of the site and trusted callers.';
revoke all on function public.audience_try_own_rule(uuid, jsonb, text, text, jsonb) from public, anon, authenticated, service_role;
grant execute on function public.audience_try_own_rule(uuid, jsonb, text, text, jsonb) to authenticated, service_role;

create or replace function public.lifecycle_list()
returns table (
  tracked text, stage_column text, entity text, tracked_at timestamptz, untracked_at timestamptz, readable boolean
)
language sql
stable
set search_path = ''
as $$
  select l.tracked::text, l.stage_column, l.entity, l.tracked_at, l.untracked_at,
    has_table_privilege(l.events, 'select')
  from audience_gate.lifecycles l
  order by 1, 2
$$;
comment on function public.lifecycle_list() is
  'The tables that the caller may read and whose changes of stage are recorded, and whether their history is readable too.';
revoke all on function public.lifecycle_list() from public, anon, authenticated, service_role;
grant execute on function public.lifecycle_list() to authenticated, service_role;

create or replace function public.lifecycle_latest(
  tracked regclass, from_time timestamptz default '-infinity', to_time timestamptz default 'infinity', row_limit integer default 20,
  stage_column text default null
)
returns table (record_id text, from_stage text, to_stage text, actor text, changed_at timestamptz, notes text)
language plpgsql
stable
set search_path = ''
as $$
declare
  l audience_gate.lifecycles := audience_gate.lifecycle_of(tracked, stage_column);
begin
  for record_id, from_stage, to_stage, actor, changed_at, notes in
    execute format('select e.%I::text, e.from_stage, e.to_stage, e.actor, e.changed_at, e.notes
      from %s e where e.changed_at >= $1 and e.changed_at < $2 order by e.changed_at desc limit least(greatest($3, 1), 100)',
      l.entity_column, l.events)
    using from_time, to_time, row_limit
  loop
    return next;
  end loop;
end;
$$;
comment on function public.lifecycle_latest(regclass, timestamptz, timestamptz, integer, text) is
  'The latest moves of all records, newest first and at most 100.';
revoke all on function public.lifecycle_latest(regclass, timestamptz, timestamptz, integer, text)
  from public, anon, authenticated, service_role;
grant execute on function public.lifecycle_latest(regclass, timestamptz, timestamptz, integer, text)
  to anon, authenticated, service_role;
