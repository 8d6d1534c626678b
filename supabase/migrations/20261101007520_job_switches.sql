-- The schedules in the hands of whoever owns every site: what runs when, how it went, and a switch for each.

create or replace function audience_gate.jobs_of_site(p_site uuid)
returns table (
  name text, description text, schedule text, active boolean, last_at timestamptz, last_outcome text, failed_runs bigint
)
language plpgsql
stable
security definer
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform audience_gate.require_member(p_site);
  return query
  select j.name, j.description, j.schedule, j.active, r.started_at, r.outcome,
    (select count(*) from audience_gate.job_runs f
      where f.job = j.name and f.outcome = 'failed' and f.started_at > now() - interval '24 hours')
  from audience_gate.jobs j
  left join lateral (
    select * from audience_gate.job_runs l where l.job = j.name order by l.started_at desc limit 1
  ) r on true
  order by j.name;
end;
$$;
comment on function audience_gate.jobs_of_site(uuid) is 'Computes what public.audience_job_list() returns.';
alter function audience_gate.jobs_of_site(uuid) owner to audience_gate_owner;
revoke all on function audience_gate.jobs_of_site(uuid) from public, anon, authenticated, service_role;
grant execute on function audience_gate.jobs_of_site(uuid) to authenticated, service_role;

create or replace function public.audience_job_list(site uuid)
returns table (
  name text, description text, schedule text, active boolean, last_at timestamptz, last_outcome text, failed_runs bigint
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.jobs_of_site(site) $$;
comment on function public.audience_job_list(uuid) is
  'The scheduled jobs, with schedules in UTC: whether each is active, how its last run went, and how many failed in 24 hours. '
  'For members of a site.';
revoke all on function public.audience_job_list(uuid) from public, anon, authenticated, service_role;
grant execute on function public.audience_job_list(uuid) to authenticated, service_role;

grant update (active) on table audience_gate.jobs to audience_gate_owner;
-- The trigger on the table asks it; as this role the answer is no, and pg_cron needs no word.
grant execute on function audience_gate.jobs_enabled() to audience_gate_owner;

create or replace function audience_gate.switch_job(p_name text, p_active boolean)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if not (audience_gate.is_trusted() or audience_gate.owns_every_site()) then
    raise exception 'only who owns every site may do this' using errcode = '42501',
      hint = 'the jobs work for all sites: ask whoever keeps the database';
  end if;
  update audience_gate.jobs j set active = p_active where j.name = p_name;
  if not found then
    raise exception 'there is no such job' using errcode = 'no_data_found', hint = 'public.audience_job_list() has their names';
  end if;
end;
$$;
comment on function audience_gate.switch_job(text, boolean) is 'Does what public.audience_switch_job() says.';
alter function audience_gate.switch_job(text, boolean) owner to audience_gate_owner;
revoke all on function audience_gate.switch_job(text, boolean) from public, anon, authenticated, service_role;
grant execute on function audience_gate.switch_job(text, boolean) to authenticated, service_role;

create or replace function public.audience_switch_job(name text, active boolean)
returns void
language sql
volatile
set search_path = ''
as $$ select audience_gate.switch_job(name, active) $$;
comment on function public.audience_switch_job(text, boolean) is
  'Has the schedule run a job, or not. For whoever owns every site, and trusted callers.';
revoke all on function public.audience_switch_job(text, boolean) from public, anon, authenticated, service_role;
grant execute on function public.audience_switch_job(text, boolean) to authenticated, service_role;
