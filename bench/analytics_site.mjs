/**
 * A site of a given number of events over 90 days, for bench/analytics.mjs: visits of about five and a half
 * events each by people who come back unevenly, two in five of them signed in, 1 % of what arrives rejected.
 */
export const SITE = "00000000-0000-4000-8000-000000000001";

const EVENTS = `
  insert into public.audience_events
    (id, created_at, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium, utm_campaign,
     metadata, site_id, occurred_at, rejected, contract)
  select
    gen_random_uuid(), e.at, e.user_id, e.session_id, t.id, t.category, 'web',
    e.utm, case when e.utm is not null then 'email' end, case when e.utm is not null then 'autumn-2026' end,
    case t.id
      when 'page_performance' then jsonb_build_object('page_path', '/guides', 'load_ms', round(exp(random() * 3 + 5)::numeric, 1))
      when 'error_occurred' then jsonb_build_object('severity', 'error', 'error_code', 'E' || (random() * 12)::int)
      when 'event_validation_fail' then jsonb_build_object('validation_rule_id',
        (array['duplicate.double_fire', 'base.session_id', 'privacy.raw_email', 'registry.event_type'])[1 + (random() * 3)::int])
      when 'page_view' then jsonb_build_object('page_path', '/guides/' || (random() * 200)::int)
      else jsonb_build_object('content_id', 'guide-' || (random() * 200)::int, 'duration_seconds', 20 + (random() * 300)::int)
    end,
    $2, e.at - interval '1 second', t.id = 'event_validation_fail', audience_gate.contract_fingerprint()
  from (
    select
      v.user_id, v.session_id, v.utm, v.started + (n.nth - 1) * interval '40 seconds' as at,
      case
        when n.nth = 1 then case when v.draw < 0.25 then 'campaign_landing' else 'page_view' end
        else (array[
          'page_view', 'page_view', 'page_view', 'page_view', 'page_view', 'page_view', 'page_view', 'page_view', 'page_view',
          'content_view', 'content_view', 'content_view', 'content_view', 'content_view', 'content_view', 'content_view',
          'content_complete', 'content_complete', 'tool_used', 'tool_used', 'site_search', 'video_play', 'feature_used',
          'email_subscribe', 'content_share', 'protocol_logged', 'protocol_logged', 'protocol_viewed', 'pro_feature_used',
          'teammate_invited', 'clinic_dashboard_viewed', 'aggregate_report_viewed', 'page_performance', 'page_performance',
          'page_performance', 'error_occurred', 'plan_started', 'event_validation_fail', 'account_created', 'content_saved'
        ])[1 + floor(random() * 40)::int]
      end as event_type
    from (
      select
        case when p.person % 5 < 2 then md5('user ' || p.person)::uuid end as user_id,
        'session-' || md5('visit ' || p.visit) as session_id,
        case when p.visit % 4 = 0 then 'newsletter' end as utm,
        now() - interval '1 hour' - random() * interval '90 days' as started,
        1 + floor(least(-ln(1 - random()) * 5, 60))::int as length,
        random() as draw
      from (
        select visit, floor($1::float8 / 20 * power(random(), 1.6))::int as person from generate_series(($3::float8 / 5.5)::int + 1, ($1::float8 / 5.5)::int) visit
      ) p
    ) v
    cross join lateral generate_series(1, v.length) n (nth)
  ) e
  join public.audience_event_types t on t.id = e.event_type
  order by e.at`;

const STATES = `
  insert into public.audience_state_events (site_id, user_id, from_state, to_state, changed_by, changed_at, effective_at, rule_id)
  select $1, u.user_id, case when n.nth > 0 then 'S' || (n.nth - 1) end, 'S' || n.nth, 'system:derivation', m.at, m.at, 'score_threshold'
  from (
    select user_id, min(created_at) as first, count(*) as events
    from public.audience_events where user_id is not null and site_id = $1
      and user_id not in (select s.user_id from public.audience_state_events s where s.site_id = $1) group by 1
  ) u
  cross join lateral generate_series(0, least(floor(log(u.events) * 2.5)::int, 5)) n (nth)
  cross join lateral (select u.first + (now() - u.first) * (n.nth::float8 / 7) as at) m
  order by m.at`;

/**
 * @param {import("pg").Client} client a superuser's: triggers are set aside for the load
 * @param {number} events how many the site is to have @param {number} [before] how many it was built with so far
 */
export async function buildSite(client, events, before = 0) {
  await client.query("set session_replication_role = replica");
  await client.query("set work_mem = '256MB'");
  await client.query("set synchronous_commit = off");
  await client.query(EVENTS, [events, SITE, before]);
  await client.query(STATES, [SITE]);
  await client.query("set session_replication_role = origin");
  await client.query("reset work_mem");
  await client.query("vacuum (analyze) public.audience_events");
  await client.query("vacuum (analyze) public.audience_state_events");
}

