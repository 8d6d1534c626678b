-- Reading the history, and taking a change back. A person may ask about themselves, the members of a site
-- about its people, trusted roles about anybody.

create or replace function audience_gate.require_reader(site uuid, subject uuid default null)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if audience_gate.is_trusted()
     or subject = audience_gate.caller_id()
     or (site is not null and audience_gate.can_read_site(site)) then
    return;
  end if;
  raise exception 'only members of the site may read its states' using errcode = 'insufficient_privilege',
    hint = 'Ask an owner of the site to add you to public.audience_site_members.';
end;
$$;
comment on function audience_gate.require_reader(uuid, uuid) is
  'Refuses with SQLSTATE 42501 whoever may not read the states of a site or of this person.';

create or replace function audience_gate.rule_description(rule text)
returns text
language sql
stable
security definer
set search_path = ''
as $$ select r.description from public.audience_rules r where r.id = rule $$;
comment on function audience_gate.rule_description(text) is 'The description of a rule, for timelines.';

create or replace function audience_gate.type_of_event(event uuid)
returns text
language sql
stable
security definer
set search_path = ''
as $$
  select e.event_type from public.audience_events e
  where e.id = event and (e.user_id = audience_gate.caller_id() or audience_gate.can_read_site(e.site_id))
$$;
comment on function audience_gate.type_of_event(uuid) is
  'The type of an event, for timelines; null for callers who may not read about it.';

create or replace function audience_gate.state_rank(state text)
returns integer
language sql
stable
security definer
set search_path = ''
as $$ select s.rank from public.audience_states s where s.id = state $$;
comment on function audience_gate.state_rank(text) is 'The place of a state in the order.';

create or replace function audience_gate.report_range(from_time timestamptz, to_time timestamptz)
returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
  if from_time < to_time then
    return;
  end if;
  raise exception 'from_time must be before to_time' using errcode = 'invalid_parameter_value';
end;
$$;
comment on function audience_gate.report_range(timestamptz, timestamptz) is 'Refuses a range of time that is empty.';

create or replace function public.audience_state_timeline(site uuid, subject uuid)
returns table (
  transition bigint, from_state text, to_state text, changed_by text, changed_at timestamptz, effective_at
  timestamptz, rule_id text, rule text, notes text, event_id uuid, event_type text, seconds_before numeric
)
language plpgsql
stable
set search_path = ''
as $$
begin
  perform audience_gate.require_reader(site, subject);
  return query
  select h.id, h.from_state, h.to_state, h.changed_by, h.changed_at, h.effective_at, h.rule_id,
    audience_gate.rule_description(h.rule_id), h.notes, h.event_id, audience_gate.type_of_event(h.event_id),
    round(extract(epoch from h.effective_at - lag(h.effective_at) over (order by h.id)), 3)
  from public.audience_state_events h
  where h.user_id = subject and h.site_id is not distinct from site
  order by h.id;
end;
$$;
comment on function public.audience_state_timeline(uuid, uuid) is
  'What happened to a person at a site, oldest first: each change of state, who made it, when and why, and how long '
  'the state before it had lasted. With a null site: their overall standing.';

create or replace function public.audience_state_at(
  site uuid, subject uuid, moment timestamptz, by_record boolean default true
)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  perform audience_gate.require_reader(site, subject);
  return (
    select h.to_state
    from public.audience_state_events h
    where h.user_id = subject and h.site_id is not distinct from site
      and case when by_record then h.changed_at else h.effective_at end <= moment
    order by h.id desc
    limit 1
  );
end;
$$;
comment on function public.audience_state_at(uuid, uuid, timestamptz, boolean) is
  'The state of a person at a moment; null: none yet. By record: what the database said then. Otherwise: what held '
  'then, by what is known now.';

create or replace function public.audience_state_actors(site uuid, from_time timestamptz, to_time timestamptz)
returns table (
  changed_by text, rule_id text, transitions bigint, people bigint, up bigint, down bigint, first_at timestamptz,
  last_at timestamptz
)
language plpgsql
stable
set search_path = ''
as $$
begin
  perform audience_gate.require_reader(site);
  perform audience_gate.report_range(from_time, to_time);
  return query
  select h.changed_by, h.rule_id, count(*), count(distinct h.user_id),
    count(*) filter (where audience_gate.state_rank(h.to_state) > audience_gate.state_rank(h.from_state)),
    count(*) filter (where audience_gate.state_rank(h.to_state) < audience_gate.state_rank(h.from_state)),
    min(h.changed_at), max(h.changed_at)
  from public.audience_state_events h
  where h.site_id = audience_state_actors.site and h.changed_at >= from_time and h.changed_at < to_time
  group by h.changed_by, h.rule_id
  order by count(*) desc, h.changed_by, h.rule_id;
end;
$$;
comment on function public.audience_state_actors(uuid, timestamptz, timestamptz) is
  'How many changes each actor made at a site, by rule, counted by the time when they were made.';

create or replace function audience_gate.revert_state(site uuid, subject uuid, notes text, transition bigint)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  latest public.audience_state_events;
begin
  if not (audience_gate.is_trusted() or exists (
    select from public.audience_site_members m
    where m.site_id = site and m.user_id = audience_gate.caller_id() and m.role = 'owner'
  )) then
    raise exception 'only owners of the site may revert a state' using errcode = 'insufficient_privilege';
  end if;
  -- In the order in which the derivation takes its locks.
  perform from public.audience_state s where s.user_id = subject for update;
  perform from public.audience_site_state s where s.site_id = site and s.user_id = subject for update;
  if not found then
    raise exception 'this person has no state at this site' using errcode = 'no_data_found';
  end if;
  select * into latest from public.audience_state_events h
  where h.user_id = subject and h.site_id = site order by h.id desc limit 1;
  if transition is not null and transition <> latest.id then
    raise exception 'the state has changed since' using errcode = 'PT409',
      hint = 'Read the timeline again: only the last change can be reverted.';
  end if;
  if latest.from_state is null then
    raise exception 'there is no change to revert' using errcode = 'check_violation',
      hint = 'The first state of a person has none before it.';
  end if;
  perform audience_gate.announce_change(current_setting('audience_gate.actor', true), 'state_revert', notes);
  update public.audience_site_state s set current_state = latest.from_state where s.site_id = site and s.user_id = subject;
  perform audience_gate.announce_change(null, null);
  return latest.from_state;
end;
$$;
comment on function audience_gate.revert_state(uuid, uuid, text, bigint) is
  'Puts a person back into the state before the last change, by a new change with an actor and notes of its own.';

create or replace function public.audience_state_revert(
  site uuid, subject uuid, notes text default null, transition bigint default null
)
returns text
language sql
volatile
set search_path = ''
as $$ select audience_gate.revert_state(site, subject, notes, transition) $$;
comment on function public.audience_state_revert(uuid, uuid, text, bigint) is
  'Reverts the last change of a person''s state at a site, and records that as a change of its own. For owners of '
  'the site and trusted callers. Name the transition, as the timeline gives it, to be sure that it is still the '
  'last one. Returns the state.';
