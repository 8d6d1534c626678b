-- The refresh as a scheduled job. The views may be as old as the schedule says: the live tail makes up
-- for it, and grows no longer than ten minutes.
insert into audience_gate.jobs (name, description, schedule, action)
values (
  'refresh_analytics', 'Refreshes the analytics views, all in one transaction and without blocking readers.',
  '*/10 * * * *', 'refresh_analytics'
)
on conflict do nothing;
