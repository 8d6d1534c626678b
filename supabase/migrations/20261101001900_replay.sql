-- Judging stored rejections again after the registry was corrected: an event type registered, a rule
-- recognised, a payload schema loosened. An event that passes now is recorded as a new event. Its audit row
-- stays, and public.audience_event_replays links the two.
--
-- An audit row holds a redacted copy of what was sent. The copy is the event itself only if nothing was
-- redacted or cut; other rejections are counted and named, never guessed. Nor is an event judged again that was
-- rejected for reasons which the copy cannot answer: who sent it and from where, or that it was no event.

create table if not exists public.audience_event_replays (
  audit_id uuid primary key,
  event_id uuid not null unique,
  site_id uuid not null references public.audience_sites (id),
  replayed_by text not null,
  replayed_at timestamptz not null default now(),
  constraint audience_event_replays_actor_chk check (replayed_by ~ '^(system|user|role):.')
);
create index if not exists idx_audience_event_replays_site on public.audience_event_replays (site_id, replayed_at);
comment on table public.audience_event_replays is
  'Which rejected event was recorded as which new one, append-only. No foreign keys refer to '
  'public.audience_events, so that it can be partitioned.';
comment on column public.audience_event_replays.audit_id is 'The audit row in public.audience_events.';
comment on column public.audience_event_replays.event_id is 'The event that was recorded in its place.';
comment on column public.audience_event_replays.site_id is 'The site of both.';
comment on column public.audience_event_replays.replayed_by is
  'Who replayed it: system:…, user:<uuid> or role:<name>.';
comment on column public.audience_event_replays.replayed_at is 'When it was replayed.';
alter table public.audience_event_replays enable row level security;
revoke all on table public.audience_event_replays from public, anon, authenticated, service_role;

drop trigger if exists trg_audience_event_replays_append_only on public.audience_event_replays;
create trigger trg_audience_event_replays_append_only
before update or delete on public.audience_event_replays
for each row execute function public.audience_events_append_only();

drop trigger if exists trg_audience_event_replays_no_truncate on public.audience_event_replays;
create trigger trg_audience_event_replays_no_truncate
before truncate on public.audience_event_replays
for each statement execute function public.audience_events_append_only();

create or replace function audience_gate.not_replayable(audit jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when jsonb_typeof(audit -> 'original_payload_snapshot') is distinct from 'object' then 'unreadable'
    when (audit ->> 'snapshot_shortened')::boolean or (audit -> 'original_payload_snapshot')::text like '%[shortened:%' then 'shortened'
    -- The ids are in columns of the audit row. In the copy one may have been taken for a card number.
    when ((audit -> 'original_payload_snapshot') - array['id', 'user_id', 'site_id'])::text like '%[redacted:%' then 'redacted'
    when audit #>> '{violations,0}' like 'parse.%' then 'unreadable'
    when exists (
      select from jsonb_array_elements_text(audit -> 'violations') as v (rule_id)
      where v.rule_id like 'identity.%' or v.rule_id in ('system.trusted_caller', 'base.user_id', 'base.site_id')
    ) then 'sender'
    when audit -> 'violations' ? 'duplicate.double_fire' then 'duplicate'
  end
$$;
comment on function audience_gate.not_replayable(jsonb) is
  'Why a rejection cannot be judged again, by the metadata of its audit row: shortened, redacted, unreadable, '
  'sender or duplicate; null: it can.';

-- The new id is made from the id of the audit row, so that a second replay finds the first.
create or replace function audience_gate.replayed_event(
  audit_id uuid, received_at timestamptz, member uuid, site uuid, snapshot jsonb
)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object('user_id', member, 'site_id', site, 'occurred_at', received_at))
    || jsonb_strip_nulls(snapshot - array['metadata', 'id', 'user_id', 'site_id'])
    || case when snapshot ? 'metadata' then jsonb_build_object('metadata', snapshot -> 'metadata') else '{}' end
    || jsonb_build_object('id', left(encode(sha256(convert_to('replay|' || audit_id, 'UTF8')), 'hex'), 32)::uuid)
$$;
comment on function audience_gate.replayed_event(uuid, timestamptz, uuid, uuid, jsonb) is
  'The event that an audit row stands for, under an id of its own, and with the time of its receipt if it named '
  'none.';

