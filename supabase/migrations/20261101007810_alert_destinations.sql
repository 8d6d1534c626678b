-- Where a site is told of its alerts. The address of a webhook is a secret: whoever has it can write to the channel.

create table if not exists public.audience_alert_destinations (
  id uuid primary key default gen_random_uuid(),
  site_id uuid not null references public.audience_sites (id),
  name text not null,
  form text not null,
  active boolean not null default true,
  created_at timestamptz not null default now(),
  constraint audience_alert_destinations_name_chk check (length(name) between 1 and 64),
  constraint audience_alert_destinations_form_chk check (form in ('json', 'slack'))
);
create unique index if not exists idx_audience_alert_destinations_name on public.audience_alert_destinations (site_id, name);
comment on table public.audience_alert_destinations is
  'Webhooks that are told when an alert of the site begins or ends; at most 10 for each site.';
comment on column public.audience_alert_destinations.id is 'Names the destination.';
comment on column public.audience_alert_destinations.site_id is 'The site.';
comment on column public.audience_alert_destinations.name is 'What its owners call it.';
comment on column public.audience_alert_destinations.form is
  'json: a signed document, for programs; slack: a text, as incoming webhooks of Slack, Mattermost and others take it.';
comment on column public.audience_alert_destinations.active is 'False: it is told of nothing that begins or ends from now on.';
comment on column public.audience_alert_destinations.created_at is 'When it was made.';
comment on index public.idx_audience_alert_destinations_name is 'No two destinations of a site have one name.';
alter table public.audience_alert_destinations enable row level security;
revoke all on table public.audience_alert_destinations from public, anon, authenticated, service_role;
grant select, delete, update (active) on table public.audience_alert_destinations to authenticated;
grant select, update (active), delete on table public.audience_alert_destinations to service_role;
grant select, insert on table public.audience_alert_destinations to audience_gate_owner;
drop policy if exists audience_alert_destinations_select_member on public.audience_alert_destinations;
create policy audience_alert_destinations_select_member on public.audience_alert_destinations for select to authenticated
  using (site_id in (select audience_gate.readable_sites()));
drop policy if exists audience_alert_destinations_update_owner on public.audience_alert_destinations;
create policy audience_alert_destinations_update_owner on public.audience_alert_destinations for update to authenticated
  using (site_id in (select audience_gate.owned_sites())) with check (site_id in (select audience_gate.owned_sites()));
drop policy if exists audience_alert_destinations_delete_owner on public.audience_alert_destinations;
create policy audience_alert_destinations_delete_owner on public.audience_alert_destinations for delete to authenticated
  using (site_id in (select audience_gate.owned_sites()));
drop policy if exists audience_alert_destinations_gate on public.audience_alert_destinations;
create policy audience_alert_destinations_gate on public.audience_alert_destinations for all
  to audience_gate_owner using (true) with check (true);

-- In a table of its own, so that no column right, no log of a failed insert and no history of the registry holds it.
create table if not exists audience_gate.alert_addresses (
  destination_id uuid primary key references public.audience_alert_destinations (id) on delete cascade,
  url text not null
);
comment on table audience_gate.alert_addresses is 'The addresses of public.audience_alert_destinations. Only the sender reads them.';
comment on column audience_gate.alert_addresses.destination_id is 'The destination.';
comment on column audience_gate.alert_addresses.url is 'Its address, a secret.';
alter table audience_gate.alert_addresses enable row level security;
revoke all on table audience_gate.alert_addresses from public, anon, authenticated, service_role;
grant select, insert on table audience_gate.alert_addresses to audience_gate_owner;
drop policy if exists alert_addresses_gate on audience_gate.alert_addresses;
create policy alert_addresses_gate on audience_gate.alert_addresses for all
  to audience_gate_owner using (true) with check (true);

create or replace function audience_gate.is_webhook(url text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
  select coalesce(
    length(url) <= 2000 and (
      url ~* '^https://([a-z0-9_-]+\.)+[a-z0-9-]*[a-z][a-z0-9-]*(:443)?([/?][!-~]*)?$'
        and not url ~* '^https://[^/?:]*\.(local|localhost|internal|home\.arpa)[/?:]'
        and not url ~* '^https://[^/?:]*\.(local|localhost|internal|home\.arpa)$'
      or url ~* '^http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?([/?][!-~]*)?$'),
    false)
$$;
comment on function audience_gate.is_webhook(text) is
  'Whether an address may be told of alerts: a public name over https on its usual port, or this machine over http. The sender '
  'looks again, and takes this machine only where the project itself runs on it.';
revoke all on function audience_gate.is_webhook(text) from public, anon, authenticated, service_role;
grant execute on function audience_gate.is_webhook(text) to audience_gate_owner;

create or replace function audience_gate.add_alert_destination(p_site uuid, p_name text, p_form text, p_url text)
returns uuid
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  named text := btrim(coalesce(p_name, ''));
  made uuid;
begin
  perform audience_gate.require_owner(p_site);
  if length(named) not between 1 and 64 or audience_gate.replacement('', to_jsonb(named)) is not null then
    raise exception 'the name of a destination has 1 to 64 characters and nothing personal' using errcode = 'invalid_parameter_value';
  end if;
  if p_form is null or p_form not in ('json', 'slack') then
    raise exception 'the form is json or slack' using errcode = 'invalid_parameter_value';
  end if;
  -- The address is repeated in no message: messages are logged.
  if not audience_gate.is_webhook(p_url) then
    raise exception 'the address must begin with https:// and a public name, on the usual port and without a password'
      using errcode = 'invalid_parameter_value', hint = 'on a local stack, http://127.0.0.1 will do, too';
  end if;
  if (select count(*) from public.audience_alert_destinations d where d.site_id = p_site) >= 10 then
    raise exception 'a site would have more than 10 destinations' using errcode = 'check_violation', hint = 'delete one first';
  end if;
  insert into public.audience_alert_destinations (site_id, name, form) values (p_site, named, p_form)
  on conflict (site_id, name) do nothing returning id into made;
  if made is null then
    raise exception 'the site has a destination of that name' using errcode = 'unique_violation',
      hint = 'delete it first, or choose another name';
  end if;
  insert into audience_gate.alert_addresses (destination_id, url) values (made, p_url);
  return made;
end;
$$;
comment on function audience_gate.add_alert_destination(uuid, text, text, text) is
  'Does what public.audience_add_alert_destination() says.';
alter function audience_gate.add_alert_destination(uuid, text, text, text) owner to audience_gate_owner;
revoke all on function audience_gate.add_alert_destination(uuid, text, text, text) from public, anon, authenticated, service_role;
grant execute on function audience_gate.add_alert_destination(uuid, text, text, text) to authenticated, service_role;

create or replace function public.audience_add_alert_destination(site uuid, name text, form text, url text)
returns uuid
language sql
volatile
set search_path = ''
as $$ select audience_gate.add_alert_destination(site, name, form, url) $$;
comment on function public.audience_add_alert_destination(uuid, text, text, text) is
  'Adds a webhook that is told when an alert of the site begins or ends, in the form json or slack. Nobody can read the address '
  'again; another one takes another destination. For owners of the site and trusted callers.';
revoke all on function public.audience_add_alert_destination(uuid, text, text, text)
  from public, anon, authenticated, service_role;
grant execute on function public.audience_add_alert_destination(uuid, text, text, text) to authenticated, service_role;
