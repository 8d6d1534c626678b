-- Views of the dashboard that the members of a site have given a name: for each of them to open, not for one browser alone.

create table if not exists public.audience_saved_views (
  id uuid primary key default gen_random_uuid(),
  site_id uuid not null references public.audience_sites (id) on delete cascade,
  name text not null,
  words jsonb not null,
  made_by uuid null,
  created_at timestamptz not null default now(),
  constraint audience_saved_views_name_chk check (length(name) between 1 and 64 and name = btrim(name)),
  -- What names one event or one session is left out, and so is what belongs to one reader.
  constraint audience_saved_views_words_chk check (
    jsonb_typeof(words) = 'object' and length(words::text) <= 2000
    and not words ?| array['site', 'event', 'of', 'record', 'before', 'lang']
  )
);
create unique index if not exists idx_audience_saved_views_site_id on public.audience_saved_views (site_id, name);
comment on table public.audience_saved_views is
  'What members of a site look at again: the words of an address of the dashboard under a name. At most 100 for each site.';
comment on column public.audience_saved_views.id is 'Names the view.';
comment on column public.audience_saved_views.site_id is 'The site that it shows, to whose members it belongs.';
comment on column public.audience_saved_views.name is 'What it is called.';
comment on column public.audience_saved_views.words is 'What it shows: texts by the words of the address, such as {"view": "refusals"}.';
comment on column public.audience_saved_views.made_by is 'The member who saved it; null: a back end, or somebody who was erased.';
comment on column public.audience_saved_views.created_at is 'When it was saved.';
comment on index public.idx_audience_saved_views_site_id is 'The views of a site, by their names.';
alter table public.audience_saved_views enable row level security;
revoke all on table public.audience_saved_views from public, anon, authenticated, service_role;
grant select, delete, insert (site_id, name, words) on table public.audience_saved_views to authenticated, service_role;
grant select, update (made_by) on table public.audience_saved_views to audience_gate_owner;
drop policy if exists audience_saved_views_select_member on public.audience_saved_views;
create policy audience_saved_views_select_member on public.audience_saved_views for select to authenticated
  using (site_id in (select audience_gate.readable_sites()));
drop policy if exists audience_saved_views_insert_member on public.audience_saved_views;
create policy audience_saved_views_insert_member on public.audience_saved_views for insert to authenticated
  with check (site_id in (select audience_gate.readable_sites()));
drop policy if exists audience_saved_views_delete_maker on public.audience_saved_views;
create policy audience_saved_views_delete_maker on public.audience_saved_views for delete to authenticated
  using (
    site_id in (select audience_gate.owned_sites())
    or made_by = (select audience_gate.caller_id()) and site_id in (select audience_gate.readable_sites())
  );
drop policy if exists audience_saved_views_gate on public.audience_saved_views;
create policy audience_saved_views_gate on public.audience_saved_views for all to audience_gate_owner using (true) with check (true);

create or replace function audience_gate.check_saved_view()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  new.made_by := audience_gate.caller_id();
  if exists (select from jsonb_each(new.words) w where jsonb_typeof(w.value) <> 'string') then
    raise exception 'the words of a view are texts' using errcode = 'check_violation', hint = 'such as {"view": "refusals"}';
  end if;
  if audience_gate.replacement('', to_jsonb(new.name)) is not null
     or exists (select from jsonb_each(new.words) w where audience_gate.replacement(w.key, w.value) is not null) then
    raise exception 'a view that is saved holds something personal' using errcode = 'check_violation',
      hint = 'leave out what tells a person';
  end if;
  if (select count(*) from public.audience_saved_views v where v.site_id = new.site_id) >= 100 then
    raise exception 'a site would have more than 100 saved views' using errcode = 'check_violation', hint = 'delete some first';
  end if;
  return new;
end;
$$;
comment on function audience_gate.check_saved_view() is
  'Says who saved a view, and refuses one that would hold something personal, or too many.';
alter function audience_gate.check_saved_view() owner to audience_gate_owner;
revoke all on function audience_gate.check_saved_view() from public, anon, authenticated, service_role;
drop trigger if exists trg_check_saved_view on public.audience_saved_views;
create trigger trg_check_saved_view before insert on public.audience_saved_views
  for each row execute function audience_gate.check_saved_view();
