-- The quality figures, with the rows that nobody has judged and the requests that were refused whole.

drop function public.kpi_data_quality(uuid, timestamptz, timestamptz, text, text);
drop function audience_gate.kpi_data_quality(uuid, timestamptz, timestamptz, text, text);

create or replace function audience_gate.kpi_data_quality(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text
)
returns table (
  period date, rule_id text, accepted bigint, rejected bigint, received bigint, rate numeric, share numeric, unjudged bigint,
  refused_requests bigint
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
  l record;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, p_grain, 160);
  l := audience_gate.local_days(p_zone, r.first_day - 1, r.last_day + 2);
  return query
  with cells as (
    select l.days[c.nth] as day, c.rule_id, c.events
    from (
      select width_bucket(v.slot, l.starts) as nth, v.rule_id, sum(v.events) as events
      from audience_gate.receipt_slots v
      where v.site_id = p_site and v.slot >= l.starts[1] and v.slot < l.starts[cardinality(l.starts)]
      group by 1, 2
    ) c
    union all
    select (t.slot at time zone p_zone)::date, t.rule_id, t.events from audience_gate.receipt_tail(p_site) t
    union all
    select (q.minute at time zone p_zone)::date, 'refused', q.requests
    from audience_gate.refused_requests q
    where q.site_id = p_site and q.minute >= (r.first_day::timestamp at time zone p_zone)
      and q.minute < ((r.last_day + 1)::timestamp at time zone p_zone)
  ), placed as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, c.day::timestamp)::date end as period, c.rule_id, c.events
    from cells c
    where c.day between r.first_day and r.last_day
  ), whole as (
    select p.period, coalesce(sum(p.events) filter (where p.rule_id = ''), 0)::bigint as accepted,
      coalesce(sum(p.events) filter (where p.rule_id not in ('', 'unjudged', 'refused')), 0)::bigint as rejected,
      coalesce(sum(p.events) filter (where p.rule_id = 'unjudged'), 0)::bigint as unjudged,
      coalesce(sum(p.events) filter (where p.rule_id = 'refused'), 0)::bigint as refused
    from placed p
    group by 1
  ), by_rule as (
    select p.period, p.rule_id, sum(p.events)::bigint as rejected
    from placed p
    where p.rule_id not in ('', 'unjudged', 'refused')
    group by 1, 2
    having sum(p.events) <> 0
    union all
    select w.period, null, w.rejected from whole w
  )
  select w.period, b.rule_id, w.accepted, b.rejected, w.accepted + w.rejected,
    round(b.rejected::numeric / nullif(w.accepted + w.rejected, 0), 4), round(b.rejected::numeric / nullif(w.rejected, 0), 4),
    w.unjudged, w.refused
  from whole w
  join by_rule b on b.period = w.period
  order by w.period, b.rule_id nulls first;
end;
$$;
comment on function audience_gate.kpi_data_quality(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_data_quality() returns.';
alter function audience_gate.kpi_data_quality(uuid, timestamptz, timestamptz, text, text) owner to audience_gate_owner;
revoke all on function audience_gate.kpi_data_quality(uuid, timestamptz, timestamptz, text, text) from public, anon;
grant execute on function audience_gate.kpi_data_quality(uuid, timestamptz, timestamptz, text, text) to authenticated, service_role;

create or replace function public.kpi_data_quality(
  site uuid, from_time timestamptz, to_time timestamptz, grain text default 'total', time_zone text default 'UTC'
)
returns table (
  period date, rule_id text, accepted bigint, rejected bigint, received bigint, rate numeric, share numeric, unjudged bigint,
  refused_requests bigint
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_data_quality(site, from_time, to_time, grain, time_zone) $$;
comment on function public.kpi_data_quality(uuid, timestamptz, timestamptz, text, text)
is $$Data quality: what the gate rejected, by the first rule each event broke.
Grain: total, day, week or month, at most 160 periods, by rule; the row without a rule is the whole period.
Time zone: periods are local, by time of receipt.
Source: receipt_slots, refused_requests
period: first local day of the period
rule_id: a rule of RULES.md; null: all of them
accepted: events accepted in the period, system events included, and those that were rejected first and replayed since
rejected: events rejected by the rule
received: all accepted + all rejected of the period
rate: rejected / received
share: rejected / all rejected of the period
unjudged: rows of the period from before the gate that nobody has judged yet; they count in no other figure
refused_requests: requests of the period that were refused whole, before any of their events was judged$$;
revoke all on function public.kpi_data_quality(uuid, timestamptz, timestamptz, text, text) from public, anon;
grant execute on function public.kpi_data_quality(uuid, timestamptz, timestamptz, text, text) to authenticated, service_role;

create or replace function audience_gate.kpi_refused_requests(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text
)
returns table (period date, reason text, requests bigint)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
set max_parallel_workers_per_gather = 0
as $$
#variable_conflict use_column
declare
  r record;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, p_grain, 160);
  return query
  select case p_grain when 'total' then r.first_day else date_trunc(p_grain, c.day::timestamp)::date end, c.reason,
    sum(c.requests)::bigint
  from (
    select (q.minute at time zone p_zone)::date as day, q.reason, q.requests
    from audience_gate.refused_requests q
    where q.site_id = p_site and q.minute >= (r.first_day::timestamp at time zone p_zone)
      and q.minute < ((r.last_day + 1)::timestamp at time zone p_zone)
  ) c
  where c.day between r.first_day and r.last_day
  group by 1, 2
  order by 1, 3 desc, 2;
end;
$$;
comment on function audience_gate.kpi_refused_requests(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_refused_requests() returns.';
alter function audience_gate.kpi_refused_requests(uuid, timestamptz, timestamptz, text, text) owner to audience_gate_owner;
revoke all on function audience_gate.kpi_refused_requests(uuid, timestamptz, timestamptz, text, text) from public, anon;
grant execute on function audience_gate.kpi_refused_requests(uuid, timestamptz, timestamptz, text, text)
  to authenticated, service_role;

create or replace function public.kpi_refused_requests(
  site uuid, from_time timestamptz, to_time timestamptz, grain text default 'total', time_zone text default 'UTC'
)
returns table (period date, reason text, requests bigint)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_refused_requests(site, from_time, to_time, grain, time_zone) $$;
comment on function public.kpi_refused_requests(uuid, timestamptz, timestamptz, text, text)
is $$Requests that the function refused whole: too many, too large, without credentials, with a method it does not take.
Grain: total, day, week or month, at most 160 periods, by reason.
Time zone: periods are local.
Source: refused_requests
period: first local day of the period
reason: the code of the answer, as HTTP.md lists them
requests: how many requests; those of a page belong to the site whose origins list it, all others to the default site$$;
revoke all on function public.kpi_refused_requests(uuid, timestamptz, timestamptz, text, text) from public, anon;
grant execute on function public.kpi_refused_requests(uuid, timestamptz, timestamptz, text, text) to authenticated, service_role;
