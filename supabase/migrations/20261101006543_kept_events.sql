-- What figures need of the months that were detached from the log, so that figures outlive them: the accepted events, without
-- what no figure is made of, and how many were received. Whoever is erased is erased here, too.

create table audience_gate.kept_events (
  id uuid primary key,
  created_at timestamptz not null,
  occurred_at timestamptz null,
  site_id uuid not null,
  user_id uuid null,
  session_id text not null,
  event_type text not null,
  event_category text not null,
  utm_source text null,
  utm_medium text null,
  utm_campaign text null,
  utm_content text null,
  utm_term text null,
  metadata jsonb not null,
  rejected boolean not null default false,
  erased boolean not null default false
);
create index idx_kept_events_created_at on audience_gate.kept_events (created_at);
create index idx_kept_events_user_id on audience_gate.kept_events (user_id) where user_id is not null;
create index idx_kept_events_session_id on audience_gate.kept_events (session_id);
create index idx_kept_events_rejected on audience_gate.kept_events (id) where rejected;
comment on table audience_gate.kept_events is
  'Figures outlive months that are detached from the log. What they are made of is kept of each accepted event, so that with late '
  'events, sign-ins, erasures and edits, too, they are what the whole log would give; but of what counts as an error or a timing '
  'only since its month was detached, nothing was kept. Restoring a month removes what was kept of it.';
comment on column audience_gate.kept_events.id is 'The id of the event, as in public.audience_events.';
comment on column audience_gate.kept_events.created_at is 'When it was received.';
comment on column audience_gate.kept_events.occurred_at is 'When it happened, if that was sent.';
comment on column audience_gate.kept_events.site_id is 'The site.';
comment on column audience_gate.kept_events.user_id is 'The signed-in user; null for visitors.';
comment on column audience_gate.kept_events.session_id is 'The session.';
comment on column audience_gate.kept_events.event_type is 'Its type.';
comment on column audience_gate.kept_events.event_category is 'Its category.';
comment on column audience_gate.kept_events.utm_source is 'The source of the campaign that it names.';
comment on column audience_gate.kept_events.utm_medium is 'Its medium.';
comment on column audience_gate.kept_events.utm_campaign is 'The campaign.';
comment on column audience_gate.kept_events.utm_content is 'Its content.';
comment on column audience_gate.kept_events.utm_term is 'Its term.';
comment on column audience_gate.kept_events.metadata is 'Of its payload, the keys that figure_keys() lists.';
comment on column audience_gate.kept_events.rejected is 'Never: a table of events has this column.';
comment on column audience_gate.kept_events.erased is 'Whether an erasure has given it to a pseudonym.';

create table audience_gate.kept_receipts (
  site_id uuid,
  slot timestamptz,
  rule_id text,
  events bigint not null,
  primary key (site_id, slot, rule_id)
);
comment on table audience_gate.kept_receipts is
  'How many events of detached months were received, as receipt_slots counts them, when they were detached.';
comment on column audience_gate.kept_receipts.site_id is 'The site.';
comment on column audience_gate.kept_receipts.slot is 'When the fifteen minutes began.';
comment on column audience_gate.kept_receipts.rule_id is 'The rule, as in receipt_slots.';
comment on column audience_gate.kept_receipts.events is 'How many events.';

create or replace function audience_gate.figure_keys()
returns text[]
language sql
stable
set search_path = ''
as $$
  select array['page_path', 'referrer_kind', 'device_class', 'duration_seconds']
    || array(select x.code_key from audience_gate.error_events x where x.code_key is not null)
    || array(select m.metadata_key from audience_gate.performance_measures m)
$$;
comment on function audience_gate.figure_keys() is 'The keys of metadata that figures read.';

create or replace view audience_gate.people_recorded with (security_invoker = true) as
select e.id, e.created_at, e.occurred_at, e.user_id, e.session_id, e.event_type, e.event_category, e.utm_source, e.utm_medium,
  e.utm_campaign, e.utm_content, e.utm_term, e.metadata, e.rejected, false as erased
