create table if not exists audience_gate.contract_rules (
  id text primary key,
  path text not null,
  reason text not null
);
comment on table audience_gate.contract_rules is
  'What a refused sender is told about each rule. Written by the migrations of the contract; whoever judges events holds it, so that a new contract waits for those who judge by the old one.';
comment on column audience_gate.contract_rules.id is 'The rule. Public, and never used again for another.';
comment on column audience_gate.contract_rules.path is 'Where to look, as a JSON pointer into the event.';
comment on column audience_gate.contract_rules.reason is 'What is wrong, why it matters, what to send instead.';
alter table audience_gate.contract_rules enable row level security;
alter table audience_gate.contract_rules owner to audience_gate_owner;
revoke all on table audience_gate.contract_rules from public;

create or replace function audience_gate.reason(rule_id text)
returns text
language plpgsql
stable
parallel safe
security definer
set search_path = ''
as $$
begin
  if rule_id like 'own.%' then
    return (select own.reasons ->> 'en' from public.audience_own_rules own where own.id = rule_id);
  end if;
  return (select rules.reason from audience_gate.contract_rules rules where rules.id = rule_id);
end;
$$;
comment on function audience_gate.reason(text) is
  'Why a rule refuses: what is wrong, why it matters, what to send instead.';
alter function audience_gate.reason(text) owner to audience_gate_owner;

create or replace function audience_gate.path(rule_id text)
returns text
language sql
stable
parallel safe
security definer
set search_path = ''
as $$
  select rules.path from audience_gate.contract_rules rules where rules.id = rule_id
$$;
comment on function audience_gate.path(text) is 'Where a rule looks, as a JSON pointer into the event.';
alter function audience_gate.path(text) owner to audience_gate_owner;

create or replace function audience_gate.hold_contract()
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  -- Waits for nobody but a migration that changes the contract, and keeps only such a one waiting.
  lock table audience_gate.contract_rules in row share mode;
end;
$$;
comment on function audience_gate.hold_contract() is
  'Keeps the contract as it is until the transaction ends. Called before events are judged.';
alter function audience_gate.hold_contract() owner to audience_gate_owner;
