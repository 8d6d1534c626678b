-- The changes of states, kept by the fold: history is append-only and has no number that tells what a late transaction will
-- still commit, so each change waits in a table of its own until the fold takes it.

drop materialized view audience_gate.state_flow;
drop materialized view audience_gate.state_dwell;

create table audience_gate.unfolded_changes (
  site_id uuid,
  change_id bigint,
  primary key (site_id, change_id)
);
comment on table audience_gate.unfolded_changes is 'The changes of states since the last fold.';
comment on column audience_gate.unfolded_changes.site_id is 'The site.';
comment on column audience_gate.unfolded_changes.change_id is 'An id of public.audience_state_events.';

create or replace function audience_gate.note_changes()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  insert into audience_gate.unfolded_changes (site_id, change_id) select a.site_id, a.id from added a where a.site_id is not null;
  return null;
end;
$$;
comment on function audience_gate.note_changes() is 'Notes changes of states for the next fold.';
drop trigger if exists trg_note_changes on public.audience_state_events;
create trigger trg_note_changes after insert on public.audience_state_events
referencing new table as added for each statement execute function audience_gate.note_changes();

create or replace view audience_gate.state_moves with (security_invoker = true) as
select
  e.site_id, e.changed_at, e.effective_at as at, coalesce(e.from_state, '') as from_state, e.to_state,
  case when p.effective_at is not null then greatest(extract(epoch from e.effective_at - p.effective_at), 0) end as stayed_seconds,
  e.id
from public.audience_state_events e
left join lateral (
  select b.effective_at
  from public.audience_state_events b
  where b.user_id = e.user_id and b.site_id = e.site_id and b.id < e.id
  order by b.id desc
  limit 1
) p on true
where e.site_id is not null;
comment on column audience_gate.state_moves.id is 'Its id.';

create table audience_gate.flow_slots (
  site_id uuid,
  slot timestamptz,
  from_state text,
  to_state text,
  transitions bigint not null,
  stays bigint not null,
  seconds numeric not null,
  primary key (site_id, slot, from_state, to_state)
);
comment on table audience_gate.flow_slots is
  'Transitions by site, slot of fifteen minutes from which they hold, state before and state after.';
comment on column audience_gate.flow_slots.site_id is 'The site.';
comment on column audience_gate.flow_slots.slot is 'When the fifteen minutes began.';
comment on column audience_gate.flow_slots.from_state is 'The state before; empty for a first state.';
comment on column audience_gate.flow_slots.to_state is 'The state after.';
comment on column audience_gate.flow_slots.transitions is 'How many changes.';
comment on column audience_gate.flow_slots.stays is 'How many of them ended a stay in the state before.';
comment on column audience_gate.flow_slots.seconds is 'The sum of the seconds of those stays.';

create table audience_gate.flow_days (
  site_zone integer,
  day date,
  from_state text,
  to_state text,
  transitions bigint not null,
  stays bigint not null,
  seconds numeric not null,
  primary key (site_zone, day, from_state, to_state)
);
comment on table audience_gate.flow_days is
  'flow_slots by local day.';
comment on column audience_gate.flow_days.site_zone is 'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.flow_days.day is 'The local day.';
comment on column audience_gate.flow_days.from_state is 'The state before; empty for a first state.';
comment on column audience_gate.flow_days.to_state is 'The state after.';
comment on column audience_gate.flow_days.transitions is 'How many changes.';
comment on column audience_gate.flow_days.stays is 'How many of them ended a stay in the state before.';
comment on column audience_gate.flow_days.seconds is 'The sum of the seconds of those stays.';

create or replace view audience_gate.whole_flow_slots with (security_invoker = true) as
select m.site_id, date_bin('15 minutes', m.at, timestamptz '2000-01-01Z') as slot, m.from_state, m.to_state,
  count(*)::bigint as transitions, count(m.stayed_seconds)::bigint as stays,
  coalesce(sum(m.stayed_seconds), 0) as seconds
from audience_gate.state_moves m
where not exists (select from audience_gate.unfolded_changes u where u.site_id = m.site_id and u.change_id = m.id)
group by 1, 2, 3, 4;
comment on view audience_gate.whole_flow_slots is 'What flow_slots holds, from all history.';

create or replace view audience_gate.whole_flow_days with (security_invoker = true) as
select z.site_id, z.id as site_zone, (s.slot at time zone z.time_zone)::date as day, s.from_state, s.to_state,
  sum(s.transitions)::bigint as transitions, sum(s.stays)::bigint as stays, sum(s.seconds) as seconds
