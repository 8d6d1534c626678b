-- Jobs that have more to do than one transaction should hold.
--
-- A run is one transaction, bounded by the settings of its job, and says whether something remains. Then the next run
-- follows at once, until nothing remains or the minute is over. So what was done is seen and kept, whatever happens to
-- the rest, and no run holds locks and old rows for long.

-- Neither a setting of its own nor the rights of its owner, with which a procedure could not commit. All names in it are
-- those of a schema, and what it calls sets what it needs.
create or replace procedure audience_gate.run_job_to_the_end(job_name text, max_seconds numeric default 50)
language plpgsql
as $$
declare
  deadline constant timestamptz := pg_catalog.clock_timestamp()
    operator(pg_catalog.+) pg_catalog.make_interval(secs => max_seconds);
  ran jsonb;
begin
  loop
    ran := audience_gate.run_job(job_name);
    commit;
    exit when not coalesce(ran operator(pg_catalog.@>) '{"outcome": "succeeded", "result": {"remaining": true}}', false)
      or pg_catalog.clock_timestamp() operator(pg_catalog.>=) deadline;
  end loop;
end;
$$;
comment on procedure audience_gate.run_job_to_the_end(text, numeric) is
  'Runs a job, and runs it again as long as it says that something remains and the time is not over. Each run is a '
  'transaction of its own.';
revoke all on procedure audience_gate.run_job_to_the_end(text, numeric) from public, anon, authenticated, service_role;
grant execute on procedure audience_gate.run_job_to_the_end(text, numeric) to service_role;

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
  for item in select * from audience_gate.jobs j where j.active loop
    execute 'select cron.schedule($1, $2, $3)'
    using 'audience-gate:' || item.name, item.schedule, format('call audience_gate.run_job_to_the_end(%L)', item.name);
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

-- A database whose jobs are scheduled goes on with them in the new way.
do $$
begin
  if audience_gate.jobs_enabled() then
    perform audience_gate.schedule_jobs();
  end if;
end $$;