/** How large the site is, by its own views. @param {import("pg").Client} client */
export async function siteSize(client) {
  const { rows: [size] } = await client.query(
    `select
       (select sum(events) from audience_gate.data_quality_by_rule where site_id = z.site_id)::int as events,
       (select sum(people) from audience_gate.engagement_by_tier
        where site_zone = z.id and tier = 'all' and previous_day = '-infinity')::int as people,
       (select sum(sessions) from audience_gate.session_starts where site_id = z.site_id)::int as sessions,
       (select sum(transitions) from audience_gate.state_flow where site_zone = z.id)::int as transitions,
       pg_size_pretty(pg_total_relation_size('public.audience_events')) as size
     from audience_gate.site_zones z where z.site_id = $1 and z.time_zone = 'UTC'`,
    [SITE],
  );
  return size;
}

/** The same questions put to the events themselves, over 30 days: what a team would write without the views. */
export const PLAIN = {
  kpi_overview: `select count(*), count(distinct coalesce(e.user_id::text, e.session_id)), count(distinct e.session_id)
    from public.audience_events e join public.audience_event_types t on t.id = e.event_type
    where e.site_id = $1 and not e.rejected and t.tier <> 'system' and t.category <> 'retention'
      and coalesce(e.occurred_at, e.created_at) >= now() - interval '30 days'`,
  kpi_engagement: `select date_trunc('day', coalesce(e.occurred_at, e.created_at)), t.tier, count(*),
      count(distinct coalesce(e.user_id::text, e.session_id)), sum((e.metadata ->> 'duration_seconds')::numeric)
    from public.audience_events e join public.audience_event_types t on t.id = e.event_type
    where e.site_id = $1 and not e.rejected and t.tier <> 'system' and t.category <> 'retention'
      and coalesce(e.occurred_at, e.created_at) >= now() - interval '30 days' group by rollup (1, 2)`,
  kpi_feature_adoption: `select e.event_type, count(*), count(distinct coalesce(e.user_id::text, e.session_id))
    from public.audience_events e join public.audience_event_types t on t.id = e.event_type
    where e.site_id = $1 and not e.rejected and t.tier <> 'system' and t.category <> 'retention'
      and coalesce(e.occurred_at, e.created_at) >= now() - interval '30 days' group by 1`,
  kpi_funnel: `with a as (
      select coalesce(user_id::text, session_id) as person, event_type, coalesce(occurred_at, created_at) as done
      from public.audience_events where site_id = $1 and not rejected
        and event_type in ('page_view', 'content_view', 'email_subscribe', 'plan_started')
        and coalesce(occurred_at, created_at) >= now() - interval '30 days'
    ), s1 as (select person, min(done) as done from a where event_type = 'page_view' group by 1),
    s2 as (select s1.person, min(a.done) as done from s1 join a using (person) where a.event_type = 'content_view' and a.done >= s1.done group by 1),
    s3 as (select s2.person, min(a.done) as done from s2 join a using (person) where a.event_type = 'email_subscribe' and a.done >= s2.done group by 1),
    s4 as (select s3.person, min(a.done) as done from s3 join a using (person) where a.event_type = 'plan_started' and a.done >= s3.done group by 1)
    select (select count(*) from s1), (select count(*) from s2), (select count(*) from s3), (select count(*) from s4)`,
  kpi_retention: `with w as (
      select distinct coalesce(e.user_id::text, e.session_id) as person, date_trunc('week', coalesce(e.occurred_at, e.created_at)) as week
      from public.audience_events e join public.audience_event_types t on t.id = e.event_type
      where e.site_id = $1 and not e.rejected and t.tier <> 'system' and t.category <> 'retention'
    ), c as (select person, min(week) as cohort from w group by 1)
    select c.cohort, w.week - c.cohort, count(*) from c join w using (person) group by 1, 2`,
  kpi_errors:
    `select date_trunc('day', coalesce(occurred_at, created_at)), event_type, metadata ->> 'error_code', count(*)
    from public.audience_events where site_id = $1 and not rejected and event_type in ('error_occurred', 'server_error')
      and coalesce(occurred_at, created_at) >= now() - interval '30 days' group by 1, 2, 3`,
  kpi_performance:
    `select percentile_cont(array[0.5, 0.75, 0.95, 0.99]) within group (order by (metadata ->> 'load_ms')::float8)
    from public.audience_events where site_id = $1 and not rejected and event_type = 'page_performance'
      and coalesce(occurred_at, created_at) >= now() - interval '30 days'`,
  kpi_data_quality: `select case when rejected then metadata ->> 'validation_rule_id' end, count(*)
    from public.audience_events where site_id = $1 and created_at >= now() - interval '30 days' group by 1`,
};
