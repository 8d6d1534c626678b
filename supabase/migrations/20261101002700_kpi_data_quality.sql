-- Data quality: what the gate accepted, and what it rejected by which rule.

create or replace view audience_gate.receipts with (security_invoker = true) as
select
  e.site_id, e.created_at,
  case when e.rejected then coalesce(e.metadata ->> 'validation_rule_id', 'unknown') else '' end as rule_id
from public.audience_events e;
comment on view audience_gate.receipts is
  'All events as they were received: accepted (rule_id empty) or rejected by a rule.';
comment on column audience_gate.receipts.site_id is 'The site.';
comment on column audience_gate.receipts.created_at is 'When the event was received.';
comment on column audience_gate.receipts.rule_id is 'The first rule that the event broke; empty: it was accepted.';

create materialized view if not exists audience_gate.data_quality_by_rule as
select
  z.id as site_zone, r.rule_id, (r.created_at at time zone z.time_zone)::date as day,
  count(*)::bigint as events, max(r.created_at) as last_at
from audience_gate.receipts r
join audience_gate.site_zones z on z.site_id = r.site_id
where r.created_at < (select s.covered_until from audience_gate.analytics_settings s)
group by 1, 2, 3
with data;
create unique index if not exists idx_data_quality_by_rule_key on audience_gate.data_quality_by_rule (site_zone, day, rule_id);
comment on materialized view audience_gate.data_quality_by_rule is
  'Events received, by site and local day of receipt: accepted (rule_id empty), and rejected by each rule.';
comment on column audience_gate.data_quality_by_rule.site_zone is
  'The site in one of its time zones: an id of audience_gate.site_zones.';
comment on column audience_gate.data_quality_by_rule.rule_id is 'The rule; empty: accepted.';
comment on column audience_gate.data_quality_by_rule.day is 'The local day of receipt.';
comment on column audience_gate.data_quality_by_rule.events is 'How many events.';
comment on column audience_gate.data_quality_by_rule.last_at is 'When the last of them was received.';

create or replace function audience_gate.kpi_data_quality(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_grain text, p_zone text
)
returns table (
  period date, rule_id text, accepted bigint, rejected bigint, received bigint, rate numeric, share numeric
)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
#variable_conflict use_column
declare
  r record;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, p_grain, 160);
  return query
  with cells as (
    select v.day, v.rule_id, v.events
    from audience_gate.data_quality_by_rule v
    where v.site_zone = r.site_zone and v.day between r.first_day and r.last_day
    union all
    select (c.created_at at time zone p_zone)::date, c.rule_id, 1
    from audience_gate.receipts c
    where c.site_id = p_site and c.created_at >= r.covered_until
  ), placed as (
    select case p_grain when 'total' then r.first_day else date_trunc(p_grain, c.day::timestamp)::date end as period, c.rule_id, c.events
    from cells c
    where c.day between r.first_day and r.last_day
  ), whole as (
    select p.period, coalesce(sum(p.events) filter (where p.rule_id = ''), 0)::bigint as accepted,
      coalesce(sum(p.events) filter (where p.rule_id <> ''), 0)::bigint as rejected
    from placed p
    group by 1
  ), by_rule as (
    select p.period, p.rule_id, sum(p.events)::bigint as rejected
    from placed p
    where p.rule_id <> ''
    group by 1, 2
    union all
    select w.period, null, w.rejected from whole w
  )
  select w.period, b.rule_id, w.accepted, b.rejected, w.accepted + w.rejected,
    round(b.rejected::numeric / nullif(w.accepted + w.rejected, 0), 4), round(b.rejected::numeric / nullif(w.rejected, 0), 4)
  from whole w
  join by_rule b on b.period = w.period
  order by w.period, b.rule_id nulls first;
end;
$$;
comment on function audience_gate.kpi_data_quality(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_data_quality() returns.';
comment on function audience_gate.kpi_data_quality(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_data_quality() returns.';
comment on function audience_gate.kpi_data_quality(uuid, timestamptz, timestamptz, text, text) is
  'Computes what public.kpi_data_quality() returns.';

create or replace function public.kpi_data_quality(
  site uuid, from_time timestamptz, to_time timestamptz, grain text default 'total', time_zone text default 'UTC'
)
returns table (
  period date, rule_id text, accepted bigint, rejected bigint, received bigint, rate numeric, share numeric
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_data_quality(site, from_time, to_time, grain, time_zone) $$;
comment on function public.kpi_data_quality(uuid, timestamptz, timestamptz, text, text)
is $$Data quality: what the gate rejected, by the first rule each event broke.
Grain: total, day, week or month, at most 160 periods, by rule; the row without a rule is the whole period.
Time zone: periods are local, by time of receipt.
Source: data_quality_by_rule
period: first local day of the period
rule_id: a rule of RULES.md; null: all of them
accepted: events accepted in the period, system events included
rejected: events rejected by the rule
received: all accepted + all rejected of the period
rate: rejected / received
share: rejected / all rejected of the period$$;
