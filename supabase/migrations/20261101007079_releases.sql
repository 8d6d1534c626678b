-- When each version of what sends, each release that was announced, and each contract was first there, so that a chart can say
-- what changed on the day on which its line did. The fold notes it, and nothing takes it back: an erasure is of a person, and a
-- month that is detached was there. So it is no figure, which a rebuild would make anew of what the log still has.

create table audience_gate.releases (
  site_id uuid,
  kind text,
  sender text,
  release text,
  first_seen timestamptz not null,
  primary key (site_id, kind, sender, release),
  constraint releases_kind_chk check (kind in ('tracker', 'release', 'contract'))
);
comment on table audience_gate.releases is 'When the gate first saw a version of something, by site: a thousand of them, or a few more.';
comment on column audience_gate.releases.site_id is 'The site.';
comment on column audience_gate.releases.kind is
  'What it is a version of. tracker: what sent an event; release: an application, by a back end that announced it; contract: the contract.';
comment on column audience_gate.releases.sender is 'The event_source of the events that name it; empty: none, or it is a contract.';
comment on column audience_gate.releases.release is 'Its name: of a tracker, with its version; of a contract, the fingerprint.';
comment on column audience_gate.releases.first_seen is 'When the first event that names it was received.';

create or replace view audience_gate.versioned_events with (security_invoker = true) as
select
  e.site_id, e.created_at, e.recorded_xid,
  pg_visible_in_snapshot(e.recorded_xid, (select s.folded from audience_gate.fold_state s))
    and e.recorded_xid <> (select s.folded_by from audience_gate.fold_state s) as folded,
  coalesce(left(case when e.rejected then e.metadata #>> '{original_payload_snapshot,event_source}' else e.event_source end, 100), '')
    as sender,
  left(case when e.rejected then e.metadata #>> '{original_payload_snapshot,metadata,tracker}' else e.metadata ->> 'tracker' end, 100)
    as tracker,
  case when e.event_type = 'release_deployed' then left(e.metadata ->> 'release_id', 100) end as announced,
  e.contract
from public.audience_events e
where e.contract is not null
  and e.recorded_xid <> (select s.folding from audience_gate.fold_state s);
comment on view audience_gate.versioned_events is
  'The events of the log, the rejected ones included, with the versions that each names: a release that breaks something is seen '
  'by what is rejected of it.';
comment on column audience_gate.versioned_events.site_id is 'The site.';
comment on column audience_gate.versioned_events.created_at is 'When it was received.';
comment on column audience_gate.versioned_events.recorded_xid is 'The transaction that recorded it.';
comment on column audience_gate.versioned_events.folded is 'Whether the tables of figures hold it; else it is in the live tail.';
comment on column audience_gate.versioned_events.sender is 'The event_source that it names; empty: none.';
comment on column audience_gate.versioned_events.tracker is 'The tracker that sent it, with its version.';
comment on column audience_gate.versioned_events.announced is 'The release that it announces.';
comment on column audience_gate.versioned_events.contract is 'The fingerprint of the contract that judged it.';

-- A version has a number in it; what has none is a name, or what is left where a personal value was.
create or replace function audience_gate.versions_named(sender text, tracker text, announced text, contract text)
returns table (kind text, of_sender text, release text)
language sql
immutable
set search_path = ''
as $$
  select v.kind, v.sender, v.release
  from (values ('tracker', versions_named.sender, tracker), ('release', versions_named.sender, announced), ('contract', '', contract))
    v (kind, sender, release)
  where v.release ~ '[0-9]'
$$;
comment on function audience_gate.versions_named(text, text, text, text) is
  'The versions that an event names, as audience_gate.releases has them.';

create or replace function audience_gate.note_releases()
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  insert into audience_gate.releases as c (site_id, kind, sender, release, first_seen)
  select f.site_id, f.kind, f.of_sender, f.release, f.first_seen
  from (
    select g.site_id, v.*, min(g.first_seen) as first_seen,
      row_number() over (partition by g.site_id order by min(g.first_seen)) as nth
    from (
      select e.site_id, e.sender, e.tracker, e.announced, e.contract, min(e.created_at) as first_seen
      from audience_gate.versioned_events e
      where e.folded
      group by 1, 2, 3, 4, 5
    ) g
    cross join lateral audience_gate.versions_named(g.sender, g.tracker, g.announced, g.contract) v
    group by g.site_id, v.kind, v.of_sender, v.release
  ) f
  where f.nth <= 1000
  on conflict on constraint releases_pkey do update set first_seen = excluded.first_seen
  where excluded.first_seen < c.first_seen;
end;
$$;
comment on function audience_gate.note_releases() is 'Notes the versions that the folded events of the log name.';

create or replace function audience_gate.release_tail(p_site uuid)
returns table (kind text, sender text, release text, first_seen timestamptz)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  -- Whoever sends another name with every event fills no table.
  if (select count(*) from audience_gate.releases k where k.site_id = p_site) >= 1000 then
    return;
  end if;
  return query
  select v.kind, v.of_sender, v.release, min(g.first_seen)
  from (
    select e.sender, e.tracker, e.announced, e.contract, min(e.created_at) as first_seen
    from audience_gate.versioned_events e
    where e.site_id = p_site and not e.folded
      and e.recorded_xid >= (select pg_snapshot_xmin(s.folded) from audience_gate.fold_state s)
    group by 1, 2, 3, 4
  ) g
  cross join lateral audience_gate.versions_named(g.sender, g.tracker, g.announced, g.contract) v
  group by 1, 2, 3
  order by 4
  limit 1000;
end;
$$;
comment on function audience_gate.release_tail(uuid) is
  'The versions that the live tail names: nothing, where a site has a thousand already.';

create or replace function audience_gate.kpi_releases(p_site uuid, p_from timestamptz, p_to timestamptz, p_zone text)
returns table (kind text, sender text, release text, first_seen timestamptz, day date)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  return query
  select d.* from (
    select w.kind, nullif(w.sender, '') as sender, coalesce(n.version, w.release) as release, w.first_seen,
      (w.first_seen at time zone p_zone)::date as day
    from (
      select s.kind, s.sender, s.release, min(s.first_seen) as first_seen,
        row_number() over (partition by s.kind order by min(s.first_seen)) as nth
      from (
        select k.kind, k.sender, k.release, k.first_seen from audience_gate.releases k where k.site_id = p_site
        union all
        select t.kind, t.sender, t.release, t.first_seen from audience_gate.release_tail(p_site) t
      ) s
      group by 1, 2, 3
    ) w
    left join public.audience_contracts n on w.kind = 'contract' and n.fingerprint = w.release
    -- The first contract of a site is no change.
    where w.kind <> 'contract' or w.nth > 1
  ) d
  where d.day between r.first_day and r.last_day
  order by d.first_seen, d.kind, d.release
  limit 200;
end;
$$;
comment on function audience_gate.kpi_releases(uuid, timestamptz, timestamptz, text) is 'Computes what public.kpi_releases() returns.';

create or replace function public.kpi_releases(
  site uuid, from_time timestamptz, to_time timestamptz, time_zone text default 'UTC'
)
returns table (kind text, sender text, release text, first_seen timestamptz, day date)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_releases(site, from_time, to_time, time_zone) $$;
comment on function public.kpi_releases(uuid, timestamptz, timestamptz, text)
is $$Releases: when each version of what sends was first seen, so that a chart can mark it.
Grain: one row for each version that was first seen in the range, at most 200, oldest first. A site remembers a thousand.
Time zone: decides which local days the range touches, and on which of them a version was first seen.
Source: releases
kind: tracker, as senders name themselves in metadata.tracker; release, as back ends announce them; contract, from the second on
sender: the event_source of the events that name it; null: none, or it is a contract
release: its name, with the version; of a contract, the version
first_seen: when the first event that names it was received, accepted or rejected; an erasure and a month that is detached leave it
day: the local day of that$$;

do $$
declare
  made text;
begin
  alter table audience_gate.releases owner to audience_gate_owner;
  alter table audience_gate.releases enable row level security;
  create policy releases_gate on audience_gate.releases to audience_gate_owner using (true) with check (true);
  revoke all on audience_gate.releases from public, anon, authenticated, service_role;
  alter view audience_gate.versioned_events owner to audience_gate_owner;
  revoke all on audience_gate.versioned_events from public, anon, authenticated, service_role;
  foreach made in array array['versions_named(text, text, text, text)', 'note_releases()', 'release_tail(uuid)'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', made);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
  end loop;
  alter function audience_gate.kpi_releases(uuid, timestamptz, timestamptz, text) owner to audience_gate_owner;
  foreach made in array array['audience_gate', 'public'] loop
    execute format('revoke all on function %I.kpi_releases(uuid, timestamptz, timestamptz, text) from public, anon', made);
    execute format('grant execute on function %I.kpi_releases(uuid, timestamptz, timestamptz, text) to authenticated, service_role', made);
  end loop;
end $$;
