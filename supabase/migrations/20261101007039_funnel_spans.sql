-- Which part of somebody's history can matter to their funnels when something new arrives.

-- It goes back from the new event: to the last slot before it with the same step, from there to the last slot with the step
-- before that, and so on to an entry. Anybody who entered by then had gone through the steps already, and nothing new changes
-- that. Only whole slots are compared, so an event in the same slot never counts as an earlier one. In the same way it goes
-- forward to the last step. Apart from the entries before and after, it looks no further than a funnel lasts.
create or replace function audience_gate.funnel_spans(p_site uuid, p_people uuid[], p_slots timestamptz[], p_types text[])
returns table (person uuid, from_slot timestamptz, until_slot timestamptz)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
  with recursive steps as materialized (
    select f.funnel_id, f.position, f.event_type, f.conversion_window
    from audience_gate.funnel_steps f
    where f.site_id = p_site
  ), people as materialized (
    select p.person, n.slots > (select audience_gate.few_slots()) as busy
    from (select c.person from unnest(p_people) c (person) group by 1) p
    cross join lateral (
      select count(*) as slots
      from (
        select from audience_gate.session_slots s
        where s.site_id = p_site and s.person = p.person
        order by s.slot limit (select audience_gate.few_slots() + 1)
      ) s
    ) n
  ), changed as materialized (
    select c.person, c.slot, s.funnel_id, s.position, s.conversion_window
    from unnest(p_people, p_slots, p_types) c (person, slot, event_type)
    join steps s on s.event_type = c.event_type
    where c.person in (select b.person from people b where b.busy)
    group by 1, 2, 3, 4, 5
  ), back as (
    select c.person, c.funnel_id, c.slot - c.conversion_window as earliest, (c.position + 1)::smallint as position, c.slot from changed c
    union all
    select b.person, b.funnel_id, b.earliest, s.position, e.slot
    from back b
    join steps s on s.funnel_id = b.funnel_id and s.position = b.position - 1
    cross join lateral (
      select coalesce((
        select a.slot from audience_gate.session_slots a
        where a.site_id = p_site and a.person = b.person and a.slot < b.slot and a.slot >= b.earliest - interval '15 minutes'
          and a.event_types && array[s.event_type]
        order by a.slot desc limit 1), '-infinity') as slot
    ) e
    where b.slot > '-infinity'
  ), forth as (
    select c.person, c.funnel_id, c.slot + c.conversion_window as latest, (c.position - 1)::smallint as position, c.slot
    from changed c
    union all
    select f.person, f.funnel_id, case when s.position = 1 and e.slot < 'infinity' then e.slot + s.conversion_window else f.latest end,
      s.position, e.slot
    from forth f
    join steps s on s.funnel_id = f.funnel_id and s.position = f.position + 1
    cross join lateral (
      select coalesce((
        select a.slot from audience_gate.session_slots a
        where a.site_id = p_site and a.person = f.person and a.slot > f.slot and (s.position = 1 or a.slot <= f.latest)
          and a.event_types && array[s.event_type]
        order by a.slot limit 1), 'infinity') as slot
    ) e
    where f.slot < 'infinity'
  ), ends as (
    -- Where a step is missing, the span reaches as far as the funnel lasts.
    select b.person, b.funnel_id, case when b.slot > '-infinity' then b.slot else b.earliest - interval '15 minutes' end as from_slot,
      null as until_slot
    from back b
    union all
    select f.person, f.funnel_id, null, case when f.slot < 'infinity' then f.slot else f.latest end from forth f
  ), spans as (
    select e.person, e.funnel_id, min(e.from_slot) as from_slot, max(e.until_slot) as until_slot from ends e group by 1, 2
  )
  select p.person, '-infinity'::timestamptz, 'infinity'::timestamptz from people p where not p.busy
  union all
  select s.person, min(coalesce(b.slot, s.from_slot)), max(s.until_slot)
  from spans s
  left join lateral (
    select a.slot
    from steps y
    cross join lateral (
      select a.slot from audience_gate.session_slots a
      where a.site_id = p_site and a.person = s.person and a.slot < s.from_slot and a.event_types && array[y.event_type]
      order by a.slot desc limit 1
    ) a
    where y.funnel_id = s.funnel_id and y.position = 1
  ) b on true
  group by 1;
end;
$$;
comment on function audience_gate.funnel_spans(uuid, uuid[], timestamptz[], text[]) is
  'The span of slots of some people that can matter to their funnels when these types change in these slots; from -infinity for '
  'people with few slots.';

create or replace function audience_gate.span_slots(
  p_site uuid, p_people uuid[], p_from timestamptz[], p_until timestamptz[], p_types text[]
)
returns table (person uuid, session uuid, session_id text, sender uuid, slots timestamptz[])
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
  select a.person, a.session, u.session_id, a.sender, a.slots
  from (
    select s.person, a.session, a.sender, array_agg(distinct a.slot) as slots
    from unnest(p_people, p_from, p_until) s (person, from_slot, until_slot)
    cross join lateral (
      select * from audience_gate.session_slots a
      where a.site_id = p_site and a.person = s.person and a.slot between s.from_slot and s.until_slot and a.event_types && p_types
      offset 0
    ) a
    where s.from_slot > '-infinity' or a.sender = a.session
    group by 1, 2, 3
  ) a
  left join audience_gate.session_users u on u.site_id = p_site and u.session = a.session;
end;
$$;
comment on function audience_gate.span_slots(uuid, uuid[], timestamptz[], timestamptz[], text[]) is
  'The sessions in which some people had events of these types within a span of slots, with those slots; of a span from '
  '-infinity, only what they did as visitors.';

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'funnel_spans(uuid, uuid[], timestamptz[], text[])',
    'span_slots(uuid, uuid[], timestamptz[], timestamptz[], text[])'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
