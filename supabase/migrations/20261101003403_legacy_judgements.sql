-- What became of each unjudged row that was judged and not accepted. The row itself stays as it is; an accepted one is
-- stamped with its contract and needs no entry.

create table if not exists audience_gate.legacy_judgements (
  event_id uuid primary key,
  contract text not null,
  audit_id uuid null unique,
  failure text null,
  judged_at timestamptz not null default now(),
  judged_by text not null,
  constraint legacy_judgements_outcome_chk check ((audit_id is null) = (failure is not null)),
  constraint legacy_judgements_actor_chk check (judged_by ~ '^(system|user|role):.')
);
comment on table audience_gate.legacy_judgements is
  'The rows from before the gate that were judged and not accepted: rejected, with an audit row that says why, or not '
  'judged to the end because something about them failed.';
comment on column audience_gate.legacy_judgements.event_id is 'The row in public.audience_events.';
comment on column audience_gate.legacy_judgements.contract is 'The contract that judged it.';
comment on column audience_gate.legacy_judgements.audit_id is 'The audit row that says why it was rejected.';
comment on column audience_gate.legacy_judgements.failure is
  'The SQLSTATE with which judging it failed; never its text, which may quote values.';
comment on column audience_gate.legacy_judgements.judged_at is 'When it was judged.';
comment on column audience_gate.legacy_judgements.judged_by is 'Who had it judged: role:<name>, or user:<uuid>.';
alter table audience_gate.legacy_judgements enable row level security;
revoke all on table audience_gate.legacy_judgements from public, anon, authenticated, service_role;
grant select, insert, update, delete on table audience_gate.legacy_judgements to audience_gate_owner;
create policy legacy_judgements_gate on audience_gate.legacy_judgements to audience_gate_owner using (true) with check (true);
