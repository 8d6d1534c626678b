-- Alerts: what a site is told of when it goes wrong, and a log of when each began and ended.

create table if not exists public.audience_alerts (
  id uuid primary key default gen_random_uuid(),
  site_id uuid not null references public.audience_sites (id),
  kind text not null,
  source text null,
  threshold numeric not null,
  minutes integer not null default 60,
  active boolean not null default true,
  created_at timestamptz not null default now(),
  constraint audience_alerts_kind_chk check (kind in ('rejected_share', 'silence', 'lag', 'failed_jobs', 'contract_drift')),
  constraint audience_alerts_source_chk check (source is null or kind in ('rejected_share', 'silence') and length(source) between 1 and 64),
  constraint audience_alerts_threshold_chk check (threshold >= 0 and (kind <> 'rejected_share' or threshold < 1)),
  constraint audience_alerts_minutes_chk check (minutes between 5 and 10080)
);
create index if not exists idx_audience_alerts_site_id on public.audience_alerts (site_id);
comment on table public.audience_alerts is
  'What a site wants to be told of; at most 100 for each site. The job check_alerts looks, and writes public.audience_alert_firings.';
comment on column public.audience_alerts.id is 'Names the alert.';
comment on column public.audience_alerts.site_id is 'The site.';
comment on column public.audience_alerts.kind is
  'rejected_share: of at least ten events received in the window, more than this share was rejected; silence: no event was '
  'accepted in the window, though some were in the week before; lag: the states or the figures were last computed more than '
  'threshold minutes ago; failed_jobs: more runs of jobs failed in the window; contract_drift: more events of the window were '
  'judged by another contract than the one in force.';
comment on column public.audience_alerts.source is 'The event_source that it looks at; null: all of them.';
comment on column public.audience_alerts.threshold is 'What the value has to exceed. Of no meaning for silence.';
comment on column public.audience_alerts.minutes is 'The window: so many minutes until now.';
comment on column public.audience_alerts.active is 'False: the job does not look.';
comment on column public.audience_alerts.created_at is 'When it was made.';
comment on index public.idx_audience_alerts_site_id is 'The alerts of a site.';
alter table public.audience_alerts enable row level security;
revoke all on table public.audience_alerts from public, anon, authenticated, service_role;
-- With its id, an alert that was deleted by mistake is put back under the log that it has.
grant select, delete, insert (id, site_id, kind, source, threshold, minutes, active), update (threshold, minutes, active)
  on table public.audience_alerts to authenticated;
grant select, insert, update, delete on table public.audience_alerts to service_role;
grant select on table public.audience_alerts to audience_gate_owner;
drop policy if exists audience_alerts_select_member on public.audience_alerts;
create policy audience_alerts_select_member on public.audience_alerts for select to authenticated
  using (site_id in (select audience_gate.readable_sites()));
drop policy if exists audience_alerts_insert_owner on public.audience_alerts;
create policy audience_alerts_insert_owner on public.audience_alerts for insert to authenticated
  with check (site_id in (select audience_gate.owned_sites()));
drop policy if exists audience_alerts_update_owner on public.audience_alerts;
create policy audience_alerts_update_owner on public.audience_alerts for update to authenticated
  using (site_id in (select audience_gate.owned_sites())) with check (site_id in (select audience_gate.owned_sites()));
drop policy if exists audience_alerts_delete_owner on public.audience_alerts;
create policy audience_alerts_delete_owner on public.audience_alerts for delete to authenticated
  using (site_id in (select audience_gate.owned_sites()));
drop policy if exists audience_alerts_gate on public.audience_alerts;
create policy audience_alerts_gate on public.audience_alerts for select to audience_gate_owner using (true);

create table if not exists public.audience_alert_firings (
  id bigint generated always as identity primary key,
  alert_id uuid not null,
  site_id uuid not null references public.audience_sites (id),
  kind text not null,
  source text null,
  state text not null,
  value numeric not null,
  threshold numeric not null,
  happened_at timestamptz not null default now(),
  constraint audience_alert_firings_state_chk check (state in ('fired', 'cleared'))
);
create index if not exists idx_audience_alert_firings_alert_id on public.audience_alert_firings (alert_id, id desc);
create index if not exists idx_audience_alert_firings_site_id on public.audience_alert_firings (site_id, id desc);
comment on table public.audience_alert_firings is
  'When each alert began and ended. Nothing in it is ever changed; it stays when its alert is deleted.';
