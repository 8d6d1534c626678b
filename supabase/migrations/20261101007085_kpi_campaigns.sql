-- Campaigns: which of them brought people, and what came of it.

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
set enable_mergejoin = off
set enable_nestloop = off
set jit = off
as $$
#variable_conflict use_column
declare
  r record;
  goal text;
begin
  r := audience_gate.kpi_range(p_site, p_from, p_to, p_zone, 'total', 1);
  if p_by is null or p_by not in ('first', 'last') then
    raise exception 'a visit is credited to the first or the last campaign' using errcode = '22023', hint = 'Send first or last.';
  end if;
  goal := (
    select f.event_type from audience_gate.funnel_steps f
    where f.site_id = p_site and f.funnel_id = p_funnel order by f.position desc limit 1);
  if goal is null then
    raise exception 'the site has no funnel of this name' using errcode = '22023', hint = 'kpi_funnels lists them.';
  end if;
  return query
  with numbered as (
    -- Between two campaigns of a person, the visits are counted to the one before them.
    select v.session, v.person, v.started, v.first_touch, v.last_touch,
      count(v.last_touch) over (partition by v.person order by v.started, v.session) as nth
    from audience_gate.site_visits(p_site, r.views_hold, '-infinity', 'infinity') v
  ), credited as (
    select n.session, n.person, n.started,
      case p_by when 'last' then max(n.last_touch) over (partition by n.person, n.nth)
        else max(n.first_touch) filter (where n.nth = 1) over (partition by n.person) end as touch
    from numbered n
  ), reached as (
    select a.session from audience_gate.slot_activity a where a.site_id = p_site and a.event_type = goal
    union
    select a.session from audience_gate.tail_events(p_site) a where a.is_activity and a.event_type = goal
  ), placed as (
    select c.person, c.touch::jsonb as touch, g.session is not null as converted
    from credited c
    left join reached g on g.session = c.session
    where (c.started at time zone p_zone)::date between r.first_day and r.last_day
  )
  select p.touch ->> 0, p.touch ->> 1, p.touch ->> 2, p.touch ->> 3, p.touch ->> 4, count(*)::bigint, count(distinct p.person)::bigint,
    count(*) filter (where p.converted), round((count(*) filter (where p.converted))::numeric / count(*), 4)
  from placed p
  group by p.touch
  order by 6 desc, p.touch::text;
end;
$$;
comment on function audience_gate.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text) is
  'Computes what public.kpi_campaigns() returns.';
alter function audience_gate.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text) owner to audience_gate_owner;
revoke all on function audience_gate.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text) from public, anon;
grant execute on function audience_gate.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text)
  to authenticated, service_role;

create or replace function public.kpi_campaigns(
  site uuid, from_time timestamptz, to_time timestamptz, by text default 'last', funnel text default 'default',
  time_zone text default 'UTC'
)
returns table (
  source text, medium text, campaign text, content text, term text, visits bigint, people bigint, conversions bigint,
  conversion_rate numeric
)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_campaigns(site, from_time, to_time, by, funnel, time_zone) $$;
comment on function public.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text)
is $$Campaigns: the visits of the people whom each brought, and what came of them.
Grain: one row for each campaign; the row without one is of people whom none had brought.
Time zone: decides which local days the range touches; a visit counts on the day on which it began.
Source: visits, session_slots
source: utm_source of the last campaign that the visit's person came by, up to this visit; by first, of the first ever
medium: utm_medium, likewise
campaign: utm_campaign, likewise
content: utm_content, likewise
term: utm_term, likewise
visits: visits credited to it
people: distinct people who made them; by last, a person may be counted with several campaigns
conversions: those of the visits in which the last step of the funnel happened, whether or not the steps before did
conversion_rate: conversions / visits$$;
revoke all on function public.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text) from public, anon;
grant execute on function public.kpi_campaigns(uuid, timestamptz, timestamptz, text, text, text) to authenticated, service_role;
