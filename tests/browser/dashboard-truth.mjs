// The truth that the dashboard's numbers are compared with: plain SQL over the event log and the history of the states, by the
// definitions of KPI.md, without any function or table of the figures. `:site`, `:zone`, `:first` and `:last` stand for the
// site, the zone whose days count, and the first and the last day of the range; `:since` and `:until` for the moments between which
// a range lies that is not of whole days; `:campaign` and the other names of filters for what is asked for, if it is not empty.

/** Within the days of the range, by a column that holds a moment. @param {string} moment */
const within = (moment) => `(${moment} at time zone :zone)::date between :first::date and :last::date`;
/** Within its hours as well. @param {string} moment */
const inside = (moment) =>
  `(${within(moment)} and ${moment} >= :since::timestamptz and ${moment} < :until::timestamptz)`;
/**
 * What nothing but the site decides, made once: what people did, when, and who did it, which is accepted events without signals of
 * machines and verdicts of jobs; and visits, which are sessions with activity. Who was not signed in is the one user known of the
 * session, if there is exactly one, and else the session. Somebody who signed in during a visit made it; one with several users is
 * its own. Each has the campaigns that its person came by, until then and ever.
 */
export const PREPARED = [
  "create schema truth",
  `create table truth.a as
   select e.*, coalesce(e.occurred_at, e.created_at) as at, coalesce(e.user_id::text, known.only_user, e.session_id) as person,
     t.tier, t.score_weight, least(coalesce((e.metadata ->> 'duration_seconds')::numeric, 0), 86400) as seconds
   from public.audience_events e join public.audience_event_types t on t.id = e.event_type
   left join (select u.session_id, min(u.user_id::text) as only_user from public.audience_events u
     where u.site_id = :site and not u.rejected and u.contract is not null and u.event_category <> 'retention'
     group by 1 having count(distinct u.user_id) = 1) known on known.session_id = e.session_id
   where e.site_id = :site and not e.rejected and e.contract is not null and t.tier <> 'system' and e.event_category <> 'retention'`,
  "create index on truth.a (person, event_type, at)",
  `create table truth.w as
   select v.*, array_agg(touches[cardinality(touches)]) filter (where touches is not null) over so_far as until_then,
     array_agg(touches[1]) filter (where touches is not null) over (so_far range between unbounded preceding and unbounded following) as ever
   from (
     select session_id, case when count(distinct person) = 1 then min(person) else session_id end as person, min(at) as at,
       extract(epoch from max(at) - min(at)) as seconds, count(*) as events, bool_or(event_type = 'plan_started') as converted,
       array_agg(metadata ->> 'page_path' order by at, id) filter (where metadata ->> 'page_path' <> '') as pages,
       (array_agg(metadata ->> 'referrer_kind' order by at, id) filter (where metadata ->> 'referrer_kind' <> ''))[1] as referrer,
       (array_agg(metadata ->> 'device_class' order by at, id) filter (where metadata ->> 'device_class' <> ''))[1] as device,
       array_agg(array_to_json(array[utm_campaign, utm_source, utm_medium, utm_content, utm_term])::text order by at, id)
         filter (where utm_source is not null or utm_medium is not null or utm_campaign is not null) as touches
     from truth.a group by 1
   ) v
   window so_far as (partition by person order by at, session_id)`,
];
const ACTIVITY = "a as not materialized (select * from truth.a)";
/** The visits that are asked for, and what was done in them. */
const CREDITED = `${ACTIVITY}, w as (select * from truth.w),
  kept as materialized (
    select * from w
    where ${
  ["campaign", "source", "medium"].map((name, index) =>
    `(:${name} = '' or until_then[cardinality(until_then)]::json ->> ${index} = :${name})`
  ).join(" and ")
} and (:page = '' or pages[1] = :page) and (:referrer = '' or referrer = :referrer) and (:device = '' or device = :device)
      and (:type = '' or exists (select from public.audience_events e where e.site_id = :site and e.session_id = w.session_id
        and not e.rejected and e.contract is not null and e.event_type = :type))),
  k as materialized (select * from a where session_id in (select session_id from kept) and (:type = '' or event_type = :type))`;
/** What a site received, each event once: a rejected one that was replayed since counts as accepted, when it first came. */
const RECEIVED = `received as (
  select e.created_at as at, e.contract is null as unjudged, e.rejected and r.audit_id is null as rejected, e.metadata ->> 'validation_rule_id' as rule
  from public.audience_events e
  left join public.audience_event_replays r on r.audit_id = e.id
  where e.site_id = :site and not exists (select from public.audience_event_replays o where o.event_id = e.id) and ${
  within("e.created_at")
})`;
/** The changes of state, each with how long its person had been in the state before. */
const MOVES = `m as (
  select s.*, s.effective_at as at, extract(epoch from s.effective_at - lag(s.effective_at) over (partition by s.user_id order by s.effective_at, s.id)) as stayed
  from public.audience_state_events s where s.site_id = :site)`;