create or replace function audience_gate.replay(
  rule text, site uuid, from_time timestamptz, to_time timestamptz, max_events integer, after uuid, dry_run boolean
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  examined jsonb;
  passed jsonb;
  batch jsonb;
  refused jsonb;
  results jsonb;
begin
  if max_events is null or max_events not between 1 and 1000 then
    raise exception 'max_events must be between 1 and 1000' using errcode = 'invalid_parameter_value',
      hint = 'Call again with after set to the next of the answer.';
  end if;

  -- One at a time, so that each answers for what it did itself.
  perform pg_advisory_xact_lock(hashtextextended('audience_gate.replay', 0));
  select coalesce(jsonb_agg(jsonb_build_object(
    'audit_id', a.id, 'event', a.event, 'why', a.why,
    'violations', case when a.why is null then to_jsonb(audience_gate.violations(a.event, 'trusted', null, null, a.created_at)) end
  ) order by a.created_at, a.id), '[]')
  into examined
  from (
    select e.id, e.created_at, audience_gate.not_replayable(e.metadata) as why,
      case when audience_gate.not_replayable(e.metadata) is null then audience_gate.replayed_event(
        e.id, e.created_at, e.user_id, e.site_id, e.metadata -> 'original_payload_snapshot') end as event
    from public.audience_events e
    where e.event_type = 'event_validation_fail' and e.rejected
      and (rule is null or e.metadata ->> 'validation_rule_id' = rule)
      and (site is null or e.site_id = site)
      and (from_time is null or e.created_at >= from_time)
      and (to_time is null or e.created_at < to_time)
      and (after is null or (e.created_at, e.id) > (select c.created_at, c.id from public.audience_events c where c.id = after))
      and not exists (select from public.audience_event_replays r where r.audit_id = e.id)
    order by e.created_at, e.id
    limit max_events
  ) a;

  select coalesce(jsonb_agg(x.item -> 'event' || jsonb_build_object('index', x.place) order by x.place), '[]')
  into passed
  from jsonb_array_elements(examined) with ordinality as x (item, place)
  where x.item -> 'violations' = '[]';

  -- Once as a dry run, to see what the store refuses, which would otherwise be recorded as one more rejection;
  -- then in earnest.
  batch := jsonb_build_object(
    'contract', audience_gate.contract_fingerprint(), 'registry', audience_gate.registry_version(),
    'source_system', 'replay', 'caller', 'trusted', 'received_at', now(), 'accepted', passed, 'rejected', '[]'::jsonb);
  refused := audience_gate.ingest(batch || '{"dry_run": true}') -> 'rejected';
  select coalesce(jsonb_agg(p.item), '[]') into passed
  from jsonb_array_elements(passed) as p (item)
  where not exists (select from jsonb_array_elements(refused) as r (item) where r.item -> 'index' = p.item -> 'index');
  if not dry_run and passed <> '[]' then
    refused := refused || (audience_gate.ingest(batch || jsonb_build_object('accepted', passed)) -> 'rejected');
  end if;

  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
    'audit_id', x.item -> 'audit_id',
    'status', case
      when x.item ->> 'why' is not null then 'not_replayable'
      when x.item -> 'violations' <> '[]' or d.item is not null then 'rejected'
      else 'accepted' end,
    'event_id', case when x.item -> 'violations' = '[]' and d.item is null then x.item #> '{event,id}' end,
    'why', x.item -> 'why',
    'violations', coalesce(nullif(x.item -> 'violations', '[]'), d.item -> 'violations')
  )) order by x.place), '[]')
  into results
  from jsonb_array_elements(examined) with ordinality as x (item, place)
  left join jsonb_array_elements(refused) as d (item) on (d.item -> 'index')::integer = x.place;

  if not dry_run then
    insert into public.audience_event_replays (audit_id, event_id, site_id, replayed_by)
    select (r.item ->> 'audit_id')::uuid, e.id, e.site_id, audience_gate.changed_by()
    from jsonb_array_elements(results) as r (item)
    join public.audience_events e on e.id = (r.item ->> 'event_id')::uuid
    where r.item ->> 'status' = 'accepted'
    on conflict (audit_id) do nothing;
  end if;

  return jsonb_build_object(
    'examined', jsonb_array_length(results),
    'accepted', (select count(*) from jsonb_array_elements(results) as r (item) where r.item ->> 'status' = 'accepted'),
    'rejected', (select count(*) from jsonb_array_elements(results) as r (item) where r.item ->> 'status' = 'rejected'),
    'not_replayable', coalesce((
      select jsonb_object_agg(w.why, w.events)
      from (
        select r.item ->> 'why' as why, count(*) as events
        from jsonb_array_elements(results) as r (item) where r.item ? 'why' group by 1
      ) w), '{}'),
    'dry_run', dry_run,
    'next', case when jsonb_array_length(results) = max_events then results -> -1 -> 'audit_id' end,
    'results', results
  );
end;
$$;
comment on function audience_gate.replay(text, uuid, timestamptz, timestamptz, integer, uuid, boolean) is
  'Judges stored rejections again: what public.audience_replay() runs.';

create or replace function public.audience_replay(
  rule text default null, site uuid default null, from_time timestamptz default null, to_time timestamptz default null,
  max_events integer default 1000, after uuid default null, dry_run boolean default false
)
returns jsonb
language sql
volatile
set search_path = ''
as $$ select audience_gate.replay(rule, site, from_time, to_time, max_events, after, dry_run) $$;
comment on function public.audience_replay(text, uuid, timestamptz, timestamptz, integer, uuid, boolean) is
  'Judges stored rejections again, oldest first, after the registry was corrected, and records those that pass now '
  'as new events, linked in public.audience_event_replays. A second call changes nothing. not_replayable counts '
  'those that cannot be judged again, by cause: redacted or shortened (the copy is not the whole event), '
  'unreadable, sender (who sent it or from where cannot be checked any more), duplicate. If next is not null, pass '
  'it as after to go on. For the service role only.';