from audience_gate.flow_slots s
join audience_gate.site_zones z on z.site_id = s.site_id
group by 1, 2, 3, 4, 5;
comment on view audience_gate.whole_flow_days is 'What flow_days holds, from all slots.';

create or replace function audience_gate.flow_tail(p_site uuid, p_views_hold boolean)
returns table (slot timestamptz, from_state text, to_state text, transitions bigint, stays bigint, seconds numeric)
language sql
stable
set search_path = ''
set enable_seqscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select date_bin('15 minutes', m.at, timestamptz '2000-01-01Z'), m.from_state, m.to_state, count(*)::bigint,
    count(m.stayed_seconds)::bigint, coalesce(sum(m.stayed_seconds), 0)
  from (
    select w.* from audience_gate.unfolded_changes u
    join audience_gate.state_moves w on w.id = u.change_id
    where p_views_hold and u.site_id = p_site
    union all
    select w.* from audience_gate.state_moves w where not p_views_hold and w.site_id = p_site
  ) m
  group by 1, 2, 3
$$;
comment on function audience_gate.flow_tail(uuid, boolean) is
  'What is not folded yet of flow_slots; everything, where the tables do not hold.';

create or replace function audience_gate.flow_cells(
  p_site uuid, p_site_zone integer, p_time_zone text, p_views_hold boolean, p_first_day date, p_last_day date
)
returns table (day date, from_state text, to_state text, transitions bigint, stays bigint, seconds numeric)
language sql
stable
set search_path = ''
as $$
  select v.day, v.from_state, v.to_state, v.transitions, v.stays, v.seconds
  from audience_gate.flow_days v
  where p_views_hold and v.site_zone = p_site_zone and v.day between p_first_day and p_last_day
  union all
  select d.* from (
    select (s.slot at time zone p_time_zone)::date as day, s.from_state, s.to_state, s.transitions, s.stays, s.seconds
    from (
      select v.slot, v.from_state, v.to_state, v.transitions, v.stays, v.seconds
      from audience_gate.flow_slots v
      where p_views_hold and p_site_zone is null and v.site_id = p_site
        and v.slot >= ((p_first_day - 1)::timestamp at time zone p_time_zone)
        and v.slot < ((p_last_day + 2)::timestamp at time zone p_time_zone)
      union all
      select t.slot, t.from_state, t.to_state, t.transitions, t.stays, t.seconds from audience_gate.flow_tail(p_site, p_views_hold) t
    ) s
  ) d
  where d.day between p_first_day and p_last_day
$$;
comment on function audience_gate.flow_cells(uuid, integer, text, boolean, date, date) is
  'Transitions on the local days of a range.';

create table audience_gate.stay_slots (
  site_id uuid,
  slot timestamptz,
  state text,
  bucket integer,
  stays bigint not null,
  seconds numeric not null,
  primary key (site_id, slot, state, bucket)
);
comment on table audience_gate.stay_slots is
  'Completed stays by site, slot of fifteen minutes in which they ended, and state, as histograms of seconds.';
comment on column audience_gate.stay_slots.site_id is 'The site.';
comment on column audience_gate.stay_slots.slot is 'When the fifteen minutes began.';
comment on column audience_gate.stay_slots.state is 'The state.';
comment on column audience_gate.stay_slots.bucket is 'The bucket of the histogram.';
comment on column audience_gate.stay_slots.stays is 'How many stays lie in it.';
comment on column audience_gate.stay_slots.seconds is 'The sum of their seconds.';

create table audience_gate.stay_days (
  site_zone integer,
  day date,
  state text,
  bucket integer,
  stays bigint not null,
  seconds numeric not null,
  primary key (site_zone, day, state, bucket)
);
comment on table audience_gate.stay_days is
  'stay_slots by local day.';
comment on column audience_gate.stay_days.site_zone is 'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.stay_days.day is 'The local day.';
comment on column audience_gate.stay_days.state is 'The state.';
comment on column audience_gate.stay_days.bucket is 'The bucket of the histogram.';
comment on column audience_gate.stay_days.stays is 'How many stays lie in it.';
comment on column audience_gate.stay_days.seconds is 'The sum of their seconds.';

create or replace view audience_gate.whole_stay_slots with (security_invoker = true) as
select m.site_id, date_bin('15 minutes', m.at, timestamptz '2000-01-01Z') as slot, m.from_state as state,
  audience_gate.histogram_bucket(m.stayed_seconds) as bucket, count(*)::bigint as stays, sum(m.stayed_seconds) as seconds