/** The moments of the range, a quarter of an hour apart: every zone's hours and days begin at one of them. */
const QUARTERS = `q as (
  select q as at, q at time zone :zone as local, (q at time zone :zone) - (q at time zone 'UTC') as ahead
  from generate_series(:first::timestamp at time zone :zone, (:last::date + 1)::timestamp at time zone :zone - interval '1 second', interval '15 minutes') q)`;
/** An hour of the clock is told apart by what the clock shows and how far it is ahead: an hour that it repeats is two. */
const hourOf = (/** @type {string} */ local) => `date_trunc('hour', ${local})`;
const COUNTED =
  `count(*)::int as visits, count(distinct person)::int as people, count(*) filter (where events = 1)::int as bounces,
  round(avg((events = 1)::int), 4)::float8 as rate, round(avg(seconds), 1)::float8 as seconds, round(avg(events), 2)::float8 as per_visit`;
/** What a table of visits says of each group. @param {string} label */
const counted = (label) =>
  `with ${CREDITED} select ${label} as label, ${COUNTED} from kept where ${inside("at")} group by 1 order by 2 desc`;
/** Whose visits a campaign brought. @param {string} touch of all that its person came by until then, or ever */
const credited = (touch) =>
  `with ${CREDITED}
   select ${touch} as label, count(*)::int as visits, count(distinct person)::int as people,
     count(*) filter (where converted)::int as conversions, round(avg(converted::int), 4)::float8 as rate
   from kept where ${inside("at")} group by 1 order by 2 desc`;
/** The period that a moment is in. @param {string} moment */
const period = (moment) => `date_trunc(:grain, ${moment} at time zone :zone)::date::text`;
const PERCENTILES = [0.5, 0.75, 0.95, 0.99].map((share) =>
  `percentile_disc(${share}) within group (order by value)::float8 as p${100 * share}`
);

