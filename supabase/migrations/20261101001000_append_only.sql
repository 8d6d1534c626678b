-- History cannot be edited: neither privileges nor row level security stop service_role, triggers do. They
-- fire for every role and for TRUNCATE too. Corrections are new events.

create or replace function public.audience_events_append_only()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception '% is append-only: % not permitted', tg_table_name, tg_op
    using errcode = 'insufficient_privilege',
          hint = 'record a new event that corrects the old one';
end;
$$;
comment on function public.audience_events_append_only() is 'Refuses to change or remove recorded events.';
revoke all on function public.audience_events_append_only() from public, anon, authenticated, service_role;

drop trigger if exists trg_audience_events_append_only on public.audience_events;
create trigger trg_audience_events_append_only
before update or delete
on public.audience_events
for each row
execute function public.audience_events_append_only();

drop trigger if exists trg_audience_events_no_truncate on public.audience_events;
create trigger trg_audience_events_no_truncate
before truncate
on public.audience_events
for each statement
execute function public.audience_events_append_only();
