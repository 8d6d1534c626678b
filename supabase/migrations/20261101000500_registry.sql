-- The registry: which events there are, what they count for, and how a state may change. Its entries are rows
-- and not code, so that an install can add its own. Every edit changes its version, by which an engine
-- that keeps a copy knows that the copy is stale.

create table if not exists public.audience_states (
  id text primary key,
  name text not null,
  meaning text not null,
  rank integer not null unique,
  min_score numeric not null,
  constraint audience_states_id_chk check (length(id) between 1 and 16),
  constraint audience_states_rank_chk check (rank >= 0),
  constraint audience_states_min_score_chk check (min_score >= 0)
);
comment on table public.audience_states is 'The states a member of the audience passes through, lowest first.';
comment on column public.audience_states.id is 'S0 … S5: how events and public.audience_state name the state.';
comment on column public.audience_states.name is 'The name people know the state by.';
comment on column public.audience_states.meaning is 'What is true of a person in this state.';
comment on column public.audience_states.rank is
  'Its place in the order. The derivation moves a person by one rank at a time.';
comment on column public.audience_states.min_score is 'The engagement score at which a person steps up into it.';
alter table public.audience_states enable row level security;
revoke all on table public.audience_states from public, anon, authenticated, service_role;

create table if not exists public.audience_blocked_jumps (
  from_state text not null references public.audience_states (id),
  to_state text not null references public.audience_states (id),
  reason text not null,
  primary key (from_state, to_state),
  constraint audience_blocked_jumps_chk check (from_state <> to_state)
);
create index if not exists idx_audience_blocked_jumps_to_state on public.audience_blocked_jumps (to_state);
comment on table public.audience_blocked_jumps is
  'Changes of state that no event may claim and no derivation may make.';
comment on column public.audience_blocked_jumps.from_state is 'The state before.';
comment on column public.audience_blocked_jumps.to_state is 'The state after.';
comment on column public.audience_blocked_jumps.reason is 'Why the jump is not credible.';
alter table public.audience_blocked_jumps enable row level security;
revoke all on table public.audience_blocked_jumps from public, anon, authenticated, service_role;

create table if not exists public.audience_rules (
  id text primary key,
  kind text not null,
  description text not null,
  prior_state text null references public.audience_states (id),
  new_state text null references public.audience_states (id),
  inactivity_days numeric null,
  active boolean not null default true,
  constraint audience_rules_id_chk check (length(id) between 1 and 64),
  constraint audience_rules_kind_chk check (kind in ('inactivity', 'progression', 'manual')),
  constraint audience_rules_inactivity_days_chk check (inactivity_days > 0),
  constraint audience_rules_inactivity_chk check (
    (kind = 'inactivity') = (inactivity_days is not null)
    and (kind <> 'inactivity' or (prior_state is not null and new_state is not null))
  )
);
create index if not exists idx_audience_rules_prior_state on public.audience_rules (prior_state);
create index if not exists idx_audience_rules_new_state on public.audience_rules (new_state);
comment on table public.audience_rules is
  'The rules that a change of state may name as its cause. Thresholds are columns.';
comment on column public.audience_rules.id is 'The rule_id of retention events and state history.';
comment on column public.audience_rules.kind is
  'inactivity: the sweep applies it; progression: the derivation does; manual: people and back ends name it.';
comment on column public.audience_rules.description is 'What the rule says, in a sentence.';
comment on column public.audience_rules.prior_state is 'The state it applies to; null: any.';
comment on column public.audience_rules.new_state is 'The state it leads to; null: any.';
comment on column public.audience_rules.inactivity_days is
  'How many days without an accepted event it takes. For inactivity rules only.';
comment on column public.audience_rules.active is
  'False: events may not name it any more. What it did before stays explained.';
alter table public.audience_rules enable row level security;
revoke all on table public.audience_rules from public, anon, authenticated, service_role;

create table if not exists public.audience_event_types (
  id text primary key,
  category text not null,
  tier text not null,
  score_weight numeric not null default 0,
  description text not null,
  payload_schema jsonb null,
  active boolean not null default true,
  constraint audience_event_types_id_chk check (length(id) between 3 and 64),
  constraint audience_event_types_category_chk check (
    category in ('engagement', 'subscription', 'advocacy', 'retention', 'attribution', 'system')
  ),
  constraint audience_event_types_tier_chk check (tier in ('consumer', 'practitioner', 'clinic', 'network', 'system')),
  constraint audience_event_types_score_chk check (score_weight >= 0),
  constraint audience_event_types_system_score_chk check (score_weight = 0 or (category <> 'system' and tier <> 'system')),
  constraint audience_event_types_payload_schema_chk check (
    payload_schema is null or (
      jsonb_typeof(payload_schema) = 'object'
      and payload_schema - array['properties', 'required'] = '{}'::jsonb
      and coalesce(jsonb_typeof(payload_schema -> 'properties'), 'object') = 'object'
      and coalesce(jsonb_typeof(payload_schema -> 'required'), 'array') = 'array'
    )
  )
);
create index if not exists idx_audience_event_types_category on public.audience_event_types (category);
comment on table public.audience_event_types is
  'The types of events: only these are accepted. Deactivate an entry instead of deleting it.';
