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

export const TRUTH = {
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
