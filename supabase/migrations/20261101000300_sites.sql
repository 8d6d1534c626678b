-- Sites, and who may read their figures.

create table if not exists public.audience_sites (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  origins text[] null,
  created_at timestamptz not null default now(),
  constraint audience_sites_name_chk check (length(name) between 1 and 128),
  constraint audience_sites_origins_chk check (
    array_position(origins, null) is null
    and cardinality(origins) = cardinality(string_to_array(array_to_string(origins, ' '), ' '))
    and array_to_string(origins, ' ') ~ '^(https?://[a-z0-9._:\[\]-]+( (?!$)|$))*$'
  )
);
comment on table public.audience_sites is
  'The sites of this install. An event that names no site belongs to the default site.';
comment on column public.audience_sites.id is 'The site_id of its events.';
comment on column public.audience_sites.name is 'The name people know the site by.';
comment on column public.audience_sites.origins is
  'The browser origins that may send events for it, in lower case and without a path, such as '
  'https://www.example.com. Null: any origin.';
comment on column public.audience_sites.created_at is 'When the site was registered.';
alter table public.audience_sites enable row level security;
revoke all on table public.audience_sites from public, anon, authenticated, service_role;

create table if not exists public.audience_site_members (
  site_id uuid not null references public.audience_sites (id) on delete cascade,
  user_id uuid not null,
  role text not null default 'viewer',
  created_at timestamptz not null default now(),
  primary key (site_id, user_id),
  constraint audience_site_members_role_chk check (role in ('owner', 'analyst', 'viewer'))
);
create index if not exists idx_audience_site_members_user_id on public.audience_site_members (user_id);
comment on table public.audience_site_members is
  'Which signed-in users may read the figures of which site. Back ends and administrators keep it.';
comment on column public.audience_site_members.site_id is 'The site.';
comment on column public.audience_site_members.user_id is 'The signed-in user (auth.users.id).';
comment on column public.audience_site_members.role is
  'owner, analyst or viewer. Each may read; an owner may also revert states.';
comment on column public.audience_site_members.created_at is 'When the membership began.';
alter table public.audience_site_members enable row level security;
revoke all on table public.audience_site_members from public, anon, authenticated, service_role;

create or replace function audience_gate.can_read_site(site uuid)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select audience_gate.is_trusted() or exists (
    select from public.audience_site_members m
    where m.site_id = site and m.user_id = (select audience_gate.caller_id())
  )
$$;
comment on function audience_gate.can_read_site(uuid) is
  'Whether this caller may read the figures of a site: its members may, and so may trusted roles.';

-- For policies: they evaluate a set of sites once for each statement, but call audience_gate.can_read_site()
-- for each row.
create or replace function audience_gate.readable_sites()
returns setof uuid
language sql
stable
security definer
set search_path = ''
as $$
  select m.site_id from public.audience_site_members m where m.user_id = (select audience_gate.caller_id())
$$;
comment on function audience_gate.readable_sites() is 'The sites this caller is a member of.';
