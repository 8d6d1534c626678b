-- Scheduled work: each job is a row that names a function, a schedule and settings; each run is logged.
--
-- Where there is pg_cron it runs the jobs, and its schedules follow every edit of audience_gate.jobs. Where
-- there is none, a scheduler outside calls audience_gate.run_due_jobs() about once a minute. Schedules are in
-- UTC and have five fields, which every release of pg_cron takes.

-- A field is *, n, n-m, */s, n-m/s, or a list of these.
create or replace function audience_gate.schedule_field(field text, lowest integer, highest integer)
returns integer[]
language sql
immutable
parallel safe
set search_path = ''
as $$
  with parts as (
    select
      part,
      case when part like '*%' then lowest else substring(part from '^\d+')::integer end as first,
      case
        when part like '*%' then highest
        else coalesce(substring(part from '-(\d+)'), substring(part from '^\d+'))::integer
      end as last,
      coalesce(substring(part from '/(\d+)')::integer, 1) as step
    from unnest(string_to_array(field, ',')) as listed (part)
    where part ~ '^(\d{1,2}|(\*|\d{1,2}-\d{1,2})(/\d{1,2})?)$'
  )
  select case
    when count(*) = cardinality(string_to_array(field, ','))
      and count(*) > 0
      and bool_and(p.first between lowest and highest and p.last between p.first and highest and p.step > 0)
    then (
      select array_agg(distinct value order by value)
      from parts q, generate_series(q.first, q.last, greatest(q.step, 1)) as value
    )
  end
  from parts p
$$;
comment on function audience_gate.schedule_field(text, integer, integer) is
  'The values that a field of a schedule allows; null: the field is not well-formed.';

