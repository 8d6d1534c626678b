-- An event is seen by whoever sees its record, whatever policies the tracked table has.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();
grant usage on schema extensions to anon, authenticated;

create table letters (id integer primary key, stage text not null default 'draft');
insert into letters select generate_series(1, 3);
grant select on letters to anon, authenticated;
select audience_gate.track_lifecycle('public.letters', 'stage');

-- Which records somebody sees, and of which records they see events.
create function pg_temp.seen(as_role text) returns text language plpgsql as $$
declare
  records integer[];
  histories integer[];
begin
  perform set_config('role', as_role, true);
  select array_agg(l.id order by l.id) into records from letters l;
  select array_agg(e.letter_id order by e.letter_id) into histories from letter_events e;
  perform set_config('role', 'none', true);
  return format('%s, of %s', coalesce(records, '{}'), coalesce(histories, '{}'));
end $$;

create function pg_temp.with_policies(statements text[], as_role text) returns text language plpgsql as $$
declare
  statement text;
  answer text;
begin
  foreach statement in array statements loop
    execute statement;
  end loop;
  answer := pg_temp.seen(as_role);
  raise exception using errcode = 'P9999', message = answer;
exception when sqlstate 'P9999' then
  return answer;
end $$;

select is(pg_temp.with_policies(policies, as_role), expected, as_role || ': ' || array_to_string(policies, '; '))
from (values
  (array[]::text[], 'anon', '{1,2,3}'),
  (array['create policy a on letters using (false)'], 'anon', '{1,2,3}'),
  (array['alter table letters enable row level security'], 'authenticated', '{}'),
  (array['alter table letters enable row level security', 'create policy a on letters using (true)'], 'anon', '{1,2,3}'),
  (array['alter table letters enable row level security', 'create policy a on letters using (id > 1)'], 'anon', '{2,3}'),
  (array['alter table letters enable row level security', 'create policy a on letters to authenticated using (true)'],
    'authenticated', '{1,2,3}'),
  (array['alter table letters enable row level security', 'create policy a on letters to authenticated using (true)'],
    'anon', '{}'),
  (array['alter table letters enable row level security', 'create policy a on letters for update using (true)'], 'anon', '{}'),
  (array['alter table letters enable row level security', 'create policy a on letters for insert with check (true)'],
    'anon', '{}'),
  (array['alter table letters enable row level security', 'create policy a on letters for select using (true)',
    'create policy b on letters using (id = 1)'], 'anon', '{1,2,3}'),
  (array['alter table letters enable row level security', 'create policy a on letters using (true)',
    'create policy b on letters as restrictive using (id = 1)'], 'anon', '{1}'),
  (array['alter table letters enable row level security', 'create policy a on letters using (true)',
    'create policy b on letters as restrictive to authenticated using (id = 1)'], 'anon', '{1,2,3}'),
  (array['alter table letters enable row level security', 'create policy a on letters using (true)',
    'create policy b on letters as restrictive for delete using (false)'], 'anon', '{1,2,3}')
) c (policies, as_role, visible), lateral (select format('%s, of %s', visible, visible)) x (expected);

select finish();
rollback;
