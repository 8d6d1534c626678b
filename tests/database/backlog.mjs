/** A backlog of members whose events nothing was derived from yet, and what must hold of their states once it was. */

/** How many events wait for each member. */
export const EVENTS = 10;

/** The rule by which a step down is due for whoever has been away. */
export const RULE = "inactivity_14d";

/**
 * Events of members `first` to `last`, as the store of the gate writes them, whose role the session has to have. The first
 * `away` members have been away for a month and more.
 *
 * @param {number} first @param {number} last @param {number} away
 */
export const fill = (first, last, away) => `
  insert into public.audience_events
    (id, created_at, user_id, session_id, event_type, event_category, event_source, metadata, contract)
  select gen_random_uuid(), now() - case when n <= ${away} then interval '40 days' else interval '4 days' end
      + k * interval '1 hour' + n * interval '1 microsecond',
    ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 'session-' || n, 'content_complete', 'engagement', 'test',
    '{}', audience_gate.contract_fingerprint()
  from generate_series(1, ${EVENTS}) k, generate_series(${first}, ${last}) n`;

/** The id of somebody who is new. @param {number} number */
export const newcomer = (number) => `00000000-0000-4000-a000-${String(number).padStart(12, "0")}`;

/** Somebody who is new looks at a page, without any proof of judging. @param {string} id */
export const arrival = (id) => ({
  text: `insert into public.audience_events (user_id, session_id, event_type, event_category, event_source, metadata)
    values ($1, $2, 'page_view', 'engagement', 'test', '{"page_path": "/"}')`,
  values: [id, `session-of-${id}`],
});

/** How many rows of the history do not go on where the one before them ended. */
export const BROKEN = `
  select count(*)::int from (
    select e.from_state, lag(e.to_state) over person as before, e.effective_at < lag(e.effective_at) over person as back
    from public.audience_state_events e window person as (partition by e.site_id, e.user_id order by e.id)) h
  where h.from_state is distinct from h.before or h.back`;

/** How many steps down were dated otherwise than when they were due. */
export const MISDATED = `
  select count(*)::int from public.audience_state_events e join public.audience_site_state s using (site_id, user_id)
  where e.rule_id = '${RULE}' and e.effective_at <> s.last_activity_at + interval '14 days'`;