create or replace function audience_gate.is_schedule(schedule text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
  select cardinality(f) = 5
    and audience_gate.schedule_field(f[1], 0, 59) is not null
    and audience_gate.schedule_field(f[2], 0, 23) is not null
    and audience_gate.schedule_field(f[3], 1, 31) is not null
    and audience_gate.schedule_field(f[4], 1, 12) is not null
    and audience_gate.schedule_field(f[5], 0, 7) is not null
  from string_to_array(schedule, ' ') as f
$$;
comment on function audience_gate.is_schedule(text) is
  'Whether a text is a schedule of five fields: minute, hour, day of month, month, day of week.';

-- As cron reads schedules: if neither field of days begins with a star, it is enough that either matches.
create or replace function audience_gate.latest_due(schedule text, at timestamptz)
returns timestamptz
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  f text[] := string_to_array(schedule, ' ');
  minutes integer[] := audience_gate.schedule_field(f[1], 0, 59);
  hours integer[] := audience_gate.schedule_field(f[2], 0, 23);
  days integer[] := audience_gate.schedule_field(f[3], 1, 31);
  months integer[] := audience_gate.schedule_field(f[4], 1, 12);
  weekdays integer[] := array(
    select w % 7 from unnest(audience_gate.schedule_field(f[5], 0, 7)) as w);
  by_both boolean := f[3] like '*%' or f[5] like '*%';
  latest timestamp := at at time zone 'UTC';
  day date := latest::date;
  due timestamp;
  in_month boolean;
  on_weekday boolean;
begin
  -- Eight years reach every 29 February, even over the turn of a century.
  for back in 0..2922 loop
    in_month := extract(day from day) = any (days);
    on_weekday := extract(dow from day) = any (weekdays);
    if extract(month from day) = any (months)
       and (case when by_both then in_month and on_weekday else in_month or on_weekday end) then
      select max(day + make_time(h, m, 0)) into due
      from unnest(hours) as h, unnest(minutes) as m
      where day + make_time(h, m, 0) <= latest;
      if due is not null then
        return due at time zone 'UTC';
      end if;
    end if;
    day := day - 1;
  end loop;
  return null;
end;
$$;
comment on function audience_gate.latest_due(text, timestamptz) is
  'When a schedule last came round, up to a moment; null: not within eight years.';

create table if not exists audience_gate.jobs (
  name text primary key,
  description text not null,
  schedule text not null,
  action text not null,
  settings jsonb not null default '{}',
  active boolean not null default true,
  created_at timestamptz not null default now(),
  constraint jobs_name_chk check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint jobs_schedule_chk check (audience_gate.is_schedule(schedule)),
  constraint jobs_action_chk check (action ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint jobs_settings_chk check (jsonb_typeof(settings) = 'object')
);
comment on table audience_gate.jobs is
  'The scheduled jobs. Here an install changes schedules and settings, and what is active.';
comment on column audience_gate.jobs.name is 'The name that audience_gate.run_job() takes.';
comment on column audience_gate.jobs.description is 'What the job does, in a sentence.';
comment on column audience_gate.jobs.schedule is
  'Five fields in UTC: minute, hour, day of month, month, day of week.';
comment on column audience_gate.jobs.action is
  'A function of schema audience_gate that takes the settings or nothing, and returns what it did as jsonb.';
comment on column audience_gate.jobs.settings is 'What the function is given: sizes of batches, limits of time.';
comment on column audience_gate.jobs.active is
  'False: the schedule does not run it. audience_gate.run_job() still does.';
comment on column audience_gate.jobs.created_at is 'When it was defined. A job is not due for times before that.';
alter table audience_gate.jobs enable row level security;
revoke all on table audience_gate.jobs from public, anon, authenticated, service_role;

create table if not exists audience_gate.job_runs (
  id bigint generated always as identity primary key,
  job text not null references audience_gate.jobs (name) on delete cascade,
  started_at timestamptz not null,
  duration_ms numeric not null,
  outcome text not null,
  result jsonb null,
  error text null,
  error_at text null,
  constraint job_runs_outcome_chk check (outcome in ('succeeded', 'failed', 'skipped')),
  constraint job_runs_error_chk check ((outcome = 'failed') = (error is not null))
);
create index if not exists idx_job_runs_job on audience_gate.job_runs (job, started_at desc);
create index if not exists idx_job_runs_started_at on audience_gate.job_runs (started_at);
comment on table audience_gate.job_runs is
  'One row for each run of each job, kept for as long as audience_gate.log_retention says.';
comment on column audience_gate.job_runs.id is 'In the order of writing.';
comment on column audience_gate.job_runs.job is 'The job.';
comment on column audience_gate.job_runs.started_at is 'When the run began.';
comment on column audience_gate.job_runs.duration_ms is 'How long it took.';
comment on column audience_gate.job_runs.outcome is
  'succeeded; failed: all that it did was undone; skipped: another run of the job was under way.';
comment on column audience_gate.job_runs.result is 'What the job says it did.';
comment on column audience_gate.job_runs.error is
  'The SQLSTATE of a failure; never its text, which may quote values.';
comment on column audience_gate.job_runs.error_at is 'Function and line of the failure.';
alter table audience_gate.job_runs enable row level security;
revoke all on table audience_gate.job_runs from public, anon, authenticated, service_role;

create or replace function audience_gate.run_job(job_name text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  job audience_gate.jobs;
  started timestamptz := clock_timestamp();
  outcome text := 'succeeded';
  result jsonb;
  code text;
  context text;
begin
  select * into job from audience_gate.jobs j where j.name = job_name;
  if not found then
    raise exception 'there is no such job' using errcode = 'no_data_found',
      hint = 'The jobs are the rows of audience_gate.jobs.';
  end if;
  if pg_try_advisory_xact_lock(hashtextextended('audience_gate.run_job:' || job.name, 0)) then
    begin
      if to_regprocedure(format('audience_gate.%I(jsonb)', job.action)) is not null then
        execute format('select audience_gate.%I($1)', job.action) into result using job.settings;
      else
        execute format('select audience_gate.%I()', job.action) into result;
      end if;
      -- A job that undoes its own failure says so in what it returns.
      if result ->> 'outcome' = 'failed' then
        outcome := 'failed';
        code := coalesce(result ->> 'sqlstate', 'P0000');
      end if;
    exception when others then
      get stacked diagnostics code = returned_sqlstate, context = pg_exception_context;
      outcome := 'failed';
    end;
  else
    outcome := 'skipped';
  end if;
  insert into audience_gate.job_runs (job, started_at, duration_ms, outcome, result, error, error_at)
  values (
    job.name, started, round(extract(epoch from clock_timestamp() - started)::numeric * 1000, 3), outcome, result, code,
    substring(context from 'function ([a-z_.]+\([a-z, ]*\) line \d+)')
  );
  return jsonb_strip_nulls(jsonb_build_object('job', job.name, 'outcome', outcome, 'result', result, 'error', code));
end;
$$;
comment on function audience_gate.run_job(text) is
  'Runs a job now, and logs the run. A failure is undone, logged and returned, but not raised. Two runs of one job '
  'never overlap.';

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
      (select max(r.started_at) from audience_gate.job_runs r where r.job = j.name and r.outcome <> 'skipped'),
      j.created_at)
  order by j.name
$$;
comment on function audience_gate.due_jobs() is 'The jobs whose time has come since they last ran.';

create or replace function audience_gate.run_due_jobs()
returns jsonb
language sql
volatile
security definer
set search_path = ''
as $$ select coalesce(jsonb_agg(audience_gate.run_job(d.name)), '[]') from audience_gate.due_jobs() as d (name) $$;
comment on function audience_gate.run_due_jobs() is
  'Runs what is due. For a scheduler outside the database, about once a minute. A job that was missed several times '
  'runs once.';

-- No security definer: pg_cron runs a job as the role that scheduled it, which is whoever edits the jobs.
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
  'Gives pg_cron the schedules of audience_gate.jobs, and one that clears its log of them after a week. Without '
  'pg_cron it does nothing and says so.';

create or replace function audience_gate.jobs_changed()
returns trigger
language plpgsql
volatile
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