comment on column public.audience_alert_firings.id is 'The order in which they came.';
comment on column public.audience_alert_firings.alert_id is 'The alert.';
comment on column public.audience_alert_firings.site_id is 'Its site.';
comment on column public.audience_alert_firings.kind is 'Its kind then.';
comment on column public.audience_alert_firings.source is 'The event_source that it looked at.';
comment on column public.audience_alert_firings.state is 'fired: it began; cleared: it ended.';
comment on column public.audience_alert_firings.value is 'What was measured then.';
comment on column public.audience_alert_firings.threshold is 'What it had to exceed then.';
comment on column public.audience_alert_firings.happened_at is 'When the job saw it.';
comment on index public.idx_audience_alert_firings_alert_id is 'The last firing of an alert.';
comment on index public.idx_audience_alert_firings_site_id is 'The latest firings of a site.';
alter table public.audience_alert_firings enable row level security;
revoke all on table public.audience_alert_firings from public, anon, authenticated, service_role;
revoke all on sequence public.audience_alert_firings_id_seq from public, anon, authenticated, service_role;
grant select on table public.audience_alert_firings to authenticated, service_role;
grant select, insert on table public.audience_alert_firings to audience_gate_owner;
drop policy if exists audience_alert_firings_select_member on public.audience_alert_firings;
create policy audience_alert_firings_select_member on public.audience_alert_firings for select to authenticated
  using (site_id in (select audience_gate.readable_sites()));
drop policy if exists audience_alert_firings_gate on public.audience_alert_firings;
create policy audience_alert_firings_gate on public.audience_alert_firings for all
  to audience_gate_owner using (true) with check (true);
drop trigger if exists trg_append_only on public.audience_alert_firings;
create trigger trg_append_only before update or delete or truncate on public.audience_alert_firings
  for each statement execute function public.audience_events_append_only();

create or replace function audience_gate.check_alert()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if audience_gate.replacement('', to_jsonb(new.source)) is not null then
    raise exception 'the sender of an alert holds something personal' using errcode = 'check_violation',
      hint = 'name an event_source, such as web or ios';
  end if;
  return new;
end;
$$;
comment on function audience_gate.check_alert() is 'Refuses an alert whose source would name a person.';
alter function audience_gate.check_alert() owner to audience_gate_owner;
revoke all on function audience_gate.check_alert() from public, anon, authenticated, service_role;
drop trigger if exists trg_check_alert on public.audience_alerts;
create trigger trg_check_alert before insert or update of source on public.audience_alerts
  for each row when (new.source is not null) execute function audience_gate.check_alert();

create or replace function audience_gate.bound_alerts()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if exists (select from public.audience_alerts a group by a.site_id having count(*) > 100) then
    raise exception 'a site would have more than 100 alerts' using errcode = 'check_violation', hint = 'delete some first';
  end if;
  return null;
end;
$$;
comment on function audience_gate.bound_alerts() is 'Refuses a statement that would leave a site more than 100 alerts.';
alter function audience_gate.bound_alerts() owner to audience_gate_owner;
revoke all on function audience_gate.bound_alerts() from public, anon, authenticated, service_role;
drop trigger if exists trg_within_bound on public.audience_alerts;
create trigger trg_within_bound after insert on public.audience_alerts
  for each statement execute function audience_gate.bound_alerts();

-- Null: nothing can be said, so an alert stays as it was.
create or replace function audience_gate.alert_value(alert public.audience_alerts)
returns numeric
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
declare
  since timestamptz := now() - alert.minutes * interval '1 minute';
  value numeric;
