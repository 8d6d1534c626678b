-- The figures of what was received hold what the gate made of each event. It may make something else of it later, and a
-- snapshot does not tell of which; so each such change waits here until the fold takes it.

create table audience_gate.receipt_corrections (
  id bigint generated always as identity primary key,
  site_id uuid not null,
  slot timestamptz not null,
  rule_id text not null,
  events integer not null,
  basis xid8 not null
);
create index idx_receipt_corrections_site on audience_gate.receipt_corrections (site_id);
comment on table audience_gate.receipt_corrections is
  'What has changed about events that receipt_slots may hold already, since the last fold.';
comment on column audience_gate.receipt_corrections.id is 'In the order of writing.';
comment on column audience_gate.receipt_corrections.site_id is 'The site.';
comment on column audience_gate.receipt_corrections.slot is 'The fifteen minutes in which the event was received.';
comment on column audience_gate.receipt_corrections.rule_id is 'The rule, as in receipt_slots.';
comment on column audience_gate.receipt_corrections.events is '1: it counts under the rule now; -1: it does no longer.';
comment on column audience_gate.receipt_corrections.basis is
  'The transaction that had recorded the event: the correction holds if the last fold took that.';
grant select, insert, delete on audience_gate.receipt_corrections to audience_gate_owner;
alter table audience_gate.receipt_corrections enable row level security;
create policy receipt_corrections_gate on audience_gate.receipt_corrections to audience_gate_owner using (true) with check (true);
revoke all on audience_gate.receipt_corrections from public, anon, authenticated, service_role;
