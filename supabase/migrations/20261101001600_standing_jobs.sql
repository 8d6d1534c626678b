-- The jobs that ship: derivation, inactivity, pruning of logs. And pg_cron, where it is there.

-- Inactivity is an event like any other: written to the log with the rule that found it, judged by the
-- contract, and applied by the derivation, which checks its terms again. The id is made from what was
-- found, so a second sweep before the derivation adds nothing. Batches are small because the sessions
-- that share a lock with the sweep's wait for it.
create or replace function audience_gate.sweep_inactivity(settings jsonb default '{}')
returns jsonb
language sql
security definer
set search_path = ''
as $$
  with found as (
    select s.site_id, s.user_id, r.id as rule_id, r.prior_state, r.new_state,
      floor(extract(epoch from now() - s.last_activity_at) / 86400) as days,
      left(encode(sha256(convert_to(
        concat_ws('|', 'inactivity', s.site_id, s.user_id, r.id, extract(epoch from s.last_activity_at)), 'UTF8')), 'hex'), 32)::uuid as id
    from public.audience_rules r
    join public.audience_states f on f.id = r.prior_state
    join public.audience_states t on t.id = r.new_state
    join public.audience_site_state s on s.current_state = r.prior_state
      and s.last_activity_at <= now() - r.inactivity_days * interval '1 day'
    where r.active and r.kind = 'inactivity'
      and t.rank = (select max(n.rank) from public.audience_states n where n.rank < f.rank)
  ), written as (
    insert into public.audience_events
      (id, site_id, user_id, session_id, event_type, event_category, event_source, metadata)
    select f.id, f.site_id, f.user_id, 'inactivity-sweep:' || f.rule_id,
      coalesce(settings ->> 'event_type', 'inactivity_detected'), 'retention', 'inactivity-sweep',
      jsonb_build_object('prior_state', f.prior_state, 'new_state', f.new_state, 'inactivity_days', f.days, 'rule_id', f.rule_id)
    from found f
    where not exists (select from public.audience_events e where e.id = f.id)
    limit coalesce((settings ->> 'batch_size')::integer, 1000)
    returning rejected
  )
  select jsonb_build_object(
    'emitted', count(*) filter (where not w.rejected), 'rejected', count(*) filter (where w.rejected))
  from written w
$$;
comment on function audience_gate.sweep_inactivity(jsonb) is
  'Writes a retention event for everybody an inactivity rule applies to. settings: batch_size, event_type.';

create table if not exists audience_gate.log_retention (
  table_name text primary key,
  time_column text not null,
  keep interval not null check (keep >= interval '1 hour')
);
comment on table audience_gate.log_retention is
  'How long the logs of schema audience_gate are kept. The event log and the state history are not here: they are kept for good.';
comment on column audience_gate.log_retention.table_name is 'A table of schema audience_gate.';
comment on column audience_gate.log_retention.time_column is 'The column that says when a row was written.';
comment on column audience_gate.log_retention.keep is 'How long a row is kept.';
insert into audience_gate.log_retention (table_name, time_column, keep)
values ('job_runs', 'started_at', '30 days'), ('rate_buckets', 'filled_at', '1 hour') on conflict do nothing;

create or replace function audience_gate.prune_logs(settings jsonb default '{}')
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  batch integer := coalesce((settings ->> 'batch_size')::integer, 5000);
  deadline timestamptz := clock_timestamp() + coalesce((settings ->> 'max_seconds')::numeric, 10) * interval '1 second';
  log audience_gate.log_retention;
  removed_now bigint;
  removed bigint;
  answer jsonb := jsonb '{}';
begin
  for log in select * from audience_gate.log_retention l order by l.table_name loop
    removed := 0;
    loop
      execute format(
        'delete from audience_gate.%I where ctid = any (array(
           select ctid from audience_gate.%1$I where %I < now() - $1 limit $2))', log.table_name, log.time_column)
      using log.keep, batch;
      get diagnostics removed_now = row_count;
      removed := removed + removed_now;
      exit when removed_now < batch or clock_timestamp() >= deadline;
    end loop;
    answer := answer || jsonb_build_object(log.table_name, removed);
  end loop;
  return answer;
