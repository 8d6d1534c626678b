// The truth that the dashboard's numbers are compared with: plain SQL over the event log, without any view.
// `$1` is the site, `$2` the zone whose days count. The range is the page's own default: 28 local days, today the last.
const RANGE = `at time zone $2 >= (date_trunc('day', now() at time zone $2) - interval '27 days')`;
/**
 * What people did, when, and who did it: accepted events, without signals of machines and verdicts of jobs. Who was not
 * signed in is the one user known of the session, if there is exactly one, and else the session.
 */
const ACTIVITY = `
  select e.*, coalesce(e.occurred_at, e.created_at) as at, coalesce(e.user_id::text, known.only_user, e.session_id) as person, t.tier
  from public.audience_events e join public.audience_event_types t on t.id = e.event_type
  left join (select u.session_id, min(u.user_id::text) as only_user from public.audience_events u
    where u.site_id = $1 and not u.rejected and u.event_category <> 'retention'
    group by 1 having count(distinct u.user_id) = 1) known on known.session_id = e.session_id
  where e.site_id = $1 and not e.rejected and t.tier <> 'system' and e.event_category <> 'retention'`;
/** Visits: sessions with activity. Somebody who signed in during one made it; a session with several users is its own. */
const VISITS = `a as (${ACTIVITY}),
  v as (
    select session_id, case when count(distinct person) = 1 then min(person) else session_id end as person, min(at) as at,
      extract(epoch from max(at) - min(at)) as seconds, count(*) as events, bool_or(event_type = 'plan_started') as converted,
      array_agg(metadata ->> 'page_path' order by at, id) filter (where metadata ->> 'page_path' <> '') as pages,
      (array_agg(metadata ->> 'referrer_kind' order by at, id) filter (where metadata ->> 'referrer_kind' <> ''))[1] as referrer,
      (array_agg(metadata ->> 'device_class' order by at, id) filter (where metadata ->> 'device_class' <> ''))[1] as device,
      array_agg(concat_ws(' ', utm_source, utm_medium, utm_campaign) order by at, id)
        filter (where utm_source is not null or utm_medium is not null or utm_campaign is not null) as touches
    from a group by 1)`;
const [TODAY, DAYS] = ["", " - interval '2 days'"].map((before) =>
  `at time zone $2 >= date_trunc('day', now() at time zone $2)${before}`
);
const HOUR = "to_char(date_trunc('hour', at at time zone $2), 'FMDD Mon, HH24:MI')";
/** What a table of visits says of each of them. @param {string} label @param {string} range */
const counted = (label, range = RANGE) =>
  `with ${VISITS} select ${label} as label, count(*)::int as visits, count(distinct person)::int as people,
     count(*) filter (where events = 1)::int as bounces, round(avg((events = 1)::int), 4)::float8 as rate,
     round(avg(seconds), 1)::float8 as seconds, round(avg(events), 2)::float8 as per_visit
   from v where at ${range} group by 1`;
/** Whose visits a campaign brought. @param {string} touch of all that its person came by until then, or ever */
const credited = (touch) =>
  `with ${VISITS}, w as (
     select v.*, array_agg(touches[cardinality(touches)]) filter (where touches is not null) over so_far as until_then,
       array_agg(touches[1]) filter (where touches is not null) over (so_far range between unbounded preceding and unbounded following) as ever
     from v window so_far as (partition by person order by at, session_id))
   select coalesce(${touch}, 'none') as label, count(*)::int as visits, count(distinct person)::int as people,
     count(*) filter (where converted)::int as conversions, round(avg(converted::int), 4)::float8 as rate
   from w where at ${RANGE} group by 1`;

export const TRUTH = {
  visits: counted("(at at time zone $2)::date::text"),
  hours: counted(HOUR, TODAY),
  hoursOfThreeDays: counted(HOUR, DAYS),
  total: counted("'all'"),
  entries: counted("coalesce(pages[1], 'not named')"),
  exits: counted("coalesce(pages[cardinality(pages)], 'not named')"),
  referrers: counted("coalesce(referrer, 'not named')"),
  devices: counted("coalesce(device, 'not named')"),
  lastTouch: credited("until_then[cardinality(until_then)]"),
  firstTouch: credited("ever[1]"),
  gate:
    `select count(*) filter (where not rejected) as accepted, count(*) filter (where rejected) as rejected, count(*) as received
     from public.audience_events where site_id = $1 and created_at ${RANGE}`,
  people: `with a as (${ACTIVITY}), firsts as (select person, min(at) as at from a group by 1)
     select count(*) as events, count(distinct person) as people,
       (select count(*) from firsts where firsts.at ${RANGE}) as new_people
     from a where at ${RANGE}`,
  days: `with a as (${ACTIVITY})
     select (at at time zone $2)::date::text as day, tier, count(*) as n from a where at ${RANGE} group by 1, 2`,
  features: `with a as (${ACTIVITY}) select event_type, count(*) as events, count(distinct person) as people
     from a where at ${RANGE} group by 1`,
  rules: `select metadata ->> 'validation_rule_id' as rule_id, count(*) as n from public.audience_events
     where site_id = $1 and rejected and created_at ${RANGE} group by 1`,
  funnel: `with recursive a as (${ACTIVITY}),
     entered as (select person, min(at) as began from a where event_type = 'page_view' and at ${RANGE} group by 1),
     steps (step, event_type) as (values (2, 'content_view'), (3, 'email_subscribe'), (4, 'plan_started')),
     walk (person, began, at, step) as (
       select person, began, began, 1 from entered
       union all
       select w.person, w.began, (select min(a.at) from a join steps s on s.step = w.step + 1 and s.event_type = a.event_type
         where a.person = w.person and a.at >= w.at and a.at <= w.began + interval '30 days'), w.step + 1
       from walk w where w.step < 4)
     select step, count(at) as people from walk group by 1 order by 1`,
  cohorts:
    `with a as (${ACTIVITY}), weeks as (select distinct person, date_trunc('week', at at time zone $2)::date as week from a),
     firsts as (select person, min(week) as first from weeks group by 1)
     select first::text as cohort, ((week - first) / 7) as period, count(*) as n from weeks join firsts using (person)
     where first >= date_trunc('week', (now() at time zone $2) - interval '27 days') group by 1, 2`,
  errors: `select count(*) as n from public.audience_events where site_id = $1 and not rejected
       and event_type in ('error_occurred', 'server_error', 'auth_sign_in_failed')
       and coalesce(occurred_at, created_at) ${RANGE}`,
  moves: `select coalesce(from_state, 'new') as from_state, to_state, count(*) as n from public.audience_state_events
     where site_id = $1 and effective_at ${RANGE} group by 1, 2`,
  quality: `select (created_at at time zone $2)::date::text as day, count(*) filter (where not rejected) as accepted,
       count(*) filter (where rejected) as rejected
     from public.audience_events where site_id = $1 and created_at ${RANGE} group by 1`,
  standing: `select state, count(*) as n from (
       select distinct on (user_id) user_id, to_state as state from public.audience_state_events
       where site_id = $1 and $2 <> ''
       order by user_id, id desc) latest group by 1`,
  timings: `select e.event_type || '.' || m.key as measure, count(*) as samples,
       percentile_disc(0.5) within group (order by (m.value #>> '{}')::numeric)::float8 as p50
     from public.audience_events e cross join lateral jsonb_each(e.metadata) m
     where e.site_id = $1 and not e.rejected and jsonb_typeof(m.value) = 'number' and coalesce(e.occurred_at, e.created_at) ${RANGE} group by 1`,
};
