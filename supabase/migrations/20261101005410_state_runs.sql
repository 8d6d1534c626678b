-- A run of the derivation, which no single person's rows can stop.

-- Whoever waits longest and whoever came last are found without a walk through all who wait.
create index if not exists idx_state_pending_first_at on audience_gate.state_pending (first_at);
create index if not exists idx_state_pending_member on audience_gate.state_pending (user_id, site_id);

create or replace function audience_gate.follow_sites()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  held integer;
  target integer;
  score numeric;
  ladder text[];
  step integer;
begin
  if current_setting('audience_gate.actor', true) = 'system:derivation' and audience_gate.is_deriving() then
    return null;
  end if;
  select array_agg(s.id order by s.rank) into ladder from public.audience_states s;
  select coalesce(array_position(ladder, s.current_state), 0) into held
  from public.audience_state s where s.user_id = new.user_id for update;
  if held is null then
    insert into public.audience_state (user_id, current_state) values (new.user_id, ladder[1]) on conflict (user_id) do nothing;
    held := 1;
  elsif held = 0 then
    -- Whoever stands in a state that nobody registered goes on from the lowest one.
    update public.audience_state s set current_state = ladder[1] where s.user_id = new.user_id;
    held := 1;
  end if;
  select max(array_position(ladder, s.current_state)), sum(s.engagement_score) into target, score
  from public.audience_site_state s where s.user_id = new.user_id;
  while held <> target loop
    step := held + sign(target - held)::integer;
    exit when exists (
      select from public.audience_blocked_jumps j where j.from_state = ladder[held] and j.to_state = ladder[step]);
    update public.audience_state s set current_state = ladder[step] where s.user_id = new.user_id;
    held := step;
  end loop;
  update public.audience_state s
  set engagement_score = score, last_event_type = coalesce(new.last_event_type, s.last_event_type)
  where s.user_id = new.user_id
    and (s.engagement_score, s.last_event_type) is distinct from (score, coalesce(new.last_event_type, s.last_event_type));
  return null;
end;
$$;

create or replace function audience_gate.derive_batch(due jsonb, one_by_one boolean)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  rules constant audience_gate.state_rules := audience_gate.state_rules();
  person record;
  events bigint := 0;
  failed jsonb := jsonb_build_array();
begin
  for person in
    select * from jsonb_to_recordset(due) as x (
      site_id uuid, user_id uuid, first_at timestamptz, last_at timestamptz, recompute boolean)
    order by x.user_id, x.site_id
  loop
    if not one_by_one then
      events := events + audience_gate.derive_member(
        person.site_id, person.user_id, person.first_at, person.last_at, person.recompute, rules);
      continue;
    end if;
    begin
      events := events + audience_gate.derive_member(
        person.site_id, person.user_id, person.first_at, person.last_at, person.recompute, rules);
    exception when others then
      -- What passes by itself is no fault of this person's rows.
      if left(sqlstate, 2) in ('40', '53', '55', '57', '58') then
        raise;
      end if;
      insert into audience_gate.state_failures as f (site_id, user_id, sqlstate)
      values (person.site_id, person.user_id, sqlstate)
      on conflict (site_id, user_id) do update
      set sqlstate = excluded.sqlstate, failed_at = excluded.failed_at, attempts = f.attempts + 1;
      failed := failed || jsonb_build_array(jsonb_build_object(
        'site_id', person.site_id, 'user_id', person.user_id, 'sqlstate', sqlstate));
    end;
  end loop;
  delete from audience_gate.state_failures f
  using jsonb_to_recordset(due) as x (site_id uuid, user_id uuid)
  where f.site_id = x.site_id and f.user_id = x.user_id
    and not failed @> jsonb_build_array(jsonb_build_object('site_id', f.site_id, 'user_id', f.user_id));
  return jsonb_build_object('events', events, 'failed', failed);
end;
$$;
comment on function audience_gate.derive_batch(jsonb, boolean) is
  'Derives the states of a batch of people; one by one, a person whose rows raise an error is noted and stops nobody '
  'else.';
