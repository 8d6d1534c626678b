-- Receipts: what the gate made of what it received, by slot. An event that was rejected may be accepted after all, and a row
-- from before the gate may be judged; each such change of mind waits as a correction until the fold takes it.

create or replace function audience_gate.correct_replayed_receipts()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  insert into audience_gate.receipt_corrections (site_id, slot, rule_id, events, basis)
  select e.site_id, date_bin('15 minutes', e.created_at, timestamptz '2000-01-01Z'), c.rule_id, c.events, e.recorded_xid
  from public.audience_events e
  cross join lateral (
    select case when e.contract is null then 'unjudged'
      when e.rejected then coalesce(e.metadata ->> 'validation_rule_id', 'unknown') else '' end as rule_id
  ) b
  cross join lateral (values (true, b.rule_id, -1), (true, '', 1), (false, b.rule_id, -1)) c (is_audit, rule_id, events)
  where e.id in (new.audit_id, new.event_id) and e.rejected = c.is_audit
    and e.id = case when c.is_audit then new.audit_id else new.event_id end;
  return null;
end;
$$;
comment on function audience_gate.correct_replayed_receipts() is
  'Notes that a rejection counts as accepted, and the event that it was replayed as no more beside it.';

create or replace function audience_gate.correct_judged_receipts()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  counted constant integer := case when tg_op = 'INSERT' then 0 else (old.audit_id is not null)::integer end
    - case when tg_op = 'DELETE' then 0 else (new.audit_id is not null)::integer end;
begin
  insert into audience_gate.receipt_corrections (site_id, slot, rule_id, events, basis)
  select e.site_id, date_bin('15 minutes', e.created_at, timestamptz '2000-01-01Z'), 'unjudged', counted, e.recorded_xid
  from public.audience_events e
  where counted <> 0 and e.id = case when tg_op = 'DELETE' then old.event_id else new.event_id end and e.contract is null;
  return null;
end;
$$;
comment on function audience_gate.correct_judged_receipts() is
  'Notes that a row from before the gate counts no more beside the audit row of its rejection.';

drop trigger if exists trg_correct_receipts on public.audience_event_replays;
create trigger trg_correct_receipts after insert on public.audience_event_replays
for each row execute function audience_gate.correct_replayed_receipts();
drop trigger if exists trg_correct_receipts on audience_gate.legacy_judgements;
create trigger trg_correct_receipts after insert or update or delete on audience_gate.legacy_judgements
for each row execute function audience_gate.correct_judged_receipts();

create or replace view audience_gate.received with (security_invoker = true) as
select
  e.site_id, e.created_at,
  case when e.contract is null then 'unjudged'
    when e.rejected then coalesce(e.metadata ->> 'validation_rule_id', 'unknown') else '' end as rule_id,
  a.replayed_at, e.recorded_xid,
  pg_visible_in_snapshot(e.recorded_xid, (select s.folded from audience_gate.fold_state s))
    and e.recorded_xid <> (select s.folded_by from audience_gate.fold_state s) as folded
from public.audience_events e
left join public.audience_event_replays a on e.rejected and a.audit_id = e.id
left join public.audience_event_replays n on not e.rejected and n.event_id = e.id
left join audience_gate.legacy_judgements j on e.contract is null and j.event_id = e.id and j.audit_id is not null
where n.event_id is null and j.event_id is null
  and e.recorded_xid <> (select s.folding from audience_gate.fold_state s);
comment on column audience_gate.received.recorded_xid is 'The transaction that recorded it.';
comment on column audience_gate.received.folded is 'Whether the tables of figures hold it; else it is in the live tail.';

create table audience_gate.receipt_slots (
  site_id uuid,
  slot timestamptz,
  rule_id text,
  events bigint not null,
  primary key (site_id, slot, rule_id)
);
create index idx_receipt_slots_empty on audience_gate.receipt_slots (site_id) where events = 0;
comment on table audience_gate.receipt_slots is
  'Events received, by site and by slot of fifteen minutes: accepted (rule_id empty), rejected by each rule, and those that '
  'nobody has judged (rule_id unjudged).';
comment on column audience_gate.receipt_slots.site_id is 'The site.';
comment on column audience_gate.receipt_slots.slot is 'When the fifteen minutes began.';
comment on column audience_gate.receipt_slots.rule_id is 'The rule; empty: accepted; unjudged: not judged yet.';
comment on column audience_gate.receipt_slots.events is 'How many events.';

