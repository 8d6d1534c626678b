-- A link for a screen on the wall: whoever has it reads the figures of one site, and nothing else, until it ends. The secret in
-- it is shown once and stored nowhere: the database keeps its digest.

create table if not exists public.audience_wall_links (
  id uuid primary key default gen_random_uuid(),
  site_id uuid not null references public.audience_sites (id),
  name text not null,
  digest bytea not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz null,
  constraint audience_wall_links_name_chk check (length(name) between 1 and 64),
  constraint audience_wall_links_expires_at_chk check (expires_at > created_at and expires_at <= created_at + interval '366 days')
);
create unique index if not exists idx_audience_wall_links_digest on public.audience_wall_links (digest);
create index if not exists idx_audience_wall_links_site_id on public.audience_wall_links (site_id);
comment on table public.audience_wall_links is
  'Links by which a screen reads the figures of one site without signing in; at most 20 for each site that hold at a time.';
comment on column public.audience_wall_links.id is 'Names the link.';
comment on column public.audience_wall_links.site_id is 'The site whose figures it shows.';
comment on column public.audience_wall_links.name is 'What its owners call it, such as where the screen hangs.';
comment on column public.audience_wall_links.digest is 'The SHA-256 of the secret. No role of the API reads it.';
comment on column public.audience_wall_links.created_at is 'When it was made.';
comment on column public.audience_wall_links.expires_at is 'When it ends by itself, a year later at most.';
comment on column public.audience_wall_links.revoked_at is 'When it was ended before that; null: it was not.';
comment on index public.idx_audience_wall_links_digest is 'The link of a secret.';
comment on index public.idx_audience_wall_links_site_id is 'The links of a site.';
alter table public.audience_wall_links enable row level security;
revoke all on table public.audience_wall_links from public, anon, authenticated, service_role;
grant select (id, site_id, name, created_at, expires_at, revoked_at) on table public.audience_wall_links to authenticated, service_role;
grant select, insert, update (revoked_at) on table public.audience_wall_links to audience_gate_owner;
drop policy if exists audience_wall_links_select_owner on public.audience_wall_links;
create policy audience_wall_links_select_owner on public.audience_wall_links for select to authenticated
  using (site_id in (select audience_gate.owned_sites()));
drop policy if exists audience_wall_links_gate on public.audience_wall_links;
create policy audience_wall_links_gate on public.audience_wall_links for all to audience_gate_owner using (true) with check (true);

create or replace function audience_gate.wall_site(secret text)
returns uuid
language sql
stable
set search_path = ''
as $$
  select w.site_id from public.audience_wall_links w
  where w.digest = sha256(convert_to(secret, 'UTF8')) and w.revoked_at is null and w.expires_at > now()
$$;
comment on function audience_gate.wall_site(text) is
  'The site whose figures a secret opens, which audience_gate.kpi_range() asks; null: none, or not any more.';
alter function audience_gate.wall_site(text) owner to audience_gate_owner;
revoke all on function audience_gate.wall_site(text) from public, anon, authenticated, service_role;