alter function audience_gate.derive_batch(jsonb, boolean) owner to audience_gate_owner;
revoke all on function audience_gate.derive_batch(jsonb, boolean) from public, anon, authenticated, service_role;

-- Half of a batch are those who have waited longest, and half those who came last, so that nobody who is new waits behind
-- millions. Whoever is taken is taken with all that waits for them, so the order of a person's own events does not depend
-- on it. There is one derivation at a time: a second one answers that it found the first at work. The settings keep
-- every plan on an index, even one that was made while the tables were empty, and have none of them compiled.
create or replace function audience_gate.derive_states(settings jsonb default '{}')
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  batch integer := coalesce((settings ->> 'batch_size')::integer, 1000);
  deadline timestamptz := clock_timestamp() + coalesce((settings ->> 'max_seconds')::numeric, 10) * interval '1 second';
  due jsonb;
  done jsonb;
  members bigint := 0;
  events bigint := 0;
  failed jsonb := jsonb_build_array();
begin
  if not pg_try_advisory_xact_lock(hashtextextended('audience_gate.derive_states', 0)) then
    return jsonb_build_object('busy', true);
  end if;
  perform audience_gate.announce_change('system:derivation', null);
  insert into audience_gate.deriving (backend) values (pg_backend_pid()) on conflict do nothing;
  loop
    with chosen as (
      select distinct p.site_id, p.user_id
      from (
        (select q.site_id, q.user_id from audience_gate.state_pending q order by q.first_at limit batch - batch / 2)
        union all
        (select q.site_id, q.user_id from audience_gate.state_pending q order by q.first_at desc limit batch / 2)
      ) p
    ), taken as (
      delete from audience_gate.state_pending p using chosen c
      where p.site_id = c.site_id and p.user_id = c.user_id
      returning p.*
    ), people as (
      select t.site_id, t.user_id, min(t.first_at) as first_at, max(t.last_at) as last_at, bool_or(t.recompute) as recompute
      from taken t group by t.site_id, t.user_id
    )
    select coalesce(jsonb_agg(to_jsonb(p)), '[]') into due from people p;
    exit when due = '[]';
    -- Nearly always nobody's rows are broken, so the whole batch shares one savepoint. If somebody's are, it is undone
    -- and done again with one for each person.
    begin
      done := audience_gate.derive_batch(due, false);
    exception when others then
      if left(sqlstate, 2) in ('40', '53', '55', '57', '58') then
        raise;
      end if;
      done := audience_gate.derive_batch(due, true);
    end;
    members := members + jsonb_array_length(due) - jsonb_array_length(done -> 'failed');
    events := events + (done -> 'events')::bigint;
    failed := failed || (done -> 'failed');
    exit when clock_timestamp() >= deadline;
  end loop;
  delete from audience_gate.deriving d where d.backend = pg_backend_pid();
  perform audience_gate.announce_change(null, null);
  return jsonb_build_object('members', members, 'events', events,
      'remaining', exists (select from audience_gate.state_pending))
    || case when failed = '[]' then '{}'::jsonb else jsonb_build_object('failed', failed) end;
end;
$$;
comment on function audience_gate.derive_states(jsonb) is
  'Derives the states of everybody who has new events. Settings: batch_size (rows taken at a time), max_seconds. Whose '
  'rows raise an error are named in the answer (failed) and in audience_gate.state_failures, and stop nobody else.';

create or replace function audience_gate.request_recompute(site uuid, subject uuid)
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  with asked as (
    insert into audience_gate.state_pending (site_id, user_id, first_at, last_at, recompute)
    select s.site_id, s.user_id, max(s.through), max(s.through), true
    from (
      select k.site_id, k.user_id, k.derived_through as through from public.audience_site_state k
      union all
      select f.site_id, f.user_id, f.failed_at from audience_gate.state_failures f
    ) s
    where (site is null or s.site_id = site) and (subject is null or s.user_id = subject)
    group by s.site_id, s.user_id
    returning 1
  )
  select count(*) from asked
$$;