-- What was changed of a folded event is not in the table yet.
create or replace view audience_gate.whole_receipt_slots with (security_invoker = true) as
select c.site_id, c.slot, c.rule_id, sum(c.events)::bigint as events
from (
  select r.site_id, date_bin('15 minutes', r.created_at, timestamptz '2000-01-01Z') as slot,
    case when r.replayed_at is null then r.rule_id else '' end as rule_id, 1 as events
  from audience_gate.received r
  where r.folded
  union all
  select k.site_id, k.slot, k.rule_id, k.events from audience_gate.kept_receipts k
  union all
  select u.site_id, u.slot, u.rule_id, -u.events
  from audience_gate.receipt_corrections u
  cross join audience_gate.fold_state s
  where pg_visible_in_snapshot(u.basis, s.folded) and u.basis <> s.folded_by
) c
group by 1, 2, 3
having sum(c.events) <> 0;
comment on view audience_gate.whole_receipt_slots is 'What receipt_slots holds, from all events.';

create or replace function audience_gate.receipt_tail(p_site uuid)
returns table (slot timestamptz, rule_id text, events bigint)
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
  return query
  select c.slot, c.rule_id, sum(c.events)::bigint
  from (
    select date_bin('15 minutes', r.created_at, timestamptz '2000-01-01Z') as slot,
      case when r.replayed_at is null then r.rule_id else '' end as rule_id, 1 as events
    from audience_gate.received r
    where r.site_id = p_site and not r.folded
      and r.recorded_xid >= (select pg_snapshot_xmin(s.folded) from audience_gate.fold_state s)
    union all
    select u.slot, u.rule_id, u.events
    from audience_gate.receipt_corrections u
    cross join audience_gate.fold_state s
    where u.site_id = p_site and pg_visible_in_snapshot(u.basis, s.folded) and u.basis <> s.folded_by
  ) c
  group by 1, 2
  having sum(c.events) <> 0;
end;
$$;
comment on function audience_gate.receipt_tail(uuid) is 'What the live tail adds to receipt_slots and takes from it.';

-- The newest accepted event is in the live tail, or in the newest slot that has one.
create or replace function audience_gate.last_accepted_at(p_site uuid)
returns timestamptz
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  return (
    select greatest(
      (select max(r.created_at) from audience_gate.received r
       where r.site_id = p_site and not r.folded and (r.rule_id = '' or r.replayed_at is not null)
         and r.recorded_xid >= (select pg_snapshot_xmin(s.folded) from audience_gate.fold_state s)),
      (select max(a.created_at) from (
         (select v.slot from audience_gate.receipt_slots v
          where v.site_id = p_site and v.rule_id = '' and v.events + (
            select coalesce(sum(u.events), 0) from audience_gate.receipt_corrections u
            where u.site_id = p_site and u.slot = v.slot and u.rule_id = '') > 0
          order by v.slot desc limit 1)
         union all
         (select u.slot from audience_gate.receipt_corrections u
          where u.site_id = p_site and u.rule_id = '' and u.events > 0 order by u.slot desc limit 1)
       ) n
       cross join lateral (
         (select r.created_at from audience_gate.received r
          where r.site_id = p_site and r.created_at >= n.slot and r.created_at < n.slot + interval '15 minutes'
            and (r.rule_id = '' or r.replayed_at is not null)
          order by r.created_at desc limit 1)
         union all
         (select k.created_at from audience_gate.kept_events k
          where k.site_id = p_site and k.created_at >= n.slot and k.created_at < n.slot + interval '15 minutes'
          order by k.created_at desc limit 1)
       ) a))
  );
end;
$$;
comment on function audience_gate.last_accepted_at(uuid) is 'When the newest accepted event of a site was received.';

alter view audience_gate.received owner to audience_gate_owner;

do $$
declare
  made text;
begin
  foreach made in array array['receipt_slots'] loop
    execute format('alter table audience_gate.%I owner to audience_gate_owner', made);
    execute format('alter table audience_gate.%I enable row level security', made);
    execute format('create policy %I on audience_gate.%I to audience_gate_owner using (true) with check (true)', made || '_gate', made);
    execute format('revoke all on audience_gate.%I from public, anon, authenticated, service_role', made);
  end loop;
  foreach made in array array['whole_receipt_slots'] loop
    execute format('alter view audience_gate.%I owner to audience_gate_owner', made);
    execute format('revoke all on audience_gate.%I from public, anon, authenticated, service_role', made);
  end loop;
  foreach made in array array[
    'correct_replayed_receipts()',
    'correct_judged_receipts()',
    'receipt_tail(uuid)',
    'last_accepted_at(uuid)'
  ] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', made);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
  end loop;
end $$;