create or replace function audience_gate.wall_figures(p_secret text, p_zone text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
set jit = off
as $$
declare
  site constant uuid := audience_gate.wall_site(p_secret);
  -- A zone whose days nobody keeps would be counted anew for each look.
  zone constant text := coalesce((
    select z.time_zone from audience_gate.site_zones z
    where z.site_id = site and z.time_zone = p_zone and z.covered_until is not null), 'UTC');
  today constant timestamptz := date_trunc('day', now() at time zone zone) at time zone zone;
  month_begins constant timestamptz := (date_trunc('day', now() at time zone zone) - interval '27 days') at time zone zone;
  figures jsonb;
begin
  if site is null then
    raise exception 'this link shows nothing, or nothing any more' using errcode = '42501', hint = 'ask an owner of the site for another';
  end if;
  perform set_config('audience_gate.wall_secret', p_secret, true);
  select jsonb_build_object(
    'site', (select s.name from public.audience_sites s where s.id = site),
    'expires_at', (select w.expires_at from public.audience_wall_links w where w.digest = sha256(convert_to(p_secret, 'UTF8'))),
    'zone', zone,
    'today', (select to_jsonb(o) from audience_gate.kpi_overview(site, today, now() + interval '1 second', zone) o),
    'month', (select to_jsonb(o) from audience_gate.kpi_overview(site, month_begins, now() + interval '1 second', zone) o),
    'days', (
      select coalesce(jsonb_agg(jsonb_build_object('period', v.period, 'visits', v.visits, 'people', v.people) order by v.period), '[]')
      from audience_gate.kpi_visits(site, month_begins, now() + interval '1 second', 'day', zone, '') v),
    'live', (
      select coalesce(jsonb_agg(to_jsonb(l) order by l.minute), '[]')
      from audience_gate.kpi_live(site, now() - interval '30 minutes', now() + interval '1 second') l))
  into figures;
  perform set_config('audience_gate.wall_secret', '', true);
  return figures;
exception when others then
  perform set_config('audience_gate.wall_secret', '', true);
  raise;
end;
$$;
comment on function audience_gate.wall_figures(text, text) is 'Computes what public.audience_wall_figures() returns.';
alter function audience_gate.wall_figures(text, text) owner to audience_gate_owner;
revoke all on function audience_gate.wall_figures(text, text) from public, anon, authenticated, service_role;
grant execute on function audience_gate.wall_figures(text, text) to anon, authenticated, service_role;

create or replace function public.audience_wall_figures(secret text, time_zone text default 'UTC')
returns jsonb
language sql
volatile
set search_path = ''
as $$ select audience_gate.wall_figures(secret, time_zone) $$;
comment on function public.audience_wall_figures(text, text) is
  'The figures that a screen with a link shows: the name of the site, its overview of today and of 28 days, its visits by day, '
  'and the last 30 minutes. Days end at midnight of the zone if the site keeps that, else of UTC. For whoever has the secret '
  'of a link that holds; refused with 42501 to anybody else.';
revoke all on function public.audience_wall_figures(text, text) from public, anon, authenticated, service_role;
grant execute on function public.audience_wall_figures(text, text) to anon, authenticated, service_role;

create or replace function audience_gate.add_wall_link(p_site uuid, p_name text, p_days integer)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  secret constant text :=
    encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex');
  named constant text := trim(p_name);
begin
  perform audience_gate.require_owner(p_site);
  if p_days is null or p_days not between 1 and 366 then
    raise exception 'a link holds from 1 to 366 days' using errcode = 'invalid_parameter_value';
  end if;
  if audience_gate.replacement('', to_jsonb(named)) is not null then
    raise exception 'the name of a link holds something personal' using errcode = 'check_violation', hint = 'say where the screen hangs';
  end if;
  if (select count(*) from public.audience_wall_links w
      where w.site_id = p_site and w.revoked_at is null and w.expires_at > now()) >= 20 then
    raise exception 'a site would have more than 20 links' using errcode = 'check_violation', hint = 'end one first';
  end if;
  insert into public.audience_wall_links (site_id, name, digest, expires_at)
  values (p_site, named, sha256(convert_to(secret, 'UTF8')), now() + p_days * interval '1 day');
  return secret;
end;
$$;
comment on function audience_gate.add_wall_link(uuid, text, integer) is 'Does what public.audience_add_wall_link() says.';
alter function audience_gate.add_wall_link(uuid, text, integer) owner to audience_gate_owner;
revoke all on function audience_gate.add_wall_link(uuid, text, integer) from public, anon, authenticated, service_role;
grant execute on function audience_gate.add_wall_link(uuid, text, integer) to authenticated, service_role;

create or replace function public.audience_add_wall_link(site uuid, name text, days integer default 30)
returns text
language sql
volatile
set search_path = ''
as $$ select audience_gate.add_wall_link(site, name, days) $$;
comment on function public.audience_add_wall_link(uuid, text, integer) is
  'Makes a link for a screen that holds for so many days, and returns its secret, which nobody can read again. For owners of '
  'the site and trusted callers.';
revoke all on function public.audience_add_wall_link(uuid, text, integer) from public, anon, authenticated, service_role;
grant execute on function public.audience_add_wall_link(uuid, text, integer) to authenticated, service_role;

create or replace function audience_gate.end_wall_link(p_site uuid, p_link uuid)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform audience_gate.require_owner(p_site);
  update public.audience_wall_links w set revoked_at = now() where w.id = p_link and w.site_id = p_site and w.revoked_at is null;
  return found;
end;
$$;
comment on function audience_gate.end_wall_link(uuid, uuid) is 'Does what public.audience_end_wall_link() says.';
alter function audience_gate.end_wall_link(uuid, uuid) owner to audience_gate_owner;
revoke all on function audience_gate.end_wall_link(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function audience_gate.end_wall_link(uuid, uuid) to authenticated, service_role;

create or replace function public.audience_end_wall_link(site uuid, link uuid)
returns boolean
language sql
volatile
set search_path = ''
as $$ select audience_gate.end_wall_link(site, link) $$;
comment on function public.audience_end_wall_link(uuid, uuid) is
  'Ends a link at once and for ever; false if it had ended or is not of the site. For owners of the site and trusted callers.';
revoke all on function public.audience_end_wall_link(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function public.audience_end_wall_link(uuid, uuid) to authenticated, service_role;