comment on column public.audience_event_types.id is 'The event_type of its events.';
comment on column public.audience_event_types.category is 'The event_category its events must have.';
comment on column public.audience_event_types.tier is
  'Whose use it shows: consumer, practitioner, clinic, network, or system (errors, sign-in, performance).';
comment on column public.audience_event_types.score_weight is
  'What one event adds to the engagement score; zero for system events.';
comment on column public.audience_event_types.description is 'What happened, in a sentence.';
comment on column public.audience_event_types.payload_schema is
  'What metadata must hold: {"properties": {key: {type, enum, minimum, maximum, minLength, maxLength}}, "required": '
  '[key]}. Other keys are allowed. Null: metadata may hold anything.';
comment on column public.audience_event_types.active is 'False: events of this type are rejected from now on.';
alter table public.audience_event_types enable row level security;
revoke all on table public.audience_event_types from public, anon, authenticated, service_role;

create table if not exists audience_gate.registry_version (
  only_row boolean primary key default true,
  version bigint not null,
  changed_at timestamptz not null,
  constraint registry_version_only_row_chk check (only_row)
);
comment on table audience_gate.registry_version is 'One row that counts the edits of the registry and of the sites.';
comment on column audience_gate.registry_version.only_row is 'Always true: there is one row.';
comment on column audience_gate.registry_version.version is 'How many edits there were.';
comment on column audience_gate.registry_version.changed_at is 'When the last edit was made.';
alter table audience_gate.registry_version enable row level security;
revoke all on table audience_gate.registry_version from public, anon, authenticated, service_role;

insert into audience_gate.registry_version values (true, 1, now()) on conflict do nothing;

create or replace function audience_gate.touch_registry()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  update audience_gate.registry_version set version = version + 1, changed_at = now() where only_row;
  return null;
end;
$$;
comment on function audience_gate.touch_registry() is 'Counts an edit of the registry or of the sites.';

do $$
declare
  table_name text;
begin
  foreach table_name in array array[
    'audience_states', 'audience_blocked_jumps', 'audience_rules', 'audience_event_types', 'audience_sites'
  ] loop
    execute format('drop trigger if exists trg_touch_registry on public.%I', table_name);
    execute format(
      'create trigger trg_touch_registry after insert or update or delete or truncate on public.%I
         for each statement execute function audience_gate.touch_registry()', table_name);
  end loop;
end $$;

create or replace function audience_gate.registry_version()
returns text
language sql
stable
security definer
set search_path = ''
as $$ select v.version::text from audience_gate.registry_version v $$;
comment on function audience_gate.registry_version() is
  'The version of the registry, which changes with every edit of it or of the sites.';

create or replace function audience_gate.registry()
returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'version', audience_gate.registry_version(),
    'default_site', audience_gate.default_site(),
    'event_types', coalesce((
      select jsonb_agg(
        jsonb_build_object('id', t.id, 'category', t.category, 'payload_schema', t.payload_schema) order by t.id)
      from public.audience_event_types t where t.active), '[]'),
    'rules', coalesce((select jsonb_agg(r.id order by r.id) from public.audience_rules r where r.active), '[]'),
    'states', coalesce((select jsonb_agg(s.id order by s.rank) from public.audience_states s), '[]'),
    'blocked_jumps', coalesce((
      select jsonb_agg(jsonb_build_array(j.from_state, j.to_state) order by j.from_state, j.to_state)
      from public.audience_blocked_jumps j), '[]'),
    'sites', coalesce((
      select jsonb_agg(jsonb_build_object('id', s.id, 'origins', s.origins) order by s.id)
      from public.audience_sites s), '[]')
  )
$$;
comment on function audience_gate.registry() is
  'The registry in the form that the other engines of the gate read: all that is active, and the sites with their '
  'origins.';

create or replace function public.audience_registry()
returns jsonb
language sql
stable
set search_path = ''
as $$ select audience_gate.registry() $$;
comment on function public.audience_registry() is
  'The registry, for the Edge Function. For the service role only, because it lists every site.';