begin
  case alert.kind
    when 'rejected_share' then
      select case when count(*) >= 10 then round(count(*) filter (where e.rejected)::numeric / count(*), 4) end into value
      from public.audience_events e
      where e.site_id = alert.site_id and e.created_at >= since
        and (alert.source is null or alert.source = case when e.rejected
          then e.metadata #>> '{original_payload_snapshot,event_source}' else e.event_source end);
    when 'silence' then
      select floor(extract(epoch from now() - max(e.created_at)) / 60) into value
      from public.audience_events e
      where e.site_id = alert.site_id and e.created_at >= since - interval '7 days' and not e.rejected
        and e.event_source = coalesce(alert.source, e.event_source);
    when 'lag' then
      select floor(extract(epoch from now() - min(last.at)) / 60) into value
      from (
        select max(r.started_at) as at from audience_gate.job_runs r
        where r.job in ('derive_states', 'refresh_analytics') and r.outcome = 'succeeded' group by r.job
      ) last;
    when 'failed_jobs' then
      select count(*) into value from audience_gate.job_runs r where r.outcome = 'failed' and r.started_at >= since;
    when 'contract_drift' then
      select count(*) into value from public.audience_events e
      where e.site_id = alert.site_id and e.created_at >= since and e.contract <> audience_gate.contract_fingerprint();
  end case;
  return value;
end;
$$;
comment on function audience_gate.alert_value(public.audience_alerts) is
  'What an alert measures now: a share, minutes or a count; null: nothing can be said.';
alter function audience_gate.alert_value(public.audience_alerts) owner to audience_gate_owner;
revoke all on function audience_gate.alert_value(public.audience_alerts) from public, anon, authenticated, service_role;

create or replace function audience_gate.check_alerts(settings jsonb default '{}')
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  deadline timestamptz := clock_timestamp() + coalesce((settings ->> 'max_seconds')::numeric, 10) * interval '1 second';
  alert public.audience_alerts;
  value numeric;
  fires boolean;
  fired boolean;
  checked integer := 0;
  changed integer := 0;
begin
  for alert in select * from public.audience_alerts a where a.active order by a.site_id, a.created_at, a.id loop
    exit when clock_timestamp() >= deadline;
    value := audience_gate.alert_value(alert);
    checked := checked + 1;
    continue when value is null;
    fires := value > case alert.kind when 'silence' then alert.minutes else alert.threshold end;
    fired := coalesce((
      select f.state = 'fired' from public.audience_alert_firings f where f.alert_id = alert.id order by f.id desc limit 1), false);
    continue when fires = fired;
    insert into public.audience_alert_firings (alert_id, site_id, kind, source, state, value, threshold)
    values (alert.id, alert.site_id, alert.kind, alert.source, case when fires then 'fired' else 'cleared' end, value,
      case alert.kind when 'silence' then alert.minutes else alert.threshold end);
    changed := changed + 1;
  end loop;
  return jsonb_build_object('checked', checked, 'changed', changed);
end;
$$;
comment on function audience_gate.check_alerts(jsonb) is
  'Looks at every active alert, and records those that began or ended since the last time: the job check_alerts.';
alter function audience_gate.check_alerts(jsonb) owner to audience_gate_owner;
revoke all on function audience_gate.check_alerts(jsonb) from public, anon, authenticated, service_role;
grant execute on function audience_gate.check_alerts(jsonb) to service_role;

insert into audience_gate.jobs (name, description, schedule, action, settings, active)
values ('check_alerts', 'Looks whether an alert begins or ends; off until it is made active.', '*/5 * * * *', 'check_alerts',
  '{"max_seconds": 10}', false)
on conflict do nothing;

create or replace function audience_gate.alerts_of_site(p_site uuid)
returns table (
  id uuid, kind text, source text, threshold numeric, minutes integer, active boolean, state text, since timestamptz,
  value numeric, job_active boolean
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
  select a.id, a.kind, a.source, a.threshold, a.minutes, a.active, coalesce(f.state, 'quiet'), f.happened_at, f.value,
    coalesce((select j.active from audience_gate.jobs j where j.name = 'check_alerts'), false)
  from public.audience_alerts a
  left join lateral (
    select * from public.audience_alert_firings l where l.alert_id = a.id order by l.id desc limit 1
  ) f on true
  where a.site_id = p_site
  order by f.state = 'fired' desc nulls last, a.kind, a.source, a.id;
end;
$$;
comment on function audience_gate.alerts_of_site(uuid) is 'Computes what public.audience_alert_list() returns.';
alter function audience_gate.alerts_of_site(uuid) owner to audience_gate_owner;
revoke all on function audience_gate.alerts_of_site(uuid) from public, anon, authenticated, service_role;
grant execute on function audience_gate.alerts_of_site(uuid) to authenticated, service_role;

create or replace function public.audience_alert_list(site uuid)
returns table (
  id uuid, kind text, source text, threshold numeric, minutes integer, active boolean, state text, since timestamptz,
  value numeric, job_active boolean
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.alerts_of_site(site) $$;
comment on function public.audience_alert_list(uuid) is
  'The alerts of a site, those that fire first: the state of each (fired, cleared, or quiet: it never fired), since when, what '
  'was measured then, and whether the job that looks is active. For members of the site.';
revoke all on function public.audience_alert_list(uuid) from public, anon, authenticated, service_role;
grant execute on function public.audience_alert_list(uuid) to authenticated, service_role;
