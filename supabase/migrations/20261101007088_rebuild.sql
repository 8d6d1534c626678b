-- The figures made anew: of a site, from what is folded of it, or of all sites, from all events.

create or replace function audience_gate.make_figures(sites uuid[])
returns void
language plpgsql
volatile
set search_path = ''
set work_mem = '64MB'
set max_parallel_workers_per_gather = 0
set jit = off
as $$
declare
  item record;
  zones integer[];
begin
  if sites = '{}' then
    return;
  end if;
  insert into audience_gate.site_zones (site_id, time_zone) select s.id, 'UTC' from unnest(sites) s (id) on conflict do nothing;
  update audience_gate.site_zones z
  set terms = audience_gate.figure_terms(z.site_id), funnel_terms = audience_gate.funnel_terms(z.site_id)
  where z.site_id = any (sites);
  zones := array(select z.id from audience_gate.site_zones z where z.site_id = any (sites));
  -- If the rule that tells people apart has changed, the same slots are other people's.
  update audience_gate.session_slots s set person = p.person
  from (
    select distinct a.site_id, a.session, a.sender, audience_gate.person(nullif(a.sender, a.session),
      case when u.first_user = u.last_user and coalesce(r.rule, 'session') = 'session' then u.first_user end, a.session) as person
    from audience_gate.session_slots a
    left join audience_gate.session_users u on u.site_id = a.site_id and u.session = a.session
    left join audience_gate.person_rules r on r.site_id = a.site_id
    where a.site_id = any (sites)
  ) p
  where s.site_id = p.site_id and s.session = p.session and s.sender = p.sender and s.person <> p.person;
  for item in select * from audience_gate.figure_tables() t where t.name not in ('session_users', 'session_slots') order by t.nth loop
    execute format('delete from audience_gate.%I where %I = any (%s)', item.name, item.place,
      case item.place when 'site_id' then '$1' else '$2' end) using sites, zones;
    execute format('insert into audience_gate.%1$I (%2$s) select * from (%3$s) w (%2$s) where %4$I = any (%5$s) order by %6$s', item.name,
      audience_gate.figure_columns(item.name), item.whole, item.place, case item.place when 'site_id' then '$1' else '$2' end,
      audience_gate.figure_order(item.name))
    using sites, zones;
  end loop;
end;
$$;
comment on function audience_gate.make_figures(uuid[]) is
  'Makes the figures of sites anew from what is folded of them.';

create or replace function audience_gate.make_all_figures()
returns bigint
language plpgsql
volatile
set search_path = ''
set work_mem = '64MB'
set max_parallel_workers_per_gather = 0
set jit = off
as $$
begin
  -- A transaction that is newer than any of this database is one of another, which it was restored from.
  update public.audience_events e set recorded_xid = '3'
  where e.recorded_xid >= pg_snapshot_xmax(pg_current_snapshot()) and e.recorded_xid <> pg_current_xact_id();
  update audience_gate.fold_state set folded = pg_current_snapshot(), folded_by = folding, folding = '0';
  delete from audience_gate.session_users;
  insert into audience_gate.session_users select * from audience_gate.whole_session_users;
  analyze audience_gate.session_users;
  delete from audience_gate.session_slots;
  insert into audience_gate.session_slots select * from audience_gate.whole_session_slots;
  analyze audience_gate.session_slots;
  -- The figures that follow leave out what is noted from now on.
  delete from audience_gate.receipt_corrections;
  delete from audience_gate.unfolded_changes;
  perform audience_gate.make_figures(array(select s.id from public.audience_sites s));
  perform audience_gate.note_releases();
  return (select coalesce(sum(n.events), 0) from audience_gate.session_slots s cross join lateral unnest(s.events) n (events));
end;
$$;
comment on function audience_gate.make_all_figures() is 'Makes all figures anew, from all events, and says of how many.';

-- A rebuild is asked for in a row of its own, which another transaction than the fold's can commit at any moment without
-- waiting for it: whatever it changed, the rows that the fold removes were there before the fold looked at the events.
create or replace function audience_gate.fold_figures()
returns bigint
language plpgsql
volatile
set search_path = ''
as $$
declare
  whole boolean;
  asked bigint;
  tail record;
begin
  update audience_gate.fold_state s set folding = pg_current_xact_id();
  delete from audience_gate.rebuilds_due;
  get diagnostics asked = row_count;
  whole := asked > 0 or exists (
    select from audience_gate.fold_state s
    where pg_snapshot_xmax(s.folded) = '3' or pg_snapshot_xmax(s.folded) > pg_snapshot_xmax(pg_current_snapshot()));
  if whole then
    return audience_gate.make_all_figures();
  end if;
  select * into tail from audience_gate.fold_tail();
  perform audience_gate.make_figures(tail.stale_sites);
  return tail.folded_events;
end;
$$;
comment on function audience_gate.fold_figures() is
  'Brings the tables of figures up to date, by what is new if that is enough. Says how many events it took.';

do $$
declare
  signature text;
begin
  foreach signature in array array['make_figures(uuid[])', 'make_all_figures()', 'fold_figures()'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;

-- What a column of a recomputation is, is what the column of its table is.
do $$
declare
  item record;
begin
  for item in
    select w.relname, a.attname, coalesce(col_description(t.oid, b.attnum), 'The site.') as comment
    from pg_catalog.pg_class w
    join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum > 0
    join pg_catalog.pg_class t on t.relnamespace = w.relnamespace and 'whole_' || t.relname = w.relname
    left join pg_catalog.pg_attribute b on b.attrelid = t.oid and b.attname = a.attname
    where w.relnamespace = 'audience_gate'::regnamespace and w.relkind = 'v'
  loop
    execute format('comment on column audience_gate.%I.%I is %L', item.relname, item.attname, item.comment);
  end loop;
end $$;