export const TRUTH = {
  overview: `with ${CREDITED}, here as (select * from k where ${inside("at")}),
     known as (select distinct person from a where (at at time zone :zone)::date < :first::date or at < :since::timestamptz), ${RECEIVED}
     select count(*)::int as events, count(distinct person)::int as people, coalesce(sum(seconds), 0)::float8 as engaged_seconds,
       count(distinct person) filter (where person not in (select person from known))::int as new_people,
       (select count(*) from kept where ${inside("at")})::int as sessions,
       (select count(*) from received where not unjudged and not rejected and ${inside("at")})::int as accepted,
       (select count(*) from received where not unjudged and rejected and ${inside("at")})::int as rejected,
       (select count(*) from public.audience_events e where site_id = :site and not rejected and contract is not null
          and event_type in ('error_occurred', 'server_error', 'auth_sign_in_failed') and ${
    inside("coalesce(occurred_at, created_at)")
  } and (concat(:campaign, :source, :medium, :page, :referrer, :device, :type) = ''
            or session_id in (select session_id from kept) and (:type = '' or event_type = :type)))::int as errors
     from here`,
  periods:
    `select distinct date_trunc(:grain, d)::date::text as period from generate_series(:first::date, :last::date, interval '1 day') d order by 1`,
  engagement: `with ${CREDITED} select ${
    period("at")
  } as period, tier, count(*)::int as events, count(distinct person)::int as people,
       (sum(seconds) / 3600)::float8 as hours, sum(score_weight)::float8 as score from k where ${
    inside("at")
  } group by 1, 2`,
  visits: counted(period("at")),
  hours: `with ${CREDITED}, ${QUARTERS}, h as (select ${
    hourOf("local")
  } as hour, ahead, min(at) as begins from q group by 1, 2)
     select h.begins as label, c.* from h left join (
       select ${
    hourOf("(at at time zone :zone)")
  } as hour, (at at time zone :zone) - (at at time zone 'UTC') as ahead, ${COUNTED}
       from kept where ${inside("at")} group by 1, 2) c using (hour, ahead)
     where exists (select from q where q.at >= :since::timestamptz and q.at < :until::timestamptz and q.ahead = h.ahead
       and ${hourOf("q.local")} = h.hour) order by 1`,
  total: counted("'all'"),
  entries: counted("coalesce(pages[1], 'not named')"),
  exits: counted("coalesce(pages[cardinality(pages)], 'not named')"),
  referrers: counted("coalesce(referrer, 'not named')"),
  devices: counted("coalesce(device, 'not named')"),
  lastTouch: credited("until_then[cardinality(until_then)]"),
  firstTouch: credited("ever[1]"),
  adoption: `with ${CREDITED}, here as (select * from k where ${inside("at")}),
     known as (select distinct event_type, person from a where (at at time zone :zone)::date < :first::date or at < :since::timestamptz)
     select event_type, tier, count(distinct person)::int as people, count(*)::int as events,
       round(count(distinct person)::numeric / (select count(distinct person) from here), 4)::float8 as rate,
       count(distinct person) filter (where (event_type, person) not in (select event_type, person from known))::int as newcomers,
       max((at at time zone :zone)::date)::text as last_day
     from here group by 1, 2`,
  funnel: `with recursive ${ACTIVITY},
     steps (step, name, event_type) as (
       values (1, 'Visit', 'page_view'), (2, 'Read', 'content_view'), (3, 'Subscribe', 'email_subscribe'), (4, 'Start a plan', 'plan_started')),
     walk (person, began, at, step) as (
       select person, min(at), min(at), 1 from a join steps s on s.step = 1 and s.event_type = a.event_type
         where ${within("at")} group by 1
       union all
       select w.person, w.began, (select min(a.at) from a where a.event_type = s.event_type
         and a.person = w.person and a.at >= w.at and a.at <= w.began + interval '30 days'), s.step
       from walk w join steps s on s.step = w.step + 1)
     select s.name, count(w.at)::int as people, round(avg(extract(epoch from w.at - w.began)), 1)::float8 as seconds
     from steps s left join walk w on w.step = s.step group by s.step, s.name order by s.step`,
  cohorts: `with ${ACTIVITY}, active as (select distinct person, ${period("at")}::date as period from a),
     firsts as (select person, min(period) as first from active group by 1),
     returned as (select first, (period - first) / :length as later, count(*)::int as n from active join firsts using (person) group by 1, 2)
     select c.first::text as cohort, c.n as people, array(select coalesce(r.n, 0)
       from generate_series(0, least(:periods, (date_trunc(:grain, now() at time zone :zone)::date - c.first) / :length)) g
       left join returned r on r.first = c.first and r.later = g order by g) as retained
     from returned c where c.later = 0 and c.first between date_trunc(:grain, :first::date)::date and :last::date order by 1`,
  flow:
    `with ${MOVES} select coalesce(from_state, 'new') as from_state, to_state, count(*)::int as n, round(avg(stayed), 1)::float8 as stayed
     from m where ${within("at")} group by 1, 2`,
  dwell: `with ${MOVES} select from_state as state, count(*)::int as n, round(avg(stayed), 1)::float8 as mean,
       percentile_disc(0.5) within group (order by stayed)::float8 as p50, percentile_disc(0.9) within group (order by stayed)::float8 as p90
     from m where from_state is not null and ${within("at")} group by 1 order by 1`,
  states:
    `with ${MOVES}, p as (select date_trunc(:grain, d)::date as period, max(d) as ends from generate_series(:first::date, :last::date, interval '1 day') d group by 1)
     select p.period::text as period, s.id as state, (select count(*) from (
         select distinct on (user_id) to_state from m where (at at time zone :zone)::date <= p.ends order by user_id, at desc, id desc) latest
       where to_state = s.id)::int as n
     from p cross join public.audience_states s order by 1, 2`,
  quality: `with ${RECEIVED} select ${
    period("at")
  } as period, count(*) filter (where not unjudged and not rejected)::int as accepted,
       count(*) filter (where not unjudged and rejected)::int as rejected, count(*) filter (where unjudged)::int as unjudged from received group by 1`,
  refusedWhole:
    `select coalesce(sum(requests), 0)::int as n from audience_gate.refused_requests where site_id = :site and ${
      within("minute")
    }`,
  rules: `with ${RECEIVED} select rule, count(*)::int as n, round(count(*) / sum(count(*)) over (), 4)::float8 as share
     from received where rejected and not unjudged group by 1`,
  errors: `with ${ACTIVITY}, n as (select ${period("at")} as period, count(*) as n from a where ${
    within("at")
  } group by 1)
     select e.*, round(1000.0 * e.events / n.n, 2)::float8 as per_thousand from (
       select ${period("coalesce(occurred_at, created_at)")} as period,
         coalesce(nullif(metadata ->> case when event_type = 'auth_sign_in_failed' then 'method' else 'error_code' end, ''), event_type) as name, count(*)::int as events
       from public.audience_events where site_id = :site and not rejected and contract is not null
         and event_type in ('error_occurred', 'server_error', 'auth_sign_in_failed') and ${
    within("coalesce(occurred_at, created_at)")
  } group by 1, 2) e left join n using (period)`,
  timings:
    `select measure, count(*)::int as samples, avg(value)::float8 as mean, max(value)::float8 as max, ${PERCENTILES}
     from (select e.event_type || '.' || p.metadata_key as measure, (e.metadata ->> p.metadata_key)::numeric as value
       from public.audience_events e join audience_gate.performance_measures p on p.event_type = e.event_type
       where e.site_id = :site and not e.rejected and e.contract is not null and jsonb_typeof(e.metadata -> p.metadata_key) = 'number'
         and ${within("coalesce(e.occurred_at, e.created_at)")}) x group by 1 order by 1`,
  lastMinutes:
    `with ${ACTIVITY} select (select count(*) from a where created_at >= now() - interval '30 minutes')::int as accepted,
       (select count(*) from public.audience_events where site_id = :site and rejected and contract is not null
          and created_at >= now() - interval '30 minutes')::int as refused`,
  latest:
    `select e.id, e.rejected, e.event_category, e.event_type, e.metadata ->> 'validation_rule_id' as rule, t.tier, e.created_at
     from public.audience_events e left join public.audience_event_types t on t.id = e.event_type
     where e.site_id = :site order by e.created_at desc, e.id limit 14`,
};
