-- Sealing: the queue, the sealer, and how it is started and stopped.

create or replace function audience_gate.queue_events()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  insert into audience_gate.unsealed (event_id) select a.id from added a where a.contract is not null;
  return null;
end;
$$;
comment on function audience_gate.queue_events() is 'Queues judged events for the sealer.';

create or replace function audience_gate.queue_stamped_events()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  insert into audience_gate.unsealed (event_id)
  select a.id from stamped a join unstamped b on b.id = a.id where b.contract is null and a.contract is not null;
  return null;
end;
$$;
comment on function audience_gate.queue_stamped_events() is
  'Queues events that are older than the gate once they have been judged.';

create or replace function audience_gate.queue_changes()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  insert into audience_gate.unsealed (change_id) select a.id from added a;
  return null;
end;
$$;
comment on function audience_gate.queue_changes() is 'Queues changes of state for the sealer.';

-- Every row is looked up by its key, whatever the statistics say: a plan for an empty tree would read all of a large one.
create or replace function audience_gate.seal_batch(most integer)
returns integer
language plpgsql
volatile
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  size bigint := (select coalesce(max(l.leaf_index) + 1, 0) from audience_gate.leaf l);
  sealed integer;
begin
  with taken as (
    delete from audience_gate.unsealed u
    where u.ctid = any (array(select w.ctid from audience_gate.unsealed w limit most))
    returning u.event_id, u.change_id
  ), salted as materialized (
    select t.event_id, t.change_id, uuid_send(gen_random_uuid()) as salt
    from (select distinct q.event_id, q.change_id from taken q) t
    where not exists (select from audience_gate.leaf l where l.event_id = t.event_id)
      and not exists (select from audience_gate.leaf l where l.change_id = t.change_id)
  ), committed as materialized (
    select s.event_id, s.salt,
      audience_gate.event_commitment(
        s.salt, e.user_id, e.session_id, e.utm_source, e.utm_medium, e.utm_campaign, e.utm_content, e.utm_term, e.occurred_at,
        e.metadata) as commitment,
      e.created_at, e.site_id, e.rejected, e.event_type, e.event_category, e.event_source, e.contract, e.occurred_at
    from salted s
    join public.audience_events e on e.id = s.event_id
  ), hashed as (
    select c.event_id, null::bigint as change_id, c.salt,
      audience_gate.event_leaf(
        c.event_id, c.created_at, c.site_id, c.rejected, c.event_type, c.event_category, c.event_source, c.contract, c.occurred_at,
        c.commitment) as hash
    from committed c
    union all
    select null, h.id, s.salt,
      audience_gate.change_leaf(
        h.id, h.site_id, h.from_state, h.to_state, h.changed_at, h.effective_at, h.rule_id, m.commitment)
    from salted s
    join public.audience_state_events h on h.id = s.change_id
    cross join lateral (
      select audience_gate.change_commitment(s.salt, h.user_id, h.changed_by, h.notes, h.event_id) as commitment offset 0
    ) m
  )
  insert into audience_gate.leaf (leaf_index, event_id, change_id, salt, hash)
  select size - 1 + row_number() over (), h.event_id, h.change_id, h.salt, h.hash
  from hashed h;
  get diagnostics sealed = row_count;
  return sealed;
end;
$$;
comment on function audience_gate.seal_batch(integer) is
  'Numbers and hashes up to so many queued rows, and says how many. What is no longer there, such as a month that was '
  'detached meanwhile, is left out.';

create or replace function audience_gate.fill_tiles(old_size bigint, size bigint)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  tile_level integer := 1;
  tile_size bigint := 256;
begin
  while size >= tile_size loop
    insert into audience_gate.tile (level, tile_index, hash)
    select tile_level, i, audience_gate.top(
      case when tile_level = 1
        then array(select l.hash from audience_gate.leaf l
          where l.leaf_index >= i * 256 and l.leaf_index < (i + 1) * 256 order by l.leaf_index)
        else array(select t.hash from audience_gate.tile t
          where t.level = tile_level - 1 and t.tile_index >= i * 256 and t.tile_index < (i + 1) * 256 order by t.tile_index)
      end)
    from generate_series(old_size / tile_size, size / tile_size - 1) as i;
    tile_level := tile_level + 1;
    tile_size := tile_size * 256;
  end loop;
end;
$$;
comment on function audience_gate.fill_tiles(bigint, bigint) is 'Adds the tops of the subtrees that became full as the tree grew.';

