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
  if not exists (select from audience_gate.jobs j where j.active and j.name operator(pg_catalog.=) job_name) then
    return;
  end if;
  loop
    ran := audience_gate.run_job(job_name);
    commit;
    exit when not coalesce(ran operator(pg_catalog.@>) '{"outcome": "succeeded", "result": {"remaining": true}}', false)
      or pg_catalog.clock_timestamp() operator(pg_catalog.>=) deadline;
  end loop;
end;
$$;
comment on procedure audience_gate.run_job_to_the_end(text, numeric) is
  'Runs a job that is active, and runs it again as long as it says that something remains and the time is not over. Each run '
  'is a transaction of its own.';
revoke all on procedure audience_gate.run_job_to_the_end(text, numeric) from public, anon, authenticated, service_role;
grant execute on procedure audience_gate.run_job_to_the_end(text, numeric) to service_role;
