-- Jobs: schedules, runs and their log, pruning.
begin;
select plan(45);

-- Schedules: what is not one, and when one was last due (UTC).
select is(audience_gate.is_schedule(schedule), false, format('"%s" is not a schedule', schedule))
from (values (''), ('* * * *'), ('* * * * * *'), ('60 * * * *'), ('* 24 * * *'), ('* * 0 * *'), ('* * * 13 *'), ('* * * * 8'),
  ('5-1 * * * *'), ('*/0 * * * *'), ('5/10 * * * *'), ('1,,2 * * * *'), ('a * * * *'), ('30 seconds'), ('* * * * mon')) as t (schedule);
select is(audience_gate.latest_due(schedule, at::timestamptz) at time zone 'UTC', due::timestamp, format('%s before %s', schedule, at))
from (values
  ('* * * * *', '2026-11-21 10:17:30+00', '2026-11-21 10:17:00'),
  ('*/15 * * * *', '2026-11-21 10:14:59+00', '2026-11-21 10:00:00'),
  ('7-59/10 * * * *', '2026-11-21 10:05:00+00', '2026-11-21 09:57:00'),
  ('0 9 * * 1', '2026-11-21 10:00:00+00', '2026-11-16 09:00:00'),
  ('0 9 * * 1', '2026-11-16 09:00:00+00', '2026-11-16 09:00:00'),
  ('0 9 * * 1', '2026-11-16 08:59:59+00', '2026-11-09 09:00:00'),
  ('30 2 1,15 * *', '2026-11-14 00:00:00+00', '2026-11-01 02:30:00'),
  ('0 0 * * 7', '2026-11-21 00:00:00+00', '2026-11-15 00:00:00'),
  ('0 12 1 * 5', '2026-11-21 00:00:00+00', '2026-11-20 12:00:00'),
  ('0 0 29 2 *', '2026-11-21 00:00:00+00', '2024-02-29 00:00:00'),
  ('0 0 30 2 *', '2026-11-21 00:00:00+00', null)
) as t (schedule, at, due);
select throws_ok($$ insert into audience_gate.jobs (name, description, schedule, action) values ('x', 'x', '30 seconds', 'x') $$,
  '23514', null, 'a job needs a five-field schedule');

-- The jobs that ship.
select is((select array_agg(name order by name) from audience_gate.jobs where name in ('derive_states', 'sweep_inactivity', 'prune_logs') and active),
  array['derive_states', 'prune_logs', 'sweep_inactivity'], 'three jobs of the state ship');
select is((select count(*) from audience_gate.jobs j where
    coalesce(to_regprocedure(format('audience_gate.%I(jsonb)', j.action)), to_regprocedure(format('audience_gate.%I()', j.action))) is null),
  0::bigint, 'every job names a function that is there');

-- Runs.
create function audience_gate.job_of_test(settings jsonb) returns jsonb language plpgsql as $$
begin
  insert into public.audience_sites (name) values ('by a job');
  if settings ? 'fail' then
    raise exception 'the secret is jane@example.com';
  end if;
  return settings || '{"done": 1}';
end $$;
create function audience_gate.job_that_tells() returns jsonb language sql as $$ select '{"outcome": "failed", "sqlstate": "40001"}'::jsonb $$;
grant insert on public.audience_sites to audience_gate_owner;
create policy of_test on public.audience_sites for insert to audience_gate_owner with check (true);
insert into audience_gate.jobs (name, description, schedule, action, settings, created_at) values
  ('works', 'x', '* * * * *', 'job_of_test', '{"given": 7}', now() - interval '1 hour'),
  ('fails', 'x', '0 0 1 1 *', 'job_of_test', '{"fail": true}', now() - interval '10 years'),
  ('tells', 'x', '0 0 1 1 *', 'job_that_tells', '{}', now());

select is(audience_gate.run_job('works'), '{"job": "works", "outcome": "succeeded", "result": {"done": 1, "given": 7}}', 'a job is given its settings');
select is((select count(*) from public.audience_sites where name = 'by a job'), 1::bigint, 'and does its work');
select is(audience_gate.run_job('fails'), '{"job": "fails", "outcome": "failed", "error": "P0001"}', 'a failure is told, not raised');
select is((select count(*) from public.audience_sites where name = 'by a job'), 1::bigint, 'and all it did is undone');
select results_eq(
  $$ select job, outcome, error, error_at, result, duration_ms >= 0 from audience_gate.job_runs where job in ('works', 'fails') order by id $$,
  $$ values ('works', 'succeeded', null, null, '{"done": 1, "given": 7}'::jsonb, true),
    ('fails', 'failed', 'P0001', 'audience_gate.job_of_test(jsonb) line 5', null, true) $$,
  'both are in the log, with the place of a failure and without its text');
select is((audience_gate.run_job('tells')) ->> 'error', '40001', 'a job that undid its own failure says so');
select throws_ok($$ select audience_gate.run_job('nope') $$, 'P0002', null, 'a job that there is not');
select is((select array_agg(d) from audience_gate.due_jobs() d where d in ('works', 'fails', 'tells')), null,
  'what ran since its time came round is not due');
delete from audience_gate.job_runs where job in ('works', 'fails');
select is((select array_agg(d) from audience_gate.due_jobs() d where d in ('works', 'fails', 'tells')), array['fails', 'works'],
  'what did not is due, however long ago');
update audience_gate.jobs set active = name in ('works', 'fails');
select is((select jsonb_agg(ran ->> 'outcome') from jsonb_array_elements(audience_gate.run_due_jobs()) ran), '["failed", "succeeded"]',
  'a scheduler outside runs what is due, one failure not keeping back the others');
select is(audience_gate.run_due_jobs(), '[]', 'once');
update audience_gate.job_runs set started_at = started_at + interval '1 year' where job = 'works';
update audience_gate.jobs set created_at = created_at + interval '1 year' where name = 'works';
select is((select array_agg(d) from audience_gate.due_jobs() d where d in ('works', 'fails', 'tells')), array['works'],
  'a clock that went back by a year stops no job');
delete from audience_gate.job_runs where job = 'works' and started_at > now() + interval '1 day';
update audience_gate.jobs set created_at = created_at - interval '1 year' where name = 'works';

-- Pruning.
insert into audience_gate.job_runs (job, started_at, duration_ms, outcome)
select 'works', now() - age, 1, 'succeeded' from (values (interval '30 days 1 second'), ('31 days'), ('40 days'), ('29 days 23 hours')) as t (age);
select is(audience_gate.prune_logs('{"batch_size": 2, "max_seconds": 0}') -> 'job_runs', '2', 'a run stops when its time is up');
select is(audience_gate.prune_logs('{"batch_size": 2}') -> 'job_runs', '1', 'the next one goes on');
insert into public.audience_observations (rule_id, site_id, event_source, event_type, minute, events)
select 'own.of_test', audience_gate.default_site(), 'web', 'page_view', now() - age * interval '1 day', 1 from (values (1), (100)) o (age);
select is(audience_gate.prune_logs() -> 'audience_observations', '1', 'what a rule in observe counted goes after a quarter of a year');
select is((select count(*) from audience_gate.job_runs where started_at < now() - interval '29 days'), 1::bigint, 'what is not old enough stays');

select * from finish();
rollback;