create or replace function audience_gate.seal_rows(settings jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  most integer := coalesce((settings ->> 'batch_size')::integer, 10000);
  ends timestamptz := clock_timestamp() + make_interval(secs => coalesce((settings ->> 'max_seconds')::numeric, 10)::double precision);
  old_size bigint;
  size bigint;
  is_waiting boolean := true;
begin
  perform pg_advisory_xact_lock(hashtextextended('audience_gate.seal_rows', 0));
  old_size := (select coalesce(max(l.leaf_index) + 1, 0) from audience_gate.leaf l);
  size := old_size;
  while is_waiting and clock_timestamp() < ends loop
    size := size + audience_gate.seal_batch(most);
    is_waiting := exists (select from audience_gate.unsealed);
  end loop;
  if size > old_size then
    perform audience_gate.fill_tiles(old_size, size);
    insert into audience_gate.seal (size, root) values (size, audience_gate.subtree(0, size));
  end if;
  return jsonb_build_object('sealed', size - old_size, 'size', size, 'waiting', is_waiting);
end;
$$;
comment on function audience_gate.seal_rows(jsonb) is
  'Seals what is queued, batch_size rows at a time and for about max_seconds: the job seal_rows.';

insert into audience_gate.jobs (name, description, schedule, action, settings, active)
values ('seal_rows', 'Seals what was recorded, once audience_gate.start_sealing() was called.', '* * * * *', 'seal_rows',
  '{"batch_size": 10000, "max_seconds": 20}', false)
on conflict do nothing;

-- No security definer: whoever owns the log decides whether it is sealed.
create or replace function audience_gate.start_sealing()
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
  events bigint;
  changes bigint;
begin
  -- Nothing is recorded between the triggers and what is queued here.
  lock table public.audience_events, public.audience_state_events in share row exclusive mode;
  drop trigger if exists trg_audience_events_queue on public.audience_events;
  create trigger trg_audience_events_queue after insert on public.audience_events
    referencing new table as added for each statement execute function audience_gate.queue_events();
  drop trigger if exists trg_audience_events_queue_stamped on public.audience_events;
  create trigger trg_audience_events_queue_stamped after update on public.audience_events
    referencing old table as unstamped new table as stamped for each statement execute function audience_gate.queue_stamped_events();
  drop trigger if exists trg_audience_state_events_queue on public.audience_state_events;
  create trigger trg_audience_state_events_queue after insert on public.audience_state_events
    referencing new table as added for each statement execute function audience_gate.queue_changes();
  insert into audience_gate.unsealed (event_id)
  select e.id from public.audience_events e
  where e.contract is not null
    and not exists (select from audience_gate.leaf l where l.event_id = e.id)
    and not exists (select from audience_gate.unsealed u where u.event_id = e.id);
  get diagnostics events = row_count;
  insert into audience_gate.unsealed (change_id)
  select h.id from public.audience_state_events h
  where not exists (select from audience_gate.leaf l where l.change_id = h.id)
    and not exists (select from audience_gate.unsealed u where u.change_id = h.id);
  get diagnostics changes = row_count;
  update audience_gate.jobs set active = true where name = 'seal_rows';
  return jsonb_build_object('events', events, 'changes', changes);
end;
$$;
comment on function audience_gate.start_sealing() is
  'Begins to seal: queues what is recorded so far, and from now on whatever is recorded. Returns how many rows wait.';

create or replace function audience_gate.stop_sealing()
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  drop trigger if exists trg_audience_events_queue on public.audience_events;
  drop trigger if exists trg_audience_events_queue_stamped on public.audience_events;
  drop trigger if exists trg_audience_state_events_queue on public.audience_state_events;
  update audience_gate.jobs set active = false where name = 'seal_rows';
end;
$$;
comment on function audience_gate.stop_sealing() is 'Seals nothing more. What is sealed stays, and can still be verified.';

do $$
declare
  made text;
begin
  foreach made in array array[
    'part(text)', 'micros(timestamptz)', 'day_number(timestamptz)',
    'event_commitment(bytea, uuid, text, text, text, text, text, text, timestamptz, jsonb)',
    'event_entry(uuid, timestamptz, uuid, boolean, text, text, text, text, timestamptz)',
    'event_leaf(uuid, timestamptz, uuid, boolean, text, text, text, text, timestamptz, bytea)',
    'change_commitment(bytea, uuid, text, text, uuid)',
    'change_leaf(bigint, uuid, text, text, timestamptz, timestamptz, text, bytea)',
    'top(bytea[])', 'subtree(bigint, bigint)', 'inclusion_proof(bigint, bigint)', 'consistency_proof(bigint, bigint)',
    'queue_events()', 'queue_stamped_events()', 'queue_changes()', 'seal_batch(integer)', 'fill_tiles(bigint, bigint)',
    'seal_rows(jsonb)', 'start_sealing()', 'stop_sealing()'
  ] loop
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', made);
    if made not in ('start_sealing()', 'stop_sealing()') then
      execute format('grant execute on function audience_gate.%s to audience_gate_owner', made);
    end if;
  end loop;
  foreach made in array array['queue_events()', 'queue_stamped_events()', 'queue_changes()', 'seal_rows(jsonb)'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', made);
  end loop;
end $$;
