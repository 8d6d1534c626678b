-- Whether the jobs are scheduled is for whoever owns the database to say: an install into a project that exists schedules
-- nothing by itself. A database whose jobs are scheduled already goes on as it is.

create or replace function audience_gate.jobs_enabled()
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
  enabled boolean := false;
begin
  if exists (select from pg_catalog.pg_extension e where e.extname = 'pg_cron')
     and has_schema_privilege(current_user, 'cron', 'usage') then
    execute 'select exists (select from cron.job c where c.jobname = ''audience-gate-log'')' into enabled;
  end if;
  return enabled;
end;
$$;
comment on function audience_gate.jobs_enabled() is
  'Whether pg_cron has the schedules of audience_gate.jobs: by audience_gate.enable_jobs(), until '
  'audience_gate.disable_jobs().';

create or replace function audience_gate.enable_jobs()
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
begin
  -- Available is not the same as usable: the server must have preloaded it, and this role be let to.
  if exists (select from pg_catalog.pg_available_extensions a where a.name = 'pg_cron')
     and not exists (select from pg_catalog.pg_extension e where e.extname = 'pg_cron') then
    begin
      create extension pg_cron;
    exception when others then
      raise notice 'pg_cron is there but cannot be used (%): call audience_gate.run_due_jobs() once a minute instead', sqlstate;
    end;
  end if;
  return audience_gate.schedule_jobs();
end;
$$;
comment on function audience_gate.enable_jobs() is
  'Has pg_cron run the jobs, and creates it where it is available. Without it, a scheduler outside calls '
  'audience_gate.run_due_jobs() once a minute. For whoever owns the database.';

create or replace function audience_gate.disable_jobs()
returns jsonb
language plpgsql
volatile
set search_path = ''
as $$
declare
  item record;
  removed integer := 0;
begin
  if not exists (select from pg_catalog.pg_extension e where e.extname = 'pg_cron')
     or not has_schema_privilege(current_user, 'cron', 'usage') then
    return jsonb_build_object('pg_cron', false);
  end if;
  for item in execute
    'select c.jobname from cron.job c where c.jobname like ''audience-gate:%'' or c.jobname = ''audience-gate-log'''
  loop
    execute 'select cron.unschedule($1)' using item.jobname::text;
    removed := removed + 1;
  end loop;
  return jsonb_build_object('pg_cron', true, 'scheduled', 0, 'removed', removed);
end;
$$;
comment on function audience_gate.disable_jobs() is
  'Takes the schedules from pg_cron again. audience_gate.run_job() still runs a job. For whoever owns the database.';

create or replace function audience_gate.jobs_changed()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  if audience_gate.jobs_enabled() then
    perform audience_gate.schedule_jobs();
  end if;
  return null;
end;
$$;
comment on function audience_gate.jobs_changed() is
  'Has pg_cron follow an edit of audience_gate.jobs, once the jobs are enabled.';

-- Every job has its schedule there, and the schedule asks whether the job is active: who may switch a job need not have a
-- right in pg_cron.
create or replace function audience_gate.schedule_jobs()
returns jsonb
language plpgsql
volatile
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
  for item in select * from audience_gate.jobs loop
    execute 'select cron.schedule($1, $2, $3)'
    using 'audience-gate:' || item.name, item.schedule, format('call audience_gate.run_job_to_the_end(%L)', item.name);
    scheduled := scheduled + 1;
  end loop;
  execute 'select cron.schedule($1, $2, $3)' using 'audience-gate-log', '53 3 * * *',
    'delete from cron.job_run_details where end_time < now() - interval ''7 days''
       and jobid in (select jobid from cron.job where jobname like ''audience-gate%'')';
  for item in execute
    'select c.jobname from cron.job c where c.jobname like ''audience-gate:%''
       and not exists (select from audience_gate.jobs j where ''audience-gate:'' || j.name = c.jobname)'
  loop
    execute 'select cron.unschedule($1)' using item.jobname::text;
    removed := removed + 1;
  end loop;
  return jsonb_build_object('pg_cron', true, 'scheduled', scheduled, 'removed', removed);
end;
$$;
comment on function audience_gate.schedule_jobs() is
  'Gives pg_cron the schedules of audience_gate.jobs, and one that clears its log of them after a week. A job that is not '
  'active stays scheduled and is not run. Without pg_cron it does nothing and says so.';

-- A database whose jobs are scheduled already has them asked from now on.
do $$
begin
  if audience_gate.jobs_enabled() then
    perform audience_gate.schedule_jobs();
  end if;
end $$;

revoke all on function audience_gate.jobs_enabled(), audience_gate.enable_jobs(), audience_gate.disable_jobs()
  from public, anon, authenticated, service_role;