end;
$$;
comment on function audience_gate.prune_logs(jsonb) is
  'Removes log rows past their time, a batch after another, until done or out of time; the next run goes on. settings: batch_size, max_seconds.';

insert into audience_gate.jobs (name, description, schedule, action, settings) values
  ('derive_states', 'applies new events to the states of their users', '* * * * *', 'derive_states',
    '{"batch_size": 1000, "max_seconds": 10}'),
  ('sweep_inactivity', 'writes a retention event for everybody an inactivity rule applies to', '*/10 * * * *', 'sweep_inactivity',
    '{"batch_size": 1000, "event_type": "inactivity_detected"}'),
  ('prune_logs', 'removes log rows past their time', '43 * * * *', 'prune_logs', '{"batch_size": 5000, "max_seconds": 10}')
on conflict do nothing;

-- Runs as whoever edits the jobs, because pg_cron runs a job as the role that scheduled it.
create or replace function audience_gate.schedule_jobs()
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  item record;
  scheduled integer := 0;
  removed integer := 0;
begin
  if not exists (select from pg_catalog.pg_extension e where e.extname = 'pg_cron')
     or not has_schema_privilege(current_user, 'cron', 'usage') then
    return jsonb_build_object('pg_cron', false);
  end if;
  for item in select * from audience_gate.jobs j where j.active loop
    execute 'select cron.schedule($1, $2, $3)'
    using 'audience-gate:' || item.name, item.schedule, format('select audience_gate.run_job(%L)', item.name);
    scheduled := scheduled + 1;
  end loop;
  execute 'select cron.schedule($1, $2, $3)' using 'audience-gate-log', '53 3 * * *',
    'delete from cron.job_run_details where end_time < now() - interval ''7 days''
       and jobid in (select jobid from cron.job where jobname like ''audience-gate%'')';
  for item in execute
    'select c.jobname from cron.job c where c.jobname like ''audience-gate:%''
       and not exists (select from audience_gate.jobs j where j.active and ''audience-gate:'' || j.name = c.jobname)'
  loop
    execute 'select cron.unschedule($1)' using item.jobname::text;
    removed := removed + 1;
  end loop;
  return jsonb_build_object('pg_cron', true, 'scheduled', scheduled, 'removed', removed);
end;
$$;
comment on function audience_gate.schedule_jobs() is
  'Makes pg_cron''s schedules those of audience_gate.jobs, and has it keep its own log of them for a week. Without pg_cron it does nothing and says so.';

create or replace function audience_gate.jobs_changed()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform audience_gate.schedule_jobs();
  return null;
end;
$$;
comment on function audience_gate.jobs_changed() is 'Has pg_cron follow an edit of audience_gate.jobs.';

drop trigger if exists trg_jobs_changed on audience_gate.jobs;
create trigger trg_jobs_changed after insert or update or delete on audience_gate.jobs
for each statement execute function audience_gate.jobs_changed();

do $$
declare
  function_name text;
begin
  foreach function_name in array array['sweep_inactivity(jsonb)', 'prune_logs(jsonb)'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', function_name);
    execute format('revoke all on function audience_gate.%s from public', function_name);
    execute format('grant execute on function audience_gate.%s to service_role', function_name);
  end loop;
end $$;
revoke all on function audience_gate.schedule_jobs() from public;
revoke all on function audience_gate.jobs_changed() from public;
alter table audience_gate.log_retention enable row level security;
drop policy if exists log_retention_gate on audience_gate.log_retention;
create policy log_retention_gate on audience_gate.log_retention for select to audience_gate_owner using (true);
revoke all on table audience_gate.log_retention from public, anon, authenticated, service_role;
grant select on table audience_gate.log_retention to audience_gate_owner;

-- Available is not the same as usable: the server must have preloaded it, and this role be let to.
do $$
begin
  if exists (select from pg_catalog.pg_available_extensions a where a.name = 'pg_cron')
     and not exists (select from pg_catalog.pg_extension e where e.extname = 'pg_cron') then
    create extension pg_cron;
  end if;
exception when others then
  raise notice 'pg_cron is there but cannot be used (%): call audience_gate.run_due_jobs() once a minute instead', sqlstate;
end $$;
do $$ begin perform audience_gate.schedule_jobs(); end $$;
