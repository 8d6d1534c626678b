-- The jobs that ship, and pg_cron where it can be used.

insert into audience_gate.jobs (name, description, schedule, action, settings) values
  ('derive_states', 'applies new events to the states of their users', '* * * * *', 'derive_states',
    '{"batch_size": 1000, "max_seconds": 10}'),
  ('sweep_inactivity', 'writes a retention event for everybody an inactivity rule applies to', '*/10 * * * *', 'sweep_inactivity',
    '{"batch_size": 1000, "event_type": "inactivity_detected"}'),
  ('prune_logs', 'removes log rows past their time', '43 * * * *', 'prune_logs', '{"batch_size": 5000, "max_seconds": 10}')
on conflict do nothing;

-- The refresh as a scheduled job. The views may be as old as the schedule says: the live tail makes up
-- for it, and grows no longer than ten minutes.
insert into audience_gate.jobs (name, description, schedule, action)
values (
  'refresh_analytics', 'Refreshes the analytics views, all in one transaction and without blocking readers.',
  '*/10 * * * *', 'refresh_analytics'
)
on conflict do nothing;

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
