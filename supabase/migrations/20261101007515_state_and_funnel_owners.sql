-- States and funnels in the hands of owners: states belong to all sites, as event types do; each site has its own funnels.

grant
  insert (id, name, meaning, rank, min_score),
  update (name, meaning, min_score),
  delete
  on table public.audience_states to authenticated;
drop policy if exists audience_states_insert_owner on public.audience_states;
create policy audience_states_insert_owner on public.audience_states for insert to authenticated
  with check ((select audience_gate.owns_every_site()));
drop policy if exists audience_states_update_owner on public.audience_states;
create policy audience_states_update_owner on public.audience_states for update to authenticated
  using ((select audience_gate.owns_every_site())) with check ((select audience_gate.owns_every_site()));
-- A state that anybody stands or stood in stays, by its foreign keys.
drop policy if exists audience_states_delete_owner on public.audience_states;
create policy audience_states_delete_owner on public.audience_states for delete to authenticated
  using ((select audience_gate.owns_every_site()));

create or replace function audience_gate.keep_states_in_order()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if not audience_gate.is_trusted() and exists (
    select from (select s.min_score, lag(s.min_score) over (order by s.rank) as below from public.audience_states s) o
    where o.min_score < o.below
  ) then
    raise exception 'a state would ask for a smaller score than the state below it' using errcode = 'check_violation',
      hint = 'give each state at least the score of the state below it';
  end if;
  return null;
end;
$$;
comment on function audience_gate.keep_states_in_order() is
  'Refuses scores that do not rise with the states, unless a back end writes them.';
alter function audience_gate.keep_states_in_order() owner to audience_gate_owner;
revoke all on function audience_gate.keep_states_in_order() from public, anon, authenticated, service_role;
create or replace trigger trg_keep_states_in_order after insert or update on public.audience_states
  for each statement execute function audience_gate.keep_states_in_order();

do $$
declare
  listed record;
begin
  for listed in
    select * from (values
      ('audience_funnels', 'site_id, id, name, conversion_window', 'name, conversion_window'),
      ('audience_funnel_steps', 'site_id, funnel_id, position, name, event_type', 'name, event_type')
    ) as t (table_name, columns, edited)
  loop
    execute format('grant insert (%2$s), update (%3$s), delete on table public.%1$I to authenticated',
      listed.table_name, listed.columns, listed.edited);
    execute format('drop policy if exists %1$I on public.%2$I', listed.table_name || '_insert_owner', listed.table_name);
    execute format('create policy %1$I on public.%2$I for insert to authenticated
      with check (site_id in (select audience_gate.owned_sites()))', listed.table_name || '_insert_owner', listed.table_name);
    execute format('drop policy if exists %1$I on public.%2$I', listed.table_name || '_update_owner', listed.table_name);
    execute format('create policy %1$I on public.%2$I for update to authenticated
      using (site_id in (select audience_gate.owned_sites())) with check (site_id in (select audience_gate.owned_sites()))',
      listed.table_name || '_update_owner', listed.table_name);
    execute format('drop policy if exists %1$I on public.%2$I', listed.table_name || '_delete_owner', listed.table_name);
    execute format('create policy %1$I on public.%2$I for delete to authenticated
      using (site_id in (select audience_gate.owned_sites()))', listed.table_name || '_delete_owner', listed.table_name);
  end loop;
end $$;

-- A step that stays as it was keeps its row, so that the history of a funnel tells what changed. The others go before any comes
-- again, because no two may name the same type at any moment.
create or replace function public.audience_save_funnel(site uuid, funnel text, name text, window_seconds bigint, steps jsonb)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  if jsonb_typeof(steps) is distinct from 'array' or jsonb_array_length(steps) not between 1 and 12 then
    raise exception 'a funnel has between 1 and 12 steps' using errcode = '22023',
      hint = 'Send them in their order: [{"name": "Read", "event_type": "content_view"}, …].';
  end if;
  if exists (select from jsonb_array_elements(steps) s group by s ->> 'event_type' having count(*) > 1) then
    raise exception 'two steps of the funnel are the same type of event' using errcode = '22023', hint = 'Leave one of them out.';
  end if;
  insert into public.audience_funnels as f (site_id, id, name, conversion_window)
  values (site, funnel, audience_save_funnel.name, make_interval(days => (window_seconds / 86400)::integer, secs => window_seconds % 86400))
  on conflict (site_id, id) do update set name = excluded.name, conversion_window = excluded.conversion_window
  where (f.name, f.conversion_window) is distinct from (excluded.name, excluded.conversion_window);
  delete from public.audience_funnel_steps s
  where s.site_id = site and s.funnel_id = funnel
    and (s.name, s.event_type) is distinct from (steps -> (s.position - 1) ->> 'name', steps -> (s.position - 1) ->> 'event_type');
  insert into public.audience_funnel_steps (site_id, funnel_id, position, name, event_type)
  select site, funnel, n.position, n.step ->> 'name', n.step ->> 'event_type'
  from jsonb_array_elements(steps) with ordinality n (step, position)
  where not exists (
    select from public.audience_funnel_steps s where s.site_id = site and s.funnel_id = funnel and s.position = n.position);
end;
$$;
comment on function public.audience_save_funnel(uuid, text, text, bigint, jsonb) is
  'Makes a funnel of a site, or changes it: its name, the time within which all steps must happen, and its steps in their order, '
  'each with name and event_type. Figures follow with the next fold. For owners of the site and trusted callers.';

create or replace function public.audience_remove_funnel(site uuid, funnel text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  delete from public.audience_funnel_steps s where s.site_id = site and s.funnel_id = funnel;
  delete from public.audience_funnels f where f.site_id = site and f.id = funnel;
  if not found then
    raise exception 'the site has no such funnel of its own' using errcode = 'no_data_found', hint = 'or you may not change it';
  end if;
end;
$$;
comment on function public.audience_remove_funnel(uuid, text) is
  'Removes a funnel of a site; without one called default the built-in one is measured. For owners of the site and trusted callers.';

do $$
declare
  signature text;
begin
  foreach signature in array array['save_funnel(uuid, text, text, bigint, jsonb)', 'remove_funnel(uuid, text)'] loop
    execute format('revoke all on function public.audience_%s from public, anon, authenticated, service_role', signature);
    execute format('grant execute on function public.audience_%s to authenticated, service_role', signature);
  end loop;
end $$;
