-- What the registry says about scores and states: how often a type of event counts in a day, what a state asks for
-- besides its score, and which events take a consent back. It only adds columns and widens constraints, so it can be run
-- again.

alter table public.audience_event_types
  add column if not exists daily_cap integer not null default 10
    constraint audience_event_types_daily_cap_chk check (daily_cap >= 1),
  add column if not exists withdraws_consent boolean not null default false;
comment on column public.audience_event_types.daily_cap is
  'How many events of this type move the score of one person at one site in a day of UTC, at most.';
comment on column public.audience_event_types.withdraws_consent is
  'True: such an event takes back the consent for the channel that its metadata names.';

alter table public.audience_states
  add column if not exists requires text null
    constraint audience_states_requires_chk check (requires in ('consent', 'advocacy'));
comment on column public.audience_states.requires is
  'What a person has to have given, besides the score, to step up into it: consent (a subscription event that was not '
  'withdrawn since) or advocacy (an event of that category). Null: nothing.';

-- A team that names its states by words can register them.
alter table public.audience_states drop constraint if exists audience_states_id_chk;
alter table public.audience_states add constraint audience_states_id_chk check (length(id) between 1 and 64);
