-- What is due when the clock of the server has gone back.

-- A run that began in what is now the future says nothing of when a job ran last.
create or replace function audience_gate.due_jobs()
returns setof text
language sql
stable
security definer
set search_path = ''
as $$
  select j.name
  from audience_gate.jobs j
  where j.active
    and audience_gate.latest_due(j.schedule, clock_timestamp()) > coalesce(
      (select max(r.started_at) from audience_gate.job_runs r
        where r.job = j.name and r.outcome <> 'skipped' and r.started_at <= clock_timestamp()),
      case when j.created_at <= clock_timestamp() then j.created_at end,
      '-infinity')
  order by j.name
$$;
