-- Which slots of somebody with a long history a fold has to read: those next to what is new.

create or replace function audience_gate.few_slots()
returns integer
language sql
immutable
set search_path = ''
as $$ select 64 $$;
comment on function audience_gate.few_slots() is
  'Whoever has at most this many slots, or visits, has all of them read when one may have changed; others only some of them.';

-- A slot changes its own cell and that of the slot after it, because each cell says which slot came before; a new first slot
-- changes all cells of the person. So for people with many slots only the neighbours are read: those before and after with the
-- same type, with any type of its tier, and with any type at all. Nearly everybody has few slots, and reading all of those costs
-- less than looking for each neighbour. Reading more rows than needed does no harm: what they get wrong, for lack of their own
-- neighbours, they get wrong before and after alike. Slots are asked for in the order of the index on people, here and below,
-- because the planner thinks another index as good where most slots are one person's.
create or replace function audience_gate.near_slots(p_site uuid, p_people uuid[], p_slots timestamptz[], p_types text[])
returns setof audience_gate.session_slots
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
  with changed as materialized (
    select * from unnest(p_people, p_slots, p_types) c (person, slot, event_type)
  ), active as materialized (
    select array_agg(t.id) as types from public.audience_event_types t where t.tier <> 'system' and t.category <> 'retention'
  ), looked as materialized (
    select s.*, count(*) over (partition by s.person) as found
    from (select c.person from changed c group by 1) p
    cross join lateral (
      select * from audience_gate.session_slots s where s.site_id = p_site and s.person = p.person
      order by s.slot limit (select audience_gate.few_slots() + 1)
    ) s
  ), busy as materialized (
    select p.person, f.slot as first_slot, (select min(c.slot) from changed c where c.person = p.person) <= f.slot as is_first
    from (select l.person from looked l where l.found > (select audience_gate.few_slots()) group by 1) p
    cross join active a
    cross join lateral (
      select s.slot from audience_gate.session_slots s
      where s.site_id = p_site and s.person = p.person and s.event_types && a.types
      order by s.slot limit 1
    ) f
  ), needed as materialized (
    select c.person, c.slot, n.event_type, n.types
    from busy b
    join changed c on c.person = b.person
    join public.audience_event_types t on t.id = c.event_type
    cross join active a
    cross join lateral (values
      (c.event_type, array[c.event_type]),
      (null, array(select y.id from public.audience_event_types y where y.tier = t.tier and y.id = any (a.types))),
      (null, a.types)) n (event_type, types)
    where not b.is_first
    group by 1, 2, 3, 4
  ), near as materialized (
    select b.person, s.slot
    from busy b
    cross join lateral (
      select s.slot from audience_gate.session_slots s where s.site_id = p_site and s.person = b.person offset 0
    ) s
    where b.is_first
    union
    select b.person, b.first_slot from busy b
    union
    select n.person, n.slot from needed n
    union
    select n.person, s.slot
    from needed n
    cross join lateral (
      -- It is nearly always close. If not, and the person had this type in the slot already, a cell says which slot came before.
      select coalesce((
        select t.slot
        from (
          select s.slot, s.event_types from audience_gate.session_slots s
          where s.site_id = p_site and s.person = n.person and s.slot < n.slot
          order by s.slot desc limit 256
        ) t
        where t.event_types && n.types
        order by t.slot desc limit 1
      ), case when n.event_type is not null and exists (
        select from audience_gate.session_slots s
        where s.site_id = p_site and s.person = n.person and s.slot = n.slot and s.event_types && n.types
      ) then (
        select max(f.previous_slot)
        from (
          select f.previous_slot from audience_gate.feature_slots f
          where f.site_id = p_site and f.event_type = n.event_type and f.slot = n.slot
          group by 1 offset 0
        ) f
        cross join lateral (
          select from audience_gate.session_slots s
          where s.site_id = p_site and s.person = n.person and s.slot = f.previous_slot and s.event_types && n.types
          offset 0
        ) s
      ) else (
        select s.slot from audience_gate.session_slots s
        where s.site_id = p_site and s.person = n.person and s.slot < n.slot and s.event_types && n.types
        order by s.slot desc limit 1
      ) end) as slot
      offset 0
    ) s
    where s.slot is not null
    union
    select n.person, s.slot
    from needed n
    cross join lateral (
      select s.slot from audience_gate.session_slots s
      where s.site_id = p_site and s.person = n.person and s.slot > n.slot and s.event_types && n.types
      order by s.slot limit 1
    ) s
  )
  select l.site_id, l.session, l.sender, l.slot, l.person, l.event_types, l.events, l.seconds from looked l
  where l.found <= (select audience_gate.few_slots())
  union all
  select s.*
  from near n
  cross join lateral (
    select * from audience_gate.session_slots s where s.site_id = p_site and s.person = n.person and s.slot = n.slot offset 0
  ) s;
end;
$$;
comment on function audience_gate.near_slots(uuid, uuid[], timestamptz[], text[]) is
  'Those slots of some people whose figures may change when events of these types are added or removed in these slots.';

do $$
declare
  signature text;
begin
  foreach signature in array array['few_slots()', 'near_slots(uuid, uuid[], timestamptz[], text[])'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
