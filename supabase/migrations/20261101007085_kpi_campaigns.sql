-- Campaigns: which of them brought people, and what came of it.

create or replace function audience_gate.campaign_terms(
  p_site uuid, p_by text, p_funnel text, p_views_hold boolean, out goal text, out holds boolean
)
language plpgsql
stable
set search_path = ''
as $$
begin
  if p_by is null or p_by not in ('first', 'last') then
    raise exception 'a visit is credited to the first or the last campaign' using errcode = '22023', hint = 'Send first or last.';
  end if;
  goal := (
    select f.event_type from audience_gate.funnel_steps f
    where f.site_id = p_site and f.funnel_id = p_funnel order by f.position desc limit 1);
  if goal is null then
    raise exception 'the site has no funnel of this name' using errcode = '22023', hint = 'kpi_funnels lists them.';
  end if;
  -- What a funnel leads to is part of the table.
  holds := p_views_hold and exists (
    select from audience_gate.site_zones z where z.site_id = p_site and z.funnel_terms = audience_gate.funnel_terms(p_site));
end;
$$;
comment on function audience_gate.campaign_terms(uuid, text, text, boolean) is
  'What a campaign is to lead to: the last step of the funnel; and whether the tables hold what is asked.';
alter function audience_gate.campaign_terms(uuid, text, text, boolean) owner to audience_gate_owner;
revoke all on function audience_gate.campaign_terms(uuid, text, text, boolean) from public, anon, authenticated, service_role;

create or replace function audience_gate.kpi_campaigns(
  p_site uuid, p_from timestamptz, p_to timestamptz, p_by text, p_funnel text, p_zone text
)
returns table (
  source text, medium text, campaign text, content text, term text, visits bigint, people bigint, conversions bigint,
  conversion_rate numeric
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
  t record;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  t := audience_gate.campaign_terms(p_site, p_by, p_funnel, r.views_hold);
  return query
  select p.touch ->> 0, p.touch ->> 1, p.touch ->> 2, p.touch ->> 3, p.touch ->> 4, p.visits, p.people, p.conversions,
    round(p.conversions::numeric / p.visits, 4)
  from (
    select nullif(c.label, '')::jsonb as touch, (sum(c.visits) filter (where c.goal = ''))::bigint as visits,
      (sum(c.visits) filter (where c.goal = '' and c.previous_day < r.first_day))::bigint as people,
      coalesce(sum(c.visits) filter (where c.goal <> ''), 0)::bigint as conversions
    from audience_gate.visit_day_cells(p_site, r.site_zone, p_zone, t.holds, p_by, r.first_day, r.last_day,
        audience_gate.live_tail(p_site)) c
    where c.goal in ('', t.goal)
    group by c.label
    having sum(c.visits) filter (where c.goal = '') > 0
  ) p
  order by 6 desc, p.touch::text;
end;
$$;
comment on function audience_gate.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text) is
  'Computes what public.kpi_campaigns() returns.';
alter function audience_gate.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text) owner to audience_gate_owner;
revoke all on function audience_gate.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text) from public, anon;
grant execute on function audience_gate.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text)
  to authenticated, service_role;