from public.audience_events e
union all
select k.id, k.created_at, k.occurred_at, k.user_id, k.session_id, k.event_type, k.event_category, k.utm_source, k.utm_medium,
  k.utm_campaign, k.utm_content, k.utm_term, k.metadata, k.rejected, k.erased
from audience_gate.kept_events k;
comment on view audience_gate.people_recorded is
  'The events of the log, and what is kept of those of detached months: who is named in them.';
comment on column audience_gate.people_recorded.id is 'Its id.';
comment on column audience_gate.people_recorded.created_at is 'When it was received.';
comment on column audience_gate.people_recorded.occurred_at is 'When it happened, if that was sent.';
comment on column audience_gate.people_recorded.user_id is 'The signed-in user; null for visitors.';
comment on column audience_gate.people_recorded.session_id is 'The session.';
comment on column audience_gate.people_recorded.event_type is 'Its type.';
comment on column audience_gate.people_recorded.event_category is 'Its category.';
comment on column audience_gate.people_recorded.utm_source is 'The source of the campaign that it names.';
comment on column audience_gate.people_recorded.utm_medium is 'Its medium.';
comment on column audience_gate.people_recorded.utm_campaign is 'The campaign.';
comment on column audience_gate.people_recorded.utm_content is 'Its content.';
comment on column audience_gate.people_recorded.utm_term is 'Its term.';
comment on column audience_gate.people_recorded.metadata is 'Its payload, or what is kept of it.';
comment on column audience_gate.people_recorded.rejected is 'Whether it is an audit row.';
comment on column audience_gate.people_recorded.erased is
  'Whether an erasure has given it to a pseudonym, as far as it is one of kept_events.';

-- The figures are of both tables, so what they hold of a person is taken out before either changes.
create or replace function audience_gate.erase_from(
  log regclass, erasure uuid, subject_kind text, subject text, sessions text[], pseudonym uuid, secret bytea
)
returns bigint
language plpgsql
volatile
set search_path = ''
as $$
declare
  kept constant regclass := 'audience_gate.kept_events';
  found constant uuid[] := array(select audience_gate.subject_events(log, subject_kind, subject, sessions));
  found_kept uuid[];
  scope jsonb;
  erased bigint;
begin
  if log <> 'public.audience_events'::regclass then
    return audience_gate.erase_events(log, erasure, found, subject, sessions, pseudonym, secret);
  end if;
  found_kept := array(select audience_gate.subject_events(kept, subject_kind, subject, sessions));
  scope := audience_gate.take_figures(found || found_kept);
  erased := audience_gate.erase_events(log, erasure, found, subject, sessions, pseudonym, secret);
  perform audience_gate.erase_events(kept, erasure, found_kept, subject, sessions, pseudonym, secret);
  perform audience_gate.put_figures(found || found_kept, scope);
  return erased;
end;
$$;
comment on function audience_gate.erase_from(regclass, uuid, text, text, text[], uuid, bytea) is
  'Takes a person out of one table of events, and with the log out of what is kept of detached months and out of the figures. Says '
  'how many events that were, without those that are kept for figures alone.';

do $$
declare
  made text;
begin
  foreach made in array array['kept_events', 'kept_receipts'] loop
    execute format('alter table audience_gate.%I owner to audience_gate_owner', made);
    execute format('alter table audience_gate.%I enable row level security', made);
    execute format('revoke all on table audience_gate.%I from public, anon, authenticated, service_role', made);
    execute format('create policy %I on audience_gate.%I to audience_gate_owner using (true) with check (true)', made || '_gate', made);
  end loop;
  alter view audience_gate.people_recorded owner to audience_gate_owner;
  revoke all on audience_gate.people_recorded from public, anon, authenticated, service_role;
  foreach made in array array['figure_keys()', 'erase_from(regclass, uuid, text, text, text[], uuid, bytea)'] loop
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
    execute format('grant execute on function audience_gate.%s to audience_gate_owner', made);
  end loop;
end $$;
