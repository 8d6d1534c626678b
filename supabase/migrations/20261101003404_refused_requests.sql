-- Requests that were refused whole, before any event of theirs was judged: counted, because nothing else tells of them.

create table if not exists audience_gate.refused_requests (
  minute timestamptz not null,
  site_id uuid not null references public.audience_sites (id),
  reason text not null,
  requests bigint not null,
  primary key (minute, site_id, reason),
  constraint refused_requests_minute_chk check (minute = date_trunc('minute', minute, 'UTC')),
  constraint refused_requests_reason_chk check (reason ~ '^[a-z_]{3,32}$'),
  constraint refused_requests_requests_chk check (requests > 0)
);
create index if not exists idx_refused_requests_site_id on audience_gate.refused_requests (site_id, minute);
comment on table audience_gate.refused_requests is
  'How many requests the function refused whole in each minute, kept for as long as audience_gate.log_retention says.';
comment on column audience_gate.refused_requests.minute is 'The minute in which they came.';
comment on column audience_gate.refused_requests.site_id is
  'The site whose origins list the page that asked; the default site where none does.';
comment on column audience_gate.refused_requests.reason is 'The code of the answer, as HTTP.md lists them.';
comment on column audience_gate.refused_requests.requests is 'How many.';
comment on index audience_gate.idx_refused_requests_site_id is 'The refused requests of a site.';
alter table audience_gate.refused_requests enable row level security;
revoke all on table audience_gate.refused_requests from public, anon, authenticated, service_role;
grant select, insert, update, delete on table audience_gate.refused_requests to audience_gate_owner;
create policy refused_requests_gate on audience_gate.refused_requests to audience_gate_owner using (true) with check (true);

insert into audience_gate.log_retention (table_name, time_column, keep)
values ('refused_requests', 'minute', '400 days')
on conflict do nothing;

create or replace function audience_gate.count_refused_requests(counts jsonb)
returns bigint
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  counted bigint;
begin
  if jsonb_typeof(counts) is distinct from 'array' or jsonb_array_length(counts) > 1000 then
    raise exception 'counts must be an array of at most 1000' using errcode = 'invalid_parameter_value';
  end if;
  -- In one order, so that two calls cannot wait for each other.
  with sent as (
    select date_trunc('minute', least(x.minute, now()), 'UTC') as minute,
      coalesce(s.id, audience_gate.default_site()) as site_id, x.reason, sum(x.requests)::bigint as requests
    from jsonb_to_recordset(counts) as x (minute timestamptz, site_id uuid, reason text, requests bigint)
    left join public.audience_sites s on s.id = x.site_id
    where x.minute > now() - interval '1 day' and x.requests > 0 and x.reason ~ '^[a-z_]{3,32}$'
    group by 1, 2, 3
    order by 1, 2, 3
  ), kept as (
    insert into audience_gate.refused_requests as r (minute, site_id, reason, requests)
    select n.minute, n.site_id, n.reason, n.requests from sent n
    on conflict (minute, site_id, reason) do update set requests = r.requests + excluded.requests
    returning 1
  )
  select count(*) into counted from kept;
  return counted;
end;
$$;
comment on function audience_gate.count_refused_requests(jsonb) is
  'Adds counts of refused requests: what public.audience_count_refused() runs.';
alter function audience_gate.count_refused_requests(jsonb) owner to audience_gate_owner;
revoke all on function audience_gate.count_refused_requests(jsonb) from public;
grant execute on function audience_gate.count_refused_requests(jsonb) to service_role;

create or replace function public.audience_count_refused(counts jsonb)
returns bigint
language sql
volatile
set search_path = ''
as $$ select audience_gate.count_refused_requests(counts) $$;
comment on function public.audience_count_refused(jsonb) is
  'Adds [{"minute", "site_id", "reason", "requests"}] to the requests that were refused whole. For the Edge Function, '
  'which gathers them and sends them together.';
revoke all on function public.audience_count_refused(jsonb) from public, anon, authenticated;
grant execute on function public.audience_count_refused(jsonb) to service_role;
