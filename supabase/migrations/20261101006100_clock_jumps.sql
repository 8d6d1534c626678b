-- What is due: when the clock of the server has gone back, and when a run left something to do.

-- A run that began in what is now the future says nothing of when a job ran last. One that said that something remains is
-- not over.
create or replace function audience_gate.due_jobs()
returns setof text
language sql
stable
security definer
set search_path = ''
as $$
  select j.name
  from audience_gate.jobs j
  left join lateral (
    select r.started_at, r.result @> '{"remaining": true}' as remains from audience_gate.job_runs r
    where r.job = j.name and r.outcome <> 'skipped' and r.started_at <= clock_timestamp()
    order by r.started_at desc limit 1
  ) last on true
  where j.active
    and (last.remains or audience_gate.latest_due(j.schedule, clock_timestamp()) > coalesce(
      last.started_at, case when j.created_at <= clock_timestamp() then j.created_at end, '-infinity'))
  order by j.name
$$;