from audience_gate.state_moves m
where m.stayed_seconds is not null
  and not exists (select from audience_gate.unfolded_changes u where u.site_id = m.site_id and u.change_id = m.id)
group by 1, 2, 3, 4;
comment on view audience_gate.whole_stay_slots is 'What stay_slots holds, from all history.';

create or replace view audience_gate.whole_stay_days with (security_invoker = true) as
select z.site_id, z.id as site_zone, (s.slot at time zone z.time_zone)::date as day, s.state, s.bucket,
  sum(s.stays)::bigint as stays, sum(s.seconds) as seconds
from audience_gate.stay_slots s
join audience_gate.site_zones z on z.site_id = s.site_id
group by 1, 2, 3, 4, 5;
comment on view audience_gate.whole_stay_days is 'What stay_days holds, from all slots.';

create or replace function audience_gate.stay_tail(p_site uuid, p_views_hold boolean)
returns table (slot timestamptz, state text, bucket integer, stays bigint, seconds numeric)
language sql
stable
set search_path = ''
set enable_seqscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select date_bin('15 minutes', m.at, timestamptz '2000-01-01Z'), m.from_state, audience_gate.histogram_bucket(m.stayed_seconds),
    count(*)::bigint, sum(m.stayed_seconds)
  from (
    select w.* from audience_gate.unfolded_changes u
    join audience_gate.state_moves w on w.id = u.change_id
    where p_views_hold and u.site_id = p_site
    union all
    select w.* from audience_gate.state_moves w where not p_views_hold and w.site_id = p_site
  ) m
  where m.stayed_seconds is not null
  group by 1, 2, 3
$$;
comment on function audience_gate.stay_tail(uuid, boolean) is
  'What is not folded yet of stay_slots; everything, where the tables do not hold.';

create or replace function audience_gate.stay_cells(
  p_site uuid, p_site_zone integer, p_time_zone text, p_views_hold boolean, p_first_day date, p_last_day date
)
returns table (day date, state text, bucket integer, stays bigint, seconds numeric)
language sql
stable
set search_path = ''
as $$
  select v.day, v.state, v.bucket, v.stays, v.seconds
  from audience_gate.stay_days v
  where p_views_hold and v.site_zone = p_site_zone and v.day between p_first_day and p_last_day
  union all
  select d.* from (
    select (s.slot at time zone p_time_zone)::date as day, s.state, s.bucket, s.stays, s.seconds
    from (
      select v.slot, v.state, v.bucket, v.stays, v.seconds
      from audience_gate.stay_slots v
      where p_views_hold and p_site_zone is null and v.site_id = p_site
        and v.slot >= ((p_first_day - 1)::timestamp at time zone p_time_zone)
        and v.slot < ((p_last_day + 2)::timestamp at time zone p_time_zone)
      union all
      select t.slot, t.state, t.bucket, t.stays, t.seconds from audience_gate.stay_tail(p_site, p_views_hold) t
    ) s
  ) d
  where d.day between p_first_day and p_last_day
$$;
comment on function audience_gate.stay_cells(uuid, integer, text, boolean, date, date) is
  'Completed stays that ended on the local days of a range.';

do $$
declare
  made text;
begin
  foreach made in array array['unfolded_changes', 'flow_slots', 'flow_days', 'stay_slots', 'stay_days'] loop
    execute format('alter table audience_gate.%I owner to audience_gate_owner', made);
    execute format('alter table audience_gate.%I enable row level security', made);
    execute format('create policy %I on audience_gate.%I to audience_gate_owner using (true) with check (true)', made || '_gate', made);
    execute format('revoke all on audience_gate.%I from public, anon, authenticated, service_role', made);
  end loop;
  foreach made in array array['whole_flow_slots', 'whole_flow_days', 'whole_stay_slots', 'whole_stay_days'] loop
    execute format('alter view audience_gate.%I owner to audience_gate_owner', made);
    execute format('revoke all on audience_gate.%I from public, anon, authenticated, service_role', made);
  end loop;
  foreach made in array array[
    'note_changes()',
    'flow_tail(uuid, boolean)',
    'stay_tail(uuid, boolean)',
    'flow_cells(uuid, integer, text, boolean, date, date)',
    'stay_cells(uuid, integer, text, boolean, date, date)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', made);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
  end loop;
end $$;
